"""Budgets of URL patterns and of sitemaps: what stops a site that makes up addresses.

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aidivide_archive.archive.storage.types import Flag, Id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "hosts",
        sa.Column(
            "sitemaps_fetched",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Sitemaps among the fetches",
        ),
    )
    op.create_table(
        "url_patterns",
        sa.Column(
            "host",
            sa.Text(),
            nullable=False,
            comment="Host name, with the port when it is not the scheme's default",
        ),
        sa.Column(
            "pattern", sa.Text(), nullable=False, comment="Path with # for numbers, * for names"
        ),
        sa.Column("fetched", sa.Integer(), nullable=False, comment="Pages fetched"),
        sa.Column(
            "barren",
            sa.Integer(),
            nullable=False,
            comment="The last of them without content new on the host",
        ),
        sa.Column("is_closed", Flag(), nullable=False, comment="Whether its links are given up"),
        sa.PrimaryKeyConstraint("host", "pattern", name=op.f("pk_url_patterns")),
        comment="Kinds of URLs of a host, and whether they still bring content",
        sqlite_strict=True,
    )
    op.create_table(
        "page_contents",
        sa.Column(
            "host",
            sa.Text(),
            nullable=False,
            comment="Host name, with the port when it is not the scheme's default",
        ),
        sa.Column("fingerprint", Id, nullable=False, comment="48 bits of the text without numbers"),
        sa.Column("url_id", Id, nullable=False, comment="The page that showed it first"),
        sa.PrimaryKeyConstraint("host", "fingerprint", name=op.f("pk_page_contents")),
        comment="What each host has shown, articles or not",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("page_contents")
    op.drop_table("url_patterns")
    op.drop_column("hosts", "sitemaps_fetched")

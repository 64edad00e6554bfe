"""What asking the archive needs: the host of each article, and the outlet of each host.

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aidivide_archive.archive import outlets

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column(
        "articles",
        sa.Column(
            "host",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="Host, with the port when not the default",
        ),
    )
    op.create_index(
        "ix_articles_host", "articles", ["host", "language", "published_from", "id"], unique=False
    )
    op.create_table(
        "outlets",
        sa.Column(
            "host", sa.Text(), nullable=False, comment="Host of an article, as in `articles`"
        ),
        sa.Column(
            "name", sa.Text(), nullable=True, comment="Name of the outlet; empty: in no profile"
        ),
        sa.Column("country", sa.Text(), nullable=True, comment="ISO 3166-1 alpha-2 code"),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_outlets")),
        comment="What the stored profiles call the outlet of each host that has articles",
        sqlite_strict=True,
    )
    op.execute(
        "UPDATE articles SET host = (SELECT urls.host FROM urls WHERE urls.id = articles.id)"
    )
    outlets.refresh(connection)


def downgrade() -> None:
    op.drop_table("outlets")
    op.drop_index("ix_articles_host", table_name="articles")
    op.execute("ALTER TABLE articles DROP COLUMN host")  # in place: others point to the table

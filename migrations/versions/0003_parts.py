"""The pages of one article: which of them an extraction was made from.

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "extractions",
        sa.Column(
            "part",
            sa.Integer(),
            nullable=True,
            comment="Number among the pages of one article; 0: all on one page, or AMP",
        ),
    )
    is_part = sa.text("part IS NOT NULL")
    op.create_index(
        "ix_extractions_part",
        "extractions",
        ["part"],
        sqlite_where=is_part,
        postgresql_where=is_part,
    )


def downgrade() -> None:
    op.drop_index("ix_extractions_part", "extractions")
    op.drop_column("extractions", "part")

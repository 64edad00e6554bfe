"""Every member of a story as a candidate for its origin: rank, points and evidence.

Revision: 0005
Follows: 0004

Stories of the former version have none until they are settled again, by the next run or by
`aidivide copies rebuild`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aidivide_archive.archive.storage.types import JsonValue, Real

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind, comment in (
        (
            "origin_rank",
            sa.Integer(),
            "Place among the candidates for the origin, 1 the likeliest; null: alone in its story",
        ),
        ("origin_points", Real, "Sum of the evidence for it as the origin"),
        ("origin_reasons", JsonValue(), "That evidence in words"),
    ):
        op.add_column("story_members", sa.Column(name, kind, nullable=True, comment=comment))


def downgrade() -> None:
    for name in ("origin_reasons", "origin_points", "origin_rank"):
        op.drop_column("story_members", name)

"""Evidence of matches and stories as objects; the views make its sentences.

Revision: 0007
Follows: 0006

Rows of the former version hold sentences, which are shown as they are until they are settled again, by the next run or
by `aidivide copies rebuild`.
"""

from __future__ import annotations

from alembic import op

from aidivide_archive.archive.storage.types import JsonValue

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OBJECTS = "objects with kind, numbers and names"
_COMMENTS = (
    ("matches", "reasons", "Evidence in words", f"Evidence: {_OBJECTS}"),
    (
        "story_members",
        "reasons",
        "Evidence in words, the strongest first",
        f"Evidence, the strongest first: {_OBJECTS}",
    ),
    ("story_members", "origin_reasons", "That evidence in words", "That evidence, likewise"),
)
"""Table, column, comment before and after."""


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":  # SQLite keeps no comments
        for table, column, _, comment in _COMMENTS:
            op.alter_column(table, column, comment=comment, existing_type=JsonValue())


def downgrade() -> None:
    """The views stay: they show sentences as they are."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column, comment, _ in _COMMENTS:
            op.alter_column(table, column, comment=comment, existing_type=JsonValue())

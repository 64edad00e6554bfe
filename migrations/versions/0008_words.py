"""One rule for what a word is: lengths are counted again, and the full-text index is cut again.

Revision: 0008
Follows: 0007

Korean is counted in words and every script without spaces in characters; before, Korean was counted in syllables, and
Lao, Khmer and Burmese in pieces between vowel signs. The index now finds parts of a run in those three scripts, and
words with soft hyphens in them. A text that is not stored keeps its length: it cannot be counted again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aidivide_archive.archive.documents import full_text
from aidivide_archive.words import word_count

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BATCH = 500
_TEXTS = sa.text(
    "SELECT id, text, word_count FROM extractions WHERE id > :last AND text <> '' ORDER BY id LIMIT :batch"
)
_COUNT = sa.text("UPDATE extractions SET word_count = :count WHERE id = :id")
_ARTICLES = (
    "UPDATE articles SET word_count = (SELECT extractions.word_count FROM extractions "
    "WHERE extractions.id = articles.extraction_id)"
)


def upgrade() -> None:
    connection = op.get_bind()
    _count_again(connection)
    if connection.dialect.name == "sqlite":
        op.execute("INSERT INTO full_text (full_text) VALUES ('delete-all')")
        full_text.rebuild(connection)
    else:
        op.execute("DELETE FROM full_text")
        op.execute("DROP INDEX ix_full_text_words")  # an index is built faster at once
        full_text.rebuild(connection)
        op.execute("CREATE INDEX ix_full_text_words ON full_text USING gin (words)")


def downgrade() -> None:
    """Lengths and index stay: the former program reads them, and counts new texts by its own rule."""


def _count_again(connection: sa.Connection) -> None:
    last = -1
    while rows := connection.execute(_TEXTS, {"last": last, "batch": _BATCH}).all():
        counted = [{"id": row.id, "count": word_count(row.text)} for row in rows]
        changed = [
            values
            for values, row in zip(counted, rows, strict=True)
            if values["count"] != row.word_count
        ]
        if changed:
            connection.execute(_COUNT, changed)
        last = rows[-1].id
    op.execute(_ARTICLES)

"""What asking the archive needs: hosts and outlets that SQL can join, one full-text index for both engines, views.

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

from aidivide_archive.archive.documents import full_text, outlets

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_POSTGRESQL_FULL_TEXT = (
    "CREATE TABLE full_text (article_id BIGINT NOT NULL, words TSVECTOR NOT NULL, "
    "CONSTRAINT pk_full_text PRIMARY KEY (article_id), "
    "CONSTRAINT fk_full_text_article_id_articles FOREIGN KEY (article_id) REFERENCES articles (id))"
)


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column(
        "articles",
        sa.Column(
            "host",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="Host name, with the port when it is not the scheme's default",
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
    op.drop_table("full_text")
    if connection.dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE full_text USING fts5(title, text, content='', tokenize='ascii')"
        )
    else:
        op.execute(_POSTGRESQL_FULL_TEXT)
        op.execute("ALTER TABLE full_text ALTER COLUMN words SET STORAGE EXTERNAL")
    full_text.rebuild(connection)
    if connection.dialect.name != "sqlite":  # an index is built faster at once
        op.execute("CREATE INDEX ix_full_text_words ON full_text USING gin (words)")


def downgrade() -> None:
    _old_full_text()
    op.drop_table("outlets")
    op.drop_index("ix_articles_host", table_name="articles")
    op.execute("ALTER TABLE articles DROP COLUMN host")  # in place: others point to the table


def _old_full_text() -> None:
    """The index as the first schema had it: a blank round each Chinese character."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    op.drop_table("full_text")
    if is_sqlite:
        op.execute(
            "CREATE VIRTUAL TABLE full_text USING fts5(title, text, content='', tokenize='unicode61 remove_diacritics 2')"
        )
        insert = "INSERT INTO full_text (rowid, title, text) VALUES (:id, :title, :text)"
    else:
        op.execute(_POSTGRESQL_FULL_TEXT)
        insert = (
            "INSERT INTO full_text (article_id, words) VALUES (:id, "
            "setweight(to_tsvector('simple', :title), 'A') || to_tsvector('simple', :text))"
        )
    shown = sa.text(
        "SELECT articles.id, extractions.title, extractions.text FROM articles "
        "JOIN extractions ON extractions.id = articles.extraction_id ORDER BY articles.id"
    )
    for row in connection.execute(shown).all():
        words = {"title": _spaced(row.title or "")[:200_000], "text": _spaced(row.text)[:200_000]}
        connection.execute(sa.text(insert), {"id": row.id, **words})
    if not is_sqlite:
        op.execute("CREATE INDEX ix_full_text_words ON full_text USING gin (words)")


def _spaced(text: str) -> str:
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text))
    return re.sub(
        "([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])",
        r" \1 ",
        unicodedata.normalize("NFC", plain),
    )

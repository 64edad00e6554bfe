"""The full-text index: what is indexed, on each engine.

A space is put round every CJK character, so that the engines' word tokenisers index single characters and any Chinese
word is found as a phrase of them (people.md §4: trigram indexes miss two-character words and lose accent folding).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa

from aidivide_archive.schema import FULL_TEXT_TABLE, articles, extractions

# Han, kana, Hangul syllables, Thai: scripts written without spaces, or searched by part of a word.
CJK = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_CJK_CHARACTER = re.compile(f"([{CJK}])")
# The general accents only: the marks of Indic and Arabic scripts make other words.
_ACCENT = re.compile("[\u0300-\u036f]")
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’.-][^\W_{CJK}]+)*")

# PostgreSQL refuses a tsvector over 1 MiB; no article comes near it, a hostile page may.
_POSTGRESQL_LIMIT = 200_000


def spaced(text: str) -> str:
    """Text as it is indexed and asked for: accents folded, CJK characters apart; the same for both engines."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))
    return " ".join(_CJK_CHARACTER.split(plain))  # a group: the characters are among the parts


def word_count(text: str) -> int:
    """Words; in scripts without spaces, characters."""
    return len(_WORD.findall(text))


def indexed(connection: sa.Connection, article_id: int) -> tuple[str, str] | None:
    """Title and text that the index holds for an article now; None when it holds none."""
    row = connection.execute(
        sa.select(extractions.c.title, extractions.c.text)
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .where(articles.c.id == article_id)
    ).first()
    return None if row is None else (row.title or "", row.text)


def replace(
    connection: sa.Connection,
    article_id: int,
    old: tuple[str, str] | None,
    new: tuple[str, str] | None,
) -> None:
    """Index `new` in place of `old` (title, text); None removes, or says that nothing was indexed."""
    if connection.dialect.name == "sqlite":
        _replace_sqlite(connection, article_id, old, new)
    else:
        _replace_postgresql(connection, article_id, new)


def insert_many(connection: sa.Connection, entries: Sequence[tuple[int, str, str]]) -> None:
    """Index articles (id, title, text) that the index does not hold yet."""
    rows = [(number, spaced(title), spaced(text)) for number, title, text in entries]
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"INSERT INTO {FULL_TEXT_TABLE} (rowid, title, text) VALUES (?, ?, ?)",  # noqa: S608  # a constant name
            rows,
        )
        return
    statement = (
        f"INSERT INTO {FULL_TEXT_TABLE} (article_id, words) VALUES (:id, "  # noqa: S608  # a constant name
        "setweight(to_tsvector('simple', :title), 'A') || to_tsvector('simple', :text))"
    )
    connection.execute(
        sa.text(statement),
        [
            {"id": number, "title": title, "text": text[:_POSTGRESQL_LIMIT]}
            for number, title, text in rows
        ],
    )


def _replace_sqlite(
    connection: sa.Connection,
    article_id: int,
    old: tuple[str, str] | None,
    new: tuple[str, str] | None,
) -> None:
    if old is not None:  # a contentless index forgets a row only when told what it held
        connection.exec_driver_sql(
            f"INSERT INTO {FULL_TEXT_TABLE} ({FULL_TEXT_TABLE}, rowid, title, text) VALUES ('delete', ?, ?, ?)",  # noqa: S608  # a constant name
            (article_id, spaced(old[0]), spaced(old[1])),
        )
    if new is not None:
        connection.exec_driver_sql(
            f"INSERT INTO {FULL_TEXT_TABLE} (rowid, title, text) VALUES (?, ?, ?)",  # noqa: S608  # a constant name
            (article_id, spaced(new[0]), spaced(new[1])),
        )


def _replace_postgresql(
    connection: sa.Connection, article_id: int, new: tuple[str, str] | None
) -> None:
    if new is None:
        statement = f"DELETE FROM {FULL_TEXT_TABLE} WHERE article_id = :id"  # noqa: S608  # a constant name
        connection.execute(sa.text(statement), {"id": article_id})
        return
    statement = (
        f"INSERT INTO {FULL_TEXT_TABLE} (article_id, words) VALUES (:id, "  # noqa: S608  # a constant name
        "setweight(to_tsvector('simple', :title), 'A') || to_tsvector('simple', :text)) "
        "ON CONFLICT (article_id) DO UPDATE SET words = excluded.words"
    )
    connection.execute(
        sa.text(statement),
        {"id": article_id, "title": spaced(new[0]), "text": spaced(new[1])[:_POSTGRESQL_LIMIT]},
    )

"""The full-text index: the words of a text, cut by this module for both engines, so that both find the same.

A word is a run of letters, digits and marks, folded: no case, no accents, one form of a character (NFKC). In scripts
without spaces, and in Korean (`words.BY_CHARACTER`), what is looked for may be a part of what stands between blanks.
There every character is a place, and what is indexed at a place is the character with the one after it: a word of two
characters is one look-up, a longer one a phrase, a single character a prefix; so a word of any length is found. The
engines get finished words and cut nothing themselves.

Changing what is indexed needs a migration that calls `rebuild`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import sqlalchemy as sa

from aidivide_archive.archive.schema import articles, extractions
from aidivide_archive.words import BY_CHARACTER, is_by_character, one_of

FULL_TEXT_TABLE = "full_text"
"""One row an article: words of title and text as this module cuts them (docs/search.md)."""

_JOINERS = frozenset((0xAD, 0x200D, 0x2060, 0xFEFF))
"""Soft hyphen, zero-width joiner, word joiner and byte order mark are no part of a word and end none. The zero-width
non-joiner does: behind it Persian writes the endings of a word that is looked for without them."""
# The general accents only: the marks of Indic and Arabic scripts make other words.
_ACCENT = re.compile("[\u0300-\u036f]")

# What PostgreSQL can hold of one text, kept on SQLite as well, so that both find the same: positions end at 16,383,
# a word has at most 255 of them in title and text, and all words together stay under 1 MiB.
MAX_TITLE_WORDS = 100
MAX_TEXT_WORDS = 16_000
MAX_PLACES = 155
MAX_WORD_CHARS = 60
_MAX_CHARS = 160_000
_TEXT_STARTS_AT = MAX_TITLE_WORDS + 3
"""Position of the first word of the text: no phrase reaches into it from the title."""
_HOLE = "\u00b7"
"""Stands in the SQLite index where a word has too many places; no query can ask for it."""
_BATCH = 500
_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_MOSTLY_ASCII = 1.1
"""Bytes a character in UTF-8."""


class _Folding(dict[int, str]):
    """Code point → what is indexed of it; computed when first met."""

    def __missing__(self, code: int) -> str:
        if code in _JOINERS:
            self[code] = ""
            return ""
        plain = _ACCENT.sub("", unicodedata.normalize("NFKD", chr(code))).casefold()
        folded = "".join(
            f" {character} "
            if is_by_character(character)
            else character
            if _is_word(character)
            else " "
            for character in unicodedata.normalize("NFC", plain)
        )
        self[code] = folded
        return folded


def _is_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


FOLDING = _Folding()


def single_words(text: str) -> list[str]:
    """Folded words in order; in scripts without spaces, single characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        if len(text.encode("utf-8", "replace")) < _MOSTLY_ASCII * len(text):
            # accents and typographic marks fold to ASCII, which `translate` has a fast way for
            plain = _BEYOND_ASCII.sub(lambda found: found[0].translate(FOLDING), text)
            text = plain if plain.isascii() else text
    words = text.translate(FOLDING).split()
    if max(map(len, words), default=0) > MAX_WORD_CHARS:
        return [word[:MAX_WORD_CHARS] for word in words]
    return words


def indexed_words(text: str, limit: int = MAX_TEXT_WORDS) -> list[str]:
    """What stands in the index for a text, a word a place."""
    words = single_words(text[:_MAX_CHARS])[:limit]
    if text.isascii() or " ".join(words).isascii():
        return words
    single = list(map(one_of(BY_CHARACTER).match, words))
    return [
        word + after if is_single and is_next_single else word
        for (word, after), (is_single, is_next_single) in zip(
            pairwise([*words, ""]), pairwise([*single, None]), strict=True
        )
    ]


def indexed(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Title and text that the index holds of articles now, by id; those that it does not hold are left out."""
    if not ids:
        return {}
    rows = connection.execute(
        sa.select(articles.c.id, extractions.c.title, extractions.c.text)
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .where(articles.c.id.in_(ids))
        .order_by(articles.c.id)
    )
    return {row.id: (row.title or "", row.text) for row in rows}


def write(
    connection: sa.Connection,
    entries: Sequence[tuple[int, str, str]] = (),
    *,
    gone: Mapping[int, tuple[str, str]] = MappingProxyType({}),
) -> None:
    """Index articles (id, title, text) in place of what the index held of them, or of others, until now.

    `gone`: title and text by id, as `indexed` gave them before the rows changed.
    """
    if connection.dialect.name == "sqlite":
        _write_sqlite(connection, entries, gone)
    else:
        _write_postgresql(connection, entries, gone)


def _write_sqlite(
    connection: sa.Connection,
    entries: Sequence[tuple[int, str, str]],
    gone: Mapping[int, tuple[str, str]],
) -> None:
    if gone:  # a contentless index forgets a row only when told what it held
        connection.exec_driver_sql(
            f"INSERT INTO {FULL_TEXT_TABLE} ({FULL_TEXT_TABLE}, rowid, title, text) VALUES ('delete', ?, ?, ?)",  # noqa: S608  # a constant name
            [(number, *_lines(*old)) for number, old in gone.items()],
        )
    if entries:
        connection.exec_driver_sql(
            f"INSERT INTO {FULL_TEXT_TABLE} (rowid, title, text) VALUES (?, ?, ?)",  # noqa: S608  # a constant name
            [(number, *_lines(title, text)) for number, title, text in entries],
        )


def _write_postgresql(
    connection: sa.Connection,
    entries: Sequence[tuple[int, str, str]],
    gone: Mapping[int, tuple[str, str]],
) -> None:
    if gone:
        connection.execute(
            sa.text(f"DELETE FROM {FULL_TEXT_TABLE} WHERE article_id = :id"),  # noqa: S608  # a constant name
            [{"id": number} for number in gone],
        )
    if entries:
        statement = (
            f"INSERT INTO {FULL_TEXT_TABLE} (article_id, words) "  # noqa: S608  # a constant name
            "VALUES (:id, CAST(:words AS tsvector))"
        )
        connection.execute(
            sa.text(statement),
            [{"id": number, "words": _vector(title, text)} for number, title, text in entries],
        )


def indexed_ids(connection: sa.Connection) -> sa.Select[tuple[int]]:
    """The ids of the articles that the index holds."""
    name = "rowid" if connection.dialect.name == "sqlite" else "article_id"
    return sa.select(sa.table(FULL_TEXT_TABLE, sa.column(name, sa.BigInteger())).c[name])


def forget_deleted(connection: sa.Connection) -> None:
    """On SQLite, deleted words stay in the segments of the index until these are merged; PostgreSQL has none."""
    if connection.dialect.name == "sqlite":
        statement = f"INSERT INTO {FULL_TEXT_TABLE} ({FULL_TEXT_TABLE}) VALUES ('optimize')"  # noqa: S608  # a constant name
        connection.exec_driver_sql(statement)


def rebuild(connection: sa.Connection) -> None:
    """Fill an empty index with every article; for migrations."""
    statement = (
        sa.select(articles.c.id, extractions.c.title, extractions.c.text)
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .order_by(articles.c.id)
        .limit(_BATCH)
    )
    last = -1
    while rows := connection.execute(statement.where(articles.c.id > last)).all():
        write(connection, [(row.id, row.title or "", row.text) for row in rows])
        last = rows[-1].id


def _lines(title: str, text: str) -> tuple[str, str]:
    """Title and text for FTS5, whose `ascii` tokeniser cuts them at the blanks and nowhere else."""
    return (
        " ".join(indexed_words(title, MAX_TITLE_WORDS)),
        " ".join(_thinned(indexed_words(text))),
    )


def _thinned(words: list[str]) -> list[str]:
    places = Counter(words)
    common = {word: MAX_PLACES for word, count in places.items() if count > MAX_PLACES}
    if not common:
        return words
    thinned = []
    for word in words:
        left = common.get(word)
        if left is not None:
            common[word] = left - 1
        thinned.append(_HOLE if left is not None and left <= 0 else word)
    return thinned


def _vector(title: str, text: str) -> str:
    """A tsvector as text: words hold letters, digits and marks only, so that none needs escaping."""
    places_of: dict[str, list[str]] = {}
    for place, word in enumerate(indexed_words(title, MAX_TITLE_WORDS), 1):
        places_of.setdefault(word, []).append(f"{place}A")
    for place, word in enumerate(_thinned(indexed_words(text)), _TEXT_STARTS_AT):
        if word != _HOLE:
            places_of.setdefault(word, []).append(str(place))
    return " ".join(f"'{word}':{','.join(places)}" for word, places in places_of.items())

"""Full-text search, first form: every word and every "quoted phrase" must occur.

A person's words are never query syntax: each becomes a quoted phrase of the engine, so nothing can be a syntax error.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive import full_text
from aidivide_archive.archive.queries.filters import Condition, Filters, conditions
from aidivide_archive.archive.queries.rows import Outlets, Row, instant, iso
from aidivide_archive.schema import (
    FULL_TEXT_TABLE,
    articles,
    extractions,
    story_members,
    urls,
)
from aidivide_archive.urls import article_id, story_id

MAX_QUERY_CHARS = 1_000
MAX_TERMS = 32
SNIPPET_CHARS = 160
_TERM = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]")
# U+0000 is refused by PostgreSQL, lone surrogates by both drivers.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def terms_of(text: str) -> tuple[str, ...]:
    """Words and quoted phrases of a query, in order; what holds no letter or digit is left out."""
    clean = _UNSTORABLE.sub(" ", text.translate(_QUOTES)[:MAX_QUERY_CHARS])
    found = (match[1] if match[1] is not None else match[2] for match in _TERM.finditer(clean))
    return tuple(term.strip() for term in found if _WORD.search(term))[:MAX_TERMS]


_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "「": '"', "」": '"'})


def search(
    connection: sa.Connection,
    text: str,
    *,
    limit: int,
    site: str | None = None,
    language: str | None = None,
) -> list[Row]:
    """The best articles: `id, url, title, site, outlet, …, snippet`; the order is rank, then id."""
    terms = terms_of(text)
    if not terms:
        return []
    ranked = _sqlite(terms) if connection.dialect.name == "sqlite" else _postgresql(terms)
    statement = (
        sa.select(
            articles,
            urls.c.host,
            extractions.c.text,
            story_members.c.story_id,
            story_members.c.role,
        )
        .select_from(ranked)
        .join(articles, articles.c.id == ranked.c.id)
        .join(urls, urls.c.id == articles.c.id)
        .join(extractions, extractions.c.id == articles.c.extraction_id)
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
        .order_by(ranked.c.rank, articles.c.id)
        .limit(limit)
    )
    if site is not None:
        statement = statement.where(articles.c.site == site.lower())
    if language is not None:
        statement = statement.where(articles.c.language == language.lower())
    outlets = Outlets(connection)
    return [_hit(row, terms, outlets) for row in connection.execute(statement)]


def matching(
    connection: sa.Connection, text: str | None, filters: Filters | None
) -> tuple[Condition, ...]:
    """What a row of `articles` must meet to be found: conditions that any statement over it can take."""
    found = conditions(connection, filters or Filters())
    terms = terms_of(text or "")
    if not terms:
        return found
    ranked = _sqlite(terms) if connection.dialect.name == "sqlite" else _postgresql(terms)
    return (*found, articles.c.id.in_(sa.select(ranked.c.id)))


def _sqlite(terms: tuple[str, ...]) -> sa.Subquery:
    """FTS5; smaller rank is better, and the title weighs four times the text."""
    quoted = " ".join('"{}"'.format(full_text.spaced(term).replace('"', " ")) for term in terms)
    return (
        sa.text(
            f"SELECT rowid AS id, bm25({FULL_TEXT_TABLE}, 4.0, 1.0) AS rank "  # noqa: S608  # a constant name
            f"FROM {FULL_TEXT_TABLE} WHERE {FULL_TEXT_TABLE} MATCH :words"
        )
        .bindparams(words=quoted)
        .columns(id=sa.BigInteger(), rank=sa.Double())
        .subquery("ranked")
    )


def _postgresql(terms: tuple[str, ...]) -> sa.Subquery:
    words: sa.ColumnElement[Any] = sa.literal_column(f"{FULL_TEXT_TABLE}.words")
    parts = [sa.func.phraseto_tsquery("simple", full_text.spaced(term)) for term in terms]
    query: Any = parts[0]
    for part in parts[1:]:
        query = query.op("&&")(part)
    number = sa.literal_column(f"{FULL_TEXT_TABLE}.article_id", sa.BigInteger())
    return (
        sa.select(number.label("id"), (-sa.func.ts_rank_cd(words, query)).label("rank"))
        .select_from(sa.text(FULL_TEXT_TABLE))
        .where(words.op("@@")(query))
        .subquery("ranked")
    )


def _hit(row: sa.Row[Any], terms: tuple[str, ...], outlets: Outlets) -> Row:
    return {
        "id": article_id(row.id),
        "url": row.url,
        "title": row.title,
        "site": row.site,
        "outlet": outlets.of(None, row.host)[0],
        "language": row.language,
        "published_at": instant(row.published_from, row.published_to),
        "published_from": iso(row.published_from),
        "published_to": iso(row.published_to),
        "story_id": None if row.story_id is None else story_id(row.story_id),
        "role": row.role,
        "snippet": snippet(row.text, terms),
    }


def snippet(text: str, terms: tuple[str, ...]) -> str:
    """One line of the text round the first term that stands in it literally; its beginning otherwise."""
    places = [
        match.start()
        for term in terms
        if (match := re.search(r"\s+".join(map(re.escape, term.split())), text, re.IGNORECASE))
    ]
    middle = min(places, default=0)
    start = max(0, middle - SNIPPET_CHARS // 4)
    end = start + SNIPPET_CHARS
    words = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{words}{'…' if end < len(text) else ''}"

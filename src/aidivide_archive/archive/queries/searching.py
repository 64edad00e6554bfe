"""Search: articles by words and filters, counted, ordered, page by page.

The cost of any query is bounded. It looks at no more than `CAP` hits, the first by id, which are in effect a random
sample; these are counted, faceted and ordered here, and rows with texts are read only for the page that is shown.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

import sqlalchemy as sa

from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.queries import query_language
from aidivide_archive.archive.queries.filters import Condition, Filters, conditions
from aidivide_archive.archive.queries.query_language import Node
from aidivide_archive.archive.queries.rows import Row
from aidivide_archive.archive.queries.snippets import snippet
from aidivide_archive.archive.schema import articles, extractions, outlets, story_members
from aidivide_archive.archive.storage.moments import instant, iso
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.model import Role
from aidivide_archive.urls import article_id, story_id

CAP = 10_000
"""Hits that are counted, ranked and paged; of more, the total says "10,000+"."""
FACET_VALUES = 20
"""Values of a facet, the most frequent; days and months are all there."""
TITLE_WEIGHT = 4.0
"""How much more a word of the title counts than one of the text."""


class Order(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


class Facet(StrEnum):
    OUTLET = "outlet"
    COUNTRY = "country"
    LANGUAGE = "language"
    DAY = "day"
    MONTH = "month"
    ROLE = "role"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One question."""

    query: str | None = None
    """In the query language; None: filters alone."""
    filters: Filters = field(default_factory=Filters)
    order: Order | None = None
    """None: relevance when words are asked for, else newest."""
    limit: int = 20
    after: str | None = None
    """`next` of the page before."""
    unique: bool = False
    """One article a story: the origin when it is a hit, else the earliest."""
    facets: tuple[Facet, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of an answer."""

    hits: tuple[Row, ...]
    """`id, url, title, site, outlet, country, language, published_at … snippet, snippet_marks`."""
    total: int
    """Hits, or stories with `unique`; at most `CAP`."""
    is_capped: bool
    """Whether there are more than `total`."""
    facets: dict[str, tuple[tuple[str | None, int], ...]]
    """Value and count, of the `total`; None is unknown."""
    next: str | None
    """Key of the next page; None on the last."""


Key: TypeAlias = tuple[float | str, int]
"""Where a hit stands: ascending."""


def matching(
    connection: sa.Connection, text: str | None, filters: Filters | None
) -> tuple[Condition, ...]:
    """What a row of `articles` must meet to be found: conditions that any statement over it can take."""
    found = conditions(connection, filters or Filters())
    if text is None:
        return found
    node = query_language.parse(text)
    number, matched, _ = _full_text(connection, node)
    return (*found, articles.c.id.in_(sa.select(number).where(matched)))


def search(connection: sa.Connection, asked: Search) -> Found:
    """Raises ConfigError for a query, a filter or a key that cannot be read."""
    node = None if asked.query is None else query_language.parse(asked.query)
    order = asked.order or (Order.NEWEST if node is None else Order.RELEVANCE)
    if order is Order.RELEVANCE and node is None:
        raise ConfigError("without words there is no relevance to order by: use newest or oldest")
    start = None if asked.after is None else _read_key(asked.after, order)
    rows = connection.execute(_candidates(connection, node, asked, order)).all()
    is_capped = len(rows) > CAP
    rows = rows[:CAP]
    if asked.unique:
        rows = _one_a_story(rows)
    keyed = sorted(((_key(row, order), row) for row in rows), key=lambda one: one[0])
    rest = [one for one in keyed if start is None or one[0] > start]
    page = rest[: asked.limit]
    last = page[-1][0] if len(rest) > len(page) else None
    return Found(
        hits=_hits(connection, [row.id for _, row in page], node),
        total=len(rows),
        is_capped=is_capped,
        facets=_facets(connection, rows, asked.facets),
        next=None if last is None else _written_key(last, order),
    )


# --- candidates ----------------------------------------------------------------------------------


def _full_text(
    connection: sa.Connection, node: Node
) -> tuple[sa.ColumnElement[int], Condition, sa.ColumnElement[float]]:
    """Id, condition and rank (smaller is better) in the full-text table."""
    if connection.dialect.name == "sqlite":
        table = sa.table(FULL_TEXT_TABLE, sa.column("rowid", sa.BigInteger()))
        name: sa.ColumnElement[str] = sa.literal_column(FULL_TEXT_TABLE)
        matched = name.op("MATCH")(sa.literal(query_language.fts5(node)))
        bm25: sa.ColumnElement[float] = sa.func.bm25(
            name, sa.literal(TITLE_WEIGHT), sa.literal(1.0), type_=sa.Double()
        )
        return table.c.rowid, matched, bm25
    table = sa.table(
        FULL_TEXT_TABLE, sa.column("article_id", sa.BigInteger()), sa.column("words", sa.Text())
    )
    query = sa.cast(sa.literal(query_language.tsquery(node)), sa.dialects.postgresql.TSQUERY)
    weights: sa.ColumnElement[Any] = sa.literal_column(f"'{{{1 / TITLE_WEIGHT}, 0, 0, 1}}'::real[]")
    # 1: divided by the logarithm of the length
    rank: sa.ColumnElement[float] = sa.func.ts_rank(
        weights, table.c.words, query, 1, type_=sa.Double()
    )
    return table.c.article_id, table.c.words.op("@@")(query), -rank


def _candidates(
    connection: sa.Connection, node: Node | None, asked: Search, order: Order
) -> sa.Select[Any]:
    """One row more than `CAP` at most, with what ordering and counting need and nothing else."""
    columns: list[sa.ColumnElement[Any]] = [articles.c.id]
    source: sa.FromClause = articles
    wanted = list(conditions(connection, asked.filters))
    if node is not None:
        number, matched, rank = _full_text(connection, node)
        source = number.table.join(articles, articles.c.id == number)
        wanted.append(matched)
        if order is Order.RELEVANCE:
            columns.append(rank.label("rank"))
    if asked.facets or asked.unique or order is not Order.RELEVANCE:
        columns += [articles.c.published_from, articles.c.published_to]
    if asked.facets:
        columns += [articles.c.host, articles.c.language, articles.c.published_day]
    if asked.unique or Facet.ROLE in asked.facets:
        columns += [story_members.c.story_id, story_members.c.role]
        source = source.outerjoin(story_members, story_members.c.article_id == articles.c.id)
    published = articles.c.published_from
    by: dict[Order, tuple[sa.ColumnElement[Any], ...]] = {
        Order.RELEVANCE: (),
        Order.NEWEST: (published.desc().nulls_last(),),
        Order.OLDEST: (published.asc().nulls_last(),),
    }
    statement = sa.select(*columns).select_from(source).where(*wanted)
    return statement.order_by(*by[order], number if node is not None else articles.c.id).limit(
        CAP + 1
    )


def _one_a_story(rows: Sequence[sa.Row[Any]]) -> list[sa.Row[Any]]:
    best: dict[int, tuple[tuple[bool, datetime, int], sa.Row[Any]]] = {}
    never = datetime.max.replace(tzinfo=UTC)
    for row in rows:
        key = (row.role != Role.ORIGIN, row.published_from or never, row.id)
        story = row.id if row.story_id is None else row.story_id
        if story not in best or key < best[story][0]:
            best[story] = (key, row)
    return [row for _, row in best.values()]


# --- order and pages -----------------------------------------------------------------------------


def _key(row: sa.Row[Any], order: Order) -> Key:
    if order is Order.RELEVANCE:
        return float(row.rank), row.id
    if row.published_from is None:
        return float("inf"), row.id
    seconds = row.published_from.timestamp()
    return (seconds if order is Order.OLDEST else -seconds), row.id


def _written_key(key: Key, order: Order) -> str:
    text = json.dumps([order.value[0], repr(key[0]), key[1]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_key(text: str, order: Order) -> Key:
    try:
        found = json.loads(
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        )
        letter, value, number = found
        key = (float(value), int(number))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise ConfigError(
            f"{text[:60]!r} is no key of a page: take the one that the page before printed"
        ) from None
    if letter != order.value[0]:
        raise ConfigError(f"this key belongs to another order than {order.value}")
    return key


# --- facets --------------------------------------------------------------------------------------


def _facets(
    connection: sa.Connection, rows: Iterable[sa.Row[Any]], wanted: Sequence[Facet]
) -> dict[str, tuple[tuple[str | None, int], ...]]:
    if not wanted:
        return {}
    rows = list(rows)
    named = {row.host: row for row in connection.execute(sa.select(outlets))}
    values: dict[Facet, Callable[[sa.Row[Any]], str | None]] = {
        Facet.OUTLET: lambda row: _named(named, row.host, "name"),
        Facet.COUNTRY: lambda row: _named(named, row.host, "country"),
        Facet.LANGUAGE: lambda row: row.language,
        Facet.DAY: lambda row: row.published_day,
        Facet.MONTH: lambda row: row.published_day and row.published_day[:7],
        Facet.ROLE: lambda row: row.role,
    }
    return {
        facet.value: _counted(Counter(map(values[facet], rows)), facet)
        for facet in dict.fromkeys(wanted)
    }


def _named(named: dict[str, sa.Row[Any]], host: str, column: str) -> str | None:
    row = named.get(host)
    return None if row is None else getattr(row, column)


def _counted(counts: Counter[str | None], facet: Facet) -> tuple[tuple[str | None, int], ...]:
    if facet in (Facet.DAY, Facet.MONTH):
        return tuple(sorted(counts.items(), key=lambda one: (one[0] is None, one[0] or "")))
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0] is None, one[0] or ""))
    return tuple(ordered[:FACET_VALUES])


# --- the page ------------------------------------------------------------------------------------


def _hits(connection: sa.Connection, ids: Sequence[int], node: Node | None) -> tuple[Row, ...]:
    """The rows of a page, in the order of the ids."""
    statement = (
        sa.select(
            articles,
            extractions.c.text,
            outlets.c.name.label("outlet"),
            outlets.c.country,
            story_members.c.story_id,
            story_members.c.role,
        )
        .select_from(articles)
        .join(extractions, extractions.c.id == articles.c.extraction_id)
        .outerjoin(outlets, outlets.c.host == articles.c.host)
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
        .where(articles.c.id.in_(ids))
    )
    rows = {row.id: row for row in connection.execute(statement)}
    asked = [] if node is None else list(query_language.phrases(node))
    return tuple(_hit(rows[number], asked) for number in ids)


def _hit(row: sa.Row[Any], asked: Sequence[query_language.Phrase]) -> Row:
    shown, marks = snippet(row.text, asked)
    return {
        "id": article_id(row.id),
        "url": row.url,
        "title": row.title,
        "site": row.site,
        "outlet": row.outlet,
        "country": row.country,
        "language": row.language,
        "published_at": instant(row.published_from, row.published_to),
        "published_from": iso(row.published_from),
        "published_to": iso(row.published_to),
        "story_id": None if row.story_id is None else story_id(row.story_id),
        "role": row.role,
        "snippet": shown,
        "snippet_marks": [list(mark) for mark in marks],
        "published_day": row.published_day,
    }

"""The four exported sets as streams of rows: articles, matches, stories, ledger.

Every order is written in SQL that both engines sort alike (integers, UTC times, text by code point), so two exports
of one archive are the same bytes, whichever engine holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.queries.rows import (
    ARTICLE_FIELDS,
    LEDGER_FIELDS,
    MATCH_FIELDS,
    STORY_FIELDS,
    Outlets,
    Row,
    instant,
    iso,
    iso_again,
    picked,
)
from aidivide_archive.model import Relation, RelevanceDecision
from aidivide_archive.schema import (
    articles,
    captures,
    claims,
    extractions,
    matches,
    relevance,
    stories,
    story_members,
    urls,
    warc_files,
)
from aidivide_archive.urls import article_id, story_id

_BATCH = 200
"""Rows fetched at a time; an article's text is a few KB, at most some MB."""


def stream(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
    """Rows in constant memory: a server-side cursor on PostgreSQL, the cursor itself on SQLite."""
    return iter(connection.execute(statement, execution_options={"yield_per": _BATCH}))


def by_code_point(
    connection: sa.Connection, column: sa.ColumnElement[str]
) -> sa.ColumnElement[str]:
    """Text in the order of its bytes: PostgreSQL would sort by the database's locale."""
    name = "C" if connection.dialect.name == "postgresql" else "BINARY"
    return sa.collate(column, name)


def in_time(*more: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    """The order of articles: earliest possible publication, unknown last, then id."""
    return (articles.c.published_from.asc().nulls_last(), *more, articles.c.id)


# --- articles ------------------------------------------------------------------------------------


def shown_event(connection: sa.Connection) -> sa.ColumnElement[str | None]:
    """The event an article is shown with: the smallest that did not reject it, else the smallest."""
    mine = relevance.alias()
    smallest = sa.select(sa.func.min(by_code_point(connection, mine.c.event_id))).where(
        mine.c.url_id == articles.c.id
    )
    kept = smallest.where(mine.c.decision != RelevanceDecision.REJECT.value)
    return sa.func.coalesce(kept.scalar_subquery(), smallest.scalar_subquery())


def article_statement(connection: sa.Connection, event_id: str | None) -> sa.Select[Any]:
    """One row an article; with an event, only those it kept. Outer joins keep `articles` the outermost loop."""
    modified_precision = (
        sa.select(sa.func.min(claims.c.precision))
        .where(
            claims.c.extraction_id == articles.c.extraction_id,
            claims.c.field == "modified",
            claims.c.chosen,
        )
        .scalar_subquery()
    )
    # two comparisons, not a CASE: the join stays a look-up in the primary key
    event = shown_event(connection) if event_id is None else sa.literal(event_id)
    statement = (
        sa.select(
            articles,
            urls.c.host,
            extractions.c.text,
            extractions.c.fields,
            modified_precision.label("modified_precision"),
            relevance.c.event_id,
            relevance.c.score,
            relevance.c.decision,
            story_members.c.story_id,
            story_members.c.role,
            captures.c.captured_at.label("shown_captured_at"),
            captures.c.warc_offset,
            warc_files.c.name.label("warc_file"),
        )
        .select_from(articles)
        .outerjoin(urls, urls.c.id == articles.c.id)
        .outerjoin(extractions, extractions.c.id == articles.c.extraction_id)
        .outerjoin(
            relevance,
            sa.and_(relevance.c.url_id == articles.c.id, relevance.c.event_id == event),
        )
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
        .outerjoin(captures, captures.c.id == extractions.c.capture_id)
        .outerjoin(warc_files, warc_files.c.id == captures.c.warc_file_id)
    )
    if event_id is not None:
        statement = statement.where(relevance.c.decision != RelevanceDecision.REJECT.value)
    return statement


def iter_articles(
    connection: sa.Connection,
    event_id: str | None,
    narrowed: Iterable[sa.ColumnElement[bool]] = (),
) -> Iterator[Row]:
    """Articles in the order of publication, as CONTRACT's article row; `narrowed`: conditions on `articles`."""
    outlets = Outlets(connection)
    statement = article_statement(connection, event_id).where(*narrowed).order_by(*in_time())
    for row in stream(connection, statement):
        yield article_row(row, outlets)


def article_row(row: sa.Row[Any], outlets: Outlets) -> Row:
    """CONTRACT's article row of a row of `article_statement`."""
    outlet, country = outlets.of(row.event_id, row.host)
    values = {
        **row.fields,
        "id": article_id(row.id),
        "url": row.url,
        "site": row.site,
        "outlet": outlet,
        "country": country,
        "title": row.title,
        "authors": list(row.fields.get("authors", ())),
        "published_at": instant(row.published_from, row.published_to),
        "published_from": iso(row.published_from),
        "published_to": iso(row.published_to),
        "published_source": row.published_source,
        "modified_at": (
            None if row.modified_precision == "day" else iso_again(row.fields.get("modified_at"))
        ),
        "language": row.language,
        "word_count": row.word_count,
        "text": row.text,
        "text_sha256": row.text_sha256,
        "relevance_score": row.score,
        "relevance_decision": row.decision,
        "story_id": None if row.story_id is None else story_id(row.story_id),
        "role": row.role,
        # of the bytes the text was read from, so that it is the date of the WARC record
        "captured_at": iso(row.shown_captured_at or row.captured_at),
        "warc_file": row.warc_file,
        "warc_offset": row.warc_offset,
        "event": row.event_id,
    }
    return picked(values, ARTICLE_FIELDS)


# --- matches, stories, ledger --------------------------------------------------------------------


def match_statement() -> sa.Select[Any]:
    left, right = articles.alias("a"), articles.alias("b")
    return (
        sa.select(matches, left.c.url.label("a_url"), right.c.url.label("b_url"))
        .select_from(matches)
        .join(left, left.c.id == matches.c.a_id)
        .join(right, right.c.id == matches.c.b_id)
        .order_by(matches.c.a_id, matches.c.b_id)
    )


def iter_matches(
    connection: sa.Connection,
    *,
    everything: bool,
    number: int | None = None,
    limit: int | None = None,
) -> Iterator[Row]:
    """Matches by the ids of their articles, of one article with its number.

    Template news only when everything is asked for.
    """
    statement = match_statement()
    if number is not None:
        statement = statement.where(sa.or_(matches.c.a_id == number, matches.c.b_id == number))
    if limit is not None:
        statement = statement.limit(limit)
    if not everything:
        statement = statement.where(matches.c.relation != Relation.TEMPLATE.value)
    for row in stream(connection, statement):
        yield match_row(row)


def match_row(row: sa.Row[Any]) -> Row:
    """CONTRACT's match row of a row of `match_statement`."""
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name
    values |= {"a_id": article_id(row.a_id), "b_id": article_id(row.b_id)}
    return picked(values, MATCH_FIELDS)


def iter_stories(connection: sa.Connection, *, everything: bool) -> Iterator[Row]:
    """One row a member: story by story, in a story by publication; stories of one only on request."""
    statement = (
        sa.select(
            story_members,
            articles.c.url,
            articles.c.published_from,
            articles.c.published_to,
        )
        .select_from(story_members)
        .join(articles, articles.c.id == story_members.c.article_id)
        .join(stories, stories.c.id == story_members.c.story_id)
        .order_by(story_members.c.story_id, *in_time())
    )
    if not everything:
        statement = statement.where(stories.c.size > 1)
    for row in stream(connection, statement):
        values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name
        values |= {
            "story_id": story_id(row.story_id),
            "article_id": article_id(row.article_id),
            "published_from": iso(row.published_from),
            "published_to": iso(row.published_to),
        }
        yield picked(values, STORY_FIELDS)


def iter_ledger(connection: sa.Connection) -> Iterator[Row]:
    """Every URL seen, its state and why, by URL."""
    columns = [urls.c[name] for name in LEDGER_FIELDS]
    statement = sa.select(*columns).order_by(by_code_point(connection, urls.c.url), urls.c.id)
    for row in stream(connection, statement):
        yield dict(zip(LEDGER_FIELDS, row, strict=True))

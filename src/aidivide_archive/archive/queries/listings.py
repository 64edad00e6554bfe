"""Matches, stories and the ledger as streams of rows; articles have a module of their own.

Every order is written in SQL that both engines sort alike (integers, UTC times, text by code point), so two exports
of one archive are the same bytes, whichever engine holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.queries.rows import (
    LEDGER_FIELDS,
    MATCH_FIELDS,
    STORY_FIELDS,
    Row,
    evidence_fields,
    picked,
)
from aidivide_archive.archive.schema import articles, matches, stories, story_members, urls
from aidivide_archive.archive.storage.dialects import by_code_point
from aidivide_archive.archive.storage.moments import iso
from aidivide_archive.model import Relation
from aidivide_archive.urls import article_id, story_id

_BATCH = 200
"""Rows fetched at a time; an article's text is a few KB, at most some MB."""


def stream(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
    """Rows in constant memory: a server-side cursor on PostgreSQL, the cursor itself on SQLite."""
    return iter(connection.execute(statement, execution_options={"yield_per": _BATCH}))


def in_time(*more: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    """The order of articles: earliest possible publication, unknown last, then id."""
    return (articles.c.published_from.asc().nulls_last(), *more, articles.c.id)


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

    What is no copy (`Relation.is_listed`) only when everything is asked for.
    """
    statement = match_statement()
    if number is not None:
        statement = statement.where(sa.or_(matches.c.a_id == number, matches.c.b_id == number))
    if limit is not None:
        statement = statement.limit(limit)
    if not everything:
        listed = [relation for relation in Relation if relation.is_listed]
        statement = statement.where(matches.c.relation.in_(listed))
    for row in stream(connection, statement):
        yield match_row(row)


def match_row(row: sa.Row[Any]) -> Row:
    """The match row of a row of `match_statement`."""
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name
    values |= {"a_id": article_id(row.a_id), "b_id": article_id(row.b_id)}
    values |= evidence_fields(row.reasons)
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
            **evidence_fields(row.reasons),
        }
        yield picked(values, STORY_FIELDS)


def iter_ledger(connection: sa.Connection) -> Iterator[Row]:
    """Every URL seen, its state and why, by URL."""
    columns = [urls.c[name] for name in LEDGER_FIELDS]
    statement = sa.select(*columns).order_by(by_code_point(connection, urls.c.url), urls.c.id)
    for row in stream(connection, statement):
        yield dict(zip(LEDGER_FIELDS, row, strict=True))

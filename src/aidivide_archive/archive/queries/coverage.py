"""What the report is made of: articles without their texts, whole stories, and the texts that differ.

Bounded, however large the archive is: lists take a limit and come with the number of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents.outlets import Outlets
from aidivide_archive.archive.queries.filters import Filters, conditions
from aidivide_archive.archive.queries.listings import in_time, stream
from aidivide_archive.archive.queries.rows import (
    COVERAGE_FIELDS,
    MEMBER_FIELDS,
    Row,
    evidence_fields,
    picked,
)
from aidivide_archive.archive.schema import (
    articles,
    captures,
    extractions,
    relevance,
    revisions,
    stories,
    story_members,
    urls,
    warc_files,
)
from aidivide_archive.archive.storage.dialects import by_code_point
from aidivide_archive.archive.storage.moments import instant, iso
from aidivide_archive.model import RelevanceDecision, Role
from aidivide_archive.urls import article_id, parse_id, story_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStory:
    """A story of two or more articles."""

    id: str
    size: int
    """Articles in the archive; `members` may be fewer."""
    members: tuple[Row, ...]
    """MEMBER_FIELDS, the origin first, then by publication, unknown last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedArticle:
    """An article that its publisher changed."""

    article: Row
    """COVERAGE_FIELDS."""
    revisions: tuple[Row, ...]
    """`number, seen_at, title, text`, the newest last."""


def iter_coverage(connection: sa.Connection, filters: Filters) -> Iterator[Row]:
    """Every article by publication with what a list shows of it (COVERAGE_FIELDS), in constant memory."""
    outlets = Outlets(connection)
    for row in stream(connection, _statement(connection, filters).order_by(*in_time())):
        yield _coverage_row(row, outlets)


def _statement(connection: sa.Connection, filters: Filters) -> sa.Select[Any]:
    """One row an article; with an event, only those it kept. Outer joins keep `articles` the outermost loop."""
    event = _shown_event(connection) if filters.event is None else sa.literal(filters.event)
    statement = (
        sa.select(
            articles,
            relevance.c.event_id,
            relevance.c.decision,
            story_members.c.story_id,
            story_members.c.role,
            stories.c.size,
            captures.c.captured_at.label("shown_captured_at"),
            captures.c.warc_offset,
            captures.c.payload_sha256,
            warc_files.c.name.label("warc_file"),
        )
        .select_from(articles)
        .outerjoin(extractions, extractions.c.id == articles.c.extraction_id)
        .outerjoin(
            relevance,
            sa.and_(relevance.c.url_id == articles.c.id, relevance.c.event_id == event),
        )
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
        .outerjoin(stories, stories.c.id == story_members.c.story_id)
        .outerjoin(captures, captures.c.id == extractions.c.capture_id)
        .outerjoin(warc_files, warc_files.c.id == captures.c.warc_file_id)
        .where(*conditions(connection, filters))
    )
    if filters.event is not None:
        statement = statement.where(relevance.c.decision != RelevanceDecision.REJECT.value)
    return statement


def _shown_event(connection: sa.Connection) -> sa.ColumnElement[str | None]:
    """The event an article is shown with: the smallest that did not reject it, else the smallest."""
    mine = relevance.alias()
    smallest = sa.select(sa.func.min(by_code_point(connection, mine.c.event_id))).where(
        mine.c.url_id == articles.c.id
    )
    kept = smallest.where(mine.c.decision != RelevanceDecision.REJECT.value)
    return sa.func.coalesce(kept.scalar_subquery(), smallest.scalar_subquery())


def _coverage_row(row: sa.Row[Any], outlets: Outlets) -> Row:
    outlet, country = outlets.of(row.event_id, row.host)
    values = dict(row._mapping) | {  # noqa: SLF001  # SQLAlchemy's public name
        "id": article_id(row.id),
        "outlet": outlet,
        "country": country,
        "published_at": instant(row.published_from, row.published_to),
        "published_from": iso(row.published_from),
        "published_to": iso(row.published_to),
        "story_id": None if row.story_id is None else story_id(row.story_id),
        "story_articles": row.size,
        "relevance_decision": row.decision,
        "captured_at": iso(row.shown_captured_at or row.captured_at),
        "event": row.event_id,
    }
    return picked(values, COVERAGE_FIELDS)


# --- stories -------------------------------------------------------------------------------------


def shared_stories(
    connection: sa.Connection, filters: Filters, *, limit: int, members: int
) -> tuple[int, tuple[SharedStory, ...]]:
    """How many stories of two or more there are, and the largest, each with at most so many members.

    With filters, those with an article that they choose. They are whole: an origin outside the choice is shown too.
    """
    shared = sa.select(stories.c.id).where(stories.c.size > 1)
    chosen = conditions(connection, filters)
    if chosen:
        inside = sa.select(story_members.c.story_id).join_from(
            story_members, articles, articles.c.id == story_members.c.article_id
        )
        shared = shared.where(stories.c.id.in_(inside.where(*chosen)))
    count = connection.scalar(sa.select(sa.func.count()).select_from(shared.subquery()))
    origin = articles.alias("origin")
    largest = (
        sa.select(stories)
        .join(origin, origin.c.id == stories.c.origin_id)
        .where(stories.c.id.in_(shared))
        .order_by(stories.c.size.desc(), origin.c.published_from.asc().nulls_last(), stories.c.id)
        .limit(limit)
    )
    outlets = Outlets(connection)
    found = [
        SharedStory(
            id=story_id(row.id),
            size=row.size,
            members=_members(connection, row.id, members, outlets),
        )
        for row in connection.execute(largest).all()
    ]
    return int(count or 0), tuple(found)


def _members(
    connection: sa.Connection, number: int, limit: int, outlets: Outlets
) -> tuple[Row, ...]:
    statement = (
        sa.select(story_members, articles, urls.c.host)
        .join_from(story_members, articles, articles.c.id == story_members.c.article_id)
        .join(urls, urls.c.id == articles.c.id)
        .where(story_members.c.story_id == number)
        .order_by(sa.case((story_members.c.role == Role.ORIGIN.value, 0), else_=1), *in_time())
        .limit(limit)
    )
    return tuple(_member_row(row, outlets) for row in connection.execute(statement))


def _member_row(row: sa.Row[Any], outlets: Outlets) -> Row:
    outlet, country = outlets.of(None, row.host)
    values = dict(row._mapping) | {  # noqa: SLF001  # SQLAlchemy's public name
        "id": article_id(row.article_id),
        "outlet": outlet,
        "country": country,
        "published_at": instant(row.published_from, row.published_to),
        "published_from": iso(row.published_from),
        "published_to": iso(row.published_to),
        **evidence_fields(row.reasons),
    }
    return picked(values, MEMBER_FIELDS)


# --- texts ---------------------------------------------------------------------------------------


def texts(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """The texts shown of some articles, by id; one that is no article is left out."""
    found: dict[str, str] = {}
    numbers = sorted({parse_id(one) for one in ids})
    for start in range(0, len(numbers), 500):
        statement = (
            sa.select(articles.c.id, extractions.c.text)
            .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
            .where(articles.c.id.in_(numbers[start : start + 500]))
        )
        found |= {article_id(row.id): row.text for row in connection.execute(statement)}
    return found


def revised_articles(
    connection: sa.Connection, filters: Filters, *, limit: int, versions: int
) -> tuple[int, tuple[RevisedArticle, ...]]:
    """How many articles were changed by their publishers, and the first by publication, each with its last versions."""
    statement = _statement(connection, filters).where(articles.c.revision > 1)
    count = connection.scalar(sa.select(sa.func.count()).select_from(statement.subquery()))
    outlets = Outlets(connection)
    rows = connection.execute(statement.order_by(*in_time()).limit(limit)).all()
    return int(count or 0), tuple(
        RevisedArticle(
            article=_coverage_row(row, outlets),
            revisions=_versions(connection, row.id, versions),
        )
        for row in rows
    )


def _versions(connection: sa.Connection, number: int, limit: int) -> tuple[Row, ...]:
    newest = (
        sa.select(revisions.c.number, revisions.c.seen_at, revisions.c.title, extractions.c.text)
        .join_from(revisions, extractions, extractions.c.id == revisions.c.extraction_id)
        .where(revisions.c.article_id == number)
        .order_by(revisions.c.number.desc())
        .limit(limit)
    )
    rows = connection.execute(newest).all()
    return tuple(
        {"number": row.number, "seen_at": iso(row.seen_at), "title": row.title, "text": row.text}
        for row in reversed(rows)
    )

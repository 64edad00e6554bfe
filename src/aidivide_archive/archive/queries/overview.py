"""What the archive holds, in numbers, and the list of its stories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents.outlets import Outlets
from aidivide_archive.archive.queries.rows import Row
from aidivide_archive.archive.schema import (
    articles,
    captures,
    crawls,
    events,
    matches,
    relevance,
    stories,
    story_members,
    urls,
)
from aidivide_archive.archive.storage.moments import instant, iso
from aidivide_archive.model import UrlState
from aidivide_archive.urls import article_id, story_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Counts of an archive, in rows."""

    states: tuple[Row, ...]
    """`state, reason, kind, count`, sorted: every URL of the ledger once."""
    urls: int
    waiting: int
    """URLs that a crawl would still fetch: queued, leased or failed."""
    articles: int
    review: int
    """Articles that a person should decide on, for any event."""
    captures: int
    captured_bytes: int
    matches: int
    stories: int
    """Stories of two or more articles."""
    unsettled: int
    """Articles without a story: the last run did not come to its end."""
    events: tuple[str, ...]
    last_crawl: Row | None
    """`id, kind, event, started_at, finished_at, finish_reason`; None before the first."""


def status(connection: sa.Connection) -> Status:
    states = _states(connection)
    waiting = (UrlState.QUEUED, UrlState.LEASED, UrlState.FAILED)
    count, held = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(captures.c.warc_length), 0))
    ).one()
    review = sa.select(sa.func.count(relevance.c.url_id.distinct())).join_from(
        relevance, articles, articles.c.id == relevance.c.url_id
    )
    in_story = sa.exists().where(story_members.c.article_id == articles.c.id)
    return Status(
        states=states,
        urls=sum(_int(row["count"]) for row in states),
        waiting=sum(_int(row["count"]) for row in states if row["state"] in waiting),
        articles=_count(connection, sa.select(sa.func.count()).select_from(articles)),
        review=_count(connection, review.where(relevance.c.decision == "review")),
        captures=int(count),
        captured_bytes=int(held),
        matches=_count(connection, sa.select(sa.func.count()).select_from(matches)),
        stories=_count(
            connection, sa.select(sa.func.count()).select_from(stories).where(stories.c.size > 1)
        ),
        unsettled=_count(
            connection, sa.select(sa.func.count()).select_from(articles).where(~in_story)
        ),
        events=event_ids(connection),
        last_crawl=_last_crawl(connection),
    )


def event_ids(connection: sa.Connection) -> tuple[str, ...]:
    return tuple(sorted(connection.scalars(sa.select(events.c.id))))


def _states(connection: sa.Connection) -> tuple[Row, ...]:
    columns = (urls.c.state, urls.c.reason, urls.c.kind)
    rows = connection.execute(
        sa.select(*columns, sa.func.count().label("count")).group_by(*columns)
    )
    found = [dict(row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name
    return tuple(
        sorted(found, key=lambda r: (r["state"], -r["count"], r["reason"] or "", r["kind"]))
    )


def _last_crawl(connection: sa.Connection) -> Row | None:
    row = connection.execute(sa.select(crawls).order_by(crawls.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    return {
        "id": row.id,
        "kind": row.kind,
        "event": row.event_id,
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "finish_reason": row.finish_reason,
    }


def _count(connection: sa.Connection, statement: sa.Select[int]) -> int:
    return int(connection.scalar(statement) or 0)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def story_list(connection: sa.Connection, *, limit: int | None, everything: bool) -> list[Row]:
    """Stories, the largest first, each with its origin; stories of one only on request."""
    origin = articles.alias("origin")
    statement = (
        sa.select(stories, origin.c.url, origin.c.title, origin.c.site, urls.c.host)
        .add_columns(origin.c.published_from, origin.c.published_to, origin.c.published_day)
        .select_from(stories)
        .join(origin, origin.c.id == stories.c.origin_id)
        .join(urls, urls.c.id == origin.c.id)
        .order_by(stories.c.size.desc(), origin.c.published_from.asc().nulls_last(), stories.c.id)
    )
    if not everything:
        statement = statement.where(stories.c.size > 1)
    if limit is not None:
        statement = statement.limit(limit)
    outlets = Outlets(connection)
    return [_story_row(row, outlets) for row in connection.execute(statement)]


def _story_row(row: sa.Row[Any], outlets: Outlets) -> Row:
    return {
        "story_id": story_id(row.id),
        "articles": row.size,
        "title": row.title,
        "origin_id": article_id(row.origin_id),
        "origin_url": row.url,
        "origin_site": row.site,
        "origin_outlet": outlets.of(None, row.host)[0],
        "published_at": instant(row.published_from, row.published_to),
        "published_from": iso(row.published_from),
        "published_to": iso(row.published_to),
        "published_day": row.published_day,
    }

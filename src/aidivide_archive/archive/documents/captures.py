"""Captures to read again, offline, from their WARC records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from aidivide_archive.archive.documents.derived import base_version
from aidivide_archive.archive.ledger import frontier
from aidivide_archive.archive.schema import (
    articles,
    captures,
    crawls,
    events,
    extractions,
    relevance,
    urls,
    warc_files,
)
from aidivide_archive.model import LeasedUrl, UrlKind, UrlState

_PAGE = 200
IsStale = Callable[[str, str | None, str | None], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """The capture that a page's ledger row stands on: the shown revision's, else the newest."""

    leased: LeasedUrl
    capture_id: int
    warc_file: str
    warc_offset: int


def event_profiles(connection: sa.Connection) -> dict[str | None, str]:
    """Stored profile (canonical JSON) by event id, for the events that captures were made for."""
    rows = connection.execute(
        sa.select(crawls.c.event_id, events.c.profile)
        .join_from(crawls, events, events.c.id == crawls.c.event_id, isouter=True)
        .join(captures, captures.c.crawl_id == crawls.c.id)
        .distinct()
        .order_by(crawls.c.event_id)
    )
    return {row.event_id: row.profile for row in rows}


def iter_pages(
    connection: sa.Connection,
    event_id: str | None,
    *,
    is_stale: IsStale | None = None,
) -> Iterator[StoredPage]:
    """Pages captured for an event, by URL id, in pages of rows so that memory stays flat.

    `is_stale`: asked with host, version of the base text shown (None: no article) and version of the
    judgement for the event (None: not judged); only pages it says yes to are given.
    """
    last = -1
    while True:
        rows = connection.execute(_statement(event_id, last)).all()
        if not rows:
            return
        last = rows[-1].id
        hints = frontier.hints(connection, [row.id for row in rows])
        for row in rows:
            if is_stale is not None:
                shown = None if row.shown_version is None else base_version(row.shown_version)
                judged = None if row.judged_version is None else base_version(row.judged_version)
                if not is_stale(row.host, shown, judged):
                    continue
            yield StoredPage(
                leased=LeasedUrl(
                    id=row.id,
                    url=row.url,
                    host=row.host,
                    kind=UrlKind(row.kind),
                    depth=row.depth,
                    redirects=row.redirects,
                    attempts=0,
                    hints=hints.get(row.id, ()),
                ),
                capture_id=row.capture_id,
                warc_file=row.name,
                warc_offset=row.warc_offset,
            )


def _statement(event_id: str | None, last: int) -> sa.Select[tuple[object, ...]]:
    newest = (
        sa.select(sa.func.max(captures.c.id))
        .join_from(captures, crawls, crawls.c.id == captures.c.crawl_id)
        .where(captures.c.url_id == urls.c.id, crawls.c.event_id.is_not_distinct_from(event_id))
        .correlate(urls)
        .scalar_subquery()
    )
    shown = (
        sa.select(extractions.c.capture_id)
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .where(articles.c.id == urls.c.id)
        .correlate(urls)
        .scalar_subquery()
    )
    shown_version = (
        sa.select(extractions.c.version)
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .where(articles.c.id == urls.c.id)
        .correlate(urls)
        .scalar_subquery()
    )
    judged_version = (
        sa.select(relevance.c.version)
        .where(relevance.c.url_id == urls.c.id, relevance.c.event_id == event_id)
        .correlate(urls)
        .scalar_subquery()
    )
    return (
        sa.select(
            urls.c.id,
            urls.c.url,
            urls.c.host,
            urls.c.kind,
            urls.c.depth,
            urls.c.redirects,
            captures.c.id.label("capture_id"),
            captures.c.warc_offset,
            warc_files.c.name,
            shown_version.label("shown_version"),
            judged_version.label("judged_version"),
        )
        .join_from(urls, captures, captures.c.id == sa.func.coalesce(shown, newest))
        .join(warc_files, warc_files.c.id == captures.c.warc_file_id)
        .join(crawls, crawls.c.id == captures.c.crawl_id)
        .where(
            urls.c.id > last,
            urls.c.kind == UrlKind.PAGE.value,
            urls.c.state.in_([UrlState.DONE.value, UrlState.REJECTED.value]),
            crawls.c.event_id.is_not_distinct_from(event_id),
        )
        .order_by(urls.c.id)
        .limit(_PAGE)
    )

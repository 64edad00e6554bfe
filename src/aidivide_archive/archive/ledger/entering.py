"""Enter URLs into the ledger, and note how each was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.archive.ledger import budgets
from aidivide_archive.archive.ledger.endings import PURGED, ended_row, waiting_row
from aidivide_archive.archive.schema import discoveries, hosts, tombstones, urls
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.model import (
    Channel,
    Discovery,
    Hint,
    Outcome,
    Reason,
)
from aidivide_archive.traps import url_pattern


def discover(
    connection: sa.Connection,
    entries: Iterable[Discovery],
    *,
    crawl_id: int,
    event_id: str | None,
    now: datetime,
) -> int:
    """Enter URLs into the ledger and note how each was found; returns how many were new.

    Known URLs keep their state. Purged ones (URL or site) are entered as rejected.
    Rows are written in id order, so that two PostgreSQL writers cannot deadlock.
    """
    unique: dict[tuple[int, Channel, int], Discovery] = {}
    for item in entries:
        unique.setdefault((item.id, item.channel, item.from_id), item)
    ordered = sorted(unique.values(), key=lambda d: d.id)  # stable: the first of a URL stays first
    new = 0
    for chunk in chunks(ordered):
        new += _discover_chunk(connection, chunk, crawl_id, event_id, now)
    return new


def _discover_chunk(
    connection: sa.Connection,
    chunk: Sequence[Discovery],
    crawl_id: int,
    event_id: str | None,
    now: datetime,
) -> int:
    targets = {item.url_key for item in chunk} | {item.site for item in chunk}
    purged = set(
        connection.scalars(sa.select(tombstones.c.target).where(tombstones.c.target.in_(targets)))
    )
    names = sorted({(item.host, item.site) for item in chunk})
    connection.execute(
        upsert(connection, hosts).on_conflict_do_nothing(),
        [{"host": host, "site": site} for host, site in names],
    )
    stored = connection.execute(
        sa.select(urls.c.id, urls.c.url_key).where(urls.c.id.in_({d.id for d in chunk}))
    )
    known: dict[int, str] = {row.id: row.url_key for row in stored}
    linked = {item.host for item in chunk if item.channel is Channel.LINK and item.id not in known}
    closed = budgets.closed_patterns(connection, linked) if linked else set()
    first = {item.id: item for item in reversed(chunk) if item.id not in known}
    rows = [_url_row(first[number], purged, closed, now) for number in sorted(first)]
    known.update({item.id: item.url_key for item in first.values()})
    if rows:
        connection.execute(upsert(connection, urls).on_conflict_do_nothing(), rows)
    # Two keys with one id would share an article: the later one stays out (about 1 in 10^6 at 20,000 URLs).
    seen = [item for item in chunk if known.get(item.id, item.url_key) == item.url_key]
    if seen:
        connection.execute(
            upsert(connection, discoveries).on_conflict_do_nothing(),
            [_discovery_row(item, crawl_id, event_id, now) for item in seen],
        )
    return len(rows)


def _url_row(
    item: Discovery, purged: set[str], closed: set[tuple[str, str]], now: datetime
) -> dict[str, object]:
    refused = _refused(item, purged, closed)
    return {
        "id": item.id,
        "url": item.url,
        "url_key": item.url_key,
        "host": item.host,
        "site": item.site,
        "kind": item.kind,
        "priority": item.kind.priority - item.depth,
        "depth": item.depth,
        "redirects": item.redirects,
        "first_seen_at": now,
        **(waiting_row(now) if refused is None else ended_row(refused, now=now)),
    }


def _refused(item: Discovery, purged: set[str], closed: set[tuple[str, str]]) -> Outcome | None:
    """Why a URL is entered without being queued; None for one that is."""
    if item.url_key in purged or item.site in purged:
        return PURGED
    if item.refused is not None or item.channel is not Channel.LINK or not closed:
        return item.refused
    pattern = url_pattern(item.url)
    if (item.host, pattern) not in closed:
        return None
    return budgets.closed_outcome(pattern)


def _discovery_row(
    item: Discovery, crawl_id: int, event_id: str | None, now: datetime
) -> dict[str, object]:
    hint = item.hint
    return {
        "url_id": item.id,
        "crawl_id": crawl_id,
        "channel": item.channel,
        "from_id": item.from_id,
        "event_id": event_id,
        "hint": None
        if hint is None or hint.is_empty()
        else {name: value for name in Hint.__slots__ if (value := getattr(hint, name))},
        "seen_at": now,
    }


def purged(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those of the URLs that were taken down."""
    statement = sa.select(urls.c.id).where(urls.c.reason == Reason.PURGED.value)
    return set(connection.scalars(statement.where(urls.c.id.in_(ids))))

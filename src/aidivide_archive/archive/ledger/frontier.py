"""The crawl's queue, kept in the archive's own `urls` and `hosts` tables.

A URL is leased to one run, and leaves the queue only when the archive acknowledges it in the transaction that stores
its document. Every function works on the connection it is given and commits nothing.
`due_at` is the whole clock: a row with it may be leased from then on, a leased row carries the end of its lease
there, and a row without it is terminal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.ledger import budgets
from aidivide_archive.archive.ledger.endings import end
from aidivide_archive.archive.schema import discoveries, hosts, urls
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.archive.storage.types import UtcTime
from aidivide_archive.model import (
    LISTING_PRIORITY,
    Channel,
    Hint,
    LeasedUrl,
    Outcome,
    Reason,
    UrlKind,
    UrlState,
)

LEASE_SECONDS = 600
"""Longer than a fetch with its time limit and the wait for a worker; renewed while the run lives."""
HOST_SECONDS = 120
"""How long a crawler process owns a host without renewal."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the frontier handed out, and what remains."""

    urls: tuple[LeasedUrl, ...]
    outstanding: int
    """URLs that are neither leased now nor terminal, the handed-out ones not counted."""
    next_due_at: datetime | None
    """When the earliest of them may be leased; None when nothing is outstanding."""


def requeue(
    connection: sa.Connection, ids: Sequence[int], *, now: datetime, states: Iterable[UrlState]
) -> None:
    """Queue known URLs again that stand in one of `states`: the discovery documents of a new run, or a revisit."""
    wanted = [state.value for state in states]
    for chunk in chunks(ids):
        connection.execute(
            sa.update(urls)
            .where(urls.c.id.in_(chunk), urls.c.state.in_(wanted))
            .where(urls.c.reason.is_distinct_from(Reason.PURGED.value))
            .values(state=UrlState.QUEUED, due_at=now, attempts=0)
        )


def with_children(connection: sa.Connection, ids: Sequence[int]) -> list[int]:
    """Feeds, sitemaps and hubs, and all of that kind that they name or redirect to, at any distance; sorted.

    The sitemaps of an index and the new place of a feed name new pages later on, as the first ones do.
    """
    known, latest = set(ids), sorted(ids)
    while latest:
        children: set[int] = set()
        for chunk in chunks(latest):
            statement = (
                sa.select(urls.c.id)
                .join_from(urls, discoveries, discoveries.c.url_id == urls.c.id)
                .where(discoveries.c.from_id.in_(chunk))
                .where(urls.c.kind != UrlKind.PAGE.value)
            )
            children.update(connection.scalars(statement))
        latest = sorted(children - known)
        known |= children
    return sorted(known)


def lease(
    connection: sa.Connection,
    *,
    crawl_id: int,
    owner: str,
    limit: int,
    per_host: int,
    pages_per_host: int,
    sitemaps_per_host: int = 500,
    busy: Collection[str] = (),
    now: datetime,
) -> Lease:
    """Hand out up to `limit` due URLs, at most `per_host` of each host and none of `busy` ones, to one run.

    Hosts are owned by one crawler process at a time, so that politeness holds per host. Pages of a host wait
    until its feeds, sitemaps and hubs were tried once. Hosts past `pages_per_host` fetches are closed.
    """
    _close_exhausted_hosts(connection, pages_per_host, sitemaps_per_host, now)
    _own_hosts(connection, owner, limit, now)
    due = _due_rows(connection, owner, limit, per_host, busy, now)
    if due:
        expiry = now + timedelta(seconds=LEASE_SECONDS)
        connection.execute(
            sa.update(urls)
            .where(urls.c.id.in_([row.id for row in due]))
            .values(state=UrlState.LEASED, leased_by=crawl_id, due_at=expiry)
        )
        crash_point("in_lease")
    found_hints = hints(connection, [row.id for row in due])
    outstanding, next_due_at = _outstanding(connection)
    return Lease(
        urls=tuple(
            LeasedUrl(
                id=row.id,
                url=row.url,
                host=row.host,
                kind=UrlKind(row.kind),
                depth=row.depth,
                redirects=row.redirects,
                attempts=row.attempts,
                hints=found_hints.get(row.id, ()),
            )
            for row in due
        ),
        outstanding=outstanding,
        next_due_at=next_due_at,
    )


def _outstanding(connection: sa.Connection) -> tuple[int, datetime | None]:
    """How many URLs wait, and when the first of them may be leased: not before its host's pause ends."""
    may_begin = sa.case(
        (hosts.c.paused_until > urls.c.due_at, hosts.c.paused_until), else_=urls.c.due_at
    )
    count, first = connection.execute(
        sa.select(sa.func.count(), sa.func.min(may_begin, type_=UtcTime()))
        .join_from(urls, hosts, hosts.c.host == urls.c.host)
        .where(urls.c.due_at.isnot(None), urls.c.state != UrlState.LEASED.value)
    ).one()
    return int(count), first


def _close_exhausted_hosts(
    connection: sa.Connection, pages_per_host: int, sitemaps_per_host: int, now: datetime
) -> None:
    budgets_of = (
        (UrlKind.PAGE, hosts.c.pages_fetched, "pages_per_host", pages_per_host),
        (UrlKind.SITEMAP, hosts.c.sitemaps_fetched, "sitemaps_per_host", sitemaps_per_host),
    )
    for kind, fetched, name, limit in budgets_of:
        exhausted = sa.select(hosts.c.host).where(fetched >= limit)
        if connection.scalar(exhausted.limit(1)) is None:  # as nearly always: no look at the queue
            continue
        detail = f"{name} = {limit} was reached"
        end(
            connection,
            Outcome(state=UrlState.REJECTED, reason=Reason.LIMIT, detail=detail),
            now,
            urls.c.due_at.isnot(None),
            urls.c.state != UrlState.LEASED.value,
            urls.c.kind == kind.value,
            urls.c.host.in_(exhausted),
        )


def _own_hosts(connection: sa.Connection, owner: str, limit: int, now: datetime) -> None:
    waiting = sa.exists().where(urls.c.host == hosts.c.host, urls.c.due_at <= now)
    # Only hosts that are not ours yet count towards the limit: ours may all be waiting for something.
    foreign = sa.and_(hosts.c.owner != owner, hosts.c.owned_until <= now)
    free = sa.or_(hosts.c.owner.is_(None), foreign)
    chosen = (
        sa.select(hosts.c.host)
        .where(free, waiting, sa.or_(hosts.c.paused_until.is_(None), hosts.c.paused_until <= now))
        .order_by(hosts.c.host)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL only; SQLite has one writer anyway
    )
    connection.execute(
        sa.update(hosts)
        .where(hosts.c.host.in_(chosen))
        .values(owner=owner, owned_until=now + timedelta(seconds=HOST_SECONDS))
    )


def _due_rows(
    connection: sa.Connection,
    owner: str,
    limit: int,
    per_host: int,
    busy: Collection[str],
    now: datetime,
) -> Sequence[Any]:
    candidate, pending = urls.alias(), urls.alias()
    discovery_pending = (
        sa.exists()
        .where(
            pending.c.host == hosts.c.host,
            pending.c.due_at.isnot(None),
            pending.c.priority >= LISTING_PRIORITY,
            pending.c.attempts == 0,
        )
        .correlate(hosts)
    )
    first_of_host = (
        sa.select(candidate.c.id)
        .where(
            candidate.c.host == hosts.c.host,
            candidate.c.due_at <= now,
            sa.or_(candidate.c.priority >= LISTING_PRIORITY, ~discovery_pending),
        )
        .order_by(candidate.c.priority.desc(), candidate.c.id)
        .limit(per_host)
        .correlate(hosts)
    )
    return connection.execute(
        sa.select(
            urls.c.id,
            urls.c.url,
            urls.c.host,
            urls.c.kind,
            urls.c.depth,
            urls.c.redirects,
            urls.c.attempts,
        )
        .join_from(hosts, urls, urls.c.id.in_(first_of_host))
        .where(
            hosts.c.owner == owner,
            hosts.c.host.not_in(sorted(busy)),
            sa.or_(hosts.c.paused_until.is_(None), hosts.c.paused_until <= now),
        )
        .order_by(urls.c.priority.desc(), urls.c.id)
        .limit(limit)
    ).all()


def hints(
    connection: sa.Connection, ids: Sequence[int]
) -> dict[int, tuple[tuple[Channel, Hint], ...]]:
    """What feeds and sitemaps said about URLs, by id, each statement once, in a fixed order."""
    if not ids:
        return {}
    rows = connection.execute(
        sa.select(discoveries.c.url_id, discoveries.c.channel, discoveries.c.hint)
        .where(discoveries.c.url_id.in_(ids), discoveries.c.hint.isnot(None))
        .order_by(
            discoveries.c.url_id,
            discoveries.c.channel,
            discoveries.c.from_id,
            discoveries.c.crawl_id.desc(),
        )
    )
    hints_of: dict[int, dict[tuple[Channel, Hint], None]] = {}
    for url_id, channel, hint in rows:
        hints_of.setdefault(url_id, {})[Channel(channel), Hint(**hint)] = None
    return {url_id: tuple(pairs) for url_id, pairs in hints_of.items()}


def reset_budgets(connection: sa.Connection) -> None:
    """Give every host its budget anew: a crawl begins that does not go on with a broken one."""
    connection.execute(sa.update(hosts).values(pages_fetched=0, sitemaps_fetched=0))
    budgets.reset(connection)


def pause_host(connection: sa.Connection, host: str, until: datetime) -> None:
    """No request to this host before `until` (Retry-After)."""
    connection.execute(
        sa.update(hosts)
        .where(
            hosts.c.host == host,
            sa.or_(hosts.c.paused_until.is_(None), hosts.c.paused_until < until),
        )
        .values(paused_until=until)
    )


def renew(connection: sa.Connection, *, crawl_id: int, owner: str, now: datetime) -> None:
    """Heartbeat of a living run: its leases and hosts stay its own."""
    connection.execute(
        sa.update(urls)
        .where(urls.c.leased_by == crawl_id, urls.c.state == UrlState.LEASED.value)
        .values(due_at=now + timedelta(seconds=LEASE_SECONDS))
    )
    connection.execute(
        sa.update(hosts)
        .where(hosts.c.owner == owner)
        .values(owned_until=now + timedelta(seconds=HOST_SECONDS))
    )


def release(connection: sa.Connection, *, crawl_ids: Sequence[int], now: datetime) -> int:
    """Give back what stopped or dead runs still held; returns how many URLs."""
    if not crawl_ids:
        return 0
    result = connection.execute(
        sa.update(urls)
        .where(urls.c.leased_by.in_(crawl_ids), urls.c.state == UrlState.LEASED.value)
        .values(state=UrlState.QUEUED, leased_by=None, due_at=now)
    )
    return result.rowcount


def disown(connection: sa.Connection, owners: Sequence[str]) -> None:
    """Free the hosts of processes that ended."""
    if owners:
        connection.execute(
            sa.update(hosts).where(hosts.c.owner.in_(owners)).values(owner=None, owned_until=None)
        )

"""The crawl's queue, kept in the archive's own `urls` and `hosts` tables.

A URL is leased to one run, and leaves the queue only when the archive acknowledges it in the transaction that stores
its document. Every function works on the connection it is given and commits nothing.
`due_at` is the whole clock: a row with it may be leased from then on, a leased row carries the end of its lease
there, and a row without it is terminal.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.ledger import budgets
from aidivide_archive.archive.schema import discoveries, hosts, tombstones, urls
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.archive.storage.types import UtcTime
from aidivide_archive.crash_points import crash_point
from aidivide_archive.model import (
    LISTING_PRIORITY,
    Channel,
    Discovery,
    Hint,
    LeasedUrl,
    Outcome,
    Reason,
    RobotsCopy,
    UrlKind,
    UrlState,
)
from aidivide_archive.traps import url_pattern

LEASE_SECONDS = 600
"""Longer than a fetch with its time limit and the wait for a worker; renewed while the run lives."""
HOST_SECONDS = 120
"""How long a crawler process owns a host without renewal."""
MAX_ATTEMPTS = 3
"""Failed fetches after which a URL is dead."""
BACKOFF_SECONDS = (5.0, 30.0)
"""Wait before the second and the third fetch."""

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Lease:
    """What the frontier handed out, and what remains."""

    urls: tuple[LeasedUrl, ...]
    outstanding: int
    """URLs that are neither leased now nor terminal, the handed-out ones not counted."""
    next_due_at: datetime | None
    """When the earliest of them may be leased; None when nothing is outstanding."""


def discover(
    connection: sa.Connection,
    found: Iterable[Discovery],
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
    for item in found:
        unique.setdefault((item.id, item.channel, item.from_id), item)
    ordered = sorted(unique.values(), key=lambda d: d.id)  # stable: the first of a URL stays first
    new = 0
    for start in range(0, len(ordered), _CHUNK):
        new += _discover_chunk(connection, ordered[start : start + _CHUNK], crawl_id, event_id, now)
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
        "state": refused.state if refused else UrlState.QUEUED,
        "reason": refused.reason if refused else None,
        "detail": refused.detail if refused else None,
        "priority": item.kind.priority - item.depth,
        "depth": item.depth,
        "redirects": item.redirects,
        "due_at": None if refused else now,
        "first_seen_at": now,
        "finished_at": now if refused else None,
    }


def _refused(item: Discovery, purged: set[str], closed: set[tuple[str, str]]) -> Outcome | None:
    """Why a URL is entered without being queued; None for one that is."""
    if item.url_key in purged or item.site in purged:
        return Outcome(state=UrlState.REJECTED, reason=Reason.PURGED)
    if item.refused is not None or item.channel is not Channel.LINK or not closed:
        return item.refused
    pattern = url_pattern(item.url)
    if (item.host, pattern) not in closed:
        return None
    detail = budgets.closed_detail(pattern)
    return Outcome(state=UrlState.REJECTED, reason=Reason.TRAP, detail=detail)


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


def requeue(
    connection: sa.Connection, ids: Sequence[int], *, now: datetime, states: Iterable[UrlState]
) -> None:
    """Queue known URLs again that stand in one of `states`: the discovery documents of a new run, or a revisit."""
    wanted = [state.value for state in states]
    for start in range(0, len(ids), _CHUNK):
        connection.execute(
            sa.update(urls)
            .where(urls.c.id.in_(ids[start : start + _CHUNK]), urls.c.state.in_(wanted))
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
        for start in range(0, len(latest), _CHUNK):
            statement = (
                sa.select(urls.c.id)
                .join_from(urls, discoveries, discoveries.c.url_id == urls.c.id)
                .where(discoveries.c.from_id.in_(latest[start : start + _CHUNK]))
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
        connection.execute(
            sa.update(urls)
            .where(
                urls.c.due_at.isnot(None),
                urls.c.state != UrlState.LEASED.value,
                urls.c.kind == kind.value,
                urls.c.host.in_(exhausted),
            )
            .values(
                state=UrlState.REJECTED,
                reason=Reason.LIMIT,
                detail=f"{name} = {limit} was reached",
                due_at=None,
                finished_at=now,
            )
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
    found: dict[int, dict[tuple[Channel, Hint], None]] = {}
    for url_id, channel, hint in rows:
        found.setdefault(url_id, {})[Channel(channel), Hint(**hint)] = None
    return {url_id: tuple(pairs) for url_id, pairs in found.items()}


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The end of one lease."""

    url_id: int
    outcome: Outcome
    now: datetime
    was_requested: bool = True
    """Whether its host was asked for it; counts towards the host's budget."""


def acknowledge(
    connection: sa.Connection,
    url_id: int,
    outcome: Outcome,
    *,
    now: datetime,
    was_requested: bool = True,
) -> UrlState:
    """End the lease of a URL; returns the state it got: a failure that was one too many becomes `dead`."""
    ended = Acknowledgement(url_id, outcome, now, was_requested)
    return acknowledge_all(connection, [ended])[url_id]


def acknowledge_all(
    connection: sa.Connection, ended: Sequence[Acknowledgement]
) -> dict[int, UrlState]:
    """End the leases of different URLs; returns their states by id."""
    by_id = {one.url_id: one for one in ended}
    known = {
        row.id: row
        for row in connection.execute(
            sa.select(urls.c.id, urls.c.attempts, urls.c.host, urls.c.kind).where(
                urls.c.id.in_(sorted(by_id))
            )
        )
    }
    rows = [_ending(by_id[url_id], known[url_id].attempts) for url_id in sorted(by_id)]
    names = [name for name in rows[0] if name != "url_id"]
    connection.execute(
        sa.update(urls)
        .where(urls.c.id == sa.bindparam("url_id"))
        .values({name.removeprefix("new_"): sa.bindparam(name) for name in names}),
        rows,
    )
    asked = [known[one.url_id] for one in ended if one.was_requested]
    requested = Counter(row.host for row in asked)
    sitemaps = Counter(row.host for row in asked if row.kind == UrlKind.SITEMAP)
    if requested:
        connection.execute(
            sa.update(hosts)
            .where(hosts.c.host == sa.bindparam("name"))
            .values(
                pages_fetched=hosts.c.pages_fetched + sa.bindparam("more"),
                sitemaps_fetched=hosts.c.sitemaps_fetched + sa.bindparam("sitemaps"),
            ),
            [
                {"name": host, "more": count, "sitemaps": sitemaps[host]}
                for host, count in sorted(requested.items())
            ],
        )
    return {row["url_id"]: row["new_state"] for row in rows}


def _ending(ended: Acknowledgement, attempts: int) -> dict[str, Any]:
    """What a URL's row becomes; `attempts`: how often it failed before."""
    outcome, now = ended.outcome, ended.now
    state, due_at, failures = outcome.state, None, 0
    if state is UrlState.FAILED:
        failures = attempts + 1
        if failures >= MAX_ATTEMPTS:
            state = UrlState.DEAD
        else:
            wait = max(BACKOFF_SECONDS[failures - 1], outcome.retry_after_seconds or 0.0)
            due_at = now + timedelta(seconds=wait)
    return {
        "url_id": ended.url_id,
        "new_state": state,
        "new_reason": outcome.reason,
        "new_detail": outcome.detail,
        "new_due_at": due_at,
        "new_attempts": failures,
        "new_leased_by": None,
        "new_finished_at": None if state is UrlState.FAILED else now,
    }


def purged(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Those of the URLs that were taken down."""
    statement = sa.select(urls.c.id).where(urls.c.reason == Reason.PURGED.value)
    return set(connection.scalars(statement.where(urls.c.id.in_(ids))))


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


@dataclass(frozen=True, slots=True)
class OriginRobots:
    """What the robots.txt of one origin said."""

    host: str
    scheme: str
    copy: RobotsCopy
    crawl_delay: float | None
    """Seconds that it asks of this crawler; None: it asks for none."""


def store_robots(connection: sa.Connection, origins: Sequence[OriginRobots]) -> None:
    """Keep the robots.txt of origins, for the times when their servers do not answer; the last of one counts."""
    by_host: dict[str, list[OriginRobots]] = {}
    for one in origins:
        by_host.setdefault(one.host, []).append(one)
    names = sorted(by_host)
    known = connection.execute(
        sa.select(hosts.c.host, hosts.c.robots).where(hosts.c.host.in_(names))
    )
    held = {row.host: row.robots or {} for row in known}
    connection.execute(
        sa.update(hosts)
        .where(hosts.c.host == sa.bindparam("name"))
        .values(robots=sa.bindparam("copies"), crawl_delay_seconds=sa.bindparam("delay")),
        [
            {
                "name": name,
                "copies": held.get(name, {})
                | {one.scheme: _kept(one.copy) for one in by_host[name]},
                "delay": by_host[name][-1].crawl_delay,
            }
            for name in names
        ],
    )


def _kept(copy: RobotsCopy) -> dict[str, object]:
    return {
        "status": copy.status,
        "fetched_at": copy.fetched_at.isoformat(),
        "sha256": hashlib.sha256(copy.body).hexdigest(),
        # bytes of any kind, NUL included, in a JSON text
        "body": base64.b64encode(zlib.compress(copy.body, 6)).decode("ascii"),
    }


def robots_of(connection: sa.Connection, host: str, scheme: str) -> RobotsCopy | None:
    """The last good robots.txt of an origin, of any age; None when there is none."""
    known = connection.scalar(sa.select(hosts.c.robots).where(hosts.c.host == host)) or {}
    stored = known.get(scheme)
    if stored is None:
        return None
    return RobotsCopy(
        status=stored["status"],
        body=zlib.decompress(base64.b64decode(stored["body"])),
        fetched_at=datetime.fromisoformat(stored["fetched_at"]),
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

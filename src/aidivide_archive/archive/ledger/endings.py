"""How the ledger row of a URL ends: the one place that says what its columns become.

A row ends when its lease is acknowledged, or without one when a rule rejects what still waits. Afterwards it may be
judged again, offline, which changes its reason and nothing of its clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.schema import hosts, urls
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.model import Outcome, Reason, UrlKind, UrlState

MAX_ATTEMPTS = 3
"""Failed fetches after which a URL is dead."""
BACKOFF_SECONDS = (5.0, 30.0)
"""Wait before the second and the third fetch."""
PURGED = Outcome(state=UrlState.REJECTED, reason=Reason.PURGED)
"""The end of what was taken down."""


def waiting_row(due_at: datetime) -> dict[str, Any]:
    """The columns of a URL that waits to be fetched for the first time."""
    return {
        "state": UrlState.QUEUED,
        "reason": None,
        "detail": None,
        "due_at": due_at,
        "leased_by": None,
        "attempts": 0,
        "finished_at": None,
    }


def ended_row(outcome: Outcome, *, now: datetime, attempts: int = 0) -> dict[str, Any]:
    """The columns of a URL whose work ended so; `attempts`: how often it failed before.

    A failure is due again after a pause, the one that is one too many is `dead`.
    """
    state, due_at, failures = outcome.state, None, 0
    if state is UrlState.FAILED:
        failures = attempts + 1
        if failures >= MAX_ATTEMPTS:
            state = UrlState.DEAD
        else:
            wait = max(BACKOFF_SECONDS[failures - 1], outcome.retry_after_seconds or 0.0)
            due_at = now + timedelta(seconds=wait)
    return {
        "state": state,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "due_at": due_at,
        "leased_by": None,
        "attempts": failures,
        "finished_at": None if state is UrlState.FAILED else now,
    }


def end(
    connection: sa.Connection, outcome: Outcome, now: datetime, *conditions: sa.ColumnElement[bool]
) -> None:
    """End every URL that meets the conditions, without asking its host."""
    connection.execute(sa.update(urls).where(*conditions).values(ended_row(outcome, now=now)))


def end_ids(connection: sa.Connection, outcome: Outcome, now: datetime, ids: Iterable[int]) -> None:
    """End the URLs of these ids, without asking their hosts."""
    for chunk in chunks(sorted(ids)):
        end(connection, outcome, now, urls.c.id.in_(chunk))


def judge_again(
    connection: sa.Connection, outcome: Outcome, *conditions: sa.ColumnElement[bool]
) -> None:
    """Give the ended URLs that meet the conditions another state, reason and detail; when they ended stays."""
    values = {"state": outcome.state, "reason": outcome.reason, "detail": outcome.detail}
    connection.execute(sa.update(urls).where(*conditions).values(values))


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The end of one lease."""

    url_id: int
    outcome: Outcome
    now: datetime
    was_requested: bool = True
    """Whether its host was asked for it; counts towards the host's budget."""


def acknowledge(
    connection: sa.Connection, acknowledgements: Sequence[Acknowledgement]
) -> dict[int, UrlState]:
    """End the leases of different URLs; returns their states by id: a failure that was one too many is `dead`."""
    by_id = {lease.url_id: lease for lease in acknowledgements}
    known = {
        row.id: row
        for row in connection.execute(
            sa.select(urls.c.id, urls.c.attempts, urls.c.host, urls.c.kind).where(
                urls.c.id.in_(sorted(by_id))
            )
        )
    }
    rows = {
        url_id: ended_row(
            by_id[url_id].outcome, now=by_id[url_id].now, attempts=known[url_id].attempts
        )
        for url_id in sorted(by_id)
    }
    columns = next(iter(rows.values()))
    # a bound value may not have the name of a column
    connection.execute(
        sa.update(urls)
        .where(urls.c.id == sa.bindparam("url_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in columns}),
        [
            {"url_id": url_id, **{f"new_{name}": value for name, value in row.items()}}
            for url_id, row in rows.items()
        ],
    )
    _count_requests(
        connection, [known[lease.url_id] for lease in acknowledgements if lease.was_requested]
    )
    return {url_id: row["state"] for url_id, row in rows.items()}


def _count_requests(connection: sa.Connection, requested: Sequence[Any]) -> None:
    """Every request counts towards the budget of its host; `requested`: rows of `urls`, by URL asked for."""
    fetches = Counter(row.host for row in requested)
    sitemaps = Counter(row.host for row in requested if row.kind == UrlKind.SITEMAP)
    if not fetches:
        return
    connection.execute(
        sa.update(hosts)
        .where(hosts.c.host == sa.bindparam("name"))
        .values(
            pages_fetched=hosts.c.pages_fetched + sa.bindparam("more"),
            sitemaps_fetched=hosts.c.sitemaps_fetched + sa.bindparam("sitemaps"),
        ),
        [
            {"name": host, "more": count, "sitemaps": sitemaps[host]}
            for host, count in sorted(fetches.items())
        ],
    )

"""Runs that write to an archive: begun, finished, or found dead and tidied up after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.ledger import frontier
from aidivide_archive.archive.schema import crawls, warc_files
from aidivide_archive.archive.storage import locks
from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.model import RunKind

_ENGINES = ("aidivide-archive", "scrapy", "trafilatura", "datasketch", "sqlalchemy", "lxml")


@dataclass(frozen=True, slots=True)
class Run:
    """The run that stores: its crawl row, its event, its open WARC file."""

    crawl_id: int
    event_id: str | None
    warc_file_id: int | None = None
    is_crawl: bool = False
    """Whether its documents were requested from their hosts."""
    barren_pages: int = 0
    """Limit of the profile for pages of one URL pattern without new content."""


def begin(
    connection: sa.Connection, kind: RunKind, event_id: str | None, owner: str, now: datetime
) -> int:
    """Enter a run, and give back what dead runs still held. Returns its number."""
    if kind is RunKind.CRAWL and _is_fresh_start(connection):
        frontier.reset_budgets(connection)
    dead = [run for run in _unfinished(connection) if locks.is_dead(connection, run.id)]
    dead_ids = [run.id for run in dead]
    frontier.release(connection, crawl_ids=dead_ids, now=now)
    frontier.disown(connection, [run.owner for run in dead])
    connection.execute(
        sa.update(crawls)
        .where(crawls.c.id.in_(dead_ids))
        .values(finished_at=now, finish_reason="killed")
    )
    number = connection.execute(
        sa.insert(crawls)
        .values(
            event_id=event_id,
            kind=kind,
            owner=owner,
            started_at=now,
            software={name: version(name) for name in _ENGINES},
        )
        .returning(crawls.c.id)
    ).scalar_one()
    locks.show_alive(connection, number)
    crash_point("in_begin")
    return int(number)


def enter_warc_file(connection: sa.Connection, crawl_id: int, name: str) -> int:
    """Enter the file that a run is about to write. Returns its number."""
    statement = sa.insert(warc_files).values(crawl_id=crawl_id, name=name, committed_bytes=0)
    return int(connection.execute(statement.returning(warc_files.c.id)).scalar_one())


def finish(
    connection: sa.Connection,
    crawl_id: int,
    owner: str,
    reason: str,
    stats: dict[str, Any] | None,
    now: datetime,
) -> None:
    """Close a run's row and give back what it still holds."""
    frontier.release(connection, crawl_ids=[crawl_id], now=now)
    frontier.disown(connection, [owner])
    connection.execute(
        sa.update(crawls)
        .where(crawls.c.id == crawl_id)
        .values(finished_at=now, finish_reason=reason, stats=stats)
    )
    crash_point("in_finish")


def live_runs(connection: sa.Connection, *, besides: int) -> list[tuple[int, str]]:
    """Number and owner of the runs of other processes that are under way, by number. PostgreSQL only has such."""
    return [
        (run.id, run.owner)
        for run in _unfinished(connection)
        if run.id != besides and not locks.is_dead(connection, run.id)
    ]


def _unfinished(connection: sa.Connection) -> list[sa.Row[tuple[int, str]]]:
    return list(
        connection.execute(
            sa.select(crawls.c.id, crawls.c.owner)
            .where(crawls.c.finished_at.is_(None))
            .order_by(crawls.c.id)
        )
    )


def _is_fresh_start(connection: sa.Connection) -> bool:
    """Whether the crawl before this one came to its end: then budgets begin anew."""
    last = connection.execute(
        sa.select(crawls.c.finish_reason)
        .where(crawls.c.kind == RunKind.CRAWL)
        .order_by(crawls.c.id.desc())
        .limit(1)
    ).first()
    return last is None or last.finish_reason == "finished"

"""`Archive`: the one door to writing. Owns the writer thread, the lock and the open WARC file."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.exc import DBAPIError

from aidivide_archive.archive.documents import batches, imported, outlets, storing
from aidivide_archive.archive.documents.storing import Run
from aidivide_archive.archive.ledger import frontier
from aidivide_archive.archive.ledger.frontier import Lease
from aidivide_archive.archive.schema import crawls, events, sources, urls, warc_files
from aidivide_archive.archive.settling.settlement import Settled, settle
from aidivide_archive.archive.storage import migrate
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.archive.storage.engine import (
    WriterLock,
    check_version,
    current_revision,
    one_line,
    write_engine,
)
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.storage.space import (
    WalWatch,
    is_full,
    min_free_bytes,
    refusal,
    shortage,
)
from aidivide_archive.archive.storage.writer import Writer
from aidivide_archive.config import Profile
from aidivide_archive.crash_points import crash_point
from aidivide_archive.exceptions import StoreError
from aidivide_archive.model import (
    Capture,
    Discovery,
    Document,
    Reason,
    RobotsCopy,
    Stored,
    UrlKind,
    UrlState,
    WarcPosition,
)
from aidivide_archive.warc.records import WarcWriter

T = TypeVar("T")

_ADVISORY_NAMESPACE = 0x41494456
"""First key of our PostgreSQL advisory locks ("AIDV"); the second is the number of the run."""
_SETTLING = -1
"""Second key of the lock that storing shares and settling holds alone; runs are numbered from 1."""
_ENGINES = ("aidivide-archive", "scrapy", "trafilatura", "datasketch", "sqlalchemy", "lxml")


class Archive:
    """An archive opened for writing. Use as a context manager; one per process.

    Raises ArchiveLockedError, SchemaVersionError, StoreError.
    """

    def __init__(self, location: Location, *, wait: bool = False) -> None:
        self.location = location
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._warc: WarcWriter | None = None
        self._run: Run | None = None
        self._min_free, wal = min_free_bytes(), WalWatch(location)
        self._engine = write_engine(location)
        self._lock = WriterLock(location, wait=wait)
        try:
            self._prepare()
        except BaseException:
            self._engine.dispose()
            self._lock.release()
            raise
        self._hold_advisory_lock()
        self._writer = Writer(
            self._engine,
            before_commit=self._sync_warc,
            after_commit=wal.after_commit,
            at_end=wal.at_end,
            where=f"the archive {location.shown()}",
        )

    # --- life ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is queued and let go of everything. Raises StoreError when the WARC file cannot be ended."""
        self._writer.close()
        try:
            if self._warc is not None:
                self._warc.close()
        except OSError as error:
            if self._writer.failure is None:
                raise refusal(error, str(self.location.warc_directory)) from None
        finally:
            self._warc = None
            crash_point("at_close")
            self._engine.dispose()
            self._lock.release()

    def abandon(self) -> None:
        """For a process that ends now: what is queued is not written, as if it had been killed."""
        self._writer.stop(seconds=2.0)

    @property
    def failure(self) -> StoreError | None:
        """The storage failure that ended all writing; None while all is well."""
        return self._writer.failure

    def submit(self, work: Callable[[sa.Connection], T]) -> Future[T]:
        """Run `work` in the writer's next transaction; see `Writer.submit`."""
        return self._writer.submit(work)

    def _prepare(self) -> None:
        """Create the schema of a new archive; refuse one of another version."""
        try:
            with self._engine.connect() as connection, connection.begin():
                if connection.dialect.name == "postgresql":  # two processes may create it at once
                    connection.execute(
                        sa.text("SELECT pg_advisory_xact_lock(:key, 0)"),
                        {"key": _ADVISORY_NAMESPACE},
                    )
                if current_revision(connection) is None:
                    migrate.upgrade(connection)
                check_version(connection, self.location)
        except (DBAPIError, OSError) as error:
            if isinstance(error, OSError) or is_full(error):
                raise refusal(error, f"the archive {self.location.shown()}") from None
            raise StoreError(
                f"cannot open the archive {self.location.shown()}: {one_line(error)}"
            ) from None

    def _hold_advisory_lock(self) -> None:
        """Every connection of a running PostgreSQL archive holds its run's lock, so that others see it live."""

        @sa_event.listens_for(self._engine, "connect")
        def hold(raw: Any, _record: object) -> None:
            if self._run is not None and self._engine.dialect.name == "postgresql":
                with raw.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_advisory_lock_shared(%s, %s)",
                        (_ADVISORY_NAMESPACE, self._run.crawl_id),
                    )
                raw.commit()

    def _sync_warc(self) -> None:
        if self._warc is not None:
            self._warc.sync()

    # --- runs ------------------------------------------------------------------------------------

    def begin(self, kind: str, profile: Profile | None = None, *, warc: bool = False) -> Run:
        """Start a run: its row, its event, the leases of dead runs given back, its WARC file if wanted."""
        now = datetime.now(UTC)
        crawl_id = self.submit(lambda c: self._begin(c, kind, profile, now)).result()
        event_id = profile.event.id if profile else None
        barren_pages = profile.limits.barren_pages if profile else 0
        self._run = Run(crawl_id, event_id, is_crawl=kind == "crawl", barren_pages=barren_pages)
        if warc:
            name = f"{now:%Y%m%d%H%M%S}-{crawl_id:06d}-{secrets.token_hex(3)}.warc.gz"
            try:
                self._warc = WarcWriter(
                    self.location.warc_directory,
                    name,
                    software=f"aidivide-archive/{version('aidivide-archive')}",
                )
            except OSError as error:
                raise refusal(error, str(self.location.warc_directory)) from None
            file_id = self.submit(
                lambda c: c.execute(
                    sa.insert(warc_files)
                    .values(crawl_id=crawl_id, name=name, committed_bytes=0)
                    .returning(warc_files.c.id)
                ).scalar_one()
            ).result()
            self._run = replace(self._run, warc_file_id=file_id)
        return self._run

    @property
    def run(self) -> Run:
        assert self._run is not None, "begin() comes first"
        return self._run

    def _begin(
        self, connection: sa.Connection, kind: str, profile: Profile | None, now: datetime
    ) -> int:
        if profile is not None:
            _store_event(connection, profile, now)
        if kind == "crawl" and _is_fresh_start(connection):
            frontier.reset_budgets(connection)
        dead = _dead_runs(connection)
        frontier.release(connection, crawl_ids=[crawl_id for crawl_id, _ in dead], now=now)
        frontier.disown(connection, [owner for _, owner in dead])
        connection.execute(
            sa.update(crawls)
            .where(crawls.c.id.in_([crawl_id for crawl_id, _ in dead]))
            .values(finished_at=now, finish_reason="killed")
        )
        crawl_id = connection.execute(
            sa.insert(crawls)
            .values(
                event_id=profile.event.id if profile else None,
                kind=kind,
                owner=self.owner,
                started_at=now,
                software={name: version(name) for name in _ENGINES},
            )
            .returning(crawls.c.id)
        ).scalar_one()
        if connection.dialect.name == "postgresql":
            connection.execute(
                sa.text("SELECT pg_advisory_lock_shared(:key, :run)"),
                {"key": _ADVISORY_NAMESPACE, "run": crawl_id},
            )
        crash_point("in_begin")
        return int(crawl_id)

    def finish(self, reason: str, stats: dict[str, Any] | None = None) -> None:
        """Close the run's row and give back what it still holds."""
        now = datetime.now(UTC)
        run = self.run

        def work(connection: sa.Connection) -> None:
            frontier.release(connection, crawl_ids=[run.crawl_id], now=now)
            frontier.disown(connection, [self.owner])
            connection.execute(
                sa.update(crawls)
                .where(crawls.c.id == run.crawl_id)
                .values(finished_at=now, finish_reason=reason, stats=stats)
            )
            crash_point("in_finish")

        self.submit(work).result()

    # --- the frontier ----------------------------------------------------------------------------

    def discover(self, found: Iterable[Discovery]) -> Future[int]:
        """Enter URLs into the ledger; the future gives how many were new."""
        found, run, now = tuple(found), self.run, datetime.now(UTC)
        return self.submit(
            lambda c: frontier.discover(
                c, found, crawl_id=run.crawl_id, event_id=run.event_id, now=now
            )
        )

    def requeue_discovery(self, ids: Sequence[int]) -> Future[None]:
        """Have the profile's feeds, sitemaps and hubs, and the ones they lead to, read again in this run."""
        now = datetime.now(UTC)
        states = (UrlState.DONE, UrlState.REJECTED, UrlState.DEAD, UrlState.FAILED)
        return self.submit(
            lambda c: frontier.requeue(c, frontier.with_children(c, ids), now=now, states=states)
        )

    def requeue_articles(self) -> Future[None]:
        """Have every page that is in the archive fetched again, the later pages of articles too."""
        now = datetime.now(UTC)

        def work(connection: sa.Connection) -> None:
            is_later_page = urls.c.reason == Reason.CONTINUATION.value
            chosen = sa.select(urls.c.id).where(
                sa.or_(urls.c.state == UrlState.DONE.value, is_later_page),
                urls.c.kind == UrlKind.PAGE.value,
            )
            ids = list(connection.scalars(chosen.order_by(urls.c.id)))
            states = (UrlState.DONE, UrlState.REJECTED)
            frontier.requeue(connection, ids, now=now, states=states)

        return self.submit(work)

    def lease(
        self,
        *,
        limit: int,
        per_host: int,
        pages_per_host: int,
        sitemaps_per_host: int = 500,
        busy: Collection[str] = (),
    ) -> Future[Lease]:
        run, now = self.run, datetime.now(UTC)
        return self.submit(
            lambda c: frontier.lease(
                c,
                crawl_id=run.crawl_id,
                owner=self.owner,
                limit=limit,
                per_host=per_host,
                pages_per_host=pages_per_host,
                sitemaps_per_host=sitemaps_per_host,
                busy=busy,
                now=now,
            )
        )

    def renew(self) -> Future[None]:
        run, now = self.run, datetime.now(UTC)
        return self.submit(
            lambda c: frontier.renew(c, crawl_id=run.crawl_id, owner=self.owner, now=now)
        )

    def pause_host(self, host: str, until: datetime) -> Future[None]:
        return self.submit(lambda c: frontier.pause_host(c, host, until))

    def store_robots(
        self, host: str, scheme: str, copy: RobotsCopy, crawl_delay: float | None
    ) -> Future[None]:
        """Keep the robots.txt of an origin, for the times when its server does not answer; nobody waits for it."""
        origin = frontier.OriginRobots(host, scheme, copy, crawl_delay)
        return self._writer.submit_to(_store_robots, origin, can_wait=True)

    def robots_of(self, host: str, scheme: str) -> Future[RobotsCopy | None]:
        return self.submit(lambda c: frontier.robots_of(c, host, scheme))

    # --- documents -------------------------------------------------------------------------------

    def write_capture(self, capture: Capture) -> WarcPosition:
        """Append to the run's WARC file; durable before any row that points there. Raises StoreError."""
        assert self._warc is not None, "begin(warc=True) comes first"
        crash_point("after_fetch")
        try:
            return self._warc.write(capture)
        except OSError as error:
            raise refusal(error, str(self.location.warc_directory / self._warc.name)) from None

    def commit(self, document: Document, *, can_wait: bool = False) -> Future[Stored]:
        """Store a document and acknowledge its URL in one transaction.

        `can_wait`: more documents are about to come, and it may wait for them for a moment.
        """
        return self._writer.submit_to(self._store_documents, document, can_wait=can_wait)

    def _store_documents(
        self, connection: sa.Connection, batch: Sequence[Document]
    ) -> list[Stored]:
        _store_beside_others(connection)
        return batches.store(connection, self.run, batch)

    def store_again(self, document: Document, capture_id: int) -> Stored:
        """Take over a new reading of a stored capture; waits for the commit."""

        def work(connection: sa.Connection) -> Stored:
            _store_beside_others(connection)
            return storing.store_again(connection, document, capture_id)

        return self.submit(work).result()

    def commit_new(self, discovery: Discovery, document: Document) -> Future[Stored]:
        """Enter a URL that no run leased, and store its document: an imported capture."""
        run = self.run

        def work(connection: sa.Connection) -> Stored:
            _store_beside_others(connection)
            frontier.discover(
                connection,
                [discovery],
                crawl_id=run.crawl_id,
                event_id=run.event_id,
                now=document.finished_at,
            )
            if frontier.purged(connection, [document.url_id]):
                return Stored.NOT_ARTICLE
            return storing.store(connection, run, document)

        return self.submit(work)

    def store_imported(self, batch: Sequence[Document]) -> Future[list[Stored]]:
        """Store ready articles in one transaction, without comparing them: `settle` does that."""
        run = self.run

        def work(connection: sa.Connection) -> list[Stored]:
            _store_beside_others(connection)
            return imported.store_batch(connection, run, batch)

        return self.submit(work)

    def settle(self) -> Future[Settled]:
        """Recompute matches and stories over the whole archive; on PostgreSQL while no other process stores."""
        future = self.submit(_settle_alone)
        future.add_done_callback(lambda _: crash_point("after_settle"))
        return future

    def shortage(self) -> str | None:
        """One line when the disk has less room than a crawl needs, else None."""
        return shortage(self.location.directory, self._min_free)


def _store_robots(connection: sa.Connection, batch: Sequence[frontier.OriginRobots]) -> list[None]:
    frontier.store_robots(connection, batch)
    return [None] * len(batch)


def _store_beside_others(connection: sa.Connection) -> None:
    """Any number of processes store at once, but none while another one settles."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock_shared(:key, :settling)"),
            {"key": _ADVISORY_NAMESPACE, "settling": _SETTLING},
        )


def _settle_alone(connection: sa.Connection) -> Settled:
    """Settling reads the articles several times: they must be the same ones every time."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(:key, :settling)"),
            {"key": _ADVISORY_NAMESPACE, "settling": _SETTLING},
        )
    return settle(connection)


def _store_event(connection: sa.Connection, profile: Profile, now: datetime) -> None:
    values = {
        "title": profile.event.title,
        "profile": profile.to_json(),
        "profile_sha256": profile.sha256,
        "updated_at": now,
    }
    connection.execute(
        upsert(connection, events)
        .values(id=profile.event.id, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
    for source in sorted(profile.sources, key=lambda one: one.domain):
        fields = {
            "name": source.name,
            "country": source.country,
            "language": source.language,
            "kind": source.kind,
        }
        connection.execute(
            upsert(connection, sources)
            .values(event_id=profile.event.id, domain=source.domain, **fields)
            .on_conflict_do_update(index_elements=["event_id", "domain"], set_=fields)
        )
    outlets.refresh(connection)


def _is_fresh_start(connection: sa.Connection) -> bool:
    """Whether the crawl before this one came to its end: then budgets begin anew."""
    last = connection.execute(
        sa.select(crawls.c.finish_reason)
        .where(crawls.c.kind == "crawl")
        .order_by(crawls.c.id.desc())
        .limit(1)
    ).first()
    return last is None or last.finish_reason == "finished"


def live_runs(connection: sa.Connection, *, besides: int) -> list[tuple[int, str]]:
    """Number and owner of the runs of other processes that are under way, by number. PostgreSQL only has such."""
    dead = set(_dead_runs(connection))
    rows = connection.execute(
        sa.select(crawls.c.id, crawls.c.owner)
        .where(crawls.c.finished_at.is_(None), crawls.c.id != besides)
        .order_by(crawls.c.id)
    )
    return [(row.id, row.owner) for row in rows if (row.id, row.owner) not in dead]


def _dead_runs(connection: sa.Connection) -> list[tuple[int, str]]:
    """Unfinished runs whose process is gone. On SQLite that is all of them: the writer lock is ours."""
    open_runs = [
        (row.id, row.owner)
        for row in connection.execute(
            sa.select(crawls.c.id, crawls.c.owner)
            .where(crawls.c.finished_at.is_(None))
            .order_by(crawls.c.id)
        )
    ]
    if connection.dialect.name != "postgresql":
        return open_runs
    dead = []
    for crawl_id, owner in open_runs:
        keys = {"key": _ADVISORY_NAMESPACE, "run": crawl_id}
        if connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:key, :run)"), keys):
            dead.append((crawl_id, owner))
    return dead

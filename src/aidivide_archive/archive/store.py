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

from aidivide_archive.archive.documents import storing
from aidivide_archive.archive.documents.events import store_event
from aidivide_archive.archive.documents.reading_again import store_again
from aidivide_archive.archive.ledger import entering, frontier, robots_copies, runs
from aidivide_archive.archive.ledger.frontier import Lease
from aidivide_archive.archive.ledger.runs import Run
from aidivide_archive.archive.schema import urls
from aidivide_archive.archive.settling.settlement import Settled, settle
from aidivide_archive.archive.sql import views
from aidivide_archive.archive.storage import locks, migrate
from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.archive.storage.engine import (
    REVISION,
    check_version,
    current_revision,
    one_line,
    write_engine,
)
from aidivide_archive.archive.storage.location import Location, Place
from aidivide_archive.archive.storage.locks import WriterLock
from aidivide_archive.archive.storage.space import (
    WalWatch,
    is_full,
    refusal,
    shortage,
)
from aidivide_archive.archive.storage.writer import Writer
from aidivide_archive.config import Profile
from aidivide_archive.environment import MIN_FREE_BYTES
from aidivide_archive.exceptions import StoreError
from aidivide_archive.model import (
    Capture,
    Channel,
    Discovery,
    Document,
    Reason,
    RobotsCopy,
    RunKind,
    Stored,
    UrlKind,
    UrlState,
    WarcPosition,
)
from aidivide_archive.urls import host_of, site, url_key
from aidivide_archive.warc.records import WarcWriter

T = TypeVar("T")


class Archive:
    """An archive opened for writing, made when it is missing. Use as a context manager; one per process.

    `place`: its location or directory; None: as the commands choose (environment, else ./archive).
    Raises ArchiveLockedError, SchemaVersionError, StoreError.
    """

    def __init__(self, place: Place | None = None, *, wait: bool = False) -> None:
        self.location = location = Location.at(place)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._warc: WarcWriter | None = None
        self._run: Run | None = None
        self._min_free, wal = MIN_FREE_BYTES.in_effect, WalWatch(location)
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
                locks.create_alone(connection)
                revision = current_revision(connection)
                if revision is None or (revision == REVISION and not views.are_current(connection)):
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
            if self._run is not None:
                locks.show_alive_again(raw, self._engine.dialect, self._run.crawl_id)

    def _sync_warc(self) -> None:
        if self._warc is not None:
            self._warc.sync()

    # --- runs ------------------------------------------------------------------------------------

    def begin(
        self, kind: RunKind | str, profile: Profile | None = None, *, warc: bool = False
    ) -> Run:
        """Start a run: its row, its event, the leases of dead runs given back, its WARC file if wanted."""
        kind, now = RunKind(kind), datetime.now(UTC)
        event_id = profile.event.id if profile else None
        barren_pages = profile.limits.barren_pages if profile else 0

        def work(connection: sa.Connection) -> int:
            if profile is not None:
                store_event(connection, profile, now)
            return runs.begin(connection, kind, event_id, self.owner, now)

        crawl_id = self.submit(work).result()
        is_crawl = kind is RunKind.CRAWL
        self._run = Run(crawl_id, event_id, is_crawl=is_crawl, barren_pages=barren_pages)
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
            file_id = self.submit(lambda c: runs.enter_warc_file(c, crawl_id, name)).result()
            self._run = replace(self._run, warc_file_id=file_id)
        return self._run

    @property
    def run(self) -> Run:
        assert self._run is not None, "begin() comes first"
        return self._run

    def finish(self, reason: str, stats: dict[str, Any] | None = None) -> None:
        """Close the run's row and give back what it still holds."""
        now, crawl_id = datetime.now(UTC), self.run.crawl_id
        self.submit(lambda c: runs.finish(c, crawl_id, self.owner, reason, stats, now)).result()

    # --- the frontier ----------------------------------------------------------------------------

    def discover(self, found: Iterable[Discovery]) -> Future[int]:
        """Enter URLs into the ledger; the future gives how many were new."""
        found, run, now = tuple(found), self.run, datetime.now(UTC)
        return self.submit(
            lambda c: entering.discover(
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
        origin = robots_copies.OriginRobots(host, scheme, copy, crawl_delay)
        return self._writer.submit_to(_store_robots, origin, can_wait=True)

    def robots_of(self, host: str, scheme: str) -> Future[RobotsCopy | None]:
        return self.submit(lambda c: robots_copies.robots_of(c, host, scheme))

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
        locks.store_beside_others(connection)
        return storing.store(connection, self.run, batch)

    def store_again(self, document: Document, capture_id: int) -> Stored:
        """Take over a new reading of a stored capture; waits for the commit."""

        def work(connection: sa.Connection) -> Stored:
            locks.store_beside_others(connection)
            return store_again(connection, document, capture_id)

        return self.submit(work).result()

    def commit_new(self, discovery: Discovery, document: Document) -> Future[Stored]:
        """Enter a URL that no run leased, and store its document: an imported capture."""
        run = self.run

        def work(connection: sa.Connection) -> Stored:
            locks.store_beside_others(connection)
            return storing.store_unleased(connection, run, [(discovery, document)])[0]

        return self.submit(work)

    def store_imported(self, batch: Sequence[Document]) -> Future[list[Stored]]:
        """Store ready articles in one transaction, without comparing them: `settle` does that."""
        run = self.run
        entries = [(_found_by_import(document), document) for document in batch]

        def work(connection: sa.Connection) -> list[Stored]:
            locks.store_beside_others(connection)
            stored = storing.store_unleased(connection, run, entries, compare=False)
            crash_point("in_import_batch")
            return stored

        return self.submit(work)

    def settle(self) -> Future[Settled]:
        """Recompute matches and stories over the whole archive; on PostgreSQL while no other process stores."""
        future = self.submit(_settle_alone)
        future.add_done_callback(lambda _: crash_point("after_settle"))
        return future

    def shortage(self) -> str | None:
        """One line when the disk has less room than a crawl needs, else None."""
        return shortage(self.location.directory, self._min_free)


def _store_robots(
    connection: sa.Connection, batch: Sequence[robots_copies.OriginRobots]
) -> list[None]:
    robots_copies.store_robots(connection, batch)
    return [None] * len(batch)


def _found_by_import(document: Document) -> Discovery:
    return Discovery(
        id=document.url_id,
        url=document.url,
        url_key=url_key(document.url),
        host=host_of(document.url),
        site=site(document.url),
        kind=UrlKind.PAGE,
        channel=Channel.IMPORT,
        depth=0,
    )


def _settle_alone(connection: sa.Connection) -> Settled:
    locks.settle_alone(connection)
    return settle(connection)

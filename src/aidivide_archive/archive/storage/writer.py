"""The one thread that writes: many callers, one transaction at a time, group commit.

Callers hand over a function of a connection and get a `Future`, which is resolved after the COMMIT that holds the
function's effects. What is queued while a commit runs goes into the next one, so batches grow with the load. Work of
one kind that is queued together is done together (`submit_to`): a statement for twenty documents costs little more
than one for a single document. So a caller who knows that more is on its way may say that a piece can wait for it.
"""

from __future__ import annotations

import queue
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    StatementError,
)

from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.archive.storage.engine import one_line
from aidivide_archive.archive.storage.space import refusal
from aidivide_archive.exceptions import ArchiveError, StoreError

T = TypeVar("T")
P = TypeVar("P")
Work = Callable[[sa.Connection], T]
BatchWork = Callable[[sa.Connection, Sequence[P]], Sequence[T]]
"""Does the work of several callers; the results are parallel to what they handed over."""

BATCH_LIMIT = 64
"""Pieces of work in one transaction at most: what a failure costs stays small."""
BATCH_SECONDS = 1.0
"""A transaction takes no further work after this long."""
GATHER_SECONDS = 0.25
"""How long pieces that can wait do wait for further ones."""
RETRIES = 5
RETRY_SECONDS = 0.1
"""First pause before a retry; doubles, with jitter: about 3 s in all."""

# PostgreSQL: serialization failure, deadlock, and the ways a server goes away (class 08, 57P0x).
_TRANSIENT_STATES = ("40001", "40P01", "08", "57P")


@dataclass(eq=False)
class _Item:
    work: Work[Any] | None
    """What to do; None for a piece of `batch`."""
    batch: BatchWork[Any, Any] | None = None
    piece: Any = None
    can_wait: bool = False
    future: Future[Any] = field(default_factory=Future)
    result: Any = None


class Writer:
    """Owns the write connection and its thread."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        before_commit: Callable[[], None],
        after_commit: Callable[[sa.Connection], None] = lambda _: None,
        at_end: Callable[[sa.Connection], None] = lambda _: None,
        where: str = "the database",
    ) -> None:
        """`before_commit` runs ahead of every COMMIT (WARC files are synced there); it may raise OSError.

        `after_commit` runs behind it and `at_end` once at the end, both outside a transaction; they must not
        raise. `where` names the archive in messages.
        """
        self._engine = engine
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._at_end = at_end
        self._where = where
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._failure: StoreError | None = None
        self._closed = False
        self._gate = threading.Lock()  # nothing is queued behind the end
        self._connection: sa.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="archive-writer", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> StoreError | None:
        """The storage failure after which nothing more is accepted; None while all is well."""
        return self._failure

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue `work`; the future holds its result once committed, or the reason it was not.

        `work` may run more than once (after a rolled-back batch), so it must only touch its connection.
        """
        return self._enter(_Item(work))

    def submit_to(self, batch: BatchWork[P, T], piece: P, *, can_wait: bool = False) -> Future[T]:
        """Queue one piece of work for `batch`, which is called with all of its pieces of one transaction.

        Pieces never change places with work of `submit`, but those of one batch come together. Where the call
        fails, each piece is tried alone. `can_wait`: up to `GATHER_SECONDS`, for others to share the transaction.
        """
        return self._enter(_Item(None, batch, piece, can_wait))

    def _enter(self, item: _Item) -> Future[Any]:
        item.future.set_running_or_notify_cancel()  # a caller that gives up cannot take it back
        with self._gate:
            if self._closed:
                item.future.set_exception(StoreError("the archive is closed"))
            elif self._failure is not None:
                item.future.set_exception(self._failure)
            else:
                self._queue.put(item)
        return item.future

    def close(self) -> None:
        """Write what is queued, then end the thread."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def stop(self, seconds: float) -> None:
        """End as soon as what is under way is written or `seconds` are over; what is queued is not written."""
        with self._gate:
            self._closed = True
            with suppress(queue.Empty):
                while True:
                    item = self._queue.get_nowait()
                    if item is not None:
                        item.future.set_exception(StoreError("the archive is closed"))
            self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        ended = False
        while not ended:
            first = self._queue.get()
            if first is None:
                break
            ended = self._batch(first)
        if self._connection is not None and self._failure is None:
            self._at_end(self._connection)
        self._disconnect()

    def _batch(self, first: _Item) -> bool:
        """One transaction: `first` and whatever is queued meanwhile. Returns whether the end was asked for."""
        if self._failure is not None:
            first.future.set_exception(self._failure)
            return False
        items, ended = self._gather(first)
        is_first_try = True

        def line() -> Iterator[_Item]:
            nonlocal ended
            deadline = time.monotonic() + BATCH_SECONDS
            yield from items.copy()
            while not ended and len(items) < BATCH_LIMIT and time.monotonic() < deadline:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    return
                if item is None:
                    ended = True
                else:
                    items.append(item)
                    yield item

        def work(connection: sa.Connection) -> None:
            nonlocal is_first_try
            again = None if is_first_try else tuple(items)  # the last try was rolled back
            is_first_try = False
            _work_off(connection, again or line())

        try:
            self._transaction(work)
        except StoreError as error:
            self._fail(items, error)
        except Exception as error:  # noqa: BLE001  # one bad piece of work: find it, keep the others
            if len(items) <= 1:
                first.future.set_exception(error)
            else:
                self._one_by_one(items)
        else:
            for item in items:
                item.future.set_result(item.result)
        return ended

    def _gather(self, first: _Item) -> tuple[list[_Item], bool]:
        """`first` and, as long as none of them is waited for, what follows it; and whether the end was asked for."""
        items = [first]
        deadline = time.monotonic() + GATHER_SECONDS
        while items[-1].can_wait and len(items) < BATCH_LIMIT:
            try:
                item = self._queue.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                break
            if item is None:
                return items, True
            items.append(item)
        return items, False

    def _one_by_one(self, items: list[_Item]) -> None:
        for position, item in enumerate(items):
            try:
                self._transaction(partial(_work_off, line=(item,)))
            except StoreError as error:
                self._fail(items[position:], error)
                return
            except Exception as error:  # noqa: BLE001  # handed to the caller of this piece alone
                item.future.set_exception(error)
            else:
                item.future.set_result(item.result)

    def _fail(self, items: list[_Item], error: StoreError) -> None:
        self._failure = error
        for item in items:
            item.future.set_exception(error)

    def _transaction(self, work: Work[T]) -> T:
        pause = RETRY_SECONDS
        attempted = _Attempt()
        for attempt in range(RETRIES + 1):
            try:
                connection = self._connected()
                if attempted.is_committed(connection):
                    return attempted.result  # type: ignore[no-any-return]  # what `work` returned
                with connection.begin():
                    attempted.result = work(connection)
                    crash_point("before_sync")
                    self._before_commit()
                    attempted.remember(connection)
                    crash_point("before_commit")
                crash_point("after_commit")
                self._after_commit(connection)
                return attempted.result  # type: ignore[no-any-return]
            except (IntegrityError, DataError, ProgrammingError, UnicodeError) as error:
                raise ArchiveError(f"a row was refused: {one_line(error)}") from error
            except DBAPIError as error:
                if attempt == RETRIES or not _is_transient(error):
                    raise refusal(error, self._where) from error
                self._disconnect()
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  # jitter, not a secret
                pause *= 2
            except StatementError as error:  # a value that no column takes
                raise ArchiveError(f"a row was refused: {one_line(error)}") from error
            except OSError as error:
                raise refusal(error, self._where) from error
        raise AssertionError("unreachable")

    def _connected(self) -> sa.Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except DBAPIError:
                connection.invalidate()


class _Attempt:
    """One transaction, so that a COMMIT whose answer was lost is not done twice.

    PostgreSQL keeps the fate of a transaction number, over a crash and a restart too; SQLite's COMMIT has no wire.
    """

    def __init__(self) -> None:
        self.result: Any = None
        self._number: str | None = None

    def remember(self, connection: sa.Connection) -> None:
        """Ask for the transaction's number: the last statement before its COMMIT."""
        if connection.dialect.name == "postgresql":
            statement = sa.text("SELECT pg_current_xact_id_if_assigned()::text")
            self._number = connection.scalar(statement)

    def is_committed(self, connection: sa.Connection) -> bool:
        """Whether an earlier attempt got through. A transaction that still runs counts as a passing fault."""
        if self._number is None:
            return False
        with connection.begin():
            fate = connection.scalar(
                sa.text("SELECT pg_xact_status(CAST(CAST(:number AS text) AS xid8))"),
                {"number": self._number},
            )
        if fate == "in progress":
            raise OperationalError("pg_xact_status", {}, _StillRunningError())
        self._number = None
        return bool(fate == "committed")


class _StillRunningError(Exception):
    """The server has not noticed yet that the connection of a transaction is gone."""


def _work_off(connection: sa.Connection, line: Iterable[_Item]) -> None:
    """Do the work of `line` in its order; pieces of one batch that no other work stands between go in one call."""
    for is_alone, neighbours in groupby(line, key=lambda item: item.batch is None):
        if is_alone:
            for item in neighbours:
                assert item.work is not None
                item.result = item.work(connection)
            continue
        together: dict[BatchWork[Any, Any], list[_Item]] = {}
        for item in neighbours:
            assert item.batch is not None
            together.setdefault(item.batch, []).append(item)
        for batch, pieces in together.items():
            results = batch(connection, [item.piece for item in pieces])
            for item, result in zip(pieces, results, strict=True):
                item.result = result


def _is_transient(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):  # only a lock is worth waiting for
        return "locked" in str(error.orig)
    state = getattr(error.orig, "sqlstate", None)  # psycopg: none when the server is out of reach
    return state is None or str(state).startswith(_TRANSIENT_STATES)

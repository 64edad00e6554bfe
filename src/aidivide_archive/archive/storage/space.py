"""Room on the disk: the floor under which no URL is handed out, the growth of SQLite's log, and words for a full disk."""

from __future__ import annotations

import errno
import logging
import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.archive.storage.engine import BUSY_TIMEOUT_MS, one_line
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.environment import MIN_FREE_BYTES, WAL_ALARM_BYTES
from aidivide_archive.exceptions import StoreError

logger = logging.getLogger(__name__)

WAL_SECONDS = 5.0
"""Between two attempts to shorten a log that is too long."""
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_FULL_STATE = "53100"  # PostgreSQL: disk_full


def shortage(directory: Path, floor: int) -> str | None:
    """One line when less than `floor` bytes are free where the archive lies, else None."""
    if not floor:
        return None
    try:
        free = shutil.disk_usage(directory).free
    except OSError as error:
        return f"{directory} cannot be asked for its free space: {error.strerror}"
    if free >= floor:
        return None
    return f"{free / 1e6:,.0f} MB are free in {directory}, {floor / 1e6:,.0f} MB must be ({MIN_FREE_BYTES.name})"


def refusal(error: BaseException, where: str) -> StoreError:
    """A failed write in one line: what happened, where, what to do."""
    words = one_line(error).rstrip(".")
    if isinstance(error, OSError):
        words = error.strerror or words
    if is_full(error):
        todo = "make room on the disk"
    elif isinstance(error, OSError):
        todo = "see to the disk"
    else:
        todo = "see to the database"
    return StoreError(
        f"cannot write {where}: {words}; {todo} and repeat the command: what was stored is safe"
    )


def is_full(error: BaseException) -> bool:
    """Whether a write failed for want of room: ENOSPC, a quota, a limit on the size of files."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        return cause.errno in _FULL
    if isinstance(cause, sqlite3.Error):  # a write past a limit of the file system is an I/O error
        return "full" in str(cause) or "disk I/O" in str(cause)
    return getattr(cause, "sqlstate", None) == _FULL_STATE


class WalWatch:
    """Watches the length of SQLite's write-ahead log; does nothing on PostgreSQL."""

    def __init__(self, location: Location) -> None:
        self._path = (
            location.database_path.with_name(f"{location.database_path.name}-wal")
            if location.is_sqlite
            else None
        )
        self._limit = WAL_ALARM_BYTES.in_effect
        self._is_long = False
        self._next_try = 0.0

    def after_commit(self, connection: sa.Connection) -> None:
        """Report a log that is too long once, and that it was shortened once; outside a transaction."""
        if self._path is None:
            return
        if self._is_long and time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + WAL_SECONDS
            _checkpoint(connection, "TRUNCATE")
        size = self._size()
        if size > self._limit and not self._is_long:
            self._is_long = True
            logger.warning(
                "%s has grown to %.0f MB: a reader has been open for long. Writing goes on; "
                "the file shrinks when the reader ends",
                self._path, size / 1e6,
            )  # fmt: skip
        elif self._is_long and size <= self._limit:
            self._is_long = False
            logger.warning("%s is short again: %.0f MB", self._path, size / 1e6)

    def at_end(self, connection: sa.Connection) -> None:
        """Leave a short log behind, whoever still reads."""
        if self._path is not None:
            _checkpoint(connection, "PASSIVE")

    def _size(self) -> int:
        assert self._path is not None
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


def _checkpoint(connection: sa.Connection, mode: str) -> None:
    """Copy SQLite's log into the database as far as readers let us, without waiting for them.

    What fails here is in the log all the same: nothing is lost.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    with suppress(sqlite3.Error):
        raw.execute("PRAGMA busy_timeout = 0")
        crash_point("during_checkpoint")
        raw.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

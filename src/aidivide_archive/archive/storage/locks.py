"""Who may write: one process at a time on SQLite; on PostgreSQL any number, but none beside one that settles.

PostgreSQL tells the living runs from the dead ones by advisory locks, which end with the connection that holds them.
On SQLite every unfinished run but one's own is dead, because the writer lock is ours.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from aidivide_archive.archive.storage.location import Location
from aidivide_archive.exceptions import ArchiveLockedError, StoreError

_NAMESPACE = 0x41494456
"""First key of our PostgreSQL advisory locks ("AIDV"); the second is the number of the run, from 1."""
_CREATING = 0
"""Second key of the lock under which the schema of a new archive is made."""
_SETTLING = -1
"""Second key of the lock that storing shares and settling holds alone."""


class WriterLock:
    """One writing process per SQLite archive: an advisory lock on `writer.lock`, which holds the pid.

    The kernel releases it when the process dies, however it dies.
    """

    def __init__(self, location: Location, *, wait: bool = False) -> None:
        self._file: IO[str] | None = None
        if location.is_sqlite:
            self._file = _locked_file(location.directory / "writer.lock", wait=wait)

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _locked_file(path: Path, *, wait: bool) -> IO[str]:
    try:
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW  # the file is cut to nothing below
        file = os.fdopen(os.open(path, flags, 0o600), "r+")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        holder = file.read(32).strip() or "unknown"
        file.close()
        raise ArchiveLockedError(
            f"another process (pid {holder}) is writing {path.parent}: wait for it, or repeat the command with --wait"
        ) from None
    with suppress(OSError):  # the pid is a courtesy; the lock holds on a full disk too
        file.truncate(0)
        os.pwrite(file.fileno(), f"{os.getpid()}\n".encode(), 0)
    return file


def create_alone(connection: sa.Connection) -> None:
    """Until the end of the transaction, no other process makes or checks the schema."""
    _lock_transaction(connection, "pg_advisory_xact_lock", _CREATING)


def store_beside_others(connection: sa.Connection) -> None:
    """Any number of processes store at once, but none while another one settles."""
    _lock_transaction(connection, "pg_advisory_xact_lock_shared", _SETTLING)


def settle_alone(connection: sa.Connection) -> None:
    """Settling reads the articles several times: they must be the same ones every time."""
    _lock_transaction(connection, "pg_advisory_xact_lock", _SETTLING)


def _lock_transaction(connection: sa.Connection, function: str, key: int) -> None:
    if connection.dialect.name == "postgresql":
        keys = {"namespace": _NAMESPACE, "key": key}
        connection.execute(sa.text(f"SELECT {function}(:namespace, :key)"), keys)


def show_alive(connection: sa.Connection, run: int) -> None:
    """Hold a run's lock for as long as the connection lives, so that other processes see the run alive."""
    if connection.dialect.name == "postgresql":
        keys = {"namespace": _NAMESPACE, "run": run}
        connection.execute(sa.text("SELECT pg_advisory_lock_shared(:namespace, :run)"), keys)


def show_alive_again(raw: Any, dialect: sa.Dialect, run: int) -> None:
    """The same for a new driver connection that takes the place of a lost one."""
    if dialect.name == "postgresql":
        with raw.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock_shared(%s, %s)", (_NAMESPACE, run))
        raw.commit()


def is_dead(connection: sa.Connection, run: int) -> bool:
    """Whether no process holds the lock of an unfinished run."""
    if connection.dialect.name != "postgresql":
        return True
    keys = {"namespace": _NAMESPACE, "run": run}
    statement = sa.text("SELECT pg_try_advisory_xact_lock(:namespace, :run)")
    return bool(connection.scalar(statement, keys))

"""Open the database: connections, their settings, the writer lock, the schema's version."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from aidivide_archive.archive.storage.location import Location
from aidivide_archive.exceptions import (
    ConfigError,
    MissingArchiveError,
    SchemaVersionError,
    StoreError,
)

REVISION = "0009"
"""The migration this program works with; a test holds it equal to the newest file in `migrations/versions`."""

BUSY_TIMEOUT_MS = 10_000
WAL_LIMIT_BYTES = 64 << 20


def read_engine(location: Location) -> sa.Engine:
    """An engine that cannot write: `mode=ro` on SQLite, read-only transactions on PostgreSQL.

    Raises MissingArchiveError when there is no archive, SchemaVersionError when it is of another version.
    """
    if location.is_sqlite and not location.database_path.is_file():
        raise MissingArchiveError(
            f"no archive in {location.directory}: crawl or import into it first, or name another one with --archive DIR"
        )
    make = _sqlite if location.is_sqlite else _postgresql
    engine = make(location, write=False)
    if not location.is_sqlite:
        engine = engine.execution_options(postgresql_readonly=True)
    try:
        with _readable(engine, location) as connection:
            check_version(connection, location)
    except BaseException:
        engine.dispose()
        raise
    return engine


def write_engine(location: Location) -> sa.Engine:
    """An engine for the writer thread. Creates the directories; the schema is `migrate.upgrade`'s work."""
    try:
        for folder in (location.directory, location.warc_directory):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"cannot create the archive in {location.directory}: {error.strerror}"
        ) from None
    if not location.is_sqlite:
        return _postgresql(location, write=True)
    try:
        if not location.database_path.exists():  # 0600 from the first byte on
            flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW
            os.close(os.open(location.database_path, flags, 0o600))
    except OSError as error:
        raise StoreError(f"cannot write {location.database_path}: {error.strerror}") from None
    return _sqlite(location, write=True)


def current_revision(connection: sa.Connection) -> str | None:
    """The migration the database is at; None for a database without tables of ours."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def check_version(connection: sa.Connection, location: Location) -> None:
    """Raise SchemaVersionError unless the database is at this program's schema."""
    revision = current_revision(connection)
    if revision == REVISION:
        return
    if revision is None:
        raise MissingArchiveError(
            f"the database of {location.shown()} holds no archive: crawl or import into it first"
        )
    if revision > REVISION:
        raise SchemaVersionError(
            f"the archive {location.shown()} was written by a newer version "
            f"(schema {revision}, this program knows {REVISION}): update aidivide-archive"
        )
    raise SchemaVersionError(
        f"the archive {location.shown()} has schema {revision}, this program needs {REVISION}: "
        "run `aidivide db upgrade`"
    )


def _sqlite(location: Location, *, write: bool) -> sa.Engine:
    path = quote(str(location.database_path.absolute()))
    mode = "rw" if write else "ro"
    if not write and _is_at_rest(location):
        mode += "&immutable=1"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{path}?mode={mode}",
            uri=True,
            isolation_level=None,  # BEGIN is ours: deferred transactions fail under contention
            check_same_thread=False,
            timeout=BUSY_TIMEOUT_MS / 1000,
        )

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def configure(raw: sqlite3.Connection, _record: object) -> None:
        raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA cache_size = -65536")
        if write:
            raw.execute("PRAGMA journal_mode = WAL")
            raw.execute("PRAGMA synchronous = FULL")  # an acknowledged URL survives a power cut
            raw.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        else:
            raw.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _is_at_rest(location: Location) -> bool:
    """Whether nobody can be writing: no WAL, and a directory where SQLite could not make one to read with."""
    wal = location.database_path.with_name(location.database_path.name + "-wal")
    return not wal.exists() and not os.access(location.directory, os.W_OK)


def _postgresql(location: Location, *, write: bool) -> sa.Engine:
    assert location.database_url is not None
    # A reader's statements are planned for the values they come with: from its sixth time on, a prepared one has a plan
    # for any words and any limit, which looks at every article in order of id (0.7 s of 100,000 instead of 5 ms).
    options = {} if write else {"prepare_threshold": None}
    url = sa.make_url(location.database_url).set(drivername="postgresql+psycopg")
    try:
        return sa.create_engine(url, pool_pre_ping=True, pool_size=2, connect_args=options)
    except ModuleNotFoundError:
        raise ConfigError(
            "PostgreSQL needs psycopg: pip install 'aidivide-archive[postgres]'"
        ) from None


@contextmanager
def _readable(engine: sa.Engine, location: Location) -> Iterator[sa.Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise StoreError(unreadable(error, location)) from None


def unreadable(error: DBAPIError, location: Location) -> str:
    """SQLite needs 32 KB beside the database even to read, and calls a full disk an I/O error."""
    todo = "; is the disk full?" if "disk I/O" in str(error.orig) else ""
    return f"cannot read the archive {location.shown()}: {one_line(error)}{todo}"


def one_line(error: BaseException) -> str:
    """The database's own words in one line, without the statement and its values."""
    cause: Any = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:300]

"""New archives for tests, on each engine, without running the migrations for each of them.

An archive is made once a process and engine; SQLite archives are copies of it, and a PostgreSQL database is emptied
and handed out again. That an archive comes from nothing is shown by tests/archive/storage/test_migrations.py.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location

ENV_POSTGRES = "AIDIVIDE_TEST_POSTGRES"
"""URL of a PostgreSQL database whose role may create databases."""
LOCAL_POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
ENGINES = ("sqlite", "postgresql")
LARGEST_REUSED_BYTES = 24 << 20
"""A database of this size is dropped instead of emptied; a new one has 8 MB."""


# --- PostgreSQL ----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def postgres_server() -> tuple[sa.URL | None, str]:
    """The server for tests; without one, None and the reason."""
    named = os.environ.get(ENV_POSTGRES)
    url = sa.make_url(named or LOCAL_POSTGRES).set(drivername="postgresql+psycopg")
    try:
        psycopg.connect(_dsn(url), connect_timeout=2).close()
    except psycopg.Error as error:
        words = " ".join(str(error).split())[:200]
        if named:
            raise pytest.UsageError(f"{ENV_POSTGRES} does not answer: {words}") from None
        return None, f"no PostgreSQL on 127.0.0.1:5432, and {ENV_POSTGRES} is not set: {words}"
    return url, ""


def _dsn(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _server() -> sa.URL:
    """Skips the test when there is no server."""
    server, why_not = postgres_server()
    if server is None:
        pytest.skip(why_not)
    return server


def _create_database(server: sa.URL) -> sa.URL:
    name = f"aidivide_test_{os.getpid()}_{secrets.token_hex(4)}"
    with psycopg.connect(_dsn(server), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        # no test cuts this server's power; those that stop one hard start their own
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    return server.set(database=name)


def _drop_database(server: sa.URL, url: sa.URL) -> None:
    with psycopg.connect(_dsn(server), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{url.database}" WITH (FORCE)')


@contextmanager
def postgres_database() -> Iterator[str]:
    """URL of a new database without any table; it is dropped afterwards."""
    server = _server()
    url = _create_database(server)
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        _drop_database(server, url)


# Whatever a schema change alters: relations, columns, constraints, triggers. Statistics count as well, because the
# planner would know of rows of an earlier test.
_SHAPE = """
SELECT (SELECT array_agg((oid, relname) ORDER BY oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace)::text,
  (SELECT array_agg((attrelid, attname, atttypid, attnotnull) ORDER BY attrelid, attnum) FROM pg_attribute
   JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace)::text,
  (SELECT array_agg((oid, convalidated) ORDER BY oid) FROM pg_constraint)::text,
  (SELECT array_agg((oid, tgenabled) ORDER BY oid) FROM pg_trigger)::text,
  (SELECT count(*) FROM pg_statistic JOIN pg_class ON pg_class.oid = starelid
   WHERE relnamespace = 'public'::regnamespace),
  (SELECT version_num FROM alembic_version)
"""


class _Database:
    """A migrated database that serves one test after the other."""

    def __init__(self, server: sa.URL) -> None:
        self.server = server
        self.url = _create_database(server)
        with tempfile.TemporaryDirectory() as folder:
            Archive(Location(Path(folder), self.shown)).close()
        engine, found = sa.create_engine(self.url), sa.MetaData()
        found.reflect(engine)
        engine.dispose()
        names = [table.name for table in reversed(found.sorted_tables)]
        self._tables = [name for name in names if name != "alembic_version"]
        with psycopg.connect(_dsn(self.url)) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()

    @property
    def shown(self) -> str:
        return self.url.render_as_string(hide_password=False)

    def empty(self) -> bool:
        """Whether the database is again as it was when it was new."""
        with psycopg.connect(_dsn(self.url), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            size: Any = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            if size[0] > LARGEST_REUSED_BYTES:
                return False
            try:
                if connection.execute(_SHAPE).fetchone() != self._shape:
                    return False
            except psycopg.errors.UndefinedTable:
                return False
            deletions = "".join(f"DELETE FROM {name}; " for name in self._tables)
            connection.execute(
                f"BEGIN; {deletions}"
                "SELECT setval(oid::regclass, 1, false) FROM pg_class "
                "WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace; COMMIT"
            )
        return True

    def drop(self) -> None:
        _drop_database(self.server, self.url)


_used: list[_Database] = []


@atexit.register
def _drop_used() -> None:
    while _used:
        _used.pop().drop()


@contextmanager
def _migrated_database() -> Iterator[str]:
    server = _server()
    database = None
    while _used and database is None:
        candidate = _used.pop()
        if candidate.empty():
            database = candidate
        else:
            candidate.drop()
    database = database or _Database(server)
    try:
        yield database.shown
    finally:
        _used.append(database)


# --- archives ------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _sqlite_archive() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="aidivide-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Archive(Location(folder / "archive")).close()
    return folder / "archive"


@contextmanager
def new_location(engine: str, folder: Path) -> Iterator[Location]:
    """A new archive below `folder`, without a row."""
    if engine == "sqlite":
        shutil.copytree(_sqlite_archive(), folder / "archive")
        yield Location(folder / "archive")
    else:
        with _migrated_database() as url:
            yield Location(folder / "archive", url)


@contextmanager
def nowhere(engine: str, folder: Path) -> Iterator[Location]:
    """Where no archive is yet."""
    if engine == "sqlite":
        yield Location(folder / "archive")
    else:
        with postgres_database() as url:
            yield Location(folder / "archive", url)

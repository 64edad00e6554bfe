"""One statement of a person, run so that it can only read, and only for a while.

SQLite: the file opened read only, an authorizer that knows reading and nothing else, a progress handler as the clock.
PostgreSQL: one statement by the extended protocol, where a second one cannot be sent, in a transaction that began READ
ONLY; so nothing can switch it back. What reads or changes the server rather than the archive is refused by name.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.storage.engine import one_line, read_engine
from aidivide_archive.archive.storage.location import Location, Place
from aidivide_archive.archive.storage.moments import iso
from aidivide_archive.exceptions import ConfigError, StoreError
from aidivide_archive.words import is_storable

MAX_CHARS = 100_000
_CLOCK_STEPS = 10_000
"""Steps of SQLite's machine between two looks at the clock: well under a millisecond."""
_LONGEST_VALUE = 64 << 20
"""Bytes of a text or row that a statement may make on SQLite."""
_FIRST_WORD = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)
_ALLOWED = ("SELECT", "WITH", "VALUES", "EXPLAIN")

# SQLite asks for leave of each of these actions when it compiles a statement (sqlite3_set_authorizer).
_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_RECURSIVE,
}
_FORBIDDEN_FUNCTIONS = {"load_extension", "fts3_tokenizer", "writefile", "readfile", "edit"}
_FTS_PRAGMA = "data_version"
"""The full-text engine looks at it by itself."""

# Functions that reach past the archive (files, other sessions, the server) or run SQL out of a text.
_SERVER = re.compile(
    r"""(?ix) (?<![a-z0-9_$])
    ( pg_read_\w+ | pg_ls_\w+ | pg_stat_file | pg_stat_reset\w* | pg_file_\w+ | pg_logdir_ls | pg_terminate_backend
    | pg_cancel_backend | pg_reload_conf | pg_rotate_logfile\w* | pg_switch_wal | pg_promote | pg_create_\w+ | pg_drop_\w+
    | pg_copy_\w+ | pg_logical_\w+ | pg_replication_\w+ | pg_export_snapshot | pg_backup_\w+ | pg_wal_replay_\w+
    | pg_notify | pg_(try_)?advisory\w+ | pg_hba_file_rules | pg_shadow | pg_authid | pg_user_mappings? | pg_execute_\w+
    | lo_\w+ | loread | lowrite | dblink\w* | set_config | \w+_to_xml\w* | ts_stat | ts_rewrite | pg_import_\w+
    | binary_upgrade\w* | currval | nextval | setval | txid_current | pg_current_xact_id )
    (?![a-z0-9_$]) | U&["']"""
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a statement, every value one that JSON can hold."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    is_cut: bool
    """Whether there were more rows than asked for."""


def ask(
    archive: Place, statement: str, *, limit: int = 1000, timeout_seconds: float = 5.0
) -> Answer:
    """Run one reading statement; at most `limit` rows. `archive`: its location, or its directory.

    Raises ConfigError for one that is refused or wrong, StoreError when it takes too long, and what opening raises.
    """
    location, text = Location.at(archive), _checked(statement)
    runner = _sqlite if location.is_sqlite else _postgresql
    with runner(location, text, timeout_seconds) as (columns, fetch):
        rows: list[tuple[object, ...]] = []
        for row in fetch():
            if len(rows) == limit:
                return Answer(_apart(columns), tuple(rows), is_cut=True)
            rows.append(tuple(map(_plain, row)))
    return Answer(_apart(columns), tuple(rows), is_cut=False)


def _checked(statement: str) -> str:
    text = statement.strip().rstrip(";").strip()
    if len(text) > MAX_CHARS:
        raise ConfigError(f"the statement has {len(text)} characters; {MAX_CHARS} are allowed")
    if not is_storable(text):
        raise ConfigError("the statement holds characters that no database takes")
    found = _FIRST_WORD.match(text)
    word = found[1].upper() if found else ""
    if word not in _ALLOWED:
        shown = f"not {word}" if word else "it has none"
        raise ConfigError(
            f"a statement begins with {', '.join(_ALLOWED)}, {shown}: only reading is allowed"
        )
    return text


def _apart(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns, each once, so that a row can be an object: "id", "id_2"."""
    seen: dict[str, int] = {}
    found = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(found)


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat(sep="T")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return str(value)


def _number(value: Decimal) -> int | float | None:
    """Whole only when it was written without decimals: 34.00 is a number with decimals, as SQLite has it."""
    if not value.is_finite():
        return None
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and exponent >= 0 else float(value)


Fetch = Callable[[], Iterator[Any]]


# --- SQLite --------------------------------------------------------------------------------------


@contextmanager
def _sqlite(
    location: Location, text: str, seconds: float
) -> Iterator[tuple[tuple[str, ...], Fetch]]:
    engine = read_engine(location)
    try:
        raw = engine.raw_connection()
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.execute(
            "SELECT rowid FROM full_text LIMIT 0"
        ).fetchall()  # loads the table's engine
        _guard(connection, time.monotonic() + seconds)
        try:
            cursor = connection.execute(text)
            columns = tuple(str(one[0]) for one in cursor.description or ())
            yield columns, lambda: iter(cursor)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _told(str(error), seconds) from None
        except (OverflowError, MemoryError) as error:
            raise ConfigError(f"the statement makes values that are too large: {error}") from None
        finally:
            connection.set_progress_handler(None, 0)
            connection.set_authorizer(None)
            raw.close()
    finally:
        engine.dispose()


def _guard(connection: sqlite3.Connection, until: float) -> None:
    for what, most in (
        (sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE),
        (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    ):
        connection.setlimit(what, most)
    connection.set_authorizer(_authorise)
    connection.set_progress_handler(lambda: time.monotonic() > until, _CLOCK_STEPS)


def _authorise(action: int, first: str | None, second: str | None, *_: object) -> int:
    is_allowed = (
        action in _READING
        or (
            action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FORBIDDEN_FUNCTIONS
        )
        or (action == sqlite3.SQLITE_PRAGMA and first == _FTS_PRAGMA and second is None)
    )
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def _told(words: str, seconds: float) -> ConfigError | StoreError:
    if words == "interrupted":
        return _too_long(seconds)
    if "not authorized" in words or "prohibited" in words:
        return ConfigError(f"only reading is allowed: {words}")
    if "one statement" in words:
        return ConfigError("one statement at a time: there is something after the first ;")
    return ConfigError(
        f"SQLite: {' '.join(words.split())[:300]} (`aidivide schema` lists tables and views)"
    )


def _too_long(seconds: float) -> StoreError:
    return StoreError(
        f"stopped after {seconds:g} s: narrow the question, or give it more with --timeout"
    )


# --- PostgreSQL ----------------------------------------------------------------------------------


@contextmanager
def _postgresql(
    location: Location, text: str, seconds: float
) -> Iterator[tuple[tuple[str, ...], Fetch]]:
    import psycopg

    forbidden = _SERVER.search(text)
    if forbidden is not None:
        raise ConfigError(f"only reading of the archive is allowed: {forbidden[0]} is not")
    read_engine(location).dispose()  # says whether there is an archive of this version
    assert location.database_url is not None
    url = sa.make_url(location.database_url).set(drivername="postgresql")
    try:
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            connection.read_only = True
            connection.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
            cursor = connection.cursor()
            # single rows: a large answer is neither held nor waited for; always the extended protocol
            rows: Generator[Any] = cursor.stream(text)  # type: ignore[assignment]  # it is one
            first = next(rows, None)
            columns = tuple(one.name for one in cursor.description or ())
            if first is None:  # a stream without rows has no description
                columns = _described(connection, text)
            try:
                yield columns, lambda: _chained(first, rows)
            finally:
                connection.cancel_safe()  # of what was not fetched
                rows.close()
                connection.rollback()
    except psycopg.errors.QueryCanceled:
        raise _too_long(seconds) from None
    except psycopg.Error as error:
        raise _refused(error) from None


def _described(connection: Any, text: str) -> tuple[str, ...]:
    connection.pgconn.prepare(b"asked", text.encode())
    found = connection.pgconn.describe_prepared(b"asked")
    return tuple(found.fname(place).decode() for place in range(found.nfields))


def _chained(first: Any, rows: Iterator[Any]) -> Iterator[Any]:
    if first is not None:
        yield first
        yield from rows


def _refused(error: Exception) -> ConfigError | StoreError:
    words = one_line(error)
    if "read-only transaction" in words:
        return ConfigError(f"only reading is allowed: {words}")
    if "multiple commands" in words:
        return ConfigError("one statement at a time: there is something after the first ;")
    return ConfigError(f"PostgreSQL: {words} (`aidivide schema` lists tables and views)")

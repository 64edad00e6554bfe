"""Having the database give up the bytes of deleted rows: VACUUM, once nobody can see them any more."""

from __future__ import annotations

import sqlite3
import time

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.storage.engine import one_line, write_engine
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.exceptions import StoreError

_WAIT_TRIES, _WAIT_SECONDS = 50, 0.2
_TEXT_TABLES = (
    *("extractions", "claims", "articles", "revisions", "relevance", "discoveries"),
    *("captures", "observations", "clutter_rules", "urls", "signatures", "matches"),
    *("story_members", "judgements", FULL_TEXT_TABLE),
)


def erase(location: Location) -> None:
    """Have the database give up the bytes of deleted rows, in its file and its log. Raises StoreError."""
    engine = write_engine(location)
    try:
        if location.is_sqlite:
            _vacuum_sqlite(engine)
        else:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                all_seen = _await_older_transactions(connection)
                for name in _TEXT_TABLES:
                    connection.exec_driver_sql(f"VACUUM (FULL) {name}")
            if not all_seen:
                raise StoreError(
                    "what was purged is gone from the rows, but a transaction elsewhere on the PostgreSQL server "
                    "is older than the purge and keeps the old bytes: repeat the command when it has ended"
                )
    except (DBAPIError, sqlite3.Error) as error:
        raise StoreError(
            f"the purged bytes cannot be erased from the database: {one_line(error)}"
        ) from None
    finally:
        engine.dispose()


def _await_older_transactions(connection: sa.Connection) -> bool:
    """Whether every transaction of the server that may still see the deleted rows ends within ten seconds.

    VACUUM leaves rows that one of them could see, also one of another database: snapshots count the whole server.
    """
    number = connection.exec_driver_sql("SELECT txid_current()").scalar_one()
    oldest = "SELECT txid_snapshot_xmin(txid_current_snapshot())"
    for _ in range(_WAIT_TRIES):
        if connection.exec_driver_sql(oldest).scalar_one() > number:
            return True
        time.sleep(_WAIT_SECONDS)
    return False


def _vacuum_sqlite(engine: sa.Engine) -> None:
    raw = engine.raw_connection()  # VACUUM runs in no transaction
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = cursor.fetchone()
    finally:
        raw.close()
    if busy is not None and busy[0]:
        raise StoreError(
            "what was purged is gone from the rows, but another program reads the archive and keeps the old "
            "bytes in its log: close it and repeat the command"
        )

"""Which schema a database is at, and bringing an older one to this program's."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from aidivide_archive.archive.storage import migrate
from aidivide_archive.archive.storage.engine import (
    REVISION,
    check_version,
    current_revision,
    one_line,
    read_engine,
    write_engine,
)
from aidivide_archive.archive.storage.location import Location, Place
from aidivide_archive.archive.storage.locks import WriterLock, create_alone
from aidivide_archive.exceptions import StoreError


def check(location: Location) -> str:
    """The schema revision, when it is this program's. Raises MissingArchiveError, SchemaVersionError."""
    read_engine(location).dispose()
    return REVISION


def upgrade(archive: Place, *, wait: bool = False) -> tuple[str | None, str]:
    """Run the missing migrations, all or none; a missing archive is created. Returns revision before and after.

    `archive`: its location, or its directory. Raises ArchiveLockedError, SchemaVersionError for an archive of a newer version, StoreError.
    """
    location = Location.at(archive)
    engine = write_engine(location)
    lock = WriterLock(location, wait=wait)
    try:
        with engine.connect() as connection, connection.begin():
            create_alone(connection)
            before = current_revision(connection)
            if before is None or before <= REVISION:  # at its own it makes the views again
                migrate.upgrade(connection)
            check_version(connection, location)
    except DBAPIError as error:
        raise StoreError(f"cannot upgrade {location.shown()}: {one_line(error)}") from None
    finally:
        engine.dispose()
        lock.release()
    return before, REVISION

"""Where an archive lives: one directory, and a database inside or outside it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from aidivide_archive.environment import ARCHIVE, DATABASE_URL
from aidivide_archive.exceptions import ConfigError

DEFAULT_DIRECTORY = "archive"
DATABASE_NAME = "archive.db"


@dataclass(frozen=True, slots=True, init=False)
class Location:
    """One archive. `directory` holds `warc/` and, without a database URL, `archive.db`."""

    directory: Path
    database_url: str | None
    """A PostgreSQL URL, or None for SQLite inside the directory."""
    directory_source: str = field(compare=False)
    """"option", "environment" or "default"; for `aidivide doctor`."""
    database_source: str = field(compare=False)

    def __init__(
        self,
        directory: str | os.PathLike[str],
        database_url: str | None = None,
        *,
        directory_source: str = "option",
        database_source: str = "option",
    ) -> None:
        """Exactly this archive, whatever the environment says. Raises ConfigError for another database."""
        if database_url is not None:
            _check_database_url(database_url)
        values = {
            "directory": Path(directory).expanduser(),
            "database_url": database_url,
            "directory_source": directory_source,
            "database_source": database_source if database_url is not None else "default",
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def resolve(
        cls, directory: str | os.PathLike[str] | None = None, database_url: str | None = None
    ) -> Location:
        """The archive that the commands would take: option before environment before default. Raises ConfigError."""
        folder, folder_source = _first(
            (None if directory is None else os.fspath(directory), "option"),
            (ARCHIVE.text, "environment"),
        )
        database, database_source = _first(
            (database_url, "option"), (DATABASE_URL.text, "environment")
        )
        return cls(
            folder or DEFAULT_DIRECTORY,
            database,
            directory_source=folder_source,
            database_source=database_source,
        )

    @classmethod
    def at(cls, place: Place | None) -> Location:
        """A location as it is; a directory as `--archive` takes it; None: as the commands choose. Raises ConfigError."""
        return place if isinstance(place, Location) else cls.resolve(place)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url is None

    @property
    def database_path(self) -> Path:
        return self.directory / DATABASE_NAME

    @property
    def warc_directory(self) -> Path:
        return self.directory / "warc"

    def shown(self) -> str:
        """For messages: never with a password."""
        database = self.shown_database()
        return str(self.directory) if database is None else f"{self.directory} with {database}"

    def shown_database(self) -> str | None:
        """The database URL without its password; None for SQLite."""
        if self.database_url is None:
            return None
        return sa.make_url(self.database_url).render_as_string(hide_password=True)

    def __repr__(self) -> str:  # keeps a password out of logs and tracebacks
        return f"Location({self.shown()!r})"


Place: TypeAlias = Location | str | os.PathLike[str]
"""What names an archive in a call: its location, or its directory."""


def _first(*candidates: tuple[str | None, str]) -> tuple[str | None, str]:
    return next(((value, source) for value, source in candidates if value), (None, "default"))


def _check_database_url(text: str) -> None:
    try:
        backend = sa.make_url(text).get_backend_name()
    except ArgumentError:
        raise ConfigError(
            "the database URL cannot be read; it looks like postgresql+psycopg://user@host/name"
        ) from None
    if backend != "postgresql":
        raise ConfigError(
            f"the database URL names {backend!r}; only PostgreSQL is supported, "
            "and SQLite without any URL (--archive DIR)"
        )

"""Where an archive lives: one directory, and a database inside or outside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from aidivide_archive.exceptions import ConfigError

DEFAULT_DIRECTORY = "archive"
ENV_DIRECTORY = "AIDIVIDE_ARCHIVE"
ENV_DATABASE = "AIDIVIDE_DATABASE_URL"
DATABASE_NAME = "archive.db"


@dataclass(frozen=True, slots=True)
class Location:
    """One archive. `directory` holds `warc/` and, without a database URL, `archive.db`."""

    directory: Path
    database_url: str | None = None
    """A PostgreSQL URL, or None for SQLite inside the directory."""
    directory_source: str = "default"
    """"option", "environment" or "default"; for `aidivide doctor`."""
    database_source: str = "default"

    @classmethod
    def resolve(cls, directory: str | None = None, database_url: str | None = None) -> Location:
        """Option before environment before default (CONTRACT: precedence)."""
        folder, folder_source = _first(
            (directory, "option"), (os.environ.get(ENV_DIRECTORY), "environment")
        )
        database, database_source = _first(
            (database_url, "option"), (os.environ.get(ENV_DATABASE), "environment")
        )
        if database is not None:
            _check_database_url(database)
        return cls(
            Path(folder or DEFAULT_DIRECTORY).expanduser(), database, folder_source, database_source
        )

    @classmethod
    def of(cls, directory: Path, database_url: str | None = None) -> Location:
        """Another archive than the one chosen by options and environment. Raises ConfigError."""
        if database_url is not None:
            _check_database_url(database_url)
        return cls(directory, database_url)

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
        if self.database_url is None:
            return str(self.directory)
        return f"{self.directory} with {sa.make_url(self.database_url).render_as_string(hide_password=True)}"

    def __repr__(self) -> str:  # keeps a password out of logs and tracebacks
        return f"Location({self.shown()!r})"


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

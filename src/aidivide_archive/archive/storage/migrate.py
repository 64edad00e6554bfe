"""Bring a database to this program's schema; the only importer of alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.exceptions import StoreError


def migrations_directory() -> Path:
    """`migrations/` inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parents[2]
    for folder in (package / "migrations", package.parents[1] / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise StoreError(f"the migrations are missing beside {package}: install aidivide-archive again")


def upgrade(connection: sa.Connection) -> None:
    """Run what is missing, in the caller's transaction: all of it or nothing."""
    command.upgrade(_config(connection), "head")
    crash_point("in_migration")


def downgrade(connection: sa.Connection, revision: str) -> None:
    command.downgrade(_config(connection), revision)


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

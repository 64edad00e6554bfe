"""Run the migrations on the connection that `aidivide_archive.archive.storage.migrate` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from aidivide_archive.archive import schema
from aidivide_archive.archive.sql import views
from aidivide_archive.archive.storage.engine import REVISION, current_revision

# Made by DDL of the engine (full text) and by alembic itself: not part of the metadata.
FOREIGN = ("full_text", "alembic_version", "sqlite_sequence")


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and (name or "").startswith(FOREIGN))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=schema.metadata,
        render_as_batch=True,
        compare_type=False,  # JSON and times have another impl on each engine; a test compares columns
        include_name=_is_ours,
        transaction_per_migration=False,
    )
    views.drop(connection)  # a table under a view cannot be changed
    context.run_migrations()
    if current_revision(connection) == REVISION:
        views.create(connection)


run(context.config.attributes["connection"])

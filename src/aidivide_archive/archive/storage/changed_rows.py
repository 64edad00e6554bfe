"""Write only what differs: the rows that a table should hold against those that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.dialects import upsert

Rows = Mapping[Any, Mapping[str, Any]]
"""Rows by the tuple of their key."""


def upsert_changed(
    connection: sa.Connection,
    table: sa.Table,
    key_names: tuple[str, ...],
    wanted: Rows,
    present: Rows,
) -> None:
    """Write the rows of `wanted` that are not in `present` as they should be."""
    changed = [dict(wanted[key]) for key in sorted(wanted) if present.get(key) != wanted[key]]
    statement = upsert(connection, table)
    others = [column.name for column in table.c if column.name not in key_names]
    statement = statement.on_conflict_do_update(
        index_elements=list(key_names), set_={name: statement.excluded[name] for name in others}
    )
    for chunk in chunks(changed):
        connection.execute(statement, chunk)


def delete_absent(
    connection: sa.Connection,
    table: sa.Table,
    key_names: tuple[str, ...],
    wanted: Rows,
    present: Rows,
) -> None:
    """Delete the rows of `present` that nobody wants."""
    gone = sorted(key for key in present if key not in wanted)
    columns = [table.c[name] for name in key_names]
    for chunk in chunks(gone):
        if len(columns) == 1:
            condition = columns[0].in_([key[0] for key in chunk])
        else:
            condition = sa.tuple_(*columns).in_(chunk)
        connection.execute(sa.delete(table).where(condition))

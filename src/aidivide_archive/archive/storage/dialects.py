"""What the two engines say differently, each difference once."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of the connection."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def next_numbers(connection: sa.Connection, table: sa.Table, count: int) -> list[int]:
    """Numbers for new rows of a table whose key counts up, ascending, known before the rows are written."""
    if count == 0:
        return []
    if connection.dialect.name == "postgresql":  # other processes insert too
        drawn = "SELECT nextval(:sequence) FROM generate_series(1, :count)"
        values = {"sequence": f"{table.name}_id_seq", "count": count}
        return sorted(connection.scalars(sa.text(drawn), values))
    last = connection.scalar(sa.select(sa.func.max(table.c.id))) or 0
    return list(range(last + 1, last + 1 + count))


def insert_rows(
    connection: sa.Connection,
    table: sa.Table,
    names: Sequence[str],
    rows: Sequence[tuple[int, ...]],
) -> None:
    """Insert rows of plain numbers, in the order of `names`; half a million of them take no dictionaries."""
    if not rows:
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608  # names of our tables
    connection.exec_driver_sql(statement, list(rows))


def listed(connection: sa.Connection, numbers: Sequence[int]) -> sa.FromClause:
    """Whole numbers as a table of `place` (from 0) and `value`, sent as one parameter.

    A hundred values bound one by one are written out and planned anew for each statement.
    """
    if connection.dialect.name == "postgresql":
        array = sa.bindparam(None, list(numbers), sa.ARRAY(sa.BigInteger()))
        unnested = sa.func.unnest(array).table_valued(
            sa.column("value", sa.BigInteger()), with_ordinality="place", name="listed"
        )
        rendered = unnested.render_derived()
        return sa.select((rendered.c.place - 1).label("place"), rendered.c.value).subquery()
    each = sa.func.json_each(sa.bindparam(None, json.dumps(list(numbers)), sa.Text())).table_valued(
        sa.column("key", sa.BigInteger()), sa.column("value", sa.BigInteger())
    )
    return sa.select(each.c.key.label("place"), each.c.value).subquery()


def by_code_point(
    connection: sa.Connection, column: sa.ColumnElement[str]
) -> sa.ColumnElement[str]:
    """Text in the order of its bytes: PostgreSQL would sort by the database's locale."""
    name = "C" if connection.dialect.name == "postgresql" else "BINARY"
    return sa.collate(column, name)


def overwrite_deleted(connection: sa.Connection) -> None:
    """From now on, what is deleted on this connection is overwritten; PostgreSQL's vacuum does it in its own time."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def distrust(connection: sa.Connection) -> None:
    """Read a file of a stranger: no code in its schema runs, no cell is believed unseen."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA trusted_schema = OFF")
        connection.exec_driver_sql("PRAGMA cell_size_check = ON")

"""What the two engines say differently, each difference once."""

from __future__ import annotations

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

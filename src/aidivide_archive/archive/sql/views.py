"""The views: readable names, ids and times for whoever asks in SQL; the same columns on both engines.

Every join is a look-up by a key; what is wide or costly is a sub-query, which only a question that names it pays. Views
are no part of the migrations: they are dropped before one runs and made again from this code at its end, and whenever
a writer opens an archive whose views are of another version. So a field that is only shown needs no migration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import sqlalchemy as sa

from aidivide_archive.archive.sql import article_views, copy_views, ledger_views
from aidivide_archive.archive.sql.building import View
from aidivide_archive.archive.sql.expressions import Sql

_MAKERS: tuple[Callable[[Sql], View], ...] = (
    article_views.articles,
    copy_views.stories,
    copy_views.copies,
    article_views.timeline,
    article_views.outlets,
    article_views.texts,
    copy_views.matches,
    article_views.revisions,
    ledger_views.relevance,
    ledger_views.captures,
    ledger_views.discoveries,
    ledger_views.ledger,
)


def views(*, is_sqlite: bool = True) -> tuple[View, ...]:
    """The most asked for first."""
    sql = Sql(is_sqlite)
    return tuple(make(sql) for make in _MAKERS)


def are_current(connection: sa.Connection) -> bool:
    """Whether the database has the views of this program, comments included."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")
        stored = {row.name: row.sql for row in rows}
        return all(stored.get(view.name) == view.statement() for view in views())
    mark = connection.scalar(sa.text("SELECT obj_description(to_regclass('alembic_version'))"))
    return bool(mark == _mark())


def _mark() -> str:
    """What the comment of alembic's table says of the views: PostgreSQL keeps no statement as it was written."""
    digest = hashlib.sha256(repr(views(is_sqlite=False)).encode()).hexdigest()
    return f"Version of the schema; views {digest[:16]}"


def create(connection: sa.Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    for view in views(is_sqlite=is_sqlite):
        if is_sqlite:
            connection.exec_driver_sql(view.statement())
        else:
            connection.exec_driver_sql(_literal(view.statement()))
            _comment(connection, "VIEW", view.name, view.comment)
            for column in view.columns:
                _comment(connection, "COLUMN", f"{view.name}.{column.name}", column.comment)
    if not is_sqlite:
        _comment(connection, "TABLE", "alembic_version", _mark())


def _comment(connection: sa.Connection, kind: str, name: str, words: str) -> None:
    quoted = words.replace("'", "''")
    connection.exec_driver_sql(_literal(f"COMMENT ON {kind} {name} IS '{quoted}'"))


def _literal(statement: str) -> str:
    """A statement without parameters for psycopg, which takes % for the start of one."""
    return statement.replace("%", "%%")


def drop(connection: sa.Connection) -> None:
    for view in views():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view.name}")

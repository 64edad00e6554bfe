"""How tables and columns are declared: strict, with a comment each, constraints named alike on both engines."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *items: sa.schema.SchemaItem, comment: str, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *items, comment=comment, sqlite_strict=True, **options)


def column(
    name: str,
    kind: Any,
    *items: sa.schema.SchemaItem,
    comment: str,
    null: bool = False,
    **options: Any,
) -> sa.Column[Any]:
    return sa.Column(name, kind, *items, nullable=null, comment=comment, **options)


def reference(target: str) -> sa.ForeignKey:
    return sa.ForeignKey(target)

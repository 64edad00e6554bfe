"""The data dictionary: what every table, view and column holds, from the comments of the schema itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive import schema
from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.sql.building import View
from aidivide_archive.archive.sql.questions import QUESTIONS
from aidivide_archive.archive.sql.views import views
from aidivide_archive.archive.storage.types import Flag, JsonValue, UtcTime
from aidivide_archive.fields import ARTICLES, STORIES


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedColumn:
    name: str
    type: str
    """text, integer, real, bytes, time, json or flag; "" in a view."""
    comment: str
    is_key: bool = False
    """Part of the primary key."""
    may_be_empty: bool = False
    points_to: str | None = None
    """table.column"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedTable:
    """A table or a view."""

    name: str
    kind: str
    comment: str
    columns: tuple[DocumentedColumn, ...]


def dictionary() -> tuple[DocumentedTable, ...]:
    """Views first, then tables by name."""
    tables = sorted(schema.metadata.tables.values(), key=lambda table: table.name)
    return (*map(_of_view, views()), *map(_of_table, tables), _full_text())


def _of_view(view: View) -> DocumentedTable:
    columns = tuple(
        DocumentedColumn(name=one.name, type="", comment=one.comment) for one in view.columns
    )
    return DocumentedTable(name=view.name, kind="view", comment=view.comment, columns=columns)


def _of_table(table: sa.Table) -> DocumentedTable:
    columns = tuple(
        DocumentedColumn(
            name=column.name,
            type=_type(column.type),
            comment=column.comment or "",
            is_key=column.primary_key,
            may_be_empty=bool(column.nullable),
            points_to=next((str(key.target_fullname) for key in column.foreign_keys), None),
        )
        for column in table.c
    )
    return DocumentedTable(
        name=table.name, kind="table", comment=table.comment or "", columns=columns
    )


def _type(kind: sa.types.TypeEngine[Any]) -> str:
    names: tuple[tuple[type, str], ...] = (
        (UtcTime, "time"),
        (JsonValue, "json"),
        (Flag, "flag"),
        (sa.LargeBinary, "bytes"),
        (sa.Integer, "integer"),
        (sa.Float, "real"),
    )
    return next((name for known, name in names if isinstance(kind, known)), "text")


def _full_text() -> DocumentedTable:
    comment = "Full-text index: one row an article, its words as `aidivide search` cuts them"
    columns = (
        DocumentedColumn(
            name="title", type="text", comment="SQLite: words of the headline, for MATCH"
        ),
        DocumentedColumn(name="text", type="text", comment="SQLite: words of the text, for MATCH"),
        DocumentedColumn(
            name="article_id", type="integer", comment="PostgreSQL: article; SQLite: rowid"
        ),
        DocumentedColumn(
            name="words", type="text", comment="PostgreSQL: words of both as tsvector"
        ),
    )
    return DocumentedTable(name=FULL_TEXT_TABLE, kind="table", comment=comment, columns=columns)


# --- for Datasette -------------------------------------------------------------------------------

_FACETS = {
    "v_articles": ("outlet", "country", "language", "role"),
    "v_copies": ("copy_outlet", "origin_outlet", "role"),
    "v_timeline": ("country", "language"),
    "v_ledger": ("state", "reason"),
    "v_matches": ("relation",),
    "v_captures": ("status",),
}
_SORTED = {
    "v_articles": "published_from",
    "v_timeline": "published_day",
    "v_copies": "hours_after_origin",
    "v_captures": "captured_at",
}
_UNITS = {
    one.name: {"hours": "hour", "bytes": "byte"}[one.unit]
    for one in (*ARTICLES, *STORIES)
    if one.unit in ("hours", "bytes")
} | dict.fromkeys(("payload_bytes", "warc_length"), "byte")
"""Of columns in views, as Datasette knows them."""


def datasette_metadata(title: str) -> dict[str, Any]:
    """Metadata for `datasette archive.db --metadata FILE`: views described, tables hidden, the questions as queries."""
    return {
        "title": title,
        "description": "An archive of news coverage made by aidivide-archive. Times are UTC.",
        "databases": {
            "archive": {
                "tables": {
                    **{relation.name: _for_datasette(relation) for relation in dictionary()},
                    "alembic_version": {"hidden": True},
                },
                "queries": {one.name: {"sql": one.sql, "title": one.words} for one in QUESTIONS},
            }
        },
    }


def _for_datasette(relation: DocumentedTable) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": relation.comment,
        "columns": {column.name: column.comment for column in relation.columns},
    }
    units = {one.name: _UNITS[one.name] for one in relation.columns if one.name in _UNITS}
    if units:
        described["units"] = units
    if relation.name in _FACETS:
        described["facets"] = list(_FACETS[relation.name])
    if relation.name in _SORTED:
        described["sort"] = _SORTED[relation.name]
    if relation.kind == "table":
        described["hidden"] = True
    return described


# --- as a document -------------------------------------------------------------------------------


def markdown() -> str:
    """docs/data-dictionary.md."""
    parts = [
        "# Data dictionary",
        "",
        "Made by `aidivide schema --markdown` from the comments of the schema itself; a test holds it equal. Views first:",
        "they have readable ids (`a-…`, `s-…`) and times (ISO 8601, UTC). The types of tables: *time* is text on SQLite and",
        "`timestamptz` on PostgreSQL, *json* text or `jsonb`, *flag* 0/1 or boolean.",
        "",
    ]
    for relation in dictionary():
        parts += [f"## {relation.name}", "", f"{relation.comment} ({relation.kind}).", ""]
        is_view = relation.kind == "view"
        parts += (
            ["| column | what |", "|---|---|"]
            if is_view
            else ["| column | type | what |", "|---|---|---|"]
        )
        for column in relation.columns:
            name = f"`{column.name}`" + (" **key**" if column.is_key else "")
            words = column.comment.replace("|", "\\|")
            words += f" → `{column.points_to}`" if column.points_to else ""
            kind = column.type + (", may be empty" if column.may_be_empty else "")
            parts.append(f"| {name} | {words} |" if is_view else f"| {name} | {kind} | {words} |")
        parts.append("")
    return "\n".join(parts)

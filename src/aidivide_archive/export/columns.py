"""The sets of an export with their columns, and the codebook made from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aidivide_archive.fields import Field, Type

_TYPE_WORDS: Mapping[Type, str] = {
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "time": "ISO 8601 time",
    "day": "ISO 8601 date",
    "list": "list of texts",
}


def as_fields(columns: Iterable[str | Field]) -> tuple[Field, ...]:
    """Fields as they are; a bare name is one of text."""
    return tuple(one if isinstance(one, Field) else Field(one) for one in columns)


def codebook(tables: Sequence[tuple[str, Sequence[Field]]]) -> str:
    """Markdown with a table for each of the named files."""
    parts = [
        "# Codebook\n",
        "An empty cell (null in JSON) means unknown, never zero. In CSV, the texts of a list are joined with `; `.",
    ]
    for file, fields in tables:
        parts.append(f"\n## {file}\n\n| column | type | unit | meaning |\n|---|---|---|---|")
        parts += [
            f"| `{one.name}` | {_TYPE_WORDS[one.type]} | {one.unit} | {one.meaning} |"
            for one in fields
        ]
    return "\n".join(parts) + "\n"

"""How a view is declared: columns of known fields, or of its own, each with its expression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aidivide_archive.fields import Field


@dataclass(frozen=True, slots=True)
class ViewColumn:
    name: str
    comment: str
    expression: str


@dataclass(frozen=True, slots=True)
class View:
    name: str
    comment: str
    columns: tuple[ViewColumn, ...]
    source: str
    """FROM and what follows."""

    def statement(self) -> str:
        listed = ", ".join(f"{one.expression} AS {one.name}" for one in self.columns)
        return f"CREATE VIEW {self.name} AS SELECT {listed} {self.source}"


def shown(field: Field, expression: str) -> ViewColumn:
    """A column of a field that is declared for all rows."""
    return ViewColumn(field.name, field.description, expression)


def view(name: str, comment: str, columns: Iterable[ViewColumn], source: str) -> View:
    return View(name, comment, tuple(columns), source)

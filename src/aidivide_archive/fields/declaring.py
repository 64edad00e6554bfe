"""How a field is declared, and where its value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Type: TypeAlias = Literal["text", "integer", "number", "boolean", "time", "day", "list", "json"]
"""What a value is when it is not None: str, int, float, bool, ISO 8601 text in UTC, YYYY-MM-DD, list of str,
any JSON value (in rows that no export writes)."""
Values: TypeAlias = Literal["few", "many", "prose"]
"""How the values of a column repeat: names that recur, values of their own, sentences."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """Shown as a column of a table holds it; times to the second."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class ExtractedKey:
    """A key of `extractions.fields`; an absent one means unknown, in a list none."""

    key: str


@dataclass(frozen=True, slots=True)
class ByRule:
    """Made by a rule of whoever reads the rows."""


Source: TypeAlias = TableColumn | ExtractedKey | ByRule


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row that people see."""

    name: str
    type: Type = "text"
    meaning: str = ""
    """What it says and how it is computed, in one or two sentences."""
    unit: str = ""
    source: Source = ByRule()
    values: Values = "many"

    @property
    def description(self) -> str:
        """Meaning and unit in one text."""
        return self.meaning + (f" Unit: {self.unit}." if self.unit else "")

    def of(self, prefix: str, whose: str) -> Field:
        """The same of another thing in the row: `title` as `copy_title`, "Of the copy: headline …"."""
        first, second = self.meaning[:1], self.meaning[1:2]
        meaning = (first.lower() if second.islower() or second == " " else first) + self.meaning[1:]
        return replace(
            self, name=f"{prefix}_{self.name}", meaning=f"{whose}: {meaning}", source=ByRule()
        )


def names(fields: Iterable[Field]) -> tuple[str, ...]:
    return tuple(field.name for field in fields)


def by_name(fields: Iterable[Field]) -> Mapping[str, Field]:
    return {field.name: field for field in fields}


def chosen(fields: Sequence[Field], *wanted: str) -> tuple[Field, ...]:
    known = by_name(fields)
    return tuple(known[name] for name in wanted)


def listed(values: Iterable[str]) -> str:
    """What a field may hold, in words: "a, b or c"."""
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}"


def article(column: str) -> TableColumn:
    return TableColumn("articles", column)

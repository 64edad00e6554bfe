"""What people are shown of a row, the same in commands, citations and the report: who, when, how much later, how many."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime


def outlet_name(row: Mapping[str, object], prefix: str = "") -> str:
    """The profile's name for the outlet, else its site. `prefix`: of both fields, as "origin_"."""
    return str(row[f"{prefix}outlet"] or row[f"{prefix}site"])


def read_time(value: object) -> datetime | None:
    """A time of a row; None when it has none."""
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def interval_of(row: Mapping[str, object]) -> tuple[datetime, datetime] | None:
    """Publication as [from, to); None when unknown."""
    start, end = read_time(row.get("published_from")), read_time(row.get("published_to"))
    return None if start is None or end is None or end < start else (start, end)


def day_of(row: Mapping[str, object]) -> date | None:
    """The day of publication at the publisher; None when unknown."""
    day = row.get("published_day")
    return date.fromisoformat(day) if isinstance(day, str) else None


def day_beside_clock(row: Mapping[str, object]) -> date | None:
    """The day to which a time shown in UTC belongs; that of the publisher when no hour is known."""
    moment = read_time(row.get("published_at"))
    return day_of(row) if moment is None else moment.date()


def delay(hours: object) -> str:
    """Such as "+9.6 h" or "+4.2 days"; "" when unknown."""
    if not isinstance(hours, float | int):
        return ""
    if abs(hours) < 96:
        return f"{hours:+.1f} h"
    return f"{hours / 24:+.1f} days"


def counted(number: int, one: str, many: str | None = None, form: str = "d") -> str:
    """A number with its word: "1 story", "2 stories". `form`: as "," for 2,000."""
    return f"{number:{form}} {one if number == 1 else many or one + 's'}"

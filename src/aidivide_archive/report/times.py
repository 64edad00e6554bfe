"""Times of rows as people read them; everything is UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def read_time(value: object) -> datetime | None:
    """A time of a row; None when it has none."""
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def interval_of(row: Mapping[str, object]) -> tuple[datetime, datetime] | None:
    """Publication as [from, to); None when unknown."""
    start, end = read_time(row.get("published_from")), read_time(row.get("published_to"))
    return None if start is None or end is None or end < start else (start, end)


def day_of(row: Mapping[str, object]) -> date | None:
    """The day of publication: in UTC, or the day named when no hour is known."""
    moment = read_time(row.get("published_at"))
    if moment is not None:
        return moment.date()
    span = interval_of(row)
    # the day of a zone begins up to 14 hours off in UTC: its middle is on the right date
    return None if span is None else (span[0] + (span[1] - span[0]) / 2).date()


def shown_day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def shown_moment(moment: datetime) -> str:
    return f"{shown_day(moment.date())}, {moment:%H:%M} UTC"


def clock(row: Mapping[str, object]) -> str:
    """Such as 10:42; "" when only the day is known."""
    moment = read_time(row.get("published_at"))
    return f"{moment:%H:%M}" if moment else ""


def publication_day(row: Mapping[str, object]) -> str:
    """Such as "27 July 2025"; "no date" when unknown."""
    day = day_of(row)
    return "no date" if day is None else shown_day(day)


def published(row: Mapping[str, object]) -> str:
    """Such as "27 July 2025, 10:42" or "27 July 2025"; "no date" when unknown."""
    day = day_of(row)
    if day is None:
        return "no date"
    time = clock(row)
    return f"{shown_day(day)}, {time}" if time else shown_day(day)


def days_between(first: date | None, last: date | None) -> str:
    """Such as "27 July – 1 August 2025", or one day; "" without any."""
    if first is None or last is None:
        return ""
    if first == last:
        return shown_day(last)
    if first.year != last.year:
        return f"{shown_day(first)} – {shown_day(last)}"
    if first.month != last.month:
        return f"{first.day} {MONTHS[first.month - 1]} – {shown_day(last)}"
    return f"{first.day}–{shown_day(last)}"


def delay(hours: object) -> str:
    """Such as "+9.6 h" or "+3.2 days"; "" when unknown."""
    if not isinstance(hours, float | int):
        return ""
    if abs(hours) < 96:
        return f"{hours:+.1f} h"
    return f"{hours / 24:+.1f} days"

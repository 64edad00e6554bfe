"""Times of rows as people read them: moments in UTC, days as those of the publisher."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from aidivide_archive.display import day_beside_clock, read_time

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


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
    day = day_beside_clock(row)
    return "no date" if day is None else shown_day(day)


def published(row: Mapping[str, object]) -> str:
    """Such as "27 July 2025, 10:42" or "27 July 2025"; "no date" when unknown."""
    day = day_beside_clock(row)
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

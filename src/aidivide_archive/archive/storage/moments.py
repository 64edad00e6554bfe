"""Moments as the texts that people read and SQL compares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# The longest interval that still names an instant: a time read to the hour. A day is 23 to 25 hours.
_INSTANT = timedelta(hours=1)


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second, "2025-07-28T08:57:00Z": one width, so that it sorts as text."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def iso_again(text: object) -> str | None:
    """`iso` of a time that a JSON column holds as text; None when it holds none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def instant(start: datetime | None, end: datetime | None) -> str | None:
    """The start of an interval known to better than a day; None otherwise: midnight is never invented."""
    if start is None or end is None or end - start > _INSTANT:
        return None
    return iso(start)


def within_an_hour(start: str | None, end: str | None) -> bool:
    """`instant`'s question for the stored texts of both ends."""
    if start is None or end is None:
        return False
    return datetime.fromisoformat(end) - datetime.fromisoformat(start) <= _INSTANT

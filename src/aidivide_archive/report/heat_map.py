"""Coverage by outlet and time as a grid: which cell, how dark. The page draws it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from aidivide_archive.report.times import MONTHS, days_between, short_day, shown_day

MAX_COLUMNS = 62
"""Two months of days, more than a year of weeks, five years of months."""
LEVELS = 5
_LONGEST_DAYS = (MAX_COLUMNS - 2) * 365
_TRIMMED = 0.02
"""Share of the articles that may lie outside the columns: one wrong date must not blur all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """A day, week, month or year."""

    heading: str
    """Short; "" where there is no room for it."""
    title: str
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One outlet."""

    name: str
    counts: tuple[int, ...]
    levels: tuple[int, ...]
    """0 for no article, 1 to LEVELS for the darkest."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    unit: str
    """day, week, month or year."""
    columns: tuple[TimeColumn, ...]
    lines: tuple[Line, ...]
    largest: int
    """Articles of the darkest cell."""
    busiest: int
    """Articles of the fullest column."""
    outside: int
    """Articles before the first or after the last column."""
    span: str


def heat_map(counts: Mapping[tuple[str, date], int], names: Sequence[str]) -> HeatMap | None:
    """The grid of the named outlets, in their order; None when no article has a date."""
    if not counts:
        return None
    per_day: Counter[date] = Counter()
    for (_, day), count in counts.items():
        per_day[day] += count
    first, last = _central(per_day)
    unit, starts = _columns(first, last)
    place = {day: index for index, day in enumerate(starts)}
    shown = set(names)
    cells: dict[str, Counter[int]] = {name: Counter() for name in names}
    totals: Counter[int] = Counter()
    for (name, day), count in counts.items():
        if first <= day <= last:
            index = place[_start(day, unit)]
            totals[index] += count
            if name in shown:
                cells[name][index] += count
    largest = max((count for line in cells.values() for count in line.values()), default=1)
    return HeatMap(
        unit=unit,
        columns=tuple(
            TimeColumn(
                heading=_heading(starts, index, unit),
                title=_title(start, unit),
                total=totals[index],
            )
            for index, start in enumerate(starts)
        ),
        lines=tuple(_line(name, cells[name], len(starts), largest) for name in names),
        largest=largest,
        busiest=max(totals.values(), default=1),
        outside=sum(per_day.values()) - totals.total(),
        span=days_between(first, last),
    )


def _line(name: str, by_column: Counter[int], columns: int, largest: int) -> Line:
    counts = tuple(by_column[index] for index in range(columns))
    levels = tuple(-(-count * LEVELS // largest) for count in counts)
    return Line(name=name, counts=counts, levels=levels, total=sum(counts))


def _central(per_day: Mapping[date, int]) -> tuple[date, date]:
    """The first and last day; without the outermost few articles when all would not fit in days."""
    days = sorted(per_day)
    first, last = days[0], days[-1]
    if (last - first).days < MAX_COLUMNS:
        return first, last
    if (last - first).days > _LONGEST_DAYS:
        return _fullest(per_day, days)
    spare = int(sum(per_day.values()) * _TRIMMED / 2)
    return _trimmed(per_day, days, spare), _trimmed(per_day, days[::-1], spare)


def _fullest(per_day: Mapping[date, int], days: Sequence[date]) -> tuple[date, date]:
    """The stretch of years that fits and holds most articles, the earliest among equals."""
    best, inside, start = (0, 0, 0), 0, 0
    for end, day in enumerate(days):
        inside += per_day[day]
        while (day - days[start]).days > _LONGEST_DAYS:
            inside -= per_day[days[start]]
            start += 1
        best = max(best, (inside, -start, -end))
    return days[-best[1]], days[-best[2]]


def _trimmed(per_day: Mapping[date, int], days: Sequence[date], spare: int) -> date:
    for day in days:
        spare -= per_day[day]
        if spare < 0:
            return day
    return days[-1]


def _columns(first: date, last: date) -> tuple[str, list[date]]:
    for unit in ("day", "week", "month"):
        starts = _starts(first, last, unit)
        if len(starts) <= MAX_COLUMNS:
            return unit, starts
    return "year", _starts(first, last, "year")


def _starts(first: date, last: date, unit: str) -> list[date]:
    starts = [_start(first, unit)]
    while len(starts) <= MAX_COLUMNS or unit == "year":
        following = _next(starts[-1], unit)
        if following is None or following > last:
            break
        starts.append(following)
    return starts


def _start(day: date, unit: str) -> date:
    if unit == "week":
        return date.fromordinal(max(1, day.toordinal() - day.weekday()))
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def _next(start: date, unit: str) -> date | None:
    """The start of the following column; None behind the last year there is."""
    try:
        if unit == "year":
            return start.replace(year=start.year + 1)
        if unit == "month":
            return (start + timedelta(days=32)).replace(day=1)
        return _start(start + timedelta(days=7 if unit == "week" else 1), unit)
    except (OverflowError, ValueError):
        return None


def _title(start: date, unit: str) -> str:
    if unit == "year":
        return str(start.year)
    if unit == "month":
        return f"{MONTHS[start.month - 1]} {start.year}"
    return f"week of {shown_day(start)}" if unit == "week" else shown_day(start)


def _heading(starts: Sequence[date], index: int, unit: str) -> str:
    """What stands under a column: at most eight headings, the first one always."""
    step = -(-len(starts) // 8)
    if index % step:
        return ""
    start = starts[index]
    if unit == "year":
        return str(start.year)
    if unit == "month":
        return f"{MONTHS[start.month - 1][:3]} {start.year % 100:02}"
    same_month = index > 0 and starts[index - step].month == start.month
    return str(start.day) if same_month else short_day(start)

"""How a story spread, as places on a line of time. The page draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aidivide_archive.display import interval_of
from aidivide_archive.model import Role
from aidivide_archive.report.times import short_day

MAX_LANES = 16
_LEFT, _RIGHT = 2.5, 97.5
"""Per cent of the width between which times are drawn; marks need room at the ends."""
_STEPS_HOURS = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 2160, 8760, 87600)
_MAX_TICKS = 5
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    place: str
    """As "37.25%"."""
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One member: between `start` and `end` its time lies."""

    row: Mapping[str, object]
    start: str
    end: str
    middle: str
    is_day: bool
    """Whether only an interval is known: drawn as a bar, not as a point."""
    kind: str
    """first, credited, taken or other: the colour."""
    filled: float
    """Radius of the inner disc, 0 to 1 of the outer: its area is the share copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    left_out: int
    """Members with a date that have no lane."""
    undated: int


KINDS = {
    Role.ORIGIN: "first",
    Role.SYNDICATED: "credited",
    Role.COPY: "taken",
    Role.EDITED_COPY: "taken",
}


def kind_of(role: object) -> str:
    """The colour of a role."""
    return KINDS.get(Role(str(role)), "other") if role in set(Role) else "other"


def timeline(members: Sequence[Mapping[str, object]]) -> Timeline | None:
    """The lanes of the members with a date, in their order; None when fewer than two have one."""
    dated = [(row, span) for row in members if (span := interval_of(row))]
    if len(dated) < 2:
        return None
    drawn = dated[:MAX_LANES]
    first = min(start for _, (start, _) in drawn)
    last = max(end for _, (_, end) in drawn)
    seconds = max((last - first).total_seconds(), 3600.0)

    def place(moment: datetime) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (moment - first).total_seconds() / seconds

    return Timeline(
        lanes=tuple(_lane(row, place(start), place(end)) for row, (start, end) in drawn),
        ticks=tuple(
            Tick(place=_percent(place(moment)), label=label)
            for moment, label in _ticks(first, seconds)
            if 6 <= place(moment) <= 94
        ),
        left_out=len(dated) - len(drawn),
        undated=len(members) - len(dated),
    )


def _lane(row: Mapping[str, object], start: float, end: float) -> Lane:
    share = row["share_copied"]
    return Lane(
        row=row,
        start=_percent(start),
        end=_percent(end),
        middle=_percent((start + end) / 2),
        is_day=row["published_at"] is None,
        kind=kind_of(row["role"]),
        filled=share**0.5 if isinstance(share, float | int) else 0.0,
    )


def _ticks(first: datetime, seconds: float) -> list[tuple[datetime, str]]:
    hours = next(
        (step for step in _STEPS_HOURS if seconds / 3600 / step <= _MAX_TICKS), _STEPS_HOURS[-1]
    )
    step = timedelta(hours=hours)
    ticks = []
    for number in range(-(-(first - _EPOCH) // step), (first - _EPOCH) // step + _MAX_TICKS + 2):
        try:
            moment = _EPOCH + number * step
        except OverflowError:
            break
        ticks.append((moment, _label(moment, hours)))
    return ticks


def _label(moment: datetime, hours: int) -> str:
    if hours >= 720:
        return f"{short_day(moment.date())} {moment.year}"
    return short_day(moment.date()) if not moment.hour else f"{moment:%H:%M}"


def _percent(value: float) -> str:
    return f"{value:.2f}%"

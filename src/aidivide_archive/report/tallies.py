"""Counts over all articles, made in one pass: by outlet, day, language and country."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from aidivide_archive.display import day_of, outlet_name
from aidivide_archive.model import RelevanceDecision, Role


@dataclass(slots=True)
class OutletTally:
    """What one outlet published."""

    name: str
    country: str | None
    articles: int = 0
    first: int = 0
    """Stories of two or more articles that it had first."""
    credited: int = 0
    """Wire copies that name their source."""
    taken: int = 0
    """Copies, edited copies and excerpts."""


@dataclass(slots=True)
class Tally:
    """Sums so far; small, whatever the number of articles is."""

    articles: int = 0
    review: int = 0
    undated: int = 0
    alone: int = 0
    """Articles that share their text with no other."""
    captured: int = 0
    outlets: dict[str, OutletTally] = field(default_factory=dict)
    languages: Counter[str | None] = field(default_factory=Counter)
    countries: Counter[str | None] = field(default_factory=Counter)
    days: Counter[tuple[str, date]] = field(default_factory=Counter)
    """Articles by outlet and day."""
    last_capture: str = ""

    def add(self, row: Mapping[str, object]) -> None:
        """Count one row of COVERAGE_FIELDS."""
        name, country = outlet_name(row), _text(row["country"])
        outlet = self.outlets.setdefault(name, OutletTally(name, country))
        self.articles += 1
        outlet.articles += 1
        self.languages[_text(row["language"])] += 1
        self.countries[country] += 1
        self.review += row["relevance_decision"] == RelevanceDecision.REVIEW
        self.captured += row["warc_file"] is not None
        self.last_capture = max(self.last_capture, str(row["captured_at"] or ""))
        day = day_of(row)
        if day is None:
            self.undated += 1
        else:
            self.days[name, day] += 1
        self._add_role(outlet, row)

    def _add_role(self, outlet: OutletTally, row: Mapping[str, object]) -> None:
        size, role = row["story_articles"], row["role"]
        if not isinstance(size, int) or size < 2:
            self.alone += 1
            return
        outlet.first += role == Role.ORIGIN
        outlet.credited += role == Role.SYNDICATED
        outlet.taken += Role(str(role)).is_taken

    def first_day(self) -> date | None:
        return min((day for _, day in self.days), default=None)

    def last_day(self) -> date | None:
        return max((day for _, day in self.days), default=None)

    def largest_outlets(self) -> list[OutletTally]:
        return sorted(self.outlets.values(), key=lambda outlet: (-outlet.articles, outlet.name))


def ranked(counts: Mapping[str | None, int]) -> Iterable[tuple[str | None, int]]:
    """The largest first, then by code; unknown last among equals."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] is None, pair[0] or ""))


def _text(value: object) -> str | None:
    return None if value is None else str(value)

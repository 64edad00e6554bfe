"""What an import did, counted while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from aidivide_archive.model import Outcome, Stored, UrlState

MAX_ERRORS = 100


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did, in documents."""

    new: int = 0
    unchanged: int = 0
    revised: int = 0
    rejected: int = 0
    failed: int = 0
    errors: tuple[str, ...] = ()
    """One line each: file, line and what is wrong; the first MAX_ERRORS."""


@dataclass
class Tally:
    """Counts documents by what became of them."""

    progress: Callable[[int], None] | None
    """Called with the number of documents so far."""
    counts: Counter[str] = field(default_factory=Counter)
    """By field of ImportSummary."""
    errors: list[str] = field(default_factory=list)

    def stored(self, stored: Stored, outcome: Outcome) -> None:
        if stored is Stored.NOT_ARTICLE:
            is_failed = outcome.state in (UrlState.FAILED, UrlState.DEAD)
            self._add("failed" if is_failed else "rejected")
        else:
            self._add({Stored.NEW: "new", Stored.REVISED: "revised"}.get(stored, "unchanged"))

    def failed(self, error: str) -> None:
        """A record that cannot be imported."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error)
        self._add("failed")

    def _add(self, name: str) -> None:
        self.counts[name] += 1
        if self.progress is not None:
            self.progress(self.counts.total())

    def summary(self) -> ImportSummary:
        return ImportSummary(**self.counts, errors=tuple(self.errors))

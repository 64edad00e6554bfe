"""The rule on keeping and passing on: what the statements of a page forbid and allow. Pure, and the only place.

Reading a page asks it whether the text may be kept, an export for sharing asks it what may be passed on. docs/rights.md
says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aidivide_archive.rights.directives import (
    MAX_SNIPPET,
    UNAVAILABLE_AFTER,
    directives_for,
    moment,
)
from aidivide_archive.rights.licences import licence_of_text
from aidivide_archive.rights.statements import TDM_RESERVATION, Statement


class Use(StrEnum):
    """What an archive does with a text."""

    KEEP = "keep"
    SHARE = "share"  # the whole text, with others
    QUOTE = "quote"  # its beginning, to others


FORBIDS: Mapping[str, frozenset[Use]] = {
    "noarchive": frozenset((Use.KEEP, Use.SHARE)),
    TDM_RESERVATION: frozenset((Use.KEEP, Use.SHARE)),
    UNAVAILABLE_AFTER: frozenset((Use.KEEP, Use.SHARE, Use.QUOTE)),  # once that moment has passed
    "noindex": frozenset((Use.SHARE,)),
    "noai": frozenset((Use.SHARE,)),
    "nosnippet": frozenset((Use.SHARE, Use.QUOTE)),
}
"""What a statement of each kind forbids. Directives that are not here (nofollow, noimageai, notranslate …) are kept as
evidence and speak of other things than the text."""


@dataclass(frozen=True, slots=True, order=True)
class Reservation:
    """One reservation that binds us."""

    directive: str
    """A key of FORBIDS."""
    source: str
    """Where it stands, as `Statement.source`."""

    def __str__(self) -> str:
        return f"{self.directive} ({self.source})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What the statements of one page reserve against one agent."""

    reservations: tuple[Reservation, ...] = ()
    """Each once, sorted."""
    unavailable_after: datetime | None = None
    """The earliest such moment that is stated, UTC."""
    max_snippet: int | None = None
    """The most characters that may be quoted, at least 1; None: no such bound."""

    def against(self, use: Use, *, at: datetime) -> tuple[Reservation, ...]:
        """The reservations that forbid a use at a moment."""
        is_over = self.unavailable_after is not None and self.unavailable_after <= at
        return tuple(
            one
            for one in self.reservations
            if use in FORBIDS[one.directive] and (is_over or one.directive != UNAVAILABLE_AFTER)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What of a text may be passed on to others."""

    text: bool
    excerpt: bool
    """Whether the beginning may be quoted."""
    max_excerpt_chars: int | None = None
    """The most characters of the page's words that may be quoted; None: no bound of the page."""
    reservations: tuple[Reservation, ...] = ()
    """What keeps the text back; empty when nothing does, or when only a permission is missing."""


def reserved(statements: Iterable[Statement], *, agent: str) -> Reserved:
    """Put together what holds for an agent (its product token). Contradictions: the stricter one holds.

    For TDM reservation the most specific technique decides: response header, then meta, then the site's file.
    """
    stated = list(statements)
    reservations: set[Reservation] = set()
    ends: list[datetime] = []
    limits: list[int] = []
    for statement in stated:
        for directive, value in directives_for(agent, statement.source, statement.value):
            if directive == MAX_SNIPPET:
                limits.append(_characters(value))
                name = "nosnippet" if limits[-1] == 0 else directive
            elif directive == UNAVAILABLE_AFTER:
                end = moment(value)
                if end is None:
                    continue
                ends.append(end)
                name = directive
            else:
                name = directive
            if name in FORBIDS:
                reservations.add(Reservation(name, statement.source))
    tdm = _tdm_reservation(stated)
    if tdm is not None:
        reservations.add(Reservation(TDM_RESERVATION, tdm.source))
    return Reserved(
        reservations=tuple(sorted(reservations)),
        unavailable_after=min(ends, default=None),
        max_snippet=min((limit for limit in limits if limit > 0), default=None),
    )


def withheld_reason(found: Reserved, *, captured_at: datetime) -> str | None:
    """Why only metadata of a page is kept under the policy `reserved = "metadata"`, in words; None: keep its text."""
    return ", ".join(map(str, found.against(Use.KEEP, at=captured_at))) or None


def sharing(
    statements: Iterable[Statement], *, agent: str, now: datetime, permitted: bool = False
) -> Sharing:
    """What of the text of a page may be passed on to others by `agent` (a product token) at the moment `now`.

    The text: when no statement reserves it, and an open licence of the text or `permitted` allows it: whoever passes it
    on has the publisher's permission. The excerpt (a quotation): unless the page asks for none, or is no longer to be
    shown.
    """
    stated = list(statements)
    reservations = reserved(stated, agent=agent)
    against = reservations.against(Use.SHARE, at=now)
    text = not against and (permitted or licence_of_text(stated) is not None)
    return Sharing(
        text=text,
        excerpt=not reservations.against(Use.QUOTE, at=now),
        max_excerpt_chars=None if text else reservations.max_snippet,
        reservations=against,
    )


def _characters(value: str) -> int:
    """The number of a max-snippet; -1, which means no bound, for what is no number."""
    try:
        return int(value)
    except ValueError:
        return -1


def _tdm_reservation(statements: Sequence[Statement]) -> Statement | None:
    """The statement that reserves text and data mining, unless a more specific place does not."""
    for place in ("header", "meta", "well-known"):
        values = {
            statement.value.strip(): statement
            for statement in statements
            if statement.source == f"{place}:{TDM_RESERVATION}"
        }
        if "1" in values or "0" in values:
            return values.get("1")
    return None

"""Formula news: the same sentences about other things.

A market wrap, a lottery result, an earthquake notice and the readout of a yearly meeting are
written into the sentences of the last one, with other numbers and names. Word overlap cannot tell
them from an edited copy; the slots of aligned sentences can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.fuzz import ratio

from aidivide_archive.copies.sentences import CALENDAR, Outline, aligned_sentences

SAME_NAME = 70.0
"""rapidfuzz ratio, in [0, 100], from which two names are spellings of one."""

MAX_INITIALS = 5
"""Letters of an abbreviation: US, UN, NATO, OPEC, ASEAN."""

_YEAR = re.compile(r"(?:19|20)\d\d$|第\d+届")
"""A year, or the number of a yearly meeting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotConflict:
    """How often aligned sentences of two texts have the same frame and other slots."""

    aligned: int
    """Aligned sentence pairs of which both have slots."""
    numbered: int
    """Aligned sentence pairs of which both have numbers."""
    conflicting: int
    numbers: int
    """Pairs in which both sides have numbers that the whole other text lacks."""
    names: int
    years: int
    """Pairs whose sides name different years or sessions."""
    numbers_other: int
    """Numbers that differ within those pairs, each with its counterpart counted once."""
    numbers_same: int
    """Numbers that both sides of an aligned pair have."""
    example: tuple[str, str] | None
    """One pair of different slots, as evidence; None when there is none."""


def slot_conflict(a: Outline, b: Outline) -> SlotConflict:
    """Align the sentences of two texts and count those that disagree on their slots.

    Two sentences disagree on numbers when each has one that the other lacks and at least one of
    these is nowhere in the other text, on names when each has one that is nowhere in the other
    text: cut, moved and merged sentences do not disagree, nor "Mara Lind" with "Ms Lind".
    """
    aligned = numbered = conflicting = numbers = names = years = other = same = 0
    example: tuple[str, str] | None = None
    for first, second in aligned_sentences(a, b):
        if not (first.has_slots and second.has_slots):
            continue
        aligned += 1
        numbered += bool(first.numbers and second.numbers)
        number = _difference(first.numbers, second.numbers, a.known, b.known)
        name = _named_otherwise(*_unlike(first.names, second.names), a.known, b.known)
        same += len(first.numbers & second.numbers)
        other += min(map(len, number)) if number else 0
        numbers += number is not None
        names += name is not None
        years += number is not None and all(any(map(_YEAR.match, side)) for side in number)
        example = example or _example(number or name)
        conflicting += number is not None or name is not None
    return SlotConflict(
        aligned=aligned,
        numbered=numbered,
        conflicting=conflicting,
        numbers=numbers,
        names=names,
        years=years,
        numbers_other=other,
        numbers_same=same,
        example=example,
    )


_Slots = frozenset[str]


def _difference(
    a: _Slots, b: _Slots, known_a: _Slots, known_b: _Slots
) -> tuple[_Slots, _Slots] | None:
    own_a, own_b = a - b, b - a
    if own_a and own_b and (own_a - known_b or own_b - known_a):
        return own_a, own_b
    return None


def _named_otherwise(
    a: _Slots, b: _Slots, known_a: _Slots, known_b: _Slots
) -> tuple[_Slots, _Slots] | None:
    """Return names that the whole other text lacks, on both sides, or else days and months that differ."""
    own_a, own_b = a - b - known_b, b - a - known_a
    if own_a and own_b:
        return own_a, own_b
    dates = CALENDAR.keys()
    return _difference(a & dates, b & dates, known_a, known_b)


def _unlike(a: _Slots, b: _Slots) -> tuple[_Slots, _Slots]:
    """Drop names that the other side spells otherwise (Kiev, Kyiv; UN), and dates given otherwise.

    A day of the week says nothing against a month: one outlet writes Monday, the other July 28.
    """
    own_a, own_b = a - b, b - a
    if own_a and own_b:
        own_a, own_b = _without_initials(own_a, own_b)
        own_b, own_a = _without_initials(own_b, own_a)
    kinds_a = {CALENDAR.get(name) for name in own_a}
    kinds_b = {CALENDAR.get(name) for name in own_b}
    return (
        frozenset(one for one in own_a if _is_unlike(one, own_b, kinds_b)),
        frozenset(one for one in own_b if _is_unlike(one, own_a, kinds_a)),
    )


def _is_unlike(name: str, others: _Slots, kinds: set[str | None]) -> bool:
    kind = CALENDAR.get(name)
    if kind is not None:
        return kind in kinds
    return not any(ratio(name, other) >= SAME_NAME for other in others)


def _without_initials(a: _Slots, b: _Slots) -> tuple[_Slots, _Slots]:
    """Drop names of `a` made of the initials of names of `b` (US, United States), and those names."""
    initials = {name[0] for name in b}
    short = {name for name in a if 2 <= len(name) <= MAX_INITIALS and initials.issuperset(name)}
    if not short:
        return a, b
    letters = frozenset("".join(short))
    return a - short, frozenset(name for name in b if name[0] not in letters)


def _example(difference: tuple[_Slots, _Slots] | None) -> tuple[str, str] | None:
    return (min(difference[0]), min(difference[1])) if difference else None

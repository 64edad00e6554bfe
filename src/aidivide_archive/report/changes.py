"""What one text changed of another, cut down to what may be quoted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aidivide_archive.copies.differences import Stretch, differences
from aidivide_archive.report.visible import visible, visible_lines

CONTEXT_WORDS = 3
"""Unchanged words shown before and after a change."""
_LONGEST_SHARE = 0.25
"""Of the words that may be quoted, at most so many for one side of one change, so that several are shown."""
_NEAR_WORDS = 2
"""Changes with no more unchanged words between them are shown as one."""
MAX_TEXT_CHARS = 20_000
"""Longer texts are compared and shown up to here: enough for any article."""

_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff]|[^\W_]+")
_NUMBER = re.compile(r"\d+")
_WIDE = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    kind: str
    """same, cut, added or gap: words left out."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One change with its neighbourhood, on either side."""

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a later text differs from an earlier one; counts in words, CJK characters as half a word."""

    same: int
    cut: int
    added: int
    hunks: tuple[Hunk, ...]
    more: int
    """Changes that are not shown."""


@dataclass(slots=True)
class _Raw:
    """A change as found: unchanged words before it, both sides, unchanged words behind it."""

    before: str
    cut: str
    added: str
    after: str = ""


def changes(earlier: str, later: str, words: int | None) -> Change:
    """Compare two texts; `words`: at most so many of either side in all, None for everything."""
    stretches = differences(earlier[:MAX_TEXT_CHARS], later[:MAX_TEXT_CHARS])
    found = _joined(stretches)
    hunks = _whole(stretches) if words is None else _quoted(found, words)
    return Change(
        same=_count(stretches, "same"),
        cut=_count(stretches, "cut"),
        added=_count(stretches, "added"),
        hunks=hunks,
        more=0 if words is None else len(found) - len(hunks),
    )


def _count(stretches: Sequence[Stretch], kind: str) -> int:
    return round(sum(weight(one.text) for one in stretches if one.kind == kind))


def weight(text: str) -> float:
    """Words of a text as a limit of excerpts counts them: two CJK characters are one."""
    words = len(_WORD.findall(text))
    return words - len(_WIDE.findall(text)) / 2


def _joined(stretches: Sequence[Stretch]) -> list[_Raw]:
    """Changes with what stands round them; those next to each other are one. Punctuation alone is none."""
    found: list[_Raw] = []
    before = ""
    for one in stretches:
        if one.kind == "same":
            if found and not found[-1].after:
                if 0 < weight(one.text) <= _NEAR_WORDS:
                    found[-1].cut += one.text
                    found[-1].added += one.text
                    continue
                found[-1].after = one.text
            before = one.text
            continue
        if not found or found[-1].after:
            found.append(_Raw(before, "", ""))
        if one.kind == "cut":
            found[-1].cut += one.text
        else:
            found[-1].added += one.text
    return [one for one in found if weight(one.cut) or weight(one.added)]


def _quoted(found: Sequence[_Raw], words: int) -> tuple[Hunk, ...]:
    """Changes in their order, until either side has quoted as much as it may; those of numbers go first."""
    left = right = float(words)
    longest = max(1.0, words * _LONGEST_SHARE)
    hunks: dict[int, Hunk] = {}
    for index in sorted(
        range(len(found)), key=lambda one: (not _has_other_numbers(found[one]), one)
    ):
        one = found[index]
        before, after = _end_of(one.before), _start_of(one.after, CONTEXT_WORDS)
        around = weight(before) + weight(after)
        cut = _start_of(one.cut, min(longest, left - around))
        added = _start_of(one.added, min(longest, right - around))
        if (weight(one.cut) and not cut) or (weight(one.added) and not added):
            break
        hunks[index] = Hunk(
            left=_side(before, "cut", cut, weight(one.cut) - weight(cut), after),
            right=_side(before, "added", added, weight(one.added) - weight(added), after),
        )
        left -= around + weight(cut)
        right -= around + weight(added)
    return tuple(hunks[index] for index in sorted(hunks))


def _has_other_numbers(one: _Raw) -> bool:
    """Whether a number was changed for another: what a reader must not miss."""
    cut, added = set(_NUMBER.findall(one.cut)), set(_NUMBER.findall(one.added))
    return bool(cut and added and cut != added)


def _side(before: str, kind: str, text: str, missing: float, after: str) -> tuple[Piece, ...]:
    pieces = [_piece("same", before), _piece(kind, text)]
    if missing >= 1:
        pieces.append(Piece(kind="gap", text=f" [… {missing:.0f} more words] "))
    pieces.append(_piece("same", after))
    return tuple(one for one in pieces if one.text)


def _piece(kind: str, text: str) -> Piece:
    """One line; that a blank stood behind it is kept, since scripts differ in it."""
    blank = " " if text[-1:].isspace() else ""
    return Piece(kind=kind, text=visible(text, None) + blank)


def _end_of(text: str) -> str:
    """The last words of a text, within its last paragraph."""
    line = text.rstrip("\n").rsplit("\n", 1)[-1] if not text.endswith("\n") else ""
    places = [found.start() for found in _WORD.finditer(line)]
    wanted = CONTEXT_WORDS * (2 if _WIDE.search(line[-8:]) else 1)
    return line[places[-wanted] :] if len(places) > wanted else line


def _start_of(text: str, words: float) -> str:
    """The first words of a text, as many as fit; "" when none does."""
    used, end = 0.0, 0
    for found in _WORD.finditer(text):
        used += 0.5 if _WIDE.match(found[0]) else 1.0
        if used > words:
            return text[:end].lstrip()
        end = found.end()
    return text.lstrip()


def _whole(stretches: Sequence[Stretch]) -> tuple[Hunk, ...]:
    def side(kind: str) -> tuple[Piece, ...]:
        return tuple(
            Piece(kind=one.kind, text=visible_lines(one.text, MAX_TEXT_CHARS))
            for one in stretches
            if one.kind in ("same", kind)
        )

    return (Hunk(left=side("cut"), right=side("added")),)

"""What one text changed of another, cut down to what may be quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aidivide_archive.copies.differences import Stretch, differences
from aidivide_archive.report.visible import visible, visible_lines
from aidivide_archive.words import UNSPACED, one_of, token_pattern, weight

CONTEXT_WORDS = 3
"""Unchanged words shown before and after a change."""
_LONGEST_SHARE = 0.25
"""Of the words that may be quoted, at most so many for one side of one change, so that several are shown."""
_NEAR_WORDS = 2
"""Changes with no more unchanged words between them are shown as one."""
MAX_TEXT_CHARS = 20_000
"""Longer texts are compared and shown up to here: enough for any article."""

_NUMBER = re.compile(r"\d+")


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
    """How a later text differs from an earlier one; counts in words, as by `words.weight`."""

    same: int
    cut: int
    added: int
    hunks: tuple[Hunk, ...]
    more: int
    """Changes that are not shown."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch as it stands on either side: white space may differ where the words do not."""

    kind: str
    left: str
    right: str


@dataclass(slots=True)
class _Side:
    """One side of a change as found: unchanged words before it, its own, unchanged words behind it."""

    before: str
    own: str = ""
    after: str = ""


@dataclass(slots=True)
class _Raw:
    left: _Side
    right: _Side


def changes(earlier: str, later: str, words: int | None) -> Change:
    """Compare two texts; `words`: at most so many of either side in all, None for everything."""
    later = later[:MAX_TEXT_CHARS]
    stretches = differences(earlier[:MAX_TEXT_CHARS], later)
    parts = list(_parts(stretches, later))
    found = _joined(parts)
    hunks = _whole(parts) if words is None else _quoted(found, words)
    return Change(
        same=_count(stretches, "same"),
        cut=_count(stretches, "cut"),
        added=_count(stretches, "added"),
        hunks=hunks,
        more=0 if words is None else len(found) - len(hunks),
    )


def _count(stretches: Sequence[Stretch], kind: str) -> int:
    return round(sum(weight(one.text) for one in stretches if one.kind == kind))


def _parts(stretches: Sequence[Stretch], later: str) -> Iterator[_Part]:
    """Stretches with the later text's own white space: as many characters of it as they have, blanks apart."""
    place = 0
    for one in stretches:
        if one.kind == "cut":
            yield _Part(one.kind, one.text, "")
            continue
        start, wanted = place, len("".join(one.text.split()))
        while place < len(later) and (wanted or later[place].isspace()):
            wanted -= not later[place].isspace()
            place += 1
        text = later[start:place]
        yield _Part(one.kind, one.text if one.kind == "same" else "", text)


def _joined(parts: Sequence[_Part]) -> list[_Raw]:
    """Changes with what stands round them; those next to each other are one. Punctuation alone is none."""
    pieces: list[_Raw] = []
    before = _Part("same", "", "")
    is_open = False
    for one in parts:
        near = one.kind == "same" and is_open and weight(one.left) <= _NEAR_WORDS
        if one.kind == "same" and not near:
            if is_open:
                pieces[-1].left.after, pieces[-1].right.after = one.left, one.right
            before, is_open = one, False
            continue
        if not is_open:
            pieces.append(_Raw(_Side(before.left), _Side(before.right)))
            is_open = True
        pieces[-1].left.own += one.left
        pieces[-1].right.own += one.right
    return [one for one in pieces if weight(one.left.own) or weight(one.right.own)]


def _quoted(found: Sequence[_Raw], words: int) -> tuple[Hunk, ...]:
    """Changes in their order, until either side has quoted as much as it may; those of numbers go first."""
    room = [float(words), float(words)]
    longest = max(1.0, words * _LONGEST_SHARE)
    hunks: dict[int, Hunk] = {}
    for index in sorted(
        range(len(found)), key=lambda one: (not _has_other_numbers(found[one]), one)
    ):
        raw = (found[index].left, found[index].right)
        cut = [_shortened(side, min(longest, left)) for side, left in zip(raw, room, strict=True)]
        if any(
            weight(side.own) and not weight(short.own) for side, short in zip(raw, cut, strict=True)
        ):
            break
        kinds = ("cut", "added")
        left, right = (
            _pieces(short, kind, weight(side.own) - weight(short.own))
            for side, short, kind in zip(raw, cut, kinds, strict=True)
        )
        used = [weight(one.before) + weight(one.own) + weight(one.after) for one in cut]
        if min(have - use for have, use in zip(room, used, strict=True)) < 0:
            break
        room = [have - use for have, use in zip(room, used, strict=True)]
        hunks[index] = Hunk(left=left, right=right)
    return tuple(hunks[index] for index in sorted(hunks))


def _shortened(side: _Side, room: float) -> _Side:
    """The change itself in at most so many words, with a few unchanged ones round it."""
    before, after = _end_of(side.before), _start_of(side.after, CONTEXT_WORDS)
    return _Side(before, _start_of(side.own, room), after)


def _has_other_numbers(one: _Raw) -> bool:
    """Whether a number was changed for another: what a reader must not miss."""
    cut, added = (set(_NUMBER.findall(side.own)) for side in (one.left, one.right))
    return bool(cut and added and cut != added)


def _pieces(side: _Side, kind: str, missing: float) -> tuple[Piece, ...]:
    pieces = [_piece("same", side.before), _piece(kind, side.own)]
    if missing >= 1:
        pieces.append(Piece(kind="gap", text=f" [… {missing:.0f} more words] "))
    pieces.append(_piece("same", side.after))
    return tuple(one for one in pieces if one.text)


def _piece(kind: str, text: str) -> Piece:
    """One line; that a blank stood behind it is kept, since scripts differ in it."""
    blank = " " if text[-1:].isspace() else ""
    return Piece(kind=kind, text=visible(text, None) + blank)


def _end_of(text: str) -> str:
    """The last words of a text, within its last paragraph."""
    line = text.rstrip("\n").rsplit("\n", 1)[-1] if not text.endswith("\n") else ""
    places = [token.start() for token in token_pattern(line).finditer(line)]
    wanted = CONTEXT_WORDS * (2 if one_of(UNSPACED).search(line[-8:]) else 1)
    return line[places[-wanted] :] if len(places) > wanted else line


def _start_of(text: str, words: float) -> str:
    """The first words of a text, as many as fit; "" when none does."""
    used, end = 0.0, 0
    unspaced = one_of(UNSPACED)
    for token in token_pattern(text).finditer(text):
        used += 0.5 if unspaced.match(token[0]) else 1.0
        if used > words:
            return text[:end].lstrip()
        end = token.end()
    return text.lstrip()


def _whole(parts: Sequence[_Part]) -> tuple[Hunk, ...]:
    left = [Piece(kind=one.kind, text=visible_lines(one.left, MAX_TEXT_CHARS)) for one in parts]
    right = [Piece(kind=one.kind, text=visible_lines(one.right, MAX_TEXT_CHARS)) for one in parts]
    return (
        Hunk(
            left=tuple(one for one in left if one.text),
            right=tuple(one for one in right if one.text),
        ),
    )

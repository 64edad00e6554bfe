"""What one text adds to another and what it leaves out, word by word: what a person is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rapidfuzz.distance import Indel

from aidivide_archive.words import token_pattern

MAX_TOKENS = 20_000
"""Longer stretches without a paragraph in common are one cut and one addition: the alignment of two
such stretches takes up to a second and 50 MB."""

_OTHERS = r"|\S|\n"  # punctuation stands alone, so that a comma changes no word
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of the two texts; both sides are equal, or one of them is empty."""

    kind: str
    """same, cut (only a has it) or added (only b has it)."""
    text: str
    """As it stands in a (same, cut) or in b (added), with the white space behind it."""


def differences(a: str, b: str) -> tuple[Stretch, ...]:
    """Return how to make `b` of `a`: stretches in order; what is moved is cut and added.

    Equal paragraphs are aligned first, then the words between them.
    """
    found = [one for part in _paragraphs(a, b) for one in part if one.text]
    return tuple(
        Stretch(kind=kind, text="".join(one.text for one in group))
        for kind, group in groupby(found, key=lambda one: one.kind)
    )


def _paragraphs(a: str, b: str) -> Iterator[Iterator[Stretch]]:
    lines_a, lines_b = a.splitlines(keepends=True), b.splitlines(keepends=True)
    plain_a, plain_b = [line.strip() for line in lines_a], [line.strip() for line in lines_b]
    if max(len(plain_a), len(plain_b)) > MAX_TOKENS:
        yield _words(a, b)
        return
    for tag, first_a, last_a, first_b, last_b in _joined(plain_a, plain_b):
        own, other = "".join(lines_a[first_a:last_a]), "".join(lines_b[first_b:last_b])
        if tag == "equal":
            yield iter((Stretch(kind="same", text=own),))
        else:
            yield _words(own, other)


def _words(a: str, b: str) -> Iterator[Stretch]:
    spans_a, spans_b = _spans(a), _spans(b)
    if max(len(spans_a), len(spans_b)) > MAX_TOKENS:
        yield Stretch(kind="cut", text=a)
        yield Stretch(kind="added", text=b)
        return
    words_a = [a[start:end].strip() for start, end in spans_a]
    words_b = [b[start:end].strip() for start, end in spans_b]
    for tag, first_a, last_a, first_b, last_b in _joined(words_a, words_b):
        if tag == "equal":
            yield Stretch(kind="same", text=_cut_out(a, spans_a[first_a:last_a]))
        else:
            yield Stretch(kind="cut", text=_cut_out(a, spans_a[first_a:last_a]))
            yield Stretch(kind="added", text=_cut_out(b, spans_b[first_b:last_b]))


def _spans(text: str) -> list[_Span]:
    """Return the places of the tokens, each with what stands before the next one."""
    starts = [found.start() for found in token_pattern(text, others=_OTHERS).finditer(text)]
    return list(zip(starts, [*starts[1:], len(text)], strict=True)) if starts else []


def _cut_out(text: str, spans: Sequence[_Span]) -> str:
    return text[spans[0][0] : spans[-1][1]] if spans else ""


def _joined(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield opcodes with neighbouring cuts and additions as one."""
    codes = ((code.tag == "equal", code) for code in Indel.opcodes(a, b))
    for is_equal, group in groupby(codes, key=lambda one: one[0]):
        part = [code for _, code in group]
        first, last = part[0], part[-1]
        tag = "equal" if is_equal else "replace"
        yield tag, first.src_start, last.src_end, first.dest_start, last.dest_end

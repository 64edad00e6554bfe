"""Which stretches two texts have in common, word by word: what a person is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from aidivide_archive.similarity.normalise import normalise
from aidivide_archive.words import token_pattern, tokens

MIN_PASSAGE_WORDS = 8
"""Shorter stretches are idioms, names and titles. In scripts without spaces, as many characters."""
_SEED = 3
_MAX_PLACES = 16  # a run of three words in more places than this starts no passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One stretch of words that two texts share; places are code points of the texts as given."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    word_count: int


def passages(a: str, b: str, minimum: int = MIN_PASSAGE_WORDS) -> tuple[Passage, ...]:
    """Return the passages of at least `minimum` words that two texts share, in the order of `a`.

    Longest first, each word in one passage at most. Case, accents' composition and Chinese script
    do not matter. Linear: a run of words that recurs more than `_MAX_PLACES` times begins none.
    """
    spans_a, words_a = _words(a)
    spans_b, words_b = _words(b)
    runs = sorted(_runs(words_a, words_b, minimum), key=lambda run: (-run[2], run[0], run[1]))
    free_a, free_b = [True] * len(words_a), [True] * len(words_b)
    chosen = []
    for begin_a, begin_b, length in runs:
        start, size = _longest_free(free_a, free_b, begin_a, begin_b, length)
        if size < minimum:
            continue
        first_a, first_b = begin_a + start, begin_b + start
        free_a[first_a : first_a + size] = [False] * size
        free_b[first_b : first_b + size] = [False] * size
        chosen.append(
            Passage(
                a_start=spans_a[first_a][0],
                a_end=spans_a[first_a + size - 1][1],
                b_start=spans_b[first_b][0],
                b_end=spans_b[first_b + size - 1][1],
                word_count=size,
            )
        )
    return tuple(sorted(chosen, key=lambda passage: passage.a_start))


def _words(text: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Return the places of a text's words and their forms for comparing."""
    matches = list(token_pattern(text).finditer(text))
    plain = tokens(normalise(text))
    if len(plain) != len(matches):
        # Something was dropped or joined: compare word by word instead, without its neighbours.
        forms: dict[str, str] = {}
        plain = [
            forms.setdefault(word, normalise(word)) for word in (match[0] for match in matches)
        ]
    return [match.span() for match in matches], plain


def _runs(a: Sequence[str], b: Sequence[str], minimum: int) -> list[tuple[int, int, int]]:
    """Return maximal common runs as (place in a, place in b, length)."""
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for begin in range(len(b) - _SEED + 1):
        places[tuple(b[begin : begin + _SEED])].append(begin)
    reached: dict[int, int] = {}
    runs = []
    for begin in range(len(a) - _SEED + 1):
        found = places.get(tuple(a[begin : begin + _SEED]), ())
        for other in found if len(found) <= _MAX_PLACES else ():
            diagonal = other - begin
            if reached.get(diagonal, 0) > begin:
                continue
            length = _SEED
            while (
                begin + length < len(a)
                and other + length < len(b)
                and a[begin + length] == b[other + length]
            ):
                length += 1
            reached[diagonal] = begin + length
            if length >= minimum:
                runs.append((begin, other, length))
    return runs


def _longest_free(
    free_a: Sequence[bool], free_b: Sequence[bool], begin_a: int, begin_b: int, length: int
) -> tuple[int, int]:
    """Return offset and size of the longest part of a run that no passage has taken yet."""
    best, size, current = 0, 0, 0
    for offset in range(length):
        taken = not (free_a[begin_a + offset] and free_b[begin_b + offset])
        current = 0 if taken else current + 1
        if current > size:
            best, size = offset - current + 1, current
    return best, size

"""The phrase language of the profile, and the folding that makes a phrase and a text comparable.

A phrase is words in order. Letter case, accents, punctuation, quotation marks and dashes do not
count. `(a|b)` stands for either, `(a|)` for an optional word, and `…` (or `...`) for other words of
the same sentence: at most GAP_WIDTH half-words over all gaps of one phrase.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import product

from aidivide_archive.words import BY_CHARACTER, is_by_character, token_pattern

GAP_WIDTH = 30
"""Room of all gaps of a phrase in half-words: a word is 2, a character of `words.BY_CHARACTER` 1."""
MAX_VARIANTS = 512
"""Most spellings one phrase may stand for; a matcher holds them all."""

Parts = tuple[tuple[str, ...], ...]
"""A phrase without alternatives: runs of adjacent tokens, gaps between the runs."""

_SENTENCE_END = r"|[!?;\n。]|\.(?=\s|$)"
# Latin letters with accents, accents of their own, and characters that show nothing: soft hyphen,
# zero-width and direction marks.
_TO_STRIP = re.compile(
    "[\u00ad\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+"
)
_STRIPPED = re.compile("[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_ALTERNATIVES = re.compile(r"\(([^()]*\|[^()]*)\)")
_GAP = re.compile(r"…|\.\.\.")

SENTENCE_ENDS = frozenset("!?;\n。.")
"""Tokens that are no words: no phrase reaches over them."""


def fold(text: str) -> str:
    """Lower-case form without Latin accents and invisible characters; compatibility forms unified.

    Linear in the text (NFKC, casefold, then each run of accented letters without its accents).
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _TO_STRIP.sub(_without_accents, folded)


def _without_accents(run: re.Match[str]) -> str:
    return _STRIPPED.sub("", unicodedata.normalize("NFD", run[0]))


def tokens_of(text: str) -> list[str]:
    """Words, single characters of `words.BY_CHARACTER` and sentence ends of a text, in order, folded.

    A phrase of such characters is found wherever it stands, as a part of a longer run too.
    """
    folded = fold(text)
    return token_pattern(folded, BY_CHARACTER, _SENTENCE_END).findall(folded)


def half_words(token: str) -> int:
    """Length of a token in half-words: a sentence end 0, a character of `words.BY_CHARACTER` 1, a word 2."""
    if token in SENTENCE_ENDS:
        return 0
    return 1 if is_by_character(token) else 2


@lru_cache(maxsize=4096)
def parse_phrase(phrase: str) -> tuple[Parts, ...]:
    """All spellings a phrase stands for, in a fixed order.

    Raises ValueError for no words, a gap at an end, or more than MAX_VARIANTS spellings.
    """
    pieces = _ALTERNATIVES.split(phrase)  # literal, alternatives, literal, alternatives, …
    choices = [piece.split("|") if index % 2 else [piece] for index, piece in enumerate(pieces)]
    count = 1
    for options in choices:
        count *= len(options)
        if count > MAX_VARIANTS:
            msg = f"{phrase!r} stands for more than {MAX_VARIANTS} spellings; split it"
            raise ValueError(msg)
    variants: dict[Parts, None] = {}
    for chosen in product(*choices):
        variants[_parts(phrase, "".join(chosen))] = None
    return tuple(variants)


def _parts(phrase: str, spelling: str) -> Parts:
    runs = tuple(
        tuple(token for token in tokens_of(run) if token not in SENTENCE_ENDS)
        for run in _GAP.split(spelling)
    )
    if not all(runs):
        msg = (
            f"{phrase!r} has no words" if len(runs) == 1 else f"{phrase!r} has a gap without words"
        )
        raise ValueError(msg)
    return runs

"""A line of a text round the words that were asked for, and where they stand in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from aidivide_archive.archive.documents.full_text import FOLDING
from aidivide_archive.archive.queries.query_language import Phrase
from aidivide_archive.words import BY_CHARACTER, is_by_character

SNIPPET_CHARS = 160
_BEFORE = SNIPPET_CHARS // 4
"""Characters shown before the first hit."""
_SEARCHED_CHARS = 50_000
_MAX_SPANS = 200

Span = tuple[int, int]


def snippet(text: str, asked: Sequence[Phrase]) -> tuple[str, tuple[Span, ...]]:
    """One line, and the hits in it as [start, end) in characters; the text's beginning when none stands there."""
    text = unicodedata.normalize("NFC", text[:_SEARCHED_CHARS])
    spans = _spans(text, asked)
    start = _best_start(spans)
    end = min(len(text), start + SNIPPET_CHARS)
    start = _word_start(text, start)
    end = _word_end(text, end)
    return _one_line(text, start, end, [span for _, span in spans])


def _spans(text: str, asked: Iterable[Phrase]) -> list[tuple[int, Span]]:
    """(number of the phrase, where), by place."""
    folded, origin = _folded(text)
    spans: list[tuple[int, Span]] = []
    for number, phrase in enumerate(asked):
        if phrase.in_title:
            continue
        for match in _pattern(phrase).finditer(folded):
            start, end = match.span()
            if origin is not None:
                start, end = origin[start], origin[end - 1] + 1
            spans.append((number, (start, end)))
            if len(spans) >= _MAX_SPANS:
                break
    return sorted(spans, key=lambda one: one[1])


class _Marking(dict[int, str]):
    """As `FOLDING`, without blanks round the characters of scripts without spaces: mostly one to one."""

    def __missing__(self, code: int) -> str:
        folded = FOLDING[code]
        found = folded.replace(" ", "") or (" " if folded else "")
        self[code] = found
        return found


_MARKING = _Marking()


def _folded(text: str) -> tuple[str, list[int] | None]:
    """The text as words are compared, and for each of its characters the place in the text; None: the same."""
    folded = text.translate(_MARKING)
    if len(folded) == len(text):
        return folded, None
    return folded, [place for place, one in enumerate(text) for _ in _MARKING[ord(one)]]


@lru_cache(maxsize=256)
def _pattern(phrase: Phrase) -> re.Pattern[str]:
    parts = [re.escape(phrase.words[0])]
    for before, word in zip(phrase.words, phrase.words[1:], strict=False):
        gap = " *" if is_by_character(before) or is_by_character(word) else " +"
        parts.append(gap + re.escape(word))
    first, last = phrase.words[0], phrase.words[-1]
    begin = "" if is_by_character(first) else f"(?<![^ {BY_CHARACTER}])"
    after = f"[^ {BY_CHARACTER}]*" if phrase.is_prefix else f"(?![^ {BY_CHARACTER}])"
    end = "" if is_by_character(last) else after
    return re.compile(begin + "".join(parts) + end)


def _best_start(spans: Sequence[tuple[int, Span]]) -> int:
    """Where the line begins that shows the most different phrases; the first of equals."""
    best, most = 0, 0
    for place, (_, (start, _end)) in enumerate(spans):
        limit = start + SNIPPET_CHARS - _BEFORE
        shown = {number for number, (_, end) in spans[place:] if end <= limit}
        if len(shown) > most:
            best, most = max(0, start - _BEFORE), len(shown)
    return best


def _word_start(text: str, start: int) -> int:
    """Back or on to the beginning of a word, within a few characters."""
    for place in range(start, min(start + 15, len(text))):
        if place == 0 or text[place - 1].isspace() or is_by_character(text[place]):
            return place
    return start


def _word_end(text: str, end: int) -> int:
    for place in range(end, max(end - 15, 0), -1):
        if place >= len(text) or text[place].isspace() or is_by_character(text[place]):
            return place
    return end


def _one_line(
    text: str, start: int, end: int, spans: Iterable[Span]
) -> tuple[str, tuple[Span, ...]]:
    """White space of any kind becomes one blank; the spans move along."""
    shown = "…" if start else ""
    places: dict[int, int] = {}
    for place in range(start, end):
        places[place] = len(shown)
        if not text[place].isspace():
            shown += text[place]
        elif shown and shown[-1] not in " …":
            shown += " "
    places[end] = len(shown)
    marks = sorted(
        {(places[a], places[b]) for a, b in spans if a in places and b in places and a < b}
    )
    return shown + ("…" if end < len(text) else ""), _apart(marks)


def _apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans that overlap or touch become one."""
    found: list[Span] = []
    for start, end in spans:
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def marked(shown: str, marks: Iterable[Sequence[int]], before: str, after: str) -> str:
    """The line with something before and after each hit."""
    parts, last = [], 0
    for start, end in marks:
        parts += [shown[last:start], before, shown[start:end], after]
        last = end
    return "".join([*parts, shown[last:]])

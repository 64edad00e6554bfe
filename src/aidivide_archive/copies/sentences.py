"""A text's sentences as frames with slots, and how the sentences of two texts correspond."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise

from aidivide_archive.similarity.normalise import canonical
from aidivide_archive.words import COMMON_HAN, UNSPACED, marks

MIN_FRAME_OVERLAP = 0.5
"""Dice overlap of two sentences' frames from which they are the same sentence but for slots."""
MAX_SENTENCES = 400
"""Sentences beyond this are not looked at."""
MIN_FRAME_PIECES = 3
"""Pieces that two frames share at least: "he said" is in every sentence."""
_MAX_POSTINGS = 8  # a frame piece in more sentences than this aligns nothing

_ABBREVIATION = (
    r"(?<!\b[A-Z]\.)(?<!\b[DMS][rst]\.)(?<!\b(?:Mrs|Sen|Gov|Rep|Gen|Sgt|Col)\.)(?<!\bProf\.)"
)
_SENTENCE_END = re.compile(
    rf"\n+|(?<=[.!?…]){_ABBREVIATION}[\"'”’»)\]]*\s+(?=[\"'“‘«(\[]?[^\W_a-z])"
    rf"|(?<=[。！？；])[”’」』]*|(?<=[{COMMON_HAN}][.!?;])"
)
# Two numerals or more, or one in front of what is counted; 一 alone is an article.
_HAN_NUMERAL = re.compile(
    "第?[〇零一二两三四五六七八九十百千]{2,}届?|第[一二三四五六七八九十]届?"
    "|[二两三四五六七八九十](?=[年月日天届次个名位家国万亿余多])|第[0-9]+届"
)
_HAN_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_POSSESSIVE = re.compile("(?<=\\w)[’'](?:s\\b|(?!\\w))")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(  # "one" is a pronoun as often as a number
        re.findall("[a-z]+", "two three four five six seven eight nine ten eleven twelve"), start=2
    )
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
CALENDAR = dict.fromkeys((day[:3] for day in _DAYS), "day") | dict.fromkeys(
    (month[:3] for month in _MONTHS), "month"
)
"""Days and months, by their first three letters, with their kind; "may" is a verb as often."""
_WRITTEN_OUT = frozenset(_DAYS + _MONTHS)
_ABBREVIATED = frozenset(CALENDAR) | {"tues", "thur", "thurs", "sept"}
_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "dr",
        "sir",
        "dame",
        "lord",
        "lady",
        "prof",
        "professor",
        "president",
        "pres",
        "minister",
        "gov",
        "governor",
        "sen",
        "senator",
        "rep",
        "gen",
        "general",
        "herr",
        "frau",
        "monsieur",
        "madame",
        "mme",
        "señor",
        "señora",
    ]
)
"""What one house style sets before a name and another leaves out; neither name nor frame."""
_NO_DIGIT = re.compile(r"\D+")
_QUOTATION = re.compile('["“”„«»「」]')


@cache
def _token_pattern() -> re.Pattern[str]:
    """Match a number, a character of a script without spaces, or a word with its apostrophes and hyphens."""
    letter = rf"[^\W\d_{UNSPACED}]"
    return re.compile(
        rf"\d{{1,3}}(?: \d{{3}})+(?!\d)|\d+(?:[.,:/]\d+)*|[{UNSPACED}]"
        rf"|{letter}+(?:[’'-]{letter}+|[{marks()}]+{letter}*)*"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence without its slots, and the slots."""

    frame: frozenset[str]
    """Neighbouring words that fill no slot."""
    words: frozenset[str]
    """All words, case folded; in Chinese characters."""
    numbers: frozenset[str]
    """Digits only: outlets write 36,000 and 36 000, 3.5 and 3,5."""
    names: frozenset[str]
    """Capitalised words within the sentence, case folded; days and months as in `CALENDAR`."""
    is_quoting: bool
    """There is a quotation mark in it."""

    @property
    def has_slots(self) -> bool:
        return bool(self.numbers or self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The sentences of one text, in order."""

    sentences: tuple[Sentence, ...]
    known: frozenset[str]
    """All words, numbers and names of the text."""
    shows_names: bool
    """Most words are of a script with capital letters."""


def outline(text: str) -> Outline:
    """Split a text into sentences with their slots; at most `MAX_SENTENCES`. Linear."""
    plain = _POSSESSIVE.sub("", canonical(text))
    pieces = (piece for piece in _SENTENCE_END.split(plain) if piece and not piece.isspace())
    found = tuple(_sentence(piece) for piece in islice(pieces, MAX_SENTENCES))
    known = frozenset().union(
        *(sentence.words | sentence.numbers | sentence.names for sentence in found)
    )
    cased = sum(word != word.upper() for word in known)
    return Outline(sentences=found, known=known, shows_names=2 * cased > len(known))


def aligned_sentences(a: Outline, b: Outline) -> list[tuple[Sentence, Sentence]]:
    """Pair each sentence of `a` with at most one of `b`: equal ones, then the most alike frames.

    Of equally good partners the one that shares more slots is taken, then the nearest.
    """
    pairs, rest_a, rest_b = _equal_sentences(a.sentences, b.sentences)
    used_a: set[int] = set()
    used_b: set[int] = set()
    for *_, index, other in sorted(_overlaps(a.sentences, b.sentences, rest_a, rest_b)):
        if index not in used_a and other not in used_b:
            used_a.add(index)
            used_b.add(other)
            pairs.append((a.sentences[index], b.sentences[other]))
    return pairs


def _equal_sentences(
    a: Sequence[Sentence], b: Sequence[Sentence]
) -> tuple[list[tuple[Sentence, Sentence]], list[int], list[int]]:
    """Pair equal sentences; return the pairs and the places of the others."""
    waiting: defaultdict[Sentence, list[int]] = defaultdict(list)
    for index, sentence in enumerate(b):
        waiting[sentence].append(index)
    pairs, rest_a = [], []
    for index, sentence in enumerate(a):
        if waiting.get(sentence):
            pairs.append((sentence, b[waiting[sentence].pop()]))
        else:
            rest_a.append(index)
    return pairs, rest_a, sorted(index for left in waiting.values() for index in left)


def _overlaps(
    a: Sequence[Sentence], b: Sequence[Sentence], rest_a: Sequence[int], rest_b: Sequence[int]
) -> Iterator[tuple[float, int, int, int, int]]:
    """Yield (-overlap, -agreeing slots, distance, place, place) of sentences of like frames."""
    postings: defaultdict[str, list[int]] = defaultdict(list)
    for other in rest_b:
        for piece in b[other].frame:
            postings[piece].append(other)
    for index in rest_a:
        sentence = a[index]
        shared: dict[int, int] = {}
        for piece in sentence.frame:
            found = postings.get(piece, ())
            if len(found) <= _MAX_POSTINGS:
                for other in found:
                    shared[other] = shared.get(other, 0) + 1
        for other, count in shared.items():
            partner = b[other]
            overlap = 2 * count / (len(sentence.frame) + len(partner.frame))
            if overlap >= MIN_FRAME_OVERLAP and count >= MIN_FRAME_PIECES:
                agreeing = len(sentence.numbers & partner.numbers) + len(
                    sentence.names & partner.names
                )
                yield -overlap, -agreeing, abs(index - other), index, other


def _sentence(piece: str) -> Sentence:
    numbers = {_han_number(numeral) for numeral in _HAN_NUMERAL.findall(piece)}
    if numbers:
        piece = _HAN_NUMERAL.sub("", piece)
    frame: list[str] = []
    words: set[str] = set()
    names: set[str] = set()
    for position, token in enumerate(_token_pattern().findall(piece)):
        word = token.casefold()
        words.add(word)
        if token[0].isdigit():
            numbers.add(_NO_DIGIT.sub("", token))
        elif word in _NUMBER_WORDS:
            numbers.add(_NUMBER_WORDS[word])
        elif word in _WRITTEN_OUT or (word in _ABBREVIATED and token[0].isupper()):
            names.add(word[:3])
        elif token[0].isupper() and word in _TITLES:
            continue
        elif position and token[0].isupper():
            names.add(word)
        else:
            frame.append(word)
    return Sentence(
        frame=frozenset(f"{a} {b}" for a, b in pairwise(frame)),
        words=frozenset(words),
        numbers=frozenset(numbers),
        names=frozenset(names),
        is_quoting=_QUOTATION.search(piece) is not None,
    )


def _han_number(numeral: str) -> str:
    """Write a Chinese numeral below ten thousand in digits; 第九届 stays marked as "第9届"."""
    core = numeral.strip("第届")
    if core.isascii():
        digits = core
    elif any(character in _HAN_UNITS for character in core):
        digits = str(_han_value(core))
    else:  # digit by digit, as in 二〇二五; no int: a hostile run of numerals has no end
        digits = "".join(str(_HAN_DIGITS[character]) for character in core)
    return f"第{digits}届" if "届" in numeral else digits


def _han_value(core: str) -> int:
    total, digit = 0, None
    for character in core:
        if character in _HAN_UNITS:
            total += (1 if digit is None else digit) * _HAN_UNITS[character]
            digit = None
        else:
            digit = _HAN_DIGITS[character]
    return total + (digit or 0)

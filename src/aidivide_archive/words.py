"""What a word is, in any script, and which characters can be stored and shown.

Ground level: knows Unicode and nothing of this library. No other module holds ranges of these scripts; a module
with a reason of its own for another rule derives it from the tables here.

A word is a run of letters and digits, with the marks and the invisible joiners on them: a Devanagari vowel sign, a
soft hyphen or a zero-width non-joiner does not end it (UAX #29, WB4). Scripts without spaces have no words to cut.
There every letter, vowel sign, tone mark and digit of the script counts by itself, as one code point of composed text
(NFC, as texts are stored); letters and digits of other scripts between them are words as everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby

Ranges = tuple[tuple[int, int], ...]
"""Code points, first and last of each range."""


@dataclass(frozen=True, slots=True)
class Script:
    """The letters, marks and digits of a script, by the blocks of Unicode; its punctuation and symbols are left out."""

    letters: Ranges
    """Letters and signs of the languages that the script is named for."""
    further: Ranges = ()
    """Its digits, other forms of its letters, and letters for other languages."""


THAI = Script(((0x0E01, 0x0E3A), (0x0E40, 0x0E4E)), ((0x0E50, 0x0E59),))
LAO = Script(((0x0E81, 0x0EBD), (0x0EC0, 0x0ECE)), ((0x0ED0, 0x0ED9), (0x0EDC, 0x0EDF)))
BURMESE = Script(
    ((0x1000, 0x103F),),
    (
        *((0x1040, 0x1049), (0x1050, 0x109D), (0xA9E0, 0xA9FE)),
        *((0xAA60, 0xAA76), (0xAA7A, 0xAA7F)),
    ),
)
KHMER = Script(
    ((0x1780, 0x17D3),),
    ((0x17D7, 0x17D7), (0x17DC, 0x17DD), (0x17E0, 0x17E9), (0x17F0, 0x17F9)),
)
KANA = Script(
    (
        *((0x3041, 0x3096), (0x3099, 0x309A), (0x309D, 0x309F)),
        *((0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF)),
    ),
    ((0x3031, 0x3035), (0xFF66, 0xFF9F), (0x1AFF0, 0x1AFFE), (0x1B000, 0x1B167)),
)
BOPOMOFO = Script(((0x3105, 0x312F),), ((0x31A0, 0x31BF),))
HAN = Script(
    (
        (0x3005, 0x3007),  # 々〆〇
        *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
        (0x20000, 0x3FFFF),  # both planes are set aside for ideographs
    ),
    ((0x2E80, 0x2FDF), (0x3021, 0x3029), (0x3038, 0x303C)),  # radicals, numerals, marks
)
HANGUL = Script(((0xAC00, 0xD7A3),))

UNSPACED_SCRIPTS = (THAI, LAO, BURMESE, KHMER, KANA, BOPOMOFO, HAN)
"""Written without spaces between words. Korean is not among them."""
UNSPACED_LANGUAGES = frozenset(("zh", "ja", "th", "lo", "my", "km"))
"""ISO 639 codes of the languages written in them, whose texts are measured in characters."""
SHINGLE_LETTERS: Ranges = tuple(pair for script in UNSPACED_SCRIPTS for pair in script.letters)
"""Tokens by themselves in shingles. A number is one token there in any digits, and letters of `further` are parts of
words: signatures are compared across years, and a wider table would make all stored ones stale."""


def character_class(*scripts: Script) -> str:
    """All characters of the scripts as the inside of a regular expression's brackets."""
    pairs = (pair for script in scripts for pair in (*script.letters, *script.further))
    return _class(pairs)


def _class(ranges: Iterable[tuple[int, int]]) -> str:
    return "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in ranges)


UNSPACED = character_class(*UNSPACED_SCRIPTS)
"""Inside of brackets: each of these characters counts as one."""
BY_CHARACTER = UNSPACED + character_class(HANGUL)
"""Inside of brackets: scripts in which what is looked for may be a part of a word. Those without spaces, and Korean,
which writes particles and endings onto its words. For search, for phrases, and where two characters weigh as much as
a word of other scripts."""
IDEOGRAPHS = _class(HAN.letters[1:])
"""Inside of brackets: Chinese characters, without the marks that stand for one."""
COMMON_HAN = _class([(HAN.letters[1][0], HAN.letters[2][1])])
"""Inside of brackets: the Chinese characters of the basic plane in one range, as names and notes in running text are
written with them."""
_EAST_ASIAN = r"\u3000-\u303f\uff01-\uffee"  # punctuation, full-width forms
_BY_CHARACTER_OR_WIDE = BY_CHARACTER + _EAST_ASIAN

_ZERO_WIDTH_SPACE = "\u200b"  # stands between words where no space is shown
_ASCII_WORD = re.compile(r"[A-Za-z0-9]++(?:['.-][A-Za-z0-9]++)*+")
_PLAIN_LETTERS = re.compile(r"[^\W\d_]++")
_PLAIN_WORD = re.compile(r"[^\W_]++(?:['’.-][^\W_]++)*+")
# Of the other characters, those of news in Latin scripts with its punctuation and signs, none is a mark or unspaced.
_BEYOND_PLAIN = re.compile(
    r"[\xad\u0300-\u1fff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u2cef-\U0010ffff]"
)
_STACKING = "\u1039\u17d2"  # Burmese and Khmer signs that put the next letter under the one before
_CHUNK = re.compile(r"\S+")
_CHUNK_CHARS = 50
"""Characters of a text that are looked at for each word of an excerpt: one without any blank is cut all the same."""


@cache
def one_of(characters: str) -> re.Pattern[str]:
    """Match one character of a class. The wide ones take milliseconds to compile: when first needed."""
    return re.compile(f"[{characters}]")


def is_by_character(text: str) -> bool:
    """Whether a text begins with a character of `BY_CHARACTER`."""
    return one_of(BY_CHARACTER).match(text) is not None


def ends_by_character(text: str) -> bool:
    """Whether a text ends in such a script, its punctuation included."""
    return one_of(_BY_CHARACTER_OR_WIDE).match(text[-1:]) is not None


@cache
def marks() -> str:
    """Inside of brackets: marks and invisible joiners of the basic plane that belong to the word before them.

    Looked up in Python's own Unicode data when first needed: some 10 ms, once a process.
    """
    unspaced = one_of(UNSPACED)
    codes = [
        code
        for code in range(0xAD, 0x10000)
        if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me", "Cf")
        and chr(code) != _ZERO_WIDTH_SPACE
        and not unspaced.match(chr(code))
    ]
    runs = groupby(enumerate(codes), key=lambda placed: placed[1] - placed[0])
    ranges = [[code for _, code in run] for _, run in runs]
    return _class((run[0], run[-1]) for run in ranges)


def token_pattern(text: str, single: str = UNSPACED, others: str = "") -> re.Pattern[str]:
    """What matches the tokens of this text: a character of the class `single`, a word, or one of `others`.

    `others` are alternatives, each with its "|" in front. Apostrophes, dots and hyphens end a word here: compare
    `word_count`.
    """
    is_plain = _BEYOND_PLAIN.search(text) is None
    return _plain_tokens(others) if is_plain else _tokens(single, others)


@cache
def _plain_tokens(others: str) -> re.Pattern[str]:
    return re.compile(rf"[^\W_]++{others}")


@cache
def _tokens(single: str, others: str) -> re.Pattern[str]:
    letter = rf"[^\W_{single}]"
    return re.compile(rf"[{single}]|{letter}++(?:[{marks()}]++{letter}*+)*+{others}")


def tokens(text: str) -> list[str]:
    """The words of a text, and the single characters of scripts without spaces, in order."""
    return token_pattern(text).findall(text)


def word_count(text: str) -> int:
    """The number of words; in scripts without spaces, of characters.

    An apostrophe, dot or hyphen between letters or digits joins them: don't, U.S., 3.5 and e-mail are one word each.
    """
    if text.isascii():
        return len(_ASCII_WORD.findall(text))
    if _BEYOND_PLAIN.search(text) is None:
        return len(_PLAIN_WORD.findall(text))
    runs: list[str] = _unspaced_runs().findall(text)  # "" for a word
    return len("".join(runs)) + runs.count("")


@cache
def _unspaced_runs() -> re.Pattern[str]:
    """Match a run of characters without spaces as group 1, or a word."""
    letter = rf"[^\W_{UNSPACED}]"
    return re.compile(rf"([{UNSPACED}]++)|{letter}++(?:['’.-]{letter}++|[{marks()}]++{letter}*+)*+")


def units(text: str) -> float:
    """The length of prose in words: numbers do not count, and a character of `BY_CHARACTER` counts as half a word."""
    if _BEYOND_PLAIN.search(text) is None:
        return float(len(_PLAIN_LETTERS.findall(text)))
    runs: list[str] = _runs_by_character().findall(text)  # "" for a word
    return len("".join(runs)) / 2 + runs.count("")


@cache
def _runs_by_character() -> re.Pattern[str]:
    """Match a run of characters of `BY_CHARACTER` as group 1, or a word without digits."""
    letter = rf"[^\W\d_{BY_CHARACTER}]"
    return re.compile(rf"([{BY_CHARACTER}]++)|{letter}++(?:[{marks()}]++{letter}*+)*+")


def weight(text: str) -> float:
    """The length of a quotation in words, where two characters of a script without spaces are one."""
    count = len(tokens(text))
    is_plain = _BEYOND_PLAIN.search(text) is None
    return float(count) if is_plain else count - len(one_of(UNSPACED).findall(text)) / 2


def excerpt(text: str, words: int) -> str:
    """The first words of a text on one line, with "…" when more follows.

    What stands between blanks is a word; with characters of a script without spaces in it, it is measured by `weight`
    and cut where the measure is full, never between a letter and its marks.
    """
    room, unspaced = float(words), one_of(UNSPACED)
    kept: list[str] = []
    for chunk in _CHUNK.finditer(text[: words * _CHUNK_CHARS]):
        piece = chunk[0]
        is_unspaced = unspaced.search(piece) is not None
        size = weight(piece) if is_unspaced else 1.0
        if size > room:
            begun = _beginning(piece, room) if is_unspaced else ""
            kept += [begun] if begun else []
            return " ".join(kept) + "…" if kept else ""
        kept.append(piece)
        room -= size
    return " ".join(kept)


def _beginning(piece: str, room: float) -> str:
    """As many tokens from the start as have room, in words."""
    unspaced = one_of(UNSPACED)
    for token in token_pattern(piece).finditer(piece):
        room -= 0.5 if unspaced.match(token[0]) else 1.0
        if room < 0:
            end = token.start()
            while end and (
                unicodedata.category(piece[end]).startswith("M") or piece[end - 1] in _STACKING
            ):
                end -= 1
            return piece[:end]
    return piece


# --- characters that can be stored and shown -----------------------------------------------------

NEVER_STORED = "\x00\ud800-\udfff"
"""Inside of brackets: NUL and lone surrogates, which no database takes and no text can be encoded with."""
SURROGATES = "\ud800-\udfff"
CONTROLS = "\x00-\x1f\x7f-\x9f"
"""Inside of brackets: C0 with tab and line ends, DEL and C1."""
OVERRIDES = "\u202a-\u202e\u2066-\u2069"
"""Inside of brackets: embeddings, overrides and isolates, which make a line read as another one (CVE-2021-42574)."""
DIRECTION_MARKS = "\u061c\u200e\u200f"
"""Inside of brackets: marks that give a direction to what stands beside them only; scripts need them."""
CONTROL_BYTES = bytes(code for code in range(0x20) if code not in b"\t\n\r")
"""C0 but tab and line ends: no XML holds them, escaped or not (XML 1.0 §2.2)."""
_C0 = "\x00-\x08\x0b\x0c\x0e-\x1f"
_NONCHARACTERS = "\ufffe\uffff"
_UNSTORABLE = re.compile(f"[{_C0}{SURROGATES}{_NONCHARACTERS}]")
_UNPRINTABLE = re.compile(f"[{_C0}\x7f-\x9f{SURROGATES}{_NONCHARACTERS}]")


def is_storable(text: str) -> bool:
    """Whether both databases take a text as it is."""
    return one_of(NEVER_STORED).search(text) is None


def storable(text: str) -> str:
    """A text without what the databases or XML cannot hold; escapes of JSON and HTML can spell it.

    Gone are NUL and the other C0 controls but tab and line ends, lone surrogates, U+FFFE and U+FFFF.
    """
    return _UNSTORABLE.sub("", text) if _UNSTORABLE.search(text) else text


def storable_bytes(text: bytes) -> bytes:
    """UTF-8, or another encoding that keeps ASCII, without those controls: far faster than on text."""
    return text.translate(None, CONTROL_BYTES)


def without_surrogates(text: str) -> str:
    """A text as UTF-8 can hold it: U+FFFD for each lone surrogate."""
    return one_of(SURROGATES).sub("\ufffd", text)


def printable(text: str) -> str:
    """A text as XML, YAML and spreadsheets can hold it: U+FFFD for what is not storable, for DEL and for C1."""
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub("\ufffd", text)


def undirected(text: str) -> str:
    """A printable text in which nothing turns the direction of what stands beside it."""
    return (
        text
        if text.isascii() and text.isprintable()
        else one_of(OVERRIDES).sub("\ufffd", printable(text))
    )

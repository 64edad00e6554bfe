"""Text → the form in which texts are compared.

Two outlets print one text with other letters: composed or decomposed accents, full-width forms,
zero-width marks, traditional or simplified characters, look-alikes of another script. All of these
are brought to one form here. The result is for comparing only; it is never shown or stored.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from aidivide_archive.words import COMMON_HAN, IDEOGRAPHS, NEVER_STORED

if TYPE_CHECKING:
    from opencc import OpenCC

NORMALISER_VERSION = "1"
"""Raise it whenever `normalise` gives another result for any text: stored signatures are stale."""

# What no reader sees: general category Cf (zero-width, bidi, soft hyphen, tags), fillers and
# variation selectors; and the points of Arabic and Hebrew, which outlets set or leave at will.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)
_UNUSABLE = re.compile(f"[{NEVER_STORED}]")  # OpenCC stops at NUL, and does not take surrogates
_HAN = re.compile(f"[{IDEOGRAPHS}]")

# Mirror sites put the reading behind a character: 上(shàng)海(hǎi). One syllable with or without its
# tone, or several with at least one tone mark; lower case only, so that (AI) and (WHO) stay.
_TONED = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜḿńňǹ"
_SYLLABLE = f"[a-zü{_TONED}]{{1,7}}"
_PINYIN = re.compile(
    rf"(?<=[{COMMON_HAN}]) ?\( ?(?:{_SYLLABLE}[1-5]?"
    rf"|(?=[^()]{{0,40}}[{_TONED}])[a-zü{_TONED}'’ ]{{2,40}}) ?\)"
)

# Letters that look like a Latin one: a selection of Unicode's confusables.txt (UTS 39) in the
# scripts that disguised text is made with. Cyrillic first: the way back prefers it.
_CYRILLIC = "аеорсухіјѕԁԛԝһӏкмтнвАВЕКМНОРСТУХІЈЅԚԜҺӀ"
_CYRILLIC_AS = "aeopcyxijsdqwhlkmthbABEKMHOPCTYXIJSQWHI"
_GREEK_ARMENIAN = "αονιρτυχκΑΒΕΖΗΙΚΜΝΟΡΤΥΧհոօս"
_GREEK_ARMENIAN_AS = "aoviptuxkABEZHIKMNOPTYXhnou"
_TO_LATIN = dict(zip(_CYRILLIC + _GREEK_ARMENIAN, _CYRILLIC_AS + _GREEK_ARMENIAN_AS, strict=True))
_TO_CYRILLIC = dict(zip(_CYRILLIC_AS, _CYRILLIC, strict=True))
_LOOKALIKE = re.compile(f"[{''.join(_TO_LATIN)}]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_OTHER_SCRIPT = re.compile("[\u0370-\u058f]")  # Greek, Cyrillic, Armenian
_WORD = re.compile(r"[^\W\d_]+")


def normalise(text: str) -> str:
    """Bring a text to its form for comparing.

    NFKC, invisible characters dropped, bracketed pinyin dropped, Chinese in simplified characters
    and mainland terms, look-alike letters of other scripts undone, case folded. Line breaks stay.
    Never raises; linear; a pure function of the text and `NORMALISER_VERSION`.
    """
    return canonical(text).casefold()


def canonical(text: str) -> str:
    """`normalise` without case folding: names can still be distinguished from words."""
    if text.isascii():
        return text.replace("\x00", " ")
    plain = unicodedata.normalize("NFKC", text)
    # Each rule is tried on the few distinct letters that are not ASCII, not on the whole text.
    special = _special(plain)
    if "\x00" in plain or _UNUSABLE.search(special):
        plain = _UNUSABLE.sub(" ", plain)
    if _INVISIBLE.search(special):
        plain = _INVISIBLE.sub("", plain)
    if _HAN.search(special):
        plain = _simplified(_PINYIN.sub("", plain))
    if _LOOKALIKE.search(special) and _LATIN.search(plain):
        plain = _undisguised(plain)[0]
    return plain


def disguised_word_count(text: str) -> int:
    """Count words in which letters of one script pose as letters of another.

    Ordinary text has none or very few (a formula, a brand); evasive copies have many.
    """
    if text.isascii():
        return 0
    plain = unicodedata.normalize("NFKC", text)
    if not _LOOKALIKE.search(_special(plain)):
        return 0
    plain = _INVISIBLE.sub("", plain)
    if not _LATIN.search(plain):
        return 0
    return _undisguised(plain)[1]


def _special(text: str) -> str:
    """Return the distinct characters of a text that are not ASCII, in code point order."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    distinct = np.unique(points[points > 127])
    return distinct.tobytes().decode("utf-32-le", "surrogatepass")


def _undisguised(text: str) -> tuple[str, int]:
    """Return the text with every mixed-script word in one script, and their number.

    Once there are such words in a mostly Latin text, words wholly of look-alikes are Latin too.
    """
    mixed = 0

    def one_script(word: re.Match[str]) -> str:
        nonlocal mixed
        letters = word.group()
        if not (_LOOKALIKE.search(letters) and _LATIN.search(letters)):
            return letters
        for table in (_TO_LATIN, _TO_CYRILLIC):
            single = "".join(table.get(letter, letter) for letter in letters)
            if (_LATIN.search(single) is None) != (_OTHER_SCRIPT.search(single) is None):
                mixed += 1
                return single
        return letters

    result = _WORD.sub(one_script, text)
    if mixed and len(_LATIN.findall(result)) > len(result) // 3:
        result = _WORD.sub(_all_latin, result)
    return result, mixed


def _all_latin(word: re.Match[str]) -> str:
    letters = word.group()
    single = "".join(_TO_LATIN.get(letter, letter) for letter in letters)
    return single if all(letter in _TO_LATIN for letter in letters) else letters


def _simplified(text: str) -> str:
    """Convert traditional characters and Taiwan's terms to simplified ones and mainland terms.

    The first pass needs traditional characters (its terms are looked up in them), the second takes
    Hong Kong's variants, the third brings mainland text that looks like a Taiwan term (程序) to the
    same result as its Taiwan form.
    """
    taiwan, hong_kong = _converters()
    result: str = taiwan.convert(hong_kong.convert(taiwan.convert(text)))
    return result


@lru_cache(maxsize=1)
def _converters() -> tuple[OpenCC, OpenCC]:
    from opencc import OpenCC  # loads dictionaries: only for texts with Han characters

    return OpenCC("tw2sp"), OpenCC("hk2s")

"""Which character encoding a body is in: names, plausibility of a label, and a detector.

A candidate is scored by how much of the non-ASCII text it gives looks like writing: letters that
are common in the languages of that charset count for it; unassigned bytes, private-use and rare
characters, and capitals inside words count against it. Only stdlib codecs are used.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import urlsplit

from aidivide_archive.words import KANA

CERTAIN = 0.75
"""A score in [-1, 1] from which a legacy charset is taken over damaged UTF-8."""
_BELIEVED = 0.45
"""A declared charset is kept from this score on …"""
_LEAD = 0.2
"""… or when no other charset beats it by this much."""
_PLAIN_WIDE, _WIDE_LEAD = 0.7, 0.5
"""A charset of two-byte characters that scores so much, and so much more than the others of its kind, needs no comparison
with sixteen alphabets: text of one of those decodes to rare characters, and scores below zero."""
_SAMPLE_BYTES = 120_000
_MIN_SEQUENCES = 3
"""Multi-byte sequences from which valid UTF-8 is no accident ("联通" in GBK has one)."""

_ALIASES = {
    "gb2312": "gb18030", "gb_2312-80": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030",
    "chinese": "gb18030", "gb18030": "gb18030", "cp936": "gb18030", "hz-gb-2312": "hz",
    "big5": "big5", "big5-hkscs": "big5", "cn-big5": "big5", "x-x-big5": "big5", "cp950": "big5",
    "shift_jis": "shift_jis", "shift-jis": "shift_jis", "sjis": "shift_jis", "x-sjis": "shift_jis",
    "windows-31j": "shift_jis", "ms_kanji": "shift_jis", "cp932": "shift_jis",
    "euc-jp": "euc-jp", "x-euc-jp": "euc-jp", "iso-2022-jp": "iso-2022-jp",
    "euc-kr": "euc-kr", "ks_c_5601-1987": "euc-kr", "ksc5601": "euc-kr", "korean": "euc-kr",
    "windows-949": "euc-kr", "cp949": "euc-kr",
    "iso-8859-1": "windows-1252", "iso8859-1": "windows-1252", "latin1": "windows-1252",
    "l1": "windows-1252", "ascii": "windows-1252", "us-ascii": "windows-1252",
    "iso-8859-9": "windows-1254", "latin5": "windows-1254", "iso8859-9": "windows-1254",
    "iso-8859-11": "windows-874", "tis-620": "windows-874",
    "utf8": "utf-8", "utf-8": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
    "koi8-r": "koi8-r", "koi8": "koi8-r", "koi8_r": "koi8-r", "koi8-u": "koi8-u",
}  # fmt: skip
"""Labels after the WHATWG Encoding Standard, where supersets stand for their subsets."""

_NO_TEXT = frozenset(
    {"base64", "bz2", "hex", "quopri", "rot13", "uu", "zip", "zlib", "idna", "punycode", "mbcs",
     "oem", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape", "utf-7", "utf_7",
     "utf7", "palmos", "base_64", "base64_codec", "hex_codec"}
)  # fmt: skip
_CODECS = {
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "windows-874": "cp874",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_2",
}

# Letters of the languages written in each single-byte charset, common ones only: the score asks
# "does this look like writing", so rare letters and capitals are left to the penalties.
_CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґў"
_LETTERS = {
    "windows-1251": _CYRILLIC,
    "koi8-r": _CYRILLIC,
    "koi8-u": _CYRILLIC,
    "iso-8859-5": _CYRILLIC,
    "cp866": _CYRILLIC,
    "windows-1252": "éèàáíóúñçäöüßâêîôûëïãõåøæœìòù",
    "windows-1250": "ąćęłńóśźżčďěňřšťůúýžáéíäöüőűăâîșţđß",
    "iso-8859-2": "ąćęłńóśźżčďěňřšťůúýžáéíäöüőűăâîșţđß",
    "windows-1254": "ıİşŞğĞçÇöÖüÜâî",
    "windows-1253": "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώς",
    "iso-8859-7": "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώς",
    "windows-1255": "אבגדהוזחטיכלמנסעפצקרשתםןץףך",
    "windows-1256": "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءأإآؤئپچژگ",
    "windows-874": "กขคฆงจฉชซญฐณดตถทธนบปผฝพฟภมยรลวศษสหอะัาำิีึืุูเแโใไๆ็่้๊๋์",
    "windows-1257": "ąčęėįšųūžāēģīķļņõäöü",
    "windows-1258": "àảãáạăâđêôơưéèíìóòúùý",
}
_HOST_HINTS = {
    "cn": "gb18030", "tw": "big5", "hk": "big5", "jp": "shift_jis", "kr": "euc-kr",
    "ru": "windows-1251", "ua": "windows-1251", "bg": "windows-1251", "by": "windows-1251",
    "pl": "iso-8859-2", "cz": "windows-1250", "sk": "windows-1250", "hu": "iso-8859-2",
    "tr": "windows-1254", "gr": "windows-1253", "il": "windows-1255", "th": "windows-874",
    "eg": "windows-1256", "sa": "windows-1256", "ir": "windows-1256", "vn": "windows-1258",
}  # fmt: skip
_LANGUAGE_HINTS = {
    "zh": "gb18030", "ja": "shift_jis", "ko": "euc-kr", "ru": "windows-1251",
    "uk": "windows-1251", "bg": "windows-1251", "pl": "iso-8859-2", "cs": "windows-1250",
    "hu": "iso-8859-2", "tr": "windows-1254", "el": "windows-1253", "he": "windows-1255",
    "th": "windows-874", "ar": "windows-1256", "fa": "windows-1256", "vi": "windows-1258",
    "de": "windows-1252", "fr": "windows-1252", "es": "windows-1252", "pt": "windows-1252",
    "it": "windows-1252", "nl": "windows-1252", "sv": "windows-1252", "en": "windows-1252",
}  # fmt: skip
_FREQUENT = {
    "gb18030": "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过"
    "子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业"
    "本去把性好应开它合还因由其些然前外天政四日那社事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质"
    "第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题程展五果料象员革位入常文总次品式活设及管特件"
    "长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处理世记报",
    "big5": "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過"
    "子說產種面而方後多定行學法所民得經十三之進著等部度家電力裡如水化高自二理起小物現實加量都兩體制機當使點從業"
    "本去把性好應開它合還因由其些然前外天政四日那社事平形相全表間樣與關各重新線內數正心反你明看原又麼利比或但質"
    "第向道命此變條只沒結解問意建月公無系軍很情者最立代想已通並提直題程展五果料象員革位入常文總次品式活設及管特件"
    "長求老頭基資邊流路級少圖山統接知較將組見計別她手角期根論運農指幾九區強放決西被幹做必戰先回則任取據處理世記報",
    "euc-kr": "이다는의에을를가은하고지로도한서사기인나대시자정스해리어아일그수전보들부제과라만장주으있것원상동여구관국"
    "년공경성소안무세면조신위우중용비행방된까미유습니게했계문선개교계당실트생연야발회오려치물화후결양모와",
}
_MULTI_BYTE = ("gb18030", "big5", "shift_jis", "euc-jp", "euc-kr")
_SINGLE_BYTE = (
    "windows-1252", "windows-1251", "koi8-r", "windows-1250", "iso-8859-2", "windows-1254",
    "windows-1253", "windows-1255", "windows-1256", "windows-874", "windows-1257", "koi8-u",
    "iso-8859-5", "cp866", "windows-1258", "iso-8859-7",
)  # fmt: skip
_TYPOGRAPHY = frozenset("‘’“”„‚–—…«»‹›°§©®™·•¿¡ªº€£¥´`½¼¾²³±×№ \u00ad\u200b")
_CJK_MARKS = frozenset("，。、；：？！“”‘’（）《》「」『』〈〉【】—…·～　％＋－／．＂＇＆＃＠＝")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_MIXED_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{0,40}(?:[^\W\d_a-zA-Z]+[A-Za-z]{0,40})+")
_ACCENTS = re.compile("[\u00c0-\u024f]{2,}")
_LONELY = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?=[A-Za-z])")
"""One wide character inside a Latin word: an accented letter that swallowed its neighbour."""
_MARKUP = re.compile(rb"<[^<>]{1,2000}>")


@dataclass(frozen=True, slots=True)
class Utf8Quality:
    """How well a body reads as UTF-8."""

    sequences: int
    """Well-formed multi-byte sequences."""
    faults: int
    """Bytes or sequences that are not UTF-8."""

    @property
    def is_certain(self) -> bool:
        return self.faults == 0 and self.sequences >= _MIN_SEQUENCES

    @property
    def is_likely(self) -> bool:
        """Valid but short, or long with a few damaged places (a cut page, a pasted byte)."""
        return self.sequences > 0 and self.faults * 8 <= self.sequences


@dataclass(frozen=True, slots=True)
class Guess:
    encoding: str
    source: str
    """"http", "meta" or "detector"."""
    score: float
    """Plausibility in [-1, 1]."""


def known_name(label: str) -> str | None:
    """The canonical name of a charset label, or None when no codec of text has that name."""
    label = label.strip().lower()
    if name := _ALIASES.get(label):
        return name
    if match := re.fullmatch(r"(?:x-)?(?:cp|windows|win)-?(\d{3,4})", label):
        label = f"windows-{match[1]}"
    try:
        info = codecs.lookup(_CODECS.get(label, label))
    except (LookupError, ValueError):
        return None
    if not isinstance(info.incrementaldecoder, type) or label in _NO_TEXT:
        return None
    return label


def codec(name: str) -> str:
    """The Python codec of a canonical name."""
    return _CODECS.get(name, name)


def utf8_quality(body: bytes) -> Utf8Quality:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", errors="replace")
        faults = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
        return Utf8Quality(sequences=max(0, len(_NON_ASCII.findall(text)) - faults), faults=faults)
    # every character beyond ASCII takes one to three bytes more than one: a lower bound is enough
    return Utf8Quality(sequences=-(-(len(body) - len(text)) // 3), faults=0)


def detect(
    body: bytes,
    *,
    declared: tuple[tuple[str, str], ...],
    url: str | None,
    language: str | None,
) -> Guess:
    """Choose among the declared and the usual legacy charsets; ties go to language and host."""
    sample = _sample(body)
    if b"\x1b$" in sample[:_SAMPLE_BYTES] and _decodes(sample, "iso-2022-jp"):
        return Guess("iso-2022-jp", _source("iso-2022-jp", declared), 1.0)
    hints = _hints(url, language)
    legacy = [(source, name) for source, name in declared if not name.startswith("utf-")]
    # "iso-8859-1" is what servers say when they know nothing: any other label comes first
    legacy.sort(key=lambda pair: pair[1] == "windows-1252")
    scores: dict[str, float] = {}
    for source, name in legacy:
        scores[name] = _score(sample, name)
        if scores[name] >= CERTAIN:
            return Guess(name, source, scores[name])
    if legacy and scores[legacy[0][1]] >= _BELIEVED:  # whatever the others would score
        source, name = legacy[0]
        return Guess(name, source, scores[name])
    for name in _MULTI_BYTE:
        if name not in scores:
            scores[name] = _score(sample, name) + 0.08 * (name in hints)
    if not legacy and (wide := _plainly_wide(scores)) is not None:
        return Guess(wide, "detector", scores[wide])
    for name in _SINGLE_BYTE:
        if name not in scores:
            scores[name] = _score(sample, name) + 0.08 * (name in hints)
    best = max(scores, key=lambda name: scores[name])
    for source, name in legacy:
        if scores[name] >= _BELIEVED or scores[best] - scores[name] < _LEAD:
            return Guess(name, source, scores[name])
    return Guess(best, "detector", scores[best])


def _plainly_wide(scores: dict[str, float]) -> str | None:
    """The charset of two-byte characters that leaves no doubt; None: there is none."""
    second, first = sorted(_MULTI_BYTE, key=lambda name: scores[name])[-2:]
    if scores[first] >= _PLAIN_WIDE and scores[first] - scores[second] >= _WIDE_LEAD:
        return first
    return None


def _source(name: str, declared: tuple[tuple[str, str], ...]) -> str:
    return next((where for where, label in declared if label == name), "detector")


def _sample(body: bytes) -> bytes:
    """The part of a body that is text, up to a bound: markup is ASCII and would say nothing."""
    text = _MARKUP.sub(b" ", body[: 4 * _SAMPLE_BYTES])[:_SAMPLE_BYTES]
    return body[:_SAMPLE_BYTES] if text.isascii() else text


def _hints(url: str | None, language: str | None) -> frozenset[str]:
    hinted = set()
    if language and (name := _LANGUAGE_HINTS.get(language.lower().partition("-")[0])):
        hinted.add(name)
    if url:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            host = ""
        if name := _HOST_HINTS.get(host.rpartition(".")[2]):
            hinted.add(name)
    return frozenset(hinted)


def _decodes(sample: bytes, name: str) -> bool:
    try:
        sample.decode(codec(name))
    except UnicodeDecodeError:
        return False
    return True


def _score(sample: bytes, name: str) -> float:
    """Plausibility of the sample in one charset, in [-1, 1]; 0 when it has no non-ASCII text."""
    text = sample.decode(codec(name), errors="replace")
    high = Counter(_NON_ASCII.findall(text))  # few distinct ones: each is judged once
    if not high:
        return 0.0
    if name in _MULTI_BYTE:
        points = _sum(_wide_points(name), high) - 0.8 * len(_LONELY.findall(text))
    else:
        points = _sum(partial(_letter_points, common=_common_letters(name)), high)
        points += _sum(_word_points, Counter(_MIXED_WORD.findall(text)))
    return max(-1.0, min(1.0, points / high.total()))


def _sum(points: Callable[[str], float], found: Counter[str]) -> float:
    return sum(points(one) * count for one, count in found.items())


def _letter_points(character: str, common: frozenset[str]) -> float:
    if character in common:
        return 1.0
    if character in _TYPOGRAPHY:
        return 0.3
    if character == "\ufffd" or not character.isprintable():
        return -2.0
    if character.lower() in common:
        return 0.6
    return -0.4 if character.isalpha() else -0.7


def _word_points(word: str) -> float:
    """Penalty of a word that no writer makes: capitals inside, two scripts, accents in a row."""
    capitals = 0
    if not (word.islower() or word.isupper()):
        capitals = sum(map(str.isupper, word[1:]))
    latin = len(word.encode("ascii", "ignore"))
    mixed = min(sum(character > "\u024f" for character in word), latin) if latin else 0
    accents = sum(len(run) - 1 for run in _ACCENTS.findall(word))
    return -1.0 * capitals - 1.5 * mixed - 0.8 * accents


def _wide_points(name: str) -> Callable[[str], float]:
    frequent, common = _frequent(name), _common_ideographs(name)

    def points(character: str) -> float:
        if character in frequent:
            return 1.0
        if character in common:
            return 0.6
        if character == "\ufffd" or "\ue000" <= character <= "\uf8ff":
            return -3.0
        if "\uff61" <= character <= "\uff9f":  # half-width kana: single bytes misread
            return -0.6
        return 0.5 if character in _CJK_MARKS else -0.7

    return points


@lru_cache(maxsize=32)
def _common_letters(name: str) -> frozenset[str]:
    return frozenset(_LETTERS.get(name, ""))


@lru_cache(maxsize=8)
def _frequent(name: str) -> frozenset[str]:
    """The characters that make up a third to two thirds of any text in that charset."""
    if name in {"shift_jis", "euc-jp"}:
        return frozenset(
            chr(code) for first, last in KANA.letters for code in range(first, last + 1)
        ) | {"・"}
    return frozenset(_FREQUENT[name])


@lru_cache(maxsize=8)
def _common_ideographs(name: str) -> frozenset[str]:
    """The first level of the standard itself: the characters that everyday text is made of."""
    if name == "big5":
        rows, cells = range(0xA4, 0xC7), (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    else:
        last = {"gb18030": 0xD8, "euc-kr": 0xC9}.get(name, 0xD0)
        rows, cells = range(0xB0, last), tuple(range(0xA1, 0xFF))
    standard = {"gb18030": "gb2312", "shift_jis": "euc_jp", "euc-jp": "euc_jp"}.get(
        name, codec(name)
    )
    return frozenset(
        "".join(
            bytes((row, cell)).decode(standard, errors="ignore") for row in rows for cell in cells
        )
    )

"""Where a text comes from in its own words: dateline, agencies, source and editor lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aidivide_archive.decode.blocks import Block
from aidivide_archive.model import Claim
from aidivide_archive.words import COMMON_HAN

_HEAD_LINES = 4
_TAIL_LINES = 5

_AGENCY_WORDS = (
    r"Xinhua|Reuters|AP|AFP|dpa|EFE|ANSA|TASS|PTI|ANI|IANS|UPI|CNS|ECNS|Yicai(?: Global)?|Bernama|Kyodo|Jiji|Yonhap"
    r"|Europa Press|Anadolu|WAM|Antara|Lusa|Bloomberg|People's Daily(?: Online)?|China Daily|CGTN|Global Times"
)
# In the brackets of a dateline any name is an agency's: new ones appear, and old ones have many spellings.
_NAME_IN_BRACKETS = r"[A-Z][\w.&'’-]{1,30}(?: [A-Z][\w.&'’-]{0,30}){0,3}"
_DATELINE = re.compile(
    r"^\W{0,3}(?P<place>[A-ZÀ-Þ][A-ZÀ-Þ .'’/&-]{2,40}(?:, [A-Z][\w .'’-]{2,30}?)?)?,?\s*"
    r"(?P<date>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? \d{1,2}(?:, \d{4})?)?,?\s*"
    rf"\((?P<agency>{_AGENCY_WORDS}|{_NAME_IN_BRACKETS})\)\s*(?P<late>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? \d{{1,2}})?\s*[-–—:]+"
)
_TOWN = re.compile(
    r"^(?P<place>[A-ZÀ-Þ][A-ZÀ-Þ .'’/-]{2,40}(?:, [A-Z][\w .'’-]{2,30})?)(?:,? (?P<date>[A-Z][a-z]{2,8}\.? \d{1,2}))?\s*(?:--|—|–)\s"
)
_CHINESE_DATELINE = re.compile(
    r"^\W{0,3}(?P<agency>新华社|中新社|中新网|中国日报网?|人民网|央视网|第一财经|本报|本刊)"
    rf"(?P<place>[{COMMON_HAN}]{{2,8}}?)?(?P<date>\d{{1,2}}月\d{{1,2}}日)(?:电|讯|消息)"
)
_SOURCE_LINE = re.compile(
    r"^\W{0,3}(?:source|fuente|fonte|quelle|источник|来源|稿源|文章来源|来\s*源)\s?[:：]\s?(?P<name>[^\s|:：][^|:：]{0,40}?)(?:\s{1,}(?:作者|时间|发布|编辑|责任编辑|字号|\d{4}).*|\s*\|.*)?$",
    re.IGNORECASE,
)
_EDITOR_LINE = re.compile(
    r"(?:责任编辑|责编|编辑|(?:web )?editors?)\s?[:：]\s?(?P<name>[^\s()（）|][^()（）|]{0,40}?)\s*[)）\]】]?\s*$",
    re.IGNORECASE,
)
_BARE_AGENCY = re.compile(rf"^\W{{0,3}}(?:Source: )?(?P<name>{_AGENCY_WORDS})\W{{0,3}}$")
_FROM_AGENCY = re.compile(
    rf"^\W{{0,3}}from (?P<name>{_AGENCY_WORDS}|{_NAME_IN_BRACKETS}? (?:Wire|Press|Agency|News|Service))\W{{0,3}}$",
    re.IGNORECASE,
)
_INLINE_SOURCE = re.compile(rf"来源\s?[:：]\s?(?P<name>[{COMMON_HAN}A-Za-z·]{{2,20}})")
_PIPED = re.compile(
    r"^\W{0,3}by (?P<name>[^|]{2,80}?)(?: in (?P<place>[^|]{2,40}?))?\s*\|\s*(?P<outlet>[^|]{2,40}?)\s*\|",
    re.IGNORECASE,
)


def credit_claims(head: Sequence[Block], lines: Sequence[str]) -> tuple[Claim, ...]:
    """Claims "credit", "dateline" and "editor" that stand in words, each value once.

    Credits are evidence, not proof: rewritten texts carry agency credits and agency texts none.
    """
    found: dict[tuple[str, str], Claim] = {}
    for field, value, confidence in (*_in_text(lines), *_near_headline(head)):
        text = " ".join(value.split()).strip(" .,;-–—")
        if text:
            claim = Claim(
                field=field, value=text, source="text", confidence=confidence, chosen=True
            )
            found.setdefault((field, text.casefold()), claim)
    return tuple(found.values())


def _in_text(lines: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    for line in lines[:_HEAD_LINES]:
        match = _DATELINE.match(line) or _CHINESE_DATELINE.match(line)
        if match:
            yield "credit", match["agency"], 0.8
            place, date = match["place"] or "", match["date"] or match.groupdict().get("late") or ""
            yield "dateline", f"{place}, {date}" if place and date else place or date, 0.8
            break
        if town := _TOWN.match(line):
            yield (
                "dateline",
                f"{town['place']}, {town['date']}" if town["date"] else town["place"],
                0.6,
            )
            break
    for line in (*lines[:_HEAD_LINES], *lines[-_TAIL_LINES:]):
        yield from _credit_line(line)


def _near_headline(head: Sequence[Block]) -> Iterator[tuple[str, str, float]]:
    for block in head:
        text = block.text[:300]
        if piped := _PIPED.match(text):
            yield "credit", piped["outlet"], 0.7
            if piped["place"]:
                yield "dateline", piped["place"], 0.7
        elif inline := _INLINE_SOURCE.search(text):
            yield "credit", inline["name"], 0.7
        elif len(text) < 120:
            yield from _credit_line(text)


def _credit_line(line: str) -> Iterator[tuple[str, str, float]]:
    if len(line) > 160:
        return
    if source := _SOURCE_LINE.match(line):
        yield "credit", source["name"], 0.7
    elif bare := _BARE_AGENCY.match(line) or _FROM_AGENCY.match(line):
        yield "credit", bare["name"], 0.6
    if editor := _EDITOR_LINE.search(line):
        yield "editor", editor["name"], 0.7

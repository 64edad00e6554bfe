"""Whether a page is one of the pages of an article, or another form of it, as the page itself says.

A number in the address alone proves nothing: "top-10", "/2025/07", a second post with the same slug
look alike. It counts when the addresses of several pages differ in it alone and the page labels
them: rel=prev/next, links named "2" or "next page", "page 2 of 3", or a canonical address that is
the first page. What other pages say is not known here: settling joins only what fits together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree
from lxml.html import HtmlElement

from aidivide_archive.decode.blocks import Block
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.model import Link, Part
from aidivide_archive.urls import canonical_url, site, url_key

MAX_PAGES = 50
"""The longest article that is joined; a chain of more pages is cut there."""
_MAX_LABELLED = 400
_MAX_LABEL_ELEMENTS = 4
_MAX_ENDING = 30
"""Characters that a page number and what surrounds it may take of an address."""
_COUNTER_CHARS = 60
_REL = etree.XPath(
    "//*[(self::a or self::link) and @href and (contains(@rel, 'next') or contains(@rel, 'prev'))]"
)
_AMP = etree.XPath("boolean(/html[@amp or @*[name() = '⚡']])")

_FILE_ENDING = re.compile(r"(?:\.(?:s?html?|php|aspx?|jsp)|/)?(?:\?.*)?$", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?P<head>https?://[^/?]+/[^?]+\?(?:.*&)?)(?:page|pg|p|seite|pagina|page_?no|page_?num|currpage|currentpage|curpage)"
    r"=(?P<number>[1-9]\d{0,2})(?P<tail>(?:&.*)?)",
    re.IGNORECASE,
)
_SEGMENT = re.compile(
    r"(?P<stem>https?://[^/?]+/[^?]*?[^/?])/(?:(?:page|seite|pagina|pagenum|p)[/-]?)?(?P<number>[1-9]\d{0,2})/?"
    r"(?P<tail>(?:\?.*)?)",
    re.IGNORECASE,
)
_ENDING = re.compile(
    r"(?P<stem>https?://[^/?]+/[^?]*?[^/?])(?:_|-|,|~|\.)(?:(?:page|seite|pagina|p)-?)?(?P<number>[1-9]\d{0,2})"
    r"(?P<suffix>(?:\.(?:s?html?|php|aspx?|jsp))?/?)(?P<tail>(?:\?.*)?)",
    re.IGNORECASE,
)
_WHOLE_PARAMETER = re.compile(
    r"(?P<head>https?://[^/?]+/[^?]+\?(?:.*&)?)(?:(?:page|p|view|seite|pagina|show)=(?:all|0|single|full|complete|komplett)"
    r"|(?:single_?page|single|view_?all|fullpage|full|all|onepage)=(?:1|true|yes|all))(?P<tail>(?:&.*)?)",
    re.IGNORECASE,
)
_WHOLE_ENDING = re.compile(
    r"(?P<stem>https?://[^/?]+/[^?]*?[^/?])(?:/|_|-)(?:all|full|komplettansicht|single-?page|view-?all|one-?page)"
    r"(?P<suffix>(?:\.(?:s?html?|php))?/?)(?P<tail>(?:\?.*)?)",
    re.IGNORECASE,
)
_COUNTER = re.compile(
    r"(?:page|seite|página|pagina|pág\.?|strona|sida|side|страница)\W{0,3}(?P<number>\d{1,3})\W{0,3}"
    r"(?:of|von|de|sur|di|van|z|av|af|из|/)\W{0,3}(?P<total>\d{1,3})"
    r"|第\s*(?P<number_zh>\d{1,3})\s*[页頁](?:\W{0,3}共\s*(?P<total_zh>\d{1,3})\s*[页頁])?"
    r"|共\s*(?P<total_first>\d{1,3})\s*[页頁]\W{0,3}第\s*(?P<number_last>\d{1,3})\s*[页頁]",
    re.IGNORECASE,
)
_NUMBER_LABEL = re.compile(
    r"\W*(?:(?:page|seite|página|pagina|страница|第)\W{0,2})?(?P<number>\d{1,3})\s*[页頁]?\W*",
    re.IGNORECASE,
)
_STEP_LABEL = re.compile(
    r"\W*(?:next|prev(?:ious)?|(?:next|prev(?:ious)?) page|continue(?: (?:reading )?on(?: the)? (?:next )?page.{0,10})?"
    r"|weiter|zurück|(?:nächste|vorherige|vorige) seite|(?:auf|zu) seite \d+|(?:page )?(?:suivante?|précédente?)"
    r"|(?:página )?(?:siguiente|anterior)|(?:próxima|anterior)(?: página)?|(?:pagina )?(?:successiva|precedente)"
    r"|volgende(?: pagina)?|vorige(?: pagina)?|(?:下|上)一?[页頁]|(?:следующая|предыдущая)(?: страница)?)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Numbered:
    """One reading of an address: a page's number and the address without it."""

    prefix: str
    """What the addresses of all pages begin with."""
    stem: str
    """Key of the first page."""
    number: int
    """0: the address of all pages on one."""
    is_weak: bool = False
    """Whether slugs end like that as well."""
    plain: str = ""
    """The address itself without the number, which is the first page's; empty when it has none."""


@dataclass(slots=True)
class _Siblings:
    """The other pages that a page links to, by number, and how it labels them."""

    urls: dict[int, str] = field(default_factory=dict)
    weak: set[int] = field(default_factory=set)
    numbered: set[int] = field(default_factory=set)
    """Linked by their number."""
    stepped: set[int] = field(default_factory=set)
    """Linked as next or previous."""
    whole: str | None = None


def read_part(
    tree: HtmlElement,
    url: str,
    *,
    canonical: str | None,
    links: Sequence[Link],
    blocks: Sequence[Block],
) -> Part | None:
    """The page's place in an article of several pages or forms; None for an article by itself.

    `canonical` is the address that the page calls its own, `links` are those of the page. Linear in
    them. All addresses of the result are canonical and on the page's site.
    """
    own = _canonical(url)
    if own is None:
        return None
    main = _canonical(canonical, own)
    if main is not None and (not _same_site(main, own) or url_key(main) == url_key(own)):
        main = None
    if main is not None and _AMP(tree):
        return Part(number=0, first_url=main, is_amp=True)
    for one in _readings_of(own):
        near = _near(one, own, main, links)
        if near and (part := _as_page(one, _siblings(one, near, own, tree), main, blocks)):
            return part
    return None


def _near(one: _Numbered, own: str, main: str | None, links: Sequence[Link]) -> list[str]:
    """Addresses that may be other pages of the same article."""
    found = [
        link.url
        for link in links
        if link.url.startswith(one.prefix)
        and len(link.url) <= len(one.prefix) + _MAX_ENDING
        and link.url != own
    ]
    return [main, *found] if main is not None and main.startswith(one.prefix) else found


def _as_page(
    one: _Numbered, siblings: _Siblings, main: str | None, blocks: Sequence[Block]
) -> Part | None:
    """The page read as number `one.number` of `one.stem`, if it says so."""
    first = siblings.urls.get(1)
    if one.number > MAX_PAGES or (one.number != 1 and first is None):
        return None
    if one.number == 0:
        return Part(number=0, first_url=one.plain)
    if not siblings.urls and siblings.whole is None:
        return None
    counter = _counter(blocks)
    is_counted = counter is not None and counter[0] == one.number
    main_is_first = main is not None and url_key(main) == one.stem
    if not is_counted and not main_is_first and not _is_labelled(one, siblings):
        return None
    return Part(
        number=one.number,
        first_url=_first_url(one, first),
        next_url=siblings.urls.get(one.number + 1),
        whole_url=siblings.whole,
        total=counter[1] if counter is not None and is_counted else None,
    )


def _first_url(one: _Numbered, linked: str | None) -> str | None:
    """Where the article has its own page: without number, even where that is linked as "?page=1"."""
    if linked is not None and url_key(linked) == one.stem:
        return linked
    return one.plain or None


def _is_labelled(one: _Numbered, siblings: _Siblings) -> bool:
    """Whether the page links to its neighbours as to other pages of the same text.

    A slug may end in a number, and then the next post is a text of its own: "next" proves nothing.
    """
    around = {2} if one.number == 1 else {1, one.number - 1, one.number + 1}
    around &= siblings.urls.keys()
    if around & siblings.numbered:
        return True
    return not one.is_weak and bool((around - siblings.weak) & siblings.stepped)


def _siblings(one: _Numbered, near: Iterable[str], own: str, tree: HtmlElement) -> _Siblings:
    siblings = _Siblings()
    numbers: dict[str, int] = {}
    for url in near:
        for other in _readings_of(url):
            if other.stem != one.stem or other.number in (one.number, *numbers.values()):
                continue
            if other.number > MAX_PAGES + 1:
                continue
            numbers[url] = other.number
            if other.number == 0:
                siblings.whole = url
            else:
                siblings.urls[other.number] = url
            if other.is_weak:
                siblings.weak.add(other.number)
    if numbers:
        _read_labels(siblings, numbers, own, tree)
    return siblings


def _read_labels(found: _Siblings, numbers: Mapping[str, int], own: str, tree: HtmlElement) -> None:
    for element in _REL(tree)[:_MAX_LABELLED]:
        number = numbers.get(_canonical(element.get("href"), own) or "")
        if number is not None:
            found.stepped.add(number)
    left = _MAX_LABELLED
    for element in tree.iter("a"):
        if len(element) > _MAX_LABEL_ELEMENTS or left == 0:
            continue
        label = " ".join("".join(element.itertext()).split()) or element.get("title") or ""
        if len(label) > _COUNTER_CHARS:
            continue
        match = _NUMBER_LABEL.fullmatch(label)
        if match is None and not _STEP_LABEL.fullmatch(label):
            continue
        left -= 1
        number = numbers.get(_canonical(element.get("href"), own) or "")
        if number is not None and match is None:
            found.stepped.add(number)
        elif number is not None and match is not None and int(match["number"]) == number:
            found.numbered.add(number)


def _counter(blocks: Sequence[Block]) -> tuple[int, int | None] | None:
    """(number, total) of "page 2 of 3" on a line of its own; None: not stated."""
    for block in blocks:
        if len(block.text) > _COUNTER_CHARS or not (match := _COUNTER.search(block.text)):
            continue
        number = match["number"] or match["number_zh"] or match["number_last"]
        total = match["total"] or match["total_zh"] or match["total_first"]
        if 0 < int(number) <= MAX_PAGES and (total is None or int(total) >= int(number)):
            return int(number), int(total) if total else None
    return None


# --- addresses -----------------------------------------------------------------------------------


def _readings_of(url: str) -> list[_Numbered]:
    """How an address may be read: as a numbered page, as the whole on one, or as the first page."""
    readings = []
    for pattern in (_PARAMETER, _SEGMENT, _ENDING):
        match = pattern.fullmatch(url)
        if match and 0 < int(match["number"]) <= MAX_PAGES + 1:
            # "story-2" may be a slug, "story_2.html" is none
            is_weak = pattern is _ENDING and not re.search(r"_\w*\.\w+$", match[0])
            number, plain = int(match["number"]), _plain(match)
            readings.append(_Numbered(_prefix(match), url_key(plain), number, is_weak, plain))
    for pattern in (_WHOLE_PARAMETER, _WHOLE_ENDING):
        if match := pattern.fullmatch(url):
            plain = _plain(match)
            readings.append(_Numbered(_prefix(match), url_key(plain), 0, plain=plain))
    readings.append(_Numbered(_FILE_ENDING.sub("", url), url_key(url), 1))
    return readings


def _prefix(match: re.Match[str]) -> str:
    parts = match.groupdict()
    return parts["stem"] if "stem" in parts else _FILE_ENDING.sub("", parts["head"])


def _plain(match: re.Match[str]) -> str:
    """The address without the number."""
    parts = match.groupdict()
    if "stem" in parts:
        return canonical_url(parts["stem"] + (parts.get("suffix") or "") + parts["tail"])
    head = parts["head"].rstrip("?&")
    tail = parts["tail"] if "?" in head else parts["tail"].replace("&", "?", 1)
    return canonical_url(head + tail)


def _canonical(raw: str | None, base: str | None = None) -> str | None:
    if not raw:
        return None
    try:
        return canonical_url(raw, base)
    except InvalidURLError:
        return None


def _same_site(one: str, other: str) -> bool:
    try:
        return site(one) == site(other)
    except InvalidURLError:
        return False

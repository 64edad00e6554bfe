"""Who wrote it: people apart from agencies and outlets, read from statements and bylines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lxml import etree
from lxml.html import HtmlElement

from aidivide_archive.decode.blocks import Block, line_key
from aidivide_archive.metadata import jsonld
from aidivide_archive.metadata.page import PageFacts, text_of
from aidivide_archive.model import Claim, Hint
from aidivide_archive.words import COMMON_HAN

_MAX_AUTHORS = 20
_AUTHOR_METAS = (
    "author", "article:author", "parsely-author", "sailthru.author", "dc.creator", "byl",
    "citation_author", "dcterms.creator", "cxenseparse:author", "vr:author", "article:author_name",
)  # fmt: skip

_BY = re.compile(
    r"^\W*(?:by|von|par|por|di|door|av|af|oleh|autor(?:in|es?)?|auteurs?|authors?|text|texte|reporter"
    rf"|written by|posted by|reported by|story by|写|文|记者|作者|記者|撰稿|撰文|文字)(?:\b|(?=[{COMMON_HAN}]))[:：\s]*",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:by|von|par|por|di|door|av|af|oleh|autor|author)(?=[A-ZÀ-Þ])")
_SPLIT = re.compile(
    r"\s*(?:[,;|/•·]|&(?=\s)|\band\b|\bund\b|\bet\b|\by\b|\be\b|\bog\b|\boch\b|\ben\b|、|，|；|\s[–—-]\s)\s*",
    re.IGNORECASE,
)
_WORDS_NO_NAME = re.compile(
    r"https?:|@|www\.|\d{3}|\d[.:/]\d|[<>{}()\[\]=]|^(?:admin|administrator|staff|staff writer|editor|redaktion|redaction"
    r"|redacción|redação|newsroom|guest|unknown|null|none|undefined|user|webmaster|anonymous|unbekannt"
    r"|published|updated|share|follow|posted|佚名|匿名|本站|未知|时间|日期|来源|编辑|管理员)$"
    r"|^(?:updated|published|posted|last|read|see|view|follow|share|image|photo|getty|more)\b",
    re.IGNORECASE,
)
_PARTICLES = frozenset(
    [
        "van",
        "von",
        "de",
        "der",
        "den",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "do",
        "la",
        "le",
        "al",
        "bin",
        "ibn",
        "el",
        "ter",
        "af",
        "of",
    ]
)
_ROLES = re.compile(
    r"\b(?:correspondent|reporter|editor|writer|journalist|contributor|columnist|director|producer|staff"
    r"|redakteur(?:in)?|korrespondent(?:in)?|bureau|author|freelance)\b",
    re.IGNORECASE,
)
_ORGANISATION = re.compile(
    r"\b(?:news(?:room|desk|wire|paper)?|agency|agencies|agenturen|agence|agencia|press|times|post|daily|herald|tribune"
    r"|media|online|tv|radio|team|redaktion|redacción|redaction|staff|desk|university|institute|school"
    r"|college|inc|ltd|gmbh|magazine|journal|today|reuters|xinhua|bloomberg|afp|ap|dpa|apa|sda|efe"
    r"|ansa|tass|dapd|epd|kna|sid|pti|ani|ians|ntb|ritzau|tt|anp|belga|lusa|eph?|kyodo|jiji|yonhap"
    r"|cns|bernama|antara|nachrichten|zeitung|presse|digital|group|office|board|contributors?)\b"
    r"|\.(?:com|net|org|de|at|ch|cn|is|be|co|uk|info|news)\b|社$|网$|报$|新闻|通讯社|报业|集团|政府|电视台|网络$|公司$|中心$|デジタル|新聞|編集部",
    re.IGNORECASE,
)
_NAMED = etree.XPath("//*[@rel='author' or @itemprop='author' or @itemprop='author name']")
_BYLINE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:author|byline|writer|reporter|creator|autor|journalist)s?(?:[\s_-]{1,2}(?:names?|links?|title|info|meta|list|item|wrapper|text|block|a))*(?:$|[\s_-])"
    r"|(?:author|byline|Author|Byline)(?:Name|Link|-name|_name)|(?:^|[\s_])(?:\w*[aA]uthor|\w*[bB]yline)(?:$|[\s_])",
)
_NO_BYLINE = re.compile(
    r"comment|bio|avatar|image|img|photo|related|share|social|date|time|card|box|promo|teaser|description",
    re.IGNORECASE,
)
_HAN_NAME = rf"[{COMMON_HAN}·]{{2,8}}(?!\s*[:：])"
_CHINESE_BYLINE = re.compile(
    r"(?:作\s*者|撰\s*稿|撰\s*文|(?:本报|本台|见习|特约|实习)?记\s*者|文字)\s*[:：/]\s*"
    rf"(?P<names>{_HAN_NAME}(?:[、，,\s]{_HAN_NAME}){{0,5}})"
)
_CHINESE_REPORTER = re.compile(
    rf"[（(][{COMMON_HAN}·]{{0,12}}记者\s*(?P<names>[{COMMON_HAN}·]{{2,4}}(?:[、，\s][{COMMON_HAN}·]{{2,4}}){{0,5}})"
)
_SURNAME = (
    r"[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    r"谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤岳易乔庞章鲁葛齐樊兰风]"
)
"""The most frequent family names: what a line without any label must begin with to be a name."""
_CHINESE_NAME = rf"{_SURNAME}[{COMMON_HAN}]{{1,2}}"
_CHINESE_SIGNED = re.compile(
    # "记者 王一二" or "（王一二）" as a whole last line, "（王一二 上海报道）" at the end of one
    rf"(?:.{{0,20}}记者\s?(?P<reporter>{_CHINESE_NAME}(?:[、，\s]{_CHINESE_NAME}){{0,4}})"
    rf"|[（(]\s*(?P<bracketed>{_CHINESE_NAME}(?:[、，\s]{_CHINESE_NAME}){{0,4}})\s*[）)]"
    rf"|.*[（(](?P<filed>{_CHINESE_NAME}(?:[、，\s]{_CHINESE_NAME}){{0,4}})\s+[{COMMON_HAN}]{{2,6}}报道[）)])"
)
_CHINESE_LINE = re.compile(
    rf"\W*(?P<names>{_SURNAME}[{COMMON_HAN}]{{2}}|{_CHINESE_NAME}(?:[、\s]{{1,3}}{_CHINESE_NAME}){{1,4}})\W*"
)
_NO_CHINESE_NAME = re.compile(
    r"[省市区县网报社界版刊台局部会厅院]$|^(?:马拉松|黄金周|方便面|白皮书|全文|江苏|江西|石家庄|金融|高清|余下|向右|向左|史上|万元)"
)
_PIPED_BYLINE = re.compile(
    r"^\W{0,3}by (?P<names>[^|]{2,80}?)(?: in [^|]{2,40}?)?\s*\|", re.IGNORECASE
)
"""China Daily and others: "By NAME in TOWN | OUTLET | Updated: TIME"."""
_BYLINE_BLOCK = re.compile(
    r"^\W{0,3}(?:by|von|par|por|di|door|written by|oleh)(?:\s*:)?\s+(?P<names>[A-ZÀ-ÞĀ-Ž][^:!?]{3,80}?)(?:\s+(?:in|en|aus|à)\s+(?P<place>[A-ZÀ-Þ][\w .'-]{2,40}))?\s*$",
    re.IGNORECASE,
)


_AGENCY = re.compile(
    r"(?:the )?(?:associated press|press association|ap|afp|agence france[ -]presse|reuters|dpa|deutsche presse-agentur|xinhua|efe|ansa"
    r"|europa press|pa media|pti|ani|ians|tass|apa|sda|keystone-sda|belga|anp|ntb|ritzau|tt|kyodo(?: news)?"
    r"|jiji|yonhap|bernama|antara|anadolu|cnw|upi|aap|cp|the canadian press|bloomberg|epd|kna|sid|新华社|中新社)",
    re.IGNORECASE,
)


def is_agency(name: str) -> bool:
    """Whether a name is that of a news agency."""
    return _AGENCY.fullmatch(name.strip()) is not None


def author_claims(
    facts: PageFacts,
    tree: HtmlElement,
    head: Sequence[Block],
    lines: Sequence[str],
    sites: frozenset[str],
    hint: Hint | None = None,
) -> tuple[Claim, ...]:
    """Claims "author" (people) and "credit" (organisations) of the first telling source.

    `head` are the blocks round the headline, `sites` the comparison forms of the site's names.
    """
    outlets: tuple[Claim, ...] = ()
    for source, confidence, values in _sources(facts, tree, head, lines, hint):
        people, organisations = _sorted(values, sites)
        if people:
            found = _claims("author", people, source, confidence)
            return (*found, *_claims("credit", organisations, source, confidence - 0.2))
        if organisations and not outlets:
            outlets = _claims("credit", organisations, source, confidence)
    return outlets


def _claims(field: str, names: Iterable[str], source: str, confidence: float) -> tuple[Claim, ...]:
    return tuple(
        Claim(field=field, value=name, source=source, confidence=confidence, chosen=True)
        for name in list(names)[:_MAX_AUTHORS]
    )


def _sources(
    facts: PageFacts,
    tree: HtmlElement,
    head: Sequence[Block],
    lines: Sequence[str],
    hint: Hint | None,
) -> Iterable[tuple[str, float, tuple[str, ...]]]:
    """(source, confidence, raw values), the most telling source first; later ones only if asked."""
    for node in facts.nodes:
        yield "json-ld", 0.9, _stated(node.get("author"))
    for node in facts.nodes:
        yield "json-ld", 0.7, _stated(node.get("creator"))
    for name in _AUTHOR_METAS:
        yield f"meta:{name}", 0.8, facts.metas.get(name, ())
    yield "byline", 0.7, _marked_names(tree, head)
    yield "text", 0.5, _worded_names(head, lines)
    if hint is not None and hint.author:
        yield "feed", 0.5, (jsonld.plain(hint.author),)


def _stated(value: object) -> tuple[str, ...]:
    """Names of schema.org persons; an object of another type counts by its name all the same."""
    return jsonld.texts(value)


def _sorted(
    values: Iterable[str], sites: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names split into people and organisations, each once."""
    people: dict[str, str] = {}
    organisations: dict[str, str] = {}
    for value in values:
        for name in split_names(value):
            key = line_key(name)
            if not key:
                continue
            is_organisation = key in sites or _ORGANISATION.search(name)
            (organisations if is_organisation else people).setdefault(key, name)
    full = [name for name in people.values() if not name.islower()]
    return tuple(full or people.values()), tuple(organisations.values())


def split_names(value: str) -> tuple[str, ...]:
    """The names in a byline; words that are no name are left out."""
    text = " ".join(value.split())[:400]
    if re.match(r"(?:https?:)?//|www\.", text):
        return ()
    text = re.sub(r"\([^()]{0,80}\)", " ", text)
    text = _LABEL.sub("", _BY.sub("", text))
    names = []
    for part in _SPLIT.split(text):
        name = _BY.sub("", part).strip(" .,-–—:*|\"'“”\u200b")
        words = name.split()
        if not 1 < len(name) <= 60 or len(words) > 6 or _WORDS_NO_NAME.search(name):
            continue
        if any(character.isdigit() for character in name) and not _ORGANISATION.search(name):
            continue
        if _ROLES.search(name) and not _ORGANISATION.search(name):
            continue
        names.append(name)
    return tuple(names)


def _marked_names(tree: HtmlElement, head: Sequence[Block]) -> tuple[str, ...]:
    """Texts of elements that markup calls author or byline, those of the first such place."""
    names: list[str] = []
    seen: set[HtmlElement] = set()
    for element in _NAMED(tree)[:20]:
        if not any(ancestor in seen for ancestor in element.iterancestors()):
            seen.add(element)
            names.extend(_pieces(element))
        if len(seen) >= 3:
            break
    if names:
        return tuple(names)
    for block in head:
        for element in block.ancestry(4):
            label = element.get("class") or ""
            if _BYLINE_CLASS.search(label) and not _NO_BYLINE.search(label):
                if pieces := _pieces(element):
                    return tuple(pieces)
                break
    return ()


def _pieces(element: HtmlElement) -> list[str]:
    """The name-like strings of a byline element: its links, else its separate texts."""
    if len(text_of(element)) > 200:
        return []
    links = [text for link in element.iter("a") if (text := text_of(link))]
    texts = links or [" ".join(text.split()) for text in element.itertext()]
    return [text for text in texts if 1 < len(text) <= 120][:8]


def _without_place(names: str) -> str:
    """Names without the town behind them ("Anna Berg, Frankfurt"): one word after full names."""
    head, comma, tail = names.rpartition(",")
    return head if comma and len(tail.split()) == 1 and len(head.split()) > 1 else names


def _worded_names(head: Sequence[Block], lines: Sequence[str]) -> tuple[str, ...]:
    """Names behind "By", "Von", 作者, 记者 … near the headline, or at the text's end."""
    for text in (*(block.text for block in head), *lines[:3], *lines[-3:]):
        if piped := _PIPED_BYLINE.match(text[:300]):
            return (piped["names"],)
        if len(text) <= 160 and (match := _BYLINE_BLOCK.match(text)):
            return (_without_place(match["names"]),)
        short = text[:300]
        match = _CHINESE_BYLINE.search(short) or _CHINESE_REPORTER.search(short)
        if match:
            return _chinese_names(match["names"])
    return _signed_names(head, lines)


def _signed_names(head: Sequence[Block], lines: Sequence[str]) -> tuple[str, ...]:
    """Chinese names without a label: signed below the text, or alone right under the headline."""
    for line in reversed(lines[-3:]):
        if match := _CHINESE_SIGNED.fullmatch(line[-300:].strip()):
            found = match["reporter"] or match["bracketed"] or match["filed"]
            if names := _chinese_names(found):
                return names
    for block in head[:2]:
        if len(block.text) <= 40 and (match := _CHINESE_LINE.fullmatch(block.text)):
            return _chinese_names(match["names"])
    return ()


def _chinese_names(text: str) -> tuple[str, ...]:
    return tuple(
        name
        for name in re.split(r"[、，,\s]+", text)
        if (2 <= len(name) <= 4 or "·" in name) and not _NO_CHINESE_NAME.search(name)
    )

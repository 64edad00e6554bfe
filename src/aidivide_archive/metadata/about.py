"""What the text is about and how it may be used: language, section, tags, image, rights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lxml import etree
from lxml.html import HtmlElement

from aidivide_archive.decode.blocks import Block
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.metadata import jsonld
from aidivide_archive.metadata.page import PageFacts, text_of
from aidivide_archive.model import Claim, Hint
from aidivide_archive.rights import (
    MAX_STATEMENT_CHARS,
    MAX_STATEMENTS,
    RIGHTS_RESERVED,
    meta_statements,
)
from aidivide_archive.urls import canonical_url
from aidivide_archive.words import COMMON_HAN, HANGUL, KANA, THAI, character_class, one_of

_MAX_TAGS = 30
_MAX_TAG_CHARS = 80
_RIGHTS_BLOCKS = 60
_CAPTION_CHARS = 600
_SCRIPT_SAMPLE = 4000
_DETECTABLE_LETTERS = 120

_SCRIPTS = (
    ("ja", one_of(character_class(KANA)), 0.12),
    ("ko", one_of(character_class(HANGUL)), 0.3),
    ("zh", one_of(COMMON_HAN), 0.3),
    ("ar", re.compile("[\u0600-\u06ff]"), 0.4),
    ("ru", re.compile("[\u0400-\u04ff]"), 0.4),
    ("el", re.compile("[\u0370-\u03ff]"), 0.4),
    ("he", re.compile("[\u0590-\u05ff]"), 0.4),
    ("hi", re.compile("[\u0900-\u097f]"), 0.4),
    ("th", one_of(character_class(THAI)), 0.4),
)
_SAME_SCRIPT = {
    "ar": {"ar", "fa", "ur", "ps", "ckb", "ug"},
    "ru": {"ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "tg", "mn"},
    "hi": {"hi", "mr", "ne"},
    "zh": {"zh", "ja", "yue"},
    "ja": {"ja"},
    "he": {"he", "iw", "yi"},
}
_JSON_LD_RIGHTS = ("license", "copyrightNotice", "usageInfo")
_RIGHTS = re.compile(
    rf"©|copyright|{RIGHTS_RESERVED}|著作权|creative commons|\bcc[ -]by\b", re.IGNORECASE
)
_TRAIL = etree.XPath(
    "//*[self::div or self::nav or self::ul or self::ol or self::p]"
    "[contains(@class, 'bread') or contains(@id, 'bread') or contains(@class, 'crumb')]"
)
_IMAGE_CREDIT = re.compile(
    r"[\[(（]\s*(?:photos?|pictures?|images?|图|图片|foto|bild|crédits?)\s*(?:credits?|provided to|by|courtesy of|via|source|来源)?"
    r"\s*[:：/]?\s*(?P<bracketed>[^\])）]{2,80})[\])）]"
    r"|(?:photo(?:graph)?|picture|image|foto|bild|credit|crédit|quelle|©)\s*(?:credit|by|courtesy of)?\s*[:：]\s*(?P<named>.{2,80})$",
    re.IGNORECASE,
)


def language_claim(
    facts: PageFacts, lines: Sequence[str], hint: Hint | None, default: str | None
) -> Claim | None:
    """The language of the text; a declaration that its script contradicts is not believed."""
    script = _script("\n".join(lines)[:_SCRIPT_SAMPLE])
    stated = (
        ("html", facts.language),
        ("meta:content-language", facts.meta("content-language", "language", "dc.language")),
        (
            "json-ld",
            next(
                (value for node in facts.nodes for value in jsonld.texts(node.get("inLanguage"))),
                None,
            ),
        ),
        ("meta:og:locale", facts.meta("og:locale")),
        ("feed", hint.language if hint else None),
        ("profile", default),
    )
    for source, value in stated:
        primary = _primary(value)
        if primary and _agrees(primary, script):
            return Claim(
                field="language", value=primary, source=source, confidence=0.8, chosen=True
            )
    if script:
        return Claim(field="language", value=script, source="script", confidence=0.6, chosen=True)
    if detected := _detected("\n".join(lines)[:_SCRIPT_SAMPLE]):
        return Claim(
            field="language", value=detected, source="detector", confidence=0.5, chosen=True
        )
    return None


def load_language_model() -> None:
    """Load the detector's model now. It is unpacked through a temporary file, which a worker under limits cannot write."""
    import py3langid

    py3langid.classify("a few words")


def _detected(text: str) -> str | None:
    """The language that a detector gives an undeclared text; None for too little text."""
    if sum(map(str.isalpha, text)) < _DETECTABLE_LETTERS:
        return None
    import py3langid  # half a second to load, and most pages declare their language

    name, _ = py3langid.classify(text)
    return _primary(str(name))


def _primary(value: str | None) -> str | None:
    primary = re.split(r"[-_,; ]", (value or "").strip().lower(), maxsplit=1)[0]
    return primary if re.fullmatch(r"[a-z]{2,3}", primary) else None


def _script(text: str) -> str | None:
    """The language that a script alone suggests; None for Latin letters or too little text."""
    letters = sum(map(str.isalpha, text))
    if letters < 40:
        return None
    for name, pattern, share in _SCRIPTS:
        if len(pattern.findall(text)) >= share * letters:
            return name
    return None


def _agrees(primary: str, script: str | None) -> bool:
    return script is None or primary in _SAME_SCRIPT.get(script, {script})


def canonical_claim(facts: PageFacts) -> Claim | None:
    """The address that the page calls its own, in canonical form."""
    stated = (("link:canonical", facts.canonical), ("meta:og:url", facts.meta("og:url")))
    for source, raw in stated:
        if raw and (url := address(raw, facts.url)):
            return Claim(field="canonical", value=url, source=source, confidence=0.8, chosen=True)
    return None


def address(raw: str | None, base: str) -> str | None:
    """The canonical form of a reference on the page, None when there is none."""
    if not raw:
        return None
    try:
        return canonical_url(raw, base or None)
    except InvalidURLError:
        return None


def section(facts: PageFacts, tree: HtmlElement) -> str | None:
    """The rubric: as stated, else the last link of the breadcrumb trail."""
    stated = facts.meta("article:section", "parsely-section", "section", "cxenseparse:category")
    if stated:
        return stated[:200]
    for node in facts.nodes:
        for text in jsonld.texts(node.get("articleSection")):
            return text[:200]
    for trail in _TRAIL(tree)[:3]:
        links = [text for link in trail.iter("a") if (text := text_of(link))]
        if 1 < len(links) <= 8 and len(links[-1]) <= 60:
            return links[-1]
    return None


def tags(facts: PageFacts) -> tuple[str, ...]:
    """Keywords in the order stated, each once."""
    stated = list(facts.metas.get("article:tag", ()))
    for node in facts.nodes:
        stated += jsonld.texts(node.get("keywords"))
    stated += facts.metas.get("news_keywords", ())
    if not stated:
        stated += facts.metas.get("keywords", ())
    return tuple(dict.fromkeys(_split_tags(stated)))[:_MAX_TAGS]


def _split_tags(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        for part in re.split(r"[,;，、；|]", value):
            tag = part.strip()
            if 1 < len(tag) <= _MAX_TAG_CHARS:
                yield tag


def lead_image(facts: PageFacts, tree: HtmlElement) -> tuple[str | None, str | None, str | None]:
    """(address, caption, credit) of the lead image; None for what is not stated."""
    stated = [url for node in facts.nodes for url in jsonld.addresses(node.get("image"))]
    raw = facts.meta("og:image", "og:image:url", "twitter:image", "twitter:image:src")
    url = address(raw or next(iter(stated), None), facts.url)
    caption = _caption(tree)
    credit = next(
        (
            text
            for node in facts.nodes
            for image in _objects(node.get("image"))
            for text in (
                *jsonld.texts(image.get("creditText")),
                *jsonld.texts(image.get("creator")),
            )
        ),
        None,
    )
    if caption and (match := _IMAGE_CREDIT.search(caption)):
        credit = credit or (match["bracketed"] or match["named"]).strip()
        caption = caption.replace(match[0], "").strip() or caption
    return url, caption, credit


def _objects(value: object) -> Iterator[jsonld.Node]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def _caption(tree: HtmlElement) -> str | None:
    for element in tree.iter("figcaption"):
        text = text_of(element)
        if 3 < len(text) <= _CAPTION_CHARS:
            return text
    return None


def rights_claim(facts: PageFacts, blocks: Sequence[Block]) -> Claim | None:
    """The reservation or licence that the page states, in its words."""
    for source, value in (
        ("meta", facts.meta("dc.rights", "dcterms.rights", "rights", "copyright")),
        (
            "json-ld",
            next(
                (
                    text
                    for node in _rights_nodes(facts)
                    for text in (
                        *jsonld.texts(node.get("copyrightNotice")),
                        *jsonld.texts(node.get("license")),
                    )
                ),
                None,
            ),
        ),
    ):
        if value and len(value) > 3:
            return Claim(
                field="rights", value=value[:500], source=source, confidence=0.8, chosen=True
            )
    for block in reversed(blocks[-_RIGHTS_BLOCKS:]):
        if len(block.text) <= 600 and _RIGHTS.search(block.text):
            return Claim(
                field="rights", value=block.text[:500], source="text", confidence=0.6, chosen=True
            )
    return None


def _rights_nodes(facts: PageFacts) -> Iterator[jsonld.Node]:
    """The JSON-LD nodes with rights of this page: not those of a list that name another address as theirs."""
    nodes = [node for node in facts.nodes if any(key in node for key in _JSON_LD_RIGHTS)]
    if not nodes:
        return
    canonical = canonical_claim(facts)
    own = {address(facts.url, facts.url), canonical.value if canonical else None}
    for node in nodes:
        named = {
            address(raw, facts.url)
            for key in ("url", "mainEntityOfPage")
            for raw in jsonld.addresses(node.get(key))
            if raw.startswith(("http:", "https:", "/"))  # some write "true"
        }
        if not named or named & own:
            yield node


def reservation_claims(facts: PageFacts) -> tuple[Claim, ...]:
    """Every further statement on rights, in the words of the page: `rights` says what they mean."""
    stated = [(one.source, one.value) for one in meta_statements(facts.metas)]
    stated += [("link:license", href) for href in facts.licences]
    stated += [("figure:license", href) for href in facts.picture_licences]
    for node in _rights_nodes(facts):
        for key in _JSON_LD_RIGHTS:
            words = jsonld.texts(node.get(key)) or jsonld.addresses(node.get(key))
            stated += [(f"json-ld:{key}", text) for text in words]
    for name in ("dc.rights", "dcterms.rights", "dcterms.license"):
        stated += [(f"meta:{name}", value) for value in facts.metas.get(name, ())]
    return tuple(
        Claim(field="rights", value=normal[:MAX_STATEMENT_CHARS], source=source, confidence=0.9)
        for source, value in list(dict.fromkeys(stated))[:MAX_STATEMENTS]
        if (normal := jsonld.normal(value))
    )

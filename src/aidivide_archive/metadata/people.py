"""Authors apart from outlets and agencies; bylines and datelines read from words."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from aidivide_archive.model import Claim

from . import jsonld
from .page import PageFacts, text_of
from .titles import key

_BY = re.compile(
    r"^\s*(?:by|von|par|por|di|door|av|af|autor(?:in)?|author|text|written by|od|记者|作者)\b[:：\s]*",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"\s*(?:,|;|\||/|&|\band\b|\bund\b|\bet\b|\by\b|\be\b|\bog\b|\boch\b|\ben\b|、|，)\s*",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(
    r"https?:|@|www\.|\d{3}|^(?:admin|staff|editor|redaktion|redaction|newsroom|guest|unknown|null|none|undefined)$",
    re.IGNORECASE,
)
_AUTHOR_CLASS = re.compile(
    r"(?:^|[\s_-])(?:author|byline|writer)(?:[\s_-]?(?:name|link))?(?:$|[\s_-])", re.IGNORECASE
)


def author_claims(facts: PageFacts, tree: HtmlElement, sites: frozenset[str]) -> tuple[Claim, ...]:
    for source, values in _sources(facts, tree):
        names = [name for value in values for name in split_names(value)]
        names = [name for name in dict.fromkeys(names) if key(name) not in sites]
        if names:
            return tuple(
                Claim(field="author", value=name, source=source, confidence=0.8, chosen=True)
                for name in names[:20]
            )
    return ()


def _sources(facts: PageFacts, tree: HtmlElement) -> list[tuple[str, tuple[str, ...]]]:
    found = [("json-ld", jsonld.texts(node.get("author"))) for node in facts.nodes]
    for name in (
        "author",
        "article:author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "byl",
        "citation_author",
    ):
        found.append((f"meta:{name}", facts.metas.get(name, ())))
    marked = tuple(
        text
        for element in tree.iter("a", "span", "div", "p", "address")
        if element.get("rel") == "author"
        or "author" in (element.get("itemprop") or "")
        or _AUTHOR_CLASS.search(element.get("class") or "")
        if (text := text_of(element)) and len(text) < 80
    )[:3]
    found.append(("byline", marked[:1]))
    return found


def split_names(value: str) -> tuple[str, ...]:
    """The names in a byline; words that are no name are left out."""
    text = _BY.sub("", " ".join(value.split()))
    names = []
    for part in _SPLIT.split(text):
        name = part.strip(" .,-–:")
        if 1 < len(name) <= 60 and len(name.split()) <= 5 and not _NOT_A_NAME.search(name):
            names.append(name)
    return tuple(names)

"""What is known of single outlets and themes, as data; a rule that narrows a page has a golden page.

A rule narrows the tree that the text is taken from and names the zone of dates without one; it
never states content. A rule whose elements are not on a page does nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache

from lxml import etree
from lxml.html import HtmlElement

from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.urls import site

_MIN_BODY_CHARS = 200
_LAYOUT_BLOCKS = 3
_LAYOUT_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRule:
    name: str
    zone: str | None = None
    """IANA zone of the outlet's dates; None: not known."""
    body: tuple[etree.XPath, ...] = field(default=(), repr=False)
    """The element that holds the text; the first path wins that the page has enough text at."""
    prune: tuple[etree.XPath, ...] = field(default=(), repr=False)
    """Elements that are never text."""
    is_stated: bool = False
    """Whether an event profile adds paths of its own."""


def _zone(name: str, zone: str) -> tuple[str, SiteRule]:
    return name, SiteRule(name=name, zone=zone)


NO_RULE = SiteRule(name="")

_SITES = dict(
    (
        (
            "chinadaily.com.cn",
            SiteRule(
                name="chinadaily.com.cn",
                zone="Asia/Shanghai",
                body=(etree.XPath("//div[@id='Content']"),),
                prune=(
                    etree.XPath("//*[@id='div_currpage' or @class='xgyd_art' or @class='info_r']"),
                ),
            ),
        ),
        _zone("people.cn", "Asia/Shanghai"),
        _zone("people.com.cn", "Asia/Shanghai"),
        _zone("xinhuanet.com", "Asia/Shanghai"),
        _zone("news.cn", "Asia/Shanghai"),
        _zone("chinanews.com", "Asia/Shanghai"),
        _zone("chinanews.com.cn", "Asia/Shanghai"),
        _zone("cgtn.com", "Asia/Shanghai"),
        _zone("globaltimes.cn", "Asia/Shanghai"),
        _zone("yicaiglobal.com", "Asia/Shanghai"),
        _zone("gmw.cn", "Asia/Shanghai"),
        _zone("cctv.com", "Asia/Shanghai"),
        _zone("straitstimes.com", "Asia/Singapore"),
        _zone("asahi.com", "Asia/Tokyo"),
    )
)
"""By registrable domain."""

_JNEWS = SiteRule(
    name="jnews",
    prune=(
        etree.XPath(
            "//*[contains(@class, 'jeg_ad') or contains(@class, 'jeg_share') or"
            " contains(@class, 'jeg_authorbox') or contains(@class, 'jnews_prev_next') or"
            " contains(@class, 'jnews_related_post') or contains(@class, 'jeg_search_') or"
            " contains(@class, 'jeg_breadcrumbs') or contains(@class, 'jeg_post_meta') or"
            " contains(@class, 'jeg_post_tags') or contains(@class, 'gtranslate') or"
            " contains(@class, 'ai-buttons')]"
        ),
    ),
)
"""The JNews theme for WordPress, which hundreds of outlets use."""


def rule_for(url: str, tree: HtmlElement) -> SiteRule:
    """The rule of the page's site, else of its theme; NO_RULE when there is none."""
    try:
        found = _SITES.get(site(url)) if url else None
    except InvalidURLError:
        found = None
    if found is not None:
        return found
    body = tree.find("body")
    classes = (body.get("class") or "").split() if body is not None else ()
    return _JNEWS if "jnews" in classes else NO_RULE


def built_in_digest() -> str:
    """Names everything that the built-in rules state, so that a change of them makes texts stale."""
    rules = (*(_SITES[name] for name in sorted(_SITES)), _JNEWS)
    stated = [
        (
            rule.name,
            rule.zone,
            [path.path for path in rule.body],
            [path.path for path in rule.prune],
        )
        for rule in rules
    ]
    return hashlib.sha256(repr(stated).encode()).hexdigest()[:8]


def with_source_paths(rule: SiteRule, prune: Sequence[str], body: Sequence[str]) -> SiteRule:
    """A rule and the XPaths that an event profile's source adds: its bodies come first."""
    if not prune and not body:
        return rule
    return replace(
        rule,
        prune=(*rule.prune, *map(_compiled, prune)),
        body=(*map(_compiled, body), *rule.body),
        is_stated=True,
    )


@lru_cache(maxsize=1024)
def _compiled(path: str) -> etree.XPath:
    return etree.XPath(path)


def _elements(path: etree.XPath, tree: HtmlElement) -> list[HtmlElement]:
    """What a path leads to; nothing for one that is no path to elements or cannot be evaluated."""
    try:
        found = path(tree)
    except etree.XPathError:
        return []
    return [one for one in found if isinstance(one, HtmlElement)] if isinstance(found, list) else []


def text_tree(tree: HtmlElement, rule: SiteRule) -> HtmlElement:
    """A copy of the tree for taking the text from, narrowed by the rule."""
    tree = copy(tree)
    _open_layout_tables(tree)
    for path in rule.prune:
        for element in _elements(path, tree):
            if element.getparent() is not None:
                element.drop_tree()
    body = tree.find("body")
    if body is not None and (found := _body(tree, rule)) is not None and found is not body:
        for child in list(body):
            body.remove(child)
        body.append(found)
    return tree


def _body(tree: HtmlElement, rule: SiteRule) -> HtmlElement | None:
    """The element that holds the text, by the first path that has enough of it."""
    for path in rule.body:
        found = _elements(path, tree)
        if found and len(found[0].text_content()) >= _MIN_BODY_CHARS:
            return found[0]
    return None


def _open_layout_tables(tree: HtmlElement) -> None:
    """Turn tables that lay out the page into plain containers; tables of data stay."""
    for cell in list(tree.iter("td")):
        if not _is_layout(cell):
            continue
        for element in cell.iterancestors("table", "tbody", "tr"):
            for sibling in element.iterchildren("td", "th", "tr", "tbody"):
                sibling.tag = "div"
            element.tag = "div"
        cell.tag = "div"


def _is_layout(cell: HtmlElement) -> bool:
    """Whether a cell holds what no cell of data does: a heading, a table, or several paragraphs."""
    if cell.find(".//h1") is not None or cell.find(".//table") is not None:
        return True
    blocks = sum(1 for _ in cell.iter("p", "br", "div"))
    return blocks >= _LAYOUT_BLOCKS and len(cell.text_content()) >= _LAYOUT_CHARS

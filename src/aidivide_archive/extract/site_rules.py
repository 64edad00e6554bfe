"""What is known of single outlets and themes, as data; a rule with paths has a golden page.

A rule narrows the tree that the text is taken from and names the zone of dates without one; it
never states content. A rule whose elements are not on a page does nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
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
    """The registrable domain of an outlet, or the name of a theme."""
    body_class: str | None = None
    """For a theme: a class of the body element by which its pages are known."""
    zone: str | None = None
    """IANA zone of the outlet's dates; None: not known."""
    body: tuple[str, ...] = ()
    """XPaths to the element that holds the text; the first one wins that the page has enough text at."""
    prune: tuple[str, ...] = ()
    """XPaths to elements that are never text."""
    is_stated: bool = False
    """Whether an event profile adds paths of its own."""


NO_RULE = SiteRule(name="")

BUILT_IN = (
    SiteRule(
        name="chinadaily.com.cn",
        zone="Asia/Shanghai",
        body=("//div[@id='Content']",),
        prune=("//*[@id='div_currpage' or @class='xgyd_art' or @class='info_r']",),
    ),
    SiteRule(name="people.cn", zone="Asia/Shanghai"),
    SiteRule(name="people.com.cn", zone="Asia/Shanghai"),
    SiteRule(name="xinhuanet.com", zone="Asia/Shanghai"),
    SiteRule(name="news.cn", zone="Asia/Shanghai"),
    SiteRule(name="chinanews.com", zone="Asia/Shanghai"),
    SiteRule(name="chinanews.com.cn", zone="Asia/Shanghai"),
    SiteRule(name="cgtn.com", zone="Asia/Shanghai"),
    SiteRule(name="globaltimes.cn", zone="Asia/Shanghai"),
    SiteRule(name="yicaiglobal.com", zone="Asia/Shanghai"),
    SiteRule(name="gmw.cn", zone="Asia/Shanghai"),
    SiteRule(name="cctv.com", zone="Asia/Shanghai"),
    SiteRule(name="straitstimes.com", zone="Asia/Singapore"),
    SiteRule(name="asahi.com", zone="Asia/Tokyo"),
    SiteRule(  # a theme for WordPress, which hundreds of outlets use
        name="jnews",
        body_class="jnews",
        prune=(
            "//*[contains(@class, 'jeg_ad') or contains(@class, 'jeg_share') or"
            " contains(@class, 'jeg_authorbox') or contains(@class, 'jnews_prev_next') or"
            " contains(@class, 'jnews_related_post') or contains(@class, 'jeg_search_') or"
            " contains(@class, 'jeg_breadcrumbs') or contains(@class, 'jeg_post_meta') or"
            " contains(@class, 'jeg_post_tags') or contains(@class, 'gtranslate') or"
            " contains(@class, 'ai-buttons')]",
        ),
    ),
)
"""Every rule; adding one is an entry here and, when it has paths, a golden page in tests/data/pages."""

_OF_SITES = {rule.name: rule for rule in BUILT_IN if rule.body_class is None}
_OF_THEMES = {rule.body_class: rule for rule in BUILT_IN if rule.body_class is not None}


def rule_for(url: str, tree: HtmlElement) -> SiteRule:
    """The rule of the page's site, else of its theme; NO_RULE when there is none."""
    try:
        of_site = _OF_SITES.get(site(url)) if url else None
    except InvalidURLError:
        of_site = None
    if of_site is not None:
        return of_site
    body = tree.find("body")
    classes = (body.get("class") or "").split() if body is not None else ()
    return next((_OF_THEMES[name] for name in classes if name in _OF_THEMES), NO_RULE)


def built_in_digest() -> str:
    """Names everything that the built-in rules state, so that a change of them makes texts stale."""
    rules = sorted(BUILT_IN, key=lambda rule: (rule.body_class is not None, rule.name))
    stated = [(rule.name, rule.zone, list(rule.body), list(rule.prune)) for rule in rules]
    return hashlib.sha256(repr(stated).encode()).hexdigest()[:8]


def with_source_paths(rule: SiteRule, prune: Sequence[str], body: Sequence[str]) -> SiteRule:
    """A rule and the XPaths that an event profile's source adds: its bodies come first."""
    if not prune and not body:
        return rule
    return replace(
        rule,
        prune=(*rule.prune, *prune),
        body=(*body, *rule.body),
        is_stated=True,
    )


@lru_cache(maxsize=1024)
def _compiled(path: str) -> etree.XPath:
    return etree.XPath(path)


def _elements(path: str, tree: HtmlElement) -> list[HtmlElement]:
    """What a path leads to; nothing for one that is no path to elements or cannot be evaluated."""
    try:
        nodes = _compiled(path)(tree)
    except etree.XPathError:
        return []
    return (
        [node for node in nodes if isinstance(node, HtmlElement)] if isinstance(nodes, list) else []
    )


def text_tree(tree: HtmlElement, rule: SiteRule) -> HtmlElement:
    """A copy of the tree for taking the text from, narrowed by the rule."""
    tree = copy(tree)
    _open_layout_tables(tree)
    for path in rule.prune:
        for element in _elements(path, tree):
            if element.getparent() is not None:
                element.drop_tree()
    body = tree.find("body")
    text_element = _body(tree, rule)
    if body is not None and text_element is not None and text_element is not body:
        for child in list(body):
            body.remove(child)
        body.append(text_element)
    return tree


def _body(tree: HtmlElement, rule: SiteRule) -> HtmlElement | None:
    """The element that holds the text, by the first path that has enough of it."""
    for path in rule.body:
        elements = _elements(path, tree)
        if elements and len(elements[0].text_content()) >= _MIN_BODY_CHARS:
            return elements[0]
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

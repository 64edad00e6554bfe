"""The links of a page that are worth following: canonical, each once, in document order."""

from __future__ import annotations

from collections.abc import Iterator

from lxml.html import HtmlElement

from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.model import Channel, Link, UrlKind
from aidivide_archive.urls import canonical_url

MAX_LINKS = 1000
_MAX_HREFS = 20_000
"""References looked at: a page of nothing but bad ones must end too."""
_FEED_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"}
)
_SKIPPED_SCHEMES = ("#", "javascript:", "mailto:", "tel:", "data:", "about:", "whatsapp:", "sms:")


def page_links(tree: HtmlElement, base_url: str) -> tuple[Link, ...]:
    """Links of a document, at most MAX_LINKS, without the page itself.

    Feeds of <link rel=alternate> come as FEED, rel=next as PAGE; canonical, AMP and nofollow links
    are left out. <base href> is honoured when it is usable. Never raises.
    """
    base = _base(tree, base_url)
    own = _canonical(base_url, None)
    link_of: dict[str, Link] = {}
    seen: set[str] = set()
    for href, kind in _references(tree):
        if href in seen:
            continue
        seen.add(href)
        if len(seen) > _MAX_HREFS or len(link_of) >= MAX_LINKS:
            break
        url = _canonical(href, base)
        if url is None or url == own or url in link_of:
            continue
        link_of[url] = Link(
            url=url, channel=Channel.FEED if kind is UrlKind.FEED else Channel.LINK, kind=kind
        )
    return tuple(link_of.values())


def _references(tree: HtmlElement) -> Iterator[tuple[str, UrlKind]]:
    for element in tree.iter("a", "area", "link"):
        href = (element.get("href") or "").strip()
        if not href or href[:12].lower().startswith(_SKIPPED_SCHEMES):
            continue
        rel = (element.get("rel") or "").lower()
        if element.tag == "link":
            words = rel.split()
            if "alternate" in words and _is_feed(element.get("type")):
                yield href, UrlKind.FEED
            elif "next" in words:
                yield href, UrlKind.PAGE
        elif "nofollow" not in rel:
            yield href, UrlKind.PAGE


def _is_feed(media_type: str | None) -> bool:
    return (media_type or "").partition(";")[0].strip().lower() in _FEED_TYPES


def _base(tree: HtmlElement, base_url: str) -> str:
    for element in tree.iter("base"):
        if href := element.get("href"):
            return _canonical(href.strip(), base_url) or base_url
    return base_url


def _canonical(href: str, base: str | None) -> str | None:
    try:
        return canonical_url(href, base)
    except InvalidURLError:
        return None

"""The schema.org statements of a page (JSON-LD), read leniently and bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape

from lxml.html import HtmlElement

from aidivide_archive.decode import composed
from aidivide_archive.words import storable

_MAX_SCRIPT_CHARS = 1_000_000
_MAX_NODES = 3000
_MAX_DEPTH = 8
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_COMMENT = re.compile(r"^\s*(?:<!--|/\*.{0,40}?\*/|<!\[CDATA\[)|(?:-->|\]\]>|;)\s*$", re.DOTALL)

_ARTICLE = re.compile(r"(?:Article|BlogPosting|LiveBlogPosting|Report|SocialMediaPosting)$")
_PAGE = frozenset({"WebPage", "ItemPage", "AboutPage", "CreativeWork", "Review", "Recipe"})

Node = dict[str, object]


def read_nodes(tree: HtmlElement) -> tuple[Node, ...]:
    """All objects with a type, outermost first, in document order; broken blocks are skipped."""
    nodes: list[Node] = []
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text:
            continue
        value = _loads(script.text)
        nodes.extend(_walk(value, 0))
        if len(nodes) > _MAX_NODES:
            break
    return tuple(nodes[:_MAX_NODES])


def _loads(text: str) -> object:
    text = text[:_MAX_SCRIPT_CHARS]
    for attempt in (text, _COMMENT.sub("", _COMMENT.sub("", text))):
        for candidate in (attempt, _TRAILING_COMMA.sub(r"\1", attempt)):
            try:
                return _storable(json.loads(candidate, strict=False))
            except (ValueError, RecursionError):
                continue
    return None


def _storable(value: object) -> object:
    """JSON spells NUL and lone surrogates with escapes, past the decoder's gate; no database takes them."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _storable(item) for name, item in value.items()}
    return value


def _walk(value: object, depth: int) -> Iterator[Node]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value[:500]:
            yield from _walk(item, depth + 1)
    elif isinstance(value, dict):
        if "@type" in value:
            yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "hasPart"):
            yield from _walk(value.get(key), depth + 1)


def types(node: Node) -> tuple[str, ...]:
    value = node.get("@type")
    names = value if isinstance(value, list) else [value]
    return tuple(name.rpartition("/")[2] for name in names if isinstance(name, str))


def is_article(node: Node) -> bool:
    return any(_ARTICLE.search(name) for name in types(node))


def article_nodes(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Nodes that speak about the page's article, the most telling kind first."""
    articles = tuple(node for node in nodes if is_article(node))
    pages = tuple(node for node in nodes if _PAGE.intersection(types(node)))
    return articles + tuple(node for node in pages if node not in articles)


def texts(value: object) -> tuple[str, ...]:
    """The strings of a property: itself, a list of them, or the names of objects."""
    if isinstance(value, str):
        text = plain(value)
        return (text,) if text else ()
    if isinstance(value, list):
        return tuple(text for item in value[:50] for text in texts(item))
    if isinstance(value, dict):
        return texts(value.get("name") or value.get("@value") or value.get("headline"))
    return ()


def first_text(node: Node, *keys: str) -> str | None:
    return next((text for key in keys for text in texts(node.get(key))), None)


def addresses(value: object) -> tuple[str, ...]:
    """URLs of an image-like property."""
    if isinstance(value, str):
        return (normal(value),)
    if isinstance(value, list):
        return tuple(url for item in value[:20] for url in addresses(item))
    if isinstance(value, dict):
        return addresses(value.get("url") or value.get("contentUrl") or value.get("@id"))
    return ()


def plain(value: str) -> str:
    """A string as a reader sees it: entities resolved, tags gone, white space single."""
    text = unescape(unescape(value)) if "&" in value else value
    if "<" in text:
        text = re.sub(r"<[^<>]{0,500}>", " ", text)
    return normal(text)


def normal(text: str) -> str:
    """A text on one line, composed, without characters that cannot be stored."""
    return composed(storable(" ".join(text.split())))

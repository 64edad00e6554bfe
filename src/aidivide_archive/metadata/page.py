"""What a page states about itself, gathered in one walk: the raw material of all fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml.html import HtmlElement

from aidivide_archive.metadata.jsonld import Node, article_nodes, normal, plain, read_nodes, types
from aidivide_archive.rights import speaks_of_parts

_MAX_VALUE_CHARS = 5000
_MAX_LICENCES = 10
_MAX_LINE_CHARS = 600
_INLINE = frozenset(
    ("a", "abbr", "b", "cite", "em", "font", "i", "small", "span", "strong", "sub", "sup", "u")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """Statements in a page's head and headings, unjudged and in document order."""

    url: str
    metas: dict[str, tuple[str, ...]] = field(repr=False)
    """Contents by lower-case name, property, itemprop or http-equiv."""
    nodes: tuple[Node, ...] = field(repr=False)
    """JSON-LD objects that speak about the article, most telling first."""
    all_nodes: tuple[Node, ...] = field(repr=False)
    titles: tuple[str, ...]
    """Texts of <title>."""
    headings: tuple[str, ...]
    """Texts of <h1>, those of an article element or with a headline class first."""
    canonical: str | None
    """Raw href of link rel=canonical."""
    language: str | None
    """Raw lang of <html>, or xml:lang."""
    licences: tuple[str, ...] = ()
    """Raw hrefs of links with rel=license, as far as they may speak of the text."""
    picture_licences: tuple[str, ...] = ()
    """Raw hrefs of those that stand in a figure or in a line about pictures."""

    @property
    def article_body(self) -> str | None:
        """The longest articleBody stated in JSON-LD, without markup."""
        bodies = [
            body for node in self.all_nodes if isinstance(body := node.get("articleBody"), str)
        ]
        return plain(max(bodies, key=len)) if bodies else None

    @property
    def types(self) -> tuple[str, ...]:
        """schema.org types of the article or page, and og:type."""
        stated = [name for node in self.nodes for name in types(node)]
        # a video beside an article is its illustration, alone it is the page
        if not self.nodes:
            stated += [name for node in self.all_nodes[:5] for name in types(node)]
        stated += [
            name
            for node in self.all_nodes
            for name in types(node)
            if "Gallery" in name or "LiveBlog" in name
        ]
        return tuple(dict.fromkeys((*stated, *self.metas.get("og:type", ()))))

    @property
    def description(self) -> str | None:
        return self.meta("og:description", "description", "twitter:description")

    def meta(self, *names: str) -> str | None:
        """First non-empty content of the named metas, in the order of the names."""
        return next((value for name in names for value in self.metas.get(name, ()) if value), None)


def read_facts(tree: HtmlElement, url: str) -> PageFacts:
    nodes = read_nodes(tree)
    licences, picture_licences = _licences(tree)
    return PageFacts(
        url=url,
        metas=_metas(tree),
        nodes=article_nodes(nodes),
        all_nodes=nodes,
        titles=tuple(text for title in tree.iter("title") if (text := text_of(title)))[:3],
        headings=_headings(tree),
        canonical=next(
            (
                link.get("href")
                for link in tree.iter("link")
                if "canonical" in (link.get("rel") or "").lower().split() and link.get("href")
            ),
            None,
        ),
        language=tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang"),
        licences=licences,
        picture_licences=picture_licences,
    )


def _licences(tree: HtmlElement) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Raw hrefs of rel=license: those of the page, those of its pictures."""
    of_page: list[str] = []
    of_pictures: list[str] = []
    for link in tree.iter("link", "a"):
        if "license" in (link.get("rel") or "").lower().split() and (href := link.get("href")):
            (of_pictures if _credits_a_picture(link) else of_page).append(href)
    return tuple(of_page[:_MAX_LICENCES]), tuple(of_pictures[:_MAX_LICENCES])


def _credits_a_picture(link: HtmlElement) -> bool:
    """Whether a link stands in a figure, or in a line that speaks of pictures: "Photo: J. Roe, CC BY"."""
    line = link
    while line.tag in _INLINE and (parent := line.getparent()) is not None:
        line = parent
    if next(link.iterancestors("figure", "figcaption"), None) is not None:
        return True
    words = text_of(line)
    return len(words) <= _MAX_LINE_CHARS and speaks_of_parts(words)


def text_of(element: HtmlElement) -> str:
    """The text inside an element on one line."""
    return normal("".join(element.itertext()))[:_MAX_VALUE_CHARS]


def _metas(tree: HtmlElement) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        content = meta.get("content")
        if not content:
            continue
        value = plain(content[:_MAX_VALUE_CHARS])
        for key in ("name", "property", "itemprop", "http-equiv"):
            if name := meta.get(key):
                found.setdefault(name.strip().lower(), []).append(value)
    return {name: tuple(values) for name, values in found.items()}


_HEADLINE_CLASS = re.compile(r"head|title|entry|article|post", re.IGNORECASE)


def _headings(tree: HtmlElement) -> tuple[str, ...]:
    ranked: list[tuple[int, str]] = []
    for heading in tree.iter("h1"):
        text = text_of(heading)
        if not text:
            continue
        telling = heading.get("itemprop") == "headline" or _HEADLINE_CLASS.search(
            f"{heading.get('class', '')} {heading.get('id', '')}"
        )
        ranked.append((0 if telling else 1, text))
        if len(ranked) >= 20:
            break
    return tuple(text for _, text in sorted(ranked, key=lambda pair: pair[0]))

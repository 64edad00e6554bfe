"""The text blocks of a page in document order: what a reader sees, before any judgement.

A block is the text between two block-level boundaries. One walk, linear in the size of the page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree
from lxml.html import HtmlElement

_BLOCK_TAGS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_UNSEEN_TAGS = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "head",
        "select",
        "option",
        "datalist",
        "button",
        "textarea",
        "iframe",
        "object",
        "canvas",
        "audio",
        "video",
    ]
)
GOOD_BLOCK_CHARS = 80
"""From this length on a block with few links is a paragraph of something."""
_GOOD_LINK_SHARE = 0.4
_CACHED_CHARS = 300
_NOT_WORD = re.compile(r"[\W_]")


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text inside one block-level element."""

    text: str
    """On one line, white space single."""
    link_chars: int
    """Characters of it inside links, white space as in the source."""
    element: HtmlElement = field(repr=False, compare=False)
    """The innermost block-level element."""

    @property
    def is_paragraph(self) -> bool:
        """Long enough, and not mostly links."""
        length = len(self.text)
        return length >= GOOD_BLOCK_CHARS and self.link_chars < _GOOD_LINK_SHARE * length

    def ancestry(self, depth: int) -> Iterator[HtmlElement]:
        """The block's element and its ancestors, `depth` elements in all."""
        element: HtmlElement | None = self.element
        for _ in range(depth):
            if element is None:
                return
            yield element
            element = element.getparent()

    def labels(self, depth: int = 3) -> str:
        """Tags, ids and classes of the block's element and its ancestors, for matching words."""
        return " ".join(
            f"<{element.tag!s} {element.get('id') or ''} {element.get('class') or ''}"
            for element in self.ancestry(depth)
        )


def read_blocks(tree: HtmlElement) -> tuple[Block, ...]:
    """All visible text of a page, block by block."""
    blocks: list[Block] = []
    pieces: list[str] = []
    link_chars = link_depth = 0
    current = tree
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        is_block = tag in _BLOCK_TAGS
        if event == "start" and tag in _UNSEEN_TAGS:
            walk.skip_subtree()
            continue
        if is_block and pieces:
            text = " ".join("".join(pieces).split())
            if text:
                blocks.append(Block(text, link_chars, current))
            pieces.clear()
            link_chars = 0
        if event == "start":
            if is_block:
                current = element
            link_depth += tag == "a"
            piece = element.text
        else:
            if is_block and (parent := element.getparent()) is not None:
                current = parent
            link_depth -= tag == "a"
            piece = element.tail
        if piece:
            pieces.append(piece)
            if link_depth > 0:
                link_chars += len(piece)
    text = " ".join("".join(pieces).split())
    if text:
        blocks.append(Block(text, link_chars, current))
    return tuple(blocks)


def paragraph_chars(blocks: Sequence[Block]) -> int:
    """Characters in paragraph-like blocks: how much text a page could have."""
    return sum(len(block.text) for block in blocks if block.is_paragraph)


def line_key(line: str) -> str:
    """Comparison form of a line: NFKC, case-folded, letters and digits only."""
    # one page asks for the same short lines several times; long ones are not worth their memory
    return _short_key(line) if len(line) <= _CACHED_CHARS else _key(line)


class _WordCharacters(dict[int, int | None]):
    """Code point → itself, or None for what is no letter or digit; looked up when first met."""

    def __missing__(self, code: int) -> int | None:
        kept = None if _NOT_WORD.match(chr(code)) else code
        self[code] = kept
        return kept


_KEPT = _WordCharacters()


def _key(line: str) -> str:
    if line.isascii():
        return line.translate(_KEPT).lower()
    return unicodedata.normalize("NFKC", line).casefold().translate(_KEPT)


_short_key = lru_cache(maxsize=4096)(_key)

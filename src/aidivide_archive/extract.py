"""Capture body → text, metadata, page kind and links, from one parse. Sole importer of trafilatura.

Trafilatura gets the parsed tree, never bytes. A page it cannot take (deep nesting, too many
elements) becomes plain text and says so in `mode`; nothing is dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape

import trafilatura
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura.core import trafilatura_sequence
from trafilatura.settings import Extractor
from trafilatura.xml import xmltotxt

from aidivide_archive import clutter, page_kind, selection
from aidivide_archive.blocks import Block, read_blocks
from aidivide_archive.decode import Decoded, decode
from aidivide_archive.hyperlinks import page_links
from aidivide_archive.metadata import PageFacts, headline_variants, read_facts, read_metadata
from aidivide_archive.model import Extraction, Hint, Link, Metadata, PageKind

VERSION = f"1/trafilatura-{trafilatura.__version__}"
"""Names all extraction stages together: text, metadata, clutter, page kind, links."""

MAX_ELEMENTS = 20_000
"""Elements that trafilatura is given; the largest of 880 real pages has 7,778."""
MAX_DEPTH = 200
"""Nesting that trafilatura's recursion bears; no real page seen is deeper."""
_MAX_TAG_CHARS = 16_000

_TOO_DEEP = etree.XPath("boolean(/*" + "/*" * MAX_DEPTH + ")")
_ELEMENT_COUNT = etree.XPath("count(//*)")
_HUGE_TAG = re.compile(r"<([a-zA-Z][\w:-]*)([^<>]{%d,})>" % _MAX_TAG_CHARS)
_UNSEEN = re.compile(r"(?is)<(script|style|noscript|template|svg)\b.*?</\1\s*>|<!--.*?-->")
_BLOCK_TAG = re.compile(
    r"(?i)</?(?:p|div|br|li|h[1-6]|tr|td|section|article|blockquote|ul|ol|table|title)\b[^<>]*>"
)
_ANY_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All that one capture gave."""

    extraction: Extraction
    links: tuple[Link, ...] = field(default=(), repr=False)


def extract(
    capture_body: bytes,
    *,
    url: str,
    content_type: str | None = None,
    fetched_at: datetime | None = None,
    hint: Hint | None = None,
    site_timezone: str | None = None,
    default_language: str | None = None,
    status: int = 200,
    template: frozenset[str] = frozenset(),
) -> Document:
    """Make a document of a body whose Content-Encoding is already undone.

    `status` is the HTTP status (0: unknown); `template` holds the keys of lines that recur on the
    site (`clutter.learn`). An empty or unreadable page is a value with its page kind.
    """
    decoded = decode(capture_body, content_type=content_type, url=url, language=default_language)
    tree, complete = parse_html(decoded.text)
    if tree is None:
        return Document(extraction=_plain_extraction(decoded, Metadata(), status))
    facts = read_facts(tree, url)
    titles = headline_variants(facts)
    blocks = read_blocks(tree)
    if not complete or _TOO_DEEP(tree) or _ELEMENT_COUNT(tree) > MAX_ELEMENTS:
        lines, mode = _plain_lines(decoded.text, blocks, complete=complete), "plain"
    else:
        lines, mode = _main_lines(tree, facts, titles, blocks)
    metadata = read_metadata(
        facts,
        tree,
        lines=lines,
        fetched_at=fetched_at,
        hint=hint,
        site_timezone=site_timezone,
        default_language=default_language,
    )
    kept, cuts = clutter.strip_lines(lines, titles=titles, template=template)
    text = "\n".join(kept)
    kind = page_kind.judge(tree, text, title=metadata.title, status=status)
    extraction = Extraction(
        version=VERSION,
        page_kind=kind,
        text=text,
        metadata=metadata,
        cuts=cuts,
        encoding=decoded.encoding,
        encoding_source=decoded.source,
        mode=mode,
    )
    return Document(extraction=extraction, links=page_links(tree, url))


def parse_html(text: str) -> tuple[HtmlElement | None, bool]:
    """The tree of a page and whether the parser read it to the end; None for no markup at all."""
    if not text.strip():
        return None, True
    if len(text) > _MAX_TAG_CHARS:
        text = _HUGE_TAG.sub(r"<\1>", text)
    parser = HTMLParser(
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
        collect_ids=False,
        default_doctype=False,
    )
    try:
        tree = document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None, False
    complete = not any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)
    return tree, complete


def _main_lines(
    tree: HtmlElement, facts: PageFacts, titles: Sequence[str], blocks: Sequence[Block]
) -> tuple[list[str], str]:
    """Lines of the main text, standfirst included, and the mode that gave them."""
    lines, mode = _trafilatura(tree, facts.url, precision=True, fast=True), "precision"
    if not selection.is_enough(lines, blocks):
        more = _trafilatura(tree, facts.url)
        topic = f"{' '.join(titles[:2])} {facts.description or ''}"
        if more and not selection.is_off_topic(more, lines, topic):
            lines, mode = more, "balanced"
    if stated := selection.stated_lines(lines, blocks, facts.article_body):
        lines, mode = list(stated), "stated"
    if not lines:
        return [block.text for block in blocks if block.is_paragraph], "plain"
    return [*selection.standfirst(lines, blocks, titles, facts.description), *lines], mode


def _trafilatura(
    tree: HtmlElement, url: str, *, precision: bool = False, fast: bool = False
) -> list[str]:
    settings = Extractor(
        url=url or None, comments=False, formatting=False, precision=precision, fast=fast
    )
    try:
        body, _, _, _ = trafilatura_sequence(copy(tree), settings, url or None)
        text = str(xmltotxt(body, False))
    except (RecursionError, ValueError, TypeError, etree.LxmlError):
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _plain_lines(html: str, blocks: Sequence[Block], *, complete: bool) -> list[str]:
    """The visible text of a page that trafilatura cannot take."""
    if complete:
        return [block.text for block in blocks if block.link_chars < 0.5 * len(block.text)]
    return plain_lines(html)


def plain_lines(html: str) -> list[str]:
    """All visible text of markup that no parser takes, block by block; linear in its length."""
    text = _ANY_TAG.sub("", _BLOCK_TAG.sub("\n", _UNSEEN.sub(" ", html)))
    lines = (" ".join(unescape(line).split()) for line in text.splitlines())
    return [line for line in lines if line]


def _plain_extraction(decoded: Decoded, metadata: Metadata, status: int) -> Extraction:
    lines = plain_lines(decoded.text)
    kind = PageKind.EMPTY if not lines else PageKind.ARTICLE
    return Extraction(
        version=VERSION,
        page_kind=PageKind.ERROR_PAGE if status >= 400 else kind,
        text="\n".join(lines),
        metadata=metadata,
        encoding=decoded.encoding,
        encoding_source=decoded.source,
        mode="plain",
    )

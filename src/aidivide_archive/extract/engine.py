"""Capture body → text, metadata, page kind and links, from one parse. Sole importer of trafilatura.

Trafilatura gets the parsed tree, never bytes. A page it cannot take (deep nesting, too many
elements) becomes plain text and says so in `mode`; nothing is dropped in silence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape

import trafilatura
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura.core import trafilatura_sequence
from trafilatura.htmlprocessing import convert_tags, prune_unwanted_nodes, tree_cleaning
from trafilatura.main_extractor import extract_content
from trafilatura.settings import MANUALLY_CLEANED, Extractor
from trafilatura.xml import xmltotxt
from trafilatura.xpaths import (
    RAW_TREE_PRUNE_XPATH,
    REMOVE_COMMENTS_AND_LISTS_XPATH,
    REMOVE_COMMENTS_XPATH,
)

from aidivide_archive.decode import Decoded, composed, decode
from aidivide_archive.decode.blocks import Block, line_key, read_blocks
from aidivide_archive.extract import clutter, page_kind, selection
from aidivide_archive.extract.hyperlinks import page_links
from aidivide_archive.extract.live_blog import LIVE_TYPE, live_lines
from aidivide_archive.extract.paging import read_part
from aidivide_archive.extract.pruning import ids_and_classes, prunes, wanted
from aidivide_archive.extract.site_rules import (
    SiteRule,
    built_in_digest,
    rule_for,
    text_tree,
    with_source_paths,
)
from aidivide_archive.metadata import (
    PageFacts,
    headline_variants,
    read_facts,
    read_metadata,
    title_claims,
)
from aidivide_archive.model import Extraction, Hint, Link, Metadata, PageKind
from aidivide_archive.words import storable

VERSION = f"3.{built_in_digest()}/trafilatura-{trafilatura.__version__}"
"""Names all extraction stages together: text, metadata, clutter, page kind, links, built-in site rules."""

MAX_ELEMENTS = 20_000
"""Elements that trafilatura is given; the largest of 880 real pages has 7,778."""
MAX_ANCHORS = 5_000
"""Links likewise (1,649): trafilatura's link-density tests are quadratic in them."""
MAX_TAGS = 100_000
"""Tags that are parsed; of what follows only the plain text is read."""
MAX_DEPTH = 200
"""Nesting that trafilatura's recursion bears; no real page seen is deeper."""
MAX_PLAIN_LINES, MAX_PLAIN_CHARS = 20_000, 1_000_000
"""Of a page that trafilatura cannot take: many times the longest article."""
_ALL_LINK = 0.9
_LINK_LINE_CHARS = 250
_MAX_TAG_CHARS = 16_000

_CLEANED_ANYWAY = tuple(tag for tag in MANUALLY_CLEANED if tag not in {"form", "figure", "math"})
"""What trafilatura deletes in every mode; it looks at forms, figures and formulas first."""
_BEFORE_CLEANING = prunes((*RAW_TREE_PRUNE_XPATH, *REMOVE_COMMENTS_AND_LISTS_XPATH))
_AFTER_CLEANING = prunes(REMOVE_COMMENTS_XPATH)
_TRAFILATURA_ERRORS = (RecursionError, ValueError, TypeError, AttributeError, etree.LxmlError)
"""What its extractors have been seen to raise on broken trees; the caller falls back."""

_TOO_DEEP = etree.XPath("boolean(/*" + "/*" * MAX_DEPTH + ")")
_ELEMENT_COUNT = etree.XPath("count(//*)")
_LINK_COUNT = etree.XPath("count(//a)")
_MARKUP = re.compile(
    r"<(?:!doctype html|html|head|body|title|meta|article|section|main|table|div|span|h1|p|br|a)\b",
    re.IGNORECASE,
)
"""What a body must have to be HTML: JSON, PDF and plain text are no pages."""
_TAG_NAME = re.compile(r"/?[a-zA-Z][\w:-]{0,60}")
# one that is never closed runs to the end, which keeps the scan linear
_UNSEEN = re.compile(
    r"(?is)<(script|style|noscript|template|svg)\b(?:.*?</\1\s*>|.*)|<!--(?:.*?-->|.*)"
)
_BLOCK_TAG = re.compile(
    r"(?i)</?(?:p|div|br|li|h[1-6]|tr|td|section|article|blockquote|ul|ol|table|title)\b[^<>]*>"
)
_ANY_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What was taken out of one body."""

    extraction: Extraction
    links: tuple[Link, ...] = field(default=(), repr=False)


def version_with(
    *,
    prune: Sequence[str] = (),
    body: Sequence[str] = (),
    site_timezone: str | None = None,
    default_language: str | None = None,
) -> str:
    """The version of what `extract` makes with these settings of an event profile's source."""
    stated = (tuple(prune), tuple(body), site_timezone, default_language)
    if not any(stated):
        return VERSION
    return f"{VERSION}+r{hashlib.sha256(repr(stated).encode()).hexdigest()[:12]}"


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
    prune: Sequence[str] = (),
    body: Sequence[str] = (),
) -> Extracted:
    """Extract a body whose Content-Encoding is already undone.

    `status` is the HTTP status (0: unknown); `prune` and `body` are XPaths of what is never text and of
    what holds it. The version names them, the zone and the language. An empty or unreadable page is a
    value with its page kind; a body that is no HTML is EMPTY in mode "not_html". Raises nothing for any
    bytes.

    Modes: "precision" and "balanced" (trafilatura's), "stated" (blocks that the page's articleBody
    names), "live_blog" (its entries), "plain" (all paragraphs, bounded: nothing better was found, or the
    page is too large or too deep for trafilatura).
    """
    version = version_with(
        prune=prune, body=body, site_timezone=site_timezone, default_language=default_language
    )
    decoded = decode(capture_body, content_type=content_type, url=url, language=default_language)
    if not _MARKUP.search(decoded.text):
        return Extracted(extraction=_without_tree(decoded, "", "not_html", status, version))
    parsed = _first_tags(decoded.text)
    tree, complete = parse_html(parsed)
    complete = complete and len(parsed) == len(decoded.text)
    if tree is None:
        text = "\n".join(_bounded(plain_lines(decoded.text)))
        return Extracted(extraction=_without_tree(decoded, text, "plain", status, version))
    facts = read_facts(tree, url)
    stated = title_claims(facts)
    titles = headline_variants(facts, stated)
    blocks = read_blocks(tree)
    rule = with_source_paths(rule_for(url, tree), prune, body)
    if not complete or _is_too_large(tree):
        lines = _bounded(_plain_lines(decoded.text, blocks, complete=complete))
        mode = "plain"
    else:
        # a person's paths hold for every way to the text, those of built-in rules for trafilatura
        readable = read_blocks(text_tree(tree, rule)) if rule.is_stated else blocks
        lines, mode = _main_lines(tree, rule, facts, titles, readable)
    types = facts.types
    named = f"{' '.join(titles[:3])} {url}"
    if mode != "plain" and (live := live_lines(tree, blocks, lines, types=types, title=named)):
        lines, mode, types = live, "live_blog", (*types, LIVE_TYPE)
    metadata = read_metadata(
        facts,
        tree,
        titles=stated,
        blocks=blocks,
        lines=lines,
        fetched_at=fetched_at,
        hint=hint,
        site_timezone=site_timezone or rule.zone,
        default_language=default_language,
    )
    kept, cuts = clutter.strip_lines(lines, titles=titles, link_lines=_link_lines(blocks))
    text = composed(storable("\n".join(kept)))
    kind = page_kind.judge(
        tree,
        blocks,
        text,
        title=" | ".join((*facts.titles[:1], metadata.title or "")),
        types=types,
        url=url,
        status=status,
    )
    links = page_links(tree, url)
    extraction = Extraction(
        version=version,
        page_kind=kind,
        text=text,
        metadata=metadata,
        cuts=cuts,
        encoding=decoded.encoding,
        encoding_source=decoded.source,
        mode=mode,
        part=read_part(tree, url, canonical=facts.canonical, links=links, blocks=blocks),
    )
    return Extracted(extraction=extraction, links=links)


def parse_html(text: str) -> tuple[HtmlElement | None, bool]:
    """The tree of a page and whether the parser read it to the end; None for no markup at all."""
    if not text.strip():
        return None, True
    parser = HTMLParser(
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
        collect_ids=False,
        default_doctype=False,
    )
    # one class for all elements: lxml.html looks each element's class up in Python, a tenth of
    # the whole extraction
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))
    try:
        tree = document_fromstring(
            _without_huge_tags(text).encode("utf-8", "replace"), parser=parser
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None, False
    complete = not any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)
    return tree, complete


def _first_tags(html: str) -> str:
    """Markup up to its MAX_TAGS-th tag: what is done with a tree takes tens of microseconds a tag."""
    rest = html.split("<", MAX_TAGS)[-1] if html.count("<") > MAX_TAGS else ""
    return html[: -len(rest) - 1] if rest else html


def _without_huge_tags(html: str) -> str:
    """Markup whose overlong tags lost their attributes: the parser is quadratic in their number."""
    pieces = html.split("<")
    changed = False
    for place, piece in enumerate(pieces):
        if len(piece) > _MAX_TAG_CHARS and piece.find(">", 0, _MAX_TAG_CHARS) < 0:
            name, end = _TAG_NAME.match(piece), piece.find(">")
            if name and end > 0:
                pieces[place] = name[0] + piece[end:]
                changed = True
    return "<".join(pieces) if changed else html


def _link_lines(blocks: Sequence[Block]) -> frozenset[str]:
    """Keys of the blocks that are links from end to end."""
    return frozenset(
        line_key(block.text)
        for block in blocks
        if block.link_chars >= _ALL_LINK * len(block.text) and len(block.text) <= _LINK_LINE_CHARS
    )


def _is_too_large(tree: HtmlElement) -> bool:
    return bool(
        _ELEMENT_COUNT(tree) > MAX_ELEMENTS or _LINK_COUNT(tree) > MAX_ANCHORS or _TOO_DEEP(tree)
    )


def _main_lines(
    tree: HtmlElement,
    rule: SiteRule,
    facts: PageFacts,
    titles: Sequence[str],
    blocks: Sequence[Block],
) -> tuple[list[str], str]:
    """Lines of the main text, standfirst included, and the mode that gave them."""
    lines, mode = _precise_lines(text_tree(tree, rule)), "precision"
    if not selection.is_enough(lines, blocks):
        more = _balanced_lines(text_tree(tree, rule), facts.url)
        topic = f"{' '.join(titles[:2])} {facts.description or ''}"
        if more and not selection.is_off_topic(more, lines, topic):
            lines, mode = selection.unglued(more, blocks), "balanced"
    if stated := selection.stated_lines(lines, blocks, facts.article_body):
        lines, mode = list(stated), "stated"
    if not lines:
        return [block.text for block in blocks if block.is_paragraph], "plain"
    return [*selection.standfirst(lines, blocks, titles, facts.description), *lines], mode


def _precise_lines(tree: HtmlElement) -> list[str]:
    """Trafilatura's main extractor in precision mode, without its fall-backs.

    The same steps as `trafilatura_sequence(precision=True, fast=True)`, on a tree that has lost
    the elements its cleaning removes anyway, and without the copies that the fall-backs need.
    The tree is used up.
    """
    options = Extractor(comments=False, formatting=False, precision=True, fast=True)
    etree.strip_elements(tree, *_CLEANED_ANYWAY, with_tail=False)
    try:
        names = ids_and_classes(tree)
        tree = prune_unwanted_nodes(tree, wanted(_BEFORE_CLEANING, names))
        tree = convert_tags(tree_cleaning(tree, options), options)
        tree = prune_unwanted_nodes(tree, wanted(_AFTER_CLEANING, names))
        return _lines_of(extract_content(tree, options)[0])
    except _TRAFILATURA_ERRORS:
        return []


def _balanced_lines(tree: HtmlElement, url: str) -> list[str]:
    """Trafilatura's whole cascade, with the extractors it compares with. The tree is used up."""
    options = Extractor(url=url or None, comments=False, formatting=False)
    try:
        return _lines_of(trafilatura_sequence(tree, options, url or None)[0])
    except _TRAFILATURA_ERRORS:
        return []


def _lines_of(body: etree._Element) -> list[str]:
    lines = map(_without_grid, str(xmltotxt(body, False)).splitlines())
    return [line for line in lines if line]


def _without_grid(line: str) -> str:
    """A line without the frame that trafilatura draws round table rows; empty for rules."""
    line = line.strip()
    if not line.startswith("|"):
        return line
    cells = (cell.strip() for cell in line.split("|"))
    return " | ".join(cell for cell in cells if cell.strip("-: "))


def _plain_lines(html: str, blocks: Sequence[Block], *, complete: bool) -> list[str]:
    """The visible text of a page that trafilatura cannot take."""
    if complete:
        return [block.text for block in blocks if block.link_chars < 0.5 * len(block.text)]
    return plain_lines(html)


def plain_lines(html: str) -> list[str]:
    """The visible text of markup that no parser takes, block by block; linear, at most MAX_PLAIN_LINES."""
    text = _ANY_TAG.sub("", _BLOCK_TAG.sub("\n", _UNSEEN.sub(" ", html)))
    lines = _longest([line for line in text.splitlines() if not line.isspace()])
    cleaned = (" ".join(unescape(line).split()) for line in lines)
    return [line for line in cleaned if line]


def _longest(lines: list[str]) -> list[str]:
    """The lines, or of too many the longest, in their order: paragraphs before fragments."""
    if len(lines) <= MAX_PLAIN_LINES:
        return lines
    by_length = sorted(range(len(lines)), key=lambda place: -len(lines[place]))
    return [lines[place] for place in sorted(by_length[:MAX_PLAIN_LINES])]


def _bounded(lines: list[str]) -> list[str]:
    """Lines of plain text, up to MAX_PLAIN_LINES and MAX_PLAIN_CHARS."""
    room, kept = MAX_PLAIN_CHARS, []
    for line in _longest(lines):
        kept.append(line[:room])
        room -= len(line)
        if room <= 0:
            break
    return kept


def _without_tree(decoded: Decoded, text: str, mode: str, status: int, version: str) -> Extraction:
    """The extraction of a body that is no HTML, or that the parser gives no tree for."""
    kind = PageKind.ARTICLE if text else PageKind.EMPTY
    return Extraction(
        version=version,
        page_kind=PageKind.ERROR_PAGE if status >= 400 else kind,
        text=text,
        metadata=Metadata(),
        encoding=decoded.encoding,
        encoding_source=decoded.source,
        mode=mode,
    )

"""Hostile XML as a bounded stream of elements, for feeds and sitemaps.

Entities and DTDs have no power here: named references are rewritten to characters before libxml2
sees them (what a document defines itself becomes literal text), nothing external is loaded, and
libxml2's own limits on depth (256) and text size stay on.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from html.entities import html5
from io import BytesIO

from lxml import etree

from aidivide_archive.words import storable_bytes

MAX_ELEMENTS = 1_000_000
"""A sitemap of 50,000 entries with news fields has about 500,000."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252"}
# One alternative consumes a whole CDATA section, so that "&" inside it stays as it is; one that
# never ends runs to the end of the body, which keeps the scan linear.
_REFERENCE = re.compile(
    rb"<!\[CDATA\[(?:.*?\]\]>|.*)|&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|([A-Za-z][A-Za-z0-9]{0,31});)?",
    re.DOTALL,
)
_XML_NAMES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
# libxml2 is quadratic in the attributes of one tag (64,000 of them: 5 s); nothing honest has many.
_MAX_ATTRIBUTES = 500
_ATTRIBUTES = re.compile(rb"(?:[\s\"'][^\s=<>\"']+\s*=\s*(?:\"[^\"]*\"?|'[^']*'?))+")
_ROOT_TAG = re.compile(
    rb"<(?:[A-Za-z]\w{0,20}:)?(?:rss|rdf|feed|channel)(?=[\s>])[^<>]*>", re.IGNORECASE
)
_INLINE_TAG = re.compile(
    rb"</?(?:a|b|big|br|em|font|i|img|p|small|span|strong|sub|sup|u)(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(?:[/!?]?[A-Za-z]|!--)[^<>]*>")


def xml_text(body: bytes, content_type: str | None = None) -> bytes:
    """The document as UTF-8 that an XML parser can read: decoded, references repaired.

    Encoding by byte order mark, else UTF-8 when valid, else what declaration, HTTP header or
    GB 18030 decode without fault, else whichever of them is nearest. Never fails; linear in the body.
    """
    text = storable_bytes(_utf8(body, content_type))
    start = max(text.find(b"<?xml", 0, 4096), 0)  # scripts print warnings in front of it
    text = text[start:].lstrip()
    if text.startswith(b"<?xml"):
        end = text.find(b"?>", 0, 1024)
        text = text[end + 2 :] if end >= 0 else text
    if text.count(b"=") > _MAX_ATTRIBUTES:
        text = _ATTRIBUTES.sub(_few_attributes, text)
    return _REFERENCE.sub(_repair, text) if b"&" in text else text


def iter_elements(xml: bytes) -> Iterator[tuple[str, etree._Element]]:
    """("start" of the root, then "end" of every element) in document order, as far as readable.

    The consumer removes what it has read with `forget`. Ends silently where nothing more can be
    recovered or after MAX_ELEMENTS.
    """
    events = etree.iterparse(
        BytesIO(xml),
        events=("start", "end"),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    count = 0
    try:
        for event, element in events:
            if event == "start":
                if count == 0:
                    yield "start", element
                count += 1
                if count > MAX_ELEMENTS:
                    return
            else:
                yield "end", element
    except etree.XMLSyntaxError:
        return


def separate(xml: bytes, names: tuple[bytes, ...]) -> Iterator[bytes]:
    """Each element of these names as a document of its own, inline HTML tags cut.

    For documents whose tags do not match: libxml2 lets one stray end tag close all that is open.
    """
    root = _ROOT_TAG.search(xml)
    opening = root[0] if root else b""
    place = 0
    while (found := _next_opening(xml, names, place)) is not None:
        start, name = found
        end = xml.find(b"</" + name, start)
        if end < 0:
            return
        place = end + len(name) + 2
        yield opening + _INLINE_TAG.sub(b" ", xml[start:place]) + b">"


def _next_opening(xml: bytes, names: tuple[bytes, ...], place: int) -> tuple[int, bytes] | None:
    # a name is followed by white space or ">": <items> is no <item>
    opening = re.compile(rb"<(" + b"|".join(names) + rb")(?=[\s>])").search(xml, place)
    return (opening.start(), opening[1]) if opening else None


def forget(element: etree._Element) -> None:
    """Free an element that was read, and its earlier siblings."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def local_name(element: etree._Element) -> str:
    """Lower-cased name without namespace; prefixes that were never declared are cut as well."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def plain_text(element: etree._Element) -> str:
    """All text of an element, white space collapsed."""
    return " ".join("".join(element.itertext()).split())


def without_markup(text: str, limit: int) -> str:
    """HTML as plain text: tags cut, references decoded, white space collapsed, cut to `limit`.

    For titles and teasers only. Tags go first, so that an escaped "&lt;" stays text.
    """
    text = text[: limit * 20]
    if "<" in text:
        text = _TAG.sub(" ", text)
    return " ".join(html.unescape(text).split())[:limit]


def is_cut_off(xml: bytes, name: bytes) -> bool:
    """Whether the last element of this name was opened and never closed (a truncated body)."""
    return xml.rfind(b"<" + name) > xml.rfind(b"</" + name)


def _few_attributes(found: re.Match[bytes]) -> bytes:
    return b"" if found[0].count(b"=") > _MAX_ATTRIBUTES else found[0]


def _repair(found: re.Match[bytes]) -> bytes:
    whole = found[0]
    if whole.startswith(b"<!"):
        return whole
    name = found[1]
    if name is None:
        return whole if len(whole) > 1 else b"&amp;"
    if name in _XML_NAMES:
        return whole
    character = html5.get(name.decode("ascii") + ";")
    return character.encode() if character else b"&amp;" + whole[1:]


def _utf8(body: bytes, content_type: str | None) -> bytes:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body.decode(encoding, "replace").lstrip("\ufeff").encode("utf-8", "replace")
    if _is_utf8(body):
        return body
    declared = _DECLARED.search(body, 0, 1024)
    header = _CHARSET.search(content_type or "")
    labels = (declared[1].decode("ascii") if declared else None, header[1] if header else None)
    codecs_named = [codec for codec in map(_text_codec, labels) if codec is not None]
    for codec in (*codecs_named, *(() if _is_mostly_utf8(body) else ("gb18030",))):
        if _decodes(body, codec):
            return body.decode(codec).encode("utf-8", "replace")
    codec = "utf-8" if _is_mostly_utf8(body) else (codecs_named or ["cp1252"])[0]
    return body.decode(codec, "replace").encode("utf-8", "replace")


def _is_utf8(body: bytes) -> bool:
    # a body that was cut inside a character is still UTF-8
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return False
    return True


def _is_mostly_utf8(body: bytes) -> bool:
    """Whether at most one in twenty of the bytes above ASCII is no UTF-8."""
    faults = body.decode("utf-8", "replace").count("\ufffd")
    return faults * 20 <= len(body) - len(body.translate(None, bytes(range(128, 256))))


def _decodes(body: bytes, codec: str) -> bool:
    try:
        body.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _text_codec(label: str | None) -> str | None:
    if not label:
        return None
    try:
        name = codecs.lookup(label).name
        b"".decode(name)  # refuses codecs that are no text encodings (rot13, zlib …)
    except (LookupError, ValueError):
        return None
    return _WIDER.get(name, name)

"""Sitemaps (sitemaps.org 0.9, Google news fields, plain text lists), read as a stream."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from aidivide_archive.decode.xmlstream import (
    forget,
    is_cut_off,
    iter_elements,
    local_name,
    plain_text,
    without_markup,
    xml_text,
)
from aidivide_archive.exceptions import ExtractionError, InvalidURLError
from aidivide_archive.model import Channel, Hint, Link, UrlKind
from aidivide_archive.urls import canonical_url

MAX_ENTRIES = 50_000
"""Of one document (sitemaps.org, "Sitemap file requirements")."""
MAX_BYTES = 50 * 2**20
"""Of one document after decompression; the same source."""

_ROOTS = frozenset(("urlset", "sitemapindex"))
_MAX_TITLE_CHARS = 1000
_MAX_RAW_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """One sitemap document: an index names other sitemaps, a list names pages."""

    sitemaps: tuple[Link, ...]
    pages: tuple[Link, ...]
    truncated: bool = False
    """Whether a limit or a broken end cut something off."""


def parse_sitemap(
    body: bytes, url: str, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES
) -> Sitemap:
    """Read XML, plain text (one URL a line) or a gzip file of either.

    Entries without a usable http(s) URL are left out, each URL stands once, in document order.
    Raises ExtractionError when the body is no sitemap. Memory is bounded by the body and the
    entries, not by the document tree.
    """
    body, is_cut = _plain(body, url, max_bytes)
    start = body[:4096].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not start:
        raise ExtractionError(f"no sitemap at {url}: the body is empty")
    if b"<" not in start:
        return _text_sitemap(body, url, max_entries, is_cut)
    return _xml_sitemap(xml_text(body), url, max_entries, is_cut)


def _plain(body: bytes, url: str, max_bytes: int) -> tuple[bytes, bool]:
    """The body without gzip, and whether it was cut (too long, or a damaged file)."""
    if not body.startswith(b"\x1f\x8b"):
        return body[:max_bytes], len(body) > max_bytes
    unzip = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    size = 0
    rest = body
    try:
        while rest and size < max_bytes:
            part = unzip.decompress(rest, min(2**20, max_bytes - size))
            parts.append(part)
            size += len(part)
            rest = unzip.unconsumed_tail
    except zlib.error as error:
        if not parts:
            raise ExtractionError(f"no sitemap at {url}: the gzip file is damaged") from error
    return b"".join(parts), not unzip.eof


def _xml_sitemap(xml: bytes, url: str, max_entries: int, is_cut: bool) -> Sitemap:
    link_of: dict[str, Link] = {}
    seen_root = False
    count = 0
    for event, element in iter_elements(xml):
        name = local_name(element)
        if event == "start":
            seen_root = True
            if name not in _ROOTS:
                raise ExtractionError(f"no sitemap at {url}: the root element is <{name[:40]}>")
        elif name in ("url", "sitemap"):
            count += 1
            if count > max_entries:
                is_cut = True
                break
            link = _entry(element, UrlKind.SITEMAP if name == "sitemap" else UrlKind.PAGE, url)
            if link is not None:
                link_of.setdefault(link.url, link)
            forget(element)
    if not seen_root:
        raise ExtractionError(f"no sitemap at {url}: the body is no XML")
    if count <= max_entries and (is_cut_off(xml, b"url>") or is_cut_off(xml, b"sitemap>")):
        is_cut = True
        link_of.pop(next(reversed(link_of), ""), None)  # the last URL may be half a URL
    return _sitemap(link_of.values(), is_cut)


def _entry(entry: etree._Element, kind: UrlKind, url: str) -> Link | None:
    values: dict[str, str] = {}
    for child in entry:
        name = local_name(child)
        if name in ("loc", "lastmod"):
            values.setdefault(name, plain_text(child))
        elif name == "news":
            for element in child.iter():
                values.setdefault("news:" + local_name(element), plain_text(element))
    if not values.get("loc"):
        return None
    try:
        target = canonical_url(values["loc"], url)
    except InvalidURLError:
        return None
    hint = Hint(
        title=without_markup(values.get("news:title", ""), _MAX_TITLE_CHARS) or None,
        published_raw=_short(values.get("news:publication_date")),
        modified_raw=_short(values.get("lastmod")),
        language=_short(values.get("news:language")),
        publisher=_short(values.get("news:name")),
    )
    return Link(
        url=target,
        channel=Channel.SITEMAP,
        kind=kind,
        hint=None if hint.is_empty() else hint,
    )


def _text_sitemap(body: bytes, url: str, max_entries: int, is_cut: bool) -> Sitemap:
    """One absolute URL a line; a line that is none is left out, a body without any is refused."""
    encoding = "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    lines = body.decode(encoding, "replace").split("\n", max_entries)
    if is_cut or len(lines) > max_entries:
        is_cut = True
        del lines[-1]  # the rest, or half a line
    link_of: dict[str, Link] = {}
    for line in lines:
        try:
            target = canonical_url(line)
        except InvalidURLError:
            continue
        link_of.setdefault(target, Link(url=target, channel=Channel.SITEMAP))
    if not link_of:
        raise ExtractionError(f"no sitemap at {url}: neither XML nor one URL a line")
    return _sitemap(link_of.values(), is_cut)


def _sitemap(links: Iterable[Link], truncated: bool) -> Sitemap:
    links = list(links)
    return Sitemap(
        sitemaps=tuple(link for link in links if link.kind is UrlKind.SITEMAP),
        pages=tuple(link for link in links if link.kind is UrlKind.PAGE),
        truncated=truncated,
    )


def _short(text: str | None) -> str | None:
    return text[:_MAX_RAW_CHARS] or None if text else None

"""From Scrapy's request and response to a `Capture`: the exchange as fetched.

To be taken where nothing has undone an encoding yet: by a downloader middleware at priority 995.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response

from aidivide_archive.model import Capture, Completeness

PRIORITY = 995
"""Of the downloader middleware that takes captures; Scrapy's HttpCompressionMiddleware stands at 590."""
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
_CLOSING_TAGS = (b"</html>", b"</rss>", b"</feed>", b"</rdf:rdf>", b"</urlset>", b"</sitemapindex>")
"""How documents end that say themselves that they are whole."""


def capture_of(request: Request, response: Response) -> Capture:
    """The exchange, fetched just now."""
    return Capture(
        url=request.url,
        captured_at=datetime.now(UTC),
        status=response.status,
        headers=_pairs(response.headers),
        request_headers=(("Host", urlsplit(request.url).netloc), *_pairs(request.headers)),
        body=response.body,
        ip_address=str(response.ip_address) if response.ip_address else None,
        completeness=completeness_of(response),
    )


def without_secrets(capture: Capture) -> Capture:
    """The capture without the headers that log somebody in: they would be passed on with the WARC file."""
    return replace(
        capture, headers=_public(capture.headers), request_headers=_public(capture.request_headers)
    )


def completeness_of(response: Response) -> Completeness:
    """Whether a body arrived whole, as far as HTTP can tell; encodings are judged where they are undone.

    A body that ends with its connection has no end of its own: it is whole when its document, or the encoding, has one.
    """
    if "dataloss" in response.flags or "download_stopped" in response.flags:
        return Completeness.PARTIAL
    if "partial" not in response.flags or _has_inner_end(response):
        return Completeness.COMPLETE
    end = response.body[-2000:].lower()  # comments and scripts of the server may follow
    if any(closing_tag in end for closing_tag in _CLOSING_TAGS):
        return Completeness.COMPLETE
    is_json = b"json" in (response.headers.get("Content-Type") or b"")
    is_whole = is_json and end.rstrip().endswith((b"}", b"]"))
    return Completeness.COMPLETE if is_whole else Completeness.PARTIAL


def _has_inner_end(response: Response) -> bool:
    """Whether the encoding tells where the body ends. A plain body may be labelled gzip."""
    encoding = (response.headers.get("Content-Encoding") or b"").lower()
    if b"br" in encoding or b"deflate" in encoding:
        return True
    return bool(encoding) and response.body.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))


def _pairs(headers: Any) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in headers.items()
        for value in values
    )


def _public(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in headers if pair[0].lower() not in _SECRET_HEADERS)

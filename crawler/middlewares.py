"""Downloader middlewares: address guard and capture. They apply the library's policies to requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from aidivide_archive.model import Capture, Completeness, Outcome, Reason, UrlState

from . import meta
from .session import Session


class Refused(IgnoreRequest):
    """A request that must not be sent; carries how its URL ends."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail or outcome.reason.value)
        self.outcome = outcome


class Postponed(IgnoreRequest):  # no error: the URL goes back to the frontier untouched
    """A request that was not sent, because its host asked for a longer pause than a request waits."""


class SessionMiddleware:
    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @property
    def _session(self) -> Session:
        session: Session = self._crawler.spider.session  # type: ignore[union-attr]  # ours, and running
        return session


class AddressGuard(SessionMiddleware):
    """Refuses schemes, ports and literal addresses before a connection; names are judged when resolved."""

    def process_request(self, request: Request) -> None:
        slug = self._session.policy.check_url(request.url)
        if slug is not None:
            self._session.counts["addresses_refused"] += 1
            raise Refused(
                Outcome(state=UrlState.REJECTED, reason=Reason.ADDRESS_REFUSED, detail=slug)
            )


def refuse_name(session: Session, name: str | None) -> None:
    """Raise Refused when a host name led to refused addresses only."""
    slug = session.refused_names.get((name or "").lower())
    if slug is not None:
        session.counts["addresses_refused"] += 1
        detail = f"{slug}: its name leads there"
        raise Refused(
            Outcome(state=UrlState.REJECTED, reason=Reason.ADDRESS_REFUSED, detail=detail)
        )


class CaptureResponse(SessionMiddleware):
    """Takes the exchange as fetched, before anything undoes an encoding; it is written when it was read."""

    def process_response(self, request: Request, response: Response) -> Response:
        if meta.LEASED in request.meta:
            request.meta[meta.CAPTURE] = capture_of(request, response)
        return response


def capture_of(request: Request, response: Response) -> Capture:
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


_CLOSING_TAGS = (b"</html>", b"</rss>", b"</feed>", b"</rdf:rdf>", b"</urlset>", b"</sitemapindex>")
"""How documents end that say themselves that they are whole."""


def completeness_of(response: Response) -> Completeness:
    """Whether a body arrived whole, as far as HTTP can tell; encodings are judged where they are undone.

    A body that ends with its connection has no end of its own: it is whole when its document, or the encoding, has one.
    """
    if "dataloss" in response.flags:
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

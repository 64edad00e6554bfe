"""Downloader middlewares: address guard and capture. They apply the library's policies to requests."""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from aidivide_archive.model import Outcome, Reason, UrlState
from aidivide_archive.scrapy.capture import capture_of

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

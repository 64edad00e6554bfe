"""Downloader middlewares: address guard, robots, capture. They apply the library's policies to requests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from aidivide_archive.model import Capture, Completeness, Outcome, Reason, UrlState
from aidivide_archive.robots import RobotsRules, parse_robots
from crawler.session import Session

ROBOTS_REDIRECTS = 5
"""RFC 9309 §2.3.1.2: follow at least five."""
ROBOTS_SECONDS = 30


class Refused(IgnoreRequest):
    """A request that must not be sent; carries how its URL ends."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail or outcome.reason.value)
        self.outcome = outcome


class _SessionMiddleware:
    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @property
    def _session(self) -> Session:
        session: Session = self._crawler.spider.session  # type: ignore[union-attr]  # ours, and running
        return session


class AddressGuard(_SessionMiddleware):
    """Refuses schemes, ports and literal addresses before a connection; names are judged when resolved."""

    def process_request(self, request: Request) -> None:
        slug = self._session.policy.check_url(request.url)
        if slug is not None:
            raise Refused(
                Outcome(state=UrlState.REJECTED, reason=Reason.ADDRESS_REFUSED, detail=slug)
            )


class Robots(_SessionMiddleware):
    """Obeys robots.txt (RFC 9309): one fetch per origin, shared by all requests that wait for it."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._rules: dict[str, tuple[float, asyncio.Task[RobotsRules]]] = {}
        """By origin: when the fetch began (monotonic seconds), and its rules."""

    async def process_request(self, request: Request) -> None:
        if request.meta.get("is_robots") or not self._session.profile.politeness.obey_robots:
            return
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        rules = await self._current(origin, request.meta["download_slot"])
        verdict = rules.verdict(request.url, self._session.profile.politeness.user_agent)
        if not verdict.allowed:
            reason = verdict.reason or Reason.ROBOTS_DENIED
            state = UrlState.FAILED if reason is Reason.ROBOTS_UNAVAILABLE else UrlState.REJECTED
            wait = rules.ttl_seconds if state is UrlState.FAILED else None
            raise Refused(
                Outcome(state=state, reason=reason, detail=verdict.rule, retry_after_seconds=wait)
            )
        request.meta["robots"] = {"verdict": "allowed", "rule": verdict.rule or ""}

    async def _current(self, origin: str, slot: str) -> RobotsRules:
        """The rules of an origin, fetched again when they are older than they may be."""
        known = self._rules.get(origin)
        if known is not None:
            began, task = known
            rules = await asyncio.shield(task)
            if time.monotonic() - began < rules.ttl_seconds or self._rules[origin] is not known:
                return rules
        task = asyncio.ensure_future(self._fetch(origin, slot))
        self._rules[origin] = (time.monotonic(), task)
        return await asyncio.shield(task)

    async def _fetch(self, origin: str, slot: str) -> RobotsRules:
        url = f"{origin}/robots.txt"
        for _ in range(ROBOTS_REDIRECTS + 1):
            response = await self._download(url, slot)
            if response is None:
                return parse_robots(b"", status=503)
            location = response.headers.get("Location")
            if not (300 <= response.status < 400 and location):
                return parse_robots(response.body, status=response.status)
            url = urljoin(url, location.decode("latin-1"))
        return parse_robots(b"", status=404)  # RFC 9309 §2.3.1.2: too many redirects: unavailable

    async def _download(self, url: str, slot: str) -> Response | None:
        """One robots.txt request; None when there is no answer."""
        request = Request(
            url,
            priority=1000,
            meta={"is_robots": True, "download_slot": slot, "download_timeout": ROBOTS_SECONDS},
            headers={"Accept-Encoding": "identity"},
            dont_filter=True,
        )
        assert self._crawler.engine is not None
        try:
            return await self._crawler.engine.download_async(request)
        except Exception:  # noqa: BLE001  # any failure means: unreachable, assume disallow
            return None


class CaptureResponse(_SessionMiddleware):
    """Takes the exchange as fetched, before anything undoes an encoding; it is written when it was read."""

    def process_response(self, request: Request, response: Response) -> Response:
        if "leased" in request.meta:
            request.meta["capture"] = capture_of(request, response)
        return response


def capture_of(request: Request, response: Response) -> Capture:
    lost = {"partial", "dataloss"} & set(response.flags)
    return Capture(
        url=request.url,
        captured_at=datetime.now(UTC),
        status=response.status,
        headers=_pairs(response.headers),
        request_headers=(("Host", urlsplit(request.url).netloc), *_pairs(request.headers)),
        body=response.body,
        ip_address=str(response.ip_address) if response.ip_address else None,
        completeness=Completeness.PARTIAL if lost else Completeness.COMPLETE,
    )


def _pairs(headers: Any) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in headers.items()
        for value in values
    )

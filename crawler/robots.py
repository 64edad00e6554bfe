"""Obeys robots.txt (RFC 9309): asked once per origin and crawl, remembered in the archive, shared by all who wait."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Response

from aidivide_archive.decode import decompress
from aidivide_archive.exceptions import StoreError
from aidivide_archive.ingest import admission
from aidivide_archive.model import Outcome, Reason, RobotsCopy, UrlState
from aidivide_archive.robots import (
    MAX_ROBOTS_BYTES,
    REFRESH_SECONDS,
    UNAVAILABLE_TTL_SECONDS,
    RobotsRules,
    RobotsState,
    effective_rules,
    parse_robots,
)

from . import meta
from .middlewares import Refused, SessionMiddleware, refuse_name

REDIRECTS = 5
"""RFC 9309 §2.3.1.2: follow at least five."""
LARGE_BYTES = 16 * 1024
"""Longer files are parsed, and many rules applied, in a thread: the reactor must not stall."""
MANY_RULES = 500


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came for /robots.txt, redirects followed."""

    status: int
    """0: no answer."""
    body: bytes = b""
    why: str = ""
    """What happened, in words."""


@dataclass(frozen=True, slots=True)
class _Known:
    rules: RobotsRules
    until: float
    """Monotonic time after which they are fetched again."""
    why: str = ""
    """Why there was no answer for robots.txt; empty when there was one."""


class Robots(SessionMiddleware):
    """One fetch of robots.txt per origin, shared by all requests that wait for it."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._known: dict[str, asyncio.Task[_Known]] = {}
        self._seconds = crawler.settings.getfloat("AIDIVIDE_ROBOTS_SECONDS")
        crawler.signals.connect(self._cap, signals.bytes_received)

    async def process_request(self, request: Request) -> None:
        politeness = self._session.profile.politeness
        if meta.LEASED not in request.meta or not politeness.obey_robots:
            return
        parts = urlsplit(request.url)
        host = request.meta[meta.DOWNLOAD_SLOT]
        known = await self._current(f"{parts.scheme}://{parts.netloc}", host)
        rules = known.rules
        if rules.rule_count > MANY_RULES:
            verdict = await asyncio.to_thread(rules.verdict, request.url, politeness.user_agent)
        else:
            verdict = rules.verdict(request.url, politeness.user_agent)
        if verdict.reason is Reason.ROBOTS_UNAVAILABLE:
            refuse_name(self._session, parts.hostname)
            raise Refused(
                Outcome(
                    state=UrlState.FAILED,
                    reason=Reason.ROBOTS_UNAVAILABLE,
                    detail=known.why or None,
                    retry_after_seconds=max(known.until - time.monotonic(), 1.0),
                )
            )
        if not verdict.allowed:
            raise Refused(
                Outcome(state=UrlState.REJECTED, reason=Reason.ROBOTS_DENIED, detail=verdict.rule)
            )
        self._apply_delay(rules, host)
        request.meta[meta.ROBOTS] = {"verdict": "allowed", "rule": verdict.rule or ""}

    def _apply_delay(self, rules: RobotsRules, host: str) -> None:
        """The site's Crawl-delay, when it is longer than ours; a host that asks for too long is left out."""
        politeness = self._session.profile.politeness
        asked = rules.crawl_delay(politeness.user_agent) or 0.0
        longest = politeness.max_crawl_delay_seconds
        if asked > max(longest, politeness.delay_seconds):
            detail = f"Crawl-delay: {asked:g} is more than max_crawl_delay_seconds = {longest:g}"
            raise Refused(
                Outcome(state=UrlState.REJECTED, reason=Reason.CRAWL_DELAY, detail=detail)
            )
        self._session.pace(host).normal = max(politeness.delay_seconds, asked)

    # --- the rules of an origin ------------------------------------------------------------------

    async def _current(self, origin: str, host: str) -> _Known:
        while True:
            task = self._known.get(origin)
            if task is None or (task.done() and _is_over(task)):
                task = asyncio.ensure_future(self._learn(origin, host))
                self._known[origin] = task
            known = await asyncio.shield(task)
            if known.until > time.monotonic():
                return known

    async def _learn(self, origin: str, host: str) -> _Known:
        """Ask the server and keep a good answer; without one, go by the last that was kept."""
        answer = await self._fetch(origin, host)
        rules = await _parsed(answer)
        now = time.monotonic()
        archive, scheme = self._session.archive, origin.partition(":")[0]
        if rules.state is not RobotsState.UNREACHABLE:
            copy = RobotsCopy(status=answer.status, body=answer.body, fetched_at=datetime.now(UTC))
            asked = rules.crawl_delay(self._session.profile.politeness.user_agent)
            archive.store_robots(host, scheme, copy, asked)
            self._queue_sitemaps(rules, host)
            return _Known(rules, now + REFRESH_SECONDS)
        try:
            last = await asyncio.wrap_future(archive.robots_of(host, scheme))
        except StoreError:  # the crawl is about to end for it
            last = None
        if last is not None:
            age = (datetime.now(UTC) - last.fetched_at).total_seconds()
            rules = effective_rules(rules, await _parsed(_Answer(last.status, last.body)), age)
        return _Known(rules, now + UNAVAILABLE_TTL_SECONDS, f"robots.txt: {answer.why}")

    def _queue_sitemaps(self, rules: RobotsRules, host: str) -> None:
        """Sitemaps that the site of a source names, unless the profile chose the source's sitemaps itself."""
        profile = self._session.profile
        source = profile.source_for(host)
        if source is None or source.sitemaps or not profile.politeness.robots_sitemaps:
            return
        sitemaps = admission.of_robots(profile, rules.sitemaps)
        if sitemaps:
            self._session.archive.discover(sitemaps)

    # --- fetching --------------------------------------------------------------------------------

    async def _fetch(self, origin: str, host: str) -> _Answer:
        url = f"{origin}/robots.txt"
        for _ in range(REDIRECTS + 1):
            response, why = await self._download(url, host)
            if response is None:
                return _Answer(0, why=why)
            location = response.headers.get("Location")
            if not (300 <= response.status < 400 and location):
                return _answer(response)
            url = urljoin(url, location.decode("latin-1"))
        return _Answer(404)  # RFC 9309 §2.3.1.2: too many redirects: unavailable

    async def _download(self, url: str, host: str) -> tuple[Response | None, str]:
        """One robots.txt request; when there is no answer, why."""
        try:
            request = Request(
                url,
                priority=1000,
                meta={
                    meta.IS_SITE_FILE: True,
                    meta.DOWNLOAD_SLOT: host,
                    "download_timeout": self._seconds,
                },
                headers={"Accept-Encoding": "identity"},
                dont_filter=True,
            )
            assert self._crawler.engine is not None
            return await self._crawler.engine.download_async(request), ""
        except Exception as error:  # noqa: BLE001  # any failure means: unreachable, assume disallow
            return None, f"{type(error).__name__}: {error}"[:150]

    def _cap(self, data: bytes, request: Request) -> None:
        """Stop reading a robots.txt at the size that is read of it."""
        if meta.IS_SITE_FILE in request.meta:
            received = request.meta.get(meta.RECEIVED_BYTES, 0) + len(data)
            request.meta[meta.RECEIVED_BYTES] = received
            if received > MAX_ROBOTS_BYTES:
                raise StopDownload(fail=False)


def _is_over(task: asyncio.Task[_Known]) -> bool:
    return (
        task.cancelled() or task.exception() is not None or task.result().until <= time.monotonic()
    )


def _answer(response: Response) -> _Answer:
    """A body that ended early may lack the rule that forbids: it counts as no answer."""
    was_stopped = "download_stopped" in response.flags
    if "dataloss" in response.flags and not was_stopped:
        return _Answer(0, why="the body ended early")
    encoding = (response.headers.get("Content-Encoding") or b"").decode("latin-1")
    body = decompress(response.body, encoding, max_bytes=MAX_ROBOTS_BYTES + 1).body
    return _Answer(response.status, body, f"HTTP {response.status}")


async def _parsed(answer: _Answer) -> RobotsRules:
    if len(answer.body) > LARGE_BYTES:
        return await asyncio.to_thread(parse_robots, answer.body, status=answer.status)
    return parse_robots(answer.body, status=answer.status)

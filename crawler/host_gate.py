"""The gate before each host: one request per delay, none while the host is paused (docs/politeness.md)."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    IgnoreRequest,
)
from scrapy.http import Response

from aidivide_archive.politeness import PARK_SECONDS, HostPace
from aidivide_archive.robots import retry_after_seconds

from . import meta
from .middlewares import Postponed, SessionMiddleware

POSTPONE_SECONDS = 30.0
"""A request that would wait longer at the gate goes back to the frontier."""
_LOOK_SECONDS = 1.0
"""A pause may begin while a request waits: it looks again this often."""


class HostGate(SessionMiddleware):
    """Lets the requests of a host out one after another, its robots.txt included.

    In place of Scrapy's download slots, whose delay is drawn at random around the setting and is forgotten after a
    minute without requests.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._gates: dict[str, asyncio.Lock] = {}

    async def process_request(self, request: Request) -> None:
        host = request.meta[meta.DOWNLOAD_SLOT]
        async with self._gates.setdefault(host, asyncio.Lock()):
            pace = self._session.pace(host)
            while (wait := self._wait(host, pace)) > 0:
                if wait > POSTPONE_SECONDS and self._is_paused(host):
                    raise Postponed(f"{host} is paused")
                await asyncio.sleep(min(wait, _LOOK_SECONDS))
            pace.sent(time.monotonic())

    def process_response(self, request: Request, response: Response) -> Response:
        host = request.meta[meta.DOWNLOAD_SLOT]
        latency = float(request.meta.get("download_latency", 0.0))
        self._session.pace(host).answered(time.monotonic(), response.status, latency)
        if response.status == 429 or response.status >= 500:
            value = (response.headers.get("Retry-After") or b"").decode("latin-1")
            seconds = retry_after_seconds(value, datetime.now(UTC))
            if seconds:
                self._pause(host, seconds)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if isinstance(exception, IgnoreRequest):  # ours: nothing was sent
            return
        host = request.meta[meta.DOWNLOAD_SLOT]
        silent = isinstance(exception, CannotResolveHostError | DownloadConnectionRefusedError)
        if self._session.pace(host).failed(time.monotonic(), reached=not silent):
            self._pause(host, PARK_SECONDS)

    def _pause(self, host: str, seconds: float) -> None:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        if until > self._session.paused.get(host, until - timedelta(1)):
            self._session.paused[host] = until
            self._session.counts["hosts_paused"] += 1
            self._session.archive.pause_host(host, until)

    def _is_paused(self, host: str) -> bool:
        return self._session.paused.get(host, datetime.min.replace(tzinfo=UTC)) > datetime.now(UTC)

    def _wait(self, host: str, pace: HostPace) -> float:
        until = self._session.paused.get(host)
        paused = (until - datetime.now(UTC)).total_seconds() if until else 0.0
        return max(pace.wait(time.monotonic()), paused)

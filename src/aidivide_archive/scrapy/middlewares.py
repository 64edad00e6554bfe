"""The two components of the add-on: one keeps each exchange as fetched, one hands it to the archive."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Self
from weakref import WeakKeyDictionary, WeakSet

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import HtmlResponse, Response
from scrapy.utils.asyncio import is_asyncio_available

from aidivide_archive.exceptions import ArchiveError, ConfigError, InvalidURLError, StoreError
from aidivide_archive.model import Capture
from aidivide_archive.scrapy.capture import capture_of, without_secrets
from aidivide_archive.scrapy.options import chosen_location, chosen_profile
from aidivide_archive.scrapy.recording import Recording

logger = logging.getLogger(__name__)

ARCHIVE_FAILED = "archive_failed"
"""Why a spider was closed whose pages could not be stored."""
_STATS = "aidivide/"
"""In front of the names of Scrapy's statistics that are ours."""


class KeepExchange:
    """Keeps request and response as fetched, until the response reaches the spider or is forgotten.

    Beside `request.meta`, which other components copy, and which a queue on disk would write.
    """

    def __init__(self) -> None:
        self._sent: WeakSet[Request] = WeakSet()
        self._captures: WeakKeyDictionary[Request, Capture] = WeakKeyDictionary()

    def process_request(self, request: Request) -> None:
        """Nobody answered in place of the network: this middleware is the last before it."""
        self._sent.add(request)

    def process_response(self, request: Request, response: Response) -> Response:
        if request in self._sent:
            self._captures[request] = without_secrets(capture_of(request, response))
        return response

    def take(self, request: Request | None) -> Capture | None:
        """The exchange of a request; None when it was answered without the network (a cache, another component)."""
        return None if request is None else self._captures.pop(request, None)


class ArchiveResponses:
    """Hands every page that reaches the spider to the archive; what the spider makes of it passes untouched."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._recording: Recording | None = None
        self._failure: StoreError | None = None
        self._under_way: dict[Response, asyncio.Task[None]] = {}
        self._counts: Counter[str] = Counter()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.crawling or "SCRAPY_CHECK" in os.environ:
            raise NotConfigured  # scrapy shell and scrapy check: what is tried out is not archived
        middleware = cls(crawler)
        crawler.signals.connect(middleware.spider_closed, signals.spider_closed)
        return middleware

    def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Open the archive before the first request. Raises ArchiveError, and the crawl does not begin."""
        try:
            if not is_asyncio_available():
                raise ConfigError("archiving needs Scrapy's asyncio reactor (TWISTED_REACTOR)")
            exchanges = self._crawler.get_downloader_middleware(KeepExchange)
            if exchanges is None:
                raise ConfigError("archiving needs KeepExchange among the DOWNLOADER_MIDDLEWARES")
            self._exchanges = exchanges
            settings = self._crawler.settings
            self._recording = Recording(chosen_location(settings), chosen_profile(settings))
        except ArchiveError as error:
            logger.error("the crawl does not begin, for it could not be archived: %s", error)
            raise
        return start

    def process_spider_input(self, response: Response) -> None:
        if self._recording is None or self._failure is not None:
            return
        capture = self._exchanges.take(response.request)
        left_out = _left_out(response, capture)
        if capture is None or left_out is not None:
            self._count(f"left_out/{left_out}")
            return
        task = asyncio.ensure_future(self._record(self._recording, capture))
        self._under_way[response] = task
        task.add_done_callback(lambda _: self._under_way.pop(response))

    async def process_spider_output(
        self, response: Response, result: AsyncIterator[Any]
    ) -> AsyncIterator[Any]:
        """Pass on what the spider gives, then hold the response back until it is stored.

        That is the back-pressure: Scrapy bounds how many bytes of responses it has in hand.
        """
        async for output in result:
            yield output
        task = self._under_way.get(response)
        if task is not None:
            await asyncio.wait([task])

    async def spider_closed(self, reason: str) -> None:
        if self._recording is None:
            return
        if self._under_way:  # of callbacks that raised: nobody waited for their pages
            await asyncio.wait(list(self._under_way.values()))
        try:
            await self._recording.close(reason, self._counts)
        except ArchiveError as error:
            logger.error("the archive could not be closed in order: %s", error)
        account = ", ".join(f"{name}={count}" for name, count in sorted(self._counts.items()))
        logger.info("archive %s: %s", self._recording.location.shown(), account or "no page")

    async def _record(self, recording: Recording, capture: Capture) -> None:
        """Store a page. Never raises: what keeps the archive from storing anything ends the crawl."""
        try:
            stored = await recording.record(capture)
        except InvalidURLError:
            self._count("left_out/bad_address")
        except StoreError as error:
            self._fail(error)
        except Exception as error:
            self._count("failed")
            is_ours = isinstance(error, ArchiveError)  # its words say it all
            logger.error("%s is not archived: %s", capture.url, error, exc_info=not is_ours)
        else:
            self._count(str(stored))

    def _fail(self, error: StoreError) -> None:
        """Stop the crawl: what cannot be stored must not be fetched."""
        if self._failure is not None:
            return
        self._failure = error
        logger.error("the archive failed, so the crawl stops: %s", error)
        if self._crawler.engine.spider is not None:
            closing = self._crawler.engine.close_spider_async(reason=ARCHIVE_FAILED)
            self._closing = asyncio.ensure_future(closing)

    def _count(self, name: str) -> None:
        self._counts[name] += 1
        self._crawler.stats.inc_value(f"{_STATS}{name}")


def _left_out(response: Response, capture: Capture | None) -> str | None:
    """Why a response is no page to archive; None when it is one."""
    if not isinstance(response, HtmlResponse):
        return "not_html"
    if capture is None or "cached" in response.flags:
        return "not_fetched"
    if response.request is not None and response.request.method != "GET":
        return "not_get"
    return None

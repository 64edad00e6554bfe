"""What happens around a crawl (resolver, heartbeat, settling, closing), and its progress line."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from aidivide_archive.archive import Location
from aidivide_archive.archive.queries import Reader, Status
from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.model import Reason, UrlState
from aidivide_archive.scrapy.runs import end_run

from .resolver import GuardedResolver
from .session import Session


class SessionLifecycle:
    """Ties a session to a Scrapy run: it begins with the guarded resolver and ends with settling."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._heartbeat: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_opened(self, spider: Spider) -> None:
        from twisted.internet import reactor

        session: Session = spider.session  # type: ignore[attr-defined]  # every spider of ours has one
        loop: Any = reactor
        self._original = loop.nameResolver
        loop.installNameResolver(
            GuardedResolver(
                self._original, session.policy, session.profile.fetch.hosts, session.refused_names
            )
        )
        seconds = self._crawler.settings.getfloat("AIDIVIDE_HEARTBEAT_SECONDS")
        self._heartbeat = asyncio.ensure_future(_renew(session, seconds))

    async def spider_closed(self, spider: Spider, reason: str) -> None:
        from twisted.internet import reactor

        session: Session = spider.session  # type: ignore[attr-defined]
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        loop: Any = reactor
        loop.installNameResolver(self._original)
        session.finish_reason = reason
        try:
            await end_run(session.archive, session.ingest, reason, session.counts)
        except ArchiveError as error:
            session.failure = session.failure or session.archive.failure or error
            spider.logger.error("%s", error)
        finally:
            session.is_closed = True


async def _renew(session: Session, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        session.archive.renew()


ASK_SECONDS = 2.0
"""Between two looks at the archive; a slow one is looked at less often."""


class Progress:
    """One line on the terminal: done of known, kept, matches, errors. Silent when stderr is no terminal.

    Done, kept and errors are this crawl's; known URLs and matches are the archive's, of earlier crawls as
    well. The whole archive is compared when everything is fetched, and the line says so.
    """

    def __init__(self, crawler: Crawler) -> None:
        if not sys.stderr.isatty():
            raise NotConfigured
        self._crawler = crawler
        self._asking: asyncio.Task[None] | None = None
        self._known: Status | None = None
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True, no_color=True),  # yellow is lost on white
            transient=True,
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.item_scraped, signals.item_scraped)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        crawler.signals.connect(extension.stop, signals.engine_stopped)
        return extension

    def spider_opened(self, spider: Spider) -> None:
        from twisted.internet import reactor

        self._session: Session = spider.session  # type: ignore[attr-defined]  # every spider of ours has one
        self._task = self._bar.add_task("starting …", total=None)
        self._bar.start()
        self._asking = asyncio.ensure_future(self._ask())
        loop: Any = reactor  # a crawl that is stopped at once sends no signal
        loop.addSystemEventTrigger("before", "shutdown", self.stop)

    def item_scraped(self) -> None:
        self._show(self._line())

    def spider_closed(self) -> None:
        self._show("comparing the articles …")

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._bar.stop()

    def _show(self, line: str) -> None:
        self._bar.update(self._task, description=line)

    def _line(self) -> str:
        counts = self._session.counts
        done = sum(counts[state] for state in UrlState)
        kept = counts[f"reason/{Reason.KEPT}"] + counts[f"reason/{Reason.REVIEW}"]
        errors = counts[UrlState.FAILED] + counts[UrlState.DEAD]
        known = self._known
        parts = [
            f"{done} of {max(known.urls, done)} known URLs" if known else f"{done} URLs",
            f"{kept} kept",
            *([f"{known.matches} matches"] if known and known.matches else ()),
            f"{errors} errors",
            *(() if self._crawler.crawling else ("stopping",)),
        ]
        return " · ".join(parts)

    async def _ask(self) -> None:
        while True:
            started = time.monotonic()
            with suppress(ArchiveError):  # the line goes on without; the crawl itself will say
                self._known = await asyncio.to_thread(_status, self._session.archive.location)
            await asyncio.sleep(max(ASK_SECONDS, 20 * (time.monotonic() - started)))


def _status(location: Location) -> Status:
    with Reader(location) as reader:
        return reader.status()

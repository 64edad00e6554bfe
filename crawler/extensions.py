"""The crawl's ledger (resolver, heartbeat, settling, closing) and its progress line."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.model import UrlState
from crawler.resolver import GuardedResolver
from crawler.session import Session


class CrawlLedger:
    """Ties a session to a Scrapy run: begins with the guarded resolver, ends with settling."""

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
            GuardedResolver(self._original, session.policy, session.profile.fetch.hosts)
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
        session.ingest.close()
        try:
            if session.archive.failure is None:
                await asyncio.wrap_future(session.archive.settle())
                stats = dict(sorted(session.counts.items()))
                await asyncio.to_thread(session.archive.finish, reason, stats)
        except ArchiveError as error:
            session.failure = session.failure or session.archive.failure
            spider.logger.error("%s", error)
        finally:
            await asyncio.to_thread(session.archive.close)


async def _renew(session: Session, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        session.archive.renew()


class Progress:
    """One line on the terminal: done / known, kept, errors. Silent when stderr is no terminal."""

    def __init__(self, crawler: Crawler) -> None:
        if not sys.stderr.isatty():
            raise NotConfigured
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.item_scraped, signals.item_scraped)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        return extension

    def spider_opened(self, spider: Spider) -> None:
        self._task = self._bar.add_task("starting …", total=None)
        self._bar.start()

    def item_scraped(self, spider: Spider) -> None:
        counts = spider.session.counts  # type: ignore[attr-defined]  # every spider of ours has one
        done = sum(counts[state] for state in UrlState)
        kept = counts["reason/kept"] + counts["reason/review"]
        errors = counts[UrlState.FAILED] + counts[UrlState.DEAD]
        self._bar.update(self._task, description=f"{done} pages · {kept} kept · {errors} errors")

    def spider_closed(self, spider: Spider) -> None:
        self._bar.stop()

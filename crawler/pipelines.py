"""The one pipeline: hand each document to the archive and await its commit."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from aidivide_archive.exceptions import ArchiveError, StoreError
from aidivide_archive.model import Document, Outcome, Reason, UrlState
from aidivide_archive.urls import host_of

MANY_AHEAD = 16
"""So many documents on their way make it worth the wait to store several in one transaction."""


class ArchivePipeline:
    """Awaiting the commit is the back-pressure: Scrapy fetches no further ahead than the archive writes."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_item(self, item: Document) -> Document:
        spider: Any = self._crawler.spider
        session = spider.session
        try:
            can_wait = session.ahead_count >= MANY_AHEAD
            stored = await asyncio.wrap_future(session.archive.commit(item, can_wait=can_wait))
        except StoreError as error:
            spider.storage_failed(error)
            raise DropItem(f"not stored: {error}") from None
        except ArchiveError as error:  # this document alone cannot be stored
            spider.logger.error("%s: %s", item.url, error)
            item = _refused(item, str(error))
            stored = await asyncio.wrap_future(session.archive.commit(item))
        finally:
            session.came_back(host_of(item.url), item.url_id)
        session.count(item, stored)
        wait = item.outcome.retry_after_seconds
        if wait:
            until = item.finished_at + timedelta(seconds=wait)
            session.paused[host_of(item.url)] = until
            session.archive.pause_host(host_of(item.url), until)
        return item


def _refused(item: Document, why: str) -> Document:
    """What is acknowledged in place of a document that the archive refused."""
    outcome = Outcome(state=UrlState.FAILED, reason=Reason.INTERNAL, detail=why[:200])
    return Document(
        url_id=item.url_id,
        url=item.url,
        kind=item.kind,
        outcome=outcome,
        finished_at=item.finished_at,
    )

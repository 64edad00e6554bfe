"""The archive's frontier behind Scrapy's SCHEDULER interface.

Scrapy asks synchronously; the frontier answers through the writer thread. So leased URLs wait in a small buffer that
is refilled in the background. Requests only ever come from here: spiders, redirects and retries add none.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler

from aidivide_archive.archive.ledger.frontier import Lease
from aidivide_archive.exceptions import StoreError
from aidivide_archive.model import LeasedUrl

from . import meta
from .session import Session
from .space import LOOK_SECONDS, SpaceGate


class FrontierScheduler(BaseScheduler):
    """Hands out leased URLs, host by host in turn, never more to a host than may run there."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._buffer: dict[str, deque[Request]] = {}
        self._size = 0
        self._refill: asyncio.Task[None] | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._exhausted = False
        self._changed = False
        self._given_back = 0
        self._closed = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        scheduler = cls(crawler)
        # a stored document may have queued its links
        crawler.signals.connect(scheduler._on_progress, signals.item_scraped)
        return scheduler

    def open(self, spider: Spider) -> None:
        self._spider: Any = spider
        self._session: Session = spider.session  # type: ignore[attr-defined]  # every spider of ours has one
        settings = self._crawler.settings
        self._limit = settings.getint("AIDIVIDE_BUFFER")
        self._max_wait = settings.getfloat("AIDIVIDE_MAX_WAIT_SECONDS")
        self._per_host = self._session.profile.politeness.concurrent_per_host
        patience = settings.getfloat("AIDIVIDE_SPACE_WAIT_SECONDS")
        self._space = SpaceGate(self._session, spider, patience=patience)
        self._start_refill()

    def close(self, reason: str) -> None:
        self._closed = True
        if self._wake is not None:
            self._wake.cancel()

    def has_pending_requests(self) -> bool:
        if self._closed:
            return False
        return self._size > 0 or not self._exhausted

    def enqueue_request(self, request: Request) -> bool:
        """Take a leased request into the buffer; anything else (a middleware's own) is refused."""
        leased = request.meta.get(meta.LEASED)
        if not isinstance(leased, LeasedUrl):
            return False
        self._buffer.setdefault(leased.host, deque()).append(request)
        self._size += 1
        self._session.sent_ahead(leased)
        return True

    def next_request(self) -> Request | None:
        """The next request of the least busy host, or None; starts a refill when the buffer runs low."""
        if self._space.is_closed:
            self._wait_for_space()
            return None
        if self._size < self._limit // 2:
            self._start_refill()
        now = datetime.now(UTC)
        best: str | None = None
        least = self._per_host
        on_way = self._on_way()
        for host in self._buffer:
            active = on_way[host]
            if active < least and not self._is_paused(host, now):
                best, least = host, active
                if not active:
                    break
        if best is None:
            self._leave_paused(now)
            return None
        waiting = self._buffer.pop(best)
        request = waiting.popleft()
        if waiting:  # back in line behind the other hosts
            self._buffer[best] = waiting
        self._size -= 1
        return request

    def _on_way(self) -> Counter[str]:
        """Requests by host, those included that wait for robots.txt or for the host's next turn."""
        assert self._crawler.engine is not None
        active = self._crawler.engine.downloader.active
        return Counter(request.meta.get(meta.DOWNLOAD_SLOT, "") for request in active)

    def _is_paused(self, host: str, now: datetime) -> bool:
        until = self._session.paused.get(host)
        return until is not None and until > now

    def _leave_paused(self, now: datetime) -> None:
        """Let go of hosts that are paused for longer than this run waits; their leases end with it."""
        for host in [host for host in self._buffer if self._is_paused(host, now)]:
            if self._session.paused[host] - now > timedelta(seconds=self._max_wait):
                waiting = self._buffer.pop(host)
                for request in waiting:
                    self._session.came_back(host, request.meta[meta.LEASED].id)
                gone = len(waiting)
                self._size -= gone
                self._given_back += gone
                self._session.left += gone

    def _on_progress(self) -> None:
        self._changed = True
        if self._exhausted:
            self._exhausted = False
            self._start_refill()

    def _start_refill(self) -> None:
        if self._closed or self._exhausted or self._wake is not None:
            return
        if self._refill is None or self._refill.done():
            self._refill = asyncio.ensure_future(self._fill())

    def _wait_for_space(self) -> None:
        if self._closed or self._wake is not None:
            return
        failure = self._space.failure
        if failure is None:
            self._wake = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_again)
        else:
            self._spider.storage_failed(failure)
            self._exhausted = True

    def _look_again(self) -> None:
        self._wake = None
        if self._space.is_closed:
            self._wait_for_space()
        else:
            self._start_refill()
            self._nudge()

    async def _fill(self) -> None:
        self._changed = False
        try:
            lease = await asyncio.wrap_future(
                self._session.archive.lease(
                    limit=max(self._limit - self._size, 1),
                    per_host=2 * self._per_host,
                    busy=self._busy(),
                    pages_per_host=self._session.profile.limits.pages_per_host,
                    sitemaps_per_host=self._session.profile.limits.sitemaps_per_host,
                )
            )
        except StoreError as error:
            self._spider.storage_failed(error)
            self._exhausted = True
            return
        for leased in lease.urls:
            self.enqueue_request(self._spider.request(leased))
        if not lease.urls:
            self._rest(lease)
        self._nudge()

    def _busy(self) -> list[str]:
        """Hosts with enough in hand: what is fetched far ahead of its judgement overruns every budget."""
        full = 4 * self._per_host
        return sorted(host for host, ids in self._session.ahead.items() if len(ids) >= full)

    def _rest(self, lease: Lease) -> None:
        """Nothing was due: decide whether something will be, and when to ask again."""
        if self._closed:
            return
        wait = 0.05 if self._changed else self._seconds_to_wait(lease)
        if wait is None:
            self._exhausted = True
            return
        self._wake = asyncio.get_running_loop().call_later(wait, self._wake_up)

    def _seconds_to_wait(self, lease: Lease) -> float | None:
        assert self._crawler.engine is not None
        busy = bool(self._crawler.engine.downloader.active) or self._size > 0
        if lease.next_due_at is None:
            return None
        seconds = (lease.next_due_at - datetime.now(UTC)).total_seconds()
        if seconds > self._max_wait:
            self._session.left = (
                lease.outstanding + self._given_back
            )  # the next run goes on with it
            return None
        # what is due but not handed out waits for its host: for its hubs, a pause, or another process
        return min(max(seconds, 0.2 if busy else 0.5), 5.0)

    def _wake_up(self) -> None:
        self._wake = None
        self._start_refill()

    def _nudge(self) -> None:
        """Have the engine look at us now instead of at its next heartbeat (5 s)."""
        assert self._crawler.engine is not None
        slot = self._crawler.engine._slot  # noqa: SLF001  # there is no public way to wake it
        if slot is not None:
            slot.nextcall.schedule()

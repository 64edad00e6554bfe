"""What every spider of this project shares: a session, leased requests, readings turned into documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.settings import BaseSettings
from twisted.internet.error import TimeoutError as TwistedTimeout
from twisted.python.failure import Failure

from aidivide_archive.archive import Location
from aidivide_archive.config import load_profile
from aidivide_archive.environment import DEFAULT_EVENT
from aidivide_archive.exceptions import ConfigError, StoreError
from aidivide_archive.ingest.composing import compose
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.model import Document, LeasedUrl, Outcome, Reason, UrlState
from aidivide_archive.workers import Starter

from .. import meta
from ..archive_settings import ARCHIVE_SETTINGS
from ..middlewares import Postponed, Refused, refuse_name
from ..session import Session

STORAGE_ERROR_SECONDS = 3.0
"""After a storage failure what is under way has this long to end."""
REVISITS = ("none", "all")
# What Scrapy raises when there is no usable answer, and what the ledger calls it.
_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (DownloadTimeoutError, Reason.TIMEOUT),
    (TwistedTimeout, Reason.TIMEOUT),
    (CannotResolveHostError, Reason.DNS),
    (DownloadConnectionRefusedError, Reason.CONNECTION),
    (ResponseDataLossError, Reason.INCOMPLETE),
)


class ArchiveSpider(Spider):
    """Adapts: leased URL → request, response → document. Subclasses say what is queued."""

    session: Session

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Add the settings of a crawl into an archive; the command line still has the last word."""
        super().update_settings(settings)
        for name, value in ARCHIVE_SETTINGS.items():
            is_addition = isinstance(value, dict)  # to the components and headers of the project
            whole = {**settings.getdict(name), **value} if is_addition else value
            settings.set(name, whole, priority="spider")

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Open the session unless the crawl command did, and apply the profile to the settings.

        Raises ArchiveError; ConfigError under a command that brings requests of its own.
        """
        if not crawler.crawling or cls.start is not ArchiveSpider.start:
            raise ConfigError(
                f"the requests of {cls.name} come from an archive, so it runs with `scrapy crawl {cls.name}` only; "
                "shell, fetch and parse work without --spider"
            )
        session = kwargs.pop("session", None) or open_session(**kwargs)
        spider = super().from_crawler(crawler)
        spider.session = session
        profile = session.profile
        values: dict[str, Any] = {
            "USER_AGENT": profile.politeness.header,
            "CONCURRENT_REQUESTS_PER_DOMAIN": profile.politeness.concurrent_per_host,
            "DOWNLOAD_MAXSIZE": profile.limits.body_bytes,
            "DOWNLOAD_WARNSIZE": 0,
            "DOWNLOAD_VERIFY_CERTIFICATES": profile.fetch.verify_tls,
        }
        for name, value in values.items():
            crawler.settings.set(name, value, priority="spider")
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Yield nothing: the frontier holds what is to be fetched."""
        empty: tuple[Any, ...] = ()
        for nothing in empty:
            yield nothing

    def request(self, leased: LeasedUrl) -> Request:
        return Request(
            leased.url,
            callback=self.parse,
            errback=self.failed,
            dont_filter=True,
            meta={
                meta.LEASED: leased,
                meta.DOWNLOAD_SLOT: leased.host,
                "handle_httpstatus_all": True,
            },
        )

    async def parse(self, response: Response) -> AsyncIterator[Document]:
        """Read the capture in a worker; the pipeline stores what comes back."""
        leased, capture = response.meta[meta.LEASED], response.meta[meta.CAPTURE]
        stated = response.meta.get(meta.SITE_STATEMENTS, ())
        try:
            reading = await asyncio.wrap_future(
                self.session.ingest.read(leased, capture, site_statements=stated)
            )
        except BaseException:
            self.session.came_back(leased.host, leased.id)
            raise
        try:
            robots = response.meta.get(meta.ROBOTS)
            document = compose(self.session.archive, leased, reading, capture, robots=robots)
        except StoreError as error:
            self.storage_failed(error)
            return
        yield document

    async def failed(self, failure: Failure) -> AsyncIterator[Document]:
        """Every request that got no response ends here, and is acknowledged all the same."""
        if isinstance(failure.value, StoreError):
            self.storage_failed(failure.value)
            return
        leased = failure.request.meta[meta.LEASED]  # type: ignore[attr-defined]  # Scrapy sets it
        if isinstance(failure.value, Postponed):
            self.session.left += 1  # its lease ends with the run
            self.session.came_back(leased.host, leased.id)
            return
        reading = Reading(outcome=self._outcome(leased, failure.value))
        yield compose(self.session.archive, leased, reading)

    def _outcome(self, leased: LeasedUrl, error: BaseException | None) -> Outcome:
        if isinstance(error, CannotResolveHostError):
            try:
                refuse_name(self.session, urlsplit(leased.url).hostname)
            except Refused as refused:
                return refused.outcome
        return outcome_of(error)

    def storage_failed(self, error: StoreError) -> None:
        """Stop the crawl: what cannot be stored must not be fetched."""
        if self.session.failure is None:
            self.session.failure = error
            engine = self.crawler.engine
            assert engine is not None
            self._closing = asyncio.ensure_future(engine.close_spider_async(reason="storage_error"))
            asyncio.get_running_loop().call_later(STORAGE_ERROR_SECONDS, _end_now)


def _end_now() -> None:
    """Slow servers may keep a closing crawl for as long as their time limit."""
    from twisted.internet import reactor

    loop: Any = reactor
    if loop.running:
        loop.stop()


def outcome_of(error: BaseException | None) -> Outcome:
    """What a failed download means for its URL."""
    if isinstance(error, Refused):
        return error.outcome
    if isinstance(error, DownloadCancelledError):
        return Outcome(state=UrlState.REJECTED, reason=Reason.TOO_LARGE, detail=str(error)[:200])
    text = f"{type(error).__name__}: {error}"[:200]
    reason = next((r for kind, r in _REASONS if isinstance(error, kind)), None)
    if reason is None:
        is_tls = any(word in text for word in ("SSL", "certificate", "VerificationError"))
        reason = Reason.TLS if is_tls else Reason.CONNECTION
    return Outcome(state=UrlState.FAILED, reason=reason, detail=text)


def open_session(
    starter: Starter | None = None,
    *,
    event: str = DEFAULT_EVENT,
    archive: str | None = None,
    database: str | None = None,
    revisit: str = "none",
    wait: str = "",
    **unknown: str,
) -> Session:
    """Check the spider arguments and open the session. Raises ArchiveError."""
    if unknown:
        raise ConfigError(
            f"unknown spider argument {min(unknown)!r}; "
            "there are event, archive, database, revisit and wait"
        )
    if revisit not in REVISITS:
        raise ConfigError(f"revisit={revisit!r}: choose one of {', '.join(REVISITS)}")
    profile = load_profile(event)
    return Session.open(
        profile,
        Location.resolve(archive, database),
        revisit=revisit,
        wait=bool(wait),
        starter=starter,
    )

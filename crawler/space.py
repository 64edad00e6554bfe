"""No URL is handed out while the disk has less room than the archive wants."""

from __future__ import annotations

import time

from scrapy import Spider

from aidivide_archive.exceptions import StoreError

from .session import Session

LOOK_SECONDS = 1.0
"""Between two looks at the disk."""


class SpaceGate:
    """Closed while room is short. One that stays closed for too long is a storage failure."""

    def __init__(self, session: Session, spider: Spider, *, patience: float) -> None:
        """`patience`: seconds of shortage after which the crawl ends."""
        self._session = session
        self._spider = spider
        self._patience = patience
        self._looked_at = float("-inf")
        self._short_since: float | None = None

    @property
    def is_closed(self) -> bool:
        """Look at the disk, at most once a second."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._look(now)
        return self._short_since is not None

    @property
    def failure(self) -> StoreError | None:
        """Why the crawl must end: the shortage did not pass."""
        since = self._short_since
        words = self._session.archive.shortage()
        if since is None or words is None or time.monotonic() - since < self._patience:
            return None
        return StoreError(f"{words}; make room and repeat the command: what was stored is safe")

    def _look(self, now: float) -> None:
        words = self._session.archive.shortage()
        if words is None:
            if self._short_since is not None:
                self._spider.logger.warning("there is room again: the crawl goes on")
            self._short_since = None
        elif self._short_since is None:
            self._short_since = now
            self._spider.logger.warning(
                "%s: the crawl waits for room, for %.0f s at most", words, self._patience
            )

"""How fast one host may be asked: its delay, what troubles it, when it is left alone. No clock and no I/O in here.

Times are seconds of any monotonic clock, handed in by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_EXTRA_SECONDS = 30.0
"""The longest delay that trouble alone leads to; as Heritrix' default maximum."""
FIRST_EXTRA_SECONDS = 1.0
SLOW_SECONDS = 5.0
"""An answer that begins later than this is a sign of load, whatever its status."""
SILENT_TRIES = 3
"""Requests in a row that reached no server, after which the host is parked."""
PARK_SECONDS = 300.0
"""As long as an unreachable robots.txt counts as a refusal."""


@dataclass(slots=True)
class HostPace:
    """The pace of one host: `delay` from a request, and again from its answer, to the next one.

    The extra delay doubles with every sign of trouble (429, 5xx, time-out, no connection, a slow answer), from one
    second to thirty, and halves with every good answer until it is gone.
    """

    normal: float
    """Seconds between two requests: the profile's, or the site's Crawl-delay when that is longer."""
    extra: float = 0.0
    last_at: float = float("-inf")
    """When a request was last sent or answered; the delay counts from there, also when it grows later."""
    silent: int = 0
    """Tries since a server last answered."""

    @property
    def delay(self) -> float:
        return max(self.normal, self.extra)

    def wait(self, now: float) -> float:
        """Seconds until the next request may be sent; 0 when it may be sent now."""
        return max(0.0, self.last_at + self.delay - now)

    def sent(self, now: float) -> None:
        self.last_at = now

    def answered(self, now: float, status: int, seconds: float) -> None:
        """A server answered; `seconds` passed until its first bytes."""
        self.silent = 0
        self.last_at = now
        if status == 429 or status >= 500 or seconds > SLOW_SECONDS:
            self._trouble()
            return
        self.extra /= 2
        if self.extra < FIRST_EXTRA_SECONDS / 4:
            self.extra = 0.0

    def failed(self, now: float, *, reached: bool) -> bool:
        """There was no answer; `reached`: a server was there. Returns whether the host is to be parked."""
        self.last_at = now
        self._trouble()
        self.silent = 0 if reached else self.silent + 1
        return self.silent >= SILENT_TRIES

    def _trouble(self) -> None:
        self.extra = min(max(2 * self.extra, FIRST_EXTRA_SECONDS), MAX_EXTRA_SECONDS)

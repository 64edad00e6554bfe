"""Settings of a crawl that is measured from inside: `SCRAPY_SETTINGS_MODULE=benchmarks.crawl_probe`.

The project's own settings, an extension that notes when the event loop was late and when each
document was stored, and workers that break on pages which say so: no such hook is in the product.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any, Self

from aidivide_archive.ingest import service
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.model import Capture, Document, LeasedUrl
from aidivide_archive.rights import Statement
from crawler import settings

globals().update({name: value for name, value in vars(settings).items() if name.isupper()})
EXTENSIONS = {**settings.EXTENSIONS, "benchmarks.crawl_probe.Probe": 1}

ENV_REPORT = "AIDIVIDE_PROBE_REPORT"
"""File for what was measured; its place names also turns the workers' breaking on."""
BEAT_SECONDS = 0.01
_POISON = re.compile(rb"\A<!-- break: (\w+) -->")


class Probe:
    """Notes every document, how late the loop ran, and the memory of this process."""

    def __init__(self) -> None:
        self.stored: list[tuple[float, str, str, str]] = []
        self.late: list[tuple[float, float, float]] = []
        """(when, how late, of which waiting for a processor), seconds; the worst remain."""
        self._beating: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        from scrapy import signals

        probe = cls()
        crawler.signals.connect(probe.opened, signals.spider_opened)
        crawler.signals.connect(probe.scraped, signals.item_scraped)
        crawler.signals.connect(probe.idle_end, signals.spider_closed)
        crawler.signals.connect(probe.stopped, signals.engine_stopped)
        return probe

    def opened(self) -> None:
        self._beating = asyncio.ensure_future(self._beat())

    async def _beat(self) -> None:
        expected, waited = time.monotonic() + BEAT_SECONDS, _seconds_waited()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now, waited_now = time.monotonic(), _seconds_waited()
            if now - expected > 0.05:
                self.late.append((time.time(), now - expected, waited_now - waited))
            expected, waited = now + BEAT_SECONDS, waited_now

    def scraped(self, item: Document) -> None:
        self.stored.append((time.time(), item.url, item.outcome.state, item.outcome.reason))

    def idle_end(self) -> None:
        self.fetched = time.time()

    def stopped(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
        status = Path("/proc/self/status").read_text(encoding="ascii")
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        report = {
            "stored": self.stored,
            "late": sorted(self.late, key=lambda one: -one[1])[:50],
            "fetched": self.fetched,
            "peak_mb": peak,
        }
        Path(os.environ[ENV_REPORT]).write_text(json.dumps(report), encoding="utf-8")


def _seconds_waited() -> float:
    """How long this thread has been ready to run and had no processor."""
    return int(Path("/proc/self/schedstat").read_bytes().split()[1]) / 1e9


# --- in the workers ------------------------------------------------------------------------------

_read = service._read  # noqa: SLF001  # the one place where a worker can be made to break


def broken_read(
    capture: Capture, leased: LeasedUrl, site_statements: tuple[Statement, ...]
) -> Reading:
    """Read as ever, but first do what the page asks for."""
    if poison := _POISON.match(capture.body):
        _break(poison[1])
    return _read(capture, leased, site_statements)


def _break(how: bytes) -> None:
    if how == b"segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == b"null":
        ctypes.string_at(0)
    elif how == b"exit":
        os._exit(3)
    elif how == b"hang":
        time.sleep(1e6)
    elif how == b"spin":
        while True:
            pass
    elif how == b"memory":
        held = []
        while True:
            held.append(bytes(range(256)) * 40_000)
    elif how == b"recursion":
        _deeper()


def _deeper() -> None:
    _deeper()


service._read = broken_read  # noqa: SLF001

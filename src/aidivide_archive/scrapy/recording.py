"""A run of an archive that takes the captures of a program which fetches for itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from aidivide_archive.archive import Location
from aidivide_archive.config import Profile
from aidivide_archive.ingest.admission import as_leased, foreign
from aidivide_archive.ingest.composing import store_foreign
from aidivide_archive.model import Capture, Stored
from aidivide_archive.scrapy.runs import begin_run, end_run


class Recording:
    """Opened before the first capture, closed after the last."""

    def __init__(self, location: Location, profile: Profile | None) -> None:
        """`profile`: of the event that pages are judged by; None: all are kept. Raises ArchiveError."""
        self._archive, self._ingest = begin_run("import", location, profile)
        self.location = location

    async def record(self, capture: Capture) -> Stored:
        """Read a capture and store it. Raises InvalidURLError, and StoreError when nothing more can be stored."""
        entry = foreign(capture.url)
        reading = await asyncio.wrap_future(self._ingest.read(as_leased(entry), capture))
        # the program chooses itself what to fetch next: nothing is queued
        reading = replace(reading, discoveries=())
        return await asyncio.wrap_future(store_foreign(self._archive, entry, capture, reading))

    async def close(self, reason: str, counts: Counter[str]) -> None:
        """Settle what was stored and let go of the archive; `counts` is the run's account. Raises ArchiveError."""
        await end_run(self._archive, self._ingest, reason, counts)

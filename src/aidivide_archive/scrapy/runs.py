"""How a run of an archive begins and ends inside a Scrapy crawl."""

from __future__ import annotations

import asyncio
from collections import Counter

from aidivide_archive.archive import Archive, Location
from aidivide_archive.config import Profile
from aidivide_archive.ingest.service import Ingest
from aidivide_archive.workers import Starter


def begin_run(
    kind: str,
    location: Location,
    profile: Profile | None,
    *,
    wait: bool = False,
    starter: Starter | None = None,
) -> tuple[Archive, Ingest]:
    """Open an archive for a run with a WARC file of its own, and the workers that read for it. Raises ArchiveError.

    `profile`: of the event that pages are judged by; None: they are kept whatever they are about. `wait`: for another
    process that is writing. `starter`: begun with `ingest.PRELOAD`; used up, also by a failure.
    """
    # its processes load their libraries while the archive is opened
    ingest = Ingest(profile, starter=starter)
    try:
        archive = Archive(location, wait=wait)
    except BaseException:
        ingest.close()
        raise
    try:
        archive.begin(kind, profile, warc=True)
    except BaseException:
        ingest.close()
        archive.close()
        raise
    return archive, ingest


async def end_run(archive: Archive, ingest: Ingest, reason: str, counts: Counter[str]) -> None:
    """Settle and finish the run unless the archive failed, then let go of both. Raises ArchiveError.

    `counts` becomes the run's account; the number of stories is added to it.
    """
    ingest.close()
    try:
        if archive.failure is None:
            settled = await asyncio.wrap_future(archive.settle())
            counts["stories"] = settled.stories
            await asyncio.to_thread(archive.finish, reason, dict(sorted(counts.items())))
    finally:
        await asyncio.to_thread(archive.close)

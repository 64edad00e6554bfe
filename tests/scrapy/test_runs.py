"""A run inside a Scrapy crawl lets go of all it opened, however it ends."""

import asyncio
from collections import Counter
from concurrent.futures import Future
from typing import Any

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.exceptions import ArchiveLockedError, StoreError
from aidivide_archive.scrapy.recording import Recording
from aidivide_archive.scrapy.runs import begin_run, end_run
from tests.support.small_archive import capture, page


def runs(location: Location) -> list[tuple[str, str | None, Any]]:
    crawls = schema.crawls
    engine = read_engine(location)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(crawls.c.kind, crawls.c.finish_reason, crawls.c.stats))
        made = [(row.kind, row.finish_reason, row.stats) for row in rows]
    engine.dispose()
    return made


def test_what_is_recorded_is_settled_and_the_run_has_its_account(location: Location):
    async def record() -> None:
        recording = Recording(location, None)
        for number in (1, 2):
            url = f"https://pier{number}.example/lamps"
            stored = await recording.record(capture(url, page(1)))
            assert stored.value == "new"
        await recording.close("finished", Counter(new=2))

    asyncio.run(record())
    assert runs(location) == [("import", "finished", {"new": 2, "stories": 1})]


def test_an_archive_that_is_busy_leaves_no_workers_behind(sqlite_location: Location):
    with Archive(sqlite_location), pytest.raises(ArchiveLockedError):
        begin_run("import", sqlite_location, None)
    assert runs(sqlite_location) == []


def test_an_archive_is_closed_although_settling_failed(
    sqlite_location: Location, monkeypatch: pytest.MonkeyPatch
):
    archive, ingest = begin_run("import", sqlite_location, None)
    failed: Future[Any] = Future()
    failed.set_exception(StoreError("the disk is full"))
    monkeypatch.setattr(archive, "settle", lambda: failed)
    with pytest.raises(StoreError, match="the disk is full"):
        asyncio.run(end_run(archive, ingest, "finished", Counter()))
    with Archive(sqlite_location):  # nobody holds it any more
        pass
    assert runs(sqlite_location) == [("import", None, None)]

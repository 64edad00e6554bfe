"""Verify an archive from its rows down to the bytes, and read its pages again: the same stages give the same text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait

import sqlalchemy as sa

from aidivide_archive.archive.documents.texts import StoredText, iter_texts
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.upkeep.integrity import RESTORE_ROWS, Damage
from aidivide_archive.archive.upkeep.purging import JOURNAL
from aidivide_archive.archive.upkeep.record_damages import record_damages, sampled_captures
from aidivide_archive.archive.upkeep.row_damages import row_damages
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import StoreError
from aidivide_archive.extract import VERSION
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.ingest.reprocess import import_profile
from aidivide_archive.ingest.service import Ingest
from aidivide_archive.model import UrlState
from aidivide_archive.warc.records import read_capture

_IN_FLIGHT = 16


def verify(
    location: Location,
    *,
    sample: int | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Damage]:
    """Every damage as it is found; none for a sound archive. `sample`: check so many captures, and all rows.

    `progress` is called with the number of pages read again. Raises ArchiveError.
    """
    journal = location.directory / JOURNAL
    if journal.exists():
        advice = "repeat the `aidivide purge` command"
        detail = "a purge was begun and did not come to its end"
        yield Damage(check="purge_unfinished", subject=JOURNAL, detail=detail, advice=advice)
    with Reader(location) as reader:
        yield from reader.ask(lambda c: _damages(c, location, sample, workers, progress))


def _damages(
    connection: sa.Connection,
    location: Location,
    sample: int | None,
    workers: int | None,
    progress: Callable[[int], None] | None,
) -> Iterator[Damage]:
    folder = location.warc_directory
    yield from row_damages(connection, folder)
    broken: set[str] = set()
    for damage in record_damages(connection, folder, sample=sample):
        broken.add(damage.subject)
        yield damage
    chosen = None if sample is None else set(sampled_captures(connection, sample))
    count = 0
    for event_id, texts in iter_texts(connection, VERSION, chosen):
        ingest = Ingest(_keeping(event_id), workers=workers)
        try:
            for one, found in _readings(location, ingest, texts, broken):
                count += 1
                if progress is not None:
                    progress(count)
                if not _is_same(one, found):
                    yield Damage(
                        check="extraction_drift",
                        subject=one.leased.url,
                        detail=f"extraction {one.extraction_id}: version {one.version} reads another text today",
                        advice="`aidivide reprocess` reads it again; if it stays, " + RESTORE_ROWS,
                    )
        finally:
            ingest.close()


def _keeping(profile_json: str | None) -> Profile:
    """The profile as far as it decides the text of a page; it rejects none and withholds none."""
    if profile_json is None:
        return import_profile()
    open_one = import_profile()
    return Profile.from_json(profile_json).model_copy(
        update={
            "groups": (),
            "relevance": open_one.relevance,
            "window": open_one.window,
            "exclude": open_one.exclude,
            "rights": open_one.rights.model_copy(update={"reserved": "text"}),
        }
    )


def _is_same(one: StoredText, found: Reading) -> bool:
    if found.outcome.state is UrlState.FAILED:  # the worker's limits, not the archive
        return True
    extraction = found.extraction
    if extraction is not None and extraction.version != one.version:
        return True
    return extraction is not None and extraction.text == one.text


def _readings(
    location: Location, ingest: Ingest, texts: Iterator[StoredText], broken: set[str]
) -> Iterator[tuple[StoredText, Reading]]:
    waiting: dict[Future[Reading], StoredText] = {}
    for one in texts:
        if one.leased.url in broken:  # told already
            continue
        try:
            capture = read_capture(location.warc_directory / one.warc_file, one.warc_offset)
        except StoreError:
            continue  # the walk through the files has told it
        waiting[ingest.read(one.leased, capture)] = one
        if len(waiting) >= _IN_FLIGHT:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()
    for future in list(waiting):
        yield waiting[future], future.result()

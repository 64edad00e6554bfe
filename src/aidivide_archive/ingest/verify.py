"""Verify an archive from its rows down to the bytes, and read its pages again: the same stages give the same text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from aidivide_archive.archive.documents.captures import event_profiles
from aidivide_archive.archive.documents.texts import StoredText, iter_texts
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage.location import Location, Place
from aidivide_archive.archive.upkeep.integrity import RESTORE_ROWS, Damage
from aidivide_archive.archive.upkeep.purging import JOURNAL
from aidivide_archive.archive.upkeep.record_damages import record_damages, sampled_captures
from aidivide_archive.archive.upkeep.row_damages import row_damages
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import StoreError
from aidivide_archive.extract import VERSION
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.ingest.service import Ingest, import_profile
from aidivide_archive.ingest.streaming import readings
from aidivide_archive.model import Capture, LeasedUrl, UrlState
from aidivide_archive.warc.records import read_capture


def verify(
    archive: Place,
    *,
    sample: int | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Damage]:
    """Every damage as it is found; none for a sound archive. `sample`: check so many captures, and all rows.

    `archive`: its location, or its directory. `progress` is called with the number of pages read again. Raises
    ArchiveError.
    """
    location = Location.at(archive)
    journal = location.directory / JOURNAL
    if journal.exists():
        advice = "repeat the `aidivide purge` command"
        detail = "a purge was begun and did not come to its end"
        yield Damage(check="purge_unfinished", subject=JOURNAL, detail=detail, advice=advice)
    folder = location.warc_directory
    with Reader(location) as reader:
        yield from reader.each(lambda c: row_damages(c, folder))
        broken: set[str] = set()
        for damage in reader.each(lambda c: record_damages(c, folder, sample=sample)):
            broken.add(damage.subject)
            yield damage
        chosen = None if sample is None else set(reader.ask(lambda c: sampled_captures(c, sample)))
        rereading = _Rereading(reader, chosen, broken, workers, progress)
        for event_id, profile_json in reader.ask(event_profiles).items():
            yield from rereading.drifts(event_id, profile_json)


@dataclass
class _Rereading:
    """Reads stored pages again and compares; a worker that fails is no damage of the archive."""

    reader: Reader
    chosen: Collection[int] | None
    """Numbers of the captures to read; None: all."""
    broken: Collection[str]
    """URLs whose damage is reported already."""
    workers: int | None
    progress: Callable[[int], None] | None
    count: int = 0

    def drifts(self, event_id: str | None, profile_json: str | None) -> Iterator[Damage]:
        """The texts of an event that today's stages read differently, though their version is the same."""
        ingest = Ingest(_keeping(profile_json), workers=self.workers)
        try:
            for text, reading in readings(ingest, self._captures(event_id)):
                self.count += 1
                if self.progress is not None:
                    self.progress(self.count)
                if not _is_same(text, reading):
                    yield Damage(
                        check="extraction_drift",
                        subject=text.leased.url,
                        detail=f"extraction {text.extraction_id}: version {text.version} reads another text today",
                        advice="`aidivide reprocess` reads it again; if it stays, " + RESTORE_ROWS,
                    )
        finally:
            ingest.close()

    def _captures(self, event_id: str | None) -> Iterator[tuple[StoredText, LeasedUrl, Capture]]:
        folder = self.reader.location.warc_directory
        for text in self.reader.each(lambda c: iter_texts(c, event_id, VERSION, self.chosen)):
            if text.leased.url in self.broken:
                continue
            try:
                capture = read_capture(folder / text.warc_file, text.warc_offset)
            except StoreError:
                continue  # `record_damages` reports it
            yield text, text.leased, capture


def _keeping(profile_json: str | None) -> Profile:
    """The profile as far as it decides the text of a page; it rejects none and withholds none."""
    keeps_all = import_profile()
    if profile_json is None:
        return keeps_all
    return Profile.from_json(profile_json).model_copy(
        update={
            "groups": (),
            "relevance": keeps_all.relevance,
            "window": keeps_all.window,
            "exclude": keeps_all.exclude,
            "rights": keeps_all.rights.model_copy(update={"reserved": "text"}),
        }
    )


def _is_same(text: StoredText, reading: Reading) -> bool:
    if reading.outcome.state is UrlState.FAILED:  # the worker's limits, not the archive
        return True
    extraction = reading.extraction
    if extraction is not None and extraction.version != text.version:
        return True
    return extraction is not None and extraction.text == text.text

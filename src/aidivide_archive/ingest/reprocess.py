"""Read stored captures again with today's stages, offline: better text, new judgements, no revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.documents.captures import (
    IsStale,
    StoredPage,
    event_profiles,
    iter_pages,
)
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.storage.location import Place
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import StoreError
from aidivide_archive.ingest.composing import compose
from aidivide_archive.ingest.reading import extraction_version, judgement_version
from aidivide_archive.ingest.service import Ingest, import_profile
from aidivide_archive.ingest.streaming import readings
from aidivide_archive.model import Capture, LeasedUrl, Stored, UrlState
from aidivide_archive.warc.records import read_capture

_FAILED = (UrlState.FAILED, UrlState.DEAD)
_CHANGED = (Stored.NEW, Stored.REEXTRACTED)


@dataclass(frozen=True, slots=True)
class ReprocessSummary:
    """What reading again gave, in pages."""

    read: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: tuple[str, ...] = ()


@dataclass
class _Tally:
    progress: Callable[[int], None] | None
    changed: int = 0
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)

    def stored(self, stored: Stored) -> None:
        self.changed += stored in _CHANGED
        self.unchanged += stored not in _CHANGED
        self._one_more()

    def failed(self, page: StoredPage, why: object) -> None:
        self.errors.append(f"{page.leased.url}: {why}")
        self._one_more()

    def _one_more(self) -> None:
        if self.progress is not None:
            self.progress(self.read)

    @property
    def read(self) -> int:
        return self.changed + self.unchanged + len(self.errors)

    def summary(self) -> ReprocessSummary:
        failed = len(self.errors)
        return ReprocessSummary(self.read, self.changed, self.unchanged, failed, tuple(self.errors))


def reprocess(
    archive: Place,
    *,
    stale: bool = False,
    wait: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ReprocessSummary:
    """Read every page's capture again; with `stale`, only those that would be read differently. Raises ArchiveError.

    Stale is what another version of the stages made, or the same under other rules: those of the
    profile's relevance, of a source's paths, zone and language, or of the built-in site rules.

    `archive`: its location, or its directory. `progress` is called with the number of pages read so far.
    """
    location = Location.at(archive)
    engine = read_engine(location)
    tally = _Tally(progress)
    try:
        with Archive(location, wait=wait) as opened, engine.connect() as connection:
            opened.begin("reprocess")
            for event_id, profile_json in event_profiles(connection).items():
                profile = Profile.from_json(profile_json) if profile_json else None
                is_stale = _stale_under(profile) if stale else None
                pages = iter_pages(connection, event_id, is_stale=is_stale)
                _reprocess_event(opened, profile, pages, tally)
            opened.settle().result()
            opened.finish("finished", {"read": tally.read, "changed": tally.changed})
    finally:
        engine.dispose()
    return tally.summary()


def _stale_under(profile: Profile | None) -> IsStale:
    """Whether a page of a host was read by other versions than today's under the profile."""
    reading_profile = profile or import_profile()

    def is_stale(host: str, extracted: str | None, judged: str | None) -> bool:
        expected = extraction_version(reading_profile, host)
        if extracted is not None and extracted != expected:
            return True
        # pages that were imported for no event are judged for none
        return profile is not None and judged != judgement_version(profile, expected)

    return is_stale


def _reprocess_event(
    archive: Archive, profile: Profile | None, pages: Iterator[StoredPage], tally: _Tally
) -> None:
    ingest = Ingest(profile)
    try:
        for page, reading in readings(ingest, _captures(archive.location, pages, tally)):
            if reading.outcome.state in _FAILED:
                tally.failed(page, reading.outcome.detail)
            else:
                document = compose(archive, page.leased, reading)
                tally.stored(archive.store_again(document, page.capture_id))
    finally:
        ingest.close()


def _captures(
    location: Location, pages: Iterator[StoredPage], tally: _Tally
) -> Iterator[tuple[StoredPage, LeasedUrl, Capture]]:
    """What can be read again; a record that cannot is a failure of that page alone."""
    for page in pages:
        try:
            capture = read_capture(location.warc_directory / page.warc_file, page.warc_offset)
        except StoreError as error:
            tally.failed(page, error)
            continue
        if capture.withheld_sha256 is None:  # else there is nothing to read: only metadata was kept
            yield page, page.leased, capture

"""Read stored captures again with today's stages, offline: better text, new judgements, no revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.documents.captures import (
    IsStale,
    StoredPage,
    event_profiles,
    iter_pages,
)
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import StoreError
from aidivide_archive.ingest.reading import Reading, extraction_version, judgement_version
from aidivide_archive.ingest.service import Ingest, document
from aidivide_archive.model import Stored, UrlState
from aidivide_archive.warc.records import read_capture

_IN_FLIGHT = 16
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


def reprocess(
    location: Location,
    *,
    stale: bool = False,
    wait: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ReprocessSummary:
    """Read every page's capture again; with `stale`, only those that would be read differently. Raises ArchiveError.

    Stale is what another version of the stages made, or the same under other rules: those of the
    profile's relevance, of a source's paths, zone and language, or of the built-in site rules.

    `progress` is called with the number of pages read so far.
    """
    engine = read_engine(location)
    total = ReprocessSummary()
    try:
        with Archive(location, wait=wait) as archive, engine.connect() as connection:
            archive.begin("reprocess")
            for event_id, profile_json in event_profiles(connection).items():
                profile = Profile.from_json(profile_json) if profile_json else import_profile()
                is_stale = _stale_under(profile, event_id) if stale else None
                pages = iter_pages(connection, event_id, is_stale=is_stale)
                total = _reprocess_event(archive, profile, pages, total, progress)
            archive.settle().result()
            archive.finish("finished", {"read": total.read, "changed": total.changed})
    finally:
        engine.dispose()
    return total


def _stale_under(profile: Profile, event_id: str | None) -> IsStale:
    """Whether a page of a host was read by other versions than today's under the profile."""

    def is_stale(host: str, extracted: str | None, judged: str | None) -> bool:
        expected = extraction_version(profile, host)
        if extracted is not None and extracted != expected:
            return True
        # pages that were imported for no event are judged for none
        return event_id is not None and judged != judgement_version(profile, expected)

    return is_stale


def import_profile() -> Profile:
    """The profile of pages that were imported for no event: keeps everything, follows nothing."""
    return Profile.model_validate(
        {"schema": 1, "event": {"id": "import", "title": "Imported pages"}}
    )


def _reprocess_event(
    archive: Archive,
    profile: Profile,
    pages: Iterator[StoredPage],
    total: ReprocessSummary,
    progress: Callable[[int], None] | None,
) -> ReprocessSummary:
    ingest = Ingest(profile)
    read, changed, unchanged, failed = total.read, total.changed, total.unchanged, total.failed
    errors = list(total.errors)
    try:
        for page, found in _readings(archive, ingest, pages):
            read += 1
            if isinstance(found, StoreError) or found.outcome.state in _FAILED:
                failed += 1
                why = str(found) if isinstance(found, StoreError) else found.outcome.detail
                errors.append(f"{page.leased.url}: {why}")
            else:
                stored = archive.store_again(document(page.leased, found), page.capture_id)
                changed += stored in _CHANGED
                unchanged += stored not in _CHANGED
            if progress is not None:
                progress(read)
    finally:
        ingest.close()
    return ReprocessSummary(read, changed, unchanged, failed, tuple(errors))


def _readings(
    archive: Archive, ingest: Ingest, pages: Iterator[StoredPage]
) -> Iterator[tuple[StoredPage, Reading | StoreError]]:
    """Readings as they come back; a record that cannot be read is an error of that page alone."""
    waiting: dict[Future[Reading], StoredPage] = {}
    for page in pages:
        path = archive.location.warc_directory / page.warc_file
        try:
            capture = read_capture(path, page.warc_offset)
        except StoreError as error:
            yield page, error
            continue
        if capture.withheld_sha256 is not None:  # nothing to read: only its metadata was kept
            continue
        waiting[ingest.read(page.leased, capture)] = page
        if len(waiting) >= _IN_FLIGHT:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()
    for future in list(waiting):
        yield waiting[future], future.result()

"""One composition: a reading and its capture become the document that the archive stores in one transaction."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.ingest.admission import as_leased
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.model import (
    Capture,
    CaptureRecord,
    Discovery,
    Document,
    Extraction,
    LeasedUrl,
    Stored,
    WarcPosition,
    Withheld,
)
from aidivide_archive.rights import as_stored
from aidivide_archive.words import word_count

if TYPE_CHECKING:
    from aidivide_archive.archive import Archive


def compose(
    archive: Archive,
    leased: LeasedUrl,
    reading: Reading,
    capture: Capture | None = None,
    *,
    robots: dict[str, str] | None = None,
    now: datetime | None = None,
) -> Document:
    """The document of a reading; a capture is written to the run's WARC file first. Raises StoreError.

    Written after reading, because only the page may say that its body is not to be kept. Without `capture`
    nothing new is written: the URL gave no response, or its capture is in the archive already.
    `robots`: verdict and rule line that allowed the fetch. `now`: when the work ended, if not at this moment.
    """
    position = None
    if capture is not None:
        position = archive.write_capture(kept_capture(capture, reading))
    return document(leased, reading, capture=capture, position=position, robots=robots, now=now)


def store_foreign(
    archive: Archive,
    entered: Discovery,
    capture: Capture,
    reading: Reading,
    *,
    now: datetime | None = None,
) -> Future[Stored]:
    """Store a capture whose URL no run leased, and enter the URL into the ledger with it. Raises StoreError.

    For captures that another program made: `admission.foreign` makes the entry, `admission.as_leased` what
    `Ingest.read` asks for.
    """
    composed = compose(archive, as_leased(entered), reading, capture, now=now)
    return archive.commit_new(entered, composed)


def document(
    leased: LeasedUrl,
    reading: Reading,
    *,
    capture: Capture | None = None,
    position: WarcPosition | None = None,
    robots: dict[str, str] | None = None,
    now: datetime | None = None,
) -> Document:
    """Put a reading and its capture, written at a position, together."""
    crash_point("after_extract")
    record = None
    if capture is not None and position is not None:
        record = CaptureRecord(
            captured_at=capture.captured_at,
            status=capture.status,
            content_type=capture.header("content-type"),
            payload_sha256=hashlib.sha256(capture.body).hexdigest(),
            payload_bytes=len(capture.body),
            completeness=capture.completeness,
            position=position,
            ip_address=capture.ip_address,
            robots=robots,
            rights=as_stored(reading.statements, reading.withheld),
        )
    extraction = reading.extraction
    if extraction is not None and reading.withheld is not None:
        extraction = _without_text(extraction, reading.withheld)
    return Document(
        url_id=leased.id,
        url=leased.url,
        kind=leased.kind,
        outcome=reading.outcome,
        finished_at=now or datetime.now(UTC),
        capture=record,
        extraction=extraction,
        relevance=reading.relevance,
        signature=reading.signature,
        discoveries=reading.discoveries,
        fingerprint=reading.fingerprint,
    )


def kept_capture(capture: Capture, reading: Reading) -> Capture:
    """The capture as it is written to WARC: without its body when the page's rights are reserved."""
    if reading.withheld is None:
        return capture
    return replace(capture, body=b"", withheld_sha256=hashlib.sha256(capture.body).hexdigest())


def _without_text(extraction: Extraction, reason: str) -> Extraction:
    text = extraction.text
    digest = hashlib.sha256(text.encode()).hexdigest()
    withheld = Withheld(reason=reason, text_sha256=digest, word_count=word_count(text))
    return replace(extraction, text="", cuts=(), withheld=withheld)

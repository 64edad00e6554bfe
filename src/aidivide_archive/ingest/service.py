"""The service that composes the stages: captures go to the worker pool, documents come back for the archive."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime

from aidivide_archive.config import Profile
from aidivide_archive.ingest import reading
from aidivide_archive.ingest.reading import Reading, Response
from aidivide_archive.metadata import load_language_model
from aidivide_archive.model import (
    Capture,
    CaptureRecord,
    Document,
    LeasedUrl,
    Outcome,
    Reason,
    UrlState,
    WarcPosition,
)
from aidivide_archive.workers import WorkerFailure, WorkerPool

logger = logging.getLogger(__name__)

MAX_POISONED = 2
"""Tries for a document that breaks its worker."""


class Ingest:
    """Reads captures in worker processes under the profile's limits."""

    def __init__(self, profile: Profile, *, workers: int | None = None) -> None:
        self.profile = profile
        self._pool = WorkerPool(
            _read,
            start=_start,
            argument=profile.to_json(),
            preload=("aidivide_archive.ingest.reading",),
            count=workers,
            seconds=profile.limits.document_seconds,
        )

    def read(self, leased: LeasedUrl, capture: Capture) -> Future[Reading]:
        """Read a capture in a worker; the future never fails: what goes wrong is an outcome."""
        outer: Future[Reading] = Future()
        inner = self._pool.submit(response_of(capture), leased)

        def hand_over(done: Future[Reading]) -> None:
            if done.cancelled():
                outer.cancel()
                return
            error = done.exception()
            outer.set_result(done.result() if error is None else failed(leased, error))

        inner.add_done_callback(hand_over)
        return outer

    def close(self) -> None:
        self._pool.close()


def response_of(capture: Capture) -> Response:
    return Response(
        status=capture.status,
        body=capture.body,
        content_type=capture.header("content-type"),
        content_encoding=capture.header("content-encoding"),
        location=capture.header("location"),
        retry_after=capture.header("retry-after"),
        captured_at=capture.captured_at,
        completeness=capture.completeness,
    )


def failed(leased: LeasedUrl, error: BaseException) -> Reading:
    """The reading of a document that could not be read: poison, or a fault of ours."""
    if isinstance(error, WorkerFailure):
        last = leased.attempts + 1 >= MAX_POISONED
        state = UrlState.DEAD if last else UrlState.FAILED
        return Reading(outcome=Outcome(state=state, reason=Reason.POISON, detail=str(error)))
    logger.error("cannot read %s: %r", leased.url, error)
    detail = f"{type(error).__name__}: {error}"[:200]
    return Reading(outcome=Outcome(state=UrlState.FAILED, reason=Reason.INTERNAL, detail=detail))


def document(
    leased: LeasedUrl,
    found: Reading,
    *,
    capture: Capture | None = None,
    position: WarcPosition | None = None,
    robots: dict[str, str] | None = None,
    now: datetime | None = None,
) -> Document:
    """Put a reading and its capture together for the archive; `now` is only for tests."""
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
            rights=_rights(capture),
        )
    return Document(
        url_id=leased.id,
        url=leased.url,
        kind=leased.kind,
        outcome=found.outcome,
        finished_at=now or datetime.now(UTC),
        capture=record,
        extraction=found.extraction,
        relevance=found.relevance,
        signature=found.signature,
        discoveries=found.discoveries,
        fingerprint=found.fingerprint,
    )


def _rights(capture: Capture) -> dict[str, str] | None:
    names = ("x-robots-tag", "tdm-reservation", "tdm-policy", "license")
    found = {name: value[:500] for name in names if (value := capture.header(name))}
    return found or None


# --- inside a worker -----------------------------------------------------------------------------

_profile: Profile | None = None


def _start(profile_json: str) -> None:
    global _profile
    with suppress(OSError):  # a full disk: pages that declare no language will fail, and say why
        load_language_model()
    _profile = Profile.from_json(profile_json)


def _read(response: Response, leased: LeasedUrl) -> Reading:
    assert _profile is not None
    return reading.read(response, leased, _profile)

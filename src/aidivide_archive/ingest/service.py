"""The service that composes the stages: captures go to the worker pool, documents come back for the archive."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from aidivide_archive.config import Profile
from aidivide_archive.crash_points import crash_point
from aidivide_archive.ingest import PRELOAD, reading
from aidivide_archive.ingest.reading import Reading, Response
from aidivide_archive.metadata import load_language_model
from aidivide_archive.model import (
    Capture,
    CaptureRecord,
    Document,
    Extraction,
    LeasedUrl,
    Outcome,
    Reason,
    UrlKind,
    UrlState,
    WarcPosition,
    Withheld,
)
from aidivide_archive.rights import Statement, as_stored, header_statements
from aidivide_archive.similarity import load_permutations
from aidivide_archive.words import word_count
from aidivide_archive.workers import TRIES, Starter, WorkerFailure, WorkerPool

logger = logging.getLogger(__name__)


class Ingest:
    """Reads captures in worker processes under the profile's limits."""

    def __init__(
        self, profile: Profile, *, workers: int | None = None, starter: Starter | None = None
    ) -> None:
        """`starter`: one that was begun with PRELOAD, to be used up."""
        self.profile = profile
        self._pool = WorkerPool(
            _read,
            start=_start,
            argument=profile.to_json(),
            preload=PRELOAD,
            count=workers,
            seconds=profile.limits.document_seconds,
            starter=starter,
        )

    def read(
        self, leased: LeasedUrl, capture: Capture, *, site_statements: tuple[Statement, ...] = ()
    ) -> Future[Reading]:
        """Read a capture in a worker; the future never fails: what goes wrong is an outcome.

        `site_statements`: what the site's tdmrep.json says about this URL.
        """
        outer: Future[Reading] = Future()
        submit = self._pool.submit_long if leased.kind.is_long else self._pool.submit
        inner = submit(response_of(capture, site_statements), leased)

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


def response_of(capture: Capture, site_statements: tuple[Statement, ...] = ()) -> Response:
    return Response(
        status=capture.status,
        body=capture.body,
        content_type=capture.header("content-type"),
        content_encoding=capture.header("content-encoding"),
        location=capture.header("location"),
        retry_after=capture.header("retry-after"),
        captured_at=capture.captured_at,
        completeness=capture.completeness,
        statements=(*header_statements(capture.headers), *site_statements),
    )


def failed(leased: LeasedUrl, error: BaseException) -> Reading:
    """The reading of a document that could not be read: poison, or a fault of ours."""
    if isinstance(error, WorkerFailure):
        state = UrlState.DEAD if error.tries >= TRIES else UrlState.FAILED
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
            rights=as_stored(found.statements, found.withheld),
        )
    extraction = found.extraction
    if extraction is not None and found.withheld is not None:
        extraction = _without_text(extraction, found.withheld)
    return Document(
        url_id=leased.id,
        url=leased.url,
        kind=leased.kind,
        outcome=found.outcome,
        finished_at=now or datetime.now(UTC),
        capture=record,
        extraction=extraction,
        relevance=found.relevance,
        signature=found.signature,
        discoveries=found.discoveries,
        fingerprint=found.fingerprint,
    )


def kept_capture(capture: Capture, found: Reading) -> Capture:
    """The capture as it is written to WARC: without its body when the page's rights are reserved."""
    if found.withheld is None:
        return capture
    return replace(capture, body=b"", withheld_sha256=hashlib.sha256(capture.body).hexdigest())


def _without_text(extraction: Extraction, reason: str) -> Extraction:
    text = extraction.text
    digest = hashlib.sha256(text.encode()).hexdigest()
    withheld = Withheld(reason=reason, text_sha256=digest, word_count=word_count(text))
    return replace(extraction, text="", cuts=(), withheld=withheld)


# --- inside a worker -----------------------------------------------------------------------------

_profile: Profile | None = None


def _start(profile_json: str) -> None:
    """Load and use once what reading needs, before workers are forked: a new one reads its first pages as fast as any."""
    global _profile
    load_permutations()
    _profile = Profile.from_json(profile_json)
    with suppress(OSError):  # a full disk: pages that declare no language will fail, and say why
        load_language_model()
        for text in _REHEARSAL:
            _rehearse(text, _profile)


_PAGE = """<!doctype html><html><head><title>A rehearsal</title>
<meta property="article:published_time" content="2025-07-27T08:00:00+08:00">
<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "A rehearsal", "author": "A Writer"}}</script>
</head><body><nav><a href="/news">News</a></nav><article><h1>A rehearsal</h1><p class="byline">By A Writer</p>
{paragraphs}</article><footer><a href="/about">About</a></footer></body></html>"""
_REHEARSAL = (
    ("Nobody will ever read this page. It is read so that the next one is read faster.",) * 12,
    ("这一页没有人会看。读它只是为了让下一页读得更快，读起来更省时间。",) * 12,
    ("Too little for an article.",),  # then the other extractors are asked as well
)
"""Paragraphs of pages that stand for all: one in words, one in characters, one without enough text."""


def _rehearse(paragraphs: tuple[str, ...], profile: Profile) -> None:
    # numbered, because what is said twice counts once
    marked = "".join(f"<p>{number}. {one}</p>" for number, one in enumerate(paragraphs, 1))
    body = _PAGE.format(paragraphs=marked)
    moment = datetime(2025, 7, 27, tzinfo=UTC)
    url = "https://rehearsal.invalid/news/1"
    capture = Capture(
        url=url,
        captured_at=moment,
        status=200,
        headers=(("Content-Type", "text/html"),),
        body=body.encode(),
    )
    leased = LeasedUrl(
        id=0,
        url=url,
        host="rehearsal.invalid",
        kind=UrlKind.PAGE,
        depth=0,
        redirects=0,
        attempts=0,
    )
    reading.read(response_of(capture), leased, profile)


def _read(response: Response, leased: LeasedUrl) -> Reading:
    assert _profile is not None
    return reading.read(response, leased, _profile)

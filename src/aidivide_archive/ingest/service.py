"""The service that reads: captures go to a pool of worker processes, readings come back."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from aidivide_archive.config import Profile
from aidivide_archive.ingest import PRELOAD, reading
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.metadata import load_language_model
from aidivide_archive.model import Capture, LeasedUrl, Outcome, Reason, UrlKind, UrlState
from aidivide_archive.rights import Statement
from aidivide_archive.similarity import load_permutations
from aidivide_archive.workers import TRIES, Starter, WorkerFailure, WorkerPool

logger = logging.getLogger(__name__)


class Ingest:
    """Reads captures in worker processes under the profile's limits; to be closed.

    What is stored of a reading is put together by `composing`.
    """

    def __init__(
        self,
        profile: Profile | None,
        *,
        workers: int | None = None,
        starter: Starter | None = None,
    ) -> None:
        """`profile`: None for pages of no event, which are not judged; they keep everything.

        `starter`: one that was begun with PRELOAD, to be used up.
        """
        self.profile = profile or import_profile()
        self._is_judging = profile is not None
        self._pool = WorkerPool(
            _read,
            start=_start,
            argument=self.profile.to_json(),
            preload=PRELOAD,
            count=workers,
            seconds=self.profile.limits.document_seconds,
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
        inner = submit(capture, leased, site_statements)

        def hand_over(done: Future[Reading]) -> None:
            if done.cancelled():
                outer.cancel()
                return
            error = done.exception()
            result = done.result() if error is None else failed(leased, error)
            outer.set_result(result if self._is_judging else unjudged(result))

        inner.add_done_callback(hand_over)
        return outer

    def close(self) -> None:
        self._pool.close()


def import_profile() -> Profile:
    """The profile of pages that belong to no event: keeps everything, follows nothing."""
    return Profile.model_validate(
        {"schema": 1, "event": {"id": "import", "title": "Imported pages"}}
    )


def unjudged(reading: Reading) -> Reading:
    """The reading of a page of no event: what it is was read, what it is about was not judged."""
    outcome = reading.outcome
    if outcome.state is UrlState.DONE:
        outcome = replace(outcome, reason=Reason.IMPORTED)
    return replace(reading, outcome=outcome, relevance=None)


def failed(leased: LeasedUrl, error: BaseException) -> Reading:
    """The reading of a document that could not be read: poison, or a fault of ours."""
    if isinstance(error, WorkerFailure):
        state = UrlState.DEAD if error.tries >= TRIES else UrlState.FAILED
        return Reading(outcome=Outcome(state=state, reason=Reason.POISON, detail=str(error)))
    logger.error("cannot read %s: %r", leased.url, error)
    detail = f"{type(error).__name__}: {error}"[:200]
    return Reading(outcome=Outcome(state=UrlState.FAILED, reason=Reason.INTERNAL, detail=detail))


# --- inside a worker -----------------------------------------------------------------------------

_profile: Profile | None = None


def _start(profile_json: str) -> None:
    """Load and use once what reading needs, before workers are forked: a new one reads its first page as fast as any."""
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
    marked = "".join(f"<p>{number}. {text}</p>" for number, text in enumerate(paragraphs, 1))
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
    reading.read(capture, leased, profile)


def _read(capture: Capture, leased: LeasedUrl, site_statements: tuple[Statement, ...]) -> Reading:
    assert _profile is not None
    return reading.read(capture, leased, _profile, site_statements)

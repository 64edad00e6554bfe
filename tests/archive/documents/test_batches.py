"""Documents stored in one batch leave the same rows as documents stored one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, schema
from aidivide_archive.archive.documents import storing
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.model import (
    CaptureRecord,
    Channel,
    Completeness,
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    Relevance,
    RelevanceDecision,
    Stored,
    UrlKind,
    UrlState,
    WarcPosition,
)
from aidivide_archive.similarity import sign
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
HOSTS = ("one.example", "two.example")
TEXT = " ".join(f"word{number} of the long text about the harbour" for number in range(40))
KEPT = Outcome(state=UrlState.DONE, reason=Reason.KEPT)
# The numbers that a database gives, what hangs on them, and when a link was entered.
NUMBERED = {"id", "capture_id", "extraction_id", "first_seen_at", "seen_at", "due_at"}
TABLES = (
    "urls",
    "discoveries",
    "captures",
    "observations",
    "extractions",
    "articles",
    "revisions",
    "claims",
    "relevance",
    "signatures",
    "bands",
    "sketch",
    "matches",
    "hosts",
)


def page(number: int, **changes: Any) -> Document:
    url = f"https://{HOSTS[number % 2]}/{number}"
    found = discovery(url, kind=UrlKind.PAGE, channel=Channel.SEED)
    document = Document(
        url_id=found.id,
        url=url,
        outcome=KEPT,
        finished_at=NOW + timedelta(seconds=number),
        capture=CaptureRecord(
            captured_at=NOW,
            status=200,
            content_type="text/html",
            payload_sha256=f"{number:064x}",
            payload_bytes=10,
            completeness=Completeness.COMPLETE,
            position=WarcPosition(file="x", offset=100 * number, length=50),
        ),
    )
    return replace(document, **changes)


def article(number: int, text: str, **changes: Any) -> Document:
    return page(
        number,
        extraction=Extraction(
            version="1", page_kind=PageKind.ARTICLE, text=text, metadata=Metadata(title="A title")
        ),
        signature=sign(text),
        relevance=Relevance(
            event_id=filled.EVENT,
            score=7,
            decision=RelevanceDecision.KEEP,
            reason=Reason.KEPT,
            groups=(),
            version="1",
        ),
        **changes,
    )


def link(url: str, channel: Channel, from_id: int) -> Any:
    return discovery(url, kind=UrlKind.PAGE, channel=channel, depth=1, from_id=from_id)


def documents() -> list[Document]:
    """One of everything: copies, a rejection, failures, links that two pages share, a page seen twice."""
    first = article(1, TEXT)
    shared = "https://two.example/shared"
    return [
        replace(first, discoveries=(link(shared, Channel.LINK, first.url_id),)),
        article(2, TEXT.replace("word3 ", "another ")),
        page(3, outcome=Outcome(state=UrlState.REJECTED, reason=Reason.HUB)),
        page(4, outcome=Outcome(state=UrlState.FAILED, reason=Reason.TIMEOUT), capture=None),
        page(
            5,
            outcome=Outcome(state=UrlState.REJECTED, reason=Reason.REDIRECTED),
            discoveries=(link(shared, Channel.REDIRECT, 5),),
        ),
        page(
            6, outcome=Outcome(state=UrlState.REJECTED, reason=Reason.ROBOTS_DENIED), capture=None
        ),
        article(7, "", outcome=KEPT),
        article(1, TEXT + " And a later word."),
    ]


@contextmanager
def stored(engine: str, folder: Path, *, together: bool) -> Iterator[tuple[list[Stored], Any]]:
    with new_location(engine, folder) as location, Archive(location) as archive:
        archive.begin("crawl", filled.profile(), warc=True)
        found = [discovery(one.url, kind=UrlKind.PAGE, channel=Channel.SEED) for one in documents()]
        archive.discover(found).result()
        if together:
            results = archive.submit(lambda c: storing.store(c, archive.run, documents())).result()
        else:
            results = [
                archive.submit(lambda c, one=one: storing.store(c, archive.run, [one])).result()[0]
                for one in documents()
            ]
        yield list(results), archive.submit(rows).result()


def rows(connection: sa.Connection) -> dict[str, list[str]]:
    found = {}
    for name in TABLES:
        table = schema.metadata.tables[name]
        columns = [c for c in table.c if c.name not in NUMBERED]
        found[name] = sorted(
            repr({c.name: value for c, value in zip(columns, row, strict=True)})
            for row in connection.execute(sa.select(*columns))
        )
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_leaves_the_same_rows_as_its_documents_one_by_one(engine: str, tmp_path: Path):
    with stored(engine, tmp_path / "a", together=True) as (results, together):
        pass
    with stored(engine, tmp_path / "b", together=False) as (expected, alone):
        pass
    assert results == expected
    assert results[0] is Stored.NEW
    assert results[-1] is Stored.REVISED
    assert together == alone
    assert len(together["matches"]) == 1

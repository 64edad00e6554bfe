"""Store ready articles in batches: the fast path, one sorted bulk insert a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from aidivide_archive import frontier
from aidivide_archive.archive import documents, full_text, matching
from aidivide_archive.archive.documents import Run
from aidivide_archive.crash_points import crash_point
from aidivide_archive.model import Channel, Discovery, Document, Stored, UrlKind
from aidivide_archive.schema import (
    articles,
    claims,
    extractions,
    observations,
    relevance,
    revisions,
    urls,
)
from aidivide_archive.urls import host_of, site, url_key


def store_batch(connection: sa.Connection, run: Run, batch: Sequence[Document]) -> list[Stored]:
    """Store ready articles; the result is parallel to `batch`. Known ones are compared, not doubled.

    Of several documents with one URL in a batch, the later ones count as changes of the first.
    """
    _enter_urls(connection, run, batch)
    ids = [one.url_id for one in batch]
    known = set(connection.scalars(sa.select(articles.c.id).where(articles.c.id.in_(ids))))
    purged = frontier.purged(connection, ids)
    fresh: dict[int, Document] = {}
    for one in batch:
        if one.url_id not in known and one.url_id not in purged:
            fresh.setdefault(one.url_id, one)
    if fresh:
        _insert_new(connection, run, [fresh[key] for key in sorted(fresh)])
        crash_point("in_import_batch")
    return [
        Stored.NOT_ARTICLE
        if one.url_id in purged
        else Stored.NEW
        if fresh.get(one.url_id) is one
        else documents.store(connection, run, one)
        for one in batch
    ]


def _enter_urls(connection: sa.Connection, run: Run, batch: Sequence[Document]) -> None:
    found = [
        Discovery(
            id=one.url_id,
            url=one.url,
            url_key=url_key(one.url),
            host=host_of(one.url),
            site=site(one.url),
            kind=UrlKind.PAGE,
            channel=Channel.IMPORT,
            depth=0,
        )
        for one in batch
    ]
    now = batch[0].finished_at
    frontier.discover(connection, found, crawl_id=run.crawl_id, event_id=run.event_id, now=now)


def _insert_new(connection: sa.Connection, run: Run, new: Sequence[Document]) -> None:
    """All rows of articles that are not there yet, in id order."""
    extraction_rows = _insert_extractions(connection, new)
    article_rows: list[dict[str, Any]] = []
    revision_rows: list[dict[str, Any]] = []
    claim_rows: list[dict[str, Any]] = []
    seen_rows: list[dict[str, Any]] = []
    for one, measured in zip(new, extraction_rows, strict=True):
        extraction_id = measured["id"]
        extraction = one.extraction
        assert extraction is not None
        row = documents.article_row(one.url, extraction_id, extraction, 1, measured)
        article_rows.append({"id": one.url_id, "captured_at": one.finished_at, **row})
        revision_rows.append(
            {
                "article_id": one.url_id,
                "number": 1,
                "extraction_id": extraction_id,
                "text_sha256": row["text_sha256"],
                "title": row["title"],
                "seen_at": one.finished_at,
            }
        )
        claim_rows.extend(documents.claim_rows(extraction_id, extraction.metadata))
        seen_rows.append(
            {
                "url_id": one.url_id,
                "crawl_id": run.crawl_id,
                "observed_at": one.finished_at,
                "outcome": Stored.NEW,
            }
        )
    for table, rows in (
        (articles, article_rows),
        (revisions, revision_rows),
        (claims, claim_rows),
        (observations, seen_rows),
        (relevance, [documents.relevance_row(one) for one in new if one.relevance]),
    ):
        if rows:
            connection.execute(sa.insert(table), rows)
    matching.insert_signatures(
        connection, [(one.url_id, one.signature) for one in new if one.signature]
    )
    full_text.insert_many(
        connection,
        [
            (one.url_id, one.extraction.metadata.title or "", one.extraction.text)
            for one in new
            if one.extraction
        ],
    )
    _acknowledge(connection, new)


def _insert_extractions(connection: sa.Connection, new: Sequence[Document]) -> list[dict[str, Any]]:
    """Insert and return the rows, in the order of `new`."""
    numbers = _next_numbers(connection, len(new))
    rows: list[dict[str, Any]] = []
    for number, one in zip(numbers, new, strict=True):
        extraction = one.extraction
        assert extraction is not None
        row = documents.extraction_row(one.url_id, extraction, None, one.finished_at)
        rows.append({"id": number, **row})
    connection.execute(sa.insert(extractions), rows)
    return rows


def _next_numbers(connection: sa.Connection, count: int) -> list[int]:
    """Numbers for new extractions, known before the rows are written."""
    if connection.dialect.name == "postgresql":  # other processes insert too
        drawn = "SELECT nextval('extractions_id_seq') FROM generate_series(1, :count)"
        return sorted(connection.scalars(sa.text(drawn), {"count": count}))
    last = connection.scalar(sa.select(sa.func.max(extractions.c.id))) or 0
    return list(range(last + 1, last + 1 + count))


def _acknowledge(connection: sa.Connection, new: Sequence[Document]) -> None:
    connection.execute(
        sa.update(urls)
        .where(urls.c.id == sa.bindparam("url_id"))
        .values(
            state=sa.bindparam("new_state"),
            reason=sa.bindparam("new_reason"),
            due_at=None,
            leased_by=None,
            attempts=0,
            finished_at=sa.bindparam("now"),
        ),
        [
            {
                "url_id": one.url_id,
                "new_state": one.outcome.state,
                "new_reason": one.outcome.reason,
                "now": one.finished_at,
            }
            for one in new
        ],
    )

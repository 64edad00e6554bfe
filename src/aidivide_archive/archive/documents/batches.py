"""Store many documents at once: one sorted bulk statement a table instead of thirty for each document.

Documents of URLs that have no article yet come in bulk; a visit of a known article, and a page that belongs to
another one's article, is compared with what is there (`storing.store`), one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents import full_text, matching, outlets, storing
from aidivide_archive.archive.documents.storing import Run
from aidivide_archive.archive.ledger import frontier
from aidivide_archive.archive.schema import (
    articles,
    captures,
    claims,
    extractions,
    observations,
    relevance,
    revisions,
)
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.crash_points import crash_point
from aidivide_archive.model import Document, Extraction, Stored, UrlState


def store(
    connection: sa.Connection, run: Run, batch: Sequence[Document], *, compare: bool = True
) -> list[Stored]:
    """Store documents and acknowledge their URLs; the result is parallel to `batch`.

    Of several documents with one URL, the later ones count as visits of what the first gave. Without `compare`,
    articles get neither bands nor provisional matches: settling makes them.
    """
    ids = [one.url_id for one in batch]
    known = set(connection.scalars(sa.select(articles.c.id).where(articles.c.id.in_(ids))))
    first: dict[int, Document] = {}
    for one in batch:
        # a page of several is compared with what was attached or held before
        is_part = one.extraction is not None and storing.is_part(one.extraction)
        if one.url_id not in known and not is_part:
            first.setdefault(one.url_id, one)
    fresh = [first[url_id] for url_id in sorted(first)]
    stored: dict[int, Stored] = {}
    if fresh:
        _store_fresh(connection, run, fresh, compare=compare)
    for one in fresh:
        stored[id(one)] = Stored.NOT_ARTICLE if article_of(one) is None else Stored.NEW
    return [
        stored[id(one)] if id(one) in stored else storing.store(connection, run, one)
        for one in batch
    ]


def article_of(document: Document) -> Extraction | None:
    """What becomes an article; None when the document is none."""
    return document.extraction if document.outcome.state is UrlState.DONE else None


def _store_fresh(
    connection: sa.Connection, run: Run, fresh: Sequence[Document], *, compare: bool
) -> None:
    """All rows of documents whose URLs have no article, in id order."""
    capture_ids = _insert_captures(connection, run, fresh)
    _upsert_relevance(connection, fresh)
    new = [one for one in fresh if article_of(one) is not None]
    if new:
        _insert_articles(connection, new, capture_ids)
        signed = [(one.url_id, one.signature) for one in new if one.signature]
        matching.insert_signatures(connection, signed)
        if compare:
            matching.index(connection, signed)
            for url_id, signature in signed:
                matching.link(connection, url_id, signature, is_new=True)
    storing.count_pages(connection, run, fresh)
    crash_point("in_document")
    frontier.discover(
        connection,
        [found for one in fresh for found in one.discoveries],
        crawl_id=run.crawl_id,
        event_id=run.event_id,
        now=max(one.finished_at for one in fresh),
    )
    frontier.acknowledge_all(
        connection,
        [
            frontier.Acknowledgement(
                one.url_id, one.outcome, one.finished_at, storing.was_requested(run, one)
            )
            for one in fresh
        ],
    )
    connection.execute(
        sa.insert(observations),
        [
            {
                "url_id": one.url_id,
                "crawl_id": run.crawl_id,
                "capture_id": capture_ids.get(one.url_id),
                "observed_at": one.finished_at,
                "outcome": one.outcome.reason if article_of(one) is None else Stored.NEW,
                "detail": one.outcome.detail,
            }
            for one in fresh
        ],
    )


def _insert_captures(
    connection: sa.Connection, run: Run, fresh: Sequence[Document]
) -> dict[int, int]:
    """Numbers of the captures by URL id."""
    captured = [(one.url_id, one.capture) for one in fresh if one.capture is not None]
    if not captured:
        return {}
    numbers = _next_numbers(connection, captures, len(captured))
    connection.execute(
        sa.insert(captures),
        [
            {"id": number, **storing.capture_row(run, url_id, capture)}
            for number, (url_id, capture) in zip(numbers, captured, strict=True)
        ],
    )
    storing.note_committed_bytes(connection, run, [capture for _, capture in captured])
    return {url_id: number for number, (url_id, _) in zip(numbers, captured, strict=True)}


def _upsert_relevance(connection: sa.Connection, fresh: Sequence[Document]) -> None:
    rows = [storing.relevance_row(one) for one in fresh if one.relevance is not None]
    if not rows:
        return
    statement = upsert(connection, relevance)
    key = ["url_id", "event_id"]
    values = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values), rows)


def _insert_articles(
    connection: sa.Connection, new: Sequence[Document], capture_ids: dict[int, int]
) -> None:
    numbers = _next_numbers(connection, extractions, len(new))
    extraction_rows: list[dict[str, Any]] = []
    article_rows: list[dict[str, Any]] = []
    revision_rows: list[dict[str, Any]] = []
    claim_rows: list[dict[str, Any]] = []
    entries: list[tuple[int, str, str]] = []
    for number, one in zip(numbers, new, strict=True):
        extraction = article_of(one)
        assert extraction is not None
        measured = storing.extraction_row(
            one.url_id, extraction, capture_ids.get(one.url_id), one.finished_at
        )
        extraction_rows.append({"id": number, **measured})
        seen_at = one.capture.captured_at if one.capture else one.finished_at
        row = storing.article_row(one.url, number, extraction, 1, measured)
        article_rows.append({"id": one.url_id, "captured_at": seen_at, **row})
        revision_rows.append(
            {
                "article_id": one.url_id,
                "number": 1,
                "extraction_id": number,
                "text_sha256": row["text_sha256"],
                "title": row["title"],
                "seen_at": seen_at,
            }
        )
        claim_rows.extend(storing.claim_rows(number, extraction.metadata))
        entries.append((one.url_id, extraction.metadata.title or "", extraction.text))
    for table, rows in (
        (extractions, extraction_rows),
        (articles, article_rows),
        (revisions, revision_rows),
        (claims, claim_rows),
    ):
        if rows:
            connection.execute(sa.insert(table), rows)
    outlets.name_hosts(connection, [row["host"] for row in article_rows])
    full_text.insert_many(connection, entries)


def _next_numbers(connection: sa.Connection, table: sa.Table, count: int) -> list[int]:
    """Numbers for new rows, known before they are written."""
    if connection.dialect.name == "postgresql":  # other processes insert too
        drawn = "SELECT nextval(:sequence) FROM generate_series(1, :count)"
        values = {"sequence": f"{table.name}_id_seq", "count": count}
        return sorted(connection.scalars(sa.text(drawn), values))
    last = connection.scalar(sa.select(sa.func.max(table.c.id))) or 0
    return list(range(last + 1, last + 1 + count))

"""Store documents and acknowledge their URLs, all on the caller's transaction. One document is a batch of one.

A batch is a few sorted statements a table, whatever its documents are: visits of new pages and of known articles, later
pages of an article, failures. Of several documents with one URL, each is a visit of what the one before it left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import sqlalchemy as sa

from aidivide_archive.archive.documents import derived, matching
from aidivide_archive.archive.documents.article_writing import (
    ArticleToWrite,
    hold_part,
    is_part,
    write_articles,
)
from aidivide_archive.archive.documents.rows import capture_row, relevance_row, text_digest
from aidivide_archive.archive.ledger import budgets, entering
from aidivide_archive.archive.ledger.endings import MAX_ATTEMPTS, Acknowledgement, acknowledge
from aidivide_archive.archive.ledger.runs import Run
from aidivide_archive.archive.schema import (
    captures,
    observations,
    relevance,
    urls,
    warc_files,
)
from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.archive.storage.dialects import next_numbers, upsert
from aidivide_archive.model import (
    Discovery,
    Document,
    Extraction,
    Outcome,
    Reason,
    Stored,
    UrlKind,
    UrlState,
)
from aidivide_archive.urls import host_of

T = TypeVar("T")

_NOT_REQUESTED = (
    Reason.ROBOTS_DENIED,
    Reason.ROBOTS_UNAVAILABLE,
    Reason.CRAWL_DELAY,
    Reason.ADDRESS_REFUSED,
)


def store(
    connection: sa.Connection, run: Run, batch: Sequence[Document], *, compare: bool = True
) -> list[Stored]:
    """Store documents whose URLs are in the ledger; the result is parallel to `batch`.

    Without `compare`, articles get neither bands nor provisional matches: settling makes them.
    """
    visits: dict[int, int] = defaultdict(int)
    rounds: dict[int, list[int]] = defaultdict(list)
    for place, document in enumerate(batch):
        rounds[visits[document.url_id]].append(place)
        visits[document.url_id] += 1
    stored: dict[int, Stored] = {}
    for places in rounds.values():
        ordered = sorted(places, key=lambda place: batch[place].url_id)
        results = _store_different(connection, run, [batch[place] for place in ordered], compare)
        stored.update(zip(ordered, results, strict=True))
    return [stored[place] for place in range(len(batch))]


def store_unleased(
    connection: sa.Connection,
    run: Run,
    entries: Sequence[tuple[Discovery, Document]],
    *,
    compare: bool = True,
) -> list[Stored]:
    """Enter URLs that no run leased, and store their documents; the result is parallel to `entries`.

    What was purged stays out.
    """
    entering.discover(
        connection,
        [discovery for discovery, _ in entries],
        crawl_id=run.crawl_id,
        event_id=run.event_id,
        now=entries[0][1].finished_at,
    )
    documents = [document for _, document in entries]
    purged = entering.purged(connection, [document.url_id for document in documents])
    wanted = [document for document in documents if document.url_id not in purged]
    results = iter(store(connection, run, wanted, compare=compare) if wanted else ())
    return [
        Stored.NOT_ARTICLE if document.url_id in purged else next(results) for document in documents
    ]


# --- one round: documents of different URLs, by id ------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """What the archive holds of the URLs of a round."""

    articles: Mapping[int, derived.Shown]
    reasons: Mapping[int, str | None]
    """The ledger's reason of the URLs whose document is a page of another one's article."""
    attempts: Mapping[int, int]
    """Failed fetches of the articles that this visit did not find."""
    judged: Mapping[int, str]
    """Reason of the judgement on those."""


def _store_different(
    connection: sa.Connection, run: Run, documents: Sequence[Document], compare: bool
) -> list[Stored]:
    known = _known(connection, documents)
    capture_ids = _insert_captures(connection, run, documents)
    documents = [_still_attached(document, known) for document in documents]
    outcomes = {document.url_id: _outcome_kept(document, known) for document in documents}
    # of a page that stays although this visit failed: the judgement of its good revision
    write_relevance(
        connection,
        documents,
        keep={
            document.url_id
            for document in documents
            if outcomes[document.url_id] is not document.outcome
        },
    )
    stored = {document.url_id: _stored(document, known) for document in documents}
    write_articles(
        connection,
        [
            _to_write(document, known, capture_ids.get(document.url_id))
            for document in documents
            if stored[document.url_id] in (Stored.NEW, Stored.REVISED)
        ],
    )
    for document in documents:
        if document.extraction is not None and _is_held(document, document.extraction):
            hold_part(connection, document, capture_ids.get(document.url_id))
    if compare:
        _compare(connection, documents, stored)
    _count_pages(connection, run, documents)
    crash_point("in_document")
    entering.discover(
        connection,
        [discovery for document in documents for discovery in document.discoveries],
        crawl_id=run.crawl_id,
        event_id=run.event_id,
        now=max(document.finished_at for document in documents),
    )
    acknowledge(
        connection,
        [
            Acknowledgement(
                document.url_id,
                outcomes[document.url_id],
                document.finished_at,
                was_requested=run.is_crawl and document.outcome.reason not in _NOT_REQUESTED,
            )
            for document in documents
        ],
    )
    _observe(connection, run, documents, capture_ids, stored)
    return [stored[document.url_id] for document in documents]


def _known(connection: sa.Connection, documents: Sequence[Document]) -> _Known:
    shown = derived.shown(connection, [document.url_id for document in documents])
    parts = [
        document.url_id
        for document in documents
        if document.extraction and is_part(document.extraction)
    ]
    missed = [
        document.url_id
        for document in documents
        if document.url_id in shown and document.outcome.state is not UrlState.DONE
    ]
    return _Known(
        articles=shown,
        reasons=_by_id(connection, urls.c.id, urls.c.reason, parts),
        attempts=_by_id(connection, urls.c.id, urls.c.attempts, missed),
        judged=_by_id(connection, relevance.c.url_id, relevance.c.reason, missed),
    )


def _by_id(
    connection: sa.Connection, key: sa.Column[int], value: sa.Column[T], ids: Sequence[int]
) -> dict[int, T]:
    """One column of some rows, by their ids; asks nothing when there are none."""
    if not ids:
        return {}
    rows = connection.execute(sa.select(key, value).where(key.in_(ids)))
    return {row[0]: row[1] for row in rows}


def _still_attached(document: Document, known: _Known) -> Document:
    """A page that settling attached to an article does not become one again by a later visit."""
    extraction = document.extraction
    reason = known.reasons.get(document.url_id)
    if extraction is None or extraction.part is None or not is_part(extraction):
        return document
    if reason not in (Reason.CONTINUATION, Reason.AMP):
        return document
    detail = f"part of {extraction.part.first_url}"
    outcome = Outcome(state=UrlState.REJECTED, reason=Reason(reason), detail=detail)
    return replace(document, outcome=outcome)


def _outcome_kept(document: Document, known: _Known) -> Outcome:
    """A later failure or rejection never takes an article out of the archive: it stays `done`.

    A failure is tried again first, as any other.
    """
    outcome = document.outcome
    if outcome.state is UrlState.DONE or outcome.reason is Reason.PURGED:
        return outcome
    if document.url_id not in known.articles:
        return outcome
    if outcome.state is UrlState.FAILED and known.attempts[document.url_id] + 1 < MAX_ATTEMPTS:
        return outcome
    judged = known.judged.get(document.url_id)
    kept = Reason(judged) if judged in (Reason.KEPT, Reason.REVIEW) else Reason.KEPT
    return Outcome(state=UrlState.DONE, reason=kept, detail=f"last visit: {outcome.reason.value}")


def _stored(document: Document, known: _Known) -> Stored:
    """What becomes of the article, if the document is one."""
    extraction = document.extraction
    if extraction is None or document.outcome.state is not UrlState.DONE:
        return Stored.NOT_ARTICLE
    before = known.articles.get(document.url_id)
    if before is None:
        return Stored.NEW
    if before.text_sha256 == text_digest(extraction) and before.title == extraction.metadata.title:
        return Stored.UNCHANGED
    return Stored.REVISED if before.version == extraction.version else Stored.UNVERIFIED


def _to_write(document: Document, known: _Known, capture_id: int | None) -> ArticleToWrite:
    before = known.articles.get(document.url_id)
    return ArticleToWrite(
        document=document,
        capture_id=capture_id,
        revision=1 if before is None else before.revision + 1,
        seen_at=document.capture.captured_at if document.capture else document.finished_at,
        before=before,
    )


def _compare(
    connection: sa.Connection, documents: Sequence[Document], stored: Mapping[int, Stored]
) -> None:
    """Enter new texts into the bands and sketches, and match them with what is there."""
    written = [
        document
        for document in documents
        if stored[document.url_id] in (Stored.NEW, Stored.REVISED)
    ]
    signed = [(document.url_id, document.signature) for document in written if document.signature]
    matching.index(connection, signed)
    for url_id, signature in signed:
        is_new = stored[url_id] is Stored.NEW
        matching.link(connection, url_id, signature, is_new=is_new)


def _is_held(document: Document, extraction: Extraction) -> bool:
    """Whether its text is kept for the article it may be joined to, though it is none by itself."""
    return document.outcome.state is not UrlState.DONE and is_part(extraction)


# --- rows beside the article ----------------------------------------------------------------------


def _insert_captures(
    connection: sa.Connection, run: Run, documents: Sequence[Document]
) -> dict[int, int]:
    """Numbers of the captures by URL id; the run's WARC file now counts as far as they reach."""
    captured = [
        (document.url_id, document.capture)
        for document in documents
        if document.capture is not None
    ]
    if not captured:
        return {}
    numbers = next_numbers(connection, captures, len(captured))
    connection.execute(
        sa.insert(captures),
        [
            {"id": number, **capture_row(run, url_id, capture)}
            for number, (url_id, capture) in zip(numbers, captured, strict=True)
        ],
    )
    end = max(capture.position.offset + capture.position.length for _, capture in captured)
    connection.execute(
        sa.update(warc_files)
        .where(warc_files.c.id == run.warc_file_id, warc_files.c.committed_bytes < end)
        .values(committed_bytes=end)
    )
    return {url_id: number for number, (url_id, _) in zip(numbers, captured, strict=True)}


def write_relevance(
    connection: sa.Connection, documents: Sequence[Document], *, keep: Collection[int] = ()
) -> None:
    """Write the judgements on documents; where a URL of `keep` has one already, that one stays."""
    judged = [document for document in documents if document.relevance is not None]
    fresh = [relevance_row(document) for document in judged if document.url_id not in keep]
    if fresh:
        statement = upsert(connection, relevance)
        key = ["url_id", "event_id"]
        values = {name: statement.excluded[name] for name in fresh[0] if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values), fresh)
    rest = [relevance_row(document) for document in judged if document.url_id in keep]
    if rest:
        connection.execute(upsert(connection, relevance).on_conflict_do_nothing(), rest)


def _count_pages(connection: sa.Connection, run: Run, documents: Sequence[Document]) -> None:
    """Every page that came whole counts for the budget of its URL pattern."""
    if not run.is_crawl:
        return
    budgets.count_pages(
        connection,
        [
            budgets.FetchedPage(
                document.url_id, host_of(document.url), document.url, document.fingerprint
            )
            for document in documents
            if document.capture is not None and 200 <= document.capture.status < 300
            if document.kind is UrlKind.PAGE and document.outcome.state is not UrlState.FAILED
        ],
        barren_pages=run.barren_pages,
        now=max(document.finished_at for document in documents),
    )


def _observe(
    connection: sa.Connection,
    run: Run,
    documents: Sequence[Document],
    capture_ids: Mapping[int, int],
    stored: Mapping[int, Stored],
) -> None:
    """Note what each visit saw."""
    connection.execute(
        sa.insert(observations),
        [
            {
                "url_id": document.url_id,
                "crawl_id": run.crawl_id,
                "capture_id": capture_ids.get(document.url_id),
                "observed_at": document.finished_at,
                "outcome": document.outcome.reason
                if stored[document.url_id] is Stored.NOT_ARTICLE
                else stored[document.url_id],
                "detail": document.outcome.detail,
            }
            for document in documents
        ],
    )

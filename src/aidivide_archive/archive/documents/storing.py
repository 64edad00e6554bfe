"""Store one document: capture, extraction, article, revision, claims, relevance, links, acknowledgement."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents import derived, full_text, matching, outlets
from aidivide_archive.archive.ledger import budgets, frontier
from aidivide_archive.archive.schema import (
    articles,
    captures,
    claims,
    extractions,
    observations,
    relevance,
    revisions,
    urls,
    warc_files,
)
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.crash_points import crash_point
from aidivide_archive.model import (
    CaptureRecord,
    Cut,
    Document,
    Extraction,
    Metadata,
    Outcome,
    Reason,
    Stored,
    UrlKind,
    UrlState,
)
from aidivide_archive.urls import host_of, site


@dataclass(frozen=True, slots=True)
class Run:
    """The run that stores: its crawl row, its event, its open WARC file."""

    crawl_id: int
    event_id: str | None
    warc_file_id: int | None = None
    is_crawl: bool = False
    """Whether its documents were requested from their hosts."""
    barren_pages: int = 0
    """Limit of the profile for pages of one URL pattern without new content."""


_NOT_REQUESTED = (
    Reason.ROBOTS_DENIED,
    Reason.ROBOTS_UNAVAILABLE,
    Reason.CRAWL_DELAY,
    Reason.ADDRESS_REFUSED,
)


def store(connection: sa.Connection, run: Run, document: Document) -> Stored:
    """All rows of one document, and its acknowledgement, on the caller's transaction."""
    capture_id = _store_capture(connection, run, document)
    document = _still_attached(connection, document)
    stored = Stored.NOT_ARTICLE
    outcome = _outcome_kept(connection, document)
    if document.relevance is not None:  # of a page that stays: the judgement of its good revision
        _store_relevance(connection, document, overwrite=outcome is document.outcome)
    if document.extraction is not None and document.outcome.state is UrlState.DONE:
        stored = _store_article(connection, document, document.extraction, capture_id)
    elif document.extraction is not None and is_part(document.extraction):
        _hold(connection, document, document.extraction, capture_id)
    count_pages(connection, run, [document])
    crash_point("in_document")
    frontier.discover(
        connection,
        document.discoveries,
        crawl_id=run.crawl_id,
        event_id=run.event_id,
        now=document.finished_at,
    )
    frontier.acknowledge(
        connection,
        document.url_id,
        outcome,
        now=document.finished_at,
        was_requested=was_requested(run, document),
    )
    connection.execute(
        sa.insert(observations).values(
            url_id=document.url_id,
            crawl_id=run.crawl_id,
            capture_id=capture_id,
            observed_at=document.finished_at,
            outcome=document.outcome.reason if stored is Stored.NOT_ARTICLE else stored,
            detail=document.outcome.detail,
        )
    )
    return stored


def is_part(extraction: Extraction) -> bool:
    """Whether the page belongs to an article at another address, and may be joined to it."""
    return extraction.part is not None and extraction.part.first_url is not None


def _still_attached(connection: sa.Connection, document: Document) -> Document:
    """A page that settling attached to an article does not become one again by a later visit."""
    extraction = document.extraction
    if extraction is None or extraction.part is None or not is_part(extraction):
        return document
    reason = connection.scalar(sa.select(urls.c.reason).where(urls.c.id == document.url_id))
    if reason not in (Reason.CONTINUATION, Reason.AMP):
        return document
    detail = f"part of {extraction.part.first_url}"
    outcome = Outcome(state=UrlState.REJECTED, reason=Reason(reason), detail=detail)
    return replace(document, outcome=outcome)


def _hold(
    connection: sa.Connection, document: Document, extraction: Extraction, capture_id: int | None
) -> None:
    """Keep the text of a page that is no article by itself, for the article it may be joined to."""
    if capture_id is None:
        return
    rows = connection.execute(
        sa.select(
            extractions.c.capture_id,
            extractions.c.version,
            extractions.c.text_sha256,
            extractions.c.title,
        )
        .where(extractions.c.url_id == document.url_id, extractions.c.part.isnot(None))
        .order_by(extractions.c.id)
    ).all()
    known = [row for row in rows if not derived.is_derived(row.version)]
    if any((row.capture_id, row.version) == (capture_id, extraction.version) for row in known):
        return
    new = extraction_row(document.url_id, extraction, capture_id, document.finished_at)
    if known and all(
        new[name] == getattr(known[-1], name) for name in ("version", "text_sha256", "title")
    ):
        return
    insert_extraction(connection, document.url_id, extraction, capture_id, document.finished_at)


def count_pages(connection: sa.Connection, run: Run, stored: Sequence[Document]) -> None:
    """Every page that came whole counts for the budget of its URL pattern."""
    if not run.is_crawl:
        return
    budgets.count_pages(
        connection,
        [
            budgets.FetchedPage(one.url_id, host_of(one.url), one.url, one.fingerprint)
            for one in stored
            if one.capture is not None and 200 <= one.capture.status < 300
            if one.kind is UrlKind.PAGE and one.outcome.state is not UrlState.FAILED
        ],
        barren_pages=run.barren_pages,
        now=max(one.finished_at for one in stored),
    )


def was_requested(run: Run, document: Document) -> bool:
    """Whether the URL's host was asked for it."""
    return run.is_crawl and document.outcome.reason not in _NOT_REQUESTED


def _outcome_kept(connection: sa.Connection, document: Document) -> Outcome:
    """A later failure or rejection never takes an article out of the archive: it stays `done`.

    A failure is tried again first, as any other.
    """
    outcome = document.outcome
    if outcome.state is UrlState.DONE or outcome.reason is Reason.PURGED:
        return outcome
    attempts = connection.scalar(
        sa.select(urls.c.attempts)
        .join_from(urls, articles, articles.c.id == urls.c.id)
        .where(articles.c.id == document.url_id)
    )
    if attempts is None:  # no article
        return outcome
    if outcome.state is UrlState.FAILED and attempts + 1 < frontier.MAX_ATTEMPTS:
        return outcome
    row = connection.execute(
        sa.select(relevance.c.reason).where(relevance.c.url_id == document.url_id)
    ).first()
    kept = Reason(row.reason) if row and row.reason in (Reason.KEPT, Reason.REVIEW) else Reason.KEPT
    return Outcome(state=UrlState.DONE, reason=kept, detail=f"last visit: {outcome.reason.value}")


def _store_capture(connection: sa.Connection, run: Run, document: Document) -> int | None:
    capture = document.capture
    if capture is None:
        return None
    capture_id = connection.execute(
        sa.insert(captures)
        .values(capture_row(run, document.url_id, capture))
        .returning(captures.c.id)
    ).scalar_one()
    note_committed_bytes(connection, run, [capture])
    return int(capture_id)


def note_committed_bytes(
    connection: sa.Connection, run: Run, stored: Sequence[CaptureRecord]
) -> None:
    """Rows now point as far into the run's WARC file as these captures reach."""
    end = max(one.position.offset + one.position.length for one in stored)
    connection.execute(
        sa.update(warc_files)
        .where(warc_files.c.id == run.warc_file_id, warc_files.c.committed_bytes < end)
        .values(committed_bytes=end)
    )


def capture_row(run: Run, url_id: int, capture: CaptureRecord) -> dict[str, Any]:
    return {
        "url_id": url_id,
        "crawl_id": run.crawl_id,
        "captured_at": capture.captured_at,
        "status": capture.status,
        "content_type": capture.content_type,
        "payload_sha256": capture.payload_sha256,
        "payload_bytes": capture.payload_bytes,
        "completeness": capture.completeness,
        "warc_file_id": run.warc_file_id,
        "warc_offset": capture.position.offset,
        "warc_length": capture.position.length,
        "ip_address": capture.ip_address,
        "robots": capture.robots,
        "rights": capture.rights,
    }


def _store_relevance(
    connection: sa.Connection, document: Document, *, overwrite: bool = True
) -> None:
    values = relevance_row(document)
    key = ["url_id", "event_id"]
    statement = upsert(connection, relevance).values(values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_=values)
        if overwrite
        else statement.on_conflict_do_nothing()
    )


def relevance_row(document: Document) -> dict[str, Any]:
    """The row of a judged document; a rejected page keeps title and date there."""
    judged = document.relevance
    assert judged is not None
    metadata = document.extraction.metadata if document.extraction else Metadata()
    return {
        "url_id": document.url_id,
        "event_id": judged.event_id,
        "score": judged.score,
        "decision": judged.decision,
        "reason": judged.reason,
        "groups": [
            {"group": g.group, "words": list(g.words), "place": g.place, "points": g.points}
            for g in judged.groups
        ],
        "version": judged.version,
        "title": metadata.title,
        "published_from": metadata.published.start if metadata.published else None,
        "judged_at": document.finished_at,
    }


def _store_article(
    connection: sa.Connection, document: Document, extraction: Extraction, capture_id: int | None
) -> Stored:
    text_sha256 = _measures(extraction, None)["text_sha256"]
    known = derived.shown(connection, document.url_id)
    if known is not None:
        if known.text_sha256 == text_sha256 and known.title == extraction.metadata.title:
            return Stored.UNCHANGED
        if known.version != extraction.version:
            return Stored.UNVERIFIED
    extraction_id = insert_extraction(
        connection, document.url_id, extraction, capture_id, document.finished_at
    )
    number = 1 if known is None else known.revision + 1
    seen_at = document.capture.captured_at if document.capture else document.finished_at
    write_article(connection, document.url_id, extraction_id, extraction, number, seen_at)
    if known is not None:
        derived.drop_derived(connection, known.extraction_id)
    connection.execute(
        sa.insert(revisions).values(
            article_id=document.url_id,
            number=number,
            extraction_id=extraction_id,
            text_sha256=text_sha256,
            title=extraction.metadata.title,
            seen_at=seen_at,
        )
    )
    if document.signature is not None:
        matching.store_signature(connection, document.url_id, document.signature)
        matching.link(connection, document.url_id, document.signature)
    return Stored.NEW if known is None else Stored.REVISED


def store_again(connection: sa.Connection, document: Document, capture_id: int) -> Stored:
    """Take over what reading a stored capture again gave: new extraction or judgement, never a revision."""
    if document.relevance is not None:
        _store_relevance(connection, document)
    has_article = connection.scalar(sa.select(sa.exists().where(articles.c.id == document.url_id)))
    stored = Stored.NOT_ARTICLE
    is_article = document.extraction is not None and document.outcome.state is UrlState.DONE
    if document.extraction is not None and is_article:
        store_it = _reextract if has_article else _store_article
        stored = store_it(connection, document, document.extraction, capture_id)
    elif document.extraction is not None and is_part(document.extraction):
        _hold(connection, document, document.extraction, capture_id)
    if is_article or not has_article:
        outcome = document.outcome
        connection.execute(
            sa.update(urls)
            .where(urls.c.id == document.url_id)
            .where(sa.or_(urls.c.state != outcome.state, urls.c.reason != outcome.reason))
            .values(state=outcome.state, reason=outcome.reason, detail=outcome.detail)
        )
    return stored


def _reextract(
    connection: sa.Connection, document: Document, extraction: Extraction, capture_id: int | None
) -> Stored:
    """Replace the extraction of the newest revision: same bytes, newer stages.

    What its site repeats is cut again when the run settles.
    """
    known = derived.shown(connection, document.url_id)
    assert known is not None
    if known.version == extraction.version:
        return Stored.UNCHANGED
    extraction_id = insert_extraction(
        connection, document.url_id, extraction, capture_id, document.finished_at
    )
    write_article(
        connection, document.url_id, extraction_id, extraction, known.revision, known.captured_at
    )
    derived.drop_derived(connection, known.extraction_id)
    if document.signature is not None:
        matching.store_signature(connection, document.url_id, document.signature)
    return Stored.REEXTRACTED


def insert_extraction(
    connection: sa.Connection,
    url_id: int,
    extraction: Extraction,
    capture_id: int | None,
    now: datetime,
) -> int:
    """Write the extraction and its claims; returns its number, also when it is there already.

    A part that was taken out of the articles left its extraction behind.
    """
    if capture_id is not None:
        known = connection.scalar(
            sa.select(extractions.c.id).where(
                extractions.c.capture_id == capture_id, extractions.c.version == extraction.version
            )
        )
        if known is not None:
            return int(known)
    extraction_id = connection.execute(
        sa.insert(extractions)
        .values(extraction_row(url_id, extraction, capture_id, now))
        .returning(extractions.c.id)
    ).scalar_one()
    rows = claim_rows(extraction_id, extraction.metadata)
    if rows:
        connection.execute(sa.insert(claims), rows)
    return int(extraction_id)


def extraction_row(
    url_id: int, extraction: Extraction, capture_id: int | None, now: datetime
) -> dict[str, Any]:
    return {
        "url_id": url_id,
        "capture_id": capture_id,
        "version": extraction.version,
        "extracted_at": now,
        "page_kind": extraction.page_kind,
        "title": extraction.metadata.title,
        "text": extraction.text,
        **_measures(extraction, None),
        "fields": _fields(extraction),
        "part": extraction.part.number if extraction.part is not None else None,
        "cuts": [_cut_row(cut) for cut in extraction.cuts] or None,
        "encoding": f"{extraction.encoding} ({extraction.encoding_source})",
        "mode": extraction.mode,
    }


def write_article(
    connection: sa.Connection,
    url_id: int,
    extraction_id: int,
    extraction: Extraction,
    revision: int,
    captured_at: datetime,
) -> None:
    """Create or update the article row and its full-text entry."""
    old = full_text.indexed(connection, url_id)
    url = connection.scalars(sa.select(urls.c.url).where(urls.c.id == url_id)).one()
    values = article_row(url, extraction_id, extraction, revision)
    connection.execute(
        upsert(connection, articles)
        .values(id=url_id, captured_at=captured_at, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
    outlets.name_hosts(connection, [values["host"]])
    full_text.replace(connection, url_id, old, (extraction.metadata.title or "", extraction.text))


def article_row(
    url: str,
    extraction_id: int,
    extraction: Extraction,
    revision: int,
    measured: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`measured`: the extraction's row when it is known, so that its words are counted once."""
    metadata = extraction.metadata
    published = metadata.published
    return {
        "extraction_id": extraction_id,
        "revision": revision,
        "url": url,
        "site": site(url),
        "host": host_of(url),
        "title": metadata.title,
        "language": metadata.language,
        "published_from": published.start if published else None,
        "published_to": published.end if published else None,
        "published_source": metadata.published_source,
        **_measures(extraction, measured),
    }


def _measures(extraction: Extraction, measured: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of the text as it was read, also where it is not kept."""
    if measured is not None:
        return {name: measured[name] for name in ("word_count", "text_sha256")}
    if extraction.withheld is not None:
        gone = extraction.withheld
        return {"word_count": gone.word_count, "text_sha256": gone.text_sha256}
    return {
        "word_count": full_text.word_count(extraction.text),
        "text_sha256": hashlib.sha256(extraction.text.encode()).hexdigest(),
    }


def _fields(extraction: Extraction) -> dict[str, Any]:
    found = fields_of(extraction.metadata) | _part_field(extraction)
    if extraction.withheld is not None:
        found["withheld"] = extraction.withheld.reason
    return found


def fields_of(metadata: Metadata) -> dict[str, Any]:
    """The metadata that has no column of its own; absent keys mean unknown."""
    values: dict[str, Any] = {
        "authors": list(metadata.authors),
        "modified_at": metadata.modified.start.isoformat() if metadata.modified else None,
        "canonical_url": metadata.canonical_url,
        "section": metadata.section,
        "description": metadata.description,
        "tags": list(metadata.tags),
        "image_url": metadata.image_url,
        "image_caption": metadata.image_caption,
        "image_credit": metadata.image_credit,
        "dateline": metadata.dateline,
        "credits": list(metadata.credits),
        "rights": metadata.rights,
    }
    return {name: value for name, value in values.items() if value}


def _part_field(extraction: Extraction) -> dict[str, Any]:
    """The page's place in its article as `fields` keeps it; empty for an article by itself."""
    if extraction.part is None:
        return {}
    return {
        "part": {
            name: value for name, value in asdict(extraction.part).items() if value is not None
        }
    }


def claim_rows(extraction_id: int, metadata: Metadata) -> Sequence[dict[str, Any]]:
    return [
        {
            "extraction_id": extraction_id,
            "position": position,
            "field": claim.field,
            "value": claim.value,
            "raw": claim.time.raw if claim.time else None,
            "source": claim.source,
            "confidence": claim.confidence,
            "chosen": claim.chosen,
            "time_from": claim.time.start if claim.time else None,
            "time_to": claim.time.end if claim.time else None,
            "offset_minutes": claim.time.offset_minutes if claim.time else None,
            "precision": claim.time.precision if claim.time else None,
        }
        for position, claim in enumerate(metadata.claims)
    ]


def _cut_row(cut: Cut) -> dict[str, Any]:
    return {"position": cut.position, "text": cut.text, "reason": cut.reason}

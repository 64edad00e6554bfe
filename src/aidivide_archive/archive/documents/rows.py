"""What the columns of a document's rows are; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aidivide_archive.archive.ledger.runs import Run
from aidivide_archive.model import (
    CaptureRecord,
    Cut,
    Document,
    Extraction,
    GroupMatch,
    Metadata,
)
from aidivide_archive.urls import host_of, site
from aidivide_archive.words import word_count


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
        "groups": [group_value(group) for group in judged.groups],
        "version": judged.version,
        "title": metadata.title,
        "published_from": metadata.published.start if metadata.published else None,
        "judged_at": document.finished_at,
    }


def group_value(group: GroupMatch) -> dict[str, Any]:
    """A matched group as `relevance.groups` keeps it."""
    return {
        "group": group.group,
        "words": list(group.words),
        "place": group.place,
        "points": group.points,
    }


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
        **_measures(extraction),
        "fields": _fields(extraction),
        "part": extraction.part.number if extraction.part is not None else None,
        "cuts": [cut_value(cut) for cut in extraction.cuts] or None,
        "encoding": f"{extraction.encoding} ({extraction.encoding_source})",
        "mode": extraction.mode,
    }


def article_row(
    url: str,
    extraction_id: int,
    extraction: Extraction,
    revision: int,
    measured: Mapping[str, Any],
) -> dict[str, Any]:
    """`measured`: the extraction's row, so that its words are counted once."""
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
        "published_day": published.local_day.isoformat()
        if published and published.local_day
        else None,
        "word_count": measured["word_count"],
        "text_sha256": measured["text_sha256"],
    }


def _measures(extraction: Extraction) -> dict[str, Any]:
    """Of the text as it was read, also where it is not kept."""
    if extraction.withheld is not None:
        withheld = extraction.withheld
        return {"word_count": withheld.word_count, "text_sha256": withheld.text_sha256}
    return text_measures(extraction.text)


def text_digest(extraction: Extraction) -> str:
    """SHA-256 of the text as it was read, also where it is not kept."""
    if extraction.withheld is not None:
        return extraction.withheld.text_sha256
    return hashlib.sha256(extraction.text.encode()).hexdigest()


def text_measures(text: str) -> dict[str, Any]:
    """Length and digest of a text that is kept."""
    return {
        "word_count": word_count(text),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _fields(extraction: Extraction) -> dict[str, Any]:
    values = fields_of(extraction.metadata)
    if extraction.part is not None:
        part = asdict(extraction.part).items()
        values["part"] = {name: value for name, value in part if value is not None}
    if extraction.withheld is not None:
        values["withheld"] = extraction.withheld.reason
    return values


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


def claim_rows(extraction_id: int, metadata: Metadata) -> list[dict[str, Any]]:
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


def cut_value(cut: Cut) -> dict[str, Any]:
    """A cut line as `extractions.cuts` keeps it."""
    return {"position": cut.position, "text": cut.text, "reason": cut.reason}

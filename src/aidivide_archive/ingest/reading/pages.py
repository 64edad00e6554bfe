"""The reader of pages: an article with its judgement and signature, or why a page is none."""

from __future__ import annotations

from dataclasses import replace

from aidivide_archive.config import Profile
from aidivide_archive.extract import Extracted
from aidivide_archive.ingest import admission
from aidivide_archive.ingest.reading.values import Reading, rejected
from aidivide_archive.model import (
    Extraction,
    LeasedUrl,
    Metadata,
    Outcome,
    Relevance,
    RelevanceDecision,
    UrlState,
)
from aidivide_archive.relevance import judge, version_under
from aidivide_archive.similarity import sign
from aidivide_archive.traps import fingerprint

_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")
_OTHER_FORMATS = (b"%pdf", b"\x89png", b"\xff\xd8", b"gif8", b"pk\x03\x04")
"""First bytes, in lower case, of what servers send as HTML though it is none: PDF, PNG, JPEG, GIF, ZIP."""


def is_html(body: bytes, content_type: str | None) -> bool:
    """Whether to parse as HTML: a type that may be, or none, or bytes that begin like markup."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    head = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_OTHER_FORMATS):
        return False
    return (
        not media_type
        or media_type in _HTML_TYPES
        or head.startswith((b"<!doctype html", b"<html"))
    )


def judgement_version(profile: Profile, extraction: str) -> str:
    """The version of a judgement of a text made by a version of the extraction."""
    return f"{version_under(profile)}/{extraction}"


def read_page(page: Extracted, leased: LeasedUrl, profile: Profile) -> Reading:
    extraction = page.extraction
    limit = profile.limits.links_per_page
    links = admission.of_document(profile, leased, page.links, limit=limit)
    if (no_article := extraction.page_kind.reason) is not None:
        return replace(rejected(no_article), discoveries=links)
    relevance = _judged(extraction, profile)
    is_rejected = relevance.decision is RelevanceDecision.REJECT
    part = extraction.part
    is_later_page = part is not None and part.first_url is not None
    if part is not None and (is_later_page or not is_rejected):
        links = (*admission.of_part(profile, leased, part), *links)
    reading = Reading(
        outcome=Outcome(state=UrlState.DONE, reason=relevance.reason),
        extraction=extraction,
        relevance=relevance,
        discoveries=links,
        fingerprint=fingerprint(extraction.text),
    )
    if not is_rejected:
        return replace(reading, signature=sign(extraction.text))
    return replace(
        reading,
        outcome=Outcome(state=UrlState.REJECTED, reason=relevance.reason),
        # the words of the event may stand on the first page alone: the text of a later one is kept
        extraction=extraction if is_later_page else _ledger_part(extraction),
    )


def _judged(extraction: Extraction, profile: Profile) -> Relevance:
    relevance = judge(
        profile,
        title=extraction.metadata.title,
        text=extraction.text,
        published=extraction.metadata.published,
        language=extraction.metadata.language,
    )
    return replace(relevance, version=judgement_version(profile, extraction.version))


def _ledger_part(extraction: Extraction) -> Extraction:
    """A rejected page keeps title and date; its text stays in the capture."""
    metadata = extraction.metadata
    return replace(
        extraction,
        text="",
        cuts=(),
        part=None,
        metadata=Metadata(title=metadata.title, published=metadata.published),
    )

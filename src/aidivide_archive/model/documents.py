"""What ingest hands to the archive: one processed URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aidivide_archive.model.articles import Extraction, Relevance
from aidivide_archive.model.captures import CaptureRecord
from aidivide_archive.model.copies import Signature
from aidivide_archive.model.ledger import Discovery, Outcome, UrlKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One processed URL: stored, with its links and its acknowledgement, in one transaction."""

    url_id: int
    url: str
    kind: UrlKind = UrlKind.PAGE
    outcome: Outcome
    finished_at: datetime
    capture: CaptureRecord | None = None
    extraction: Extraction | None = None
    relevance: Relevance | None = None
    signature: Signature | None = None
    discoveries: tuple[Discovery, ...] = ()
    fingerprint: int | None = None
    """`traps.fingerprint` of the text, kept or not; None when there is none."""


class Stored(StrEnum):
    """What the archive did with a document; also the outcome of the observation."""

    NEW = "new"
    UNCHANGED = "unchanged"
    REVISED = "revised"
    REEXTRACTED = "reextracted"  # same bytes, newer extraction stages
    UNVERIFIED = "unverified"  # differs, but was extracted by other stages: reprocess first
    NOT_ARTICLE = "not_article"

"""Quality and speed of extraction on labelled pages.

`extract(html, url)` is the adapter that a scorer calls: it returns text, title, authors, date and
language of one page, from the same call that the crawler makes.
"""

from __future__ import annotations

from aidivide_archive.dates import local_day
from aidivide_archive.extract import extract as extract_document
from aidivide_archive.metadata.people import is_agency
from aidivide_archive.model import Metadata


def byline(metadata: Metadata) -> list[str]:
    """People and the agencies named beside them; the stated outlet when no person is named.

    The labels of the page sets count agencies, and the publisher itself, as authors.
    """
    credited = [
        claim
        for claim in metadata.claims
        if claim.field == "credit" and claim.source != "text" and claim.confidence >= 0.6
    ]
    if not metadata.authors:
        return [claim.value for claim in credited]
    return [*metadata.authors, *(claim.value for claim in credited if is_agency(claim.value))]


def extract(html: bytes, url: str | None) -> dict[str, object]:
    extraction = extract_document(html, url=url or "").extraction
    metadata = extraction.metadata
    return {
        "text": extraction.text,
        "title": metadata.title,
        "authors": byline(metadata),
        "date": local_day(metadata.published) if metadata.published else None,
        "language": metadata.language,
    }

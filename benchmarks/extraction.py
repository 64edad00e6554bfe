"""Quality and speed of extraction on labelled pages.

`extract(html, url)` is the adapter that a scorer calls: it returns text, title, authors, date and
language of one page, from the same call that the crawler makes.
"""

from __future__ import annotations

from aidivide_archive.dates import local_day
from aidivide_archive.extract import extract as extract_document


def extract(html: bytes, url: str | None) -> dict[str, object]:
    extraction = extract_document(html, url=url or "").extraction
    metadata = extraction.metadata
    return {
        "text": extraction.text,
        "title": metadata.title,
        "authors": list(metadata.authors),
        "date": local_day(metadata.published) if metadata.published else None,
        "language": metadata.language,
    }

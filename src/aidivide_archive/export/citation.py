"""What every citation format says of an article: one reading of the row, three notations.

Names are never split into given and family name: of "Li Wei" nobody can tell, and agencies have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from aidivide_archive.display import day_of, read_time
from aidivide_archive.export.texts import line_of, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One article as it is cited; texts are single lines, "" for unknown."""

    key: str
    title: str
    authors: tuple[str, ...]
    publication: str
    """Outlet, else site."""
    published: date | None
    language: str
    section: str
    abstract: str
    url: str
    captured: date | None
    provenance: str
    """Where the copy cited lies: time of capture, WARC record, digest of the text."""


def citation(row: Mapping[str, Any]) -> Citation:
    captured = read_time(row.get("captured_at"))
    return Citation(
        key=line_of(row, "id"),
        title=line_of(row, "title"),
        authors=tuple(filter(None, map(one_line, row.get("authors") or ()))),
        publication=line_of(row, "outlet") or line_of(row, "site"),
        published=day_of(row),
        language=line_of(row, "language"),
        section=line_of(row, "section"),
        abstract=line_of(row, "description"),
        url=line_of(row, "url"),
        captured=None if captured is None else captured.date(),
        provenance=_provenance(row),
    )


def _provenance(row: Mapping[str, Any]) -> str:
    captured, file = line_of(row, "captured_at"), line_of(row, "warc_file")
    parts = []
    if file:
        parts.append(f"Captured {captured} in {file} at byte {row.get('warc_offset')}")
    elif captured:
        parts.append(f"Imported {captured}")
    if digest := line_of(row, "text_sha256"):
        parts.append(f"SHA-256 of the text {digest}")
    return "; ".join(parts)

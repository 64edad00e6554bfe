"""What every citation format says of an article: one reading of the row, three notations.

Names are never split into given and family name: of "Li Wei" nobody can tell, and agencies have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aidivide_archive.export.texts import line_of, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One article as it is cited; texts are single lines, "" for unknown."""

    key: str
    title: str
    authors: tuple[str, ...]
    publication: str
    """Outlet, else site."""
    published: tuple[int, int, int] | None
    """Year, month, day."""
    language: str
    section: str
    abstract: str
    url: str
    captured: tuple[int, int, int] | None
    provenance: str
    """Where the copy cited lies: time of capture, WARC record, digest of the text."""


def citation(row: Mapping[str, Any]) -> Citation:
    return Citation(
        key=line_of(row, "id"),
        title=line_of(row, "title"),
        authors=tuple(filter(None, map(one_line, row.get("authors") or ()))),
        publication=line_of(row, "outlet") or line_of(row, "site"),
        published=published_day(row),
        language=line_of(row, "language"),
        section=line_of(row, "section"),
        abstract=line_of(row, "description"),
        url=line_of(row, "url"),
        captured=_day(row.get("captured_at")),
        provenance=_provenance(row),
    )


def published_day(row: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """Day of publication; None when it is unknown.

    A day without a time begins up to 14 hours off in UTC: the middle of its interval is on the right date.
    """
    if isinstance(row.get("published_at"), str):
        return _day(row["published_at"])
    start, end = row.get("published_from"), row.get("published_to")
    if not isinstance(start, str) or not isinstance(end, str):
        return None
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    middle = first + (last - first) / 2
    return middle.year, middle.month, middle.day


def iso_day(day: tuple[int, int, int]) -> str:
    return f"{day[0]:04}-{day[1]:02}-{day[2]:02}"


def _day(text: object) -> tuple[int, int, int] | None:
    if not isinstance(text, str):
        return None
    moment = datetime.fromisoformat(text)
    return moment.year, moment.month, moment.day


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

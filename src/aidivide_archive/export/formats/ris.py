"""RIS: the citation form of EndNote, Mendeley and Zotero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, BinaryIO

from aidivide_archive.export.citation import citation
from aidivide_archive.export.registry import ARTICLES_ONLY, Context, Row, exporter
from aidivide_archive.fields import Field


@exporter(
    "ris",
    suffix=".ris",
    summary="citations as RIS, for EndNote and Zotero",
    sets=ARTICLES_ONLY,
    compressible=True,
)
def write_ris(
    rows: Iterable[Row],
    columns: Sequence[Field],  # noqa: ARG001  # citations have fields of their own
    stream: BinaryIO,
    context: Context,  # noqa: ARG001
) -> int:
    import rispy

    class Writer(rispy.RisWriter):  # type: ignore[misc]  # rispy has no types
        def set_header(self, count: int) -> str:  # noqa: ARG002  # rispy's signature
            return ""  # it would number every reference 1

    count = 0
    for row in rows:
        text = rispy.dumps([ris_reference(row)], implementation=Writer)
        stream.write((text + "\n").encode())
        count += 1
    return count


def ris_reference(row: Row) -> dict[str, Any]:
    """One reference with the field names of rispy; every value is one line: a line end would begin a new field."""
    cited = citation(row)
    published = _day(cited.published)
    captured = _day(cited.captured)
    reference: dict[str, Any] = {
        "type_of_reference": "NEWS",
        "id": cited.key,
        "title": cited.title,
        "authors": list(cited.authors),
        "secondary_title": cited.publication,
        "year": published[:4],
        "date": published,
        "abstract": cited.abstract,
        "language": cited.language,
        "section": cited.section,
        "urls": [cited.url] if cited.url else [],
        "access_date": captured,
        "notes": [cited.provenance] if cited.provenance else [],
    }
    return {name: value for name, value in reference.items() if value}


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat().replace("-", "/")

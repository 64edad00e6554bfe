"""CSL-JSON: the citation form of Zotero, pandoc and citeproc."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, BinaryIO

from aidivide_archive.export.citation import citation
from aidivide_archive.export.formats.jsonl import json_line
from aidivide_archive.export.registry import ARTICLES_ONLY, Context, Row, exporter
from aidivide_archive.fields import Field


@exporter(
    "csl",
    suffix=".csl.json",
    summary="citations as CSL-JSON, for Zotero and pandoc",
    sets=ARTICLES_ONLY,
    compressible=True,
)
def write_csl(
    rows: Iterable[Row],
    columns: Sequence[Field],  # noqa: ARG001  # citations have fields of their own
    stream: BinaryIO,
    context: Context,  # noqa: ARG001
) -> int:
    count = 0
    stream.write(b"[")
    for row in rows:
        stream.write(
            (",\n" if count else "\n").encode() + json_line(csl_item(row)).strip().encode()
        )
        count += 1
    stream.write(b"\n]\n")
    return count


def csl_item(row: Row) -> dict[str, Any]:
    """One item; `custom` holds the capture as fields (CSL 1.0.2), `note` in words."""
    cited = citation(row)
    item: dict[str, Any] = {
        "id": cited.key,
        "type": "article-newspaper",
        "title": cited.title,
        "author": [{"literal": name} for name in cited.authors],
        "container-title": cited.publication,
        "issued": _date(cited.published),
        "accessed": _date(cited.captured),
        "URL": cited.url,
        "language": cited.language,
        "section": cited.section,
        "abstract": cited.abstract,
        "archive_location": _place(row),
        "note": cited.provenance,
        "custom": {
            name: row.get(name)
            for name in (
                "captured_at",
                "warc_file",
                "warc_offset",
                "text_sha256",
                "story_id",
                "role",
            )
            if row.get(name) is not None
        },
    }
    return {name: value for name, value in item.items() if value}


def _place(row: Row) -> str:
    return f"{row['warc_file']}#{row['warc_offset']}" if row.get("warc_file") else ""


def _date(day: date | None) -> dict[str, list[list[int]]] | None:
    return None if day is None else {"date-parts": [[day.year, day.month, day.day]]}

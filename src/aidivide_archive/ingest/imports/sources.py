"""The sources of an import: captures of WARC files and folders, lines of article files."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from aidivide_archive.exceptions import ImportDataError
from aidivide_archive.ingest import ImportKind
from aidivide_archive.model import Capture
from aidivide_archive.warc.records import iter_captures


@dataclass(frozen=True, slots=True)
class Unusable:
    """A record that holds nothing to import."""

    why: str


def kind_of(path: Path) -> ImportKind:
    """What a path holds, by its name. Raises ImportDataError when the name does not say."""
    name = path.name.lower()
    if path.is_dir():
        return ImportKind.HTML
    if name.endswith((".warc", ".warc.gz")):
        return ImportKind.WARC
    if name.endswith((".jsonl", ".jsonl.gz", ".ndjson")):
        return ImportKind.ARTICLES
    *others, last = (f"--kind {kind}" for kind in ImportKind)
    raise ImportDataError(
        f"{path}: the name does not say what it holds; add {', '.join(others)} or {last}"
    )


def warc_captures(path: Path) -> Iterator[tuple[str, Capture | Unusable]]:
    """The captures of a WARC file, each with its place. Raises ArchiveError for a file that cannot be read."""
    for number, record in enumerate(iter_captures(path), 1):
        where = f"{path}: record {number}"
        if record.capture.withheld_sha256 is not None:
            why = "has no body: the archive that wrote it withheld it, for the page's rights"
            yield where, Unusable(why)
        else:
            yield where, record.capture


def html_captures(path: Path) -> Iterator[tuple[str, Capture | Unusable]]:
    """Files named by `urls.csv` (columns file, url; optionally content_type, captured_at) in a folder.

    Each with its place in that list. Raises ImportDataError for a folder without such a list.
    """
    index = path / "urls.csv"
    if not index.is_file():
        raise ImportDataError(
            f"{path}: a folder of pages needs a urls.csv with the columns file and url"
        )
    root = path.resolve()
    with index.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not {"file", "url"} <= set(rows.fieldnames or ()):
            raise ImportDataError(f"{index}: needs the columns file and url")
        for number, row in enumerate(rows, 2):
            yield f"{index}: line {number}", _html_capture(root, row)


def _html_capture(root: Path, row: dict[str, str | None]) -> Capture | Unusable:
    file = (root / (row.get("file") or "")).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        return Unusable(f"there is no file {row.get('file')!r} in the folder")
    try:
        body = file.read_bytes()
        if file.suffix == ".gz":
            body = gzip.decompress(body)
        moment = row.get("captured_at") or ""
        captured_at = (
            datetime.fromisoformat(moment)
            if moment
            else datetime.fromtimestamp(file.stat().st_mtime, UTC)
        )
    except (OSError, EOFError, ValueError) as error:
        return Unusable(str(error))
    content_type = row.get("content_type") or "text/html"
    return Capture(
        url=row.get("url") or "",
        captured_at=captured_at if captured_at.tzinfo else captured_at.replace(tzinfo=UTC),
        status=200,
        headers=(("Content-Type", content_type),),
        body=body,
    )


def line_batches(path: Path, size: int) -> Iterator[list[tuple[int, str]]]:
    """The numbered lines of an articles file that are not empty, `size` at a time. Raises ImportDataError."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as lines
        ):
            numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
            while batch := list(islice(numbered, size)):
                yield batch
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise ImportDataError(f"{path}: cannot be read: {error}") from None

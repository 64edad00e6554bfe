"""Texts put back into a set that was made for sharing, each verified by its digest. The set is foreign input."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

from aidivide_archive.exceptions import ConfigError, ImportDataError
from aidivide_archive.export.registry import Row
from aidivide_archive.fields import ARTICLES, EXCERPT, LEFT_OUT, WEIGHT, Field
from aidivide_archive.urls import parse_id

MAX_LINE_BYTES = 64 << 20
_BATCH = 200
_COLUMNS = (*ARTICLES, WEIGHT, EXCERPT, LEFT_OUT)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "time": (str,),
    "day": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "list": (list,),
}

Texts = Callable[[Sequence[int]], Mapping[int, Mapping[str, str]]]
"""The texts that an archive holds of some articles: by number of the id, by SHA-256."""


class Missing(StrEnum):
    """Why a text could not be put back."""

    NOT_IN_ARCHIVE = "not_in_archive"
    DIFFERS = "text_differs"  # the archive holds the article, but not this text of it
    NO_DIGEST = "no_digest"  # the set does not say which text it was


@dataclass(slots=True)
class Rehydration:
    """What became of the rows; filled while they are read."""

    rebuilt: int = 0
    there: int = 0
    """Rows that had their text."""
    missing: Counter[str] = field(default_factory=Counter)
    items: list[dict[str, str]] = field(default_factory=list)
    """`id, url, reason` of each that is missing, the first thousand."""


_MAX_ITEMS = 1000


def data_file(path: Path) -> Path:
    """The file with the rows: the path itself, or that of a data-set folder. Raises ConfigError."""
    file = path / "articles.jsonl" if path.is_dir() else path
    if not file.is_file() or not file.name.lower().endswith((".jsonl", ".jsonl.gz", ".jsonl.zst")):
        raise ConfigError(
            f"{path} is no data set: name its folder, or a file that ends in .jsonl, .jsonl.gz or .jsonl.zst"
        )
    return file


def columns_of(path: Path) -> tuple[Field, ...]:
    """The codebook's columns that the first row has; those of an article when there is no row."""
    first = next(read_rows(path), None)
    return ARTICLES if first is None else tuple(one for one in _COLUMNS if one.name in first)


def read_rows(path: Path) -> Iterator[Row]:
    """Rows with the codebook's fields; values of another type become None. Raises ImportDataError with the line."""
    number = 0
    try:
        with _opened(path) as lines:
            while line := lines.readline(MAX_LINE_BYTES + 1):
                number += 1
                yield _row(line)
    except (OSError, EOFError, ValueError, RecursionError) as error:
        words = getattr(error, "strerror", None) or error
        raise ImportDataError(f"{path}, line {number}: {words}") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        if path.name.lower().endswith(".gz"):
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file))
        elif path.name.lower().endswith(".zst"):
            import zstandard

            yield io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file))
        else:
            yield file


def _row(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise ValueError("the line is too long")
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError("is no JSON object")
    try:
        parse_id(str(row.get("id")))
    except ConfigError:
        raise ValueError("the row has no id of an article") from None
    return {
        column.name: _typed(row[column.name], column) for column in _COLUMNS if column.name in row
    }


def _typed(value: object, column: Field) -> object:
    is_bool = isinstance(value, bool)  # which Python counts among the integers
    fits = isinstance(value, _TYPES[column.type]) and is_bool == (column.type == "boolean")
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        fits = False
    return value if fits else None


def rehydrated(rows: Iterable[Row], texts: Texts, result: Rehydration) -> Iterator[Row]:
    """The rows with their texts, as far as the archive has them; fills the result."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield from _filled(batch, texts, result)
            batch = []
    yield from _filled(batch, texts, result)


def _filled(batch: Sequence[Row], texts: Texts, result: Rehydration) -> Iterator[Row]:
    wanted = [parse_id(row["id"]) for row in batch if not row.get("text")]
    held = texts(wanted) if wanted else {}
    for row in batch:
        if row.get("text"):
            result.there += 1
            yield row
            continue
        digest = row.get("text_sha256")
        versions = held.get(parse_id(row["id"]), {})
        text = versions.get(digest) if digest else None
        if text is not None and hashlib.sha256(text.encode()).hexdigest() == digest:
            result.rebuilt += 1
            yield {**row, "text": text, "text_left_out": None}
            continue
        reason = _why(digest, versions)
        result.missing[reason.value] += 1
        if len(result.items) < _MAX_ITEMS:
            item = {"id": row["id"], "url": row.get("url") or "", "reason": reason.value}
            result.items.append(item)
        yield {**row, "text": None, "text_left_out": reason.value}


def _why(digest: object, versions: Mapping[str, str]) -> Missing:
    if not digest:
        return Missing.NO_DIGEST
    return Missing.DIFFERS if versions else Missing.NOT_IN_ARCHIVE

"""WARC: the captures of the selected articles, copied record for record from the archive's own files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from aidivide_archive.exceptions import ConfigError, StoreError
from aidivide_archive.export.registry import ARTICLES_ONLY, UNREADABLE, Context, Row, exporter
from aidivide_archive.fields import Field
from aidivide_archive.model import Capture
from aidivide_archive.warc.records import copy_exchange, file_head, read_capture

NO_CAPTURE = "no_capture"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A capture of the archive and the bytes of its records."""

    row: Row
    capture: Capture
    response: bytes
    """The response record as it lies in the archive's file: a gzip member."""
    request: bytes
    """The request record that belongs to it; empty when there is none."""


@exporter(
    "warc",
    suffix=".warc.gz",
    summary="the captures as fetched, for pywb and warcio",
    sets=ARTICLES_ONLY,
    whole_pages=True,
)
def write_warc(
    rows: Iterable[Row],
    columns: Sequence[Field],  # noqa: ARG001  # the records are what they are
    stream: BinaryIO,
    context: Context,
) -> int:
    """Counts captures. An imported text has none (`no_capture`); a damaged record is left out and counted."""
    stream.write(head(context))
    count = 0
    for one in exchanges(rows, context):
        stream.write(one.response)
        stream.write(one.request)
        count += 1
    return count


def head(context: Context) -> bytes:
    """The warcinfo record that opens the file; the same each time."""
    return file_head(context.title, context.software, context.made_at)


def exchanges(rows: Iterable[Row], context: Context) -> Iterator[Exchange]:
    """The capture of each row, read back and verified against its digest."""
    if context.warc_directory is None:
        raise ConfigError("captures are copied from an archive; these rows come from none")
    for row in rows:
        name, offset = row.get("warc_file"), row.get("warc_offset")
        if not isinstance(name, str) or not isinstance(offset, int):
            context.left_out[NO_CAPTURE] += 1
            continue
        path = context.warc_directory / name
        try:
            capture = read_capture(path, offset)
            response, request = copy_exchange(path, offset)
        except StoreError:
            context.left_out[UNREADABLE] += 1
            continue
        yield Exchange(row, capture, response, request)

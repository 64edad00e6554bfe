"""CSV that spreadsheets open without running it.

A cell that a spreadsheet would take for a formula gets an apostrophe in front (CWE-1236, OWASP "CSV Injection"),
nothing turns the direction of the text beside it, and the file begins with a byte order mark, without which Excel
reads UTF-8 as something else. `raw` leaves all three out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from aidivide_archive.export.registry import Context, Row, exporter
from aidivide_archive.fields import Field
from aidivide_archive.words import printable, undirected

# OWASP's list, with the full-width signs that East Asian versions take for the ASCII ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FLUSH_CHARS = 1 << 16


@exporter(
    "csv",
    suffix=".csv",
    summary="for spreadsheets: formulas are made harmless, UTF-8 with BOM",
    compressible=True,
)
def write_csv(
    rows: Iterable[Row], columns: Sequence[Field], stream: BinaryIO, context: Context
) -> int:
    """RFC 4180 with a header; lists are joined with "; ", None is an empty cell."""
    buffer = io.StringIO()
    if not context.raw:
        buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    names = [column.name for column in columns]
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([cell(row.get(name), raw=context.raw) for name in names])
        count += 1
        if buffer.tell() > _FLUSH_CHARS:
            _flush(buffer, stream)
    _flush(buffer, stream)
    return count


def _flush(buffer: io.StringIO, stream: BinaryIO) -> None:
    stream.write(buffer.getvalue().encode())
    buffer.seek(0)
    buffer.truncate()


def cell(value: object, *, raw: bool) -> str:
    """A value as the text of a cell; numbers are never guarded, so that they stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if raw:
        return printable(joined(value))
    text = undirected(joined(value))
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def joined(value: object) -> str:
    """Text as it is, a list of texts joined with "; ", anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)

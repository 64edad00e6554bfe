"""JSON Lines: one object a row, fields in their order, UTF-8 as it is, "\\n" after each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from aidivide_archive.export.registry import Context, Row, exporter
from aidivide_archive.fields import Field
from aidivide_archive.words import without_surrogates

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": ")).encode
# Escaped although JSON need not: C1 controls drive terminals, and lines may end at the two separators.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029]")
_C1 = re.compile(rb"\xc2[\x80-\x9f]")


@exporter(
    "jsonl", suffix=".jsonl", summary="one JSON object a line, for programs", compressible=True
)
def write_jsonl(
    rows: Iterable[Row],
    columns: Sequence[Field],
    stream: BinaryIO,
    context: Context,  # noqa: ARG001  # there is nothing to guard
) -> int:
    names = tuple(column.name for column in columns)
    count = 0
    for row in rows:
        is_ordered = tuple(row) == names  # as most rows come: a tenth of the time is saved
        stream.write(_line(row if is_ordered else {name: row.get(name) for name in names}))
        count += 1
    return count


def json_line(value: object) -> str:
    """One JSON text and a newline; equal values give equal text. Lone surrogates become U+FFFD."""
    return _line(value).decode()


def _line(value: object) -> bytes:
    text = _encode(value)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        text = without_surrogates(text)
        data = text.encode()
    # a search for each at the speed of memchr; one pattern over every text takes as long as encoding it
    if "\x7f" in text or "\u2028" in text or "\u2029" in text or _C1.search(data):
        data = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
    return data + b"\n"

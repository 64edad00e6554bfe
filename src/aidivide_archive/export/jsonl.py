"""JSON Lines: one object a row, fields in their order, UTF-8 as it is, "\\n" after each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from aidivide_archive.export.registry import Row, exporter

_SURROGATE = re.compile("[\ud800-\udfff]")
# Escaped although JSON need not: C1 controls drive terminals, and lines may end at the two separators.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029]")


@exporter("jsonl", suffix=".jsonl", summary="one JSON object a line, for programs")
def write_jsonl(
    rows: Iterable[Row],
    columns: Sequence[str],
    stream: BinaryIO,
    *,
    raw: bool,  # noqa: ARG001  # there is nothing to guard
) -> int:
    count = 0
    for row in rows:
        stream.write(json_line({name: row.get(name) for name in columns}).encode())
        count += 1
    return count


def json_line(value: object) -> str:
    """One JSON text and a newline; equal values give equal text. Lone surrogates become U+FFFD."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))
    text = _SURROGATE.sub("\ufffd", text)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"

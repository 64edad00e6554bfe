"""A text file for each article and a table of the rest: for AntConc, Voyant, quanteda."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from aidivide_archive.export.formats.spreadsheet import cell
from aidivide_archive.export.registry import Context, Folder, Row, folder_exporter
from aidivide_archive.fields import Field
from aidivide_archive.words import printable


@folder_exporter(
    "text", suffix=".txt.zip", summary="a text file for each article, and metadata.csv"
)
def write_text(
    rows: Iterable[Row], columns: Sequence[Field], folder: Folder, context: Context
) -> int:
    """`texts/ID.txt` (UTF-8, no byte order mark) and `metadata.csv` with `file` and the other columns."""
    names = [column.name for column in columns if column.name not in ("text", "excerpt")]
    count = 0
    with folder.file("metadata.csv") as table:
        line = io.StringIO()
        writer = csv.writer(line, lineterminator="\r\n")
        writer.writerow(["file", *names])
        for row in rows:
            name = f"texts/{row['id']}.txt"
            text = printable(row.get("text") or row.get("excerpt") or "")
            with folder.file(name) as stream:
                stream.write((text + "\n").encode() if text else b"")
            writer.writerow([name, *(cell(row.get(key), raw=context.raw) for key in names)])
            table.write(line.getvalue().encode())
            line.seek(0)
            line.truncate()
            count += 1
        table.write(line.getvalue().encode())
    return count

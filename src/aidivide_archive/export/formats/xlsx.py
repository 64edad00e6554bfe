"""Excel workbooks: every text stays text, whatever it looks like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

from aidivide_archive.exceptions import ConfigError
from aidivide_archive.export.formats.spreadsheet import joined
from aidivide_archive.export.registry import Context, Row, exporter
from aidivide_archive.fields import Field
from aidivide_archive.words import undirected

MAX_CELL_UNITS = 32_767
"""UTF-16 units of a cell, as Excel counts; a longer text would be cut without a word."""
MAX_ROWS = 1_048_576
"""Of a sheet, with its header; more rows go to further sheets."""
CUT_MARK = " … [cut: a cell holds 32,767 characters; see the JSONL]"
_WIDTHS = {"title": 60, "text": 60, "url": 40, "description": 40}
_WIDTH = 18
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@exporter("xlsx", suffix=".xlsx", summary="Excel workbook; texts are never formulas", seeks=True)
def write_xlsx(
    rows: Iterable[Row], columns: Sequence[Field], stream: BinaryIO, context: Context
) -> int:
    """Raises ConfigError without xlsxwriter. Times are ISO 8601 texts: a cell's date has no zone."""
    try:
        from xlsxwriter import Workbook
    except ModuleNotFoundError:
        raise ConfigError("XLSX needs xlsxwriter: pip install 'aidivide-archive[xlsx]'") from None
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    workbook = Workbook(stream, options)
    made = datetime.fromisoformat(context.made_at) if context.made_at else _EPOCH
    workbook.set_properties({"title": context.title, "created": made.replace(tzinfo=None)})
    bold = workbook.add_format({"bold": True})
    sheet: Any = None
    count = 0
    for row in rows:
        place = count % (MAX_ROWS - 1)
        if place == 0:
            sheet = _sheet(workbook, context.what, count // (MAX_ROWS - 1), columns, bold)
        for number, column in enumerate(columns):
            _write(sheet, place + 1, number, row.get(column.name))
        count += 1
    if sheet is None:
        _sheet(workbook, context.what, 0, columns, bold)
    workbook.close()
    return count


def _sheet(workbook: Any, what: str, number: int, columns: Sequence[Field], bold: Any) -> Any:
    sheet = workbook.add_worksheet(what if number == 0 else f"{what} {number + 1}")
    for place, column in enumerate(columns):
        sheet.set_column(place, place, _WIDTHS.get(column.name, _WIDTH))
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.name, bold)
    return sheet


def _write(sheet: Any, row: int, column: int, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, fitting(undirected(joined(value))))


def fitting(text: str) -> str:
    """A text that a cell can hold: one that is too long is cut, and says so at its end."""
    if len(text) <= MAX_CELL_UNITS // 2 or _units(text) <= MAX_CELL_UNITS:
        return text
    kept = text.encode("utf-16-le")[: 2 * (MAX_CELL_UNITS - len(CUT_MARK))]
    return kept.decode("utf-16-le", "ignore") + CUT_MARK  # half a pair is left out


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2

import csv
import io
import json
import pkgutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aidivide_archive.export
from aidivide_archive.exceptions import ConfigError, ExportError
from aidivide_archive.export import Exporter, exporter_for, exporters
from aidivide_archive.export.jsonl import json_line
from aidivide_archive.export.spreadsheet import cell
from aidivide_archive.export.target import export_rows, file_in

COLUMNS = ("id", "title", "authors", "share", "count", "flag", "evidence", "unknown")
ROWS = (
    {
        "id": "a-1",
        "title": "弥合 \u2028 “quoted”, café\nsecond line",
        "authors": ["Ann", "José"],
        "share": 0.1,
        "count": 3,
        "flag": True,
        "evidence": [{"b": 1, "a": None}],
        "unknown": None,
    },
    {"id": "a-2", "title": "lone \ud800 surrogate, NUL \x00, ESC \x1b, CSI \x9b", "share": -0.5},
)


def written(exporter: Exporter, *, raw: bool = False) -> bytes:
    stream = io.BytesIO()
    assert export_rows(exporter, iter(ROWS), COLUMNS, stream, raw=raw) == len(ROWS)
    assert not stream.closed
    return stream.getvalue()


def csv_rows(content: bytes, encoding: str = "utf-8-sig") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))


# --- every format --------------------------------------------------------------------------------

FORMATS = tuple(exporters())


def test_every_module_of_the_package_is_looked_at():
    modules = {one.name for one in pkgutil.iter_modules(aidivide_archive.export.__path__)}
    found = {one.write.__module__.rpartition(".")[2] for one in exporters().values()}  # type: ignore[attr-defined]
    assert found == modules - {"registry", "target"}
    assert {"csv", "jsonl"} <= set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_hostile_rows_and_gives_the_same_bytes_twice(name: str):
    exporter = exporters()[name]
    assert exporter.name == name
    assert exporter.suffix.startswith(".")
    assert exporter.summary
    assert written(exporter) == written(exporter)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_write_no_rows(name: str):
    stream = io.BytesIO()
    assert export_rows(exporters()[name], [], COLUMNS, stream) == 0


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_found_by_name_and_by_suffix(name: str):
    exporter = exporters()[name]
    assert exporter_for(name) is exporter
    assert exporter_for(None, f"My Articles{exporter.suffix.upper()}") is exporter


def test_an_unknown_format_is_said_with_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean 'jsonl'"):
        exporter_for("jsnol")
    with pytest.raises(ConfigError, match="there are: csv, jsonl"):
        exporter_for("Ω")
    with pytest.raises(ConfigError, match="--format"):
        exporter_for(None, "articles")
    assert exporter_for(None).name == "jsonl"
    assert exporter_for("csv", "articles").name == "csv"


# --- JSON Lines ----------------------------------------------------------------------------------


def test_jsonl_keeps_the_order_of_the_columns_and_every_character():
    content = written(exporters()["jsonl"])
    lines = content.decode().split("\n")
    assert lines[-1] == ""
    assert len(lines) == len(ROWS) + 1
    assert list(json.loads(lines[0])) == list(COLUMNS)
    assert json.loads(lines[0]) == ROWS[0]
    assert "弥合" in lines[0]
    assert json.loads(lines[1])["title"] == "lone \ufffd surrogate, NUL \x00, ESC \x1b, CSI \x9b"
    assert json.loads(lines[1])["unknown"] is None
    assert "\x9b" not in lines[1]  # it would drive a terminal


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_json_line_is_one_line_that_reads_back(value: object):
    line = json_line(value)
    assert line.count("\n") == 1
    assert len(line.splitlines()) == 1
    assert json.loads(line) == value
    line.encode()


# --- CSV -----------------------------------------------------------------------------------------


def test_csv_opens_in_a_spreadsheet():
    content = written(exporters()["csv"])
    assert content.startswith(b"\xef\xbb\xbfid,title")
    header, first, second = csv_rows(content)
    assert header == list(COLUMNS)
    assert first == [
        "a-1",
        "弥合 \u2028 “quoted”, café\nsecond line",
        "Ann; José",
        "0.1",
        "3",
        "true",
        '[{"a": null, "b": 1}]',
        "",
    ]
    assert second[3] == "-0.5"  # a number stays a number
    assert second[1] == "lone \ufffd surrogate, NUL \ufffd, ESC \ufffd, CSI \ufffd"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_csv_makes_formulas_harmless_unless_raw(start: str):
    text = f"{start}cmd|' /C calc'!A0"
    assert cell(text, raw=False) == f"'{text}"
    assert cell([text, "x"], raw=False).startswith("'")
    assert cell(text, raw=True) == text


def test_raw_csv_is_for_programs():
    content = written(exporters()["csv"], raw=True)
    assert content.startswith(b"id,title")
    assert csv_rows(content, "utf-8")[1][0] == "a-1"


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs"))), min_size=2, max_size=5)
)
def test_csv_reads_back_and_holds_no_formula(texts: list[str]):
    columns = [str(number) for number in range(len(texts))]
    row = dict(zip(columns, texts, strict=True))
    for raw in (True, False):
        stream = io.BytesIO()
        exporters()["csv"].write([row], columns, stream, raw=raw)
        (_, found) = csv_rows(stream.getvalue(), "utf-8" if raw else "utf-8-sig")
        if raw:
            assert found == texts
        else:
            assert [one.removeprefix("'") for one in found] == [
                one.removeprefix("'") for one in texts
            ]
            assert not any(one.startswith(("=", "+", "-", "@")) for one in found)


def test_csv_streams_what_does_not_fit_its_buffer():
    stream = io.BytesIO()
    rows = ({"a": "x" * 1000} for _ in range(500))
    assert exporters()["csv"].write(rows, ("a",), stream, raw=True) == 500
    assert stream.getvalue().count(b"\r\n") == 501


# --- files ---------------------------------------------------------------------------------------


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "x.jsonl"
    path.write_text("old")

    def broken():
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        export_rows(exporters()["jsonl"], broken(), COLUMNS, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    export_rows(exporters()["jsonl"], ROWS, COLUMNS, path)
    assert len(path.read_text("utf-8").splitlines()) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "absent" / "x.csv", tmp_path / "file" / "x.csv"):
        with pytest.raises(ExportError, match=r"cannot write .*x\.csv"):
            export_rows(exporters()["csv"], ROWS, COLUMNS, path)


def test_a_folder_takes_a_file_named_after_the_set(tmp_path: Path):
    csv_format = exporters()["csv"]
    assert file_in(tmp_path, "articles", csv_format) == tmp_path / "articles.csv"
    assert file_in(tmp_path / "x", "articles", csv_format) == tmp_path / "x"

import csv
import gzip
import hashlib
import io
import json
import pkgutil
import sys
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import aidivide_archive.export.formats
from aidivide_archive.archive import queries
from aidivide_archive.exceptions import ConfigError, ExportError
from aidivide_archive.export import Context, Exporter, exporter_for, exporters
from aidivide_archive.export.formats.jsonl import json_line
from aidivide_archive.export.formats.spreadsheet import cell
from aidivide_archive.export.manifest import Account
from aidivide_archive.export.registry import ANY_SET, ARTICLES_ONLY
from aidivide_archive.export.target import (
    MANIFEST,
    ListedFolder,
    export_rows,
    whole_folder,
    write_manifest,
    zip_folder,
)
from aidivide_archive.fields import ARTICLES, EXCERPT, LEDGER, LEFT_OUT, MATCHES, SETS, WEIGHT
from tests.support import export_rows as export_rows_of

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


def written(exporter: Exporter, rows=ROWS, columns=COLUMNS, *, raw: bool = False) -> bytes:
    stream = io.BytesIO()
    assert export_rows(exporter, iter(rows), columns, stream, raw=raw) == len(rows)
    assert not stream.closed
    return stream.getvalue()


def csv_rows(content: bytes, encoding: str = "utf-8-sig") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))


# --- every format --------------------------------------------------------------------------------

FORMATS = tuple(exporters())


def article_bytes(exporter: Exporter, warc_directory: Path, rows=export_rows_of.HOSTILE) -> bytes:
    stream = io.BytesIO()
    context = Context(made_at="2025-07-28T12:30:15Z", warc_directory=warc_directory)
    count = export_rows(exporter, iter(rows), ARTICLES, stream, context=context)
    assert count + sum(context.left_out.values()) == len(rows)
    assert not stream.closed
    return stream.getvalue()


def test_every_module_of_the_package_is_a_format():
    modules = {one.name for one in pkgutil.iter_modules(aidivide_archive.export.formats.__path__)}
    found = {one.writer.__module__.rpartition(".")[2] for one in exporters().values()}
    assert found == modules
    assert {"csv", "jsonl", "parquet", "xlsx", "tei", "warc", "wacz", "csl"} <= set(FORMATS)


@pytest.mark.fault("S05", "S06")
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_hostile_rows_and_gives_the_same_bytes_twice(name: str, tmp_path: Path):
    exporter = exporters()[name]
    assert exporter.name == name
    assert exporter.suffix.startswith(".")
    assert exporter.suffix == exporter.suffix.lower()
    assert exporter.summary
    assert exporter.sets in (ANY_SET, ARTICLES_ONLY)
    assert article_bytes(exporter, tmp_path) == article_bytes(exporter, tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_write_no_rows(name: str, tmp_path: Path):
    article_bytes(exporters()[name], tmp_path, ())  # counts none, raises nothing


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_found_by_name_and_by_suffix(name: str):
    exporter = exporters()[name]
    assert exporter_for(name) is exporter
    assert exporter_for(None, f"My Articles{exporter.suffix.upper()}") is exporter
    more = (f"x{exporter.suffix}.gz", f"x{exporter.suffix}.zst") if exporter.compressible else ()
    assert all(exporter_for(None, one) is exporter for one in more)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_makes_a_file_or_folder_that_only_its_owner_reads(name: str, tmp_path: Path):
    exporter = exporters()[name]
    path = tmp_path / "x" if exporter.is_folder else tmp_path / f"x{exporter.suffix}"
    context = Context(warc_directory=tmp_path)
    export_rows(exporter, export_rows_of.ROWS, ARTICLES, path, context=context)
    made = [path, *path.rglob("*")]
    assert len(made) > 1 or not exporter.is_folder
    for one in made:
        assert one.stat().st_mode & 0o777 == (0o700 if one.is_dir() else 0o600), one
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", [n for n in FORMATS if exporters()[n].sets == ANY_SET])
def test_a_format_for_any_set_takes_matches_and_the_ledger(name: str):
    match = {"a_id": "a-1", "jaccard": 0.5, "longest_passage_words": 3, "reasons": ["x", "y"]}
    assert written(exporters()[name], (match,), MATCHES)
    assert written(exporters()[name], ({"url": "https://x.example", "state": "done"},), LEDGER)


@pytest.mark.parametrize(
    ("name", "module", "words"),
    [("parquet", "pyarrow", "[parquet]"), ("xlsx", "xlsxwriter", "[xlsx]")],
)
def test_a_missing_library_is_said_with_the_extra_that_brings_it(
    name: str, module: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError) as raised:
        written(exporters()[name], export_rows_of.ROWS, ARTICLES)
    assert f"pip install 'aidivide-archive{words}'" in str(raised.value)
    assert raised.value.exit_code == 2


def test_an_unknown_format_is_said_with_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean 'jsonl'"):
        exporter_for("jsnol")
    with pytest.raises(ConfigError, match="there are: bibtex, csl, csv"):
        exporter_for("Ω")
    with pytest.raises(ConfigError, match="--format"):
        exporter_for(None, "articles")
    assert exporter_for(None).name == "jsonl"
    assert exporter_for("csv", "articles").name == "csv"


def test_the_codebook_has_the_columns_of_every_set():
    fields = (
        queries.ARTICLE_FIELDS,
        queries.MATCH_FIELDS,
        queries.STORY_FIELDS,
        queries.LEDGER_FIELDS,
    )
    for columns, names in zip(SETS.values(), fields, strict=True):
        assert tuple(column.name for column in columns) == names
        assert all(len(column.meaning) > 10 for column in columns)
    assert len({c.name for c in (*ARTICLES, WEIGHT, EXCERPT, LEFT_OUT)}) == len(ARTICLES) + 3


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
        export_rows(exporters()["csv"], [row], columns, stream, raw=raw)
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
    assert export_rows(exporters()["csv"], rows, ("a",), stream, raw=True) == 500
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


# --- folders -------------------------------------------------------------------------------------


def in_folder(path: Path, rows=export_rows_of.ROWS) -> None:
    def finish(count: int, folder: ListedFolder | None) -> None:
        assert folder is not None
        write_manifest(folder, {"counts": count})

    export_rows(exporters()["text"], iter(rows), ARTICLES, path, finish=finish)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path):
    def broken():
        yield export_rows_of.ROWS[0]
        raise RuntimeError

    path = tmp_path / "set"
    with pytest.raises(RuntimeError):
        in_folder(path, broken())
    assert list(tmp_path.iterdir()) == []
    in_folder(path)
    before = {one: one.read_bytes() for one in path.rglob("*") if one.is_file()}
    with pytest.raises(RuntimeError):
        in_folder(path, broken())
    assert {one: one.read_bytes() for one in path.rglob("*") if one.is_file()} == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_place_of_an_earlier_export_and_leaves_nothing_of_it(tmp_path: Path):
    path = tmp_path / "set"
    in_folder(path)
    in_folder(path, export_rows_of.ROWS[:1])
    assert [one.name for one in (path / "texts").iterdir()] == ["a-000000000001.txt"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.fault("S10")
def test_a_folder_with_files_of_a_person_is_never_replaced(tmp_path: Path):
    path = tmp_path / "set"
    in_folder(path)
    (path / "notes.md").write_text("mine")
    with pytest.raises(ConfigError, match=r"notes\.md"):
        in_folder(path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").touch()
    with pytest.raises(ConfigError, match="no export wrote"):
        in_folder(tmp_path / "other")
    (tmp_path / "link").symlink_to(path, target_is_directory=True)
    with pytest.raises(ConfigError, match="no folder"):
        in_folder(tmp_path / "link")
    assert (path / "notes.md").read_text() == "mine"


@pytest.mark.fault("S10")
@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/../../b", "..\\x", "", "."])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path):
    with pytest.raises(ExportError), whole_folder(tmp_path / "set") as folder, folder.file(name):
        pass
    with pytest.raises(ExportError), zip_folder(io.BytesIO()) as zipped, zipped.file(name):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_lists_every_file_with_its_size_and_digest(tmp_path: Path):
    path = tmp_path / "set"
    in_folder(path)
    listed = {one["path"]: one for one in json.loads((path / MANIFEST).read_text())["files"]}
    files = [one for one in path.rglob("*") if one.is_file() and one.name != MANIFEST]
    assert len(listed) == len(files) == 4
    for one in files:
        content = one.read_bytes()
        entry = listed[one.relative_to(path).as_posix()]
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_zip_file_holds_the_same_files_as_the_folder(tmp_path: Path):
    in_folder(tmp_path / "set")
    in_folder(tmp_path / "set.zip")
    with zipfile.ZipFile(tmp_path / "set.zip") as zipped:
        for name in zipped.namelist():
            assert zipped.read(name) == (tmp_path / "set" / name).read_bytes()


def test_what_must_seek_goes_to_a_pipe_by_way_of_a_file():
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *place: int) -> int:
            raise AssertionError

    for name in ("xlsx", "markdown"):
        pipe, file = Pipe(), io.BytesIO()
        for stream in (pipe, file):
            export_rows(exporters()[name], export_rows_of.ROWS, ARTICLES, stream)
        assert pipe.getvalue() == file.getvalue()


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_compressed_file_holds_the_same_and_no_clock(suffix: str, tmp_path: Path):
    plain, packed = tmp_path / "x.jsonl", tmp_path / f"x.jsonl{suffix}"
    for path in (plain, packed):
        export_rows(exporters()["jsonl"], ROWS, COLUMNS, path)
    if suffix == ".gz":
        assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
        assert packed.read_bytes()[4:8] == bytes(4)
    else:
        opened = zstandard.ZstdDecompressor().stream_reader(packed.open("rb"), closefd=True)
        with opened:
            assert opened.read() == plain.read_bytes()


def test_what_finish_refuses_is_not_written(tmp_path: Path):
    def refuse(count: int, folder: ListedFolder | None) -> None:
        Account(total=9, dropped={"a": 1}).check(count)

    for name, target in (("jsonl", "x.jsonl"), ("text", "x"), ("text", "x.zip")):
        with pytest.raises(ExportError, match=r"3 kept \+ 1 dropped is not 9"):
            export_rows(
                exporters()[name], export_rows_of.ROWS, ARTICLES, tmp_path / target, finish=refuse
            )
    assert list(tmp_path.iterdir()) == []

"""`export_set`, the command's twin: the same bytes, for programs; on both engines."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aidivide_archive.archive import Location
from aidivide_archive.archive.queries import Filters
from aidivide_archive.cli import cli, exporting
from aidivide_archive.exceptions import ConfigError, ExportError, MissingArchiveError, OptionsError
from aidivide_archive.export import exporters
from aidivide_archive.export.request import Dedup, Purpose, Request
from aidivide_archive.export.run import export_set
from aidivide_archive.fields import SETS
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location


@pytest.fixture(scope="module", params=ENGINES)
def archive(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as where:
        filled.fill(where)
        yield where


@pytest.fixture(scope="module")
def sqlite_archive(tmp_path_factory: pytest.TempPathFactory) -> Location:
    where = Location(tmp_path_factory.mktemp("sqlite") / "archive")
    filled.fill(where)
    return where


def command(where: Location, *arguments: str) -> bytes:
    database = ["--database", where.database_url] if where.database_url else []
    line = ["export", *arguments, "--archive", str(where.directory), *database]
    result = CliRunner().invoke(cli, line)
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


ZIPPED = {
    "zipped": ("x.zip", [], {}),
    "zipped for sharing": ("x.zip", ["--for", "sharing"], {"purpose": "sharing"}),
}
CASES: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    **{name: (f"x{exporter.suffix}", [], {}) for name, exporter in exporters().items()},
    **ZIPPED,
    "data set": ("x", [], {}),
    "data set for sharing": ("x/", ["--for", "sharing"], {"purpose": "sharing"}),
    "weights, raw": ("x", ["--weights", "--raw"], {"weights": True, "raw": True}),
    "filters": ("x.csv", ["--language", "zh"], {"filters": Filters(languages=("zh",))}),
    "words": ("x.jsonl.gz", ["-q", "carrots"], {"query": "carrots"}),
    "one a story": (
        "x.jsonl",
        ["--dedup", "unique", "--prefer", "outlets:Two Wire"],
        {"dedup": "unique", "prefer": "outlets:Two Wire"},
    ),
    "a named format": ("x.txt", ["--format", "jsonl"], {"format": "jsonl"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_call_makes_what_the_command_makes(case: str, archive: Location, tmp_path: Path):
    name, arguments, options = CASES[case]
    by_command, by_call = tmp_path / "command", tmp_path / "call"
    by_command.mkdir()
    by_call.mkdir()
    command(archive, "articles", *arguments, "-o", f"{by_command}/{name}")
    summary = export_set(archive, "articles", f"{by_call}/{name}", **options)
    assert content(by_call) == content(by_command)
    assert summary.target == by_call / name.rstrip("/")
    assert summary.total == 7
    left = sum(summary.dropped.values()) + sum(summary.left_out.values())
    assert summary.written + left == summary.total


@pytest.mark.parametrize("what", SETS)
@pytest.mark.parametrize("everything", [False, True])
def test_every_set_goes_to_a_file_with_its_account(
    what: str, everything: bool, archive: Location, tmp_path: Path
):
    more = ["--all"] if everything else []
    (tmp_path / "command").mkdir()
    (tmp_path / "call").mkdir()
    path, account = "x.csv", "account.json"
    folder = tmp_path / "command"
    command(archive, what, *more, "-o", str(folder / path), "--manifest", str(folder / account))
    folder = tmp_path / "call"
    summary = export_set(
        archive, what, folder / path, manifest=str(folder / account), all=everything
    )
    assert content(tmp_path / "call") == content(tmp_path / "command")
    counts = json.loads((folder / account).read_text())["counts"]
    assert (counts["kept"], counts["total"]) == (summary.written, summary.total)


def test_a_stream_takes_the_rows_and_stays_open(archive: Location):
    for arguments, options in (([], {}), (["--format", "csv"], {"format": "csv"})):
        stream = io.BytesIO()
        summary = export_set(archive, "articles", stream, **options)
        assert stream.getvalue() == command(archive, "articles", *arguments)
        assert not stream.closed
        assert summary.target is None
        assert summary.format == options.get("format", "jsonl")


def test_a_path_names_the_archive_as_the_option_does(sqlite_archive: Location, tmp_path: Path):
    for number, where in enumerate((str(sqlite_archive.directory), sqlite_archive.directory)):
        summary = export_set(where, "stories", str(tmp_path / f"{number}.jsonl"))
        assert summary.written == 2
    with pytest.raises(MissingArchiveError):
        export_set(tmp_path / "nowhere", "stories", tmp_path / "x.jsonl")


def test_the_summary_says_what_is_left_out_and_why(sqlite_archive: Location, tmp_path: Path):
    chinese = export_set(
        sqlite_archive, "articles", tmp_path / "zh.csv", filters=Filters(languages=("zh",))
    )
    assert chinese.written == 1
    assert chinese.dropped == {"filtered": 3, "irrelevant": 1, "queued": 1, "read": 1}
    assert chinese.set_aside == {"filtered": 3}
    captures = export_set(sqlite_archive, "articles", tmp_path / "x.warc.gz")
    assert (captures.written, captures.left_out, captures.unreadable) == (2, {"no_capture": 2}, 0)
    assert captures.set_aside == {"no_capture": 2}
    stories = export_set(sqlite_archive, "stories", tmp_path / "x.csv")
    assert stories.set_aside == stories.dropped == {"story_of_one": 2}


def test_damaged_captures_are_counted(tmp_path: Path):
    where = Location(tmp_path / "archive")
    filled.fill(where)
    for file in where.warc_directory.iterdir():
        file.write_bytes(file.read_bytes()[:-40].replace(b"\x1f\x8b", b"xx"))
    summary = export_set(where, "articles", tmp_path / "x.wacz")
    assert (summary.written, summary.unreadable) == (0, 2)


def test_progress_hears_of_every_pass(
    sqlite_archive: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aidivide_archive.export.run._STEP", 1)
    for target, passes in (("x.csv", 1), ("set", 2)):
        heard: list[tuple[int, int]] = []
        export_set(
            sqlite_archive,
            "articles",
            tmp_path / target,
            progress=lambda *step, heard=heard: heard.append(step),
        )
        assert heard == [(number, 4 * passes) for number in range(1, 4 * passes + 1)]


@pytest.mark.parametrize(
    ("what", "options", "words"),
    [
        ("pictures", {}, "articles, matches, stories, ledger"),
        ("articles", {"dedup": "some"}, "--dedup 'some'"),
        ("articles", {"purpose": "fun"}, "--for 'fun'"),
        ("articles", {"prefer": "longest"}, "--dedup unique"),
        ("articles", {"dedup": "unique", "prefer": "best"}, "write origin, earliest"),
        ("articles", {"dedup": "unique", "weights": True}, "weighs 1"),
        ("matches", {"query": "x"}, "for articles"),
        ("matches", {"filters": Filters(languages=("zh",))}, "filters are for articles"),
        ("stories", {"purpose": "sharing"}, "hold no texts"),
        ("articles", {"manifest": "m.json"}, "single files"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(
    what: str, options: dict[str, Any], words: str, sqlite_archive: Location, tmp_path: Path
):
    with pytest.raises(OptionsError, match=words):
        export_set(sqlite_archive, what, tmp_path / "set", **options)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_nothing(sqlite_archive: Location, tmp_path: Path):
    with pytest.raises(ConfigError, match="does not say the format"):
        export_set(sqlite_archive, "articles", tmp_path / "x.unknown")
    with pytest.raises(ExportError, match="cannot write"):
        export_set(sqlite_archive, "articles", tmp_path / "absent" / "x.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_command_offers_what_the_library_takes():
    parameters = {one.name: one for one in exporting.export.params}
    assert tuple(parameters["what"].type.choices) == tuple(SETS)
    assert tuple(parameters["dedup"].type.choices) == tuple(Dedup)
    assert tuple(parameters["purpose"].type.choices) == tuple(Purpose)
    request = Request()
    assert (request.what, request.dedup, request.purpose) == (
        "articles",
        parameters["dedup"].default,
        parameters["purpose"].default,
    )

"""`aidivide export` and `rehydrate` on a real archive, on both engines."""

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.queries import Filters, Prefer, Reader, Selection
from aidivide_archive.cli import cli
from aidivide_archive.exceptions import ConfigError, ExportError
from aidivide_archive.export import Context, Field, Row, exporters, registry
from aidivide_archive.export.manifest import Account
from aidivide_archive.export.sharing import LeftOut, Policy, excerpt, shared
from aidivide_archive.export.target import MANIFEST
from aidivide_archive.urls import article_id, url_id
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location
from tests.support.export_rows import article

IDS = {
    name: article_id(url_id(getattr(filled, name)))
    for name in ("FIRST", "COPY", "CHINESE", "HOSTILE")
}


@pytest.fixture(scope="module", params=ENGINES)
def filled_location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as where:
        filled.fill(where)
        yield where


@pytest.fixture(scope="module")
def sqlite_filled(tmp_path_factory: pytest.TempPathFactory) -> Location:
    where = Location(tmp_path_factory.mktemp("sqlite") / "archive")
    filled.fill(where)
    return where


def run(where: Location, *arguments: str, code: int = 0) -> Result:
    database = ["--database", where.database_url] if where.database_url else []
    line = [*arguments, "--archive", str(where.directory), *database]
    result = CliRunner().invoke(cli, line)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def ids(where: Location, *arguments: str) -> list[str]:
    lines = run(where, "export", "articles", *arguments).stdout.splitlines()
    return [json.loads(line)["id"] for line in lines]


def files_of(path: Path) -> dict[str, bytes]:
    return {
        one.relative_to(path).as_posix(): one.read_bytes()
        for one in path.rglob("*")
        if one.is_file()
    }


# --- the data-set folder -------------------------------------------------------------------------


def test_a_folder_holds_the_whole_data_set(filled_location: Location, tmp_path: Path):
    path = tmp_path / "set"
    assert (
        f"4 articles written to {path}"
        in run(filled_location, "export", "articles", "-o", str(path)).stderr
    )
    assert set(files_of(path)) == {
        "articles.jsonl", "articles.csv", "stories.csv", "matches.csv",
        "codebook.md", "datapackage.json", "CITATION.cff", MANIFEST,
    }  # fmt: skip
    manifest = json.loads((path / MANIFEST).read_text())
    assert manifest["counts"]["kept"] == 4
    assert manifest["counts"]["total"] == 7
    assert manifest["counts"]["dropped"] == {"irrelevant": 1, "queued": 1, "read": 1}
    assert manifest["policy"] == {"dedup": "all", "weights": False}
    assert manifest["archive"]["stages"]["extraction"] == ["test/1"]
    assert manifest["archive"]["events"][filled.EVENT]["title"] == "Talks in the harbour"
    for entry in manifest["files"]:
        content = (path / entry["path"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    package = json.loads((path / "datapackage.json").read_text())
    for resource in package["resources"]:
        content = (path / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        if "schema" in resource:
            header = next(csv.reader(io.StringIO(content.decode(resource["encoding"]))))
            assert header == [field["name"] for field in resource["schema"]["fields"]]
            codebook = (path / "codebook.md").read_text()
            assert all(f"| `{name}` |" in codebook for name in header)


def test_two_exports_are_the_same_bytes_in_every_format(filled_location: Location, tmp_path: Path):
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        run(filled_location, "export", "articles", "-o", str(folder / "set"))
        run(filled_location, "export", "articles", "-o", str(folder / "set.zip"))
        for exporter in exporters().values():
            name = folder / ("f" + exporter.suffix)
            run(filled_location, "export", "articles", "-o", str(name))
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")
    assert len(files_of(tmp_path / "1")) == len(exporters()) + 9


def test_both_engines_give_the_same_rows(sqlite_filled: Location, postgres_location: Location):
    filled.fill(postgres_location)
    found = []
    for where in (sqlite_filled, postgres_location):
        lines = run(where, "export", "articles").stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        # record ids are random, so that lengths of compressed records differ; files are named by their run
        found.append([{**row, "warc_file": None, "warc_offset": None} for row in rows])
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_stories_and_matches_of_a_set_are_those_of_its_articles(
    sqlite_filled: Location, tmp_path: Path
):
    run(sqlite_filled, "export", "articles", "--language", "zh", "-o", str(tmp_path / "zh"))
    assert (tmp_path / "zh" / "stories.csv").read_text("utf-8-sig").count("\n") == 1
    run(sqlite_filled, "export", "articles", "--dedup", "unique", "-o", str(tmp_path / "unique"))
    stories = list(
        csv.DictReader(io.StringIO((tmp_path / "unique" / "stories.csv").read_text("utf-8-sig")))
    )
    assert {row["article_id"] for row in stories} == {IDS["FIRST"], IDS["COPY"]}
    assert (tmp_path / "unique" / "matches.csv").read_text("utf-8-sig").count("\n") == 2


def test_other_sets_go_into_a_folder_as_one_file_and_are_accounted_for(
    sqlite_filled: Location, tmp_path: Path
):
    for kind in ("matches", "stories", "ledger"):
        account = tmp_path / f"{kind}.account.json"
        path = tmp_path / f"{kind}.parquet"
        run(sqlite_filled, "export", kind, "-o", str(path), "--manifest", str(account))
        counts = json.loads(account.read_text())["counts"]
        assert counts["kept"] + sum(counts["dropped"].values()) == counts["total"]
    assert json.loads((tmp_path / "stories.account.json").read_text())["counts"]["dropped"] == {
        "story_of_one": 2
    }


# --- which articles ------------------------------------------------------------------------------


def test_filters_and_words_narrow_the_set(filled_location: Location):
    assert ids(filled_location, "--language", "zh") == [IDS["CHINESE"]]
    assert ids(filled_location, "--outlet", "Two Wire") == [IDS["COPY"]]
    assert ids(filled_location, "-q", "carrots") == [IDS["HOSTILE"]]
    assert ids(filled_location, "-q", "carrots", "--language", "zh") == []


def test_one_article_a_story_is_the_one_preferred(filled_location: Location):
    def chosen(*arguments: str) -> set[str]:
        found = set(ids(filled_location, "--dedup", "unique", *arguments))
        assert {IDS["CHINESE"], IDS["HOSTILE"]} <= found
        return found - {IDS["CHINESE"], IDS["HOSTILE"]}

    assert (
        chosen() == chosen("--prefer", "origin") == chosen("--prefer", "earliest") == {IDS["FIRST"]}
    )
    assert chosen("--prefer", "longest") == {IDS["COPY"]}
    assert chosen("--prefer", "outlets:two wire, One Daily") == {IDS["COPY"]}
    assert chosen("--prefer", "outlets:one.example") == {IDS["FIRST"]}
    # the choice is among what the filters leave
    assert ids(filled_location, "--dedup", "unique", "--outlet", "Two Wire") == [IDS["COPY"]]


def test_weights_of_a_story_sum_to_one(filled_location: Location):
    lines = run(filled_location, "export", "articles", "--weights").stdout.splitlines()
    weights = {row["id"]: row["weight"] for row in map(json.loads, lines)}
    assert weights[IDS["FIRST"]] + weights[IDS["COPY"]] == 1
    assert sum(weights.values()) == 3
    lines = run(
        filled_location, "export", "articles", "--weights", "--outlet", "Two Wire"
    ).stdout.splitlines()
    assert json.loads(lines[0])["weight"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["articles", "--prefer", "longest"], "add --dedup unique"),
        (["articles", "--dedup", "unique", "--prefer", "best"], "write origin, earliest"),
        (["articles", "--dedup", "unique", "--prefer", "outlets:"], "outlets:NAME"),
        (
            ["articles", "--dedup", "unique", "--prefer", "outlets:Nobody"],
            "no article of an outlet 'Nobody'",
        ),
        (["articles", "--dedup", "unique", "--weights"], "weighs 1"),
        (["matches", "--language", "zh"], "are for articles"),
        (["matches", "--format", "ris"], "is for articles, not matches"),
        (["ledger", "--for", "sharing"], "hold no texts"),
        (["articles", "--for", "sharing", "-o", "x.wacz"], "whole pages"),
        (["articles", "--outlet", "Nobody"], "no article of the outlet"),
    ],
)
def test_options_that_do_not_fit_are_said_in_one_line(
    arguments: list[str], words: str, sqlite_filled: Location
):
    result = run(sqlite_filled, "export", *arguments, code=2)
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


SELECTIONS = st.builds(
    Selection,
    query=st.sampled_from((None, "talks", "carrots", "论坛", "nothing")),
    filters=st.builds(
        Filters,
        languages=st.sampled_from(((), ("zh",), ("en",), ("fr",))),
        sites=st.sampled_from(((), ("one.example",), ("two.example", "four.example"))),
        roles=st.sampled_from(((), ("origin",), ("copy", "edited_copy"))),
        relevance=st.sampled_from(((), ("keep",), ("review",))),
        event=st.sampled_from((None, filled.EVENT, "other-event")),
    ),
    unique=st.booleans(),
    prefer=st.sampled_from((Prefer.ORIGIN, Prefer.EARLIEST, Prefer.LONGEST)),
)


@given(selection=SELECTIONS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_kept_and_dropped_are_all_there_is(filled_location: Location, selection: Selection):
    with Reader(filled_location) as reader:
        selected = reader.select(selection)
        rows = list(reader.rows(selected))
        everything = reader.select(replace(selection, unique=False))
    assert len(rows) == len(selected) == len(selected.sizes)
    assert len(rows) + sum(selected.dropped.values()) == selected.total == 7
    stories = {row["story_id"] for row in rows}
    if selection.unique:
        assert len(stories) == len(rows)
        assert set(selected.ids) <= set(everything.ids)
    Account(total=selected.total, dropped=selected.dropped).check(len(rows))
    with pytest.raises(ExportError):
        Account(total=selected.total, dropped=selected.dropped).check(len(rows) + 1)


# --- WARC, WACZ ----------------------------------------------------------------------------------


def test_warc_is_read_by_warcio_and_holds_the_captures(filled_location: Location, tmp_path: Path):
    path, account = tmp_path / "x.warc.gz", tmp_path / "account.json"
    result = run(filled_location, "export", "articles", "-o", str(path), "--manifest", str(account))
    assert "2 articles written" in result.stderr
    assert "no capture 2" in result.stderr
    counts = json.loads(account.read_text())["counts"]
    assert counts["kept"] == 2
    assert counts["kept"] + sum(counts["dropped"].values()) == counts["total"] == 7
    with path.open("rb") as file:
        records = [
            (
                one.rec_type,
                one.rec_headers.get_header("WARC-Target-URI"),
                one.content_stream().read(),
            )
            for one in ArchiveIterator(file, check_digests=True)
        ]
    assert [one[0] for one in records] == ["warcinfo", "response", "request", "response", "request"]
    assert {one[1]: one[2] for one in records if one[0] == "response"} == {
        filled.FIRST: b"<p>1",
        filled.COPY: b"<p>2",
    }


def test_wacz_has_an_index_that_leads_to_every_record(filled_location: Location, tmp_path: Path):
    path = tmp_path / "x.wacz"
    run(filled_location, "export", "articles", "-o", str(path))
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        warc = package.read("archive/data.warc.gz")
        lines = package.read("indexes/index.cdx").decode().splitlines()
        pages = [json.loads(line) for line in package.read("pages/pages.jsonl").splitlines()]
        described = json.loads(package.read("datapackage.json"))
        digest = json.loads(package.read("datapackage-digest.json"))
        for resource in described["resources"]:
            content = package.read(resource["path"])
            assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert (
            digest["hash"]
            == f"sha256:{hashlib.sha256(package.read('datapackage.json')).hexdigest()}"
        )
    assert lines == sorted(lines)
    assert [line.split(" ")[0] for line in lines] == [
        "example,one)/talks",
        "example,two,news)/talks",
    ]
    for line in lines:
        fields = json.loads(line.split(" ", 2)[2])
        start, length = int(fields["offset"]), int(fields["length"])
        (record,) = ArchiveIterator(io.BytesIO(warc[start : start + length]))
        assert record.rec_headers.get_header("WARC-Target-URI") == fields["url"]
        assert record.rec_type == "response"
    assert {page["url"] for page in pages[1:]} == {filled.FIRST, filled.COPY}


def test_a_damaged_capture_is_left_out_and_told(tmp_path: Path):
    where = Location(tmp_path / "archive")
    filled.fill(where)
    for file in where.warc_directory.iterdir():
        file.write_bytes(file.read_bytes()[:-40].replace(b"\x1f\x8b", b"xx"))
    result = run(where, "export", "articles", "-o", str(tmp_path / "x.warc.gz"), code=3)
    assert "capture unreadable 2" in result.stderr


# --- for sharing, and back -----------------------------------------------------------------------


def test_a_set_for_sharing_holds_no_text_and_is_rehydrated(
    filled_location: Location, tmp_path: Path
):
    path = tmp_path / "shared"
    run(filled_location, "export", "articles", "--for", "sharing", "-o", str(path))
    rows = [json.loads(line) for line in (path / "articles.jsonl").read_text("utf-8").splitlines()]
    everything = "".join(one.decode("utf-8", "replace") for one in files_of(path).values())
    assert all(row["text"] is None for row in rows)
    assert {row["text_left_out"] for row in rows} == {"not_permitted"}
    assert rows[0]["excerpt"].startswith("Minister Abara")
    assert len(rows[0]["excerpt"].split()) == 40
    assert filled.TEXT.split("\n")[3] not in everything
    assert json.loads((path / MANIFEST).read_text())["for"] == "sharing"

    back = tmp_path / "back.jsonl"
    result = run(filled_location, "rehydrate", str(path), "-o", str(back))
    assert result.stderr == "4 texts put back, 0 were there, 0 could not be\n"
    full = run(filled_location, "export", "articles").stdout.splitlines()
    assert [json.loads(line)["text"] for line in back.read_text("utf-8").splitlines()] == [
        json.loads(line)["text"] for line in full
    ]


def test_what_cannot_be_rehydrated_is_told_with_the_reason(sqlite_filled: Location, tmp_path: Path):
    known = {"id": IDS["FIRST"], "url": filled.FIRST, "title": "x", "text": None}
    rows = [
        {**known, "text_sha256": "0" * 64},
        {**known, "text_sha256": None},
        {**known, "id": "a-0123456789ab", "text_sha256": "0" * 64},
        {**known, "text": "as it was"},
    ]
    file = tmp_path / "x.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = run(
        sqlite_filled, "rehydrate", str(file), "--json", "-o", str(tmp_path / "y.csv"), code=3
    )
    found = json.loads(result.stdout)["items"]
    assert [one["reason"] for one in found] == ["text_differs", "no_digest", "not_in_archive"]
    result = run(sqlite_filled, "rehydrate", str(file), code=3)
    assert f"{IDS['FIRST']} text differs" in result.stderr
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == [None] * 3 + [
        "as it was"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]\n", "line 1: is no JSON object"),
        ('{"id": "a-1"}\n', "line 1"),
        ("{\n", "line 1"),
        ('{"id": 3}', "no id"),
    ],
)
def test_a_set_that_is_none_is_refused_with_its_line(
    content: str, words: str, sqlite_filled: Location, tmp_path: Path
):
    file = tmp_path / "x.jsonl"
    file.write_text(content)
    result = run(sqlite_filled, "rehydrate", str(file), code=1)
    assert words in result.stderr
    assert "no data set" in run(sqlite_filled, "rehydrate", str(tmp_path), code=2).stderr


def test_foreign_values_of_another_type_become_unknown(sqlite_filled: Location, tmp_path: Path):
    file = tmp_path / "x.jsonl"
    row = {
        "id": IDS["FIRST"],
        "title": ["x"],
        "word_count": "7",
        "authors": [1],
        "surplus": 1,
        "text": "t",
    }
    file.write_text(json.dumps(row) + "\n")
    run(sqlite_filled, "rehydrate", str(file), "-o", str(tmp_path / "x.parquet"))
    found = json.loads(run(sqlite_filled, "rehydrate", str(file)).stdout)
    assert found == {
        "id": IDS["FIRST"],
        "title": None,
        "authors": None,
        "word_count": None,
        "text": "t",
    }


OPEN = {
    "statements": [
        {
            "source": "json-ld:license",
            "value": "https://creativecommons.org/licenses/by/4.0/",
        }
    ],
    "withheld": None,
}


def stating(*statements: tuple[str, str]) -> dict[str, object]:
    """What the row of a capture holds about rights, an open licence among it."""
    added = [{"source": source, "value": value} for source, value in statements]
    return {**OPEN, "statements": [*added, *OPEN["statements"]]}


@pytest.mark.parametrize(
    ("rights", "permitted", "left_out"),
    [
        (None, False, LeftOut.PROFILE),
        (None, True, None),
        (OPEN, False, None),
        (stating(("meta:robots", "noai")), True, LeftOut.RESERVED),
        (stating(("header:tdm-reservation", "1")), True, LeftOut.RESERVED),
        (stating(("header:tdm-reservation", "0"), ("meta:robots", "noodp")), False, None),
    ],
)
def test_a_row_says_why_its_text_is_left_out(
    rights: dict[str, object] | None, permitted: bool, left_out: LeftOut | None
):
    policy = Policy(full_text=permitted)
    row = shared(article(1, rights=rights), policy)
    assert row["text_left_out"] == (left_out.value if left_out else None)
    assert (row["text"] is None) == (left_out is not None)
    assert row["excerpt"]
    assert "rights" not in row
    assert shared(article(1, rights=rights, text=""), policy)["text_left_out"] == "no_text"


def test_a_page_that_is_not_to_be_quoted_is_passed_on_without_its_words():
    words = " ".join(f"word{number}" for number in range(300))
    page = article(1, text=words, description=words, image_caption=words, title="A forum met")
    row = shared({**page, "rights": stating(("meta:robots", "nosnippet"))}, Policy())
    assert (row["excerpt"], row["description"], row["image_caption"]) == (None, None, None)
    assert row["title"] == "A forum met"
    assert "word1" not in json.dumps(row)
    short = {"statements": [{"source": "meta:robots", "value": "max-snippet: 20"}]}
    row = shared({**page, "rights": short}, Policy())
    assert row["excerpt"] == row["description"] == "word0 word1 word2 w…"


def test_no_field_of_a_shared_row_carries_the_text_by_another_name():
    words = " ".join(f"word{number}" for number in range(300))
    row = shared(article(1, text=words, description=words, image_caption=words), Policy())
    assert all(len(str(value)) < 400 for value in row.values())


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        ("one two three", 2, "one two…"),
        ("one two", 2, "one two"),
        ("one\ntwo  three", 3, "one two three"),
        ("弥合智能鸿沟论坛", 2, "弥合智能…"),
        ("AI 弥合智能鸿沟", 2, "AI 弥合…"),
        ("anything", 0, ""),
        ("", 5, ""),
    ],
)
def test_an_excerpt_has_so_many_words_or_twice_as_many_characters(
    text: str, words: int, wanted: str
):
    assert excerpt(text, words) == wanted


def test_a_text_without_blanks_is_still_cut():
    assert len(excerpt("x" * 100_000, 40)) <= 2001


DropIn = Callable[..., None]


@pytest.fixture
def drop_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[DropIn]:
    """Adds a format as a new module in `export/formats` does, for one test."""
    monkeypatch.setattr(registry, "_known", dict(exporters()))

    def add(name: str, suffix: str, **declared: bool) -> None:
        @registry.exporter(name, suffix=suffix, summary="one title a line", **declared)
        def write_titles(
            rows: Iterable[Row], columns: Sequence[Field], stream: BinaryIO, context: Context
        ) -> int:
            return sum(1 for row in rows if stream.write(f"{row['title']}\n".encode()))

        exporters.cache_clear()

    yield add
    monkeypatch.undo()
    exporters.cache_clear()


def test_a_format_that_is_dropped_in_works_and_is_in_the_help(
    drop_in: DropIn, sqlite_filled: Location, tmp_path: Path
):
    drop_in("titles", ".titles")
    text = CliRunner().invoke(cli, ["export", "--help"]).output.partition("\nFormats:\n")[2]
    assert set(re.findall(r"^  (\w+) ", text, re.MULTILINE)) >= {"titles", *exporters()}
    run(sqlite_filled, "export", "articles", "-o", str(tmp_path / "x.titles"))
    assert "Ministers meet in the harbour\n" in (tmp_path / "x.titles").read_text()
    run(sqlite_filled, "export", "articles", "--for", "sharing", "-o", str(tmp_path / "y.titles"))


WHOLE_PAGES = [name for name, exporter in exporters().items() if exporter.whole_pages]


def test_copies_of_captures_hold_whole_pages():
    assert {"wacz", "warc"} <= set(WHOLE_PAGES)


@pytest.mark.parametrize("name", [*WHOLE_PAGES, "mirror"])
def test_a_format_that_holds_whole_pages_is_never_for_sharing(
    name: str, drop_in: DropIn, sqlite_filled: Location, tmp_path: Path
):
    drop_in("mirror", ".mirror", whole_pages=True)
    path = tmp_path / f"x{exporters()[name].suffix}"
    for more in (("-o", str(path)), ("--format", name), ("--format", name, "-o", str(tmp_path))):
        result = run(sqlite_filled, "export", "articles", "--for", "sharing", *more, code=2)
        assert f"{name} holds whole pages" in result.stderr
        assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []
    run(sqlite_filled, "export", "articles", "-o", str(path))
    assert path.exists()


def test_a_format_that_forgot_to_say_so_finds_no_captures_to_share(
    sqlite_filled: Location, monkeypatch: pytest.MonkeyPatch
):
    undeclared = replace(exporters()["warc"], whole_pages=False)
    monkeypatch.setitem(exporters(), "warc", undeclared)
    result = run(
        sqlite_filled, "export", "articles", "--for", "sharing", "--format", "warc", code=2
    )
    assert "come from none" in result.stderr
    assert b"<p>1" not in result.stdout_bytes


def test_an_unknown_event_is_said(sqlite_filled: Location):
    with pytest.raises(ConfigError), Reader(sqlite_filled) as reader:
        reader.select(Selection(filters=Filters(event="x")))


def test_reading_leaves_the_archive_alone(sqlite_filled: Location, tmp_path: Path):
    before = files_of(sqlite_filled.warc_directory)
    run(sqlite_filled, "export", "articles", "-o", str(tmp_path / "x.wacz"))
    assert files_of(sqlite_filled.warc_directory) == before
    with Archive(sqlite_filled):
        assert run(sqlite_filled, "export", "articles").stdout

import csv
import inspect
import io
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

import aidivide_archive
from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.queries import ARTICLE_FIELDS, Reader
from aidivide_archive.archive.storage.engine import REVISION
from aidivide_archive.cli import cli, crawling, reading, searching, terminal
from aidivide_archive.cli.events import slug, template
from aidivide_archive.cli.framework import EXIT_CODES, DocumentedCommand
from aidivide_archive.cli.reference import commands_markdown, walk
from aidivide_archive.config import builtin_events, load_profile
from aidivide_archive.urls import article_id, story_id, url_id
from tests.support import archives
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location
from tests.support.places import ROOT

HEAVY = ("scrapy", "sqlalchemy", "trafilatura", "datasketch", "numpy", "pydantic", "rich", "lxml")
Run = Callable[..., Result]
FIRST_ID = article_id(url_id(filled.FIRST))
STORY_ID = story_id(min(url_id(filled.FIRST), url_id(filled.COPY)))


def where(location: Location) -> list[str]:
    database = ["--database", location.database_url] if location.database_url else []
    return ["--archive", str(location.directory), *database]


def run(*arguments: str, code: int = 0) -> Result:
    """Run a command and check its exit code; nothing may ever show a traceback."""
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def items(result: Result) -> list[dict[str, object]]:
    found = json.loads(result.stdout)
    assert found["schema"] == 1
    assert set(found) >= {"schema", "items"}  # search adds the total and the next page
    return found["items"]


def error_line(result: Result) -> str:
    """The one line on stderr; nothing on stdout."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.fixture(scope="module", params=ENGINES)
def filled_location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    """One filled archive an engine for all tests that only read."""
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as made:
        filled.fill(made)
        yield made


@pytest.fixture(scope="module", params=ENGINES)
def nowhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    """A place without an archive; the tests that use it show that it stays one."""
    with archives.nowhere(request.param, tmp_path_factory.mktemp("nowhere")) as place:
        yield place


@pytest.fixture
def ask(filled_location: Location) -> Run:
    """Run a command on the filled archive."""
    return lambda *arguments, code=0: run(*arguments, *where(filled_location), code=code)


# --- start-up, help ------------------------------------------------------------------------------


def test_help_loads_nothing_heavy():
    code = f"import sys, aidivide_archive.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_help_takes_less_than_a_quarter_second_of_cpu():
    line = [sys.executable, "-m", "aidivide_archive", "--help"]
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(line, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.25


COMMANDS = [
    (" ".join(path), command)
    for path, command in walk(cli, ("aidivide",))
    if not isinstance(command, click.Group)
]


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_has_one_sentence_one_example_and_its_exit_codes(
    name: str, command: click.Command
):
    assert isinstance(command, DocumentedCommand)
    help_text = run(*name.split()[1:], "--help").stdout
    assert command.help is not None
    assert re.fullmatch(r"[A-Z][^.\n]*(\.jsonl[^.\n]*)?\.", inspect.cleandoc(command.help))
    assert set(command.exits) <= set(EXIT_CODES)
    assert f"Example:\n  {command.example.splitlines()[0][:60]}" in help_text
    assert "0 done" in help_text
    for option in ("--archive", "--database", "--debug"):
        assert option in help_text


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_example_parses(
    name: str, command: DocumentedCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "articles.jsonl").touch()
    words = shlex.split(command.example)
    assert words[: len(name.split())] == name.split()
    command.make_context(name, words[len(name.split()) :])


def test_the_reference_is_what_the_commands_say():
    path = ROOT / "docs" / "commands.md"
    regenerate = "python -m aidivide_archive.cli.reference > docs/commands.md"
    assert path.read_text("utf-8") == commands_markdown(cli), f"run: {regenerate}"


def test_version_names_the_package():
    assert run("--version").stdout.startswith("aidivide-archive, version ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["exprot"], "Did you mean 'export'? See `aidivide --help`"),
        (["export", "articles", "--fromat", "csv"], "'--format'"),
        (["event", "chekc"], "Did you mean 'check'? See `aidivide event --help`"),
        (["export", "articels"], "'articels' is not one of"),
        (["export"], "missing argument"),
        (["search"], "name words to look for, or a filter"),
        (["import"], "missing argument"),
        (["import", "no/such/file"], "does not exist"),
        (["search", "x", "--limit", "0"], "--limit"),
        (["status", "surplus"], "unexpected extra argument"),
        (["status", "--database", "mysql://x/y"], "only PostgreSQL is supported"),
        (["status", "--database", "::"], "cannot be read"),
        (["export", "articles", "--format", "xsl"], "no export format 'xsl'"),
        (["export", "articles", "-o", "x.doc"], "does not say the format"),
    ],
)
def test_usage_errors_are_one_line_with_the_next_step(arguments: list[str], words: str):
    assert words in error_line(run(*arguments, code=2))


def test_without_a_command_the_help_is_shown():
    assert "Commands:" in run(code=2).stderr


# --- the choice of the archive -------------------------------------------------------------------

READERS = (
    ["status"],
    ["search", "x"],
    ["stories"],
    ["story", STORY_ID],
    ["show", FIRST_ID],
    ["event", "explain", FIRST_ID],
    ["export", "articles"],
    ["export", "matches", "--format", "csv"],
    ["export", "stories"],
    ["export", "ledger"],
    ["db", "check"],
    ["judge", FIRST_ID, FIRST_ID, "same"],
    ["copies", "rebuild"],
    ["reprocess"],
)


@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_a_missing_archive_is_one_line_and_nothing_is_created(
    nowhere: Location, arguments: list[str]
):
    line = error_line(run(*arguments, *where(nowhere), code=2))
    assert "crawl or import into it first" in line
    assert not nowhere.directory.exists()


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--integrity"], ["event", "list"]])
def test_check_ups_work_without_an_archive_and_create_none(nowhere: Location, arguments: list[str]):
    run(*arguments, *where(nowhere))
    assert not nowhere.directory.exists()


def test_reading_commands_leave_the_directory_as_it_is(filled_location: Location, ask: Run):
    def files() -> dict[Path, bytes]:
        return {
            path: path.read_bytes()
            for path in filled_location.directory.rglob("*")
            # SQLite's own: a reader of a WAL database makes them, the next writer takes them away
            if path.is_file() and not path.name.endswith(("-wal", "-shm"))
        }

    before = files()
    for arguments in READERS[:11]:
        ask(*arguments)
    ask("doctor", "--integrity")
    assert files() == before


def test_the_archive_may_be_named_before_or_after_the_command_or_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    here, there = tmp_path / "here", tmp_path / "there"
    Archive(Location(here)).close()
    assert str(here) in run("--archive", str(here), "status").stdout
    assert str(here) in run("status", "--archive", str(here)).stdout
    assert str(here) in run("--archive", str(there), "status", "--archive", str(here)).stdout
    monkeypatch.setenv("AIDIVIDE_ARCHIVE", str(here))
    assert str(here) in run("status").stdout
    assert str(there) in error_line(run("status", "--archive", str(there), code=2))
    monkeypatch.setenv("AIDIVIDE_ARCHIVE", "")
    monkeypatch.chdir(tmp_path)
    here.rename(tmp_path / "archive")
    assert "archive" in run("status").stdout


# --- reading -------------------------------------------------------------------------------------


def test_status_says_what_there_is_and_what_to_do_next(ask: Run):
    result = ask("status")
    assert re.search(r"^articles +4 \(1 to review\)$", result.stdout, re.MULTILINE)
    assert "rejected\tirrelevant\tpage\t1" in result.stdout
    assert "next:" in result.stderr
    (found,) = items(ask("status", "--json"))
    assert found["articles"] == 4


def test_search_prints_a_table_or_json(ask: Run):
    table = ask("search", "telescopes").stdout.splitlines()
    assert table[0].split("\t") == ["id", "published", "outlet", "title", "text"]
    assert len(table) == 3
    assert {row["url"] for row in items(ask("search", "telescopes", "--json"))} == {
        filled.FIRST,
        filled.COPY,
    }
    nothing = ask("search", "zebra")
    assert nothing.stdout == ""
    assert "nothing found" in nothing.stderr


def test_matches_give_numbers_and_reasons(ask: Run):
    (head, line) = ask("matches").stdout.splitlines()
    assert head.split("\t")[:3] == ["relation", "a in b", "b in a"]
    assert filled.FIRST in line
    (row,) = items(ask("matches", filled.COPY, "--json"))
    assert row["relation"] == "copy"
    assert row["reasons"]
    assert items(ask("matches", filled.CHINESE, "--json", "--all")) == []
    assert "no matches" in ask("matches", filled.CHINESE).stderr
    ask("matches", filled.WAITING, code=1)


def test_compare_marks_passages_additions_and_cuts(ask: Run):
    (found,) = items(ask("compare", filled.FIRST, filled.COPY, "--json"))
    assert found == items(ask("compare", filled.COPY, filled.FIRST, "--json"))[0]
    assert found["relation"] == "copy"
    assert found["passages"][0]["word_count"] >= 8
    assert {one["kind"] for one in found["differences"]} <= {"same", "cut", "added"}
    assert "shared passage" in ask("compare", filled.FIRST, filled.COPY).stdout


def test_compare_gives_the_numbers_of_a_pair_that_does_not_match(ask: Run):
    (found,) = items(ask("compare", filled.FIRST, filled.CHINESE, "--json"))
    assert (found["relation"], found["containment_a"], found["passages"]) == (None, 0.0, [])
    shown = ask("compare", filled.FIRST, filled.CHINESE).stdout
    assert "no match" in shown
    assert "[-" in shown
    assert "{+" in shown
    ask("compare", filled.FIRST, FIRST_ID, code=2)
    ask("compare", filled.FIRST, filled.REFUSED, code=1)


def test_stories_say_who_had_it_first(ask: Run):
    (head, line) = ask("stories").stdout.splitlines()
    assert head.split("\t") == ["story", "articles", "published", "first", "title"]
    assert line.split("\t")[:4] == [STORY_ID, "2", "2025-07-27 02:00", "One Daily"]
    assert len(items(ask("stories", "--all", "--json"))) == 3


def test_a_story_says_who_copied_how_much(ask: Run):
    text = ask("story", STORY_ID).stdout
    assert re.search(r"^first +One Daily, 2025-07-27 02:00$", text, re.MULTILINE)
    copy = next(line for line in text.splitlines() if "Two Wire" in line).split("\t")
    assert copy[3] == "2025-07-28"  # the day, as published
    assert re.fullmatch(r"\d\d%", copy[2])
    (found,) = items(ask("story", filled.COPY, "--json"))
    assert found["id"] == STORY_ID
    _, _, candidates = text.partition("origin\tpoints\tarticle\toutlet\tevidence\n")
    lines = [line.split("\t") for line in candidates.splitlines()]
    assert [line[0] for line in lines] == ["1", "2"]
    assert [line[3] for line in lines] == ["One Daily", "Two Wire"]
    assert [row["rank"] for row in found["candidates"]] == [1, 2]
    assert lines[0][1] == f"{found['candidates'][0]['points']:+.2f}"
    assert found["candidates"][0]["reasons"]
    assert "in no story" in error_line(ask("story", "s-000000000000", code=1))


def test_show_tells_everything_of_an_article(ask: Run):
    text = ask("show", FIRST_ID, "--clutter").stdout
    for words in (
        "Ministers meet in the harbour",
        "One Daily (GB)",
        "Ann Lee, José Díaz",
        "2025-07-27 02:00 (json-ld)",
        "origin in " + STORY_ID,
        f"keep for {filled.EVENT}: 12 points",
        "talks, lead: harbour talks",
        "Share this page",
        "by feed in the profile",
        ".warc.gz at ",
        filled.TEXT,
    ):
        assert words in text
    assert "Share this page" not in ask("show", FIRST_ID).stdout
    (found,) = items(ask("show", filled.FIRST, "--json"))
    assert isinstance(found["article"], dict)
    assert found["article"]["id"] == FIRST_ID


def test_show_tells_why_a_page_is_no_article(ask: Run):
    text = ask("show", filled.REFUSED).stdout
    assert "rejected: irrelevant" in text
    assert "A football match" in text
    assert "queued: not fetched yet" in ask("show", filled.WAITING).stdout
    assert "never seen" in error_line(ask("show", "https://never.example/", code=1))
    assert "no id" in error_line(ask("show", "nonsense", code=2))


def test_explain_shows_the_evidence_or_judges_again(ask: Run, tmp_path: Path):
    text = ask("event", "explain", filled.FIRST).stdout
    assert f"keep for {filled.EVENT} (kept): 12 points" in text
    assert "talks, lead: harbour talks" in text
    profile = tmp_path / "again.toml"
    words = filled.PROFILE.format(id="again").replace("harbour talks", "telescopes")
    profile.write_text(words, "utf-8")
    (found,) = items(ask("event", "explain", FIRST_ID, "--event", str(profile), "--json"))
    assert (found["event_id"], found["score"], found["decision"]) == ("again", 12.0, "keep")
    refused = ask("event", "explain", filled.REFUSED, "--event", str(profile), code=1)
    assert "no text to judge" in error_line(refused)
    assert "not judged" in ask("event", "explain", filled.WAITING).stderr


# --- hostile text --------------------------------------------------------------------------------

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", filled.HOSTILE],
        ["show", filled.HOSTILE, "--json"],
        ["search", "soup"],
        ["search", "soup", "--json"],
        ["stories", "--all"],
        ["story", filled.HOSTILE],
    ],
    ids=" ".join,
)
def test_a_hostile_title_cannot_drive_the_terminal(ask: Run, arguments: list[str]):
    result = ask(*arguments)
    assert "bold" in result.stdout  # it is shown, and never taken for markup
    shown = result.stdout.replace("\u202e", "") if "--json" in arguments else result.stdout
    assert not UNSAFE.search(shown)


def test_safe_text_has_no_controls_and_one_line():
    assert (
        terminal.safe("a\x1b[31mb\x9bc\x07\u202ed\ud800")
        == "a\ufffd[31mb\ufffdc\ufffd\ufffdd\ufffd"
    )
    assert terminal.safe(" a\r\n b\t\u2028c ") == "a b c"
    assert terminal.safe("a\x1b\nb", lines=True) == "a\ufffd\nb"
    assert terminal.safe("弥合 café 👩‍🌾") == "弥合 café 👩‍🌾"


def test_a_day_is_shown_as_that_of_the_publisher_and_a_moment_in_utc():
    day = {"published_at": None, "published_from": "2025-07-27T16:00:00Z"}
    assert terminal.shown_time(day | {"published_day": "2025-07-28"}) == "2025-07-28"
    moment = {"published_at": "2025-07-27T22:30:00Z", "published_day": "2025-07-28"}
    assert terminal.shown_time(moment) == "2025-07-27 22:30"
    assert terminal.shown_time({"published_at": None, "published_day": None}) == ""


# --- export --------------------------------------------------------------------------------------


def test_export_writes_the_contracts_rows_and_the_same_bytes_twice(ask: Run):
    for kind, count in (("articles", 4), ("matches", 1), ("stories", 2), ("ledger", 7)):
        first, second = ask("export", kind), ask("export", kind)
        assert first.stdout_bytes == second.stdout_bytes
        assert first.stderr == ""
        rows = [json.loads(line) for line in first.stdout.splitlines()]
        assert len(rows) == count
    assert list(json.loads(ask("export", "articles").stdout.splitlines()[0])) == list(
        ARTICLE_FIELDS
    )
    assert len(ask("export", "stories", "--all").stdout.splitlines()) == 4


def test_export_goes_to_a_file_by_its_suffix_or_into_a_folder(ask: Run, tmp_path: Path):
    path = tmp_path / "a.csv"
    result = ask("export", "articles", "-o", str(path))
    assert result.stdout == ""
    assert result.stderr == f"4 articles written to {path}\n"
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    assert rows[0]["id"] == FIRST_ID
    assert any(row["title"].startswith("'=HYPERLINK") for row in rows)
    ask("export", "articles", "-o", str(path), "--raw")
    assert path.read_bytes().startswith(b"id,")
    assert "'=HYPERLINK" not in path.read_text("utf-8")
    assert ask("export", "ledger", "-o", "-").stdout == ask("export", "ledger").stdout
    ask("export", "ledger", "-o", str(tmp_path))
    assert len((tmp_path / "ledger.jsonl").read_text("utf-8").splitlines()) == 7
    broken = ask("export", "articles", "-o", str(tmp_path / "absent" / "a.csv"), code=1)
    assert "cannot write" in error_line(broken)


def test_export_of_one_event(ask: Run):
    kept = ask("export", "articles", "--event", "other-event").stdout.splitlines()
    assert [json.loads(line)["url"] for line in kept] == [filled.HOSTILE]
    assert "there are: harbour-talks, other-event" in error_line(
        ask("export", "articles", "--event", "x", code=2)
    )
    assert "for articles" in error_line(ask("export", "matches", "--event", "x", code=2))


# --- events --------------------------------------------------------------------------------------


def test_a_new_profile_is_valid_and_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert "next: edit it" in run("event", "new", "COP 30, Belém").stderr
    profile = load_profile("cop-30-belem.toml")
    assert (profile.event.id, profile.event.title) == ("cop-30-belem", "COP 30, Belém")
    assert "exists already" in error_line(run("event", "new", "cop 30 belem", code=2))
    run("event", "new", "forum", "--title", 'a "b" \\ c \x1b 弥合', "-o", "other.toml")
    assert load_profile("other.toml").event.title == 'a "b" \\ c \ufffd 弥合'
    assert "Latin letters" in error_line(run("event", "new", "弥合", code=2))
    assert "cannot write" in error_line(run("event", "new", "x", "-o", "absent/x.toml", code=1))


def test_every_commented_line_of_the_template_is_valid_too(tmp_path: Path):
    """Whoever removes the comment signs gets a profile that works."""
    path = tmp_path / "all.toml"
    lines = template("all", "All").splitlines()
    text = "\n".join(re.sub(r"^# (?=\[|\w+ = )", "", line) for line in lines)
    path.write_text(text.replace('file = "outlets.csv"', 'file = "o.csv"'), "utf-8")
    (tmp_path / "o.csv").write_text("domain,name\nfive.example,Five\n", "utf-8")
    profile = load_profile(str(path))
    assert [group.name for group in profile.groups] == ["event name", "subject"]
    assert {source.domain for source in profile.sources} == {"times.example", "five.example"}
    assert profile.politeness.contact is not None


def test_an_event_id_is_made_of_any_words():
    assert slug("  COP 30: Belém! ") == "cop-30-belem"
    assert slug("弥合") == ""
    assert len(slug("x" * 500)) == 80


def test_check_says_the_first_mistake_with_its_key(tmp_path: Path):
    path = tmp_path / "bad.toml"
    path.write_text(filled.PROFILE.format(id="x").replace("weight", "wieght"), "utf-8")
    line = error_line(run("event", "check", str(path), code=2))
    assert "did you mean 'weight'" in line
    assert "no such file" in error_line(run("event", "check", "nothing", code=2))


@pytest.mark.parametrize("name", builtin_events())
def test_built_in_events_check_and_are_listed(name: str, tmp_path: Path):
    result = run("event", "check", name)
    assert "the profile is valid" in result.stderr
    assert items(run("event", "check", name, "--json"))[0]["schema"] == 1
    listed = items(run("event", "list", "--json", "--archive", str(tmp_path / "none")))
    assert name in [row["event"] for row in listed]


def test_events_of_the_archive_are_listed(ask: Run):
    found = {row["event"]: row["where"] for row in items(ask("event", "list", "--json"))}
    assert found[filled.EVENT] == "archive"


def test_schemas_are_json():
    assert json.loads(run("event", "schema").stdout)["title"] == "Profile"
    assert {"url", "title", "text"} <= set(
        json.loads(run("import", "--schema").stdout)["properties"]
    )


# --- writing -------------------------------------------------------------------------------------


def articles_file(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    return path


GOOD = {"url": "https://five.example/1", "title": "One", "text": filled.TEXT}
SAME = {"url": "https://six.example/1", "title": "Two", "text": filled.TEXT + " And more."}


def test_import_and_judge(location: Location, tmp_path: Path):
    path = articles_file(tmp_path / "a.jsonl", GOOD, SAME)
    place = where(location)
    assert run("import", str(path), *place).stdout.startswith("2 new, 0 unchanged")
    (again,) = items(run("import", str(path), "--json", *place))
    assert (again["new"], again["unchanged"]) == (0, 2)
    assert len(items(run("stories", "--json", *place))) == 1
    told = run("judge", GOOD["url"], SAME["url"], "different", "--note", "n", *place)
    assert "judged different" in told.stderr
    assert items(run("stories", "--json", *place)) == []
    run("judge", SAME["url"], article_id(url_id(GOOD["url"])), "same", *place)
    assert len(items(run("stories", "--json", *place))) == 1
    assert "2 articles" in run("copies", "rebuild", *place).stdout
    assert "same article" in error_line(
        run("judge", GOOD["url"], GOOD["url"], "same", *place, code=2)
    )
    unknown = run("judge", GOOD["url"], "https://x.example/", "same", *place, code=1)
    assert "no article" in error_line(unknown)
    assert run("db", "check", *place).stdout == f"schema {REVISION}: current\n"
    assert run("reprocess", *place).stdout.startswith("0 read")


def test_import_ends_with_3_when_a_part_failed_and_1_when_all_did(tmp_path: Path):
    place = ("--archive", str(tmp_path / "archive"))
    part = articles_file(tmp_path / "part.jsonl", GOOD, {"url": "x"})
    result = run("import", str(part), *place, code=3)
    assert result.stdout.startswith("1 new")
    assert "warning: " in result.stderr
    nothing = articles_file(tmp_path / "none.jsonl", {"url": "x"}, 3)
    run("import", str(nothing), *place, code=1)


def test_upgrade_makes_an_archive_once(nowhere: Location):
    assert "made an empty archive" in run("db", "upgrade", *where(nowhere)).stderr
    assert "nothing to do" in run("db", "upgrade", *where(nowhere)).stderr


def test_a_second_writer_is_refused_in_one_line(sqlite_location: Location):
    with Archive(sqlite_location):
        for arguments in (["copies", "rebuild"], ["db", "upgrade"]):
            line = error_line(run(*arguments, *where(sqlite_location), code=1))
            assert f"pid {os.getpid()}" in line
            assert "--wait" in line
        run("status", *where(sqlite_location))  # readers always work


# --- doctor --------------------------------------------------------------------------------------


def test_doctor_says_where_each_value_comes_from(ask: Run, filled_location: Location):
    found = {row["topic"]: row for row in items(ask("doctor", "--integrity", "--json"))}
    assert found["archive"]["source"] == "option"
    assert found["schema"]["value"] == f"{REVISION}, current"
    assert found["integrity"]["value"] == "sound"
    assert found["database"]["source"] == ("default" if filled_location.is_sqlite else "option")
    for name in ("python", "scrapy", "sqlite", "free disk"):
        assert found[name]["value"]


def test_doctor_shows_a_profiles_values_and_hides_passwords(tmp_path: Path):
    url = "postgresql+psycopg://me:s3cret@127.0.0.1:1/none"
    arguments = ("--archive", str(tmp_path), "--database", url)
    result = run("doctor", "--event", builtin_events()[0], *arguments, code=1)
    assert "s3cret" not in result.output
    assert "***" in result.stdout
    assert re.search(r"\[politeness\] \w+\t.*\t(event profile|default)", result.stdout)
    assert result.stderr.splitlines()[-1].startswith("error: 1 of ")
    assert "s3cret" not in run("status", *arguments, code=1).output


def test_doctor_fails_when_the_archive_is_damaged(tmp_path: Path):
    location = Location(tmp_path / "archive")
    filled.fill(location)
    for path in location.warc_directory.iterdir():
        path.unlink()
    result = run("doctor", "--integrity", *where(location), code=1)
    assert "integrity: warc_missing" in result.stdout
    location.database_path.write_bytes(b"x" * 4096)
    for arguments in (["doctor"], ["status"], ["export", "articles"], ["search", "x"]):
        assert "error: " in run(*arguments, *where(location), code=1).stderr


# --- crawl ---------------------------------------------------------------------------------------


def test_an_installation_that_lost_its_crawler_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "site-packages" / "aidivide_archive" / "cli"
    monkeypatch.setattr(crawling, "__file__", str(package / "crawling.py"))
    line = error_line(run("crawl", "--archive", str(tmp_path / "a"), code=2))
    assert "the crawler is missing" in line
    assert not (tmp_path / "a").exists()


def test_the_crawler_of_the_checkout_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert crawling.find_project() == crawling.ScrapyProject("crawler.settings", ROOT)


def test_crawl_hands_over_absolute_places_and_keeps_the_password_off_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[tuple[list[str], Path, str | None]] = []

    def child(line: list[str], folder: Path, environment: dict[str, str]) -> int:
        seen.append((line, folder, environment.get("AIDIVIDE_DATABASE_URL")))
        return 3

    monkeypatch.setattr(crawling, "run_child", child)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").touch()
    url = "postgresql+psycopg://me:s3cret@h/d"
    run(
        "crawl",
        "--event",
        "my.toml",
        "--archive",
        "x",
        "--database",
        url,
        "--",
        "-s",
        "A=1",
        code=3,
    )
    ((line, folder, database),) = seen
    assert folder == ROOT
    assert database == url
    assert "s3cret" not in " ".join(line)
    assert f"event={tmp_path / 'my.toml'}" in line
    assert f"archive={tmp_path / 'x'}" in line
    assert line[-2:] == ["-s", "A=1"]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("raise SystemExit(3)", 3),
        ("import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)", 130),
        ("import os; os.kill(os.getpid(), 9)", 1),
    ],
)
def test_a_childs_end_is_an_exit_code_of_ours(code: str, exit_code: int, tmp_path: Path):
    before = signal.getsignal(signal.SIGINT)
    assert crawling.run_child([sys.executable, "-c", code], tmp_path, os.environ) == exit_code
    assert signal.getsignal(signal.SIGINT) is before


def test_a_wrong_profile_ends_a_crawl_with_2(tmp_path: Path):
    line = [sys.executable, "-m", "aidivide_archive", "crawl", "--event", "no-such-event"]
    found = subprocess.run(
        [*line, "--archive", str(tmp_path / "a")], capture_output=True, text=True, check=False
    )
    assert found.returncode == 2
    assert "error: no-such-event" in found.stderr
    assert not (tmp_path / "a").exists()


# --- the last door -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            RuntimeError("odd \x1b[31m"),
            1,
            "error: a fault of this program: RuntimeError: odd \ufffd[31m",
        ),
        (KeyboardInterrupt(), 130, "interrupted: what was stored is safe"),
        (OSError(28, "No space left on device"), 1, "error: No space left on device"),
        (BrokenPipeError(32, "Broken pipe"), 0, ""),
    ],
)
def test_every_end_is_a_line_and_a_code(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def fail(_self: object) -> None:
        raise error

    monkeypatch.setattr(Reader, "__enter__", fail)
    result = run("status", "--archive", str(tmp_path), code=code)
    assert result.stderr.startswith(words)
    assert len(result.stderr.splitlines()) == (1 if words else 0)


def test_debug_shows_the_traceback(tmp_path: Path):
    for arguments in (["--debug", "status"], ["status", "--debug"]):
        result = CliRunner().invoke(cli, [*arguments, "--archive", str(tmp_path / "none")])
        assert result.exit_code == 2
        assert "Traceback" in result.stderr
        assert result.stderr.splitlines()[-1].startswith("error: no archive in")


def aidivide(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-W", "error", "-m", "aidivide_archive", *arguments]
    return subprocess.run(line, capture_output=True, check=False, **options)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Location:
    location = Location(tmp_path_factory.mktemp("real") / "archive")
    filled.fill(location)
    return location


def test_a_closed_pipe_is_no_error(real: Location):
    line = f"{shlex.quote(sys.executable)} -m aidivide_archive export articles --archive {shlex.quote(str(real.directory))}"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        found = subprocess.run(
            shlex.split(line), stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert found.stderr == b""
    assert found.returncode == 0


def test_a_locale_without_unicode_is_no_reason_to_fail(real: Location):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    found = aidivide("search", "鸿沟", "--archive", str(real.directory), env=environment)
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"three.example" in found.stdout


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_tables_fit_its_width(ask: Run, width: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", str(width))
    for module in (terminal, reading, searching):
        monkeypatch.setattr(module, "is_terminal", lambda: True)
    for arguments in (["story", STORY_ID], ["stories", "--all"], ["doctor"]):
        shown = ask(*arguments).stdout
        assert "\t" not in shown
        assert STORY_ID in shown or arguments[0] not in ("story", "stories")
        # the reasons of a story stand below its table, as long as they are
        assert all(cell_len(line) <= width for line in shown.splitlines() if line[:2] != "a-")
    hits = ask("search", "ministers").stdout.splitlines()
    assert hits[0] == "Ministers meet in the harbour"
    assert hits[1].split() == [FIRST_ID, "2025-07-27", "02:00", "One", "Daily"]


def test_a_real_terminal_gets_no_escape_but_bold_and_none_is_needed(real: Location):
    arguments = ("stories", "--all", "--archive", str(real.directory))
    shown = re.sub("\x1b\\[[01]m", "", on_a_terminal(*arguments, NO_COLOR="1"))
    assert STORY_ID in shown
    assert "\x1b" not in shown


def on_a_terminal(*arguments: str, **environment: str) -> str:
    import pty

    line = [sys.executable, "-m", "aidivide_archive", *arguments]
    ours, theirs = pty.openpty()
    variables = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm", **environment}
    with subprocess.Popen(line, stdout=theirs, stderr=theirs, stdin=theirs, env=variables) as child:
        os.close(theirs)
        chunks = []
        try:
            while chunk := os.read(ours, 65_536):
                chunks.append(chunk)
        except OSError:  # Linux: the other end is closed
            pass
    os.close(ours)
    assert child.returncode == 0
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_the_package_has_a_module_entry():
    assert (Path(inspect.getfile(aidivide_archive)).parent / "__main__.py").is_file()

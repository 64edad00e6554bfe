"""Secrets, files and terminals: what must never leave, be followed or be printed (rows S08, S09, S10, S13)."""

import ast
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.cli import terminal
from aidivide_archive.cli.program import cli
from aidivide_archive.exceptions import StoreError
from aidivide_archive.ingest.reading import read
from aidivide_archive.ingest.service import import_profile
from aidivide_archive.model import Capture, LeasedUrl, UrlKind
from aidivide_archive.urls import url_id
from tests.support import filled_archive as filled
from tests.support.archives import postgres_database
from tests.support.places import ROOT
from tests.support.small_archive import NOW, import_pages, page

SOURCES = [*(ROOT / "src").rglob("*.py"), *(ROOT / "crawler").rglob("*.py")]
SECRET = "canary-7f3a-password"


# --- S08 -----------------------------------------------------------------------------------------


def runs_what_it_reads(tree: ast.AST) -> list[str]:
    """Calls by which bytes that were read could become code."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            words = [keyword.arg for keyword in node.keywords]
            if name in ("eval", "exec", "yaml.load", "np.load", "numpy.load", "read_pickle"):
                found.append(name)
            if "allow_pickle" in words or name.endswith((".to_pickle", ".read_pickle")):
                found.append(name)
    return found


@pytest.mark.fault("S08")
def test_no_source_file_turns_bytes_into_code():
    assert runs_what_it_reads(ast.parse("np.load('x', allow_pickle=True)"))  # the search works
    assert len(SOURCES) > 100
    forbidden = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    for path in SOURCES:
        tree = ast.parse(path.read_bytes())
        assert runs_what_it_reads(tree) == [], path
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & forbidden, path


# --- S09 -----------------------------------------------------------------------------------------


RUN_ALL = """
import json, os, sys, traceback
from aidivide_archive.cli import main
for words, environment in json.load(sys.stdin):
    os.environ.update(environment)
    sys.argv[1:] = words
    try:
        main()
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
"""


def run(commands: list[tuple[list[str], dict[str, str]]]) -> str:
    """Everything that commands print, one after the other with their environments, also with a traceback."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.mark.slow  # commands in processes of their own
@pytest.mark.fault("S09")
def test_the_password_of_a_database_is_nowhere(tmp_path: Path):
    with postgres_database() as url:
        made = sa.make_url(url).set(password=SECRET)
        secret_url = made.render_as_string(hide_password=False)
        where = Location(tmp_path / "archive", secret_url)
        import_pages(where, {"https://one.example/a": page(1)})
        closed = made.set(port=1).render_as_string(hide_password=False)
        missing = made.set(database="no_such_database").render_as_string(hide_password=False)
        place = {"AIDIVIDE_ARCHIVE": str(where.directory)}
        commands = [
            (words, {**place, "AIDIVIDE_DATABASE_URL": database})
            for database in (closed, missing, secret_url)
            for words in (["doctor", "--json"], ["--debug", "status"])
        ]
        commands.append((["export", "articles"], {}))
        commands.append(
            (["--debug", "--database", f"mysql://root:{SECRET}@localhost/x", "status"], {})
        )
        printed = run(commands) + repr(where) + where.shown()
        engine = read_engine(where)
        with engine.connect() as connection:
            tables = schema.metadata.sorted_tables
            stored = [
                tuple(row) for table in tables for row in connection.execute(sa.select(table))
            ]
        engine.dispose()
    assert "https://one.example/a" in printed
    assert printed.count("Traceback") >= 3
    assert len(stored) > 10
    assert SECRET not in printed
    assert SECRET not in repr(stored)
    for path in where.directory.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


@pytest.mark.fault("S09")
def test_credentials_inside_urls_are_neither_stored_nor_printed(
    sqlite_location: Location, tmp_path: Path
):
    url = f"https://user:{SECRET}@news.example/a"
    leased = LeasedUrl(
        id=url_id("https://news.example/b"),
        url="https://news.example/b",
        host="news.example",
        kind=UrlKind.PAGE,
        depth=0,
        redirects=0,
        attempts=0,
    )
    redirected = Capture(
        url=leased.url, captured_at=NOW, status=302, headers=(("Location", url),), body=b""
    )
    assert SECRET not in repr(read(redirected, leased, import_profile()))

    lines = tmp_path / "ready.jsonl"
    lines.write_text(json.dumps({"url": url, "title": "A title", "text": "A text."}) + "\n")
    import_pages(sqlite_location, {"https://news.example/b": page(1, f'<a href="{url}">x</a>')})
    archive = ["--archive", str(sqlite_location.directory)]
    printed = []
    for words in (
        ["import", str(lines)],
        ["show", url],
        ["purge", url, "--yes"],
        ["export", "ledger"],
    ):
        done = CliRunner().invoke(cli, [*archive, *words])
        printed.append(done.output)
    assert SECRET not in "".join(printed)
    assert SECRET.encode() not in sqlite_location.database_path.read_bytes()


# --- S10 -----------------------------------------------------------------------------------------


@pytest.mark.fault("S10")
def test_only_the_owner_reads_an_archive_whatever_the_umask(tmp_path: Path):
    where = Location(tmp_path / "deep" / "archive")
    before = os.umask(0)
    try:
        import_pages(where, {"https://one.example/a": page(1)})
        with Archive(where) as archive:  # while the log and the lock are there
            archive.submit(lambda c: None).result()
            modes = {
                path.relative_to(where.directory).as_posix(): stat.S_IMODE(path.stat().st_mode)
                for path in [where.directory, *where.directory.rglob("*")]
            }
    finally:
        os.umask(before)
    assert modes.pop(".") == modes.pop("warc") == 0o700
    assert {"archive.db", "writer.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.fault("S10")
@pytest.mark.parametrize("name", ["writer.lock", "archive.db"])
def test_a_link_in_place_of_an_archives_file_is_not_followed(name: str, tmp_path: Path):
    where = Location(tmp_path / "archive")
    where.directory.mkdir()
    victim = tmp_path / "victim"
    if name == "writer.lock":
        victim.write_text("precious")
    (where.directory / name).symlink_to(victim)
    with pytest.raises(StoreError) as error:
        Archive(where)
    assert "\n" not in str(error.value)
    assert not victim.exists() if name == "archive.db" else victim.read_text() == "precious"


@pytest.mark.fault("S10")
def test_an_export_takes_the_place_of_a_link_and_leaves_its_target(tmp_path: Path):
    where = Location(tmp_path / "archive")
    import_pages(where, {"https://one.example/a": page(1)})
    victim, target = tmp_path / "victim", tmp_path / "articles.jsonl"
    victim.write_text("precious")
    target.symlink_to(victim)
    words = ["--archive", str(where.directory), "export", "articles", "-o", str(target)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert victim.read_text() == "precious"
    assert not target.is_symlink()


@pytest.mark.fault("S10")
def test_the_file_list_of_a_folder_leads_nowhere_else(tmp_path: Path):
    folder, outside = tmp_path / "pages", tmp_path / "secret.html"
    folder.mkdir()
    outside.write_bytes(page(3))
    (folder / "link.html").symlink_to(outside)
    names = ("../secret.html", str(outside), "link.html", "..", "")
    rows = "".join(f"{name},https://one.example/{n}\n" for n, name in enumerate(names))
    (folder / "urls.csv").write_text("file,url\n" + rows)
    words = ["--archive", str(tmp_path / "archive"), "import", str(folder)]
    done = CliRunner().invoke(cli, words)
    assert "5 failed" in done.output
    with Reader(Location(tmp_path / "archive")) as reader:
        assert list(reader.articles()) == []


# --- S13 -----------------------------------------------------------------------------------------

HOSTILE = "Words\r\nforged line\x1b]0;owned\x07\x1b[2J\u202eesrever\u2066\x9b31m\x00 =cmd"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Location:
    """The filled archive, and hostile words in every column of text that people are shown."""
    where = Location(tmp_path_factory.mktemp("hostile") / "archive")
    filled.fill(where)
    evil = HOSTILE.replace("\x00", "")

    def poison(connection: sa.Connection) -> None:
        connection.execute(sa.update(schema.articles).values(title=evil, published_source=evil))
        connection.execute(sa.update(schema.extractions).values(title=evil))
        connection.execute(sa.update(schema.relevance).values(title=evil))
        connection.execute(sa.update(schema.claims).values(value=evil, source=evil))
        connection.execute(sa.update(schema.observations).values(detail=evil))
        connection.execute(sa.update(schema.urls).values(detail=evil))
        connection.execute(sa.update(schema.matches).values(reasons=[evil]))
        connection.execute(sa.update(schema.story_members).values(reasons=[evil]))
        connection.execute(sa.update(schema.crawls).values(owner=evil, finish_reason=evil))
        connection.execute(sa.update(schema.events).values(title=evil))
        connection.execute(
            sa.insert(schema.clutter_rules).values(
                site="one.example", line_hash=1, sample=evil, pages=3, status="learned", version="1"
            )
        )

    with Archive(where) as archive:
        archive.submit(poison).result()
    return where


COMMANDS = (
    ["status"],
    ["search", "harbour"],
    ["stories", "--all"],
    ["story", filled.FIRST],
    ["show", filled.FIRST, "--clutter"],
    ["show", filled.REFUSED],
    ["compare", filled.FIRST, filled.COPY],
    ["matches", filled.FIRST],
    ["clutter", "one.example"],
    ["doctor", "--integrity"],
    ["verify"],
    ["purge", filled.FIRST, "--dry-run"],
    ["show", f"https://x.example/{HOSTILE[:20]}"],
    ["search", HOSTILE[7:]],
)


@pytest.mark.fault("S13")
@pytest.mark.parametrize("terminal_like", [False, True], ids=["piped", "terminal"])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_line_that_is_printed_drives_a_terminal_or_forges_a_line(
    words: list[str], terminal_like: bool, hostile: Location, monkeypatch: pytest.MonkeyPatch
):
    for module in ("terminal", "reading", "comparing"):
        monkeypatch.setattr(
            f"aidivide_archive.cli.{module}.is_terminal", lambda: terminal_like, raising=False
        )
    monkeypatch.setenv("TERM", "dumb")
    done: Any = CliRunner().invoke(cli, ["--archive", str(hostile.directory), *words])
    assert done.exit_code in (0, 1, 2), done.output
    assert "a fault of this program" not in done.output
    told = done.stdout + done.stderr
    bad = {one for one in told if one not in "\n\t" and terminal.safe(one) == "\ufffd" != one}
    assert bad == set()
    assert not any(line.startswith("forged line") for line in told.splitlines())


def test_postgresql_is_what_these_tests_reach():
    """A password test without a server shows nothing: the skip is visible."""
    with postgres_database() as url, psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)

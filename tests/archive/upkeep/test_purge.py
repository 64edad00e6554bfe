"""A purged page is gone from everywhere and does not come back (row L03 of the fault matrix)."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader, Search
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.archive.upkeep.purge_plan import target_of
from aidivide_archive.archive.upkeep.purging import JOURNAL, purge
from aidivide_archive.cli.program import cli
from aidivide_archive.exceptions import ArchiveLockedError, ConfigError, StoreError
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.ingest.imports import import_paths
from aidivide_archive.model import Capture, Channel, UrlKind
from aidivide_archive.warc.records import iter_captures
from tests.support import small_archive
from tests.support.small_archive import assert_sound, import_pages, rows_of

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
PLAIN = "A committee of gardeners planted one hundred apple trees."
CANARY = "The pelican of the ministry counted nineteen lanterns"
WORD = "pelican"
SECRET = "https://www.one.example/secret"
COPY = "https://www.one.example/copy"
OTHER = "https://www.two.example/other"
STEPS = ("journal", "file", "files", "transaction", "commit", "unlink", "erased")


def fill(location: Location) -> None:
    """Two copies of the secret text and two other pages in one WARC file; a second run in another."""
    secret = small_archive.page(2, *[f"{CANARY} in hall {n}." for n in range(9)], title=CANARY)
    other = small_archive.page(1, PLAIN)
    last = "https://www.two.example/last"
    import_pages(
        location, {OTHER: other, SECRET: secret, COPY: secret, last: small_archive.page(3)}
    )
    revised = secret.replace(b"<h1>", b"<p>The number was put right.</p><h1>")
    import_pages(location, {SECRET: revised, OTHER: other}, minutes=60)


@pytest.fixture
def filled(location: Location) -> Location:
    fill(location)
    return location


def purge_in(location: Location, what: str, step=lambda _name: None) -> None:
    with Archive(location) as archive:
        archive.begin("purge")
        try:
            purge(archive, target_of(what), reason="asked", now=NOW, step=step)
        except StoreError as error:  # another user of the server, not this archive
            if "older than the purge" not in str(error):
                raise
            pytest.skip(str(error))
        archive.finish("finished")


def bytes_of(location: Location) -> bytes:
    """Every byte the archive holds: files, also inside gzip, and on PostgreSQL the files of its tables."""
    found = b""
    for path in sorted(location.directory.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            found += raw + (gzip.decompress(raw) if path.suffix == ".gz" else b"")
    if location.database_url:
        url = location.database_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
                "WHERE relkind IN ('r', 't', 'i') AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)"
            )
            found += b"".join(row[0] or b"" for row in rows)
    return found


@pytest.mark.fault("L03")
def test_not_a_byte_of_a_purged_page_is_left(filled: Location):
    assert WORD.encode() in bytes_of(filled)
    with Reader(filled) as reader:
        [story] = reader.story_list()
        assert story["articles"] == 2
    purge_in(filled, SECRET)
    purge_in(filled, COPY)
    left = bytes_of(filled)
    assert WORD.encode() not in left
    assert WORD.encode("utf-16-le") not in left
    assert b"gardeners" in left
    assert_sound(filled)
    with Reader(filled) as reader:
        assert reader.story_list() == []
        assert reader.search(Search(query=WORD)).total == 0
        assert reader.search(Search(query="gardeners")).total == 1
        states = {row["url"]: (row["state"], row["reason"]) for row in reader.ledger()}
        assert WORD not in json.dumps(list(reader.articles()))
    assert states[SECRET] == ("rejected", "purged")
    assert states[OTHER][0] == "done"
    assert not (filled.directory / JOURNAL).exists()


@pytest.mark.fault("L03")
def test_a_site_goes_with_all_its_pages_and_the_others_stay(filled: Location):
    purge_in(filled, "one.example")
    assert_sound(filled)
    assert WORD.encode() not in bytes_of(filled)
    with Reader(filled) as reader:
        assert {row["site"] for row in reader.articles()} == {"two.example"}
    kept = [
        one.capture.url for path in filled.warc_directory.iterdir() for one in iter_captures(path)
    ]
    assert sorted(kept) == sorted([OTHER, OTHER, "https://www.two.example/last"])


@pytest.mark.fault("L03")
def test_what_was_purged_is_neither_imported_nor_queued_again(filled: Location, tmp_path: Path):
    purge_in(filled, SECRET)
    purge_in(filled, "three.example")  # never seen: its pages are kept out all the same
    third = "https://three.example/a"
    import_pages(filled, dict.fromkeys((SECRET, third), small_archive.page(9, CANARY)))
    lines = [{"url": url, "title": "x", "text": CANARY} for url in (SECRET, third)]
    ready = tmp_path / "ready.jsonl"
    ready.write_text("".join(json.dumps(line) + "\n" for line in lines))
    import_paths(filled, [ready], workers=1)
    with Archive(filled) as archive:
        archive.begin("crawl")
        seen = [discovery(url, kind=UrlKind.PAGE, channel=Channel.LINK) for url in (SECRET, third)]
        archive.discover(seen).result()
        leased = archive.lease(limit=9, per_host=9, pages_per_host=99).result().urls
        archive.finish("finished")
    assert leased == ()
    with Reader(filled) as reader:
        assert not {SECRET, third} & {row["url"] for row in reader.articles()}
        reasons = {row["url"]: row["reason"] for row in reader.ledger()}
    assert reasons[SECRET] == reasons[third] == "purged"


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.upkeep.purge_plan import target_of
from aidivide_archive.archive.upkeep.purging import purge
directory, url, what, at = sys.argv[1:]
def step(name):
    if name == at:
        os.kill(os.getpid(), signal.SIGKILL)
with Archive(Location(Path(directory), url or None)) as archive:
    archive.begin("purge")
    purge(archive, target_of(what), reason=None, now=datetime.now(UTC), step=step)
    archive.finish("finished")
"""


@pytest.mark.slow  # a process for each point
@pytest.mark.fault("L03")
def test_a_purge_killed_at_any_point_leaves_a_sound_archive_and_goes_on(
    location: Location, tmp_path: Path
):
    """Killed at one point after the other, each time repeated until the next: the states add up."""
    fill(location)
    for at in STEPS:
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(location.directory), location.database_url or "", "one.example", at],
            check=False,
            env={**os.environ},
            timeout=60,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, at
        with Reader(location) as reader:
            assert integrity(reader) == [], at
            sites = {row["site"] for row in reader.articles()}
        before = STEPS.index(at) <= STEPS.index("transaction")
        assert sites == ({"one.example", "two.example"} if before else {"two.example"}), at
    purge_in(location, "one.example")
    assert_sound(location)
    assert WORD.encode() not in bytes_of(location)


def test_a_reader_that_holds_the_old_bytes_is_named_and_the_purge_finished_later(
    sqlite_location: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("aidivide_archive.archive.storage.engine.BUSY_TIMEOUT_MS", 50)
    fill(sqlite_location)
    with closing(sqlite3.connect(sqlite_location.database_path)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM urls").fetchone()
        with pytest.raises(Exception, match=r"repeat|locked"):
            purge_in(sqlite_location, "one.example")
    assert (sqlite_location.directory / JOURNAL).exists()
    purge_in(sqlite_location, "one.example")
    assert WORD.encode() not in bytes_of(sqlite_location)
    assert_sound(sqlite_location)


def test_nothing_is_purged_while_another_process_writes(
    postgres_location: Location, tmp_path: Path
):
    fill(postgres_location)
    with Archive(postgres_location) as crawl:
        crawl.begin("crawl")
        with pytest.raises(ArchiveLockedError, match="purge when it has ended"):
            purge_in(postgres_location, "one.example")
        crawl.finish("finished")
    purge_in(postgres_location, "one.example")


def test_records_that_no_row_names_go_as_well(sqlite_location: Location, tmp_path: Path):
    """Of a run that was killed after it wrote a response and before it stored the page."""
    fill(sqlite_location)
    with Archive(sqlite_location) as archive:
        archive.begin("import", warc=True)
        headers = (("Content-Type", "text/html"),)
        lost = Capture(
            url=SECRET,
            captured_at=NOW,
            status=200,
            headers=headers,
            body=small_archive.page(5, CANARY),
        )
        archive.write_capture(lost)
    purge_in(sqlite_location, "one.example")
    assert WORD.encode() not in bytes_of(sqlite_location)


# --- the command ---------------------------------------------------------------------------------


def run(location: Location, *words: str) -> "object":
    return CliRunner().invoke(cli, ["--archive", str(location.directory), *words])


def test_the_command_asks_shows_and_purges(sqlite_location: Location, tmp_path: Path):
    fill(sqlite_location)
    dry = run(sqlite_location, "purge", SECRET, "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout == (
        "would purge one.example/secret: 1 URL, 1 article, 2 captures in 2 WARC files\n"
    )
    unasked = run(sqlite_location, "purge", SECRET)
    assert unasked.exit_code == 2
    assert "--yes" in unasked.stderr
    done = run(
        sqlite_location, "purge", SECRET, "--yes", "--reason", "asked by its author", "--json"
    )
    assert done.exit_code == 0
    [item] = json.loads(done.stdout)["items"]
    assert (item["articles"], item["captures"], item["purged"]) == (1, 2, True)
    assert rows_of(sqlite_location, schema.tombstones)[0]["reason"] == "asked by its author"
    again = run(sqlite_location, "purge", SECRET, "--yes")
    assert again.exit_code == 0


@pytest.mark.parametrize(
    "what",
    ["www.one.example", "one.example/secret", "ftp://x.example/", "", "https://one.example/"],
)
def test_what_is_neither_a_url_nor_a_whole_site_is_refused(what: str):
    with pytest.raises(ConfigError):
        target_of(what)

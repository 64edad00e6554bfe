"""Disks that are full, nearly full, or filled by a log that a reader keeps from shrinking."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage import space
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.environment import MIN_FREE_BYTES, WAL_ALARM_BYTES
from aidivide_archive.exceptions import ConfigError, StoreError
from crawler.space import SpaceGate
from tests.support.archives import new_location
from tests.support.figures import figure
from tests.support.small_crawl import (
    Job,
    Journal,
    Kept,
    Processes,
    kept,
    lost,
    processes,
    read_journal,
    ready_article,
    text_of,
    url_of,
)

PAGES = 60


@pytest.fixture(scope="module")
def forks() -> Iterator[Processes]:
    with processes() as made:
        yield made


@pytest.fixture(scope="module")
def expected(forks: Processes, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    job = Job(str(tmp_path_factory.mktemp("whole") / "archive"), pages=PAGES)
    assert forks.run(job) == [0]
    return kept(job.location)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Callable[[int], None]]:
    """A disk of its own at `folder`; the function given changes its size. Skips without the right to mount."""
    folder.mkdir()
    mounted = mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    if mounted is not None:
        pytest.skip(f"no disk of a set size without the right to mount one: {mounted}")

    def resize(to: int) -> None:
        assert mount("-o", f"remount,size={to}k", str(folder)) is None

    try:
        yield resize
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def mount(*words: str) -> str | None:
    """None, or why not."""
    try:
        done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip()


# --- full ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.fault("F04")
@pytest.mark.parametrize(
    ("engine", "sizes"), [("sqlite", (300, 900, 1400)), ("postgresql", (8, 16, 40))]
)
def test_a_full_disk_ends_the_run_and_loses_nothing(
    engine: str, sizes: tuple[int, ...], forks: Processes, expected: Kept, tmp_path: Path
):
    """Database, log and WARC file on one small disk; on PostgreSQL only the WARC file is there."""
    with new_location(engine, tmp_path) as place, small_disk(tmp_path / "disk", sizes[0]) as resize:
        job = Job(str(tmp_path / "disk" / "archive"), place.database_url, pages=PAGES)
        codes, seconds = [], []
        for size in sizes:
            resize(size)
            started = time.monotonic()
            codes += forks.run(job)
            seconds.append(time.monotonic() - started)
            if job.location.database_path.exists() or engine == "postgresql":
                with suppress_missing():
                    assert not lost(job)
        assert codes == [1, 1, 1], "each of these disks was meant to be too small"
        resize(100_000)
        assert forks.run(job) == [0]
        found = kept(job.location)
    assert replace(found, rows={}) == replace(expected, rows={})
    assert found.rows["captures"] == PAGES
    figure(
        "F04",
        f"disks of {', '.join(map(str, sizes))} kB full on {engine}, then room: the same archive",
        f"exit codes {codes}, 0 acknowledged lost",
    )


@contextmanager
def suppress_missing() -> Iterator[None]:
    """A disk so small that not even the schema fits holds no archive yet."""
    from aidivide_archive.exceptions import MissingArchiveError

    with suppress(MissingArchiveError):
        yield


def articles_file(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as lines:
        for number in range(count):
            record = {"url": url_of(number), "title": f"Page {number}", "text": text_of(number)}
            lines.write(json.dumps(record) + "\n")
    return path


def aidivide(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aidivide_archive", *words],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.fault("F04")
def test_commands_on_a_full_disk_say_so_in_one_line(tmp_path: Path):
    """Import, settle (by a judgement) and export; with room the same commands end well."""
    articles = articles_file(tmp_path / "articles.jsonl", 300)
    with small_disk(tmp_path / "disk", 1_300) as resize:
        archive = str(tmp_path / "disk" / "archive")
        full = aidivide("import", str(articles), "--archive", archive, folder=tmp_path)
        assert_one_line(full, "make room on the disk and repeat the command")
        resize(100_000)
        done = aidivide("import", str(articles), "--archive", archive, folder=tmp_path)
        assert (done.returncode, done.stdout.split(",")[0]) == (0, "300 new"), done.stderr

        used = os.statvfs(tmp_path / "disk")
        resize(
            (used.f_blocks - used.f_bfree) * used.f_frsize // 1024 + 44
        )  # room to read, not to write
        pair = [url_of(3), url_of(4)]
        judged = aidivide("judge", *pair, "different", "--archive", archive, folder=tmp_path)
        assert_one_line(judged, "make room on the disk and repeat the command")
        target = str(tmp_path / "disk" / "articles.csv")
        exported = aidivide(
            "export", "articles", "-o", target, "--archive", archive, folder=tmp_path
        )
        assert_one_line(exported, "No space left on device")

        resize(100_000)
        for words in (("judge", *pair, "different"), ("export", "articles", "-o", target)):
            done = aidivide(*words, "--archive", archive, folder=tmp_path)
            assert done.returncode == 0, done.stderr
        with Reader(Location(Path(archive))) as reader:
            assert integrity(reader) == []
            assert reader.status().articles == 300


def assert_one_line(done: subprocess.CompletedProcess[str], words: str) -> None:
    lines = [one for one in done.stderr.splitlines() if one.startswith("error: ")]
    assert done.returncode == 1, done.stderr
    assert len(lines) == 1, done.stderr
    assert words in lines[0]
    assert "Traceback" not in done.stderr


# --- nearly full ---------------------------------------------------------------------------------


def test_the_floor_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert MIN_FREE_BYTES.in_effect == 1 << 30
    monkeypatch.setenv(MIN_FREE_BYTES.name, "0")
    assert space.shortage(tmp_path, MIN_FREE_BYTES.in_effect) is None
    monkeypatch.setenv(MIN_FREE_BYTES.name, str(1 << 60))
    words = space.shortage(tmp_path, MIN_FREE_BYTES.in_effect)
    assert words is not None
    assert str(tmp_path) in words
    monkeypatch.setenv(MIN_FREE_BYTES.name, "1 GB")
    with pytest.raises(ConfigError, match="no number of bytes"):
        assert MIN_FREE_BYTES.in_effect


class FakeArchive:
    """An archive whose disk is as the test says."""

    def __init__(self) -> None:
        self.words: str | None = None

    def shortage(self) -> str | None:
        return self.words


class FakeSession:
    def __init__(self) -> None:
        self.archive = FakeArchive()


class FakeSpider:
    logger = logging.getLogger("spider")


@pytest.mark.fault("F04")
def test_no_url_is_handed_out_while_room_is_short(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    now = 100.0
    monkeypatch.setattr("crawler.space.time.monotonic", lambda: now)
    session = FakeSession()
    gate = SpaceGate(session, FakeSpider(), patience=60)  # type: ignore[arg-type]
    assert not gate.is_closed
    session.archive.words = "5 MB are free in /somewhere"
    assert not gate.is_closed, "the disk is looked at once a second"
    now += 1.5
    assert gate.is_closed
    assert gate.failure is None
    session.archive.words = None
    now += 1.5
    assert not gate.is_closed
    assert [one.getMessage() for one in caplog.records] == [
        "5 MB are free in /somewhere: the crawl waits for room, for 60 s at most",
        "there is room again: the crawl goes on",
    ]
    session.archive.words = "5 MB are free in /somewhere"
    now += 1.5
    assert gate.is_closed
    now += 61
    assert gate.is_closed
    assert isinstance(gate.failure, StoreError)
    assert "make room and repeat the command" in str(gate.failure)


# --- a long reader -------------------------------------------------------------------------------


@pytest.mark.fault("F08")
def test_a_long_reader_makes_the_log_grow_and_is_reported_once(
    sqlite_location: Location, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(WAL_ALARM_BYTES.name, "1000000")
    monkeypatch.setattr(space, "WAL_SECONDS", 0.0)
    log = sqlite_location.database_path.with_name("archive.db-wal")
    largest = 0
    with Archive(sqlite_location) as archive:
        archive.begin("import")
        with Reader(sqlite_location) as reader:
            before = reader.status().articles
            for number in range(0, 400, 50):
                batch = [ready_article(one) for one in range(number, number + 50)]
                archive.store_imported(batch).result()
                largest = max(largest, log.stat().st_size)
            assert reader.status().articles == before == 0, "the reader keeps its snapshot"
        assert largest > 1_000_000
        archive.renew().result()
        archive.renew().result()
        assert log.stat().st_size < 100_000, "the log is copied and cut when the reader has gone"
        archive.finish("finished")
    told = [one.getMessage() for one in caplog.records if "archive.db-wal" in one.getMessage()]
    assert len(told) == 2
    assert "a reader has been open for long" in told[0]
    assert "is short again" in told[1]
    figure(
        "F08",
        "a reader open for 400 documents: alarm once, log cut once it has gone",
        f"{largest / 1e6:.1f} MB, then 0",
    )


# --- several at once -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.fault("F05")
def test_crawls_and_an_import_at_once_end_as_one_after_the_other(
    location: Location, forks: Processes, tmp_path: Path
):
    """Two crawls of one site and an import of some of its pages and others, and a reader all the while."""
    jobs = [
        Job(str(location.directory), location.database_url, pages=PAGES),
        Job(str(location.directory), location.database_url, pages=PAGES),
        Job(str(location.directory), location.database_url, kind="import", pages=80, first=30),
    ]
    alone = [replace(one, directory=str(tmp_path / "alone"), database=None) for one in jobs]
    for job in alone:
        assert forks.run(job) == [0]
    forks.run(replace(jobs[0], kind="open"))  # so that there is something to read
    over, problems, reads = threading.Event(), [], 0

    def read() -> None:
        nonlocal reads
        while not over.wait(0.01):
            try:
                with Reader(location) as reader:
                    assert len(list(reader.articles())) == reader.status().articles
                    list(reader.stories(all=True))
                reads += 1
            except Exception as error:  # noqa: BLE001  # shown by the assertion
                problems.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    codes = forks.run(*jobs)
    over.set()
    thread.join()
    assert problems == []
    assert codes == [0, 0, 0]
    found, wanted = kept(location), kept(alone[0].location)
    assert comparable(found) == comparable(wanted)
    assert_hosts_have_one_owner(jobs[0])
    assert len(set(read_journal(jobs[0].journal)["fetched"])) == len(
        read_journal(jobs[0].journal)["fetched"]
    ), "two processes fetched one page"
    figure(
        "F05",
        f"two crawls, an import and a reader at once on {'SQLite (one waits for the other)' if location.is_sqlite else 'PostgreSQL'}",
        f"0 lock errors, 0 double rows, equal to one after the other; {reads} readings",
    )


def comparable(found: Kept) -> Kept:
    """What each run saw is noted by each; why a page is in depends on who was first."""
    rows = {k: n for k, n in found.rows.items() if k in ("articles", "signatures", "revisions")}
    ledger = [(url, state, None) for url, state, _ in found.ledger]
    return replace(found, rows=rows, ledger=ledger)


def assert_hosts_have_one_owner(job: Job) -> None:
    """Pages of a host are asked for by one process until it lets go of the host."""
    owners: dict[str, list[str]] = {}
    for entry in read_journal(job.journal)["host"]:
        host, pid = entry.split()
        known = owners.setdefault(host, [])
        if not known or known[-1] != pid:
            assert pid not in known, f"{host} went to and fro between {known} and {pid}"
            known.append(pid)
    assert owners


def test_the_journal_of_a_test_is_read_as_written(tmp_path: Path):
    journal = Journal(tmp_path / "journal")
    journal.note("fetched", 3)
    journal.note("host", "a.example 7")
    assert read_journal(tmp_path / "journal")["fetched"] == ["3"]
    assert read_journal(tmp_path / "journal")["host"] == ["a.example 7"]

"""Storage that fails at the n-th statement or commit, servers that go away, answers that are lost."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.storage import writer
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.archive.storage.writer import Writer
from aidivide_archive.exceptions import StoreError
from tests.support.figures import figure
from tests.support.small_crawl import (
    Job,
    Kept,
    Processes,
    kept,
    lost,
    perform,
    processes,
    read_journal,
    row_counts,
)

pytestmark = pytest.mark.slow
PAGES = 12
BINARIES = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    job = Job(str(tmp_path_factory.mktemp("whole") / "archive"), pages=PAGES)
    assert perform(job) == 0
    return kept(job.location)


# --- the n-th statement --------------------------------------------------------------------------


def fail_at(archive: Archive, number: int, what: str) -> None:
    """Have the `number`-th statement or commit from now on fail for good."""
    kind = sqlite3.OperationalError if archive.location.is_sqlite else psycopg.errors.DiskFull
    seen = 0

    def count(statement: str) -> None:
        nonlocal seen
        seen += not statement.startswith("BEGIN")
        if seen == number:
            raise OperationalError(statement, {}, kind("disk I/O error"))

    if what == "commit":
        event.listen(archive._engine, "commit", lambda _: count("COMMIT"))
    else:
        event.listen(
            archive._engine, "before_cursor_execute", lambda _c, _k, statement, *_: count(statement)
        )


@pytest.mark.fault("F06")
@pytest.mark.parametrize(("what", "last"), [("statement", 50), ("commit", 10)])
def test_a_failure_at_any_point_of_a_run_is_told_and_loses_nothing(
    location: Location,
    expected: Kept,
    capsys: pytest.CaptureFixture[str],
    what: str,
    last: int,
):
    """Lease, commit, settle, finish: each run of one archive fails a statement later; the last one does not."""
    job = Job(str(location.directory), location.database_url, pages=PAGES)
    failed = 0
    for number in range(1, last + 1):
        code = perform(job, lambda archive, n=number: fail_at(archive, n, what))  # type: ignore[misc]
        errors = capsys.readouterr().err.splitlines()
        ended = read_journal(job.journal)["phase"][-1] == "end"
        assert code == (0 if ended else 1), f"{what} {number}"
        assert len(errors) == code, errors
        assert not lost(job), f"{what} {number}"
        failed += code
        if code:
            assert "make room on the disk and repeat the command" in errors[0]
    assert failed >= last - 4  # a run that fails later than its last statement ends well
    assert perform(job) == 0
    found = kept(location)
    assert replace(found, rows={}) == replace(expected, rows={})
    assert found.rows["captures"] == PAGES
    figure(
        "F06",
        f"the n-th {what} of a whole run fails, n = 1..{last}, on {'SQLite' if location.is_sqlite else 'PostgreSQL'}",
        f"{failed} failures, all told with exit code 1, 0 acknowledged lost",
    )


# --- an answer that is lost ----------------------------------------------------------------------


@pytest.mark.fault("F07")
def test_a_commit_whose_answer_is_lost_is_not_done_twice(
    postgres_location: Location, monkeypatch: pytest.MonkeyPatch
):
    """The server commits, then the connection breaks before it can say so."""
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.001)
    engine = write_engine(postgres_location)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (id serial PRIMARY KEY)")
    broken = 0

    @event.listens_for(engine, "commit")
    def lose_the_answer(connection: sa.Connection) -> None:
        nonlocal broken
        if broken < 1:
            broken += 1
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.commit()
            raw.close()
            raise OperationalError("COMMIT", {}, psycopg.OperationalError("connection lost"))

    one = Writer(engine, before_commit=lambda: None)
    insert = "INSERT INTO notes DEFAULT VALUES RETURNING id"
    assert one.submit(lambda c: c.exec_driver_sql(insert).scalar()).result(30) == 1
    assert broken == 1
    assert one.submit(lambda c: c.exec_driver_sql(insert).scalar()).result(30) == 2
    one.close()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM notes").scalar() == 2
    engine.dispose()


@pytest.mark.fault("F07")
def test_a_backend_ended_before_its_commit_costs_one_more_try(
    postgres_location: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.001)
    engine = write_engine(postgres_location)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (id serial PRIMARY KEY)")
    tries = 0

    def work(connection: sa.Connection) -> None:
        nonlocal tries
        tries += 1
        connection.exec_driver_sql("INSERT INTO notes DEFAULT VALUES")
        if tries == 1:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with engine.begin() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")

    one = Writer(engine, before_commit=lambda: None)
    one.submit(work).result(30)
    one.close()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM notes").scalar() == 1
    assert tries == 2
    engine.dispose()


@pytest.mark.fault("F07")
@pytest.mark.parametrize("level", ["READ COMMITTED", "SERIALIZABLE"])
def test_two_writers_in_each_others_way_both_get_through(postgres_location: Location, level: str):
    """Real deadlocks, and real serialization failures: rows in opposite order, thirty times."""
    engines = [
        write_engine(postgres_location).execution_options(isolation_level=level) for _ in range(2)
    ]
    with engines[0].begin() as connection:
        connection.exec_driver_sql("SET deadlock_timeout = '20ms'")
        connection.exec_driver_sql("CREATE TABLE counters (id int PRIMARY KEY, n int)")
        connection.exec_driver_sql("INSERT INTO counters VALUES (1, 0), (2, 0)")
    tries = [0, 0]

    def work(which: int, connection: sa.Connection) -> None:
        tries[which] += 1
        connection.exec_driver_sql("SET LOCAL deadlock_timeout = '20ms'")
        for row in (1, 2) if which else (2, 1):
            connection.exec_driver_sql(f"UPDATE counters SET n = n + 1 WHERE id = {row}")

    writers = [Writer(engine, before_commit=lambda: None) for engine in engines]
    for _ in range(30):
        both = [one.submit(lambda c, w=n: work(w, c)) for n, one in enumerate(writers)]  # type: ignore[misc]
        for future in both:
            future.result(60)
    for one in writers:
        one.close()
    with engines[0].connect() as connection:
        counts = connection.exec_driver_sql("SELECT n FROM counters").scalars().all()
    assert counts == [60, 60]
    figure(
        "F07",
        f"two writers at {level}, rows in opposite order",
        f"60 of 60 done, {sum(tries) - 60} retries",
    )
    for engine in engines:
        engine.dispose()


# --- a server of our own -------------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster that a test may stop."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def control(self, *words: str) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        run_as_postgres(
            "pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", options, *words
        )  # fmt: skip


def run_as_postgres(program: str, *words: str) -> None:
    command = [str(BINARIES / program), *words]
    if os.getuid() == 0:  # the server refuses to run as root
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def cluster() -> Iterator[Cluster]:
    if not (BINARIES / "pg_ctl").exists():
        pytest.skip(f"no PostgreSQL server programs in {BINARIES}")
    if os.getuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("root cannot run PostgreSQL, and there is no runuser")
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="aidivide-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    made = Cluster(folder, port)
    try:
        run_as_postgres("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "postgres", "-N")
        made.control("start")
        yield made
        made.control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def forks() -> Iterator[Processes]:
    with processes() as made:
        yield made


@pytest.mark.fault("F07")
def test_a_crawl_outlives_its_server_or_ends_and_resumes(
    forks: Processes, expected: Kept, tmp_path: Path
):
    """The server is restarted, stopped hard, and its backends are ended, while pages are stored."""
    pages = 60
    whole = Job(str(tmp_path / "whole"), pages=pages)
    assert forks.run(whole) == [0]
    with cluster() as server:
        job = Job(str(tmp_path / "archive"), server.url, pages=pages, pause=0.4)
        codes = []
        for blow in ("terminate", "fast", "immediate"):
            forks.start(job)
            wait_for_work(job, 5)
            strike(server, blow)
            codes += forks.wait()
            assert not lost(job), blow
        if codes[-1]:
            codes += forks.run(job)
        assert codes[-1] == 0
        found, rows = kept(job.location), row_counts(job.location)
    assert replace(found, rows={}) == replace(kept(whole.location), rows={})
    assert (rows["captures"], rows["revisions"]) == (pages, pages)
    figure(
        "F07",
        "PostgreSQL: backends ended, restart, immediate stop in the middle of a crawl",
        f"0 acknowledged lost, 0 double captures; exit codes {codes}",
    )


def strike(server: Cluster, blow: str) -> None:
    if blow == "terminate":
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
    else:
        server.control("restart", "-m", blow)


def wait_for_work(job: Job, acknowledged: int) -> None:
    """Until so many more pages are acknowledged, or the work is over."""
    pause = threading.Event()
    before = len(read_journal(job.journal)["acknowledged"])
    begun = len(read_journal(job.journal)["phase"])
    for _ in range(3_000):
        found = read_journal(job.journal)
        if (
            len(found["acknowledged"]) >= before + acknowledged
            or "settle" in found["phase"][begun:]
        ):
            return
        pause.wait(0.01)
    raise AssertionError("the crawl did not come so far")


def test_a_store_error_names_the_archive_without_its_password(tmp_path: Path):
    location = Location(tmp_path, "postgresql+psycopg://someone:secret@127.0.0.1:1/none")
    with pytest.raises(StoreError) as caught:
        Archive(location)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)

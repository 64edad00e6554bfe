import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from aidivide_archive.archive import Location
from aidivide_archive.archive.storage import writer
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.archive.storage.writer import Work, Writer
from aidivide_archive.exceptions import ArchiveError, StoreError

METADATA = sa.MetaData()
NOTES = sa.Table(
    "notes",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer),
)


@pytest.fixture
def engine(nowhere: Location) -> Iterator[sa.Engine]:
    made = write_engine(nowhere)
    with made.begin() as connection:
        METADATA.create_all(connection)
    yield made
    made.dispose()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.001)


@contextmanager
def writing(
    engine: sa.Engine, before_commit: Callable[[], None] = lambda: None
) -> Iterator[Writer]:
    made = Writer(engine, before_commit=before_commit)
    try:
        yield made
    finally:
        made.close()


class Held:
    """Work that keeps the writer busy until it is let go, so that what follows shares a batch."""

    def __init__(self, to: Writer) -> None:
        self._started, self._go = threading.Event(), threading.Event()
        self.future: Future[None] = to.submit(self._work)
        assert self._started.wait(10)

    def _work(self, connection: sa.Connection) -> None:
        self._started.set()
        assert self._go.wait(10)

    def let_go(self) -> None:
        self._go.set()


def insert(number: int) -> Work[int]:
    def work(connection: sa.Connection) -> int:
        count = connection.scalar(sa.select(sa.func.count()).select_from(NOTES))
        connection.execute(sa.insert(NOTES).values(id=number, position=count))
        return number

    return work


def stored(engine: sa.Engine) -> list[int]:
    """What another reader sees, in the order it was written."""
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT id FROM notes ORDER BY position")
        return [row[0] for row in cursor.fetchall()]


def fault(engine: sa.Engine, words: str) -> OperationalError:
    """An error as SQLAlchemy reports it from the driver."""
    if engine.dialect.name == "sqlite":
        return OperationalError("INSERT", {}, sqlite3.OperationalError(words))
    return OperationalError("INSERT", {}, psycopg.errors.DiskFull(words))


def fail_statement(engine: sa.Engine, number: int, error: Exception) -> None:
    """Have the `number`-th INSERT from now on raise."""
    seen = 0

    @event.listens_for(engine, "before_cursor_execute")
    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal seen
        if statement.startswith("INSERT"):
            seen += 1
            if seen == number:
                raise error


# --- the promise ---------------------------------------------------------------------------------


def test_a_future_resolves_only_after_the_commit(engine: sa.Engine):
    seen: list[list[int]] = []
    with writing(engine) as one:
        future = one.submit(insert(1))
        future.add_done_callback(lambda _: seen.append(stored(engine)))
        assert future.result(10) == 1
    assert seen == [[1]]


def test_nothing_is_visible_and_nothing_resolved_before_the_commit(engine: sa.Engine):
    in_commit, go = threading.Event(), threading.Event()

    def before_commit() -> None:
        in_commit.set()
        assert go.wait(10)

    with writing(engine, before_commit) as one:
        future = one.submit(insert(1))
        assert in_commit.wait(10)
        assert not future.done()
        assert stored(engine) == []
        go.set()
        assert future.result(10) == 1
    assert stored(engine) == [1]


def test_work_is_done_in_the_order_it_was_handed_over(engine: sa.Engine):
    with writing(engine) as one:
        futures = [one.submit(insert(number)) for number in range(200, 0, -1)]
        assert [future.result(10) for future in futures] == list(range(200, 0, -1))
    assert stored(engine) == list(range(200, 0, -1))


def test_what_queues_up_shares_a_transaction(engine: sa.Engine):
    commits = []
    event.listen(engine, "commit", lambda _: commits.append(1))
    with writing(engine) as one:
        held = Held(one)
        futures = [one.submit(insert(number)) for number in range(writer.BATCH_LIMIT + 10)]
        held.let_go()
        for future in futures:
            future.result(10)
    assert len(commits) == 2  # one full batch, and the rest


def test_work_of_many_threads_is_all_done(engine: sa.Engine):
    with writing(engine) as one:
        futures: list[Future[int]] = []

        def hand_over(start: int) -> None:
            futures.extend(one.submit(insert(start + number)) for number in range(50))

        threads = [threading.Thread(target=hand_over, args=(1000 * t,)) for t in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = {future.result(10) for future in futures}
    assert len(done) == 200
    assert set(stored(engine)) == done


def test_closing_writes_what_is_queued(engine: sa.Engine):
    one = Writer(engine, before_commit=lambda: None)
    held = Held(one)
    futures = [one.submit(insert(number)) for number in range(150)]
    held.let_go()
    one.close()
    assert all(future.done() for future in futures)
    assert stored(engine) == list(range(150))
    one.close()  # twice is once


def test_a_closed_writer_says_so(engine: sa.Engine):
    with writing(engine) as one:
        pass
    with pytest.raises(StoreError, match="closed"):
        one.submit(insert(1)).result(10)


def test_a_caller_that_gives_up_does_not_stop_the_writer(engine: sa.Engine):
    with writing(engine) as one:
        held = Held(one)
        given_up = one.submit(insert(1))
        given_up.cancel()
        held.let_go()
        assert one.submit(insert(2)).result(10) == 2
    assert stored(engine) == [1, 2]


# --- a bad piece of work -------------------------------------------------------------------------


def refused(connection: sa.Connection) -> None:
    connection.execute(sa.insert(NOTES), [{"id": 7000}, {"id": 7000}])


def wrong(connection: sa.Connection) -> None:
    connection.execute(sa.insert(NOTES).values(id=7001))
    raise LookupError("a fault of the caller")


def surrogate(connection: sa.Connection) -> None:
    connection.execute(sa.select(NOTES).where(sa.cast(NOTES.c.id, sa.Text) == "\ud800")).all()


def of_no_column(connection: sa.Connection) -> None:
    connection.execute(sa.insert(NOTES).values(id=object())).all()


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (refused, ArchiveError),
        (wrong, LookupError),
        (surrogate, ArchiveError),
        (of_no_column, ArchiveError),
    ],
)
def test_a_bad_piece_of_work_fails_alone(engine: sa.Engine, bad: Work[None], kind: type[Exception]):
    with writing(engine) as one:
        held = Held(one)
        before = [one.submit(insert(number)) for number in range(5)]
        broken = one.submit(bad)
        after = [one.submit(insert(number)) for number in range(5, 10)]
        held.let_go()
        with pytest.raises(kind) as caught:
            broken.result(10)
        assert [future.result(10) for future in before + after] == list(range(10))
        assert one.failure is None
    assert "\n" not in str(caught.value)
    assert stored(engine) == list(range(10))


# --- storage failures ----------------------------------------------------------------------------


def test_a_storage_failure_ends_all_writing(engine: sa.Engine):
    with writing(engine) as one:
        one.submit(insert(1)).result(10)
        fail_statement(engine, 3, fault(engine, "database or disk is full"))
        held = Held(one)
        futures = [one.submit(insert(number)) for number in range(2, 8)]
        held.let_go()
        for future in [*futures, one.submit(insert(9))]:
            with pytest.raises(StoreError, match="disk is full"):
                future.result(10)
        assert isinstance(one.failure, StoreError)
    assert stored(engine) == [1]  # nothing of the batch


def test_a_failing_commit_acknowledges_nothing(engine: sa.Engine):
    def refuse(_connection: sa.Connection) -> None:
        raise fault(engine, "disk I/O error")

    with writing(engine) as one:
        one.submit(insert(1)).result(10)
        event.listen(engine, "commit", refuse)
        with pytest.raises(StoreError, match="disk I/O error"):
            one.submit(insert(2)).result(10)
        with pytest.raises(StoreError):
            one.submit(insert(3)).result(10)
        event.remove(engine, "commit", refuse)
    assert stored(engine) == [1]


def test_a_failure_to_sync_the_warc_acknowledges_nothing(engine: sa.Engine):
    def no_space() -> None:
        raise OSError(28, "No space left on device")

    with writing(engine, no_space) as one:
        with pytest.raises(StoreError, match="No space left"):
            one.submit(insert(1)).result(10)
        assert one.failure is not None
    assert stored(engine) == []


def test_what_waits_behind_a_failure_is_told_of_it(engine: sa.Engine):
    with writing(engine) as one:
        fail_statement(engine, 1, fault(engine, "disk I/O error"))
        held = Held(one)
        futures = [one.submit(insert(number)) for number in range(3 * writer.BATCH_LIMIT)]
        held.let_go()
        problems = [future.exception(10) for future in futures]
    assert {type(problem) for problem in problems} == {StoreError}


def test_a_full_sqlite_database_is_a_storage_failure(sqlite_location: Location):
    engine = write_engine(sqlite_location)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE filler (data BLOB)")

    def fill(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 20")
        connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(10000000))")

    with writing(engine) as one, pytest.raises(StoreError, match="full"):
        one.submit(fill).result(10)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("SELECT count(*) FROM filler").scalar() == 0
    engine.dispose()


# --- passing trouble -----------------------------------------------------------------------------


def passing(engine: sa.Engine) -> list[Exception]:
    if engine.dialect.name == "sqlite":
        return [fault(engine, "database is locked"), fault(engine, "database table is locked")]
    kinds = (
        psycopg.errors.SerializationFailure,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.AdminShutdown,
        psycopg.OperationalError,  # the server is out of reach
    )
    return [OperationalError("INSERT", {}, kind("passing")) for kind in kinds]


def test_passing_trouble_is_tried_again_and_done_once(engine: sa.Engine):
    troubles = passing(engine)
    with writing(engine) as one:
        for number, trouble in enumerate(troubles):
            fail_statement(engine, 2, trouble)
            held = Held(one)
            futures = [one.submit(insert(10 * number + digit)) for digit in range(4)]
            held.let_go()
            for future in futures:
                future.result(10)
        assert one.failure is None
    expected = [10 * number + digit for number in range(len(troubles)) for digit in range(4)]
    assert stored(engine) == expected


def test_trouble_that_does_not_pass_is_a_storage_failure(engine: sa.Engine):
    tries = 0
    trouble = passing(engine)[0]

    @event.listens_for(engine, "before_cursor_execute")
    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal tries
        if statement.startswith("INSERT"):
            tries += 1
            raise trouble

    with writing(engine) as one, pytest.raises(StoreError):
        one.submit(insert(1)).result(10)
    assert tries == writer.RETRIES + 1


def test_a_sqlite_writer_waits_for_another_lock(
    sqlite_location: Location, monkeypatch: pytest.MonkeyPatch
):
    engine = write_engine(sqlite_location)
    with engine.begin() as connection:
        METADATA.create_all(connection)
    other = sqlite3.connect(
        sqlite_location.database_path, isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: other.execute("ROLLBACK")).start()
    started = time.monotonic()
    with writing(engine) as one:
        assert one.submit(insert(1)).result(10) == 1
    assert time.monotonic() - started >= 0.15
    other.close()
    engine.dispose()


def test_a_lost_postgresql_connection_is_opened_again(postgres_location: Location):
    engine = write_engine(postgres_location)
    with engine.begin() as connection:
        METADATA.create_all(connection)
    with writing(engine) as one:
        backend = one.submit(lambda c: c.scalar(sa.text("SELECT pg_backend_pid()"))).result(10)
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        assert one.submit(insert(1)).result(10) == 1
        assert (
            one.submit(lambda c: c.scalar(sa.text("SELECT pg_backend_pid()"))).result() != backend
        )
    assert stored(engine) == [1]
    engine.dispose()


# --- work that is done together ------------------------------------------------------------------


class Together:
    """Work for many callers at once; notes with what it was called."""

    def __init__(self, bad: int = -1) -> None:
        self.calls: list[list[int]] = []
        self._bad = bad

    def __call__(self, connection: sa.Connection, pieces: Sequence[int]) -> list[int]:
        self.calls.append(list(pieces))
        connection.execute(sa.insert(NOTES), [{"id": one} for one in pieces])
        if self._bad in pieces:
            raise LookupError("a fault of the caller")
        return [10 * one for one in pieces]


def test_pieces_that_stand_in_line_go_in_one_call_and_other_work_keeps_its_place(
    engine: sa.Engine,
):
    batch = Together()
    with writing(engine) as one:
        held = Held(one)
        futures = [one.submit_to(batch, number) for number in range(3)]
        between = one.submit(lambda c: c.scalar(sa.select(sa.func.count()).select_from(NOTES)))
        futures += [one.submit_to(batch, number) for number in range(3, 5)]
        held.let_go()
        assert [future.result(10) for future in futures] == [0, 10, 20, 30, 40]
        assert between.result(10) == 3
    assert batch.calls == [[0, 1, 2], [3, 4]]


def test_a_bad_piece_of_a_batch_fails_alone(engine: sa.Engine):
    batch = Together(bad=2)
    with writing(engine) as one:
        held = Held(one)
        futures = [one.submit_to(batch, number) for number in range(4)]
        held.let_go()
        assert [future.result(10) for future in futures if future is not futures[2]] == [0, 10, 30]
        with pytest.raises(LookupError):
            futures[2].result(10)
    assert sorted(stored(engine)) == [0, 1, 3]


def test_pieces_of_two_batches_that_alternate_go_in_one_call_each(engine: sa.Engine):
    one_kind, other_kind = Together(), Together()
    with writing(engine) as one:
        held = Held(one)
        futures = [
            one.submit_to(one_kind if number % 2 else other_kind, number) for number in range(6)
        ]
        held.let_go()
        assert [future.result(10) for future in futures] == [10 * number for number in range(6)]
    assert one_kind.calls == [[1, 3, 5]]
    assert other_kind.calls == [[0, 2, 4]]


def test_what_can_wait_is_stored_with_the_first_work_that_cannot(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "GATHER_SECONDS", 3600)
    commits: list[int] = []
    event.listen(engine, "commit", lambda _: commits.append(1))
    batch = Together()
    with writing(engine) as one:
        waiting = [one.submit_to(batch, number, can_wait=True) for number in range(3)]
        assert one.submit(insert(3)).result(10) == 3
        assert [future.result(10) for future in waiting] == [0, 10, 20]
    assert batch.calls == [[0, 1, 2]]
    assert len(commits) == 1


def test_a_full_batch_waits_for_nothing(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer, "GATHER_SECONDS", 3600)
    with writing(engine) as one:
        batch = Together()
        futures = [
            one.submit_to(batch, number, can_wait=True) for number in range(writer.BATCH_LIMIT)
        ]
        for future in futures:
            future.result(10)


def test_closing_stores_what_was_waiting(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer, "GATHER_SECONDS", 3600)
    with writing(engine) as one:
        future = one.submit_to(Together(), 1, can_wait=True)
    assert future.result(0) == 10
    assert stored(engine) == [1]


def test_a_transaction_of_waiting_pieces_that_is_rolled_back_is_done_again(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "GATHER_SECONDS", 3600)
    fail_statement(engine, 1, passing(engine)[0])
    batch = Together()
    with writing(engine) as one:
        waiting = [one.submit_to(batch, number, can_wait=True) for number in range(3)]
        one.submit(insert(3)).result(10)
        for future in waiting:
            future.result(10)
    assert sorted(stored(engine)) == [0, 1, 2, 3]

import os
import signal
import time

import pytest

from aidivide_archive.workers import MEMORY_LIMIT_BYTES, WorkerFailure, WorkerPool
from aidivide_archive.workers import pool as pools

SECONDS = 1.0
_word = ""


def start(word: str) -> None:
    global _word
    _word = word


def refuse(_word: str) -> None:
    raise SystemExit(1)


def work(task: str) -> str:
    """What hostile documents make a parser do."""
    if task == "hang":
        time.sleep(600)
    elif task == "half a second":
        time.sleep(0.5)
    elif task == "spin":
        while True:
            pass
    elif task == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif task == "exit":
        os._exit(3)
    elif task == "memory":
        bytearray(2 * MEMORY_LIMIT_BYTES)
    elif task == "depth":
        return work_deeper(0)
    elif task == "write":
        os.write(os.memfd_create("file"), b"a worker writes no files")
    elif task == "fault":
        raise LookupError("a fault of ours")
    return f"{_word} {task}"


def work_deeper(depth: int) -> str:
    return work_deeper(depth + 1)


def pool(count: int = 2) -> WorkerPool[[str], str]:
    return WorkerPool(work, start=start, argument="read", count=count, seconds=SECONDS)


@pytest.fixture(scope="module")
def shared():
    with pool() as made:
        yield made


POISON = {
    "hang": "no end after 1 s",
    "spin": "no end after 1 s",
    "crash": "died",
    "exit": "died",
    "memory": "out of memory",
    "depth": "out of stack",
}


def test_every_worker_is_started_with_its_argument(shared: WorkerPool[[str], str]):
    assert {shared.submit(str(n)).result(120) for n in range(8)} == {f"read {n}" for n in range(8)}


@pytest.mark.fault("F16")
@pytest.mark.parametrize("task", POISON)
def test_a_document_that_breaks_its_worker_says_how(shared: WorkerPool[[str], str], task: str):
    with pytest.raises(WorkerFailure, match=POISON[task]):
        shared.submit(task).result(120)
    assert shared.submit("good").result(120) == "read good"


def test_a_fault_of_ours_is_no_failure_of_the_worker(shared: WorkerPool[[str], str]):
    with pytest.raises(LookupError, match="a fault of ours"):
        shared.submit("fault").result(120)


def test_a_worker_writes_no_files(shared: WorkerPool[[str], str]):
    with pytest.raises(OSError, match="File too large"):
        shared.submit("write").result(120)


@pytest.mark.fault("F16")
def test_poison_costs_only_itself(shared: WorkerPool[[str], str]):
    """Two workers, good documents between all kinds of poison: every good one comes back."""
    tasks = []
    for number, poison in enumerate(POISON):
        tasks += [f"good {number}-{n}" for n in range(10)] + [poison]
    futures = {task: shared.submit(task) for task in tasks}
    for task, future in futures.items():
        if task in POISON:
            assert isinstance(future.exception(120), WorkerFailure)
        else:
            assert future.result(120) == f"read {task}"


@pytest.mark.fault("F16")
def test_good_documents_do_not_wait_for_the_second_try_of_poison():
    """With one worker in each lane: six first tries, then the good ones, while the slow lane goes on."""
    with pool(1) as made:
        hanging = [made.submit("hang") for _ in range(6)]
        good = [made.submit(f"good {n}") for n in range(4)]
        assert [one.result(120) for one in good] == [f"read good {n}" for n in range(4)]
        assert not all(one.done() for one in hanging)


def test_a_long_document_has_the_whole_limit_at_once(shared: WorkerPool[[str], str]):
    with pytest.raises(WorkerFailure) as failure:
        shared.submit_long("hang").result(120)
    assert (str(failure.value), failure.value.tries) == ("no end after 1 s", 2)
    assert shared.submit_long("half a second").result(120) == "read half a second"


def test_a_full_slow_lane_gives_documents_back_after_one_try(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pools, "MAX_WAITING_SLOW", 0)
    with pool(1) as made, pytest.raises(WorkerFailure, match="died") as failure:
        made.submit("crash").result(120)
    assert failure.value.tries == 1


def test_documents_survive_the_end_of_the_process_that_starts_workers():
    with pool(1) as made:
        assert made.submit("good").result(120) == "read good"
        made._process.kill()
        assert made.submit("after").result(120) == "read after"


def test_a_pool_that_cannot_start_says_so():
    made = WorkerPool(work, start=refuse, argument="", count=1, seconds=SECONDS)
    with made, pytest.raises(RuntimeError, match="no worker process can be started"):
        made.submit("good").result(120)


def test_closing_does_not_wait_for_what_hangs():
    made = pool(1)
    hanging = made.submit("hang")
    waiting = made.submit("good")
    started = time.monotonic()
    made.close()
    assert time.monotonic() - started < 10
    assert hanging.done()
    assert waiting.done()

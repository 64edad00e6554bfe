import os
import signal
import time

import pytest

from aidivide_archive.workers import MEMORY_LIMIT_BYTES, WorkerFailure, WorkerPool

SECONDS = 1.0
_word = ""


def start(word: str) -> None:
    global _word
    _word = word


def work(task: str) -> str:
    """What hostile documents make a parser do."""
    if task == "hang":
        time.sleep(600)
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
    assert {shared.submit(str(n)).result(20) for n in range(8)} == {f"read {n}" for n in range(8)}


@pytest.mark.parametrize("task", POISON)
def test_a_document_that_breaks_its_worker_says_how(shared: WorkerPool[[str], str], task: str):
    with pytest.raises(WorkerFailure, match=POISON[task]):
        shared.submit(task).result(20)
    assert shared.submit("good").result(20) == "read good"


def test_a_fault_of_ours_is_no_failure_of_the_worker(shared: WorkerPool[[str], str]):
    with pytest.raises(LookupError, match="a fault of ours"):
        shared.submit("fault").result(20)


def test_a_worker_writes_no_files(shared: WorkerPool[[str], str]):
    with pytest.raises(OSError, match="File too large"):
        shared.submit("write").result(20)


def test_poison_costs_only_itself(shared: WorkerPool[[str], str]):
    """Two workers, good documents between all kinds of poison: every good one comes back."""
    tasks = []
    for number, poison in enumerate(POISON):
        tasks += [f"good {number}-{n}" for n in range(10)] + [poison]
    futures = {task: shared.submit(task) for task in tasks}
    for task, future in futures.items():
        if task in POISON:
            assert isinstance(future.exception(30), WorkerFailure)
        else:
            assert future.result(30) == f"read {task}"


def test_closing_does_not_wait_for_what_hangs():
    made = pool(1)
    hanging = made.submit("hang")
    waiting = made.submit("good")
    started = time.monotonic()
    made.close()
    assert time.monotonic() - started < 10
    assert hanging.done()
    assert waiting.done()

"""A pool of killable worker processes with two lanes, so that poison holds up no good document.

A document has a short time in the quick lane. One that breaks its worker or takes longer is tried
once more in the slow lane: one worker of low priority, with the whole limit. Time is processor
time, or time asleep: waiting for a processor on a busy machine makes no document poison.
concurrent.futures.ProcessPoolExecutor is no sandbox: one crash breaks it, one hang blocks it;
docs/decisions/0012-own-worker-pool.md says what else was tried.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import send_handle
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from aidivide_archive.workers import starter

P = ParamSpec("P")
T = TypeVar("T")

TASKS_PER_WORKER = 500
"""Documents after which a worker is replaced, so that leaks in C libraries stay small."""
TRIES = 2
"""For a document that breaks its worker."""
QUICK_SHARE, QUICK_SECONDS = 0.1, 0.3
"""Time in the quick lane: this share of the limit, but at least so many seconds."""
SPARE = 1
"""Workers of the quick lane that wait, started, for another one to die."""
MAX_WAITING_SLOW = 64
"""Documents that wait for the slow lane; further ones are given back as failed after one try."""
_STARTER_TRIES = 3
_LOOK_SECONDS = 0.05
_STUCK_SECONDS = 0.1
"""A worker that sleeps after so long leaves its processor to a spare one."""
_ASLEEP_LOOKS = 4
"""Looks in a row that must find a late worker asleep."""
SEND_BYTES = 1 << 20
"""Wanted for a worker's socket, as far as the system allows: a page goes in one piece while the worker still reads."""
_TICKS = os.sysconf("SC_CLK_TCK")
_COMMAND = "import sys; from aidivide_archive.workers.starter import run; run(int(sys.argv[1]))"
# numpy would start threads for sums that nobody does here; a fork copies none of them
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class WorkerFailure(Exception):  # noqa: N818  # a value for callers that judge a document, not an ArchiveError
    """A document made its worker fail: time, memory, crash. `tries`: how often."""

    def __init__(self, message: str, tries: int = TRIES) -> None:
        super().__init__(message)
        self.tries = tries


@dataclass(eq=False, slots=True)
class _Task:
    args: Any
    kwargs: Any
    future: Future[Any]
    is_long: bool
    tries: int = 0


@dataclass(eq=False, slots=True)
class _Worker:
    connection: Connection
    is_slow: bool
    pid: int = 0
    """0 until the starter has forked it."""
    task: _Task | None = None
    since: float = 0.0
    """When it was given its task (monotonic seconds)."""
    used: float = 0.0
    """Its processor seconds by then."""
    looked: float = 0.0
    """When it was last looked at for being late."""
    asleep: int = 0
    """Looks in a row that found it asleep."""
    done: int = 0
    is_leaving: bool = False
    """Its connection is closed; only its end is awaited."""

    @property
    def is_idle(self) -> bool:
        return bool(self.pid) and self.task is None and not self.is_leaving


class Starter:
    """The process that workers are forked from, which begins to load libraries at once.

    A command that will need a pool makes one first, and does its own loading meanwhile.
    """

    def __init__(self, preload: tuple[str, ...] = ()) -> None:
        """`preload` names modules imported once and shared by fork."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own words
                [sys.executable, "-P", "-c", _COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": _search_path(), **_ENVIRONMENT},
            )
        self.control = Connection(ours.detach())
        self.preload = preload
        self.tell(preload)

    def tell(self, message: Any) -> None:
        with suppress(OSError):  # one that died at once is seen when it is listened to
            self.control.send(message)

    def close(self) -> None:
        """End one that no pool was made of."""
        self.control.close()
        self.process.kill()
        self.process.wait()


class WorkerPool(Generic[P, T]):
    """Runs one function in `count` processes; `start` runs first, once, before they are forked."""

    def __init__(
        self,
        function: Callable[P, T],
        *,
        start: Callable[[str], None],
        argument: str,
        preload: tuple[str, ...] = (),
        count: int | None = None,
        seconds: float,
        starter: Starter | None = None,
    ) -> None:
        """`seconds` bounds one call; `starter` was begun before, with `preload` of its own.

        `function` and `start` are named importably: they are looked up in another interpreter.
        """
        self._preload = starter.preload if starter else preload
        self._setup = (function, start, argument, seconds)
        self._count = count or os.cpu_count() or 1
        self._seconds = seconds
        self._quick_seconds = min(seconds, max(QUICK_SHARE * seconds, QUICK_SECONDS))
        self._quick: deque[_Task] = deque()
        self._slow: deque[_Task] = deque()
        self._workers: list[_Worker] = []
        self._open: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._is_closing = False
        self._broken: str | None = None
        self._starter_failures = 0
        self._bell, self._ring = socket.socketpair()
        for end in (self._bell, self._ring):
            end.setblocking(False)
        self._begin(starter or Starter(self._preload))
        self._thread = threading.Thread(target=self._run, name="worker pool", daemon=True)
        self._thread.start()

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future raises WorkerFailure when the document broke its worker."""
        return self._enter(_Task(args, kwargs, Future(), is_long=False))

    def submit_long(self, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """`submit` for what honestly takes long (a sitemap of 50,000 entries): the whole limit at once."""
        return self._enter(_Task(args, kwargs, Future(), is_long=True))

    def _enter(self, task: _Task) -> Future[Any]:
        with self._lock:
            if self._broken is None and not self._is_closing:
                self._open.add(task.future)
                self._quick.append(task)
            else:
                task.future.set_exception(RuntimeError(self._broken or "the pool is closed"))
        task.future.add_done_callback(self._open.discard)
        self._wake()
        return task.future

    def close(self) -> None:
        """Stop at once; documents under way are cancelled (their URLs stay leased)."""
        with self._lock:
            self._is_closing = True
        self._wake()
        self._thread.join()
        for future in tuple(self._open):
            future.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):  # it rings already, or nobody is there any more
            self._ring.send(b"!")

    # --- the starter ----------------------------------------------------------------------------

    def _begin(self, begun: Starter) -> None:
        self._process, self._control = begun.process, begun.control
        self._unstarted: deque[_Worker] = deque()
        begun.tell(self._setup)

    def _begin_again(self) -> None:
        """The starter died: its workers go with it, and their documents are read anew."""
        code = self._process.wait()
        self._control.close()
        for worker in self._workers:
            if worker.task is not None:
                self._quick.appendleft(worker.task)
            self._leave(worker)
            with suppress(ProcessLookupError, PermissionError):
                if worker.pid:
                    os.kill(worker.pid, signal.SIGKILL)
        self._workers.clear()
        self._starter_failures += 1
        if self._starter_failures < _STARTER_TRIES:
            self._begin(Starter(self._preload))
            return
        with self._lock:
            self._broken = f"no worker process can be started (exit code {code}); see above"
        for future in tuple(self._open):
            _fail(future, RuntimeError(self._broken))

    def _fork(self, *, is_slow: bool) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        worker = _Worker(Connection(ours.detach()), is_slow)
        self._workers.append(worker)
        with theirs:
            self._control.send((starter.FORK, starter.SLOW_NICENESS if is_slow else 0))
            send_handle(self._control, theirs.fileno(), self._process.pid)
        self._unstarted.append(worker)

    # --- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_closing and self._broken is None:
            try:
                self._hire()
                self._assign()
                self._listen()
            except (EOFError, BrokenPipeError, ConnectionResetError):
                self._begin_again()
            self._enforce()
        with suppress(OSError):
            self._control.close()  # the starter kills its workers, and ends
        for worker in self._workers:
            self._leave(worker)
        if not any(worker.pid for worker in self._workers):
            self._process.kill()  # it still loads libraries; a worker that it did fork ends by itself
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._bell.close()
        self._ring.close()

    def _hire(self) -> None:
        quick = sum(not one.is_slow and not one.is_leaving for one in self._workers)
        for _ in range(quick, self._count + SPARE):
            self._fork(is_slow=False)
        if self._slow and not any(one.is_slow and not one.is_leaving for one in self._workers):
            self._fork(is_slow=True)

    def _assign(self) -> None:
        busy = sum(not one.is_slow and _has_work(one) for one in self._workers)
        for worker in self._workers:
            if not worker.is_idle:
                continue
            if worker.is_slow and self._slow:
                self._give(worker, self._slow.popleft())
            elif not worker.is_slow and self._quick and busy < self._count:
                self._give(worker, self._quick.popleft())
                busy += 1

    def _give(self, worker: _Worker, task: _Task) -> None:
        if task.future.done():  # the caller gave up
            return
        worker.task, worker.since, worker.asleep = task, time.monotonic(), 0
        worker.used, _ = _processor_time(worker.pid)
        try:
            worker.connection.send((task.args, task.kwargs))
        except OSError:
            pass  # it died while idle: its end will tell, and count as a try
        except Exception as error:  # noqa: BLE001  # arguments that cannot be pickled
            worker.task = None
            _fail(task.future, error)

    def _listen(self) -> None:
        listened = [one.connection for one in self._workers if not one.is_leaving]
        ready = wait([self._control, self._bell, *listened], self._timeout())
        for worker in [one for one in self._workers if one.connection in ready]:
            self._hear(worker)
        if self._bell in ready:
            with suppress(BlockingIOError):
                self._bell.recv(4096)
        if self._control in ready:
            self._heed(*self._control.recv())

    def _timeout(self) -> float | None:
        """Until the next document may be over its time."""
        left = [
            self._limit(one) - (time.monotonic() - one.since)
            for one in self._workers
            if one.task is not None
        ]
        return max(min(left), _LOOK_SECONDS) if left else None

    def _hear(self, worker: _Worker) -> None:
        """What a worker says of its document."""
        try:
            how, value = worker.connection.recv()
        except (EOFError, OSError):
            self._leave(worker)  # it died; how comes from the starter
            return
        except Exception as error:  # noqa: BLE001  # a value that cannot be unpickled
            how, value = starter.FAULT, error
        task, worker.task = worker.task, None
        worker.done += 1
        self._starter_failures = 0
        if worker.done >= TASKS_PER_WORKER or how == starter.MEMORY:
            self._leave(worker)  # without its connection it ends by itself
        if task is None:
            return
        if how == starter.DONE:
            with suppress(InvalidStateError):  # the caller gave up
                task.future.set_result(value)
        elif how == starter.FAULT:
            _fail(task.future, value)
        else:
            self._failed(task, f"out of {how}")

    def _heed(self, what: str, pid: int, code: int) -> None:
        """What the starter tells of a worker."""
        if what == starter.STARTED:
            self._unstarted.popleft().pid = pid
            return
        worker = next((one for one in self._workers if one.pid == pid), None)
        if worker is None:
            return
        self._leave(worker)
        self._workers.remove(worker)
        if worker.task is not None:
            self._failed(worker.task, f"the worker died ({_cause(code)})")

    def _enforce(self) -> None:
        for worker in tuple(self._workers):
            if worker.task is None or worker.is_leaving or not self._is_over(worker):
                continue
            limit = self._limit(worker)
            task, worker.task = worker.task, None
            self._leave(worker)
            self._workers.remove(worker)
            with suppress(OSError):  # a starter that died is seen when it is listened to
                self._control.send((starter.KILL, worker.pid))
            self._failed(task, f"no end after {limit:g} s")

    def _is_over(self, worker: _Worker) -> bool:
        """Whether a worker used its time, or sleeps after that time has passed on the clock."""
        now, limit = time.monotonic(), self._limit(worker)
        if now - worker.since <= limit or now - worker.looked < _LOOK_SECONDS:
            return False
        worker.looked = now
        used, is_asleep = _processor_time(worker.pid)
        worker.asleep = worker.asleep + 1 if is_asleep else 0
        return used - worker.used > limit or worker.asleep >= _ASLEEP_LOOKS

    def _limit(self, worker: _Worker) -> float:
        is_quick = worker.task is not None and not worker.is_slow and not worker.task.is_long
        return self._quick_seconds if is_quick else self._seconds

    def _failed(self, task: _Task, why: str) -> None:
        task.tries += 1
        if task.tries < TRIES and len(self._slow) < MAX_WAITING_SLOW:
            self._slow.append(task)
        else:
            _fail(task.future, WorkerFailure(why, task.tries))

    def _leave(self, worker: _Worker) -> None:
        if not worker.is_leaving:
            worker.is_leaving = True
            worker.connection.close()


def _fail(future: Future[Any], error: Exception) -> None:
    with suppress(InvalidStateError):  # the caller gave up
        future.set_exception(error)


def _has_work(worker: _Worker) -> bool:
    """Whether a worker reads a document, and does not sleep over it."""
    if worker.task is None:
        return False
    return time.monotonic() - worker.since < _STUCK_SECONDS or not _processor_time(worker.pid)[1]


def _search_path() -> str:
    """Where this process finds modules, for a new interpreter; -P keeps its working directory out."""
    return os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _processor_time(pid: int) -> tuple[float, bool]:
    """Processor seconds of a process, and whether it sleeps; without /proc as if it used all time."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as values:  # noqa: PTH123  # once a document
            fields = values.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS, fields[0] in b"STt"
    except OSError:
        return time.monotonic(), False

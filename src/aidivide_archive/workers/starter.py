"""The process that workers are forked from, and what a worker does.

It is set up once, libraries and models loaded, and then only forks: a worker that died is replaced
in milliseconds instead of the second that loading takes. It is the parent of all workers, so it
alone may kill them: it cannot meet a process number that was given out again.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from math import ceil
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import Any, NoReturn

MEMORY_LIMIT_BYTES = 3 << 29
"""Address space of a worker, 1.5 GiB: libraries map about 0.6."""
SLOW_NICENESS = 19
"""Of the slow lane: it has the time that no good document wants."""
_GC_THRESHOLD = (20_000, 50, 100)
"""Python's 700 looks through a page's tree dozens of times while it is read: 6 % of a worker's time."""
_OOM_SCORE = "500"
"""When the whole machine runs out of memory, the kernel takes a worker and not the crawl."""

DONE, FAULT, MEMORY, STACK = "done", "fault", "memory", "stack"
"""How a document ended in a worker: a value, an exception, and two limits of the process."""
FORK, KILL, STARTED, ENDED = "fork", "kill", "started", "ended"
"""Requests to the starter (fork a worker, kill a process), and what it tells."""


def run(descriptor: int) -> None:
    """Load the modules of the first message, set up the second, then fork and kill until the connection ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # ending is the parent's affair: it closes the pipe
    control = Connection(descriptor)
    try:
        for module in control.recv():
            import_module(module)
        function, start, argument, seconds = control.recv()
    except EOFError:  # the parent is gone, or needs no workers after all
        return
    start(argument)
    gc.collect()
    gc.freeze()  # what all workers share stays shared
    with suppress(EOFError, OSError):
        _Starter(control, function, seconds).run()


class _Starter:
    def __init__(self, control: Connection, function: Callable[..., Any], seconds: float) -> None:
        self._control = control
        self._function = function
        self._seconds = seconds
        self._living: set[int] = set()
        self._death, self._noticed = socket.socketpair()
        for end in (self._death, self._noticed):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._noticed.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        try:
            while True:
                ready = wait([self._control, self._death])
                if self._death in ready:
                    with suppress(BlockingIOError):
                        self._death.recv(4096)
                    self._bury()
                if self._control in ready:
                    self._obey(*self._control.recv())
        finally:
            for pid in self._living:
                os.kill(pid, signal.SIGKILL)
            for pid in self._living:  # so that their processor time counts as this process's
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)
            signal.set_wakeup_fd(-1)
            self._death.close()
            self._noticed.close()

    def _obey(self, what: str, value: int) -> None:
        if what == KILL:
            if value in self._living:
                os.kill(value, signal.SIGKILL)
            return
        handle = recv_handle(self._control)
        pid = os.fork()
        if pid == 0:
            self._become_worker(handle, niceness=value)
        os.close(handle)
        self._living.add(pid)
        self._control.send((STARTED, pid, 0))

    def _bury(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._living.discard(pid)
                self._control.send((ENDED, pid, os.waitstatus_to_exitcode(status)))

    def _become_worker(self, handle: int, *, niceness: int) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._control, self._death, self._noticed):
                end.close()
            with suppress(OSError):  # no such file but on Linux
                Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
            os.nice(niceness)
            for limit, value in (
                (resource.RLIMIT_AS, MEMORY_LIMIT_BYTES),
                (resource.RLIMIT_CORE, 0),
                (resource.RLIMIT_FSIZE, 0),
            ):
                resource.setrlimit(limit, (value, value))
            gc.set_threshold(*_GC_THRESHOLD)
            _work(Connection(handle), self._function, self._seconds)
            code = 0
        finally:
            os._exit(code)


def _work(connection: Connection, function: Callable[..., Any], seconds: float) -> None:
    """Read documents one after the other until the pool closes the connection."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    while True:
        try:
            args, kwargs = connection.recv()
        except (EOFError, OSError):
            return
        # a second bound, should the pool be too busy to look at the clock
        used = resource.getrusage(resource.RUSAGE_SELF)
        until = ceil(used.ru_utime + used.ru_stime + 2 * seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (until, most))
        how, value = _read(function, args, kwargs)
        try:
            connection.send((how, value))
        except MemoryError:
            connection.send((MEMORY, None))
        except (AttributeError, TypeError, ValueError) as error:  # it cannot be pickled
            connection.send((FAULT, RuntimeError(f"{value!r:.200}: {error}")))


def _read(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[str, Any]:
    try:
        return DONE, function(*args, **kwargs)
    except MemoryError:
        return MEMORY, None
    except RecursionError:
        return STACK, None
    except Exception as error:  # noqa: BLE001  # the pool's caller gets it
        return FAULT, error

"""A pool of killable worker processes: a document that hangs, crashes or eats memory costs only itself.

concurrent.futures.ProcessPoolExecutor is no sandbox: one crash breaks the pool, one hang blocks it (faults.md
finding 12). pebble kills and replaces the single worker.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from types import TracebackType
from typing import Generic, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

P = ParamSpec("P")
T = TypeVar("T")

MEMORY_LIMIT_BYTES = 3 << 29
"""Address space of a worker, 1.5 GiB: libraries map about 0.6."""
TASKS_PER_WORKER = 500
"""Documents after which a worker is replaced, so that leaks in C libraries stay small."""


class WorkerFailure(Exception):  # noqa: N818  # a value for callers that judge a document, not an ArchiveError
    """A document made its worker fail: time, memory, crash."""


PIPE_BYTES = 1 << 20
"""What an unprivileged process may ask for (Linux: /proc/sys/fs/pipe-max-size)."""


class _WidePipes(ForkServerContext):
    """Pipes that hold a few pages.

    A page is larger than the usual 64 KiB: sending it took several writes, each of which waited its turn among the
    threads of the main process, while the workers had nothing to do.
    """

    def Pipe(self, duplex: bool = True) -> tuple[Connection, Connection]:  # noqa: N802  # the name of the standard library
        reader, writer = super().Pipe(duplex)
        with suppress(OSError, AttributeError):  # no such call, or not so much: slower, not wrong
            fcntl.fcntl(writer.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        return reader, writer


class WorkerPool(Generic[P, T]):
    """Runs one function in `count` processes; `start` runs first in each of them, untimed."""

    def __init__(
        self,
        function: Callable[P, T],
        *,
        start: Callable[[str], None],
        argument: str,
        preload: tuple[str, ...] = (),
        count: int | None = None,
        seconds: float,
    ) -> None:
        """`seconds` bounds one call; `preload` names modules imported once and shared by fork."""
        self._function = function
        self._seconds = seconds
        self._open: set[Future[T]] = set()
        context = _WidePipes()
        context.set_forkserver_preload(list(preload))
        self._pool = ProcessPool(
            max_workers=count or os.cpu_count() or 1,
            max_tasks=TASKS_PER_WORKER,
            initializer=_begin,
            initargs=(start, argument),
            context=context,
        )

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The future raises WorkerFailure when the document broke its worker."""
        outer: Future[T] = Future()
        self._open.add(outer)
        outer.add_done_callback(self._open.discard)
        inner = self._pool.schedule(self._function, args=args, kwargs=kwargs, timeout=self._seconds)
        inner.add_done_callback(lambda done: _hand_over(done, outer, self._seconds))
        return outer

    def close(self) -> None:
        """Stop at once; documents under way are cancelled (their URLs stay leased)."""
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates only a part
        self._pool.join()
        for future in tuple(self._open):  # pebble tells nobody
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


def _begin(start: Callable[[str], None], argument: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    start(argument)  # before the limits: models may be unpacked through temporary files
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _hand_over(done: Future[T], outer: Future[T], seconds: float) -> None:
    if outer.done():  # the caller gave up
        return
    if done.cancelled():
        outer.cancel()
        return
    error = done.exception()
    if error is None:
        outer.set_result(done.result())
    elif isinstance(error, TimeoutError):
        outer.set_exception(WorkerFailure(f"no end after {seconds:g} s"))
    elif isinstance(error, ProcessExpired):
        outer.set_exception(WorkerFailure(f"the worker died (exit code {error.exitcode})"))
    elif isinstance(error, MemoryError | RecursionError):
        outer.set_exception(
            WorkerFailure(f"out of {'memory' if isinstance(error, MemoryError) else 'stack'}")
        )
    else:
        outer.set_exception(error)

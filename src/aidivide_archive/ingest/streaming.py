"""The one loop that reads many captures: a window of them is with the workers, results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from aidivide_archive.ingest.reading import Reading
from aidivide_archive.ingest.service import Ingest
from aidivide_archive.model import Capture, LeasedUrl

S = TypeVar("S")
T = TypeVar("T")

IN_FLIGHT = 16
"""Tasks with the workers or waiting for them: some for every worker of a usual machine, and bodies that fit in memory."""


def readings(
    ingest: Ingest,
    captures: Iterable[tuple[S, LeasedUrl, Capture]],
    *,
    in_flight: int = IN_FLIGHT,
) -> Iterator[tuple[S, Reading]]:
    """Each subject with the reading of its capture, in the order of the captures.

    In order, so that what is stored does not depend on which worker is the quicker one.
    """
    begun = ((subject, ingest.read(leased, capture)) for subject, leased, capture in captures)
    return in_order(begun, in_flight=in_flight)


def in_order(
    begun: Iterable[tuple[S, Future[T]]], *, in_flight: int = IN_FLIGHT
) -> Iterator[tuple[S, T]]:
    """Subjects with the results of their futures, in their order; at most `in_flight` are begun ahead.

    `begun` is to begin each task when it is asked for it.
    """
    waiting: deque[tuple[S, Future[T]]] = deque()
    for task in begun:
        waiting.append(task)
        if len(waiting) >= in_flight:
            subject, future = waiting.popleft()
            yield subject, future.result()
    for subject, future in waiting:
        yield subject, future.result()

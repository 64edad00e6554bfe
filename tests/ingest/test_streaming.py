"""The loop that reads many captures: order, and how far it runs ahead."""

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import pytest

from aidivide_archive.ingest.admission import as_leased, foreign
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.ingest.streaming import in_order, readings
from aidivide_archive.model import Capture, LeasedUrl, Outcome, Reason, UrlState


def done(value: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(value)
    return future


@pytest.mark.parametrize("count", [0, 1, 4, 5, 23])
def test_results_come_in_order_and_at_most_so_many_are_begun_ahead(count: int):
    begun: list[int] = []
    ended: list[int] = []

    def tasks() -> Iterator[tuple[str, Future[int]]]:
        for number in range(count):
            begun.append(number)
            assert len(begun) - len(ended) <= 4
            yield f"task {number}", done(number)

    for subject, result in in_order(tasks(), in_flight=4):
        assert subject == f"task {result}"
        ended.append(result)
    assert begun == ended == list(range(count))


class BackwardsIngest:
    """Finishes what it is given in batches of four, the last one first."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Future[Reading]]] = []
        self.finished: list[str] = []

    def read(self, leased: LeasedUrl, capture: Capture) -> Future[Reading]:
        future: Future[Reading] = Future()
        self.waiting.append((leased.url, future))
        if len(self.waiting) == 4:
            while self.waiting:
                url, last = self.waiting.pop()
                self.finished.append(url)
                outcome = Outcome(state=UrlState.DONE, reason=Reason.KEPT, detail=url)
                last.set_result(Reading(outcome=outcome))
        return future


def test_which_worker_is_quicker_decides_nothing():
    urls = [f"https://news.example/{number}" for number in range(8)]
    captures = [
        Capture(url=url, captured_at=datetime.now(UTC), status=200, headers=(), body=b"")
        for url in urls
    ]
    ingest: Any = BackwardsIngest()
    given = ((capture.url, as_leased(foreign(capture.url)), capture) for capture in captures)
    read = [(url, reading.outcome.detail) for url, reading in readings(ingest, given, in_flight=4)]
    assert read == [(url, url) for url in urls]
    assert ingest.finished != urls

"""Kills at every named crash point, on both engines: nothing acknowledged is lost, nothing is double."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aidivide_archive.archive import Location
from aidivide_archive.archive.storage import crash_points
from tests.support import archives
from tests.support.archives import ENGINES
from tests.support.figures import figure
from tests.support.small_crawl import (
    BATCH,
    Job,
    Kept,
    Processes,
    kept,
    kill,
    lost,
    processes,
    read_journal,
    refetched,
)

pytestmark = pytest.mark.slow
PAGES = 100
MORE = 140
"""Pages that an import brings, some of them already crawled."""


@pytest.fixture(scope="module")
def forks() -> Iterator[Processes]:
    with processes() as made:
        yield made


@pytest.fixture(scope="module")
def expected(forks: Processes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    """Archives that nobody killed, by kind of job."""
    found = {}
    for kind, pages in (("crawl", PAGES), ("import", MORE)):
        job = Job(str(tmp_path_factory.mktemp(kind) / "archive"), kind=kind, pages=pages)
        assert forks.run(job) == [0]
        found[kind] = kept(job.location)
    assert len(found["crawl"].articles) == PAGES
    assert len(found["crawl"].matches) >= PAGES // 5
    assert found["crawl"].rows["captures"] == PAGES
    return found


def job_for(location: Location, **changes: object) -> Job:
    job = Job(str(location.directory), location.database_url, pages=PAGES)
    return replace(job, **changes)  # type: ignore[arg-type]  # the fields of a Job


# Where to kill, and how often the point is passed before: one run after the other in one archive.
CRAWL_POINTS = (
    "in_migration", "in_begin", "in_lease", "after_fetch", "in_document", "after_extract:3", "after_fetch:7",
    "in_lease:2", "in_document:2", "before_sync:6", "before_commit:6", "after_commit:6", "before_sync:7",
    "after_commit:5", "in_settle", "after_settle", "in_finish", "during_checkpoint", "at_close",
)  # fmt: skip
IMPORT_POINTS = ("in_import_batch:2", "in_import_batch", "before_commit:3", "in_settle")


def test_every_named_point_is_tried():
    tried = {one.partition(":")[0] for one in CRAWL_POINTS + IMPORT_POINTS}
    assert tried == set(crash_points.NAMES)


@pytest.mark.fault("F02")
@pytest.mark.parametrize(("kind", "points"), [("crawl", CRAWL_POINTS), ("import", IMPORT_POINTS)])
def test_kills_at_named_points_lose_nothing_and_double_nothing(
    nowhere: Location,
    forks: Processes,
    expected: dict[str, Kept],
    kind: str,
    points: tuple[str, ...],
):
    """Each run of one archive is killed at another point; the last one is not."""
    if not nowhere.is_sqlite:  # it has no log of its own to copy
        points = tuple(one for one in points if one != "during_checkpoint")
    job = job_for(nowhere, kind=kind, pages=MORE if kind == "import" else PAGES)
    for point in points:
        assert forks.run(replace(job, crash_at=point)) == [-9], f"{point}: not passed"
        assert not lost(job), point
    assert forks.run(job) == [0]
    assert comparable(kept(nowhere), kind) == comparable(expected[kind], kind)
    assert refetched(job) <= len(points) * 2 * BATCH
    engine = "SQLite" if nowhere.is_sqlite else "PostgreSQL"
    figure(
        "F02",
        f"{kind} killed at {len(points)} named points on {engine}: same archive, nothing acknowledged lost",
        f"0 of {len(points)} lossy, 0 double rows, {refetched(job)} pages fetched again",
    )


def comparable(found: Kept, kind: str) -> Kept:
    """A second import observes again what is there."""
    rows = {name: n for name, n in found.rows.items() if kind == "crawl" or name != "observations"}
    return replace(found, rows=rows)


@pytest.mark.fault("F01")
def test_kills_at_random_instants_lose_nothing(
    nowhere: Location, forks: Processes, expected: dict[str, Kept]
):
    """One archive, killed again and again while it grows."""
    job = job_for(nowhere, pause=0.01)
    kills = kill_at_random(forks, job, kills=8, seed=5)
    assert kills["work"] >= 3, f"the kills missed the work: {kills}"
    assert forks.run(job) == [0]
    assert kept(nowhere) == expected["crawl"]
    assert refetched(job) <= kills.total() * 2 * BATCH


@pytest.mark.fault("F01")
@pytest.mark.soak
@pytest.mark.parametrize(("engine", "count"), [(ENGINES[0], 200), (ENGINES[1], 50)])
def test_many_kills_at_random_instants_lose_nothing(
    engine: str, count: int, forks: Processes, expected: dict[str, Kept], tmp_path: Path
):
    """One archive after the other, each killed up to ten times."""
    kills: Counter[str] = Counter()
    number = again = 0
    while kills.total() < count:
        number += 1
        with archives.nowhere(engine, tmp_path) as place:
            job = job_for(replace(place, directory=tmp_path / f"{number}"), pause=0.01)
            some = min(10, count - kills.total())
            kills += (here := kill_at_random(forks, job, kills=some, seed=number))
            assert forks.run(job) == [0]
            assert kept(job.location) == expected["crawl"], f"archive {number}"
            assert refetched(job) <= here.total() * 2 * BATCH, f"archive {number}"
            again += refetched(job)
    assert kills["work"] > count / 2, f"the kills missed the work: {kills}"
    assert again > count / 10, "the kills met nothing under way"
    figure(
        "F01",
        f"{count} random kills on {engine} in {number} archives ({dict(sorted(kills.items()))}): "
        "each ends equal to one never killed, every row counted",
        f"0 of {count} lossy, 0 double rows, {again / count:.1f} pages fetched again a kill (batch {BATCH})",
    )


def kill_at_random(forks: Processes, job: Job, *, kills: int, seed: int) -> Counter[str]:
    """Kill so many processes of one job; in which phase each was. Checks what was acknowledged every time.

    A process that ended before its kill is not counted: then nothing is left to do.
    """
    chance = random.Random(seed)
    pause = threading.Event()
    phases: Counter[str] = Counter()
    for _ in range(kills):
        before = read_journal(job.journal)
        wanted = chance.randint(
            1, 12
        )  # by progress, not by the clock: a busy machine would be killed at its start
        (pid,) = forks.start(job)
        while True:
            found = read_journal(job.journal)
            if len(found["fetched"]) >= len(before["fetched"]) + wanted:
                break
            if "settle" in found["phase"][len(before["phase"]) :]:
                break
            pause.wait(0.001)
        pause.wait(chance.uniform(0.0, 0.03))
        kill(pid)
        (code,) = forks.wait()
        if code != -9:
            break
        phases[read_journal(job.journal)["phase"][-1]] += 1
        assert not lost(job)
    return phases

"""A crawl without the network, in processes that may be killed: an invented site of pages that link to one another.

The archive, the frontier, the WARC file and the acknowledgement are the product's; only downloading and extracting are
replaced. Every fetch and every acknowledgement is noted in a journal beside the archive, so that a test can compare
what was promised with what is there. Processes are forked from one that has imported everything.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage import crash_points
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.ingest.composing import compose
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.model import (
    Capture,
    Channel,
    Discovery,
    Document,
    Extraction,
    LeasedUrl,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    Signature,
    Stored,
    UrlKind,
    UrlState,
)
from aidivide_archive.similarity import sign
from aidivide_archive.urls import url_id
from tests.support.places import ROOT

BATCH = 16
"""URLs leased at a time: what is in flight."""
HOSTS = 5
NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
SYLLABLES = ["ka", "lo", "mi", "ren", "ta", "vos", "un", "pel", "dra", "sho", "bi", "nem"]


# --- the site ------------------------------------------------------------------------------------


def url_of(number: int) -> str:
    return f"https://site{number % HOSTS}.example/{number}"


@lru_cache(maxsize=1000)
def text_of(number: int) -> str:
    """Every fifth page is a shortened copy of the page before it."""
    if number % 5 == 4:
        return "\n".join(text_of(number - 1).split("\n")[:-2])
    draw = random.Random(number)
    return "\n".join(
        " ".join("".join(draw.choices(SYLLABLES, k=3)) for _ in range(11)).capitalize() + "."
        for _ in range(8)
    )


def links_of(number: int, pages: int) -> list[int]:
    """A tree: a page that was acknowledged without its links would lose others."""
    return [one for one in range(3 * number + 1, 3 * number + 4) if one < pages]


def found(number: int, channel: Channel = Channel.LINK) -> Discovery:
    return discovery(url_of(number), kind=UrlKind.PAGE, channel=channel)


@lru_cache(maxsize=1000)
def signature_of(number: int) -> Signature:
    return sign(text_of(number))


def reading_of(number: int, pages: int) -> Reading:
    text = text_of(number)
    return Reading(
        outcome=Outcome(state=UrlState.DONE, reason=Reason.KEPT),
        extraction=Extraction(
            version="1",
            page_kind=PageKind.ARTICLE,
            text=text,
            metadata=Metadata(title=f"Page {number}"),
        ),
        signature=signature_of(number),
        discoveries=tuple(found(one) for one in links_of(number, pages)),
    )


def ready_article(number: int) -> Document:
    """The same page as an import brings it."""
    read = reading_of(number, 0)
    return Document(
        url_id=url_id(url_of(number)),
        url=url_of(number),
        outcome=Outcome(state=UrlState.DONE, reason=Reason.IMPORTED),
        finished_at=NOW,
        extraction=read.extraction,
        signature=read.signature,
    )


# --- one process ---------------------------------------------------------------------------------


class Journal:
    """What a process did, in a file that outlives it: `fetched N`, `host NAME PID`, `acknowledged N`, `phase NAME`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def note(self, what: str, which: object) -> None:
        os.write(self._file, f"{what} {which}\n".encode())


def read_journal(path: Path) -> dict[str, list[str]]:
    """Entries by their first word; a torn last line cannot occur: one write a line."""
    entries: dict[str, list[str]] = {"fetched": [], "acknowledged": [], "phase": [], "host": []}
    with suppress(FileNotFoundError):
        for line in path.read_text().splitlines():
            what, which = line.split(" ", 1)
            entries[what].append(which)
    return entries


@dataclass(frozen=True)
class Job:
    """What a process is to do; travels as JSON."""

    directory: str
    database: str | None = None
    kind: str = "crawl"
    """crawl, import or open."""
    pages: int = 60
    first: int = 0
    """Number of the first page of an import."""
    crash_at: str | None = None
    pause: float = 0.0
    """Seconds between two leases."""

    @property
    def location(self) -> Location:
        return Location(Path(self.directory), self.database)

    @property
    def journal(self) -> Path:
        return Path(self.directory).with_suffix(".journal")


def perform(job: Job, prepare: Callable[[Archive], None] = lambda _: None) -> int:
    """Do the job in this process; the exit code of a command. `prepare` gets the archive before its run begins."""
    crash_points.arm(job.crash_at)
    journal = Journal(job.journal)
    try:
        journal.note("phase", "start")
        with Archive(job.location, wait=True) as archive:
            prepare(archive)
            if job.kind != "open":
                archive.begin(job.kind, warc=job.kind == "crawl")
                journal.note("phase", "work")
                _crawl(archive, job, journal) if job.kind == "crawl" else _import(archive, job)
                journal.note("phase", "settle")
                archive.settle().result()
                archive.finish("finished")
            journal.note("phase", "close")
        journal.note("phase", "end")
    except ArchiveError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _crawl(archive: Archive, job: Job, journal: Journal) -> None:
    archive.discover([found(0, Channel.SEED)]).result()
    pause = threading.Event()
    while True:
        lease = archive.lease(limit=BATCH, per_host=BATCH, pages_per_host=10_000).result()
        if not lease.urls and not lease.outstanding:
            return
        futures = [_fetch(archive, leased, job, journal) for leased in lease.urls]
        for future in futures:
            future.result()
        pause.wait(job.pause or (0 if lease.urls else 0.05))


def _fetch(archive: Archive, leased: LeasedUrl, job: Job, journal: Journal) -> Future[Stored]:
    number = int(leased.url.rsplit("/", 1)[1])
    journal.note("fetched", number)
    journal.note("host", f"{leased.host} {os.getpid()}")
    capture = Capture(
        url=leased.url,
        captured_at=datetime.now(UTC),
        status=200,
        headers=(("Content-Type", "text/html"),),
        body=text_of(number).encode(),
    )
    reading = reading_of(number, job.pages)
    future = archive.commit(compose(archive, leased, reading, capture))

    def acknowledge(done: Future[Stored]) -> None:
        if done.exception() is None:
            journal.note("acknowledged", number)

    future.add_done_callback(acknowledge)
    return future


def _import(archive: Archive, job: Job) -> None:
    numbers = range(job.first, job.first + job.pages)
    for start in range(0, len(numbers), 50):
        batch = [ready_article(number) for number in numbers[start : start + 50]]
        archive.store_imported(batch).result()


# --- many processes ------------------------------------------------------------------------------


class Processes:
    """Forks processes for jobs from one that has imported everything; talks to it in lines of JSON."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.small_crawl"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, *jobs: Job) -> list[int]:
        """Start processes; their pids. All of them are to be awaited before the next are started."""
        assert self._server.stdin is not None
        for job in jobs:
            self._server.stdin.write(json.dumps(asdict(job)) + "\n")
        self._server.stdin.write("\n")
        self._server.stdin.flush()
        return [self._answer("pid") for _ in jobs]

    def wait(self, count: int = 1) -> list[int]:
        """Exit codes in the order of the jobs; -9 for a killed process."""
        return [self._answer("code") for _ in range(count)]

    def run(self, *jobs: Job) -> list[int]:
        return self.wait(len(self.start(*jobs)))

    def _answer(self, name: str) -> int:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        assert line, "the server of processes died"
        key, value = line.split()
        assert key == name, line
        return int(value)

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(30)
        assert self._server.stdout is not None
        self._server.stdout.close()


def serve() -> None:
    """Fork for each line of standard input until an empty one, then wait for all; without end."""
    for number in range(100):
        signature_of(number)  # once for all processes
    jobs: list[Job] = []
    for line in sys.stdin:
        if line.strip():
            jobs.append(Job(**json.loads(line)))
            continue
        pids = [_forked(job) for job in jobs]
        for pid in pids:
            _say("pid", pid)
        for pid in pids:
            _say("code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        jobs = []


def _forked(job: Job) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = perform(job)
    finally:
        os._exit(code)


def _say(name: str, number: int) -> None:
    sys.stdout.write(f"{name} {number}\n")
    sys.stdout.flush()


@contextmanager
def processes() -> Iterator[Processes]:
    made = Processes()
    try:
        yield made
    finally:
        made.close()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


# --- what is there -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """The content of an archive without times and numbers of runs, and the rows that could be double."""

    ledger: list[tuple[Any, ...]]
    articles: list[tuple[Any, ...]]
    matches: list[dict[str, Any]]
    stories: list[dict[str, Any]]
    rows: dict[str, int]


def kept(location: Location) -> Kept:
    """Raises AssertionError when the archive is not sound."""
    with Reader(location) as reader:
        assert integrity(reader) == []
        return Kept(
            ledger=sorted((one["url"], one["state"], one["reason"]) for one in reader.ledger()),
            articles=sorted((one["url"], one["title"], one["text"]) for one in reader.articles()),
            matches=list(reader.matches(all=True)),
            stories=list(reader.stories(all=True)),
            rows=row_counts(location),
        )


def row_counts(location: Location) -> dict[str, int]:
    """Rows of the tables in which a repeated page would leave a second one."""
    import sqlalchemy as sa

    from aidivide_archive.archive import schema
    from aidivide_archive.archive.storage.engine import read_engine

    engine = read_engine(location)
    names = ("captures", "observations", "articles", "revisions", "extractions", "signatures")
    with engine.connect() as connection:
        counts = {
            name: connection.scalar(
                sa.select(sa.func.count()).select_from(schema.metadata.tables[name])
            )
            or 0
            for name in names
        }
    engine.dispose()
    return counts


def lost(job: Job) -> set[int]:
    """Pages that were acknowledged and are not in the archive."""
    promised = {int(one) for one in read_journal(job.journal)["acknowledged"]}
    if not promised:
        return set()
    with Reader(job.location) as reader:
        done = {one["url"] for one in reader.ledger() if one["state"] == "done"}
        whole = {one["url"] for one in reader.articles()}
    return {one for one in promised if url_of(one) not in done & whole}


def refetched(job: Job) -> int:
    """Fetches beyond the first one of each page."""
    return sum(count - 1 for count in Counter(read_journal(job.journal)["fetched"]).values())


if __name__ == "__main__":
    serve()

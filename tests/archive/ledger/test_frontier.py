import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.ledger import entering, frontier
from aidivide_archive.archive.ledger.endings import (
    BACKOFF_SECONDS,
    MAX_ATTEMPTS,
    Acknowledgement,
    acknowledge,
)
from aidivide_archive.archive.ledger.frontier import HOST_SECONDS, LEASE_SECONDS
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.exceptions import ArchiveLockedError
from aidivide_archive.model import (
    Channel,
    Discovery,
    Hint,
    LeasedUrl,
    Outcome,
    Reason,
    UrlKind,
    UrlState,
)

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
DONE = Outcome(state=UrlState.DONE, reason=Reason.KEPT)
REJECTED = Outcome(state=UrlState.REJECTED, reason=Reason.GONE)
FAILED = Outcome(state=UrlState.FAILED, reason=Reason.TIMEOUT)
DEAD = Outcome(state=UrlState.DEAD, reason=Reason.POISON)
TERMINAL = {"done", "rejected", "dead"}


def found(
    number: int,
    host: str = "one.example",
    kind: UrlKind = UrlKind.PAGE,
    *,
    channel: Channel = Channel.LINK,
    depth: int = 1,
    hint: Hint | None = None,
    key: str | None = None,
) -> Discovery:
    return Discovery(
        id=number,
        url=f"https://{host}/{number}",
        url_key=key or f"{host}/{number}",
        host=host,
        site=host,
        kind=kind,
        channel=channel,
        depth=depth,
        hint=hint,
    )


def start_run(connection: sa.Connection) -> int:
    row = {"kind": "crawl", "owner": "o", "started_at": NOW, "software": {}}
    statement = sa.insert(schema.crawls).values(row).returning(schema.crawls.c.id)
    return int(connection.execute(statement).scalar_one())


@dataclass
class Frontier:
    """The functions of the module on one connection, with what seldom changes filled in."""

    connection: sa.Connection
    run: int
    now: datetime = NOW

    def discover(self, *items: Discovery, run: int | None = None) -> int:
        return entering.discover(
            self.connection, items, crawl_id=run or self.run, event_id=None, now=self.now
        )

    def lease(
        self, owner: str = "me", *, limit: int = 100, per_host: int = 100, budget: int = 1000
    ) -> list[LeasedUrl]:
        return list(self.ask(owner, limit=limit, per_host=per_host, budget=budget).urls)

    def ask(
        self,
        owner: str = "me",
        *,
        limit: int = 100,
        per_host: int = 100,
        budget: int = 1000,
        busy: Collection[str] = (),
    ) -> frontier.Lease:
        return frontier.lease(
            self.connection,
            crawl_id=self.run,
            owner=owner,
            limit=limit,
            per_host=per_host,
            pages_per_host=budget,
            busy=busy,
            now=self.now,
        )

    def ids(self, owner: str = "me", **options: int) -> list[int]:
        return [one.id for one in self.lease(owner, **options)]

    def acknowledge(self, number: int, outcome: Outcome = DONE) -> UrlState:
        ended = Acknowledgement(number, outcome, self.now)
        return acknowledge(self.connection, [ended])[number]

    def row(self, number: int) -> Any:
        statement = sa.select(schema.urls).where(schema.urls.c.id == number)
        return self.connection.execute(statement).one()

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def queue(location: Location) -> Iterator[Frontier]:
    engine = write_engine(location)
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        yield Frontier(connection, start_run(connection))
    engine.dispose()


# --- discovery -----------------------------------------------------------------------------------


def test_what_is_new_is_counted_once(queue: Frontier):
    assert queue.discover(found(1), found(2), found(1)) == 2
    assert queue.discover(found(2), found(3)) == 1
    assert queue.discover() == 0


def test_a_known_url_keeps_its_state(queue: Frontier):
    queue.discover(found(1))
    queue.lease()
    queue.acknowledge(1)
    queue.discover(found(1, channel=Channel.FEED))
    assert (queue.row(1).state, queue.row(1).due_at) == ("done", None)


def test_every_way_to_a_url_is_noted_once_a_run(queue: Frontier):
    other = start_run(queue.connection)
    for run in (queue.run, queue.run, other):
        for channel in (Channel.FEED, Channel.SITEMAP):
            queue.discover(found(1, channel=channel), run=run)
    rows = queue.connection.execute(sa.select(schema.discoveries)).all()
    assert len(rows) == 4


def test_the_hints_come_with_the_lease_in_a_fixed_order(queue: Frontier):
    feed, sitemap = Hint(title="From the feed", summary="Words"), Hint(title="From the sitemap")
    queue.discover(found(1, channel=Channel.SITEMAP, hint=sitemap))
    queue.discover(found(1, channel=Channel.FEED, hint=feed))
    queue.discover(found(1, channel=Channel.LINK, hint=Hint()))
    queue.discover(found(2))
    first, second = queue.lease()
    assert first.hints == ((Channel.FEED, feed), (Channel.SITEMAP, sitemap))
    assert second.hints == ()


def test_what_was_purged_does_not_come_back(queue: Frontier):
    for target in ("one.example/1", "gone.example"):
        queue.connection.execute(sa.insert(schema.tombstones).values(target=target, purged_at=NOW))
    queue.discover(found(1), found(2), found(3, "gone.example"))
    assert queue.ids() == [2]
    assert [queue.row(n).reason for n in (1, 3)] == ["purged", "purged"]
    frontier.requeue(queue.connection, [1, 3], now=NOW, states=list(UrlState))
    assert queue.ids() == []


def test_of_two_keys_with_one_id_the_later_stays_out(queue: Frontier):
    queue.discover(found(1))
    queue.discover(found(1, "other.example"))
    assert queue.row(1).url == "https://one.example/1"
    assert len(queue.connection.execute(sa.select(schema.discoveries)).all()) == 1


def test_many_urls_at_once(queue: Frontier):
    assert queue.discover(*(found(n, f"h{n % 7}.example") for n in range(2500))) == 2500
    assert len(queue.ids(limit=3000, per_host=3000)) == 2500


# --- leases --------------------------------------------------------------------------------------


def test_a_leased_url_is_not_handed_out_again_until_the_lease_ends(queue: Frontier):
    queue.discover(found(1))
    assert queue.ids() == [1]
    queue.wait(LEASE_SECONDS - 1)
    assert queue.ids() == []
    queue.wait(1)
    assert queue.ids() == [1]


def test_a_living_run_keeps_its_leases_and_hosts(queue: Frontier):
    queue.discover(found(1), found(2))
    queue.lease("me", limit=1)
    for _ in range(20):
        queue.wait(HOST_SECONDS - 1)
        frontier.renew(queue.connection, crawl_id=queue.run, owner="me", now=queue.now)
        assert queue.ids("other") == []
    queue.wait(HOST_SECONDS)
    assert queue.ids("other") == [2]


def test_what_a_run_held_is_given_back(queue: Frontier):
    queue.discover(found(1), found(2))
    queue.lease()
    queue.acknowledge(1)
    assert frontier.release(queue.connection, crawl_ids=[queue.run], now=NOW) == 1
    assert frontier.release(queue.connection, crawl_ids=[], now=NOW) == 0
    assert queue.ids() == [2]


def test_limits_in_all_and_for_each_host_hold(queue: Frontier):
    queue.discover(*(found(n, f"h{n % 4}.example") for n in range(40)))
    hosts = Counter(one.host for one in queue.lease(limit=100, per_host=2))
    assert hosts == {f"h{n}.example": 2 for n in range(4)}
    assert len(queue.lease(limit=5, per_host=3)) == 5


def test_a_busy_host_gets_nothing_further(queue: Frontier):
    queue.discover(*(found(n, f"h{n % 4}.example") for n in range(8)))
    busy = ("h1.example", "h3.example")
    hosts = {one.host for one in queue.ask(busy=busy).urls}
    assert hosts == {"h0.example", "h2.example"}
    assert {one.host for one in queue.lease()} == set(busy)


def test_feeds_sitemaps_and_hubs_come_before_pages(queue: Frontier):
    kinds = [UrlKind.PAGE, UrlKind.HUB, UrlKind.FEED, UrlKind.SITEMAP]
    queue.discover(*(found(n, kind=kind) for n, kind in enumerate(kinds)))
    assert queue.ids() == [3, 2, 1]


def test_pages_of_a_host_wait_until_its_hubs_were_tried_once(queue: Frontier):
    queue.discover(found(1, kind=UrlKind.FEED), found(2), found(3, "other.example"))
    assert queue.ids() == [1, 3]
    assert queue.ids() == []  # the feed is under way
    queue.acknowledge(1, FAILED)
    assert queue.ids() == [2]


def test_outstanding_urls_and_the_next_time_are_told(queue: Frontier):
    queue.discover(found(1), found(2))
    asked = queue.ask(limit=1)
    assert (asked.outstanding, asked.next_due_at) == (1, NOW)
    queue.lease()
    queue.acknowledge(1, FAILED)
    asked = queue.ask()
    assert asked.urls == ()
    assert (asked.outstanding, asked.next_due_at) == (1, NOW + timedelta(seconds=5))
    queue.acknowledge(1)
    queue.acknowledge(2)
    assert (queue.ask().outstanding, queue.ask().next_due_at) == (0, None)


# --- failures ------------------------------------------------------------------------------------


def test_a_failing_url_is_tried_three_times_with_growing_pauses_then_dead(queue: Frontier):
    queue.discover(found(1))
    for pause in BACKOFF_SECONDS:
        assert [one.id for one in queue.lease()] == [1]
        assert queue.acknowledge(1, FAILED) is UrlState.FAILED
        queue.wait(pause - 0.1)
        assert queue.ids() == []
        queue.wait(0.1)
    assert [one.attempts for one in queue.lease()] == [MAX_ATTEMPTS - 1]
    assert queue.acknowledge(1, FAILED) is UrlState.DEAD
    queue.wait(10**6)
    assert queue.ids() == []
    assert (queue.row(1).reason, queue.row(1).finished_at) == (
        "timeout",
        queue.now - timedelta(days=0, seconds=10**6),
    )


def test_a_server_that_asks_for_time_gets_it(queue: Frontier):
    queue.discover(found(1))
    queue.lease()
    asked = Outcome(state=UrlState.FAILED, reason=Reason.RATE_LIMITED, retry_after_seconds=90)
    queue.acknowledge(1, asked)
    assert queue.row(1).due_at == NOW + timedelta(seconds=90)


def test_a_success_forgets_earlier_failures(queue: Frontier):
    queue.discover(found(1))
    queue.lease()
    queue.acknowledge(1, FAILED)
    queue.acknowledge(1, DONE)
    assert queue.row(1).attempts == 0


# --- hosts ---------------------------------------------------------------------------------------


def test_a_paused_host_is_left_alone(queue: Frontier):
    queue.discover(found(1), found(2, "other.example"))
    until = NOW + timedelta(seconds=60)
    frontier.pause_host(queue.connection, "one.example", until)
    frontier.pause_host(queue.connection, "one.example", NOW + timedelta(seconds=5))  # not less
    assert queue.ids() == [2]
    assert queue.ask().next_due_at == until  # not the time from which the URL itself is due
    queue.wait(59)
    assert queue.ids() == []
    queue.wait(1)
    assert queue.ids() == [1]


def test_a_host_past_its_budget_is_closed_with_a_reason(queue: Frontier):
    queue.discover(*(found(n) for n in range(5)), found(9, kind=UrlKind.FEED))
    assert queue.ids(budget=3) == [9]
    queue.acknowledge(9)
    for number in (0, 1):
        assert queue.ids(per_host=1, budget=3) == [number]
        queue.acknowledge(number)
    assert queue.ids(budget=3) == []
    assert {queue.row(n).reason for n in (2, 3, 4)} == {"limit"}
    assert "pages_per_host = 3" in queue.row(2).detail
    assert queue.ask(budget=3).outstanding == 0


def test_a_host_belongs_to_one_process_until_that_ends(queue: Frontier):
    queue.discover(found(1), found(2), found(3, "other.example"))
    assert queue.ids("first", limit=1) == [1]
    assert queue.ids("second") == [3]
    frontier.disown(queue.connection, ["first"])
    assert queue.ids("second") == [2]


def test_two_postgresql_processes_never_share_a_host(postgres_location: Location):
    """While one transaction is open, the other takes other hosts and does not wait."""
    engine = write_engine(postgres_location)
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        run = start_run(connection)
        Frontier(connection, run).discover(*(found(n, f"h{n % 10}.example") for n in range(40)))
    with engine.begin() as one, engine.begin() as two:
        two.execute(sa.text("SET LOCAL statement_timeout = '5s'"))
        first = {item.host for item in Frontier(one, run).lease("one", limit=6, per_host=1)}
        second = {item.host for item in Frontier(two, run).lease("two", limit=6, per_host=1)}
    assert (len(first), len(second)) == (6, 4)
    assert first.isdisjoint(second)
    engine.dispose()


def test_several_postgresql_processes_hand_out_each_url_once(postgres_location: Location):
    handed: list[tuple[str, str, int]] = []
    problems: list[BaseException] = []

    def crawl(name: str) -> None:
        try:
            with Archive(postgres_location) as archive:
                archive.begin("crawl")
                while True:
                    lease = archive.lease(limit=7, per_host=2, pages_per_host=1000).result()
                    for one in lease.urls:
                        handed.append((name, one.host, one.id))
                        work = lambda c, i=one.id: acknowledge(c, [Acknowledgement(i, DONE, NOW)])  # noqa: E731
                        archive.submit(work).result()
                    if not lease.urls and not lease.outstanding:
                        return
                    if not lease.urls:
                        archive.submit(lambda c: frontier.disown(c, [archive.owner])).result()
        except Exception as error:  # noqa: BLE001  # shown by the assertion
            problems.append(error)

    with Archive(postgres_location) as archive:
        archive.begin("crawl")
        archive.discover([found(n, f"h{n % 25}.example") for n in range(100)]).result()
        threads = [threading.Thread(target=crawl, args=(name,)) for name in ("a", "b", "c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []
    assert sorted(number for _, _, number in handed) == list(range(100))


# --- a run that dies -----------------------------------------------------------------------------

CHILD = """
import sys, time
from pathlib import Path
from aidivide_archive.archive import Archive, Location
archive = Archive(Location(Path(sys.argv[1]), sys.argv[2] or None))
archive.begin("crawl")
print(len(archive.lease(limit=100, per_host=100, pages_per_host=100).result().urls), flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_held_goes_to_the_next_run_and_not_before(location: Location):
    with Archive(location) as archive:
        archive.begin("crawl")
        archive.discover([found(n, f"h{n % 2}.example") for n in range(6)]).result()
        archive.finish("finished")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(location.directory), location.database_url or ""],
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"6\n"
        if location.is_sqlite:
            with pytest.raises(ArchiveLockedError):
                Archive(location)
        else:
            assert taken_over(location) == 0  # it lives
        os.kill(child.pid, signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()
    deadline = time.monotonic() + 10  # PostgreSQL notices a closed connection in its own time
    while not (count := taken_over(location)) and time.monotonic() < deadline:
        pass
    assert count == 6


def taken_over(location: Location) -> int:
    with Archive(location) as archive:
        archive.begin("crawl")
        lease = archive.lease(limit=100, per_host=100, pages_per_host=100).result()
        archive.finish("finished")
    return len(lease.urls)


# --- against a model -----------------------------------------------------------------------------

HOSTS = ("a.example", "b.example", "c.example")
KINDS = (UrlKind.PAGE, UrlKind.PAGE, UrlKind.PAGE, UrlKind.HUB)
UNIVERSE = [
    found(number, HOSTS[number % 3], KINDS[number % 4], depth=number % 3) for number in range(24)
]
OWNERS = ("one", "two")


@dataclass
class Known:
    """What the model remembers of a URL."""

    item: Discovery
    state: UrlState = UrlState.QUEUED
    due: datetime | None = NOW
    attempts: int = 0
    run: int | None = None

    @property
    def is_page(self) -> bool:
        return self.item.kind is UrlKind.PAGE


@dataclass
class Host:
    fetched: int = 0
    paused: datetime = NOW
    owner: str | None = None
    owned: datetime = NOW


class Machine(RuleBasedStateMachine):
    """Two crawls, a clock and any order of calls, beside dictionaries that say what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = sa.create_engine("sqlite://")
        self.connection = self.engine.connect()
        schema.metadata.create_all(self.connection)
        runs = [start_run(self.connection) for _ in OWNERS]
        self.runs = dict(zip(OWNERS, runs, strict=True))
        self.queue = Frontier(self.connection, runs[0])
        self.known: dict[int, Known] = {}
        self.hosts: dict[str, Host] = {}
        self.budget = 12

    def teardown(self) -> None:
        self.connection.close()
        self.engine.dispose()

    @property
    def now(self) -> datetime:
        return self.queue.now

    @rule(seconds=st.sampled_from([1, 6, 31, 61, HOST_SECONDS + 1, LEASE_SECONDS + 1]))
    def time_passes(self, seconds: int) -> None:
        self.queue.wait(seconds)

    @rule(numbers=st.lists(st.integers(0, len(UNIVERSE) - 1), min_size=1, max_size=8))
    def discover(self, numbers: list[int]) -> None:
        new = self.queue.discover(*(UNIVERSE[number] for number in numbers))
        expected = 0
        for number in set(numbers):
            item = UNIVERSE[number]
            self.hosts.setdefault(item.host, Host())
            if number not in self.known:
                self.known[number] = Known(item, due=self.now)
                expected += 1
        assert new == expected

    def _is_free(self, one: Known, owner: str) -> bool:
        host = self.hosts[one.item.host]
        own = host.owner in (None, owner) or host.owned <= self.now
        return own and host.paused <= self.now

    def _waits_for_a_hub(self, one: Known) -> bool:
        return one.is_page and any(
            not other.is_page and other.due is not None and other.attempts == 0
            for other in self.known.values()
            if other.item.host == one.item.host
        )

    def _close_exhausted(self) -> None:
        for one in self.known.values():
            exhausted = self.hosts[one.item.host].fetched >= self.budget
            if exhausted and one.is_page and one.due and one.state is not UrlState.LEASED:
                one.state, one.due = UrlState.REJECTED, None

    @rule(owner=st.sampled_from(OWNERS), limit=st.integers(1, 6), per_host=st.integers(1, 3))
    def lease(self, owner: str, limit: int, per_host: int) -> None:
        self._close_exhausted()
        eligible = {
            number
            for number, one in self.known.items()
            if one.due is not None
            and one.due <= self.now
            and self._is_free(one, owner)
            and not self._waits_for_a_hub(one)
        }
        self.queue.run = self.runs[owner]
        lease = self.queue.ask(owner, limit=limit, per_host=per_host, budget=self.budget)
        handed = [one.id for one in lease.urls]
        assert set(handed) <= eligible
        assert len(handed) == len(set(handed)) <= limit
        assert max(Counter(one.host for one in lease.urls).values(), default=0) <= per_host
        if limit >= len(HOSTS):  # all hosts are looked at
            by_host = Counter(self.known[number].item.host for number in eligible)
            assert len(handed) == min(limit, sum(min(n, per_host) for n in by_host.values()))
        for leased in lease.urls:
            one = self.known[leased.id]
            assert (leased.attempts, leased.kind) == (one.attempts, one.item.kind)
            one.state, one.run = UrlState.LEASED, self.runs[owner]
            one.due = self.now + timedelta(seconds=LEASE_SECONDS)
        self._note_owners(owner)
        waiting = [
            one for one in self.known.values() if one.due and one.state is not UrlState.LEASED
        ]
        assert lease.outstanding == len(waiting)

    def _note_owners(self, owner: str) -> None:
        """Ownership is the frontier's choice; what must hold is that it takes none from another."""
        for row in self.connection.execute(sa.select(schema.hosts)):
            host = self.hosts[row.host]
            if row.owner != host.owner:
                assert row.owner == owner
                assert host.owner is None or host.owned <= self.now
            host.owner, host.owned = row.owner, row.owned_until or self.now

    @precondition(lambda self: any(one.run for one in self.known.values()))
    @rule(data=st.data(), outcome=st.sampled_from([DONE, REJECTED, FAILED, FAILED, DEAD]))
    def acknowledge(self, data: st.DataObject, outcome: Outcome) -> None:
        number = data.draw(st.sampled_from([n for n, one in self.known.items() if one.run]))
        one = self.known[number]
        one.attempts = one.attempts + 1 if outcome is FAILED else 0
        state = outcome.state
        if outcome is FAILED and one.attempts >= MAX_ATTEMPTS:
            state = UrlState.DEAD
        assert self.queue.acknowledge(number, outcome) is state
        one.state, one.run, one.due = state, None, None
        if state is UrlState.FAILED:
            one.due = self.now + timedelta(seconds=BACKOFF_SECONDS[one.attempts - 1])
        self.hosts[one.item.host].fetched += 1

    @rule(owner=st.sampled_from(OWNERS))
    def stop(self, owner: str) -> None:
        run = self.runs[owner]
        held = [one for one in self.known.values() if one.run == run]
        assert frontier.release(self.connection, crawl_ids=[run], now=self.now) == len(held)
        frontier.disown(self.connection, [owner])
        for one in held:
            one.state, one.run, one.due = UrlState.QUEUED, None, self.now
        for host in self.hosts.values():
            if host.owner == owner:
                host.owner = None

    @rule(owner=st.sampled_from(OWNERS))
    def renew(self, owner: str) -> None:
        frontier.renew(self.connection, crawl_id=self.runs[owner], owner=owner, now=self.now)
        for one in self.known.values():
            if one.run == self.runs[owner]:
                one.due = self.now + timedelta(seconds=LEASE_SECONDS)
        for host in self.hosts.values():
            if host.owner == owner:
                host.owned = self.now + timedelta(seconds=HOST_SECONDS)

    @rule(host=st.sampled_from(HOSTS), seconds=st.sampled_from([10, 60]))
    def pause(self, host: str, seconds: int) -> None:
        until = self.now + timedelta(seconds=seconds)
        frontier.pause_host(self.connection, host, until)
        if host in self.hosts:
            self.hosts[host].paused = max(self.hosts[host].paused, until)

    @invariant()
    def every_url_is_in_the_state_of_the_model(self) -> None:
        rows = {row.id: row for row in self.connection.execute(sa.select(schema.urls))}
        assert rows.keys() == self.known.keys()
        for number, one in self.known.items():
            row = rows[number]
            assert (row.state, row.due_at, row.leased_by) == (one.state, one.due, one.run)
            assert (row.state in TERMINAL) == (row.due_at is None)
            assert (row.finished_at is not None) >= (row.state in TERMINAL)
            assert (row.reason is not None) >= (row.state in TERMINAL)


TestFrontierAgainstModel = Machine.TestCase
TestFrontierAgainstModel.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_any_order_of_arrival_is_handed_out_in_one_order(queue: Frontier):
    items = list(UNIVERSE)
    random.Random(5).shuffle(items)
    for item in items:
        queue.discover(item)
    handed: list[int] = []
    while numbers := queue.ids(limit=3, per_host=1):
        handed += numbers
        for number in numbers:
            queue.acknowledge(number)
    assert sorted(handed) == list(range(len(UNIVERSE)))
    hubs = [handed.index(item.id) for item in UNIVERSE if item.kind is UrlKind.HUB]
    assert sorted(hubs) == list(range(len(hubs)))

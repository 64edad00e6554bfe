"""Robots, delays and pauses, judged by the log of the server (rows F09, F10, F11, L02)."""

import asyncio
import base64
import gzip
import time
import types
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import sqlalchemy as sa
from scrapy import Request
from scrapy.http import Response
from scrapy.signalmanager import SignalManager

from aidivide_archive.archive import Location, schema
from aidivide_archive.config import Profile
from aidivide_archive.politeness import MAX_EXTRA_SECONDS, PARK_SECONDS, HostPace
from aidivide_archive.robots import parse_robots
from crawler.middlewares import Refused
from crawler.robots import Robots
from tests.support import fault_pages as pages
from tests.support.fault_crawl import Crawling, Ended, gaps
from tests.support.faultd import Exchange, FaultServer, Handler

CLOSE = 0.05
"""Seconds by which a gap may seem shorter at the server than it was at the crawler."""
DENY = "User-agent: *\nDisallow: /private/\n"
SEEDS = ("/private/1", "/private/2", "/open/1", "/open/2")

# --- the table -----------------------------------------------------------------------------------


def answering(status: int, body: bytes = DENY.encode(), **headers: str) -> Handler:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(body, status, **{"Content_Type": "text/plain", **headers})

    return answer


def redirecting(times: int, status: int = 301) -> Handler:
    """/robots.txt leads `times` redirects on, and then to the rules."""

    async def answer(exchange: Exchange) -> None:
        at = int(exchange.number("at", 0))
        if at < times:
            await exchange.redirect(f"/robots.txt?at={at + 1}", status)
        else:
            await exchange.reply(DENY.encode(), Content_Type="text/plain")

    return answer


async def hanging(exchange: Exchange) -> None:
    await asyncio.sleep(30)


async def cut(exchange: Exchange) -> None:
    await exchange.head(Content_Length="500", Content_Type="text/plain")
    await exchange.send(b"User-agent: *\n")
    await exchange.close()


async def ten_megabytes(exchange: Exchange) -> None:
    await exchange.head(Content_Type="text/plain", Content_Length=str(10 * 2**20))
    await exchange.send(DENY.encode() + b"Disallow: /some/where/else\n" * 20_000)
    await exchange.send(b"\nDisallow: /open/\n" + b"# " + b"x" * (9 * 2**20))


RULES, ALL, NONE = "the rules hold", "everything is allowed", "nothing is allowed"
TABLE: dict[str, tuple[Handler, str]] = {
    "plain": (answering(200), RULES),
    "404": (answering(404), ALL),
    "401": (answering(401), ALL),
    "403": (answering(403), ALL),
    "429": (answering(429), NONE),
    "500": (answering(500), NONE),
    "503": (answering(503), NONE),
    "hanging": (hanging, NONE),
    "cut": (cut, NONE),
    "five-redirects": (redirecting(5), RULES),
    "six-redirects": (redirecting(6), ALL),
    "ten-megabytes": (ten_megabytes, RULES),
    "gzip": (answering(200, gzip.compress(DENY.encode()), Content_Encoding="gzip"), RULES),
    "gzip-unsaid": (answering(200, gzip.compress(DENY.encode())), RULES),
    "bom": (answering(200, b"\xef\xbb\xbf" + DENY.encode()), RULES),
    "html": (answering(200, pages.html("<p>Disallow</p>"), Content_Type="text/html"), ALL),
    "binary": (answering(200, bytes(range(256)) * 20), ALL),
    "crlf": (answering(200, DENY.replace("\n", "\r").encode()), RULES),
}

# --- one crawl for all hosts ---------------------------------------------------------------------

DELAY = 0.6
PAUSE = 4


ANSWERED: dict[str, float] = {}
"""When a host had asked for quiet; monotonic."""


def pausing(value: str, code: int = 429) -> Handler:
    """The first page asks for quiet while others are under way; all after it are good, and slow."""

    async def answer(exchange: Exchange) -> None:
        host = exchange.asked.host
        exchange.server.counts[host] += 1
        if exchange.server.counts[host] > 1:
            await asyncio.sleep(1.0)
            await good(exchange)
            return
        await asyncio.sleep(0.7)
        due = datetime.now(UTC) + timedelta(seconds=PAUSE + 1)  # a date has no parts of seconds
        words = format_datetime(due, usegmt=True) if value == "date" else value
        ANSWERED[host] = time.monotonic()
        await exchange.reply(b"<p>quiet</p>", code, Retry_After=words)

    return answer


async def good(exchange: Exchange) -> None:
    digits = "".join(one for one in exchange.asked.path if one.isdigit())
    await exchange.reply(pages.article(int(digits or "1")))


PAUSES = {
    "seconds.example": pausing(str(PAUSE)),
    "date.example": pausing("date", 503),
    "absurd.example": pausing("99999999999"),
    "garbage.example": pausing("soon"),
}


class Crawled:
    """The crawl of every host of this module, and what the server saw of it."""

    def __init__(self, server: FaultServer, ended: Ended, second: Ended, table: Any) -> None:
        self.server, self.ended, self.second = server, ended, second
        self.first_log, self.second_log = table
        self.rows = ended.rows()

    def times(self, host: str) -> list[float]:
        return [one.at for one in self.first_log if one.host == host]

    def paths(self, host: str) -> set[str]:
        found = {one.path for one in self.first_log if one.host == host}
        return {path for path in found if not path.startswith(("/robots.txt", "/.well-known/"))}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("politeness")
    with FaultServer() as server:
        crawling = Crawling(
            server, Location(folder / "archive"), folder,
            politeness={"contact": "https://we.example/bot", "max_crawl_delay_seconds": 5},
            settings={"AIDIVIDE_ROBOTS_SECONDS": 12, "AIDIVIDE_MAX_WAIT_SECONDS": 20},
        )  # fmt: skip
        for name, (handler, _) in TABLE.items():
            add(crawling, f"{name}.example", *SEEDS)
            server.routes[f"{name}.example/robots.txt"] = handler
        for host, handler in PAUSES.items():
            add(crawling, host, *(f"/p/{n}" for n in range(14)), answer=handler)
        add(crawling, "delayed.example", *(f"/d/{n}" for n in range(6)))
        server.routes["delayed.example/robots.txt"] = f"User-agent: *\nCrawl-delay: {DELAY}\n"
        add(crawling, "too-slow.example", "/a/1", "/a/2")
        server.routes["too-slow.example/robots.txt"] = "User-agent: *\nCrawl-delay: 6\n"
        add(crawling, "mapped.example", "/a/1")
        base = server.url("mapped.example")
        server.routes["mapped.example/robots.txt"] = (
            f"Sitemap: {base}map.xml\nSitemap: {server.url('elsewhere.example', '/map.xml')}\n"
        )
        server.routes["mapped.example/map.xml"] = pages.urlset((f"{base}from-map/7",))
        ended = crawling.crawl()
        first_log = tuple(server.log)
        # the next day: the server of one host is ill, that of another stays silent
        server.forget()
        server.routes["plain.example/robots.txt"] = answering(503)
        crawling.sources = [
            {"name": "plain", "domain": "plain.example",
             "seeds": [server.url("plain.example", path) for path in ("/private/9", "/open/9")]}
        ]  # fmt: skip
        second = crawling.crawl()
        yield Crawled(server, ended, second, (first_log, tuple(server.log)))


def add(crawling: Crawling, host: str, *paths: str, answer: Handler = good) -> None:
    crawling.map(host)
    crawling.server.hosts[host] = answer
    crawling.source(host, seeds=[crawling.server.url(host, path) for path in paths])


# --- F10 -----------------------------------------------------------------------------------------


@pytest.mark.slow  # one crawl of thirty hosts for all tests of this module that name it
@pytest.mark.fault("F10")
@pytest.mark.parametrize("case", TABLE)
def test_each_answer_for_robots_means_what_rfc_9309_says(crawled: Crawled, case: str):
    _, meaning = TABLE[case]
    host = f"{case}.example"
    wanted = {
        RULES: {"/open/1", "/open/2"},
        ALL: set(SEEDS),
        NONE: set(),
    }[meaning]
    assert crawled.paths(host) == wanted
    url = crawled.server.url(host, "/private/1")
    row = crawled.rows[url]
    if meaning is RULES:
        assert (row.state, row.reason, row.detail) == (
            "rejected", "robots_denied", "Disallow: /private/",
        )  # fmt: skip
    elif meaning is NONE:
        refused = [crawled.rows[crawled.server.url(host, path)] for path in SEEDS]
        assert {one.state for one in refused} <= {"failed", "queued"}
        assert "robots_unavailable" in {one.reason for one in refused}
    else:
        assert row.state == "done"


@pytest.mark.slow
@pytest.mark.fault("F10")
def test_robots_is_asked_once_for_each_origin(crawled: Crawled):
    asked = [one.host for one in crawled.first_log if one.path == "/robots.txt"]
    assert len(asked) == len(set(asked))


@pytest.mark.slow
@pytest.mark.fault("F10")
def test_a_large_robots_is_read_to_its_cap_and_no_further(crawled: Crawled):
    """The rule behind 500 KiB is not read, the connection is not drained."""
    assert crawled.paths("ten-megabytes.example") == {"/open/1", "/open/2"}


@pytest.mark.slow
@pytest.mark.fault("F10")
def test_a_good_copy_of_an_earlier_crawl_serves_while_the_server_fails(crawled: Crawled):
    asked = [one.path for one in crawled.second_log if one.host == "plain.example"]
    assert asked == ["/robots.txt", "/.well-known/tdmrep.json", "/open/9"]
    rows = crawled.second.rows()
    assert rows[crawled.server.url("plain.example", "/private/9")].reason == "robots_denied"
    hosts = schema.hosts
    kept = crawled.second.select(
        sa.select(hosts.c.robots).where(hosts.c.host == f"plain.example:{crawled.server.port}")
    )[0].robots["http"]
    assert zlib.decompress(base64.b64decode(kept["body"])) == DENY.encode()


@pytest.mark.slow
@pytest.mark.fault("F10")
def test_the_rule_that_allowed_or_refused_is_kept(crawled: Crawled):
    urls, captures = schema.urls, schema.captures
    statement = sa.select(urls.c.url, captures.c.robots).join_from(captures, urls)
    kept = {row.url: row.robots for row in crawled.ended.select(statement)}
    assert kept[crawled.server.url("plain.example", "/open/1")] == {
        "verdict": "allowed",
        "rule": "",
    }
    seen = schema.observations
    refused = crawled.ended.select(
        sa.select(seen.c.detail).where(seen.c.outcome == "robots_denied").distinct()
    )
    assert [row.detail for row in refused] == ["Disallow: /private/"]


@pytest.mark.slow
def test_sitemaps_of_robots_are_read_when_the_host_is_a_source(crawled: Crawled):
    assert crawled.paths("mapped.example") == {"/a/1", "/map.xml", "/from-map/7"}
    assert not crawled.times("elsewhere.example")


@pytest.mark.slow
@pytest.mark.fault("L02")
def test_the_crawler_says_who_it_is_and_how_to_reach_it(crawled: Crawled):
    agents = {one.headers["user-agent"] for one in crawled.first_log}
    assert agents == {"aidivide-archive (+https://we.example/bot)"}


# --- F11, L02 ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.fault("F11")
@pytest.mark.parametrize("host", ["seconds.example", "date.example"])
def test_nothing_is_asked_before_a_pause_is_over(crawled: Crawled, host: str):
    """Eight requests are under way when the first answer asks for quiet, six more wait for their turn."""
    since = [at - ANSWERED[host] for at in crawled.times(host)]
    assert not [one for one in since if CLOSE * 4 < one < PAUSE - CLOSE]
    assert [one for one in since if one >= PAUSE - CLOSE]
    assert len(crawled.paths(host)) == 14


@pytest.mark.slow
@pytest.mark.fault("F11")
def test_an_absurd_pause_is_an_hour_and_is_left_to_the_next_crawl(crawled: Crawled):
    hosts = schema.hosts
    (row,) = crawled.ended.select(
        sa.select(hosts.c.paused_until).where(hosts.c.host.startswith("absurd.example"))
    )
    wait = row.paused_until - datetime.now(UTC)
    assert timedelta(minutes=50) < wait <= timedelta(hours=1)
    assert crawled.ended.code == 3
    assert "wait for the next run" in crawled.ended.errors


@pytest.mark.slow
@pytest.mark.fault("F11")
def test_a_pause_that_cannot_be_read_is_no_pause(crawled: Crawled):
    assert len(crawled.paths("garbage.example")) == 14


@pytest.mark.slow
@pytest.mark.fault("L02")
def test_a_crawl_delay_is_kept_from_robots_to_the_last_page(crawled: Crawled):
    times = crawled.times("delayed.example")
    assert len(times) == 8  # robots.txt, tdmrep.json, six pages
    assert min(gaps(times)) >= DELAY - CLOSE


@pytest.mark.slow
@pytest.mark.fault("L02")
def test_a_host_that_asks_for_too_long_a_delay_is_left_out_with_a_reason(crawled: Crawled):
    assert crawled.paths("too-slow.example") == set()
    row = crawled.rows[crawled.server.url("too-slow.example", "/a/1")]
    assert (row.state, row.reason) == ("rejected", "crawl_delay")
    assert row.detail == "Crawl-delay: 6 is more than max_crawl_delay_seconds = 5"


# --- F09 -----------------------------------------------------------------------------------------


def robots_of(answer: Any) -> tuple[Robots, list[str]]:
    """The middleware itself, with an engine whose downloads are `answer`."""
    asked: list[str] = []

    async def download(request: Request) -> Response:
        asked.append(request.url)
        return await answer(request)

    archive = types.SimpleNamespace(store_robots=lambda *_: None)
    profile = Profile.model_validate(
        {"schema": 1, "event": {"id": "faults", "title": "Faults"}, "source": ()}
    )
    session = types.SimpleNamespace(
        profile=profile, archive=archive, counts={}, pace=lambda _: HostPace(0.0)
    )
    crawler: Any = types.SimpleNamespace(
        spider=types.SimpleNamespace(session=session),
        engine=types.SimpleNamespace(download_async=download),
        signals=SignalManager(),
        settings=types.SimpleNamespace(getfloat=lambda _: 30.0),
    )
    return Robots(crawler), asked


@pytest.mark.fault("F09")
@pytest.mark.parametrize("concurrency", [1, 8, 32, 64])
def test_no_disallowed_page_passes_while_robots_is_on_its_way(concurrency: int):
    async def scene() -> tuple[int, int, int]:
        released = asyncio.Event()

        async def answer(request: Request) -> Response:
            await released.wait()
            return Response(request.url, body=DENY.encode())

        robots, asked = robots_of(answer)
        limit = asyncio.Semaphore(concurrency)
        passed = refused = 0

        async def one(path: str) -> None:
            nonlocal passed, refused
            url = f"http://x.example{path}"
            meta = {"leased": object(), "download_slot": "x.example"}
            async with limit:
                try:
                    await robots.process_request(Request(url, meta=meta))
                    passed += 1
                except Refused:
                    refused += 1

        paths = [f"/private/{n}" for n in range(40)] + [f"/open/{n}" for n in range(24)]
        waiting = [asyncio.ensure_future(one(path)) for path in paths]
        await asyncio.sleep(0)
        assert passed == 0
        released.set()
        await asyncio.gather(*waiting)
        return passed, refused, len(asked)

    assert asyncio.run(scene()) == (24, 40, 1)


@pytest.mark.slow  # a crawl
@pytest.mark.fault("F09")
def test_none_of_40_disallowed_pages_is_fetched_at_concurrency_64(
    sqlite_location: Location, tmp_path: Any
):
    """Four hosts with sixteen requests each at a time; every robots.txt takes half a second."""
    leaks_and_pages(sqlite_location, tmp_path, hosts=4, per_host=16)


@pytest.mark.soak
@pytest.mark.fault("F09")
@pytest.mark.parametrize(("hosts", "per_host"), [(1, 1), (1, 8), (2, 16), (4, 16)])
def test_none_of_40_disallowed_pages_is_fetched(
    sqlite_location: Location, tmp_path: Any, hosts: int, per_host: int
):
    leaks_and_pages(sqlite_location, tmp_path, hosts=hosts, per_host=per_host)


def leaks_and_pages(location: Location, folder: Any, *, hosts: int, per_host: int) -> None:
    async def late(exchange: Exchange) -> None:
        await asyncio.sleep(0.5)
        await exchange.reply(DENY.encode(), Content_Type="text/plain")

    with FaultServer() as server:
        crawling = Crawling(
            server, location, folder, politeness={"concurrent_per_host": per_host},
            settings={"CONCURRENT_REQUESTS": hosts * per_host},
        )  # fmt: skip
        for number in range(hosts):
            host = f"h{number}.example"
            forbidden = (f"/private/{n}" for n in range(40 // hosts))
            add(crawling, host, *forbidden, *(f"/open/{n}" for n in range(3)))
            server.routes[f"{host}/robots.txt"] = late
        ended = crawling.crawl()
        assert ended.code == 0, ended.errors
        assert server.asked(prefix="/private/") == []
        assert len(server.asked(prefix="/open/")) == 3 * hosts
        reasons = [row.reason for row in ended.rows().values()]
        assert reasons.count("robots_denied") == 40


# --- the pace, without a crawl -------------------------------------------------------------------


def test_trouble_lengthens_the_delay_up_to_a_bound_and_good_answers_shorten_it():
    pace = HostPace(0.5)
    pace.answered(0.0, 200, 0.1)
    assert pace.delay == 0.5
    delays = []
    for _ in range(8):
        pace.answered(0.0, 503, 0.1)
        delays.append(pace.delay)
    assert delays == [1, 2, 4, 8, 16, MAX_EXTRA_SECONDS, MAX_EXTRA_SECONDS, MAX_EXTRA_SECONDS]
    for _ in range(8):
        pace.answered(0.0, 200, 0.1)
    assert pace.delay == 0.5


def test_a_slow_answer_is_trouble_and_a_refusal_is_not():
    pace = HostPace(0.0)
    pace.answered(0.0, 404, 0.1)
    assert pace.delay == 0.0
    pace.answered(0.0, 200, 9.0)
    assert pace.delay == 1.0


def test_a_host_that_is_not_there_is_parked_after_three_tries():
    pace = HostPace(0.0)
    assert [pace.failed(0.0, reached=False) for _ in range(3)] == [False, False, True]
    pace.answered(0.0, 200, 0.1)
    assert not pace.failed(0.0, reached=False)
    assert [pace.failed(0.0, reached=True) for _ in range(9)] == [False] * 9
    assert PARK_SECONDS >= 60


def test_trouble_puts_off_the_request_that_waits():
    pace = HostPace(0.0)
    pace.sent(10.0)
    assert pace.wait(10.0) == 0.0
    pace.answered(10.0, 503, 0.1)
    assert pace.wait(10.0) == 1.0
    assert pace.wait(11.5) == 0.0


def test_a_crawl_delay_counts_from_the_request_for_robots():
    pace = HostPace(0.0)
    pace.sent(10.0)
    pace.answered(10.1, 200, 0.1)
    pace.normal = 2.0
    assert pace.wait(10.5) == pytest.approx(1.6)


def test_a_robots_of_500_kib_is_parsed_beside_the_reactor():
    """While it is read in a thread, the loop goes on."""

    async def scene() -> int:
        async def answer(request: Request) -> Response:
            return Response(request.url, body=DENY.encode() + b"Disallow: /x\n" * 40_000)

        robots, _ = robots_of(answer)
        meta = {"leased": object(), "download_slot": "x.example"}
        task = asyncio.ensure_future(
            robots.process_request(Request("http://x.example/open", meta=meta))
        )
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0.001)
        await task
        return turns

    assert asyncio.run(scene()) > 5


def test_the_agent_of_a_header_with_contact_is_its_name():
    rules = parse_robots(b"User-agent: aidivide-archive\nDisallow: /\n", status=200)
    assert not rules.verdict("http://x.example/a", "aidivide-archive (+mailto:a@b.example)").allowed

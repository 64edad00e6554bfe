"""Sites that make up addresses without end, and what stops them (row F25)."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.config import Profile
from aidivide_archive.ingest.admission import discovery, of_document
from aidivide_archive.model import (
    CaptureRecord,
    Channel,
    Completeness,
    Document,
    LeasedUrl,
    Link,
    Outcome,
    Reason,
    UrlKind,
    UrlState,
    WarcPosition,
)
from aidivide_archive.traps import fingerprint, odd_shape, url_pattern
from aidivide_archive.urls import url_id
from tests.support import fault_pages as pages
from tests.support.fault_crawl import Crawling, Ended, Row
from tests.support.faultd import Exchange, FaultServer

LIMITS = {"segments": 20, "repeats": 2, "keys": 8}

# --- shapes and patterns -------------------------------------------------------------------------


@pytest.mark.fault("F25")
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/a/b/a/b/a/c", "path segment 'a' stands there 3 times"),
        ("/" + "/".join("abcdefghijklmnopqrstu"), "21 path segments"),
        ("/list?" + "&".join(f"k{n}=1" for n in range(9)), "9 parameters in the query"),
    ],
)
def test_a_link_of_odd_shape_is_named(path: str, words: str):
    assert odd_shape(f"http://x.example{path}", **LIMITS) == words


@pytest.mark.fault("F25")
@pytest.mark.parametrize(
    "path",
    ["/", "/2025/07/07/a-story-07", "/a/b/a/b", "/news/article?id=1&page=2",
     "/" + "/".join("abcdefghijklmnopqrst"), "/list?" + "&".join(f"k{n}=1" for n in range(8))],
)  # fmt: skip
def test_an_ordinary_link_is_left_alone(path: str):
    assert odd_shape(f"http://x.example{path}", **LIMITS) is None


@pytest.mark.fault("F25")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/calendar/2025/07", "/calendar/1999/12"),
        ("/list?color=red&size=1", "/list?order=9"),
        ("/2025/07/28/a-bridge-opens", "/2024/01/02/rain-falls-on-the-square"),
        ("/s/9f8e7d6c/page", "/s/0a1b2c3d4/page"),
        ("/story/120-a?visit=1", "/story/9-b?visit=2"),
    ],
)
def test_urls_of_one_kind_share_a_pattern(one: str, other: str):
    assert url_pattern(f"http://x.example{one}") == url_pattern(f"http://x.example{other}")


@pytest.mark.fault("F25")
def test_urls_of_different_kinds_do_not():
    paths = ("/calendar/2025/07", "/news/2025/07", "/list", "/list?page=1", "/a/b")
    assert len({url_pattern(f"http://x.example{path}") for path in paths}) == len(paths)


@pytest.mark.fault("F25")
def test_a_fingerprint_sees_words_and_no_numbers():
    assert fingerprint("No events on 3 May 2025.") == fingerprint("no  events on 14 may 1999.")
    assert fingerprint("No events.") != fingerprint("One event.")
    assert fingerprint(" \n") is None


@pytest.mark.fault("F25", "F26")
@given(st.text(max_size=300))
def test_any_path_has_a_pattern_of_bounded_length(path: str):
    assert len(url_pattern(f"http://x.example/{path}")) <= 502


@pytest.mark.fault("F25")
def test_a_link_of_odd_shape_is_entered_with_its_reason_and_never_queued():
    values: dict[str, Any] = {
        "schema": 1,
        "event": {"id": "traps", "title": "Traps"},
        "source": ({"name": "X", "domain": "x.example"},),
    }
    profile = Profile.model_validate(values)
    leased = LeasedUrl(id=1, url="http://x.example/", host="x.example", kind=UrlKind.HUB,
                       depth=0, redirects=0, attempts=0)  # fmt: skip
    links = [
        Link(url="http://x.example/a/a/a/", channel=Channel.LINK),
        Link(url="http://x.example/b/b/b/", channel=Channel.SITEMAP),
        Link(url="http://x.example/good", channel=Channel.LINK),
    ]
    found = of_document(profile, leased, links, limit=10)
    assert [item.refused.reason if item.refused else None for item in found] == [
        Reason.TRAP, None, None,
    ]  # fmt: skip


# --- the budget of a pattern, in the archive -----------------------------------------------------


def page(number: int, text: str, *, path: str = "cal") -> Document:
    url = f"http://x.example/{path}/{number}"
    record = CaptureRecord(
        captured_at=datetime(2025, 7, 28, tzinfo=UTC), status=200, content_type="text/html",
        payload_sha256="0" * 64, payload_bytes=1, completeness=Completeness.COMPLETE,
        position=WarcPosition(file="x.warc.gz", offset=0, length=1),
    )  # fmt: skip
    return Document(
        url_id=url_id(url), url=url,
        outcome=Outcome(state=UrlState.REJECTED, reason=Reason.IRRELEVANT),
        finished_at=datetime(2025, 7, 28, tzinfo=UTC), capture=record, fingerprint=fingerprint(text),
    )  # fmt: skip


@pytest.fixture
def crawling(archive: Archive) -> Archive:
    """An archive in a crawl that gives up a pattern after three barren pages."""
    values: dict[str, Any] = {
        "schema": 1,
        "event": {"id": "traps", "title": "Traps"},
        "limits": {"barren_pages": 3},
        "source": ({"name": "X", "domain": "x.example"},),
    }
    archive.begin("crawl", Profile.model_validate(values), warc=True)
    return archive


def enter(archive: Archive, number: int, channel: Channel = Channel.LINK, path: str = "cal") -> int:
    item = discovery(
        f"http://x.example/{path}/{number}", kind=UrlKind.PAGE, channel=channel, depth=1
    )
    archive.discover([item]).result()
    return item.id


def ledger(archive: Archive) -> dict[str, tuple[str, str | None]]:
    urls = schema.urls
    return archive.submit(
        lambda c: {
            row.url.rpartition("/")[2]: (row.state, row.reason)
            for row in c.execute(sa.select(urls.c.url, urls.c.state, urls.c.reason))
        }
    ).result()


def read(archive: Archive, number: int, text: str) -> None:
    enter(archive, number)
    archive.commit(page(number, text)).result()


@pytest.mark.fault("F25")
def test_a_pattern_is_given_up_when_its_pages_show_nothing_new(crawling: Archive):
    enter(crawling, 100)
    enter(crawling, 200, Channel.SITEMAP)
    for number in range(4):  # the first is new, three repeat it
        read(crawling, number, f"No events on day {number}.")
    enter(crawling, 101)
    enter(crawling, 201, Channel.FEED)
    found = ledger(crawling)
    assert found["100"] == found["101"] == ("rejected", "trap")
    assert found["200"] == found["201"] == ("queued", None)


@pytest.mark.fault("F25")
def test_new_content_gives_a_pattern_its_budget_anew(crawling: Archive):
    enter(crawling, 100)
    for number in range(12):
        text = f"A story about {pages.sentences(number, 1)}" if number % 3 == 0 else "No events."
        read(crawling, number, text)
    assert ledger(crawling)["100"] == ("queued", None)


@pytest.mark.fault("F25")
def test_irrelevant_pages_are_content_as_well(crawling: Archive):
    """A large site has hundreds of pages about something else between two that matter."""
    enter(crawling, 100)
    for number in range(10):
        read(crawling, number, " ".join(pages.sentences(number)))
    assert ledger(crawling)["100"] == ("queued", None)


@pytest.mark.fault("F25")
def test_a_page_that_is_visited_again_is_not_barren(crawling: Archive):
    enter(crawling, 100)
    for _ in range(6):
        read(crawling, 1, "The same page as yesterday.")
    assert ledger(crawling)["100"] == ("queued", None)


@pytest.mark.fault("F25")
def test_other_patterns_are_not_touched(crawling: Archive):
    enter(crawling, 300, path="news")
    for number in range(5):
        read(crawling, number, "No events.")
    assert ledger(crawling)["300"] == ("queued", None)


# --- the trap site -------------------------------------------------------------------------------

HOST = "trap.example"
ARTICLES = 60
BARREN = 15
BUDGET = 330


def true_paths() -> list[str]:
    return [f"/news/2025/07/{n % 28 + 1:02d}/report-on-{n}" for n in range(ARTICLES)]


def token(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


async def trap_site(exchange: Exchange) -> None:
    """Sixty articles, and around them every kind of endless address."""
    path, _, query = exchange.asked.path.partition("?")
    parts = [one for one in path.split("/") if one]
    kind = parts[0] if parts else ""
    if kind == "news":
        number = int(parts[-1].rpartition("-")[2])
        await exchange.reply(pages.article(5000 + number, links=around(number, exchange.count)))
    elif kind == "calendar":
        day = date(int(parts[1]), int(parts[2]), int(parts[3]))
        links = tuple(
            f"/calendar/{one.year}/{one.month}/{one.day}"
            for one in (day + timedelta(step) for step in (-31, -1, 1, 31))
        )
        words = f"<p>There are no events on {day}. Come back another day, or choose a month.</p>"
        await exchange.reply(pages.html(words + pages.anchors(links), title="Calendar"))
    elif kind == "list":
        links = tuple(f"/list?{query}&f{n}={token(query, n)[:3]}" for n in range(3))
        links += tuple(f"/list?color={token(query, n)[:4]}&size={n}&order={n}" for n in range(4))
        await exchange.reply(pages.html("<p>Choose a filter.</p>" + pages.anchors(links)))
    elif kind == "deep":
        links = (f"{path}/{parts[-1]}", f"{path}/more", f"/deep/{token(path)}/more")
        await exchange.reply(pages.html("<p>There is more.</p>" + pages.anchors(links)))
    elif kind == "print":
        number = int(parts[-1].partition("-")[0]) % ARTICLES
        links = tuple(f"/print/{number + ARTICLES * n}-{token(path, n)}" for n in range(1, 4))
        await exchange.reply(pages.article(5000 + number, links=links))
    elif kind == "go":
        await exchange.redirect(f"/go/{int(parts[-1]) + 1}")
    else:
        await exchange.reply(pages.hub(*true_paths()))


def around(number: int, count: int) -> tuple[str, ...]:
    """Links of an article: other articles under a new session each time, and the ways into the traps."""
    others = [true_paths()[(number + step) % ARTICLES] for step in (1, 7, 13)]
    sessions = tuple(f"{one}?visit={token(number, count, one)}" for one in others)
    return (*others, *sessions, "/calendar/2025/7/28", "/list?color=red&size=1",
            "/deep/deep", f"/print/{number}-report", "/go/0")  # fmt: skip


@dataclass
class Trapped:
    server: FaultServer
    ended: Ended
    rows: dict[str, Row]


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trapped]:
    folder = tmp_path_factory.mktemp("traps")
    with FaultServer() as server:
        server.hosts[HOST] = trap_site
        crawling = Crawling(
            server, Location(folder / "archive"), folder,
            limits={"max_depth": 60, "barren_pages": BARREN},
        )  # fmt: skip
        crawling.map(HOST)
        crawling.source(HOST, hubs=[server.url(HOST)])
        ended = crawling.crawl()
        yield Trapped(server, ended, ended.rows())


@pytest.mark.slow  # a crawl of some hundred pages
@pytest.mark.fault("F25")
def test_the_crawl_of_a_trap_site_ends_by_its_budgets(trapped: Trapped):
    assert trapped.ended.code == 0, trapped.ended.errors
    kinds = Counter(one.path.split("/")[1].partition("?")[0] for one in trapped.server.log)
    assert len(trapped.server.log) <= BUDGET, kinds


@pytest.mark.slow
@pytest.mark.fault("F25")
def test_the_true_articles_of_a_trap_site_are_in_the_archive(trapped: Trapped):
    kept = trapped.ended.articles()
    found = [path for path in true_paths() if trapped.server.url(HOST, path) in kept]
    assert len(found) >= 0.95 * ARTICLES


@pytest.mark.slow
@pytest.mark.fault("F25")
def test_every_address_that_was_given_up_says_why(trapped: Trapped):
    assert {row.state for row in trapped.rows.values()} <= {"done", "rejected"}
    details = {row.detail or "" for row in trapped.rows.values() if row.reason == "trap"}
    assert "pages like /calendar/#/#/# brought nothing new" in details
    assert [one for one in details if one.startswith("path segment 'deep' stands there")]

"""Bodies, time limits, redirects, names and addresses that go wrong (rows F12 to F15, F17, F19, F26)."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Location, schema
from aidivide_archive.urls import canonical_url
from tests.support import fault_pages as pages
from tests.support.fault_crawl import WEB_PORT, Crawling, Ended, FakeResolver, Row, own_address
from tests.support.faultd import FaultServer

pytestmark = pytest.mark.slow  # one crawl for the whole module
TIMEOUT = 6
LIMIT = 4 * 2**20
NAMES = ("gone.example", "flapping.example", "steady.example")

BROKEN: dict[str, tuple[str, ...]] = {
    "cut gzip": ("/f/cut_codec?codec=gzip",),
    "cut brotli": ("/f/cut_codec?codec=br",),
    "cut zstd": ("/f/cut_codec?codec=zstd",),
    "cut deflate": ("/f/cut_codec?codec=deflate",),
    "almost whole gzip": ("/f/cut_codec?codec=gzip&share=0.995",),
    "damaged gzip": ("/f/bad_codec?codec=gzip",),
    "damaged brotli": ("/f/bad_codec?codec=br",),
    "damaged zstd": ("/f/bad_codec?codec=zstd",),
    "wrong checksum": ("/f/bad_checksum",),
    "length too long": ("/f/long_length",),
    "length too short": ("/f/short_length",),
    "length no number": ("/f/odd_length?value=abc",),
    "length negative": ("/f/odd_length?value=-5",),
    "length twice": ("/f/odd_length?value=100~200",),
    "cut chunk": ("/f/cut_chunk",),
    "no last chunk": ("/f/no_last_chunk",),
    "bad chunk": ("/f/bad_chunk",),
    "reset in the head": ("/f/reset?when=head",),
    "reset in the body": ("/f/reset",),
    "closed without length": ("/f/no_length?share=0.5",),
    "reset without length": ("/f/no_length?share=0.5&end=rst",),
    "cut gzip without length": ("/f/no_length?share=0.5&codec=gzip",),
    "no HTTP": ("/f/garbage",),
}
WHOLE = {
    "plain": "/f/whole?seed=201",
    "gzip": "/f/whole?seed=202&codec=gzip",
    "brotli": "/f/whole?seed=203&codec=br",
    "zstd": "/f/whole?seed=204&codec=zstd",
    "deflate": "/f/whole?seed=205&codec=deflate",
    "chunked": "/f/chunked?seed=206",
    "closed behind its last tag": "/f/no_length?seed=207",
    "gzip that ends with the connection": "/f/no_length?seed=208&codec=gzip",
}
SLOW = {"head": "/f/slow_head", "body": "/f/drip", "stall": "/f/stall", "never": "/f/never"}
REDIRECTS = {
    "loop": "/f/loop",
    "five": "/f/chain?n=5&seed=301",
    "six": "/f/chain?n=6&seed=302",
    "endless": "/f/endless",
    "junk": "/f/redirect?to=http://[::bad/",
    "empty": "/f/redirect?to=",
    "fragment": "/f/redirect?to=/f/whole%3Fseed%3D303%23part",
    "relative": "/f/redirect?to=../f/whole%3Fseed%3D304",
}
LARGE = {
    "announced": "/f/huge?mb=100&length=1",
    "unannounced": "/f/huge?mb=100",
    "headers": "/f/header_flood?n=200000",
    "header line": "/f/header_flood?n=50000000&line=1",
}
SITEMAPS = {
    "huge": "/f/huge?mb=100&as=sitemap",
    "loop": "/f/sitemap?index=self",
    "endless": "/f/sitemap?index=0",
}


@dataclass
class Crawled:
    server: FaultServer
    resolver: FakeResolver
    ended: Ended
    rows: dict[str, Row]
    articles: set[str]
    peak_bytes: int

    def row(self, host: str, path: str) -> Row:
        return self.rows[canonical_url(self.server.url(host, path))]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("bodies")
    address = own_address(2)
    resolver = FakeResolver(
        folder / "resolver",
        {
            "gone.example": ["nxdomain"],
            "flapping.example": [address, "fail", address],
            "steady.example": [address],
        },
    )
    peak = 0

    def watch(process: object) -> None:
        nonlocal peak
        peak = max(peak, resident_bytes(process.pid))  # type: ignore[attr-defined]

    with FaultServer(addresses=(address,), port=WEB_PORT) as server:
        crawling = Crawling(
            server, Location(folder / "archive"), folder,
            limits={"body_bytes": LIMIT, "pages_per_host": 60, "sitemaps_per_host": 20,
                    "document_seconds": 60},
            settings={"DOWNLOAD_TIMEOUT": TIMEOUT, "AIDIVIDE_MAX_WAIT_SECONDS": 2,
                      "AIDIVIDE_ROBOTS_SECONDS": 6},
            environment=resolver.environment(),
        )  # fmt: skip

        def source(host: str, *paths: str, **more: list[str]) -> None:
            if host not in NAMES:
                crawling.map(host, address=address)
            urls = {"seeds": [server.url(host, path) for path in paths]} if paths else {}
            crawling.source(host, **urls, **more)

        source("whole.example", *WHOLE.values())
        for place, (path,) in enumerate(BROKEN.values()):
            source(f"broken{place}.example", path)
        for name, path in SLOW.items():
            source(f"slow-{name}.example", path)
        source("quick.example", *(f"/f/whole?seed={n}" for n in range(400, 430)))
        source("moved.example", *REDIRECTS.values())
        for name, path in LARGE.items():
            source(f"large-{name.replace(' ', '-')}.example", path)
        for name, path in SITEMAPS.items():
            host = f"map-{name}.example"
            source(host, sitemaps=[server.url(host, path)])
        # a sitemap index that leads to 50,000 pages
        source("many.example", sitemaps=[server.url("many.example", "/f/sitemap?n=50000")])
        for host in NAMES:
            source(host, *(f"/f/whole?seed={n}" for n in range(500, 508)))
        links = ("/f/whole?seed=601", "/f/" + "a" * 9000, "http://user:secret@links.example/x",
                 "/f/whole?seed=602&x=%zz%", "http://[::1", "javascript:alert(1)", "//",
                 "http://xn--/", "/f/whole?seed=603&" + "q" * 1500)  # fmt: skip
        server.routes["links.example/"] = pages.hub(*links)
        source("links.example", hubs=[server.url("links.example", "/")])
        ended = crawling.crawl(watch=watch)
        yield Crawled(server, resolver, ended, ended.rows(), ended.articles(), peak)


def resident_bytes(pid: int) -> int:
    """Of one process; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/statm") as statm:  # noqa: PTH123  # no file of ours
            return int(statm.read().split()[1]) * 4096
    except OSError:
        return 0


def test_the_crawl_ends_and_says_that_part_failed(crawled: Crawled):
    assert crawled.ended.code == 3, crawled.ended.errors
    assert "Traceback" not in crawled.ended.errors


@pytest.mark.fault("F13")
@pytest.mark.parametrize("case", BROKEN)
def test_a_body_that_is_not_whole_is_never_an_article(crawled: Crawled, case: str):
    host = f"broken{list(BROKEN).index(case)}.example"
    (path,) = BROKEN[case]
    row = crawled.row(host, path)
    assert row.state in ("failed", "dead")
    assert row.reason in ("incomplete", "connection")
    assert crawled.server.url(host, path) not in crawled.articles


@pytest.mark.fault("F13")
@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_body_is_taken_however_it_is_sent(crawled: Crawled, case: str):
    assert crawled.row("whole.example", WHOLE[case]).state == "done"


@pytest.mark.fault("F12")
@pytest.mark.parametrize("case", SLOW)
def test_a_slow_server_is_cut_off(crawled: Crawled, case: str):
    row = crawled.row(f"slow-{case}.example", SLOW[case])
    assert row.state in ("failed", "dead")
    assert row.reason == "timeout"


@pytest.mark.fault("F12")
def test_slow_servers_hold_nobody_up(crawled: Crawled):
    """All pages of a quick host are stored, though slow ones are fetched beside it."""
    states = {row.state for url, row in crawled.rows.items() if "quick.example" in url}
    assert states == {"done"}


@pytest.mark.fault("F14")
def test_redirects_end_after_five(crawled: Crawled):
    assert len(crawled.server.asked("moved.example", "/f/endless")) == 6
    assert len(crawled.server.asked("moved.example", "/f/loop")) == 3
    assert crawled.row("moved.example", "/f/chain?n=0&seed=301").state == "done"
    assert not crawled.server.asked("moved.example", "/f/chain?n=0&seed=302")


@pytest.mark.fault("F14")
def test_every_step_of_a_chain_has_its_row_and_its_target(crawled: Crawled):
    for n in range(5, 0, -1):
        row = crawled.row("moved.example", f"/f/chain?n={n}&seed=301")
        target = crawled.server.url("moved.example", f"/f/chain?n={n - 1}&seed=301")
        assert (row.reason, row.detail) == ("redirected", target)


@pytest.mark.fault("F14")
def test_a_redirect_to_nowhere_has_a_reason(crawled: Crawled):
    for case in ("junk", "empty"):
        row = crawled.row("moved.example", REDIRECTS[case])
        assert row.state == "rejected"
        assert row.reason in ("offsite", "error_page", "redirected")
    for seed in (303, 304):
        assert crawled.row("moved.example", f"/f/whole?seed={seed}").state == "done"


@pytest.mark.fault("F15")
def test_a_name_that_does_not_exist_is_asked_a_few_times_and_left(crawled: Crawled):
    asked = [name for _, name in crawled.resolver.asked() if name == "gone.example"]
    assert 1 <= len(asked) <= 4
    rows = [row for url, row in crawled.rows.items() if "//gone.example" in url]
    assert {row.state for row in rows} <= {"queued", "failed"}
    assert len(rows) == 8


@pytest.mark.fault("F15")
def test_other_names_are_not_affected(crawled: Crawled):
    states = {row.state for url, row in crawled.rows.items() if "//steady.example" in url}
    assert states == {"done"}


@pytest.mark.fault("F17", "F19")
@pytest.mark.parametrize("case", LARGE)
def test_what_is_too_large_is_refused_and_named(crawled: Crawled, case: str):
    row = crawled.row(f"large-{case.replace(' ', '-')}.example", LARGE[case])
    assert row.state in ("rejected", "failed", "dead")
    assert row.reason in ("too_large", "connection")


@pytest.mark.fault("F17", "F19")
def test_what_is_too_large_does_not_fill_the_memory(crawled: Crawled):
    """100 MB pages, a 100 MB sitemap and 200,000 headers come in beside one another."""
    assert crawled.peak_bytes < 400 * 2**20


@pytest.mark.fault("F19")
def test_sitemaps_that_lead_to_one_another_end(crawled: Crawled):
    assert len(crawled.server.asked("map-loop.example", "/f/sitemap")) == 1
    assert len(crawled.server.asked("map-endless.example", "/f/sitemap")) <= 21
    assert crawled.row("map-huge.example", SITEMAPS["huge"]).reason in ("too_large", "timeout")
    stopped = [row for url, row in crawled.rows.items() if "map-endless" in url and row.reason == "limit"]  # fmt: skip
    assert len(stopped) == 1


@pytest.mark.fault("F19")
def test_a_sitemap_of_50_000_entries_is_taken_over_whole(crawled: Crawled):
    host = f"many.example:{crawled.server.port}"
    assert crawled.row("many.example", "/f/sitemap?n=50000").reason == "read"
    urls = schema.urls
    statement = sa.select(sa.func.count()).where(urls.c.host == host, urls.c.kind == "page")
    assert crawled.ended.select(statement)[0][0] == 50_000


@pytest.mark.fault("F26")
def test_odd_addresses_are_normalised_or_left_out(crawled: Crawled):
    found = {url.partition("example")[2] for url in crawled.rows if "//links.example" in url}
    port = f":{crawled.server.port}"
    assert found == {
        f"{port}/", f"{port}/f/whole?seed=601", f"{port}/f/whole?seed=602&x=%25zz%25",
        f"{port}/f/whole?seed=603&" + "q" * 1500,
    }  # fmt: skip
    assert not [one for one in crawled.server.log if "secret" in str(one)]
    assert "secret" not in crawled.ended.errors

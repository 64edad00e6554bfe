"""Real crawls, by `scrapy crawl coverage` in a process of its own, of a small news site on loopback."""

import gzip
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.warc.records import read_capture
from crawler.spiders.base import open_session
from tests.support.archives import nowhere
from tests.support.places import ROOT
from tests.support.texts import sentences

pytestmark = pytest.mark.slow
ALPHA, BETA, GAMMA = "www.alpha.example", "www.beta.example", "www.gamma.example"
PRIVATE = [f"/private/{number}" for number in range(12)]

# --- the site ------------------------------------------------------------------------------------


def page(title: str, lines: list[str]) -> bytes:
    paragraphs = "".join(f"<p>{' '.join(lines[n : n + 4])}</p>" for n in range(0, len(lines), 4))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta property="og:type" content="article">'
        '<meta property="article:published_time" content="2025-07-28T09:00:00+08:00"></head>'
        f"<body><main><article><h1>{title}</h1>{paragraphs}</article></main></body></html>"
    ).encode()


def links(*paths: str) -> bytes:
    items = "".join(f'<li><a href="{path}">Story {path}</a></li>' for path in paths)
    return f"<!DOCTYPE html><html><head><title>Front</title></head><body><ul>{items}</ul></body></html>".encode()


@dataclass
class Site:
    """Three hosts on one port; pages can be changed between crawls, and every request is noted."""

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    delay: float = 0.0
    log: list[str] = field(default_factory=list)
    served: threading.Event = field(default_factory=threading.Event)
    after: int = 10**9
    """`served` is set once that many pages were asked for."""

    def url(self, host: str, path: str) -> str:
        return f"http://{host}:{self.port}{path}"

    def fill(self) -> None:
        for number in range(1, 13):
            self.pages[f"{ALPHA}/a/{number}"] = page(f"Alpha story {number}", sentences(number))
        for number in range(1, 7):
            self.pages[f"{BETA}/b/{number}"] = page(f"Beta story {number}", sentences(50 + number))
        self.pages[f"{BETA}/b/1"] = page("A copy", sentences(1))
        for path in PRIVATE:
            self.pages[f"{GAMMA}{path}"] = page("Private", sentences(90))
        self.pages[f"{GAMMA}/open"] = page("Gamma story", sentences(80))
        self.pages[f"{ALPHA}/"] = links(
            *(f"/a/{number}" for number in range(4, 13)), "/missing", "/report.pdf", "/old",
            "http://elsewhere.example/far",
        )  # fmt: skip
        items = "".join(
            f"<item><title>Alpha story {n}</title><link>{self.url(ALPHA, f'/a/{n}')}</link></item>"
            for n in (1, 2, 3)
        )
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'
        self.pages[f"{ALPHA}/feed.xml"] = feed.encode()
        self.pages[f"{ALPHA}/report.pdf"] = b"%PDF-1.7 no page"
        namespace = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        place = f"<sitemap><loc>{self.url(BETA, '/sitemap.xml.gz')}</loc></sitemap>"
        self.pages[f"{BETA}/index.xml"] = (
            f"<sitemapindex {namespace}>{place}</sitemapindex>".encode()
        )
        places = "".join(f"<url><loc>{self.url(BETA, f'/b/{n}')}</loc></url>" for n in range(1, 7))
        urlset = f"<urlset {namespace}>{places}</urlset>".encode()
        self.pages[f"{BETA}/sitemap.xml.gz"] = gzip.compress(urlset, mtime=0)
        self.pages[f"{GAMMA}/robots.txt"] = b"User-agent: *\nDisallow: /private/\n"
        self.types = {
            f"{ALPHA}/feed.xml": "application/rss+xml",
            f"{ALPHA}/report.pdf": "application/pdf",
            f"{BETA}/index.xml": "application/xml",
            f"{BETA}/sitemap.xml.gz": "application/gzip",
            f"{GAMMA}/robots.txt": "text/plain",
        }

    def profile(self, folder: Path, extra: str = "") -> Path:
        seeds = ", ".join(f'"{self.url(GAMMA, path)}"' for path in [*PRIVATE, "/open"])
        path = folder / "event.toml"
        path.write_text(f"""
schema = 1
[event]
id = "small"
title = "A small event"
[politeness]
delay_seconds = 0
concurrent_per_host = 8
[fetch]
allow_private = ["127.0.0.0/8"]
[fetch.hosts]
"{ALPHA}" = "127.0.0.1"
"{BETA}" = "127.0.0.1"
"{GAMMA}" = "127.0.0.1"
[[source]]
name = "Alpha"
domain = "alpha.example"
feeds = ["{self.url(ALPHA, "/feed.xml")}"]
hubs = ["{self.url(ALPHA, "/")}"]
[[source]]
name = "Beta"
domain = "beta.example"
sitemaps = ["{self.url(BETA, "/index.xml")}"]
[[source]]
name = "Gamma"
domain = "gamma.example"
seeds = [{seeds}]
{extra}""")
        return path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        site = self.site
        place = f"{self.headers['Host'].partition(':')[0]}{self.path}"
        site.log.append(place)
        if len(site.log) >= site.after:
            site.served.set()
        time.sleep(0.5 if place == f"{GAMMA}/robots.txt" else site.delay)  # a slow robots.txt
        body = None if place in site.gone else site.pages.get(place)
        if place == f"{ALPHA}/old":
            self._answer(301, b"", Location="/a/12")
        elif body is None:
            self._answer(404, b"<p>not here</p>")
        else:
            kind = site.types.get(place, "text/html; charset=utf-8")
            self._answer(200, body, **{"Content-Type": kind})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        pass  # a crawler that is killed breaks its connections


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    handler = type("SiteHandler", (Handler,), {"site": made})
    with Server(("127.0.0.1", 0), handler) as server:
        made.port = server.server_port
        made.fill()
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


# --- crawling ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    code: int
    errors: str
    requests: Counter[str]

    @property
    def is_well(self) -> bool:
        """Nothing on stderr but the closing line."""
        return self.code == 0 and [one[:10] for one in self.error_lines] == ["finished: "]

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.errors.splitlines() if line.strip()]


@dataclass
class Crawls:
    """Starts crawls of the site into one archive."""

    site: Site
    location: Location
    profile: Path

    def start(
        self,
        *arguments: str,
        preexec: Callable[[], None] | None = None,
        settings: tuple[str, ...] = (),
    ) -> subprocess.Popen[str]:
        options = [f"event={self.profile}", f"archive={self.location.directory}", *arguments]
        if self.location.database_url:
            options.append(f"database={self.location.database_url}")
        command = [sys.executable, "-m", "scrapy", "crawl", "coverage"]
        for option in options:
            command += ["-a", option]
        for setting in settings:
            command += ["-s", setting]
        self.site.log.clear()
        return subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True,
            preexec_fn=preexec,  # noqa: PLW1509  # it only sets a limit
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )  # fmt: skip

    def end(self, process: subprocess.Popen[str]) -> Ended:
        try:
            _, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Ended(process.returncode, errors, Counter(self.site.log))

    def crawl(self, *arguments: str, preexec: Callable[[], None] | None = None) -> Ended:
        return self.end(self.start(*arguments, preexec=preexec))

    def interrupt(self, number: int, requests: int) -> Ended:
        """Send a signal once so many requests came in."""
        self.site.served.clear()
        self.site.after = requests
        self.site.delay = 0.03
        try:
            process = self.start()
            assert self.site.served.wait(30), "the crawl did not come so far"
            process.send_signal(number)
            return self.end(process)
        finally:
            self.site.delay, self.site.after = 0.0, 10**9


@dataclass(frozen=True)
class Content:
    """What an archive holds, without times and numbers of runs: comparable between archives."""

    ledger: dict[str, tuple[str, str | None]]
    articles: list[tuple[Any, ...]]
    revisions: list[tuple[Any, ...]]
    matches: list[tuple[Any, ...]]
    stories: list[tuple[Any, ...]]


def content(location: Location) -> Content:
    s = schema
    statements = (
        sa.select(s.articles.c.id, s.articles.c.url, s.articles.c.title, s.articles.c.published_from,
                  s.extractions.c.text, s.articles.c.revision)
        .join_from(s.articles, s.extractions, s.extractions.c.id == s.articles.c.extraction_id),
        sa.select(s.revisions.c.article_id, s.revisions.c.number, s.revisions.c.text_sha256),
        sa.select(s.matches.c.a_id, s.matches.c.b_id, s.matches.c.relation, s.matches.c.jaccard),
        sa.select(s.story_members.c.article_id, s.story_members.c.story_id, s.story_members.c.role),
    )  # fmt: skip
    engine = read_engine(location)
    with engine.connect() as connection:
        ledger = connection.execute(sa.select(s.urls.c.url, s.urls.c.state, s.urls.c.reason))
        found = Content(
            {row.url: (row.state, row.reason) for row in ledger},
            *(sorted(map(tuple, connection.execute(one))) for one in statements),
        )
    engine.dispose()
    return found


@dataclass(frozen=True)
class Visits:
    """Three crawls of one archive: the first, the same again, and a revisit of a changed site."""

    location: Location
    first: Ended
    after_first: Content
    second: Ended
    after_second: Content
    third: Ended
    after_third: Content


def visit_thrice(site: Site, location: Location, folder: Path) -> Visits:
    crawls = Crawls(site, location, site.profile(folder))
    kept = dict(site.pages)
    try:
        first = crawls.crawl()
        after_first = content(location)
        second = crawls.crawl()
        after_second = content(location)
        site.gone.add(f"{ALPHA}/a/3")
        site.pages[f"{ALPHA}/a/4"] = page("Alpha story 4", sentences(70))
        third = crawls.crawl("revisit=all")
        return Visits(location, first, after_first, second, after_second, third, content(location))
    finally:
        site.pages = kept
        site.gone.clear()


@pytest.fixture(scope="module")
def on_sqlite(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Visits:
    folder = tmp_path_factory.mktemp("sqlite")
    return visit_thrice(site, Location(folder / "archive"), folder)


@pytest.fixture(scope="module")
def on_postgresql(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visits]:
    folder = tmp_path_factory.mktemp("postgresql")
    with nowhere("postgresql", folder) as location:
        yield visit_thrice(site, location, folder)


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def visits(request: pytest.FixtureRequest) -> Visits:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Visits)
    return found


@pytest.fixture
def crawls(site: Site, location: Location, tmp_path: Path) -> Crawls:
    return Crawls(site, location, site.profile(tmp_path))


@pytest.fixture
def sqlite_crawls(site: Site, sqlite_nowhere: Location, tmp_path: Path) -> Crawls:
    return Crawls(site, sqlite_nowhere, site.profile(tmp_path))


# --- the first crawl -----------------------------------------------------------------------------


def test_a_crawl_ends_well_and_says_so_in_one_line(visits: Visits):
    assert visits.first.is_well, visits.first.errors


def test_every_url_ends_in_a_terminal_state(visits: Visits, site: Site):
    ledger = visits.after_first.ledger
    expected = {
        site.url(ALPHA, "/feed.xml"): ("done", "read"),
        site.url(ALPHA, "/"): ("done", "read"),
        site.url(BETA, "/index.xml"): ("done", "read"),
        site.url(BETA, "/sitemap.xml.gz"): ("done", "read"),
        site.url(ALPHA, "/missing"): ("rejected", "gone"),
        site.url(ALPHA, "/report.pdf"): ("rejected", "not_html"),
        site.url(ALPHA, "/old"): ("rejected", "redirected"),
        site.url(GAMMA, "/open"): ("done", "kept"),
    }
    expected |= {site.url(ALPHA, f"/a/{n}"): ("done", "kept") for n in range(1, 13)}
    expected |= {site.url(BETA, f"/b/{n}"): ("done", "kept") for n in range(1, 7)}
    expected |= {site.url(GAMMA, path): ("rejected", "robots_denied") for path in PRIVATE}
    assert ledger == expected


def test_the_texts_of_the_articles_are_whole(visits: Visits, site: Site):
    texts = {row[1]: row[4] for row in visits.after_first.articles}
    assert len(texts) == 19
    for number in range(1, 13):
        words = texts[site.url(ALPHA, f"/a/{number}")].split()
        assert words == " ".join(sentences(number)).split()


def test_a_forbidden_section_is_never_requested(visits: Visits):
    """Eight requests of the host wait while its robots.txt is slow."""
    for ended in (visits.first, visits.second, visits.third):
        asked = [place for place in ended.requests if place.startswith(GAMMA)]
        assert not [place for place in asked if "/private/" in place]
    assert visits.first.requests[f"{GAMMA}/robots.txt"] == 1
    assert visits.first.requests[f"{GAMMA}/open"] == 1


def test_nothing_is_requested_twice_in_a_crawl(visits: Visits):
    assert max(visits.first.requests.values()) == 1
    assert max(visits.second.requests.values()) == 1


def test_a_copy_is_found_across_outlets(visits: Visits, site: Site):
    names = {row[0]: row[1] for row in visits.after_first.articles}
    pairs = [{names[a], names[b]} for a, b, *_ in visits.after_first.matches]
    copied = {site.url(ALPHA, "/a/1"), site.url(BETA, "/b/1")}
    assert pairs == [copied]
    stories = {names[article]: story for article, story, _ in visits.after_first.stories}
    assert len({stories[url] for url in copied}) == 1
    assert len(set(stories.values())) == len(names) - 1


def test_every_capture_is_in_the_warc_file_its_row_names(visits: Visits):
    engine = read_engine(visits.location)
    captures, files = schema.captures, schema.warc_files
    statement = sa.select(
        schema.urls.c.url, captures.c.status, captures.c.payload_bytes, captures.c.warc_offset,
        files.c.name,
    ).join_from(captures, files).join(schema.urls, schema.urls.c.id == captures.c.url_id)  # fmt: skip
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    engine.dispose()
    assert len(rows) > 25
    for row in rows:
        capture = read_capture(visits.location.warc_directory / row.name, row.warc_offset)
        assert (capture.url, capture.status, len(capture.body)) == (
            row.url,
            row.status,
            row.payload_bytes,
        )


# --- the next crawls -----------------------------------------------------------------------------


def test_a_second_crawl_adds_nothing(visits: Visits):
    assert visits.second.is_well, visits.second.errors
    assert visits.after_second == visits.after_first


def test_a_second_crawl_reads_only_what_may_name_new_pages(visits: Visits):
    places = {place for place in visits.second.requests if not place.endswith("robots.txt")}
    assert places == {
        f"{ALPHA}/feed.xml",
        f"{ALPHA}/",
        f"{BETA}/index.xml",
        f"{BETA}/sitemap.xml.gz",
    }


def test_a_revisit_finds_the_change_and_keeps_what_is_gone(visits: Visits, site: Site):
    assert visits.third.is_well, visits.third.errors
    gone, changed = site.url(ALPHA, "/a/3"), site.url(ALPHA, "/a/4")
    assert visits.third.requests[f"{ALPHA}/a/3"] == 1
    assert visits.after_third.ledger[gone] == ("done", "kept")
    before = {row[1]: row for row in visits.after_second.articles}
    after = {row[1]: row for row in visits.after_third.articles}
    assert after[gone] == before[gone]
    assert [url for url in after if after[url] != before[url]] == [changed]
    assert after[changed][5] == 2
    assert set(visits.after_third.revisions) > set(visits.after_second.revisions)
    assert len(visits.after_third.revisions) == len(visits.after_second.revisions) + 1


def test_both_engines_hold_the_same(on_sqlite: Visits, on_postgresql: Visits):
    assert on_sqlite.after_first == on_postgresql.after_first
    assert on_sqlite.after_third == on_postgresql.after_third


# --- interruptions -------------------------------------------------------------------------------


def test_a_crawl_that_is_killed_and_started_again_ends_equal(crawls: Crawls, on_sqlite: Visits):
    killed = crawls.interrupt(signal.SIGKILL, requests=14)
    assert killed.code == -signal.SIGKILL
    again = crawls.crawl()
    assert again.is_well, again.errors
    assert content(crawls.location) == on_sqlite.after_first


def test_ctrl_c_ends_cleanly_with_130_and_leaves_the_rest_queued(sqlite_crawls: Crawls):
    stopped = sqlite_crawls.interrupt(signal.SIGINT, requests=8)
    assert stopped.code == 130
    assert "Traceback" not in stopped.errors
    states = Counter(state for state, _ in content(sqlite_crawls.location).ledger.values())
    assert states["leased"] == 0
    assert states["queued"] > 0
    assert states["done"] > 0


def test_a_second_ctrl_c_ends_at_once_without_a_traceback(sqlite_crawls: Crawls, site: Site):
    """Both signals reach the whole process group, workers included, as from a terminal."""
    site.after, site.delay = 8, 1.0
    site.served.clear()
    try:
        process = sqlite_crawls.start(preexec=os.setsid)
        assert site.served.wait(60), "the crawl did not come so far"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr is not None
        first = process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        stopped = sqlite_crawls.end(process)
    finally:
        site.delay, site.after = 0.0, 10**9
    assert stopped.code == 130
    assert first.startswith("stopping as soon as")
    assert [one[:15] for one in stopped.error_lines] == ["stopped at once"], stopped.errors
    with Archive(sqlite_crawls.location):  # nobody holds it any more
        pass
    with Reader(sqlite_crawls.location) as reader:
        found = {one.check for one in integrity(reader)}
    assert found <= {"no_story"}  # stories are made when a crawl ends
    assert sqlite_crawls.crawl().code == 0


@pytest.mark.fault("F04")
def test_a_disk_that_stays_short_of_room_ends_the_crawl(
    sqlite_crawls: Crawls, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AIDIVIDE_MIN_FREE_BYTES", str(1 << 60))
    short = sqlite_crawls.end(sqlite_crawls.start(settings=("AIDIVIDE_SPACE_WAIT_SECONDS=1",)))
    assert short.code == 1
    assert not short.requests
    assert "the crawl waits for room" in short.errors
    (line,) = [one for one in short.error_lines if one.startswith("error: ")]
    assert "make room and repeat the command" in line
    monkeypatch.delenv("AIDIVIDE_MIN_FREE_BYTES")
    assert sqlite_crawls.crawl().code == 0
    assert len(content(sqlite_crawls.location).articles) == 19


@pytest.mark.fault("F04")
def test_a_full_disk_stops_the_crawl_and_loses_nothing(sqlite_crawls: Crawls, on_sqlite: Visits):
    location = sqlite_crawls.location
    with Archive(location):
        pass
    limit = location.database_path.stat().st_size + 60_000

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    full = sqlite_crawls.crawl(preexec=small_files)
    assert full.code == 1
    assert "Traceback" not in full.errors
    assert [line for line in full.error_lines if line.startswith("error: ")]
    assert len(content(location).articles) < 19
    assert sqlite_crawls.crawl().code == 0
    assert content(location) == on_sqlite.after_first


# --- exit codes ----------------------------------------------------------------------------------


def test_a_source_that_is_down_gives_3(sqlite_crawls: Crawls, site: Site, tmp_path: Path):
    extra = f"""[[source]]
name = "Away"
domain = "away.example"
feeds = ["{site.url(ALPHA, "/no-feed.xml")}"]
"""
    sqlite_crawls.profile = site.profile(tmp_path, extra)
    ended = sqlite_crawls.crawl()
    assert ended.code == 3
    assert "Traceback" not in ended.errors
    assert len(content(sqlite_crawls.location).articles) == 19


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"event": "no-such-event"}, "no-such-event"),
        ({"colour": "red"}, "unknown spider argument 'colour'"),
        ({"revisit": "often"}, "choose one of none, all"),
        ({"database": "mysql://somewhere"}, "only PostgreSQL"),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line_before_anything_is_made(
    sqlite_crawls: Crawls, arguments: dict[str, str], words: str
):
    given = {"archive": str(sqlite_crawls.location.directory), **arguments}
    with pytest.raises(ConfigError) as caught:
        open_session(**given)
    assert caught.value.exit_code == 2
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not sqlite_crawls.location.directory.exists()


def test_the_command_says_what_is_wrong_in_one_line(sqlite_crawls: Crawls):
    ended = sqlite_crawls.crawl("event=no-such-event")
    assert ended.code == 2
    (line,) = ended.error_lines
    assert line.startswith("error: ")
    assert "no-such-event" in line
    assert not sqlite_crawls.location.directory.exists()


def test_a_second_writer_is_refused_in_one_line(sqlite_crawls: Crawls):
    with Archive(sqlite_crawls.location):
        ended = sqlite_crawls.crawl()
    assert ended.code == 1
    (line,) = ended.error_lines
    assert f"(pid {os.getpid()})" in line
    assert not ended.requests

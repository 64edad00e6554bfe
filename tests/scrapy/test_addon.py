"""The add-on inside another Scrapy project: its pages are archived, and its own crawl is as it was."""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.ingest.verify import verify
from aidivide_archive.warc.records import iter_captures
from tests.support import archives
from tests.support.places import ROOT

pytestmark = pytest.mark.slow
SESSION = "token-of-a-logged-in-reader"

# --- the site ------------------------------------------------------------------------------------


def story(name: str, first: int, count: int = 40) -> str:
    sentences = " ".join(
        f"Keeper {name} counted {n} lamps on pier {n * 7 % 31} before the tide turned."
        for n in range(first, first + count)
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Lamps of {name}</title>'
        '<meta property="article:published_time" content="2025-07-28T09:00:00+08:00"></head>'
        f"<body><article><h1>Lamps of {name}</h1><p>{sentences}</p></article></body></html>"
    )


LINKS = (
    "/news/1",
    "/news/2",
    "/news/3?utm_source=mail",
    "/old",
    "/private/1",
    "/gone",
    "/data.json",
)
FRONT = "".join(f'<li><a href="{path}">{path}</a></li>' for path in LINKS)
PAGES = {
    "/": f"<!DOCTYPE html><html><head><title>Front</title></head><body><ul>{FRONT}</ul></body></html>",
    "/news/1": story("Ada", 100),
    "/news/2": story("Ben", 300),
    "/news/3": story("Ada", 100),  # a copy of the first
    "/news/4": story("Cleo", 500),
    "/private/1": story("Dora", 700),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests: Counter[str]
    padding = 0
    """Bytes at the end of every page that cannot be compressed much."""

    def do_GET(self) -> None:
        self.requests[self.path] += 1
        path = self.path.partition("?")[0]
        if path == "/robots.txt":
            self._answer(200, "text/plain", b"User-agent: *\nDisallow: /private/\n")
        elif path == "/old":
            self._answer(302, "text/html", b"", ("Location", "/news/4"))
        elif path == "/data.json":
            self._answer(200, "application/json", b'{"lamps": 3}')
        elif path in PAGES:
            noise = random.Random(path).randbytes(self.padding).hex()
            page = PAGES[path] + (f"<!-- {noise} -->" if noise else "")
            body = gzip.compress(page.encode(), mtime=0)
            more = ("Content-Encoding", "gzip"), ("Set-Cookie", f"session={SESSION}")
            self._answer(200, "text/html", body, *more)
        else:
            self._answer(404, "text/html", b"<p>nothing here</p>")

    def _answer(self, status: int, kind: str, body: bytes, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@dataclass(frozen=True)
class Site:
    port: int
    requests: Counter[str]
    handler: type[Handler]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Server(ThreadingHTTPServer):
    daemon_threads = True


@contextmanager
def serve() -> Iterator[Site]:
    requests: Counter[str] = Counter()
    handler: type[Handler] = type("SiteHandler", (Handler,), {"requests": requests})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield Site(server.server_port, requests, handler)
        server.shutdown()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as served:
        yield served


# --- the other project ---------------------------------------------------------------------------

SETTINGS = """
BOT_NAME = "lighthouse"
SPIDER_MODULES = ["lighthouse.spiders"]
ITEM_PIPELINES = {"lighthouse.pipelines.Shout": 300}
SPIDER_MIDDLEWARES = {"lighthouse.middlewares.Note": 500}
ROBOTSTXT_OBEY = True
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
"""
SPIDER = """
import scrapy


class Lamps(scrapy.Spider):
    name = "lamps"

    def __init__(self, start, **kwargs):
        super().__init__(**kwargs)
        self.start_urls = [start]

    def parse(self, response):
        yield {"path": response.url.split("/", 3)[3], "title": response.css("title::text").get()}
        for href in response.css("a::attr(href)").getall():
            callback = self.parse_data if href.endswith(".json") else self.parse
            yield response.follow(href, callback)

    def parse_data(self, response):
        yield {"path": "data", "title": str(response.json()["lamps"])}
"""
PIPELINES = """
class Shout:
    def process_item(self, item):
        item["title"] = item["title"].upper()
        return item
"""
MIDDLEWARES = """
class Note:
    async def process_spider_output(self, response, result):
        async for output in result:
            if isinstance(output, dict):
                output["status"] = response.status
            yield output
"""
ADDON = 'ADDONS = {"aidivide_archive.scrapy.ArchiveAddon": 500}\n'
EXPECTED_ITEMS = [
    {"path": path, "status": 200, "title": title}
    for path, title in (
        ("", "FRONT"),
        ("data", "3"),
        ("news/1", "LAMPS OF ADA"),
        ("news/2", "LAMPS OF BEN"),
        ("news/3?utm_source=mail", "LAMPS OF ADA"),
        ("news/4", "LAMPS OF CLEO"),
    )
]


@dataclass(frozen=True)
class Ended:
    code: int
    log: str
    items: list[dict[str, Any]]

    def lines(self, words: str) -> list[str]:
        return [line for line in self.log.splitlines() if words in line]


@dataclass(frozen=True)
class Project:
    folder: Path

    def set(self, more: str) -> None:
        (self.folder / "lighthouse" / "settings.py").write_text(SETTINGS + more)

    def archive_into(self, location: Location, more: str = "") -> None:
        """The two lines, and a third one for PostgreSQL."""
        self.set(
            f"{ADDON}AIDIVIDE_ARCHIVE = {str(location.directory)!r}\n"
            + (
                f"AIDIVIDE_DATABASE_URL = {location.database_url!r}\n"
                if location.database_url
                else ""
            )
            + more
        )

    def crawl(self, site: Site, *options: str, preexec: Callable[[], None] | None = None) -> Ended:
        out = self.folder / "items.jsonl"
        line = ["crawl", "lamps", "-a", f"start={site.url('/')}", "-O", str(out), *options]
        done = self.scrapy(*line, preexec=preexec)
        written = out.read_text() if out.exists() else ""
        items = sorted(map(json.loads, written.splitlines()), key=lambda item: str(item["path"]))
        return Ended(done.returncode, done.stderr, items)

    def scrapy(
        self, *arguments: str, preexec: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {name: v for name, v in os.environ.items() if "proxy" not in name.lower()}
        return subprocess.run(
            [sys.executable, "-m", "scrapy", *arguments],
            cwd=self.folder, env=environment, text=True, capture_output=True, timeout=100, check=False,
            stdin=subprocess.DEVNULL,
            preexec_fn=preexec,  # it only sets a limit
        )  # fmt: skip


def start_project(folder: Path) -> Project:
    """A project as `scrapy startproject` makes one, outside of ours."""
    package = folder / "lighthouse"
    (package / "spiders").mkdir(parents=True)
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = lighthouse.settings\n")
    for path, text in {
        "__init__.py": "",
        "spiders/__init__.py": "",
        "spiders/lamps.py": SPIDER,
        "pipelines.py": PIPELINES,
        "middlewares.py": MIDDLEWARES,
    }.items():
        (package / path).write_text(text)
    assert not folder.is_relative_to(ROOT)
    project = Project(folder)
    project.set("")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return start_project(tmp_path / "elsewhere")


def ledger(location: Location) -> dict[str, tuple[str, str | None]]:
    urls = schema.urls
    engine = read_engine(location)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(urls.c.url, urls.c.state, urls.c.reason)).all()
    engine.dispose()
    return {row.url: (row.state, row.reason) for row in rows}


# --- a crawl -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Crawled:
    project: Project
    site: Site
    location: Location
    ended: Ended


@contextmanager
def crawled(engine: str, folder: Path) -> Iterator[Crawled]:
    with archives.nowhere(engine, folder) as location, serve() as site:
        project = start_project(folder / "elsewhere")
        project.archive_into(location)
        yield Crawled(project, site, location, project.crawl(site))


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    with crawled("sqlite", tmp_path_factory.mktemp("sqlite")) as made:
        yield made


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    with crawled("postgresql", tmp_path_factory.mktemp("postgresql")) as made:
        yield made


def test_without_the_add_on_the_project_does_what_the_other_tests_expect(
    project: Project, site: Site
):
    assert project.crawl(site).items == EXPECTED_ITEMS


@pytest.mark.parametrize("engine", ["on_sqlite", "on_postgresql"])
def test_pages_are_archived_and_the_items_come_out_as_before(
    request: pytest.FixtureRequest, engine: str
):
    crawl: Crawled = request.getfixturevalue(engine)
    ended, url = crawl.ended, crawl.site.url
    assert ended.code == 0, ended.log
    assert ended.items == EXPECTED_ITEMS
    assert not ended.lines("ERROR"), ended.log
    assert not ended.lines("Traceback"), ended.log
    # no page that was not received: forbidden, gone, left by a redirect; and no link is queued
    assert ledger(crawl.location) == {
        url("/"): ("rejected", "empty"),
        **{url(f"/news/{number}"): ("done", "imported") for number in range(1, 5)},
    }
    with Reader(crawl.location) as reader:
        titles = Counter(article["title"] for article in reader.articles())
        members = {member["url"] for member in reader.stories()}
    assert titles == {"Lamps of Ada": 2, "Lamps of Ben": 1, "Lamps of Cleo": 1}
    assert members == {url("/news/1"), url("/news/3")}
    assert list(verify(crawl.location)) == []
    assert ended.lines("'aidivide/left_out/not_html': 1")
    assert ended.lines("'aidivide/new': 4")


def test_what_was_fetched_lies_in_the_warc_file_as_it_came_and_without_secrets(on_sqlite: Crawled):
    url = on_sqlite.site.url
    (path,) = on_sqlite.location.warc_directory.iterdir()
    captures = {stored.capture.url: stored.capture for stored in iter_captures(path)}
    assert captures.keys() >= {url("/news/1"), url("/news/3?utm_source=mail")}
    page = captures[url("/news/1")]
    assert page.header("content-encoding") == "gzip"
    assert gzip.decompress(page.body).decode() == PAGES["/news/1"]
    assert page.ip_address == "127.0.0.1"
    raw = gzip.decompress(path.read_bytes())
    assert b"Accept-Encoding" in raw
    assert SESSION.encode() not in raw


def test_a_second_crawl_finds_nothing_new(on_sqlite: Crawled, project: Project, tmp_path: Path):
    location = Location(tmp_path / "archive")
    shutil.copytree(on_sqlite.location.directory, location.directory)
    before = ledger(location)
    project.archive_into(location)
    again = project.crawl(on_sqlite.site)
    assert again.lines("'aidivide/unchanged': 4")
    assert ledger(location) == before


def test_an_event_judges_the_pages(
    project: Project, site: Site, sqlite_location: Location, tmp_path: Path
):
    profile = tmp_path / "cleo.toml"
    profile.write_text("""
schema = 1
[event]
id = "cleo"
title = "The lamps of Cleo"
[relevance]
keep = 3
review = 2
[[group]]
name = "keeper"
weight = 3
any = { "*" = ["Cleo"] }
""")
    project.archive_into(sqlite_location, f"AIDIVIDE_EVENT = {str(profile)!r}\n")
    ended = project.crawl(site)
    assert ended.items == EXPECTED_ITEMS
    states = ledger(sqlite_location)
    assert states.pop(site.url("/news/4")) == ("done", "kept")
    assert states[site.url("/news/1")] == ("rejected", "irrelevant")
    assert {state for state, _ in states.values()} == {"rejected"}


def test_what_scrapys_cache_answers_was_not_fetched(
    project: Project, site: Site, sqlite_location: Location
):
    cached = "HTTPCACHE_ENABLED = True\n"
    project.set(cached)
    project.crawl(site)
    project.archive_into(sqlite_location, cached)
    before = site.requests.total()
    ended = project.crawl(site)
    assert site.requests.total() == before
    assert ended.items == EXPECTED_ITEMS
    assert ended.lines("'aidivide/left_out/not_fetched': 5")
    assert ledger(sqlite_location) == {}


# --- off, and failures ---------------------------------------------------------------------------


def test_an_empty_setting_switches_it_off(project: Project, site: Site, sqlite_nowhere: Location):
    project.archive_into(sqlite_nowhere)
    ended = project.crawl(site, "-s", "AIDIVIDE_ARCHIVE=")
    assert ended.items == EXPECTED_ITEMS
    assert ended.lines("nothing is archived")
    assert not sqlite_nowhere.directory.exists()


def test_a_shell_archives_nothing(project: Project, site: Site, sqlite_nowhere: Location):
    project.archive_into(sqlite_nowhere)
    done = project.scrapy("shell", site.url("/news/1"), "-c", "response.css('h1::text').get()")
    assert done.stdout.strip() == "Lamps of Ada", done.stderr
    assert not sqlite_nowhere.directory.exists()


def test_a_wrong_setting_ends_the_crawl_before_its_first_request(
    project: Project, site: Site, sqlite_nowhere: Location
):
    project.archive_into(sqlite_nowhere, "AIDIVIDE_EVENT = 'no-such-event'\n")
    ended = project.crawl(site)
    assert ended.code == 1
    (line,) = ended.lines("the crawl does not begin")
    assert "no-such-event" in line
    assert not site.requests
    assert not sqlite_nowhere.directory.exists()


def test_an_archive_that_somebody_else_writes_ends_the_crawl_before_its_first_request(
    project: Project, site: Site, sqlite_location: Location
):
    project.archive_into(sqlite_location)
    with Archive(sqlite_location):
        ended = project.crawl(site)
    assert ended.code == 1
    (line,) = ended.lines("the crawl does not begin")
    assert f"(pid {os.getpid()})" in line
    assert not site.requests


def test_a_disk_that_fills_up_stops_the_crawl_and_loses_nothing(
    project: Project, site: Site, sqlite_location: Location
):
    with Archive(sqlite_location):
        pass
    limit = sqlite_location.database_path.stat().st_size + 4096

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    project.archive_into(sqlite_location, "CONCURRENT_REQUESTS = 1\n")
    site.handler.padding = limit // 2
    ended = project.crawl(site, preexec=small_files)
    (line,) = ended.lines("the archive failed, so the crawl stops:")
    assert str(sqlite_location.directory) in line
    assert ended.lines("'finish_reason': 'archive_failed'")
    site.handler.padding = 0
    project.crawl(site)
    with Reader(sqlite_location) as reader:
        assert len(list(reader.articles())) == 4
        assert integrity(reader) == []

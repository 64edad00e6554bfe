"""`scrapy list`, `shell`, `fetch` and `check` work in the checkout as in any Scrapy project, and write no archive."""

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.places import ROOT

pytestmark = pytest.mark.slow
PAGE = (
    b"<!DOCTYPE html><html><head><title>The ferry</title></head><body><p>It left.</p></body></html>"
)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            self._answer(200, b"User-agent: *\nDisallow: /private\n", "text/plain")
        elif self.path == "/moved":
            self._answer(301, b"", "text/html", ("Location", "/ferry"))
        elif self.path in ("/ferry", "/private"):
            packed = gzip.compress(PAGE, mtime=0)
            self._answer(200, packed, "text/html", ("Content-Encoding", "gzip"))
        else:
            self._answer(404, b"<p>nothing here</p>", "text/html")

    def _answer(self, status: int, body: bytes, kind: str, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def scrapy(archive: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {name: v for name, v in os.environ.items() if "proxy" not in name.lower()}
    environment["AIDIVIDE_ARCHIVE"] = str(archive)
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_list_names_the_spiders(tmp_path: Path):
    done = scrapy(tmp_path / "archive", "list")
    assert (done.returncode, done.stdout.split()) == (0, [b"coverage"]), done.stderr


def test_check_finds_nothing_wrong(tmp_path: Path):
    done = scrapy(tmp_path / "archive", "check")
    assert done.returncode == 0, done.stderr
    assert done.stderr.rstrip().endswith(b"OK"), done.stderr
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("path", ["/ferry", "/moved"])
def test_fetch_prints_a_page_as_a_spider_gets_it(site: str, tmp_path: Path, path: str):
    done = scrapy(tmp_path / "archive", "fetch", f"{site}{path}")
    assert (done.returncode, done.stdout) == (0, PAGE + b"\n"), done.stderr
    assert done.stderr == b""
    assert not (tmp_path / "archive").exists()


def test_fetch_obeys_robots_txt(site: str, tmp_path: Path):
    assert scrapy(tmp_path / "archive", "fetch", f"{site}/private").stdout == b""


def test_shell_hands_over_the_response(site: str, tmp_path: Path):
    code = "(response.status, response.css('title::text').get())"
    done = scrapy(tmp_path / "archive", "shell", f"{site}/ferry", "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == b"(200, 'The ferry')", done.stderr
    assert not (tmp_path / "archive").exists()


def test_a_spider_that_fills_an_archive_is_refused_where_requests_come_from_elsewhere(
    site: str, tmp_path: Path
):
    """It would have crawled its whole event in place of the one page."""
    done = scrapy(tmp_path / "archive", "fetch", "--spider", "coverage", f"{site}/ferry")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"runs with `scrapy crawl coverage` only" in done.stderr
    assert not (tmp_path / "archive").exists()

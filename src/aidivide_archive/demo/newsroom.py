"""The demo newsroom: eight invented outlets under *.example names on one loopback port.

    python -m aidivide_archive.demo.newsroom --port 0 --log requests.jsonl

prints its port as one line, then serves until --seconds are over, its parent process is gone or
it is interrupted. The outlet is chosen by the Host header. `Newsroom` is pure and can be asked
without a server.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, TextIO

from aidivide_archive.demo.content import Listing, Outlet, read_outlets
from aidivide_archive.demo.listings import newest, render_listing, render_robots
from aidivide_archive.demo.pages import listed, render_article, render_hub

ADDRESS = "127.0.0.1"
LONGEST_LIFE_SECONDS = 86_400.0
PARENT_CHECK_SECONDS = 0.5


class Response(NamedTuple):
    """What the newsroom answers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One address of the newsroom that answers 200."""

    key: str
    """"outlet/slug" of an article, "outlet:/path" of a listing: the names of the planned truth."""
    host: str
    path: str
    kind: str
    """"article", "robots" or the kind of its listing."""
    content_type: str
    modified: datetime
    body: bytes = field(repr=False)
    """Identity encoding."""


class Newsroom:
    """All pages, rendered for one port; the same port gives the same bytes."""

    def __init__(self, port: int, outlets: tuple[Outlet, ...] | None = None) -> None:
        self.port = port
        self.outlets = read_outlets() if outlets is None else outlets
        self.pages = tuple(page for outlet in self.outlets for page in self._render(outlet))
        self._by_address = {(page.host, page.path): page for page in self.pages}
        self._by_key = {page.key: page for page in self.pages}
        self._by_host = {outlet.host: outlet for outlet in self.outlets}

    def page(self, key: str) -> Page:
        """Raises KeyError for a name that no page has."""
        return self._by_key[key]

    def url(self, key: str) -> str:
        """Absolute address of a page by its key."""
        page = self._by_key[key]
        return f"http://{page.host}:{self.port}{page.path}"

    def response(
        self, host: str, path: str, request_headers: Mapping[str, str] | None = None
    ) -> Response:
        """The answer to GET; `host` may carry a port, `path` its query.

        Header names are matched as written: "Accept-Encoding", "If-None-Match".
        """
        outlet = self._by_host.get(host.partition(":")[0].lower())
        if outlet is None:
            return _plain(HTTPStatus.MISDIRECTED_REQUEST, "No outlet of this newsroom.")
        page = self._by_address.get((outlet.host, path))
        if page is not None:
            return _answer(page, outlet, request_headers or {})
        for old, slug in outlet.redirects:
            if old == path:
                location = self.url(f"{outlet.key}/{slug}")
                return Response(
                    HTTPStatus.MOVED_PERMANENTLY,
                    (("Location", location), ("Content-Length", "0")),
                    b"",
                )
        return _plain(HTTPStatus.NOT_FOUND, "404 Not Found")

    def _render(self, outlet: Outlet) -> list[Page]:
        base = f"http://{outlet.host}:{self.port}"
        markup = f"text/html; charset={outlet.charset}"
        if outlet.charset != "utf-8":
            markup = "text/html"  # the label stands in the page's meta element only
        pages = [
            Page(
                key=article.key,
                host=outlet.host,
                path=outlet.article_path(article),
                kind="article",
                content_type=markup,
                modified=article.modified or article.published,
                body=render_article(outlet, article, base).encode(outlet.charset),
            )
            for article in outlet.articles
        ]
        pages += [
            self._render_listing(outlet, listing, base, markup) for listing in outlet.listings
        ]
        if outlet.robots:
            robots = render_robots(outlet, base).encode()
            pages.append(_listing_page(outlet, "/robots.txt", "robots", "text/plain", robots))
        return pages

    @staticmethod
    def _render_listing(outlet: Outlet, listing: Listing, base: str, markup: str) -> Page:
        if listing.kind == "hub":
            body = render_hub(outlet, listing, base).encode(outlet.charset)
            return _listing_page(outlet, listing.path, "hub", markup, body, listing)
        body = render_listing(outlet, listing, base).encode()
        content_type = f"application/{listing.kind}+xml"
        if "sitemap" in listing.kind:
            content_type = "application/xml"
        if listing.path.endswith(".gz"):
            body = gzip.compress(body, mtime=0)
            content_type = "application/gzip"
        return _listing_page(outlet, listing.path, listing.kind, content_type, body, listing)


def _listing_page(
    outlet: Outlet,
    path: str,
    kind: str,
    content_type: str,
    body: bytes,
    listing: Listing | None = None,
) -> Page:
    modified = newest(outlet.articles if listing is None else listed(outlet, listing))
    return Page(
        key=f"{outlet.key}:{path}",
        host=outlet.host,
        path=path,
        kind=kind,
        content_type=content_type,
        modified=modified or datetime(2025, 7, 1, tzinfo=UTC),
        body=body,
    )


def _answer(page: Page, outlet: Outlet, request_headers: Mapping[str, str]) -> Response:
    """200 or 304, compressed where the outlet does it and the client takes it."""
    body = page.body
    tag = hashlib.sha256(body).hexdigest()[:20]
    headers = [("Content-Type", page.content_type)]
    if outlet.gzip and not page.path.endswith(".gz"):
        headers.append(("Vary", "Accept-Encoding"))
        if "gzip" in request_headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            tag += "-gzip"
            headers.append(("Content-Encoding", "gzip"))
    headers.append(("ETag", f'"{tag}"'))
    headers.append(("Last-Modified", format_datetime(page.modified.astimezone(UTC), usegmt=True)))
    if tag in request_headers.get("If-None-Match", ""):
        return Response(HTTPStatus.NOT_MODIFIED, tuple(headers), b"")
    headers.append(("Content-Length", str(len(body))))
    return Response(HTTPStatus.OK, tuple(headers), body)


def _plain(status: HTTPStatus, text: str) -> Response:
    body = f"{text}\n".encode()
    headers = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))))
    return Response(status, headers, body)


class NewsroomServer(ThreadingHTTPServer):
    """Serves a newsroom on loopback; with a log, one JSON line a request."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int = 0, log: TextIO | None = None) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.newsroom = Newsroom(self.server_address[1])
        self._log = log
        self._log_lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news; anything else keeps its traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def record(self, host: str, path: str, status: int) -> None:
        """Append one request to the log, at once."""
        if self._log is None:
            return
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"host": host, "path": path, "status": status, "time": moment})
        with self._log_lock:
            self._log.write(line + "\n")
            self._log.flush()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo-newsroom"
    sys_version = ""
    timeout = 30  # seconds an idle connection may hold a thread
    disable_nagle_algorithm = True  # head and body go out in two writes
    server: NewsroomServer

    def do_GET(self) -> None:
        host = self.headers.get("Host", "")
        headers = {name.title(): value for name, value in self.headers.items()}
        answer = self.server.newsroom.response(host, self.path, headers)
        self.server.record(host.partition(":")[0].lower(), self.path, answer.status)
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing on the terminal; `NewsroomServer.record` keeps the log."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until time, parent or the user ends it; the exit code is 0 in all three cases."""
    parser = argparse.ArgumentParser(prog="newsroom", description="Serve the demo newsroom.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--log", type=Path, help="append one JSON line a request to this file")
    parser.add_argument("--seconds", type=float, default=600.0, help="longest life (default 600)")
    options = parser.parse_args(arguments)
    stop = threading.Event()
    parent = os.getppid()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        with _open_log(options.log) as log, NewsroomServer(options.port, log) as server:
            _serve(server, stop, parent, min(options.seconds, LONGEST_LIFE_SECONDS))
    except OSError as error:
        sys.stderr.write(f"newsroom: cannot serve: {error}\n")
        return 1
    return 0


@contextmanager
def _open_log(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    with path.open("a", encoding="utf-8") as log:
        yield log


def _serve(server: NewsroomServer, stop: threading.Event, parent: int, seconds: float) -> None:
    """Print the port, then serve in a thread until `stop`, the end of `seconds` or an orphan."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.daemon = True
    thread.start()
    sys.stdout.write(f"{server.newsroom.port}\n")
    sys.stdout.flush()
    end = time.monotonic() + seconds
    while os.getppid() == parent and (left := end - time.monotonic()) > 0:
        if stop.wait(min(PARENT_CHECK_SECONDS, left)):
            break
    server.shutdown()
    thread.join()


if __name__ == "__main__":
    sys.exit(main())

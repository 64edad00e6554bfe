"""Labelled pages, served under their own host names by a process of its own; for the crawls of benchmarks."""

from __future__ import annotations

import asyncio
import gzip
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.urls import canonical_url, host_of

ROOT = Path(__file__).resolve().parents[1]
SETS = ("aeb", "andy", "cwced", "fundus", "traf")
ADDRESSES = tuple(f"127.0.0.{n}" for n in range(1, 6))
INDEX_HOST = "index.example"
SAMPLE_SECONDS = 5.0
"""Between two looks at the memory: each takes about 0.2 s of a core and halts the processes it looks at."""


@dataclass(frozen=True)
class Page:
    name: str
    url: str
    """Without scheme and port: the original host, path and query."""
    has_text: bool
    """Whether the label has text or segments to keep."""
    body: bytes
    encoding: str = ""
    """Content-Encoding, when it is not plain."""


def load_pages(directory: Path, count: int | None) -> list[Page]:
    """The labelled pages; more than there are: again, with changed bytes and address."""
    pages = [page for name in SETS for page in _load_set(directory / name)]
    if count is None:
        return pages
    repeated = list(pages[:count])
    copy = 1
    while len(repeated) < count:
        for page in pages[: count - len(repeated)]:
            mark = f"<!-- copy {copy} -->".encode()
            mark_url = f"{page.url}{'&' if '?' in page.url else '?'}copy={copy}"
            repeated.append(Page(f"{page.name}+{copy}", mark_url, page.has_text, page.body + mark))
        copy += 1
    return repeated


def _load_set(folder: Path) -> Iterator[Page]:
    with gzip.open(folder / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            url = row["url"] or f"http://{folder.name}.example/{row['file']}"
            parts = urlsplit(url)
            rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            yield Page(
                name=f"{folder.name}/{row['file']}",
                url=f"{parts.hostname}{rest}",
                has_text=bool(row["text"] or row["with"]),
                body=gzip.decompress((folder / row["file"]).read_bytes()),
            )


def addressed(pages: list[Page], port: int) -> dict[str, Page]:
    """Pages by the URL they are crawled at; two pages of one address: the first."""
    found: dict[str, Page] = {}
    for page in pages:
        host, _, rest = page.url.partition("/")
        try:
            found.setdefault(canonical_url(f"http://{host}:{port}/{rest}"), page)
        except InvalidURLError as error:
            print(f"left out: {page.name}: {error}", file=sys.stderr)
    return found


# --- the server ----------------------------------------------------------------------------------


def serve(pages: dict[str, Page], port: int, ready: Any, seconds: float) -> None:
    """Answer on all addresses until the parent says stop, or after `seconds`."""
    by_target = {}
    for url, page in pages.items():
        parts = urlsplit(url)
        by_target[host_of(url), parts.path + (f"?{parts.query}" if parts.query else "")] = page
    entries = "".join(f"<url><loc>{url.replace('&', '&amp;')}</loc></url>" for url in pages)
    sitemap = f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{entries}</urlset>"
    listing = Page("sitemap", "", has_text=False, body=sitemap.encode())
    by_target[f"{INDEX_HOST}:{port}", "/sitemap.xml"] = listing

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = head.split(b" ", 2)[1].decode("latin-1")
                host = head.lower().split(b"\r\nhost: ", 1)[1].split(b"\r\n", 1)[0].decode()
                page = by_target.get((host, target))
                status = b"404 Not Found" if page is None else b"200 OK"
                kind = b"application/xml" if target == "/sitemap.xml" else b"text/html"
                body = b"" if page is None else page.body
                if page is not None and page.encoding:
                    kind += b"\r\nContent-Encoding: " + page.encoding.encode()
                writer.write(
                    b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
                    % (status, kind, len(body))
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        servers = [await asyncio.start_server(answer, one, port) for one in ADDRESSES]
        ready.send("ready")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not await asyncio.to_thread(ready.poll, 1.0):
            pass
        for server in servers:
            server.close()

    asyncio.run(run())
    usage = resource.getrusage(resource.RUSAGE_SELF)
    ready.send(usage.ru_utime + usage.ru_stime)


class Server:
    def __init__(self, pages: dict[str, Page], port: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(pages, port, theirs, 5000), daemon=True)
        self._process.start()
        self._pipe.recv()

    def stop(self) -> float:
        """CPU seconds the server used."""
        self._pipe.send("stop")
        seconds = float(self._pipe.recv())
        self._process.join()
        return seconds


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_profile(path: Path, pages: dict[str, Page], port: int) -> None:
    """An event without groups: everything is kept. One source a host, one sitemap for all."""
    hosts = sorted({host_of(url).rpartition(":")[0] for url in pages})
    lines = [
        "schema = 1",
        '[event]\nid = "real-pages"\ntitle = "Real pages"',
        '[politeness]\nuser_agent = "real-pages-benchmark (+mailto:bench@localhost.example)"',
        "delay_seconds = 0\nconcurrent_per_host = 4",
        "[limits]\nmax_depth = 1",
        '[fetch]\nallow_private = ["127.0.0.0/8"]',
        "[fetch.hosts]",
        f'"{INDEX_HOST}" = "127.0.0.1"',
    ]
    lines += [f'"{host}" = "{ADDRESSES[n % len(ADDRESSES)]}"' for n, host in enumerate(hosts)]
    lines.append(
        f'[[source]]\nname = "Index"\ndomain = "{INDEX_HOST}"\n'
        f'sitemaps = ["http://{INDEX_HOST}:{port}/sitemap.xml"]'
    )
    lines += [f'[[source]]\nname = "{host}"\ndomain = "{host}"' for host in hosts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

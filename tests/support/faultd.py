"""The fault server: raw asyncio on loopback, so that it can send what no framework would.

In a test: `with FaultServer() as server:` serves from a thread; `server.routes["host/path"]` and `server.hosts["host"]`
take handlers or bodies, `/f/NAME?…` is a named scenario on every host, `server.log` holds every request with its
monotonic time. By hand: `python -m tests.faultd --port 8000` (ends with its parent, after ten minutes at the latest).
Bounds: connections, bytes and seconds of each connection, and the life of the server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support import fault_pages as pages

ADDRESSES = ("127.0.0.1", "127.0.0.2", "::1")
MAX_CONNECTIONS = 256
MAX_SENT_BYTES = 160 * 2**20
MAX_CONNECTION_SECONDS = 60.0
MAX_REQUEST_BYTES = 2**21
LIFE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    at: float
    """time.monotonic() when its head was read."""
    host: str
    """Lower case, without port."""
    path: str
    """With the query."""
    address: str
    """The server's own address that was reached."""
    headers: Mapping[str, str]
    """Lower-case names."""


class _GoneError(Exception):
    """The connection is over: the client went, a bound was reached, or the scenario ended it."""


@dataclass
class Exchange:
    """One request and the connection to answer on."""

    asked: Asked
    server: FaultServer
    writer: asyncio.StreamWriter
    count: int
    """How often this host and path was asked for, from 1."""
    keeps: bool = True
    """Whether the connection stays open."""
    sent: int = 0

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.asked.path).query, keep_blank_values=True))

    def number(self, name: str, default: float) -> float:
        return float(self.query.get(name, default))

    async def send(self, data: bytes) -> None:
        """Raw bytes; ends the exchange when the client has gone or too much was sent."""
        self.sent += len(data)
        if self.sent > MAX_SENT_BYTES:
            raise _GoneError
        try:
            self.writer.write(data)
            await self.writer.drain()
        except (ConnectionError, OSError) as error:
            raise _GoneError from error

    async def head(self, status: int = 200, **headers: str) -> None:
        """Status line and headers; "_" in a name stands for "-"."""
        lines = [f"HTTP/1.1 {status} {'OK' if status < 300 else 'Said'}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def reply(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """A whole and correct answer."""
        headers.setdefault("Content_Type", "text/html; charset=utf-8")
        await self.head(status, Content_Length=str(len(body)), **headers)
        await self.send(body)

    async def redirect(self, to: str, status: int = 302) -> None:
        await self.reply(b"", status, Location=to)

    async def close(self) -> None:
        """End with FIN."""
        self.keeps = False

    async def reset(self) -> None:
        """End with RST, after what was sent has left."""
        await asyncio.sleep(0.05)
        raw = self.writer.get_extra_info("socket")
        with suppress(OSError, AttributeError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise _GoneError


Handler = Callable[[Exchange], Awaitable[None]]
Answer = Handler | bytes | str
"""A handler, or the body of a 200."""

SCENARIOS: dict[str, Handler] = {}


def scenario(handler: Handler) -> Handler:
    """Serve a handler as /f/NAME on every host."""
    SCENARIOS[handler.__name__] = handler
    return handler


@dataclass
class FaultServer:
    """Serves from a thread of its own, on all its addresses (IPv6 where there is any) and one port."""

    tls: ssl.SSLContext | None = None
    port: int = 0
    addresses: tuple[str, ...] = ADDRESSES
    routes: dict[str, Answer] = field(default_factory=dict)
    """By "host/path" without query."""
    hosts: dict[str, Answer] = field(default_factory=dict)
    """What a host answers that has no route for the path."""
    log: list[Asked] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Requests by "host/path?query"."""
    connections: int = 0
    """Accepted so far."""
    most_open: int = 0
    _open: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        ready: threading.Event = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the fault server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def url(self, host: str, path: str = "/") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def asked(self, host: str | None = None, prefix: str = "/") -> list[Asked]:
        """Requests so far, of one host, of paths with a prefix."""
        return [
            one
            for one in tuple(self.log)
            if (host is None or one.host == host) and one.path.startswith(prefix)
        ]

    def forget(self) -> None:
        self.log.clear()
        self.counts.clear()

    # --- inside the thread -----------------------------------------------------------------------

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(ready))
        finally:
            self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        servers: list[asyncio.Server] = []
        for address in self.addresses:
            try:
                server = await asyncio.start_server(
                    self._connection, address, self.port, ssl=self.tls, backlog=256
                )
            except OSError:
                if address == self.addresses[0]:
                    raise
                continue  # no such address on this machine
            self.port = server.sockets[0].getsockname()[1]
            servers.append(server)
        ready.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), LIFE_SECONDS)
        for server in servers:
            server.close()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        try:
            if self._open <= MAX_CONNECTIONS:
                async with asyncio.timeout(MAX_CONNECTION_SECONDS):
                    while await self._exchange(reader, writer):
                        pass
        except (_GoneError, TimeoutError, ConnectionError, OSError, asyncio.CancelledError):
            pass
        finally:
            self._open -= 1
            with suppress(Exception):
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; returns whether the connection goes on."""
        lines: list[str] = []
        size = 0
        while (line := await reader.readline()) not in (b"\r\n", b"\n"):
            size += len(line)
            if not line or size > MAX_REQUEST_BYTES:
                return False
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        if not lines:
            return False
        _, target, *_ = f"{lines[0]} / /".split(" ")
        headers = {
            name.lower(): value.strip()
            for name, colon, value in (one.partition(":") for one in lines[1:])
            if colon
        }
        host = headers.get("host", "").lower()
        host = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        address = writer.get_extra_info("sockname")[0]
        asked = Asked(time.monotonic(), host, target, address, headers)
        self.log.append(asked)
        self.counts[f"{host}{target}"] += 1
        exchange = Exchange(asked, self, writer, self.counts[f"{host}{target}"])
        await self._answer(exchange)
        return exchange.keeps

    async def _answer(self, exchange: Exchange) -> None:
        path = exchange.asked.path.partition("?")[0]
        host = exchange.asked.host
        answer = self.routes.get(f"{host}{path}")
        if answer is None and path.startswith("/f/"):
            answer = SCENARIOS.get(unquote(path[3:]).partition("/")[0])
        if answer is None and (path != "/robots.txt"):
            answer = self.hosts.get(host)
        if answer is None:
            await exchange.reply(b"<p>not here</p>", 404)
        elif isinstance(answer, str):
            await exchange.reply(answer.encode(), Content_Type="text/plain")
        elif isinstance(answer, bytes):
            await exchange.reply(answer, Content_Type=_type_of(answer))
        else:
            await answer(exchange)


def _type_of(body: bytes) -> str:
    return "application/xml" if body.startswith(b"<?xml") else "text/html; charset=utf-8"


# --- bodies --------------------------------------------------------------------------------------

_SEED = 11


def _body(exchange: Exchange) -> bytes:
    return pages.article(int(exchange.number("seed", _SEED)))


@scenario
async def whole(exchange: Exchange) -> None:
    """?codec= one of gzip, br, zstd, deflate; ?head= more headers of the page."""
    body, codec = _body(exchange), exchange.query.get("codec")
    if codec is None:
        await exchange.reply(body)
    else:
        await exchange.reply(pages.CODECS[codec](body), Content_Encoding=codec)


@scenario
async def cut_codec(exchange: Exchange) -> None:
    """A compressed body without its end, all lengths correct. ?codec=&share=0.6"""
    codec = exchange.query.get("codec", "gzip")
    body = pages.CODECS[codec](_body(exchange))
    kept = body[: int(len(body) * exchange.number("share", 0.6))]
    await exchange.reply(kept, Content_Encoding=codec)


@scenario
async def bad_codec(exchange: Exchange) -> None:
    """A compressed body with a damaged middle. ?codec="""
    codec = exchange.query.get("codec", "gzip")
    body = bytearray(pages.CODECS[codec](_body(exchange)))
    middle = len(body) // 2
    body[middle : middle + 40] = bytes(40)
    await exchange.reply(bytes(body), Content_Encoding=codec)


@scenario
async def bad_checksum(exchange: Exchange) -> None:
    body = bytearray(pages.CODECS["gzip"](_body(exchange)))
    body[-8] ^= 0xFF
    await exchange.reply(bytes(body), Content_Encoding="gzip")


@scenario
async def long_length(exchange: Exchange) -> None:
    """Content-Length says more than comes."""
    body = _body(exchange)
    await exchange.head(Content_Type="text/html", Content_Length=str(len(body) + 500))
    await exchange.send(body)
    await exchange.close()


@scenario
async def short_length(exchange: Exchange) -> None:
    """Content-Length says less than comes."""
    body = _body(exchange)
    await exchange.send(
        f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body) // 2}\r\n\r\n".encode()
        + body
    )
    await exchange.close()


@scenario
async def odd_length(exchange: Exchange) -> None:
    """Content-Length is no number, negative, or given twice. ?value="""
    body = _body(exchange)
    values = exchange.query.get("value", "abc").split("~")
    lines = "".join(f"Content-Length: {value}\r\n" for value in values)
    await exchange.send(
        f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{lines}\r\n".encode() + body
    )
    await exchange.close()


async def _chunks(exchange: Exchange, *pieces: bytes) -> None:
    await exchange.head(Content_Type="text/html", Transfer_Encoding="chunked")
    for piece in pieces:
        await exchange.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")


@scenario
async def chunked(exchange: Exchange) -> None:
    body = _body(exchange)
    await _chunks(exchange, body[:300], body[300:])
    await exchange.send(b"0\r\n\r\n")


@scenario
async def cut_chunk(exchange: Exchange) -> None:
    """The connection ends inside a chunk."""
    body = _body(exchange)
    await _chunks(exchange, body[:300])
    await exchange.send(b"800\r\n" + body[300:400])
    await exchange.close()


@scenario
async def no_last_chunk(exchange: Exchange) -> None:
    body = _body(exchange)
    await _chunks(exchange, body[:300], body[300:])
    await exchange.close()


@scenario
async def bad_chunk(exchange: Exchange) -> None:
    """A chunk size that is no number."""
    body = _body(exchange)
    await _chunks(exchange, body[:300])
    await exchange.send(b"zz\r\n" + body[300:] + b"\r\n0\r\n\r\n")
    await exchange.close()


@scenario
async def no_length(exchange: Exchange) -> None:
    """Neither length nor chunks: the body ends with the connection. ?share=1 is whole; ?end=rst resets; ?codec="""
    body, codec = _body(exchange), exchange.query.get("codec")
    headers = {"Content_Type": "text/html", "Connection": "close"}
    if codec:
        body, headers["Content_Encoding"] = pages.CODECS[codec](body), codec
    await exchange.head(**headers)
    await exchange.send(body[: int(len(body) * exchange.number("share", 1.0))])
    if exchange.query.get("end") == "rst":
        await exchange.reset()
    await exchange.close()


@scenario
async def reset(exchange: Exchange) -> None:
    """RST. ?when=head (before any byte) or body (a third of it came)"""
    if exchange.query.get("when", "body") == "body":
        body = _body(exchange)
        await exchange.head(Content_Type="text/html", Content_Length=str(len(body)))
        await exchange.send(body[: len(body) // 3])
    await exchange.reset()


@scenario
async def garbage(exchange: Exchange) -> None:
    """No HTTP at all."""
    await exchange.send(b"\x00\x01\x02 this is no HTTP\r\n\r\n")
    await exchange.close()


@scenario
async def typed(exchange: Exchange) -> None:
    """A body of ?type=pdf|zip, called ?as="""
    body = pages.tiny_pdf_zip()[exchange.query.get("type", "pdf")]
    await exchange.reply(body, Content_Type=exchange.query.get("as", "application/pdf"))


@scenario
async def encoding(exchange: Exchange) -> None:
    """?charset=&label= of fault_pages.LEGACY and LABELS"""
    charset, label = exchange.query.get("charset", "gb18030"), exchange.query.get("label", "http")
    body, kind = pages.encoded_page(charset, label)
    await exchange.reply(body, Content_Type=kind)


# --- timing --------------------------------------------------------------------------------------


@scenario
async def slow(exchange: Exchange) -> None:
    """A good page after ?seconds="""
    await asyncio.sleep(exchange.number("seconds", 1))
    await exchange.reply(_body(exchange))


@scenario
async def slow_head(exchange: Exchange) -> None:
    """One byte of the head every ?every= seconds"""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + b"X-Pad: x\r\n" * 10_000:
        await exchange.send(bytes([byte]))
        await asyncio.sleep(exchange.number("every", 0.2))


@scenario
async def drip(exchange: Exchange) -> None:
    """One byte of the body every ?every= seconds"""
    body = _body(exchange)
    await exchange.head(Content_Type="text/html", Content_Length=str(len(body)))
    for byte in body:
        await exchange.send(bytes([byte]))
        await asyncio.sleep(exchange.number("every", 0.2))


@scenario
async def stall(exchange: Exchange) -> None:
    """Half a body, then nothing."""
    body = _body(exchange)
    await exchange.head(Content_Type="text/html", Content_Length=str(len(body)))
    await exchange.send(body[: len(body) // 2])
    await asyncio.sleep(MAX_CONNECTION_SECONDS)


@scenario
async def never(exchange: Exchange) -> None:
    await asyncio.sleep(MAX_CONNECTION_SECONDS)


# --- status --------------------------------------------------------------------------------------


@scenario
async def status(exchange: Exchange) -> None:
    """?code= with ?after= as Retry-After, for the first ?fails= requests (default: always), then a good page."""
    if exchange.count > exchange.number("fails", 10**9):
        await exchange.reply(_body(exchange))
        return
    after = exchange.query.get("after")
    headers = {"Retry_After": after} if after is not None else {}
    await exchange.reply(b"<p>later</p>", int(exchange.number("code", 503)), **headers)


# --- redirects -----------------------------------------------------------------------------------


@scenario
async def redirect(exchange: Exchange) -> None:
    """?to=&code="""
    await exchange.redirect(exchange.query.get("to", "/"), int(exchange.number("code", 302)))


@scenario
async def chain(exchange: Exchange) -> None:
    """?n= redirects to itself, then a good page"""
    n = int(exchange.number("n", 5))
    if n:
        await exchange.redirect(f"/f/chain?n={n - 1}&seed={exchange.query.get('seed', _SEED)}")
    else:
        await exchange.reply(_body(exchange))


@scenario
async def loop(exchange: Exchange) -> None:
    """A to B to A"""
    await exchange.redirect(f"/f/loop?at={1 - int(exchange.number('at', 0))}")


@scenario
async def meta_refresh(exchange: Exchange) -> None:
    to = exchange.query.get("to", "/")
    head = f'<meta http-equiv="refresh" content="0; url={to}">'
    await exchange.reply(pages.article(int(exchange.number("seed", _SEED)), head=head))


@scenario
async def endless(exchange: Exchange) -> None:
    """Every answer redirects to a URL never seen before."""
    n = int(exchange.number("n", 0))
    await exchange.redirect(f"/f/endless?n={n + 1}")


# --- bombs ---------------------------------------------------------------------------------------


@scenario
async def bomb(exchange: Exchange) -> None:
    """?codec=gzip|br|zstd|deflate&mb=200&nest=1: about 1,000:1"""
    codec = exchange.query.get("codec", "gzip")
    body = pages.bomb(codec, min(int(exchange.number("mb", 200)), 1000))
    names = [codec]
    for _ in range(int(exchange.number("nest", 1)) - 1):
        body = pages.CODECS["gzip"](body)
        names.append("gzip")
    await exchange.reply(body, Content_Encoding=", ".join(names))


@scenario
async def header_flood(exchange: Exchange) -> None:
    """?n= headers, or with ?line=1 one header of ?n= bytes"""
    n = int(exchange.number("n", 200_000))
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
    if "line" in exchange.query:
        await exchange.send(b"X-Long: ")
        for _ in range(n // 65536 + 1):
            await exchange.send(b"x" * 65536)
    else:
        for start in range(0, n, 1000):
            lines = (f"X-{place}: {'v' * 20}\r\n" for place in range(start, min(start + 1000, n)))
            await exchange.send("".join(lines).encode())
    body = _body(exchange)
    await exchange.send(f"\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await exchange.close()


@scenario
async def huge(exchange: Exchange) -> None:
    """A page of ?mb= megabytes. ?length=1 announces it; ?as=sitemap sends <url> entries"""
    size = min(int(exchange.number("mb", 100)), 128) * 2**20
    headers = {"Content_Type": "text/html", "Connection": "close"}
    if "length" in exchange.query:
        headers["Content_Length"] = str(size)
    await exchange.head(**headers)
    unit = b"<p>" + b"word " * 200 + b"</p>\n"
    if exchange.query.get("as") == "sitemap":
        await exchange.send(b"<urlset>")
        unit = b"<url><loc>http://x.example/a</loc></url>\n" * 25
    block = unit * (65536 // len(unit))
    for _ in range(size // len(block)):
        await exchange.send(block)
    await exchange.close()


# --- poison, XML, rights, stubs ------------------------------------------------------------------


@scenario
async def poison(exchange: Exchange) -> None:
    """?shape= of fault_pages.POISON_SHAPES, ?size="""
    shape, size = exchange.query.get("shape", "attributes"), int(exchange.number("size", 1000))
    await exchange.reply(pages.poison(shape, min(size, 1_000_000)))


@scenario
async def xml(exchange: Exchange) -> None:
    """?attack= of fault_pages.XML_ATTACKS in ?as=sitemap|feed|page; ?probe= must never be fetched"""
    probe = exchange.query.get("probe", "/etc/hostname")
    head, reference = pages.doctype(exchange.query.get("attack", "laughs"), probe)
    kind = exchange.query.get("as", "sitemap")
    target = exchange.query.get("target", "http://x.example/a")
    if kind == "sitemap":
        body = pages.urlset((target, f"{target}{reference}"), head=head)
    elif kind == "feed":
        body = pages.feed((target,), head=head, title=f"A story {reference}")
    else:
        body = head.encode() + pages.html(f"<p>{reference} {' '.join(pages.sentences(5))}</p>")
    await exchange.reply(body, Content_Type="text/html" if kind == "page" else "application/xml")


@scenario
async def sitemap(exchange: Exchange) -> None:
    """?n= entries of this host; ?index=self makes a loop, ?index=N an endless chain"""
    base = f"http://{exchange.asked.headers.get('host', '')}"
    index = exchange.query.get("index")
    if index is not None:
        after = index if index == "self" else str(int(index) + 1)
        body = pages.sitemap_index((f"{base}/f/sitemap?index={after}",))
    else:
        n = min(int(exchange.number("n", 100)), 200_000)
        body = pages.urlset(tuple(f"{base}/s/{place}" for place in range(n)))
    await exchange.reply(body, Content_Type="application/xml")


@scenario
async def rights(exchange: Exchange) -> None:
    """?case= of fault_pages.RIGHTS"""
    headers, head = pages.RIGHTS[exchange.query.get("case", "none")]
    named = {name.replace("-", "_"): value for name, value in headers.items()}
    body = pages.article(int(exchange.number("seed", _SEED)), head=head)
    await exchange.reply(body, **named)


@scenario
async def stub(exchange: Exchange) -> None:
    """?kind= of fault_pages.STUBS"""
    await exchange.reply(pages.stub(exchange.query.get("kind", "empty")))


# --- by hand -------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Serve until the parent goes away or the life is over; prints the port."""
    parser = argparse.ArgumentParser(prog="faultd", description="Serve faults on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seconds", type=float, default=LIFE_SECONDS, help="longest life")
    options = parser.parse_args(arguments)
    parent, end = os.getppid(), time.monotonic() + min(options.seconds, LIFE_SECONDS)
    with FaultServer(port=options.port) as server, suppress(KeyboardInterrupt):
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        while os.getppid() == parent and time.monotonic() < end:
            time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())

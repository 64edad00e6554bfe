"""Crawls of the fault server in a process of their own, and what watches them: canary, fake resolver, end state."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from aidivide_archive.archive import Location, schema
from aidivide_archive.archive.storage.engine import read_engine
from tests.support.faultd import FaultServer
from tests.support.places import ROOT

CRAWL_SECONDS = 400
"""For a machine under load; a crawl here takes seconds."""


WEB_PORT = 8080
"""One of the ports that the address policy lets through."""


def own_address(last: int) -> str:
    """A loopback address that no other test process uses, so that a fixed port on it is free."""
    return f"127.{os.getpid() % 250 + 1}.0.{last}"


class Canary:
    """A port that counts whoever connects, whatever is asked; answers nothing."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, port), family=family, backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self.touched: list[str] = []
        self._closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._socket.close()

    def _watch(self) -> None:
        while not self._closed:
            with suppress(OSError):
                connection, _ = self._socket.accept()
                connection.settimeout(0.5)
                with connection, suppress(OSError):
                    self.touched.append(connection.recv(2000).decode("latin-1"))


_SITE_CUSTOMIZE = """
import json, os, socket, threading, time

_names = json.loads(os.environ["FAULT_NAMES"])
_asked, _lock, _real = {}, threading.Lock(), socket.getaddrinfo


def _by_name(host):
    return _look_up(host, 0)[0][4][0]


def _look_up(host, port, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    answers = _names.get((name or "").lower())
    if answers is None:
        return _real(host, port, *args, **kwargs)
    with _lock:
        turn = _asked[name] = _asked.get(name, 0) + 1
        with open(os.environ["FAULT_NAMES_LOG"], "a") as log:
            log.write(f"{time.monotonic()} {name}\\n")
    answer = answers[min(turn, len(answers)) - 1]
    if answer == "slow":
        time.sleep(30)
    if answer in ("slow", "fail"):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    if answer == "nxdomain":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    found = []
    for address in [answer] if isinstance(answer, str) else answer:
        six = ":" in address
        place = (address, port or 0, 0, 0) if six else (address, port or 0)
        found.append((socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM, 6, "", place))
    return found


socket.getaddrinfo, socket.gethostbyname = _look_up, _by_name
"""


@dataclass
class FakeResolver:
    """Answers for names, the n-th look-up with the n-th answer and then the last one.

    An answer is an address, a list of addresses, "fail" (try again), "nxdomain" or "slow" (then fail).
    It stands below the crawler: in place of the system's getaddrinfo.
    """

    folder: Path
    names: dict[str, list[Any]]

    def environment(self) -> dict[str, str]:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "sitecustomize.py").write_text(_SITE_CUSTOMIZE)
        path = os.pathsep.join(filter(None, (str(self.folder), os.environ.get("PYTHONPATH"))))
        return {
            "PYTHONPATH": path,
            "FAULT_NAMES": json.dumps(self.names),
            "FAULT_NAMES_LOG": str(self.folder / "asked"),
        }

    def asked(self) -> list[tuple[float, str]]:
        """Every look-up: monotonic time and name."""
        with suppress(FileNotFoundError):
            lines = (self.folder / "asked").read_text().split("\n")
            return [(float(one.split()[0]), one.split()[1]) for one in lines if one]
        return []


@dataclass(frozen=True)
class Row:
    """One row of the ledger."""

    state: str
    reason: str | None
    detail: str | None
    attempts: int


@dataclass(frozen=True)
class Ended:
    """A crawl that is over, and what its archive holds."""

    code: int
    errors: str
    seconds: float
    location: Location

    def rows(self) -> dict[str, Row]:
        urls = schema.urls
        return {
            row.url: Row(row.state, row.reason, row.detail, row.attempts)
            for row in self.select(
                sa.select(urls.c.url, urls.c.state, urls.c.reason, urls.c.detail, urls.c.attempts)
            )
        }

    def articles(self) -> set[str]:
        return {row.url for row in self.select(sa.select(schema.articles.c.url))}

    def stats(self) -> dict[str, Any]:
        """Counters of the last crawl."""
        crawls = schema.crawls
        newest = sa.select(crawls.c.stats).order_by(crawls.c.id.desc()).limit(1)
        found: dict[str, Any] = self.select(newest)[0].stats or {}
        return found

    def select(self, statement: sa.Select[Any]) -> list[Any]:
        engine = read_engine(self.location)
        try:
            with engine.connect() as connection:
                return list(connection.execute(statement).all())
        finally:
            engine.dispose()


@dataclass
class Crawling:
    """Makes a profile for hosts of the fault server, and crawls it."""

    server: FaultServer
    location: Location
    folder: Path
    hosts: dict[str, str] = field(default_factory=dict)
    """Names mapped by the profile; others go to the resolver."""
    allow_private: tuple[str, ...] = ("127.0.0.0/8",)
    politeness: Mapping[str, object] = field(default_factory=dict)
    limits: Mapping[str, object] = field(default_factory=dict)
    fetch: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    sources: list[dict[str, object]] = field(default_factory=list)

    def source(self, domain: str, **named: object) -> None:
        """An outlet; seeds, hubs, feeds and sitemaps are whole URLs. Its host is mapped to loopback."""
        self.sources.append({"name": domain, "domain": domain, **named})

    def map(self, *names: str, address: str = "127.0.0.1") -> None:
        self.hosts.update(dict.fromkeys(names, address))

    def profile(self) -> Path:
        tables: list[tuple[str, Mapping[str, object]]] = [
            ("[event]", {"id": "faults", "title": "Faults"}),
            ("[politeness]", {"delay_seconds": 0, "concurrent_per_host": 8, **self.politeness}),
            ("[limits]", self.limits),
            ("[fetch]", {"allow_private": list(self.allow_private), **self.fetch}),
            ("[fetch.hosts]", self.hosts),
            *(("[[source]]", source) for source in self.sources),
        ]
        lines = ["schema = 1"]
        for name, values in tables:
            lines += [name, *(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in values.items())]
        path = self.folder / "event.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        options = [f"event={self.profile()}", f"archive={self.location.directory}", *arguments]
        if self.location.database_url:
            options.append(f"database={self.location.database_url}")
        command = [sys.executable, "-m", "scrapy", "crawl", "coverage"]
        for option in options:
            command += ["-a", option]
        for name, value in self.settings.items():
            command += ["-s", f"{name}={value}"]
        return subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONWARNINGS": "default", **self.environment},
        )  # fmt: skip

    def crawl(
        self, *arguments: str, watch: Callable[[subprocess.Popen[str]], None] | None = None
    ) -> Ended:
        """Run to the end; `watch` is called with the process ten times a second meanwhile."""
        began = time.monotonic()
        process = self.start(*arguments)
        try:
            while True:
                try:
                    _, errors = process.communicate(timeout=0.1 if watch else CRAWL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    if watch is None or time.monotonic() - began > CRAWL_SECONDS:
                        raise
                    watch(process)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return Ended(process.returncode, errors, time.monotonic() - began, self.location)


def gaps(times: list[float]) -> list[float]:
    """Seconds between one and the next."""
    ordered = sorted(times)
    return [after - before for before, after in itertools.pairwise(ordered)]

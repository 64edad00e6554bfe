"""Fixtures of the whole suite: an archive on each engine, and no network but loopback."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.storage.location import ENV_DATABASE, ENV_DIRECTORY

ENV_POSTGRES = "AIDIVIDE_TEST_POSTGRES"
"""URL of a PostgreSQL database whose role may create databases."""
LOCAL_POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
ENGINES = ("sqlite", "postgresql")


# --- rows of the fault matrix ---------------------------------------------------------------------

BLOCKERS = frozenset(
    (
        *(
            "F01",
            "F02",
            "F03",
            "F04",
            "F05",
            "F06",
            "F09",
            "F10",
            "F11",
            "F13",
            "F16",
            "F17",
            "F18",
        ),
        *("F21", "F22", "S01", "S02", "S03", "S04"),
    )
)
"""Rows without which nothing is released: P0."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults",
        metavar="ROWS",
        help="only the tests of these rows of the fault matrix: P0, or names with commas (F01,S02)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = config.getoption("--faults")
    if not asked:
        return
    rows = BLOCKERS if asked == "P0" else set(asked.split(","))
    shown = [
        item for item in items if rows & {row for m in item.iter_markers("fault") for row in m.args}
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in shown])
    items[:] = shown


# --- no network but loopback ---------------------------------------------------------------------


class NetworkForbiddenError(AssertionError):
    """A test tried to leave this machine."""


def is_loopback(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check_address(address: object) -> None:
    if isinstance(address, tuple) and not is_loopback(address[0]):
        raise NetworkForbiddenError(f"tests reach loopback only, not {address[0]}")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections and look-ups of anything but loopback fail; unix sockets work."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    look_up = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _check_address(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _check_address(address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check_address((host,))
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person set for their own archive does not reach the tests."""
    for name in (ENV_DIRECTORY, ENV_DATABASE):
        monkeypatch.delenv(name, raising=False)


# --- archives ------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def postgres_server() -> tuple[sa.URL | None, str]:
    """The server for tests; without one, None and the reason."""
    named = os.environ.get(ENV_POSTGRES)
    url = sa.make_url(named or LOCAL_POSTGRES).set(drivername="postgresql+psycopg")
    try:
        psycopg.connect(_dsn(url), connect_timeout=2).close()
    except psycopg.Error as error:
        words = " ".join(str(error).split())[:200]
        if named:
            raise pytest.UsageError(f"{ENV_POSTGRES} does not answer: {words}") from None
        return None, f"no PostgreSQL on 127.0.0.1:5432, and {ENV_POSTGRES} is not set: {words}"
    return url, ""


def _dsn(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def postgres_database() -> Iterator[str]:
    """URL of a new, empty database; it is dropped afterwards. Skips the test without a server."""
    server, why_not = postgres_server()
    if server is None:
        pytest.skip(why_not)
    name = f"aidivide_test_{os.getpid()}_{secrets.token_hex(4)}"
    with psycopg.connect(_dsn(server), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def new_location(engine: str, folder: Path) -> Iterator[Location]:
    """An archive that does not exist yet, on one engine."""
    if engine == "sqlite":
        yield Location(folder / "archive")
    else:
        with postgres_database() as url:
            yield Location(folder / "archive", url)


@pytest.fixture(params=ENGINES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    """An archive that does not exist yet: once on SQLite, once on PostgreSQL."""
    with new_location(request.param, tmp_path) as where:
        yield where


@pytest.fixture
def sqlite_location(tmp_path: Path) -> Location:
    return Location(tmp_path / "archive")


@pytest.fixture
def postgres_location(tmp_path: Path) -> Iterator[Location]:
    with new_location("postgresql", tmp_path) as where:
        yield where


@pytest.fixture(scope="module")
def postgres_for_module() -> Iterator[str]:
    """URL of a database that the tests of one module share."""
    with postgres_database() as url:
        yield url


@pytest.fixture
def archive(location: Location) -> Iterator[Archive]:
    """A new archive opened for writing, without a run."""
    with Archive(location) as opened:
        yield opened

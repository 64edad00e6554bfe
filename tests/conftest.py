"""Fixtures of the whole suite: an archive on each engine, and no network but loopback."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidivide_archive.archive import Archive, Location
from aidivide_archive.environment import VARIABLES
from tests.support import archives
from tests.support import demo_archive as demo_archives
from tests.support.demo_archive import DemoArchive

# --- where tests write ----------------------------------------------------------------------------

MEMORY = Path("/dev/shm")
# Archives of tests stand in memory. A kill leaves there what it leaves on a disk, and thousands of small databases that
# sync every commit take a third of the suite's time on one.
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > 4 << 30
):
    os.environ["TMPDIR"] = str(MEMORY)  # for the processes that tests start, too
    tempfile.tempdir = None


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


def pytest_configure(config: pytest.Config) -> None:
    """xdist would begin with the modules of many tests; those of one long crawl would come last, alone."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
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
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)


# --- archives ------------------------------------------------------------------------------------


@pytest.fixture(params=archives.ENGINES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    """A new archive without a row: once on SQLite, once on PostgreSQL."""
    with archives.new_location(request.param, tmp_path) as where:
        yield where


@pytest.fixture
def sqlite_location(tmp_path: Path) -> Iterator[Location]:
    with archives.new_location("sqlite", tmp_path) as where:
        yield where


@pytest.fixture
def postgres_location(tmp_path: Path) -> Iterator[Location]:
    with archives.new_location("postgresql", tmp_path) as where:
        yield where


@pytest.fixture(params=archives.ENGINES)
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    """A place without an archive: once on SQLite, once on PostgreSQL."""
    with archives.nowhere(request.param, tmp_path) as where:
        yield where


@pytest.fixture
def sqlite_nowhere(tmp_path: Path) -> Location:
    return Location(tmp_path / "archive")


@pytest.fixture
def postgres_nowhere(tmp_path: Path) -> Iterator[Location]:
    with archives.nowhere("postgresql", tmp_path) as where:
        yield where


@pytest.fixture(scope="session")
def demo_archive(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> DemoArchive:
    """What `aidivide demo` makes, to be read only."""
    worker = getattr(request.config, "workerinput", {"workerid": "master"})["workerid"]
    return demo_archives.demo_archive(tmp_path_factory, worker)


@pytest.fixture
def archive(location: Location) -> Iterator[Archive]:
    """A new archive opened for writing, without a run."""
    with Archive(location) as opened:
        yield opened

"""The fault server itself: a fault that is not sent would let every other test pass."""

import gzip
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.support import fault_pages as pages
from tests.support.fault_crawl import Canary
from tests.support.faultd import SCENARIOS, FaultServer
from tests.support.places import ROOT


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def raw(server: FaultServer, path: str, host: str = "x.example") -> bytes:
    """Everything the server sends for one request, until it ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
                if len(received) > 2_000_000:
                    break
        except (ConnectionResetError, TimeoutError):
            return received + b"RESET"
        return received


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def get(server: FaultServer, path: str, host: str = "x.example") -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    with closing(connection):
        connection.request("GET", path, headers={"Host": host})
        with connection.getresponse() as response:
            return Answer(response.status, dict(response.headers), response.read())


def test_a_good_page_is_whole_in_every_encoding(server: FaultServer):
    assert get(server, "/f/whole?seed=3").body == pages.article(3)
    answer = get(server, "/f/whole?seed=3&codec=gzip")
    assert gzip.decompress(answer.body) == pages.article(3)


@pytest.mark.parametrize(
    "path",
    ["/f/long_length", "/f/cut_chunk", "/f/no_last_chunk", "/f/bad_chunk", "/f/reset"],
)
def test_a_broken_body_is_broken_for_another_client_too(server: FaultServer, path: str):
    with pytest.raises((http.client.HTTPException, ConnectionResetError, ValueError)):
        get(server, path)


def test_a_cut_gzip_body_has_a_right_length_and_no_end(server: FaultServer):
    body = get(server, "/f/cut_codec?codec=gzip").body
    with pytest.raises(EOFError):
        gzip.decompress(body)


def test_counters_make_a_scenario_fail_and_then_succeed(server: FaultServer):
    path = "/f/status?code=503&fails=2&after=7"
    answers = [get(server, path) for _ in range(3)]
    assert [one.status for one in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_the_log_has_host_path_and_time_of_every_request(server: FaultServer):
    before = time.monotonic()
    get(server, "/f/whole?seed=9", host="logged.example:80")
    (asked,) = server.asked("logged.example")
    assert (asked.path, asked.address) == ("/f/whole?seed=9", "127.0.0.1")
    assert before <= asked.at <= time.monotonic()


def test_a_bomb_is_small_and_swells_a_thousand_times(server: FaultServer):
    for codec in pages.CODECS:
        packed = pages.bomb(codec, 20)
        assert len(packed) < 2**21 * 20 / 200, codec
    assert len(gzip.decompress(pages.bomb("gzip", 20))) > 20 * 2**20


def test_a_header_flood_is_a_flood(server: FaultServer):
    assert raw(server, "/f/header_flood?n=5000").count(b"\r\nX-") == 5000


def test_every_shape_of_poison_and_every_scenario_makes_bytes():
    assert all(len(pages.poison(shape, 50)) > 300 for shape in pages.POISON_SHAPES)
    assert len(SCENARIOS) >= 30


def test_it_answers_on_several_addresses(server: FaultServer):
    with socket.create_connection(("127.0.0.2", server.port), timeout=5) as connection:
        connection.sendall(b"GET /f/whole HTTP/1.1\r\nHost: second.example\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert server.asked("second.example")[0].address == "127.0.0.2"


def test_a_canary_notices_a_bare_connection():
    with Canary() as canary:
        socket.create_connection(("127.0.0.1", canary.port), timeout=5).close()
        end = time.monotonic() + 5
        while not canary.touched and time.monotonic() < end:
            time.sleep(0.01)
        assert canary.touched == [""]


def test_a_server_without_a_parent_ends():
    root = ROOT
    command = f"{sys.executable} -m tests.support.faultd; true"
    with subprocess.Popen(["sh", "-c", command], cwd=root, stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        assert int(shell.stdout.readline()) > 0
        shell.kill()
        assert shell.stdout.read() == b""  # the pipe ends when the server has ended too

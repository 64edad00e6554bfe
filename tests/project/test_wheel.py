"""The wheel is the whole product: what a person installs crawls, shows the demo and reports, far from any checkout."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.places import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("hatchling") is None, reason="hatchling builds the wheel"
    ),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (path,) = folder.glob("*.whl")
    return path


@dataclass(frozen=True)
class Installation:
    """An environment with the wheel of ours; other packages are those of the running one."""

    python: Path
    home: Path

    def run(self, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
        }
        return subprocess.run(
            [str(self.python), *arguments], cwd=folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
        )  # fmt: skip

    def aidivide(self, *arguments: str, folder: Path) -> str:
        """What the command prints. It must succeed, and write no traceback."""
        done = self.run("-m", "aidivide_archive", *arguments, folder=folder)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    borrowed = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    (folder / "home").mkdir()
    return Installation(folder / "venv" / "bin" / "python", folder / "home")


# --- what is in it -------------------------------------------------------------------------------


def test_the_crawler_lies_inside_the_library(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"aidivide_archive"}
    expected = {
        f"aidivide_archive/{path.relative_to(ROOT)}" for path in (ROOT / "crawler").rglob("*.py")
    }
    assert len(expected) > 15
    shipped = {name for name in names if name.startswith("aidivide_archive/crawler/")}
    assert shipped == expected


def test_the_installation_knows_no_checkout(installed: Installation, tmp_path: Path):
    code = (
        "import json, sys, aidivide_archive, importlib.util as u\n"
        "print(json.dumps([aidivide_archive.__file__, u.find_spec('crawler') is None, sys.path]))"
    )
    done = installed.run("-c", code, folder=tmp_path)
    file, has_no_crawler, search_path = json.loads(done.stdout)
    assert Path(file).is_relative_to(installed.python.parents[1])
    assert has_no_crawler
    assert not {str(ROOT), str(ROOT / "src")} & set(search_path)


# --- what it does --------------------------------------------------------------------------------


def test_it_says_its_version(installed: Installation, tmp_path: Path):
    assert "aidivide-archive" in installed.aidivide("--version", folder=tmp_path)


def test_the_demo_and_its_report(installed: Installation, tmp_path: Path):
    shown = installed.aidivide("demo", folder=tmp_path)
    assert "Try next:" in shown
    installed.aidivide("report", "--archive", "demo-archive", "-o", "report.html", folder=tmp_path)
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_new_event_is_ready_to_be_filled_in(installed: Installation, tmp_path: Path):
    installed.aidivide("event", "new", "harbour-strike", folder=tmp_path)
    (profile,) = tmp_path.glob("*.toml")
    installed.aidivide("event", "check", profile.name, folder=tmp_path)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_page = self.path.startswith("/news/")
        number = self.path.rpartition("/")[2]
        sentences = " ".join(
            f"Ferry {number} carried crate {n} to the far pier." for n in range(60)
        )
        body = (
            f"<!DOCTYPE html><html lang='en'><head><title>Ferry {number}</title></head><body><article>"
            f"<h1>Ferry {number}</h1><p>{sentences}</p></article></body></html>"
        ).encode()
        self.send_response(200 if is_page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"ferries.example:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_crawl_beside_modules_that_are_none_of_ours(
    installed: Installation, site: str, tmp_path: Path
):
    """A stranger's Scrapy project, and a module that bears the name of one of ours."""
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = other.settings\n")
    (tmp_path / "crawler.py").write_text("raise SystemExit('a stranger was imported')\n")
    (tmp_path / "scrapy.py").write_text("raise SystemExit('a stranger was imported')\n")
    (tmp_path / "ferries.toml").write_text(f"""
schema = 1
[event]
id = "ferries"
title = "Ferries"
[politeness]
delay_seconds = 0
[fetch]
allow_private = ["127.0.0.0/8"]
[fetch.hosts]
"ferries.example" = "127.0.0.1"
[[source]]
name = "Ferries"
domain = "ferries.example"
seeds = ["http://{site}/news/1", "http://{site}/news/2"]
""")
    done = installed.run(
        "-P", "-m", "aidivide_archive", "crawl", "--event", "ferries.toml", "--archive", "harbour",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 articles kept" in done.stderr
    assert "--archive harbour" in done.stderr
    listed = installed.run(
        "-P", "-m", "aidivide_archive", "status", "--archive", "harbour", "--json", folder=tmp_path
    )
    assert json.loads(listed.stdout)["items"][0]["articles"] == 2

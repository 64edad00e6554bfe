"""`aidivide crawl`: the crawler of the checkout, started as a child that shares the terminal."""

from __future__ import annotations

import configparser
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from aidivide_archive.cli.framework import State, command, pass_state
from aidivide_archive.exceptions import ConfigError

DEFAULT_EVENT = "ai-divide-forum-2025"
"""As in `crawler.spiders.base`, which is not importable from here."""
SETTINGS = "crawler.settings"


@command(
    "crawl",
    example="aidivide crawl --event ai-divide-forum-2025 --archive archive",
    exits=(0, 1, 2, 3, 130),
)
@click.option(
    "--event",
    metavar="NAME_OR_FILE",
    default=DEFAULT_EVENT,
    show_default=True,
    help="Built-in event or profile file.",
)
@click.option(
    "--revisit",
    type=click.Choice(("none", "all")),
    default="none",
    show_default=True,
    help="Fetch archived pages again.",
)
@click.option("--wait", is_flag=True, help="Wait while another process is writing.")
@click.argument("scrapy", nargs=-1, metavar="[-- SCRAPY OPTIONS]")
@pass_state
def crawl(state: State, event: str, revisit: str, wait: bool, scrapy: Sequence[str]) -> None:
    """Crawl an event's coverage, as `scrapy crawl coverage` does."""
    project = find_project(Path.cwd())
    location = state.location()
    arguments = {
        "event": _absolute_file(event),
        "archive": str(location.directory.absolute()),
        "revisit": revisit,
        "wait": "1" if wait else "",
    }
    environment = dict(os.environ)
    if (
        location.database_url
    ):  # not as an argument: it may hold a password, and arguments are public
        environment["AIDIVIDE_DATABASE_URL"] = location.database_url
    code = run_child(command_line(arguments, scrapy), project, environment)
    raise click.exceptions.Exit(code)


def find_project(start: Path) -> Path:
    """The folder of our `scrapy.cfg`: from `start` upwards, else beside the package. Raises ConfigError."""
    package = Path(__file__).resolve().parents[1]
    for folder in (start, *start.parents, *_checkout_of(package)):
        if _is_ours(folder / "scrapy.cfg"):
            return folder
    raise ConfigError(
        "crawling needs the checkout of aidivide-archive (its scrapy.cfg): change into it and repeat; "
        "import, search and export work anywhere"
    )


def _checkout_of(package: Path) -> Iterator[Path]:
    """The top of the checkout that an editable installation lies in (src/aidivide_archive)."""
    if package.parent.name == "src":
        yield package.parents[1]


def _is_ours(path: Path) -> bool:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return False
    return parser.get("settings", "default", fallback=None) == SETTINGS


def _absolute_file(event: str) -> str:
    """The child runs in the project's folder: a file keeps its place."""
    path = Path(event)
    return str(path.absolute()) if path.is_file() else event


def command_line(arguments: Mapping[str, str], more: Sequence[str]) -> list[str]:
    given = [
        part for name, value in arguments.items() if value for part in ("-a", f"{name}={value}")
    ]
    return [sys.executable, "-m", "scrapy", "crawl", "coverage", *given, *more]


def run_child(line: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run to the end and return the exit code. Ctrl-C reaches the child by the terminal; it stops cleanly."""
    # PWD: the child runs in the project's folder, and names paths as they are seen from here
    told = {**environment, "PWD": str(Path.cwd())}
    with subprocess.Popen(line, cwd=folder, env=told) as child:  # noqa: S603  # our own command line

        def forward(number: int, _frame: object) -> None:
            child.send_signal(number)

        former = {
            signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
            signal.SIGTERM: signal.signal(signal.SIGTERM, forward),
        }
        try:
            code = child.wait()
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
    if code == -signal.SIGINT:
        return 130
    return code if code >= 0 else 1

"""`aidivide crawl`: the crawler, started as a child process that shares the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click

from aidivide_archive.cli.framework import State, command, pass_state
from aidivide_archive.environment import DATABASE_URL, DEFAULT_EVENT
from aidivide_archive.exceptions import ConfigError

INSTALLED_CRAWLER = "aidivide_archive.crawler"
"""The folder `crawler` of the checkout, inside an installed library (pyproject.toml)."""


@command(
    "crawl",
    place=20,
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
    location = state.location()
    arguments = {
        "event": _absolute_file(event),
        "archive": str(location.directory.absolute()),
        "revisit": revisit,
        "wait": "1" if wait else "",
    }
    code = run_crawler(arguments, scrapy, database_url=location.database_url)
    raise click.exceptions.Exit(code)


@dataclass(frozen=True, slots=True)
class ScrapyProject:
    """The crawler that belongs to this library, as Scrapy is to find it."""

    settings: str
    """Full name of the module of its settings."""
    folder: Path | None
    """The checkout on whose path that module lies; None: it is installed with the library."""


def find_project() -> ScrapyProject:
    """The crawler inside the installed library, else that of the checkout the library lies in. Raises ConfigError."""
    if find_spec(INSTALLED_CRAWLER) is not None:
        return ScrapyProject(f"{INSTALLED_CRAWLER}.settings", None)
    package = Path(__file__).resolve().parents[1]
    checkout = package.parents[1]
    if package.parent.name == "src" and (checkout / "crawler" / "settings.py").is_file():
        return ScrapyProject("crawler.settings", checkout)
    raise ConfigError(
        f"the crawler is missing beside {package}: install aidivide-archive again, or use its checkout; "
        "import, search and export work without it"
    )


def _absolute_file(event: str) -> str:
    """The child may run in another folder: a file keeps its place."""
    path = Path(event)
    return str(path.absolute()) if path.is_file() else event


def run_crawler(
    arguments: Mapping[str, str], more: Sequence[str] = (), *, database_url: str | None
) -> int:
    """Run `scrapy crawl coverage` to its end and return its exit code. Raises ConfigError.

    `arguments`: of the spider; empty ones are left out. `more`: options of Scrapy's own.
    """
    project = find_project()
    environment = {"SCRAPY_SETTINGS_MODULE": project.settings, **os.environ}
    if database_url:  # not as an argument: it may hold a password, and arguments are public
        environment[DATABASE_URL.name] = database_url
    line = command_line(project, arguments, more)
    return run_child(line, project.folder or Path.cwd(), environment)


def command_line(
    project: ScrapyProject, arguments: Mapping[str, str], more: Sequence[str]
) -> list[str]:
    given = [
        part for name, value in arguments.items() if value for part in ("-a", f"{name}={value}")
    ]
    # an installation runs where the user stands: modules that lie there are none of ours (-P)
    path = ["-P"] if project.folder is None else []
    return [sys.executable, *path, "-m", "scrapy", "crawl", "coverage", *given, *more]


def run_child(line: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run to the end and return the exit code. Ctrl-C reaches the child by the terminal; it stops cleanly."""
    # PWD: the child may run in the project's folder, and names paths as they are seen from here
    environment = {**environment, "PWD": str(Path.cwd())}
    with subprocess.Popen(line, cwd=folder, env=environment) as child:  # noqa: S603  # our own command line

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

"""`aidivide doctor`: what is in effect, where it comes from, and what is not well."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state
from aidivide_archive.cli.terminal import note, say_json, say_table
from aidivide_archive.exceptions import ArchiveError, MissingArchiveError

if TYPE_CHECKING:
    from aidivide_archive.archive.storage.location import Location

PACKAGES = (
    "aidivide-archive",
    "scrapy",
    "trafilatura",
    "datasketch",
    "sqlalchemy",
    "lxml",
    "fastwarc",
    "psycopg",
)
LEAST_FREE_BYTES = 1 << 30
"""Under 1 GiB a crawl is likely to fill the disk (faults: DiskSpaceMonitor)."""
SQLITE_GOOD = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""First releases of their series without the race that may lose the end of a WAL (sqlite.org, 3.51.3)."""
OK, ADVICE, BAD = "ok", "advice", "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the check-up."""

    topic: str
    value: str
    source: str = ""
    """Where the value comes from: option, environment, event profile, default; empty: it is a fact."""
    verdict: str = OK
    """"ok", "advice" or "bad"; only the last makes the command fail."""
    advice: str = ""


@command("doctor", example="aidivide doctor --integrity")
@click.option("--integrity", is_flag=True, help="Check the whole archive; takes longer.")
@click.option("--event", metavar="NAME_OR_FILE", help="Show the values of this profile as well.")
@json_option
@pass_state
def doctor(state: State, integrity: bool, event: str | None, as_json: bool) -> None:
    """Print what is in effect and where it came from."""
    location = state.location()
    checks = [*_settings(location), *_versions(), *_disk(location), *_archive(location)]
    if event is not None:
        checks += _profile(event)
    if integrity:
        checks += _integrity(location)
    if as_json:
        say_json(asdict(one) for one in checks)
    else:
        columns = ("", "what", "value", "from", "advice")
        marks = {OK: "", ADVICE: "?", BAD: "!"}
        say_table(
            columns, [(marks[c.verdict], c.topic, c.value, c.source, c.advice) for c in checks]
        )
    bad = [one for one in checks if one.verdict == BAD]
    if bad:
        raise ArchiveError(f"{len(bad)} of {len(checks)} checks failed: {bad[0].topic}")
    note("all is well" if all(one.verdict == OK for one in checks) else "no failure, some advice")


def _settings(location: Location) -> Iterator[Check]:
    import sqlalchemy as sa

    from aidivide_archive.cli.crawling import DEFAULT_EVENT

    yield Check("archive", str(location.directory.absolute()), location.directory_source)
    if location.database_url is None:
        yield Check("database", f"SQLite, {location.database_path}", location.database_source)
    else:
        shown = sa.make_url(location.database_url).render_as_string(hide_password=True)
        yield Check("database", shown, location.database_source)
    yield Check("event", DEFAULT_EVENT, "default")
    for name in ("NO_COLOR", "SCRAPY_SETTINGS_MODULE"):
        if value := os.environ.get(name):
            yield Check(name, value, "environment")


def _versions() -> Iterator[Check]:
    import sqlite3

    yield Check("python", f"{platform.python_version()} on {sys.platform}")
    for name in PACKAGES:
        try:
            yield Check(name, version(name))
        except PackageNotFoundError:
            optional = name == "psycopg"
            yield Check(
                name,
                "not installed",
                verdict=OK if optional else BAD,
                advice="only for PostgreSQL" if optional else "install aidivide-archive again",
            )
    good = sqlite_is_good(sqlite3.sqlite_version_info)
    advice = (
        "" if good else "has a rare WAL race when several programs write; let only aidivide write"
    )
    yield Check("sqlite", sqlite3.sqlite_version, verdict=OK if good else ADVICE, advice=advice)


def sqlite_is_good(found: tuple[int, ...]) -> bool:
    """Whether this SQLite has the fix, in its own series or as a later one."""
    return found >= SQLITE_GOOD[-1] or any(
        found[:2] == first[:2] and found >= first for first in SQLITE_GOOD
    )


def _disk(location: Location) -> Iterator[Check]:
    folder = _existing(location.directory.absolute())
    free = shutil.disk_usage(folder).free
    little = free < LEAST_FREE_BYTES
    yield Check(
        "free disk",
        f"{free / 1e9:.1f} GB",
        verdict=ADVICE if little else OK,
        advice="make room before a crawl" if little else "",
    )
    if not os.access(folder, os.W_OK):
        yield Check("directory", str(folder), verdict=ADVICE, advice="not writable: reading only")


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.exists())


def _archive(location: Location) -> Iterator[Check]:
    from aidivide_archive.archive.storage import versions

    try:
        revision = versions.check(location)
    except MissingArchiveError as error:
        yield Check("schema", "no archive yet", verdict=ADVICE, advice=str(error))
    except ArchiveError as error:
        yield Check("schema", "not readable", verdict=BAD, advice=str(error))
    else:
        yield Check("schema", f"{revision}, current")


def _profile(name: str) -> Iterator[Check]:
    """Every value of the profile's tables; Raises ConfigError."""
    from aidivide_archive.config import load_profile

    profile = load_profile(name)
    for table in ("event", "window", "relevance", "politeness", "limits", "fetch", "rights"):
        section = getattr(profile, table)
        for field in type(section).model_fields:
            source = "event profile" if field in section.model_fields_set else "default"
            value = getattr(section, field)
            nobody = (table, field, value) == ("politeness", "contact", None)
            advice = "say in the profile how site owners can reach you" if nobody else ""
            verdict = ADVICE if nobody else OK
            yield Check(f"[{table}] {field}", str(value), source, verdict=verdict, advice=advice)


def _integrity(location: Location) -> Iterator[Check]:
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.archive.upkeep.integrity import integrity

    try:
        with Reader(location) as reader:
            found = integrity(reader)
    except MissingArchiveError:
        return
    for one in found:
        yield Check(f"integrity: {one.check}", one.subject, verdict=BAD, advice=one.detail)
    if not found:
        yield Check("integrity", "sound")

"""The check-up: what is in effect, where each value comes from, and what deserves attention. Changes nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import disk_usage

from aidivide_archive import environment
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage import versions
from aidivide_archive.archive.storage.location import Location, Place
from aidivide_archive.archive.storage.space import shortage
from aidivide_archive.archive.upkeep.integrity import integrity as damages_of
from aidivide_archive.config import load_profile
from aidivide_archive.environment import DEFAULT_EVENT, ByteVariable, Variable
from aidivide_archive.exceptions import ArchiveError, ConfigError, MissingArchiveError

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
FOREIGN_VARIABLES = ("NO_COLOR", "SCRAPY_SETTINGS_MODULE")
"""Variables of others that change what our programs do; listed when they are set."""
SQLITE_GOOD = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""First releases of their series without the race that may lose the end of a WAL (sqlite.org, 3.51.3)."""
_PROFILE_TABLES = ("event", "window", "relevance", "politeness", "limits", "fetch", "rights")


class Severity(StrEnum):
    """What a check came to. Only `BAD` is a failure."""

    OK = "ok"
    ADVICE = "advice"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the check-up."""

    topic: str
    value: str
    source: str = ""
    """Where the value comes from: option, environment, event profile, default; empty: it is a fact."""
    variable: str = ""
    """The environment variable that would set it; empty: none does."""
    verdict: Severity = Severity.OK
    advice: str = ""


def checkup(
    archive: Place | None = None, *, event: str | None = None, integrity: bool = False
) -> tuple[Check, ...]:
    """Every check; without an archive those that need none.

    `event`: the values of this profile as well. `integrity`: look for damages in the rows and files of the whole
    archive. Raises ConfigError for an unknown or invalid event.
    """
    location = Location.at(archive)
    checks = [
        *_settings(location),
        *_versions(uses_sqlite=location.is_sqlite),
        *_disk(location),
        *_archive(location),
    ]
    if event is not None:
        checks += _profile(event)
    if integrity:
        checks += _integrity(location)
    return tuple(checks)


# --- settings ------------------------------------------------------------------------------------


def _settings(location: Location) -> Iterator[Check]:
    yield Check(
        topic=environment.ARCHIVE.topic,
        value=str(location.directory.absolute()),
        source=location.directory_source,
        variable=environment.ARCHIVE.name,
    )
    yield Check(
        topic=environment.DATABASE_URL.topic,
        value=location.shown_database() or f"SQLite, {location.database_path}",
        source=location.database_source,
        variable=environment.DATABASE_URL.name,
    )
    yield Check(topic="event", value=DEFAULT_EVENT, source="default")
    for variable in environment.VARIABLES:
        if variable not in (environment.ARCHIVE, environment.DATABASE_URL):
            yield _variable(variable)
    for name in FOREIGN_VARIABLES:
        if value := os.environ.get(name):
            yield Check(topic=name, value=value, source="environment", variable=name)


def _variable(variable: Variable) -> Check:
    value, verdict, advice = variable.text or variable.default, Severity.OK, ""
    try:
        if isinstance(variable, ByteVariable):
            value = f"{variable.in_effect} bytes"
    except ConfigError as error:
        verdict, advice = Severity.BAD, str(error)
    return Check(
        topic=variable.topic,
        value=value,
        source="default" if variable.text is None else "environment",
        variable=variable.name,
        verdict=verdict,
        advice=advice,
    )


# --- versions ------------------------------------------------------------------------------------


def _versions(*, uses_sqlite: bool) -> Iterator[Check]:
    yield Check(topic="python", value=f"{platform.python_version()} on {sys.platform}")
    yield from map(_package, PACKAGES)
    yield sqlite_check(sqlite3.sqlite_version_info, uses_sqlite=uses_sqlite)


def _package(name: str) -> Check:
    try:
        return Check(topic=name, value=version(name))
    except PackageNotFoundError:
        is_optional = name == "psycopg"
        return Check(
            topic=name,
            value="not installed",
            verdict=Severity.OK if is_optional else Severity.BAD,
            advice="only for PostgreSQL" if is_optional else "install aidivide-archive again",
        )


def sqlite_check(release: tuple[int, ...], *, uses_sqlite: bool) -> Check:
    """Advice about a release with the WAL race, when the archive's rows are in SQLite."""
    shown = ".".join(map(str, release))
    if not uses_sqlite or sqlite_is_good(release):
        return Check(topic="sqlite", value=shown)
    advice = "has a rare WAL race when several programs write; let only aidivide write"
    return Check(topic="sqlite", value=shown, verdict=Severity.ADVICE, advice=advice)


def sqlite_is_good(release: tuple[int, ...]) -> bool:
    """Whether a release of SQLite has the fix, in its own series or as a later one."""
    return release >= SQLITE_GOOD[-1] or any(
        release[:2] == first[:2] and release >= first for first in SQLITE_GOOD
    )


# --- the disk and the archive --------------------------------------------------------------------


def _disk(location: Location) -> Iterator[Check]:
    folder = _existing(location.directory.absolute())
    try:
        floor = environment.MIN_FREE_BYTES.in_effect
    except ConfigError:  # has a line of its own
        floor = environment.MIN_FREE_BYTES.default_bytes
    is_short = shortage(folder, floor) is not None
    yield Check(
        topic="free disk",
        value=f"{disk_usage(folder).free / 1e9:.1f} GB",
        verdict=Severity.ADVICE if is_short else Severity.OK,
        advice="make room before a crawl" if is_short else "",
    )
    if not os.access(folder, os.W_OK):
        advice = "not writable: reading only"
        yield Check(topic="directory", value=str(folder), verdict=Severity.ADVICE, advice=advice)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _archive(location: Location) -> Iterator[Check]:
    try:
        revision = versions.check(location)
    except MissingArchiveError as error:
        yield Check(
            topic="schema", value="no archive yet", verdict=Severity.ADVICE, advice=str(error)
        )
    except ArchiveError as error:
        yield Check(topic="schema", value="not readable", verdict=Severity.BAD, advice=str(error))
    else:
        yield Check(topic="schema", value=f"{revision}, current")


def _integrity(location: Location) -> Iterator[Check]:
    try:
        with Reader(location) as reader:
            damages = damages_of(reader)
    except MissingArchiveError:
        return
    for damage in damages:
        yield Check(
            topic=f"integrity: {damage.check}",
            value=damage.subject,
            verdict=Severity.BAD,
            advice=damage.detail,
        )
    if not damages:
        yield Check(topic="integrity", value="sound")


# --- the profile ---------------------------------------------------------------------------------


def _profile(name: str) -> Iterator[Check]:
    """Every value of the profile's tables. Raises ConfigError."""
    profile = load_profile(name)
    for table in _PROFILE_TABLES:
        section = getattr(profile, table)
        for field in type(section).model_fields:
            value = getattr(section, field)
            nobody = (table, field, value) == ("politeness", "contact", None)
            yield Check(
                topic=f"[{table}] {field}",
                value=str(value),
                source="event profile" if field in section.model_fields_set else "default",
                verdict=Severity.ADVICE if nobody else Severity.OK,
                advice="say in the profile how site owners can reach you" if nobody else "",
            )

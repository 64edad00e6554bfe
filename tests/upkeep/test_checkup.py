"""What the check-up says: values as they are in effect, their sources, and what deserves attention."""

from __future__ import annotations

from pathlib import Path
from shutil import disk_usage

import pytest

from aidivide_archive import environment
from aidivide_archive.archive import Archive, Location
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.upkeep.checkup import Check, Severity, checkup, sqlite_check


def checks(archive: Location | str | Path) -> dict[str, Check]:
    """By topic; each topic once."""
    listed = checkup(archive)
    by_topic = {check.topic: check for check in listed}
    assert len(by_topic) == len(listed)
    return by_topic


def test_every_variable_is_listed_with_its_default(tmp_path: Path):
    listed = {check.variable: check for check in checkup(tmp_path)}
    for variable in environment.VARIABLES:
        assert listed[variable.name].topic == variable.topic
    assert listed["AIDIVIDE_MIN_FREE_BYTES"].value == "1073741824 bytes"
    assert listed["AIDIVIDE_WAL_ALARM_BYTES"].value == "268435456 bytes"
    sources = {listed[variable.name].source for variable in environment.VARIABLES[1:]}
    assert sources == {"default"}


def test_values_of_the_environment_are_the_ones_in_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AIDIVIDE_ARCHIVE", str(tmp_path / "named"))
    monkeypatch.setenv("AIDIVIDE_MIN_FREE_BYTES", "12345")
    listed = {check.topic: check for check in checkup()}
    assert listed["archive"].value == str(tmp_path / "named")
    assert listed["archive"].source == "environment"
    assert listed["least free disk"].value == "12345 bytes"
    assert listed["least free disk"].source == "environment"


@pytest.mark.parametrize(("above", "verdict"), [(-(1 << 30), "ok"), (1 << 30, "advice")])
def test_the_disk_is_judged_by_the_floor_that_the_crawl_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, above: int, verdict: str
):
    monkeypatch.setenv("AIDIVIDE_MIN_FREE_BYTES", str(disk_usage(tmp_path).free + above))
    assert checks(tmp_path)["free disk"].verdict == verdict
    with Archive(tmp_path / "archive") as archive:
        assert (archive.shortage() is None) == (verdict == "ok")


def test_without_a_floor_any_disk_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AIDIVIDE_MIN_FREE_BYTES", "0")
    assert checks(tmp_path)["free disk"].verdict is Severity.OK


def test_a_variable_that_means_nothing_is_a_failure_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AIDIVIDE_WAL_ALARM_BYTES", "plenty")
    check = checks(tmp_path)["longest log"]
    assert (check.verdict, check.value) == (Severity.BAD, "plenty")
    assert "AIDIVIDE_WAL_ALARM_BYTES" in check.advice
    with pytest.raises(ConfigError, match="AIDIVIDE_WAL_ALARM_BYTES"):
        Archive(tmp_path / "archive")


@pytest.mark.parametrize(
    ("release", "is_good"),
    [
        ((3, 40, 1), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
    ],
)
def test_an_old_sqlite_matters_only_where_it_holds_the_rows(
    release: tuple[int, ...], is_good: bool
):
    verdict = Severity.OK if is_good else Severity.ADVICE
    assert sqlite_check(release, uses_sqlite=True).verdict is verdict
    assert sqlite_check(release, uses_sqlite=False).verdict is Severity.OK
    assert sqlite_check(release, uses_sqlite=False).advice == ""


def test_an_archive_on_postgresql_is_not_warned_of_sqlite(
    location: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 40, 1))
    Archive(location).close()
    wanted = Severity.ADVICE if location.is_sqlite else Severity.OK
    assert checks(location)["sqlite"].verdict is wanted


def test_a_password_is_never_shown(tmp_path: Path):
    location = Location(tmp_path, "postgresql+psycopg://me:s3cret@127.0.0.1:1/none")
    assert "s3cret" not in repr(checkup(location))
    assert "me:***@" in checks(location)["database"].value

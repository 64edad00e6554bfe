"""The locks and pyproject.toml say the same: every package that is asked for, within its bounds, and no other."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.places import ROOT

EXTRAS = ("postgres", "parquet", "xlsx")
GROUPS = {"requirements.lock": "dev", "requirements-lowest.lock": "test"}
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)((?:(?! \\$).)*)(?: \\)?$", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def group(name: str) -> list[Requirement]:
    found = []
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, dict):
            found += group(entry["include-group"])
        else:
            found.append(Requirement(entry))
    return found


def asked_for(lock: str) -> list[Requirement]:
    optional = PROJECT["project"]["optional-dependencies"]
    lines = chain(PROJECT["project"]["dependencies"], *(optional[extra] for extra in EXTRAS))
    return [*map(Requirement, lines), *group(GROUPS[lock])]


@dataclass(frozen=True)
class Pin:
    version: Version
    is_direct: bool
    """Whether pyproject.toml asks for it, by the lock's own note."""


def pins(text: str) -> dict[str, list[Pin]]:
    """By name; several where the version depends on Python's."""
    found: dict[str, list[Pin]] = {}
    places = [*PIN.finditer(text)]
    for place, after in zip(places, [*places[1:], None], strict=True):
        note = text[place.end() : after.start() if after else len(text)]
        pin = Pin(Version(place[2]), "(pyproject.toml" in note)
        found.setdefault(canonicalize_name(place[1]), []).append(pin)
    return found


def drifts(locked: dict[str, list[Pin]], asked: list[Requirement]) -> list[str]:
    """What is missing from the lock, out of bounds in it, or in it for nobody."""
    names = {canonicalize_name(requirement.name) for requirement in asked}
    missing = [f"{name} is missing" for name in sorted(names - locked.keys())]
    outside = [
        f"{requirement} is locked at {pin.version}"
        for requirement in asked
        for pin in locked.get(canonicalize_name(requirement.name), [])
        if not requirement.specifier.contains(pin.version, prereleases=True)
    ]
    left = sorted(
        name for name, all_pins in locked.items() if all_pins[0].is_direct and name not in names
    )
    return missing + outside + [f"{name} is no longer asked for" for name in left]


@pytest.mark.parametrize("lock", GROUPS)
def test_a_lock_has_what_is_asked_for_and_nothing_else(lock: str) -> None:
    locked = pins((ROOT / lock).read_text("utf-8"))
    assert len(locked) > 80
    assert drifts(locked, asked_for(lock)) == [], "run: make lock"


@pytest.mark.parametrize("lock", GROUPS)
def test_a_lock_names_no_index_and_every_file_by_its_hash(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    for place in PIN.finditer(text):
        assert text[place.end() :].lstrip().startswith("--hash=sha256:"), place[1]


def test_the_lowest_versions_are_the_lower_bounds() -> None:
    """A bound that another package raises is not the one that is tried: it belongs into pyproject.toml as well."""
    locked = pins((ROOT / "requirements-lowest.lock").read_text("utf-8"))
    raised = []
    for requirement in asked_for("requirements-lowest.lock"):
        (bound,) = [one.version for one in requirement.specifier if one.operator == ">="]
        lowest = min(pin.version for pin in locked[canonicalize_name(requirement.name)])
        if (
            Version(bound).release[: len(Version(bound).release)]
            != lowest.release[: len(Version(bound).release)]
        ):
            raised.append(f"{requirement}: {lowest}")
    assert raised == []


def test_a_drift_is_noticed() -> None:
    text = (
        "click==8.5.0 \\\n    --hash=sha256:00\n    # via aidivide-archive (pyproject.toml)\n"
        "old==1.0 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
        "    # via\n    #   aidivide-archive (pyproject.toml:dev)\n"
        "colour==2 \\\n    --hash=sha256:00\n    # via click\n"
    )
    asked = [Requirement("click>=8.6"), Requirement("Rich>=14")]
    assert drifts(pins(text), asked) == [
        "rich is missing",
        "click>=8.6 is locked at 8.5.0",
        "old is no longer asked for",
    ]

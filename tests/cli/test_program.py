"""A command is its module: the program finds it there, and shows it at the place it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from aidivide_archive import cli as package
from aidivide_archive.cli import program

PROBE = '''
from aidivide_archive.cli.framework import command

@command("probe", place=15, example="aidivide probe")
def probe() -> None:
    """Say nothing."""

@command("part", example="aidivide probe part")
def part() -> None:
    """Belong to a group."""
'''


def test_no_two_commands_have_one_place():
    places = [place for place, _ in program._declared()]
    assert len(places) == len(set(places)) == len(program.cli.commands)


def test_a_module_is_all_that_a_command_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "probe_of_a_test.py").write_text(PROBE, "utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    before = {command.name for _, command in program._declared()} - {"probe"}
    names = [command.name for _, command in sorted(program._declared(), key=lambda one: one[0])]
    assert before == set(program.cli.commands)
    assert names[:3] == ["demo", "probe", "crawl"]
    assert "part" not in names

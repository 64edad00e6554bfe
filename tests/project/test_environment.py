"""Every AIDIVIDE_* variable is declared once, read through its declaration, and in the documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aidivide_archive.environment import VARIABLES, ByteVariable
from tests.support.places import ROOT

NAME = re.compile(r"(?<![A-Za-z0-9_])AIDIVIDE_[A-Z_]*[A-Z]")
DECLARED = {variable.name for variable in VARIABLES}
OF_TESTS = {
    "AIDIVIDE_FIGURES",  # where the soak writes its figures
    "AIDIVIDE_FUZZ_EXAMPLES",
    "AIDIVIDE_PROBE_REPORT",  # where the probe of a benchmark writes
    "AIDIVIDE_TEST_POSTGRES",
}
"""Variables of tests and benchmarks; no part of the program."""
PROGRAM = ("src", "crawler", "migrations", "docs", "README.md", "pyproject.toml", ".ci")
AROUND = ("tests", "benchmarks", "Makefile", "CONTRIBUTING.md")


def files(*names: str) -> Iterator[Path]:
    for name in names:
        path = ROOT / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.suffix in {".py", ".md", ".toml", ".j2", ".ipynb", ""} and file.is_file():
                yield file


def settings() -> set[str]:
    """Scrapy settings of our own: those of the crawler, and the options of the add-on."""
    options = (ROOT / "src" / "aidivide_archive" / "scrapy" / "options.py").read_text("utf-8")
    return {
        *(
            name
            for file in files("crawler")
            for name in re.findall(r"^(AIDIVIDE_\w+) =", file.read_text("utf-8"), re.MULTILINE)
        ),
        *re.findall(r'^[A-Z_]+ = "(AIDIVIDE_\w+)"', options, re.MULTILINE),
    }


@pytest.mark.parametrize(("places", "more"), [(PROGRAM, set()), (AROUND, OF_TESTS)])
def test_every_name_in_use_is_declared(places: tuple[str, ...], more: set[str]):
    used = {
        (name, str(file.relative_to(ROOT)))
        for file in files(*places)
        for name in NAME.findall(file.read_text("utf-8"))
    }
    assert len(used) > len(DECLARED)
    known = DECLARED | settings() | more
    assert {use for use in used if use[0] not in known} == set()


def test_no_module_reads_a_variable_past_its_declaration():
    passed_by = {
        (node.value, str(file.relative_to(ROOT)))
        for file in files("src", "crawler")
        if file.suffix == ".py" and file.name != "environment.py"
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Constant) and node.value in DECLARED
    }
    assert passed_by == set()


def test_the_documents_list_every_variable_as_it_is_declared():
    text = (ROOT / "docs" / "for-engineers.md").read_text("utf-8")
    listed = re.findall(r"^\| `(AIDIVIDE_\w+)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    assert listed == [(one.name, one.default, one.meaning) for one in VARIABLES]


@pytest.mark.parametrize(
    "variable",
    [one for one in VARIABLES if isinstance(one, ByteVariable)],
    ids=lambda one: one.topic,
)
def test_the_default_in_words_is_the_number(variable: ByteVariable):
    number, unit = variable.default.split()
    assert variable.default_bytes == int(number) * {"MiB": 1 << 20, "GiB": 1 << 30}[unit]

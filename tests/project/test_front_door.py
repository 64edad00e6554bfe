"""`import aidivide_archive` costs nothing, and gives what docs/python.md and its notebook use, as they use it."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import aidivide_archive
from aidivide_archive import ask_sql, export
from aidivide_archive.cli.asking import sql
from aidivide_archive.cli.program import cli
from tests.support.demo_archive import DemoArchive
from tests.support.places import ROOT

PYTHON = ROOT / "docs" / "python.md"
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
HEAVY = ("sqlalchemy", "scrapy", "numpy", "pandas", "pydantic", "lxml", "click", "alembic")


def loaded_by(code: str) -> set[str]:
    """Top-level names of the modules in a process that has run the code."""
    report = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


# --- loading -------------------------------------------------------------------------------------


def test_importing_the_package_loads_nothing_but_itself():
    modules = loaded_by("import aidivide_archive; dir(aidivide_archive)")
    assert "aidivide_archive" in modules
    assert modules & set(HEAVY) == set()


def test_a_name_loads_what_it_needs():  # the search for heavy modules itself works
    assert {"sqlalchemy", "lxml"} & loaded_by("from aidivide_archive import Reader") == {
        "sqlalchemy"
    }


def test_every_name_is_there_and_listed():
    for name in aidivide_archive.__all__:
        assert getattr(aidivide_archive, name) is not None
        assert name in dir(aidivide_archive)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = aidivide_archive.no_such_name


def test_the_version_is_that_of_the_distribution():
    assert aidivide_archive.__version__ == version("aidivide-archive")
    line = [sys.executable, "-m", "aidivide_archive", "--version"]
    printed = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert printed.split()[-1] == aidivide_archive.__version__


@pytest.mark.parametrize(
    "first",
    ["import aidivide_archive.export.columns", "import aidivide_archive.export.columns as c", ""],
)
def test_export_is_a_function_whatever_was_imported_before(first: str, tmp_path: Path):
    code = (
        f"{first}\nfrom aidivide_archive import export, Archive\n"
        f"where = {str(tmp_path / 'archive')!r}\nArchive(where).close()\n"
        f"print(export(where, 'ledger', {str(tmp_path / 'ledger.csv')!r}).written)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_options_have_the_defaults_of_the_commands():
    defaults = {
        name: value.default for name, value in inspect.signature(ask_sql).parameters.items()
    }
    options = {option.name: option.default for option in sql.params}
    assert defaults["limit"] == options["limit"]
    assert defaults["timeout_seconds"] == options["timeout"]


def test_for_a_type_checker_export_is_the_function():
    """At run time the name is the package, which calls it."""
    text = (ROOT / "src" / "aidivide_archive" / "__init__.py").read_text("utf-8")
    assert "from aidivide_archive.export.run import export_set as export" in text
    assert callable(export)


# --- what is documented --------------------------------------------------------------------------


@pytest.fixture
def reader_folder(
    demo_archive: DemoArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    demo_archive.copy(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PYTHON.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def notebook_cells() -> Iterator[dict[str, Any]]:
    yield from json.loads(NOTEBOOK.read_text("utf-8"))["cells"]


def run(blocks: list[str], name: str) -> dict[str, Any]:
    """Run blocks one after the other, as a reader would, in one namespace."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{name} block {number}", "exec"), namespace)  # our own document
    return namespace


@pytest.mark.slow
def test_the_examples_of_the_guide_run(reader_folder: Path, capsys: pytest.CaptureFixture[str]):
    run(python_blocks(), PYTHON.name)
    printed = capsys.readouterr().out
    assert "24 articles, 4 stories in more than one place" in printed
    assert "ImportSummary(new=1" in printed
    assert "no archive in no-such-archive" in printed
    assert (reader_folder / "articles.csv").is_file()
    assert (reader_folder / "shared" / "codebook.md").is_file()


@pytest.mark.slow
def test_the_cells_of_the_notebook_run(reader_folder: Path, capsys: pytest.CaptureFixture[str]):
    cells = ["".join(cell["source"]) for cell in notebook_cells() if cell["cell_type"] == "code"]
    namespace = run(cells, NOTEBOOK.name)
    assert "24 articles, 4 stories" in capsys.readouterr().out
    first = namespace["first"]
    wire = first[first["first"] == "Meridian Wire"].sort_values("articles").iloc[-1]
    assert (str(wire["published"]), wire["articles"]) == ("2025-07-27 10:42:00+00:00", 4)
    assert namespace["per_outlet"].loc["The Hudson Ledger", "copies"] >= 1
    dated = namespace["articles"]["published_day"].notna().sum()
    assert namespace["timeline"].to_numpy().sum() == dated


def test_the_notebook_holds_no_outputs_and_no_place_of_a_machine():
    text = NOTEBOOK.read_text("utf-8")
    assert re.findall(r"(?:/home|/Users|/tmp|/root|[A-Z]:\\\\)", text) == []
    for cell in notebook_cells():
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_every_name_of_the_front_door_is_in_the_guide():
    text = PYTHON.read_text("utf-8")
    names = aidivide_archive.__all__
    assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set()


def test_every_command_of_the_table_exists():
    table = PYTHON.read_text("utf-8").partition("## Command and function")[2]
    named = {
        word
        for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
        for word in re.findall(r"`(\w+)[ \w]*`", row)
    }
    assert named <= {*cli.commands}
    assert len(named) > 12


@pytest.mark.slow
def test_the_example_of_the_readme_runs(reader_folder: Path, capsys: pytest.CaptureFixture[str]):
    section = (ROOT / "README.md").read_text("utf-8").partition("## From Python")[2]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert block is not None
    run([block[1]], "README.md")
    assert "Meridian Wire" in capsys.readouterr().out
    assert (reader_folder / "articles.parquet").is_file()

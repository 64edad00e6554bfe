import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import crawler
from aidivide_archive.archive.storage import migrate
from aidivide_archive.archive.storage.engine import REVISION
from tests.support import layers
from tests.support.places import ROOT

LIBRARY = sorted((ROOT / "src" / "aidivide_archive").rglob("*.py"))
PROJECT = sorted((ROOT / "crawler").rglob("*.py"))
MIGRATIONS = sorted((ROOT / "migrations").rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Full names of everything a file imports, inside functions as well; of relative imports nothing: they are ours."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(packages: set[str], files: list[Path]) -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for path in files
        if any(name.partition(".")[0] in packages for name in imported(path))
    ]


def test_the_files_are_found():
    assert len(LIBRARY) > 40
    assert len(PROJECT) > 8
    assert importers({"lxml"}, LIBRARY)  # the search itself works


def test_the_crawler_is_the_checkouts_own():
    """A package of that name in site-packages would shadow it: the wheel must not ship one."""
    assert Path(crawler.__file__ or "").is_relative_to(ROOT)


@pytest.mark.fault("S08")
def test_nothing_reads_or_writes_pickles():
    names = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    assert importers(names, LIBRARY + PROJECT + MIGRATIONS) == []


def test_the_crawler_only_adapts():
    assert importers({"sqlalchemy", "trafilatura", "datasketch", "lxml", "alembic"}, PROJECT) == []
    parsers = {"scrapy.Selector", "scrapy.selector", "scrapy.linkextractors", "parsel"}
    for path in PROJECT:
        for name in imported(path):
            assert not any(f"{name}.".startswith(f"{parser}.") for parser in parsers), (path, name)


def test_only_one_room_of_the_library_knows_scrapy():
    assert importers({"twisted", "crawler"}, LIBRARY) == []
    rooms = {Path(path).parent.name for path in importers({"scrapy"}, LIBRARY)}
    assert rooms == {"scrapy"}


@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("trafilatura", "extract/engine.py"),
        ("datasketch", "similarity/signing.py"),
        ("alembic", "archive/storage/migrate.py"),
        ("fastwarc", "warc/records.py"),
    ],
)
def test_each_engine_has_one_door(package: str, module: str):
    assert importers({package}, LIBRARY) == [f"src/aidivide_archive/{module}"]


def test_only_the_archive_speaks_sql():
    doors = ("archive/",)
    paths = [
        path.removeprefix("src/aidivide_archive/") for path in importers({"sqlalchemy"}, LIBRARY)
    ]
    others = [path for path in paths if not path.startswith(doors)]
    assert others == []


def test_only_the_command_line_talks_to_a_terminal():
    """What a command does is a function of the library, for programs without a screen."""
    paths = importers({"click", "rich"}, LIBRARY)
    assert {path.split("/")[2] for path in paths} == {"cli"}


def test_the_schema_of_the_code_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(migrate.migrations_directory()))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


# Packages that come with one we declare and are a part of its interface.
PART_OF = {
    "Twisted": "scrapy",
    "zope.interface": "scrapy",
    "pydantic_core": "pydantic",
    "psycopg": "postgres extra",
    "pyarrow": "parquet extra",
    "xlsxwriter": "xlsx extra",
}


def test_every_package_that_is_imported_is_declared():
    """A package that only happens to be installed is missing on the next machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {re.split(r"[><=\[]", line)[0].lower().replace("_", "-") for line in lines}
    distributions = packages_distributions()
    missing = set()
    for path in LIBRARY + PROJECT + MIGRATIONS:
        for name in imported(path):
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top in ("aidivide_archive", "crawler"):
                continue
            found = distributions.get(top, [f"nothing installed for {top}"])
            names = {one.lower().replace("_", "-") for one in found}
            if not names & declared and not set(found) & PART_OF.keys():
                missing.add((top, *found))
    assert missing == set()


def test_the_tables_of_the_architecture_are_those_of_the_contracts():
    document = layers.DOCUMENT.read_text("utf-8")
    assert document == layers.with_tables(document), "run: python -m tests.support.layers"
    shown = set(re.findall(r"^\| \d+ \| `([^`/]+)/?` \|", document, re.MULTILINE))
    packages = layers.contracts()
    assert shown == {
        name for rooms in packages.values() for row in rooms for name in row.split(" | ")
    }


def test_every_room_says_what_is_in_it():
    lines = [line for package in layers.contracts() for line in layers.table(package).splitlines()]
    assert len(lines) > 40
    assert [line for line in lines if line.endswith("|  |")] == []

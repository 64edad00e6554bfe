"""What the repository says of its own files is true: a path, a link or a module that is named exists."""

from __future__ import annotations

import ast
import importlib
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from aidivide_archive.archive import schema
from tests.support.places import ROOT

PACKAGE = "src/aidivide_archive"
TOP = ("src", "crawler", "migrations", "tests", "benchmarks", "docs", ".ci")

# Files that are spoken of though they are not in the repository, each with the reason.
ELSEWHERE = {
    "sitecustomize.py": "Python's own name; tests/support/fault_crawl.py writes one",
    "writer.lock": "in the folder of an archive that is open",
    "codebook.md": "in a folder that an export makes",
    "articles/ID.md": "in a folder that an export makes",
}

PATH = re.compile(
    r"(?<![\w/.:@~$*<{}-])((?:[\w.-]+/)*\.?[\w-]+\.(?:py|md|toml|lock|cfg|ipynb|yaml|yml))(?![\w/*-]|\.\w)"
)
IN_FOLDER = re.compile(rf"(?<![\w/.:@~$*<{{}}-])((?:{'|'.join(map(re.escape, TOP))})/[\w./-]*\w)")
LINK = re.compile(r"\]\(([^)#:\s]+?)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
DOTTED = re.compile(r"[a-z_]+(?:\.\w+)+")


def tracked() -> list[str]:
    """Paths of the checkout that are, or are about to be, in the repository."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no git, or no checkout")
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


FILES = tracked()
FOLDERS = {str(parent) for name in FILES for parent in PurePosixPath(name).parents}
ENDINGS = {
    "/".join(parts[start:])
    for parts in (PurePosixPath(name).parts for name in FILES)
    for start in range(len(parts))
}
"""Every tracked path, and what remains of it without its first folders: `extract/paging.py`, `paging.py`."""
ROOMS = {
    PurePosixPath(name).parts[2].removesuffix(".py") for name in FILES if name.startswith(PACKAGE)
} - schema.metadata.tables.keys() | {"crawler"}
"""First words of a module's name; `urls.id` is a column, `archive.db` a file."""
DATA = (".py", ".cfg", ".csv", ".db", ".html", ".toml", ".jsonl", ".md")


def exists(named: str, beside: str) -> bool:
    """A path may be given from the top, from the file that names it, or from any room."""
    from_here = (ROOT / beside).parent / named
    return named in ENDINGS | FOLDERS or named in ELSEWHERE or from_here.exists()


def prose_of_python(text: str) -> Iterator[str]:
    """Comments and docstrings, those below a value included."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def missing_in_python(name: str, text: str) -> set[str]:
    named = {path for prose in prose_of_python(text) for path in PATH.findall(prose)}
    named |= {path for prose in prose_of_python(text) for path in IN_FOLDER.findall(prose)}
    return {path for path in named if not exists(path, name)}


def missing_in_markdown(name: str, text: str) -> set[str]:
    """Links, paths and modules in backticks, and any path that begins with one of our folders.

    In backticks a file of which only the name is given is an example of the reader's own, unless it is Python.
    """
    missing = {one for one in LINK.findall(text) if not ((ROOT / name).parent / one).exists()}
    inline = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for code in CODE.findall(inline):
        paths = [one for one in PATH.findall(code) if "/" in one or one.endswith(".py")]
        missing |= {one for one in paths if not exists(one, name)}
        is_module = DOTTED.fullmatch(code) and not code.endswith(DATA)
        if is_module and code.partition(".")[0] in ROOMS and not is_importable(code):
            missing.add(code)
    missing |= {one for one in IN_FOLDER.findall(inline) if not exists(one, name)}
    return missing


def is_importable(dotted: str) -> bool:
    """Whether a name such as `ingest.reading` or `crawler.scheduler` leads to a module or to something in one."""
    parts = dotted.split(".")
    prefix = [] if parts[0] in ("crawler", "aidivide_archive") else ["aidivide_archive"]
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(prefix + parts[:end]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[end:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def missing(name: str, text: str) -> set[str]:
    if name.endswith(".py"):
        return missing_in_python(name, text)
    if name.endswith(".md"):
        return missing_in_markdown(name, text)
    return {path for path in IN_FOLDER.findall(text) if not exists(path, name)}


READ = [
    name
    for name in FILES
    if not name.startswith("tests/data/")
    and PurePosixPath(name).suffix in (".py", ".md", ".toml", ".cfg", ".yaml", "")
    and name not in ("LICENSE", "CHANGELOG.md")  # what was once there may be told
]


def test_every_file_that_is_named_exists() -> None:
    assert len(READ) > 300
    found = {name: missing(name, (ROOT / name).read_text("utf-8")) for name in READ}
    assert {name: paths for name, paths in found.items() if paths} == {}


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("src/x.py", '"""As the table of limits.md says."""', {"limits.md"}),
        ("src/x.py", "value = 1  # see docs/nowhere.md", {"docs/nowhere.md"}),
        ("src/x.py", 'VALUE = 1\n"""Measured by benchmarks/nothing.py."""', {"benchmarks/nothing.py"}),
        ("src/x.py", 'path = "event.toml"  # or list.md.zip', set()),
        ("src/x.py", "x = 1  # https://a.example/docs/x.md and {name}.md and *.py", set()),
        ("src/x.py", "x = 1  # extract/paging.py, paging.py, docs/ and tests/data/", set()),
        ("docs/x.md", "[more](nothing.md#part)", {"nothing.md"}),
        ("docs/x.md", "[more](commands.md), `event.toml`, `sources/list.csv`", set()),
        ("docs/x.md", "`extract/nothing.py`", {"extract/nothing.py"}),
        ("docs/x.md", "`ingest.no_such_module`", {"ingest.no_such_module"}),
        ("docs/x.md", "`ingest.service`, `archive.db`, `crawler.scheduler`", set()),
        ("Makefile", "python benchmarks/nothing.py", {"benchmarks/nothing.py"}),
    ],
)  # fmt: skip
def test_a_file_that_is_missing_is_noticed_and_nothing_else(
    name: str, text: str, named: set[str]
) -> None:
    assert missing(name, text) == named

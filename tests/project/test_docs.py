"""What the documents show is what the program does: their commands are run, their outputs compared."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from aidivide_archive.cli.reference import with_reasons
from aidivide_archive.config import Profile
from aidivide_archive.demo.newsroom import Newsroom
from aidivide_archive.export import export_rows, registry
from aidivide_archive.export.registry import exporters
from aidivide_archive.model import Reason
from aidivide_archive.urls import article_id, url_id
from tests.support.demo_archive import DemoArchive
from tests.support.places import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+?)(?:#[^)]*)?\)")

# Commands that a test must not run, each with the reason.
NOT_RUN = {
    "make": "sets up this very environment; CI runs it",
    "python3": "the same",
    ".venv/bin/pip": "the same",
    ".venv/bin/python": "the same",
    ".venv/bin/aidivide": "the demo fixture runs it",
    "pip": "installs",
    "pytest": "runs tests inside this one",
    "export": "shell",
    "scrapy": "the network; tests/crawler/test_crawl.py runs it on loopback",
    "curl": "a server by hand",
    "python": "a server by hand",
}


@dataclass(frozen=True)
class Shown:
    document: str
    command: str
    output: tuple[str, ...]


def shown_commands(document: Path) -> list[Shown]:
    found = []
    for block in BLOCK.findall(document.read_text("utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *output = part.rstrip("\n").split("\n")
            found.append(Shown(document.name, command, tuple(output)))
    return found


SHOWN = [shown for document in DOCUMENTS for shown in shown_commands(document)]
RUN = [shown for shown in SHOWN if shlex.split(shown.command)[0] not in NOT_RUN]


@pytest.fixture(scope="module")
def folder(demo_archive: DemoArchive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a `demo-archive`, as a reader has it after the demo."""
    folder = tmp_path_factory.mktemp("reader")
    demo_archive.copy(folder)
    return folder


DOCUMENTED_PORT = 8425
"""The demo's usual port; addresses and ids in the documents hold it."""


def as_here(text: str, folder: Path) -> str:
    """Words of a document with the addresses and ids of this demo: another port, when that one was taken."""
    profile = folder / "demo-archive" / "demo.toml"
    found = (
        re.search(r"\.example:(\d+)/", profile.read_text("utf-8")) if profile.is_file() else None
    )
    if found is None or int(found[1]) == DOCUMENTED_PORT:
        return text
    here, there = Newsroom(int(found[1])), Newsroom(DOCUMENTED_PORT)
    for page in there.pages:
        ids = (article_id(url_id(one.url(page.key))) for one in (there, here))
        old, new = (one.removeprefix("a-") for one in ids)
        text = text.replace(old, new)
    return text.replace(f".example:{DOCUMENTED_PORT}/", f".example:{found[1]}/")


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    words = shlex.split(as_here(command, folder))
    assert words[0] == "aidivide", (
        f"the test cannot run {words[0]}: add it to NOT_RUN with the reason"
    )
    line = [sys.executable, "-m", "aidivide_archive", *words[1:]]
    environment = {name: v for name, v in os.environ.items() if not name.startswith("AIDIVIDE_")}
    return subprocess.run(
        line, cwd=folder, capture_output=True, text=True, timeout=120, env=environment, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("shown", RUN, ids=lambda shown: f"{shown.document}: {shown.command[:60]}")
def test_a_command_in_the_documents_gives_the_output_beside_it(
    shown: Shown, folder: Path, demo_archive: DemoArchive
) -> None:
    if shown.command == "aidivide demo":  # what it says the first time
        printed = demo_archive.printed
    else:
        done = run(folder, shown.command)
        assert done.returncode == 0, done.stderr
        printed = done.stdout
    if shown.output:
        expected = [as_here(line, folder) for line in shown.output if line]
        assert fits(expected, printed.split("\n")), printed


def fits(expected: list[str], printed: list[str]) -> bool:
    """Whether output looks as shown: "…" alone stands for any lines, inside a line for any words.

    Empty lines do not count; ids differ with the newsroom's port.
    """
    lines = [re.escape(re.sub(r"\b([as])-[0-9a-f]{12}\b", r"\1-ID", line)) for line in expected]
    parts = [r"(?:.*\n)*" if line == "…" else line.replace("…", ".*") + r"\n" for line in lines]
    text = re.sub(r"\b([as])-[0-9a-f]{12}\b", r"\1-ID", "\n".join(filter(None, printed)) + "\n")
    return re.fullmatch("".join(parts), text) is not None


def test_every_command_of_the_documents_is_run_or_has_a_reason_not_to_be() -> None:
    assert RUN
    programs = {shlex.split(shown.command)[0] for shown in SHOWN}
    assert programs <= {"aidivide", *NOT_RUN}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_the_documents_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text("utf-8")):
        assert (document.parent / target).exists(), f"{document.name}: {target}"


def blocks(name: str, language: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_sources_of_the_extending_guide_are_valid() -> None:
    assert len(blocks("extending.md", "toml")) == 2
    for block in blocks("extending.md", "toml"):
        source = tomllib.loads(block)["source"]
        event = {"id": "x", "title": "x"}
        Profile.from_json(json.dumps({"schema": 1, "event": event, "source": source}))


def test_the_exporter_of_the_extending_guide_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_known", dict(exporters()))
    (code,) = blocks("extending.md", "python")
    exec(compile(code, "extending.md", "exec"), {"__name__": "extending"})  # our own document
    stream = io.BytesIO()
    rows = [{"id": "a-1", "title": "=1+1\tand\nmore"}, {"id": "a-2", "title": None}]
    made = registry._known["tsv"]
    assert export_rows(made, rows, ("id", "title"), stream) == 2
    assert stream.getvalue() == b"a-1\t'=1+1 and more\na-2\t\n"


def test_the_readme_says_in_150_words_what_it_is_and_how_to_begin() -> None:
    words = (ROOT / "README.md").read_text("utf-8").split()
    beginning = " ".join(words[:150])
    assert "make demo" in beginning
    assert "make test" in beginning
    assert "journalists" in beginning


def test_the_table_of_ledger_reasons_is_that_of_the_model() -> None:
    document = (ROOT / "docs" / "ledger.md").read_text("utf-8")
    assert document == with_reasons(document), (
        "run: python -m aidivide_archive.cli.reference docs/ledger.md"
    )
    shown = re.findall(r"^\| [a-z, ]+ \| `(\w+)` \|", document, re.MULTILINE)
    assert shown == [reason.value for reason in Reason]


def test_every_setting_is_documented() -> None:
    documents = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
    settings = re.findall(
        r"^(AIDIVIDE_\w+) =", (ROOT / "crawler" / "settings.py").read_text("utf-8"), re.MULTILINE
    )
    missing = [name for name in settings if f"`{name}`" not in documents]
    assert not missing


def test_every_row_of_the_fault_matrix_names_a_test_that_exists():
    """And every mark names a row: docs/reliability.md and the tests cannot drift apart."""
    sources = {path.name: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    marked = {
        row
        for text in sources.values()
        for call in re.findall(r"mark\.fault\(([^)]*)\)", text)
        for row in re.findall(r'"([FSL]\d\d)"', call)
    }
    table = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| ([FSL]\d\d) \|[^|]*\| ([^|]*) \|", table, re.MULTILINE))
    assert marked == set(rows)
    for named in rows.values():
        for one in named.split(", "):
            file, _, function = one.partition("::")
            assert file in sources, one
            assert f"def {function}" in sources[file], one

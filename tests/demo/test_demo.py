"""`aidivide demo` end to end: what it finds is what was planned, and it asks for nothing it must not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aidivide_archive.demo.newsroom import Newsroom
from aidivide_archive.demo.truth import PlannedTruth, planned_truth
from tests.support.demo_archive import DemoArchive
from tests.support.places import ROOT


@dataclass(frozen=True)
class Demo:
    folder: Path
    printed: str
    newsroom: Newsroom

    def export(self, what: str) -> list[dict[str, Any]]:
        done = run(self.folder, "export", what, "--all", "--format", "jsonl")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def requested(self) -> set[tuple[str, str]]:
        log = (self.folder / "requests.jsonl").read_text("utf-8")
        return {(row["host"], row["path"]) for row in map(json.loads, log.splitlines())}

    def key(self, url: str) -> str | None:
        """Key of the newsroom page at a URL; None when it is no article page."""
        found = [page.key for page in self.newsroom.pages if self.newsroom.url(page.key) == url]
        return found[0] if found else None


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "aidivide_archive", "--archive", str(folder), *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)


@pytest.fixture(scope="module")
def demo(demo_archive: DemoArchive, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = demo_archive.copy(tmp_path_factory.mktemp("demo"))
    port = re.search(r"\.example:(\d+)/", (folder / "demo.toml").read_text("utf-8"))
    assert port is not None
    return Demo(folder, demo_archive.printed, Newsroom(int(port[1])))


@pytest.fixture(scope="module")
def truth() -> PlannedTruth:
    return planned_truth()


@pytest.mark.slow
def test_every_page_ends_with_the_planned_reason(demo: Demo, truth: PlannedTruth) -> None:
    found = {demo.key(row["url"]): row["reason"] for row in demo.export("ledger")}
    planned = {page: reason.value for page, reason in truth.reasons.items()}
    assert {page: found.get(page) for page in planned} == planned


@pytest.mark.slow
def test_stories_roles_and_first_publishers_are_the_planned_ones(
    demo: Demo, truth: PlannedTruth
) -> None:
    rows: dict[str, dict[str, str]] = {}
    for row in demo.export("stories"):
        rows.setdefault(row["story_id"], {})[demo.key(row["url"]) or row["url"]] = row["role"]
    found = sorted(sorted(members.items()) for members in rows.values() if len(members) > 1)
    planned = sorted(
        sorted((member.page, member.role.value) for member in story.members)
        for story in truth.stories
        if len(story.members) > 1
    )
    assert found == planned


@pytest.mark.slow
def test_shares_copied_lie_in_the_planned_ranges(demo: Demo, truth: PlannedTruth) -> None:
    shares = {demo.key(row["url"]): row["share_copied"] for row in demo.export("stories")}
    for story in truth.stories:
        for member in story.members:
            if member.share is not None:
                low, high = member.share
                assert low - 0.1 <= shares[member.page] <= high + 0.1, member.page


@pytest.mark.slow
def test_near_misses_and_template_pages_are_in_no_story(demo: Demo, truth: PlannedTruth) -> None:
    sizes: dict[str, int] = {}
    story_of: dict[str | None, str] = {}
    for row in demo.export("stories"):
        sizes[row["story_id"]] = sizes.get(row["story_id"], 0) + 1
        story_of[demo.key(row["url"])] = row["story_id"]
    for pair in truth.templates:
        assert [sizes[story_of[page]] for page in pair if page in story_of] in ([], [1], [1, 1])
    rejected = {page for page in truth.reasons if page not in truth.articles}
    assert not rejected & story_of.keys()


@pytest.mark.slow
def test_what_robots_txt_forbids_was_never_requested(demo: Demo, truth: PlannedTruth) -> None:
    requested = demo.requested()
    assert len(requested) > 60
    for page in truth.never_requested:
        host, _, path = demo.newsroom.url(page).removeprefix("http://").partition("/")
        assert not {(host, f"/{path}"), (host.partition(":")[0], f"/{path}")} & requested


@pytest.mark.slow
def test_a_second_demo_says_that_nothing_is_new(demo: Demo) -> None:
    before = demo.export("articles")
    assert "Nothing new" in run(demo.folder, "demo").stdout
    assert demo.export("articles") == before


@pytest.mark.slow
def test_the_demo_says_what_was_found_in_a_few_lines(demo: Demo) -> None:
    assert "24 articles kept (2 of them for review)" in demo.printed
    assert "first: Meridian Wire, 2025-07-27 10:42" in demo.printed
    assert "forbidden by robots.txt (never requested)" in demo.printed
    assert len(demo.printed.splitlines()) <= 32
    assert max(map(len, demo.printed.splitlines())) < 240

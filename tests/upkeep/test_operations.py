"""The operations that commands call: what they return, the run they leave, what they refuse before anything is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.cli.copies import VERDICTS
from aidivide_archive.exceptions import ArchiveError, ArchiveLockedError, ConfigError
from aidivide_archive.model import RunKind, Verdict
from aidivide_archive.upkeep.operations import (
    decide_line,
    judge,
    merge,
    plan_purge,
    purge,
    rebuild_copies,
)
from aidivide_archive.urls import article_id, url_id
from tests.support import filled_archive
from tests.support.filled_archive import COPY, FIRST, NOW

LINE = "Our reporters can be reached at the desk."


@pytest.fixture
def filled(location: Location) -> Location:
    filled_archive.fill(location)
    return location


def runs(location: Location) -> list[dict[str, Any]]:
    statement = sa.select(schema.crawls).order_by(schema.crawls.c.id)
    with Reader(location) as reader:
        return reader.ask(lambda c: [dict(row) for row in c.execute(statement).mappings()])


def roles(location: Location) -> dict[str, str]:
    with Reader(location) as reader:
        return {str(row["url"]): str(row["role"]) for row in reader.stories(all=True)}


OPERATIONS: dict[RunKind, Callable[[Location], object]] = {
    RunKind.JUDGE: lambda where: judge(where, FIRST, COPY, "different"),
    RunKind.CLUTTER: lambda where: decide_line(where, "one.example", LINE, is_clutter=True),
    RunKind.REBUILD: rebuild_copies,
    RunKind.PURGE: lambda where: purge(where, COPY, reason="asked"),
}


def test_every_operation_leaves_one_finished_run_of_its_kind(filled: Location):
    before = len(runs(filled))
    for operation in OPERATIONS.values():
        operation(filled)
    rows = runs(filled)[before:]
    assert [row["kind"] for row in rows] == [kind.value for kind in OPERATIONS]
    for row in rows:
        assert row["finish_reason"] == "finished"
        assert row["finished_at"] >= row["started_at"]
        assert row["event_id"] is None
    counts = {"articles": 4, "stories": 0}
    assert counts.items() <= rows[0]["stats"].items()
    assert rows[-1]["stats"] == {"urls": 1, "captures": 1}


def test_a_judgement_splits_a_story_and_is_replaced_by_a_later_one(filled: Location):
    assert roles(filled)[COPY] != "origin"
    judged = judge(filled, FIRST, article_id(url_id(COPY)), Verdict.DIFFERENT, note="two speeches")
    assert (judged.verdict, judged.settled.stories) == (Verdict.DIFFERENT, 0)
    assert judged.articles == (article_id(url_id(FIRST)), article_id(url_id(COPY)))
    assert roles(filled)[COPY] == "origin"
    assert judge(filled, COPY, FIRST, "same").settled.stories == 1
    statement = sa.select(schema.judgements.c.verdict, schema.judgements.c.note)
    with Reader(filled) as reader:
        assert reader.ask(lambda c: c.execute(statement).all()) == [("same", None)]


def test_a_decision_names_the_site_and_the_line_as_they_are_kept(filled: Location):
    decision = decide_line(filled, FIRST, f"  {LINE}\n", is_clutter=True)
    assert (decision.site, decision.line, decision.is_clutter) == ("one.example", LINE, True)
    with Reader(filled) as reader:
        _, lines = reader.clutter("one.example")
    assert [(row["line"], row["status"]) for row in lines] == [(LINE, "added")]
    number = str(lines[0]["id"])
    assert decide_line(filled, "one.example", number, is_clutter=False).line == LINE


def test_a_purge_takes_what_its_plan_said(filled: Location):
    planned = plan_purge(filled, COPY)
    assert (planned.urls, planned.articles, planned.captures) == (1, 1, 1)
    assert len(runs(filled)) == 2  # a plan is no run
    assert purge(filled, COPY, reason="asked") == planned
    assert COPY not in roles(filled)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (lambda where: judge(where, FIRST, "https://x.example/", "same"), ArchiveError),
        (lambda where: judge(where, FIRST, FIRST, "same"), ConfigError),
        (lambda where: judge(where, FIRST, COPY, "perhaps"), ConfigError),
        (lambda where: decide_line(where, "x.example", LINE, is_clutter=True), ConfigError),
        (lambda where: decide_line(where, FIRST, "l-0123456789ab", is_clutter=True), ConfigError),
        (lambda where: decide_line(where, FIRST, "…", is_clutter=True), ConfigError),
        (lambda where: purge(where, "one.example/talks"), ConfigError),
        (lambda where: plan_purge(where, "no site"), ConfigError),
    ],
)
def test_what_means_nothing_is_refused_before_a_run_begins(
    sqlite_location: Location, operation: Callable[[Location], object], error: type[Exception]
):
    filled_archive.fill(sqlite_location)
    before = runs(sqlite_location)
    with pytest.raises(error):
        operation(sqlite_location)
    assert runs(sqlite_location) == before


def test_directories_name_archives_as_the_archive_option_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = tmp_path / "first", tmp_path / "second"
    filled_archive.fill(Location(first))
    merged = merge(str(second), first)  # made when it is missing
    assert (merged.articles, merged.settled.stories) == (4, 1)
    assert [row["kind"] for row in runs(Location(second))] == ["merge", "crawl", "crawl"]
    monkeypatch.setenv("AIDIVIDE_ARCHIVE", str(second))
    with Reader() as reader, Archive() as archive:
        assert reader.location == archive.location == Location(second)
    monkeypatch.chdir(tmp_path)
    assert rebuild_copies("first").articles == 4


def test_an_operation_waits_for_nobody_unless_it_is_asked_to(sqlite_location: Location):
    filled_archive.fill(sqlite_location)
    with Archive(sqlite_location), pytest.raises(ArchiveLockedError):
        rebuild_copies(sqlite_location)
    assert rebuild_copies(sqlite_location, wait=True).articles == 4


def test_what_operations_return_cannot_be_changed(sqlite_location: Location):
    filled_archive.fill(sqlite_location)
    for operation in OPERATIONS.values():
        value = operation(sqlite_location)
        assert dataclasses.is_dataclass(value)
        field = dataclasses.fields(value)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field, None)


# --- what exports say of runs --------------------------------------------------------------------


@pytest.fixture
def filled_long_ago(filled: Location) -> Location:
    """Times of exports are whole seconds: the runs so far ended well before the next one."""
    with Archive(filled) as archive:
        long_ago = sa.update(schema.crawls).values(started_at=NOW, finished_at=NOW)
        archive.submit(lambda c: c.execute(long_ago)).result()
    return filled


def test_a_rebuild_leaves_the_provenance_of_exports_as_it_was(filled_long_ago: Location):
    with Reader(filled_long_ago) as reader:
        before = reader.provenance()
    rebuild_copies(filled_long_ago)
    with Reader(filled_long_ago) as reader:
        assert reader.provenance() == before


def test_a_judgement_changes_the_archive_and_exports_say_when(filled_long_ago: Location):
    with Reader(filled_long_ago) as reader:
        before = reader.provenance()
    judge(filled_long_ago, FIRST, COPY, "different")
    with Reader(filled_long_ago) as reader:
        after = reader.provenance()
    assert str(after.changed_at) > str(before.changed_at)
    assert dataclasses.replace(after, changed_at=before.changed_at) == before


# --- what is written down ------------------------------------------------------------------------


def test_the_dictionary_names_every_kind_of_run():
    comment = schema.crawls.c.kind.comment
    assert comment is not None
    assert set(comment.replace(" or ", ", ").split(", ")) == {kind.value for kind in RunKind}


def test_the_command_offers_every_verdict():
    assert set(VERDICTS) == {verdict.value for verdict in Verdict}

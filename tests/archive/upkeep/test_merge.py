"""Two archives become one: nothing twice, nothing lost, the same whichever is merged into which."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.archive.upkeep.judging import store_judgement
from aidivide_archive.archive.upkeep.merging import Merged, merge
from aidivide_archive.archive.upkeep.purge_plan import target_of
from aidivide_archive.archive.upkeep.purging import purge
from aidivide_archive.archive.upkeep.record_damages import record_damages
from aidivide_archive.archive.upkeep.row_damages import row_damages
from aidivide_archive.cli.program import cli
from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.model import Verdict
from aidivide_archive.urls import article_id, url_id
from tests.support.archives import new_location
from tests.support.small_archive import import_pages, page, rows_of

NOW = datetime(2025, 7, 29, tzinfo=UTC)
SHARED = "https://one.example/shared"
REVISED = "https://one.example/revised"
GONE = "https://four.example/gone"
ONLY_A, ONLY_B = "https://two.example/a", "https://three.example/b"
PAIR = ("https://two.example/x", "https://three.example/y")


def fill_first(location: Location) -> None:
    import_pages(
        location,
        {
            SHARED: page(1),
            REVISED: page(2),
            ONLY_A: page(3),
            PAIR[0]: page(6),
            GONE: page(8),
            "https://five.example/z": page(6, "Another first sentence stands here."),
        },
    )


def fill_second(location: Location) -> None:
    """Later visits of two pages (one changed), copies of two pages of the first, a page of its own."""
    import_pages(
        location,
        {
            SHARED: page(1),
            REVISED: page(2, "The number of boats was put right on Tuesday morning."),
            ONLY_B: page(3),
            PAIR[1]: page(6),
            "https://six.example/own": page(9),
            GONE: page(8),
        },
        minutes=200,
    )
    with Archive(location) as archive:
        pair = url_id(PAIR[1]), url_id(ONLY_B)
        archive.submit(
            lambda c: store_judgement(c, pair, Verdict.DIFFERENT, note="two texts", now=NOW)
        ).result()
        archive.begin("purge")
        purge(archive, target_of(GONE), reason="asked", now=NOW)
        archive.finish("finished")


def join(into: Location, other: Location) -> Merged:
    with Archive(into) as archive:
        archive.begin("merge")
        done = merge(archive, other)
        archive.finish("finished")
    return done


def shown(location: Location) -> dict[str, Any]:
    """All that exports give, and what people said."""
    with Reader(location) as reader:
        assert integrity(reader) == []
        found = {
            "articles": list(reader.articles()),
            "matches": list(reader.matches(all=True)),
            "stories": list(reader.stories(all=True)),
            "ledger": list(reader.ledger()),
            "revisions": [
                (row["url"], detail.revisions)
                for row in reader.articles()
                if (detail := reader.article(str(row["url"])))
            ],
        }
    for table in (schema.judgements, schema.tombstones, schema.story_aliases, schema.relevance):
        found[table.name] = sorted(map(str, rows_of(location, table)))
    return found


def damages(location: Location) -> list[object]:
    engine = read_engine(location)
    with engine.connect() as connection:
        found: list[object] = [*row_damages(connection, location.warc_directory)]
        found += record_damages(connection, location.warc_directory)
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Location, Location]:
    folder = tmp_path_factory.mktemp("pair")
    first, second = Location(folder / "first"), Location(folder / "second")
    fill_first(first)
    fill_second(second)
    return first, second


def copy_of(location: Location, folder: Path) -> Location:
    shutil.copytree(location.directory, folder)
    return Location(folder)


@contextmanager
def on(engine: str, like: Location, folder: Path) -> Iterator[Location]:
    """A copy of an archive; on PostgreSQL by merging it into an empty one."""
    if engine == "sqlite":
        yield copy_of(like, folder)
    else:
        with new_location(engine, folder) as made:
            join(made, like)
            yield made


@pytest.mark.slow  # four archives on two engines
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_order_of_merging_does_not_matter_and_twice_is_once(
    engine: str, pair: tuple[Location, Location], tmp_path: Path
):
    first, second = pair
    with (
        on(engine, first, tmp_path / "a") as into_first,
        on(engine, second, tmp_path / "b") as into_second,
    ):
        done = join(into_first, second)
        join(into_second, first)
        one, other = shown(into_first), shown(into_second)
        for name, value in one.items():
            assert value == other[name], name
        assert (done.purged, done.judgements) == (1, 1)
        assert damages(into_first) == damages(into_second) == []
        again = join(into_first, second)
        assert (again.urls, again.captures, again.articles, again.judgements) == (0, 0, 0, 0)
        assert shown(into_first) == one

    by_url = {row["url"]: row for row in one["articles"]}
    assert set(by_url) == {
        *(SHARED, REVISED, ONLY_A, ONLY_B, *PAIR),
        *("https://five.example/z", "https://six.example/own"),
    }  # fmt: skip
    assert "put right on Tuesday" in by_url[REVISED]["text"]
    revisions = dict(one["revisions"])
    assert [len(revisions[url]) for url in (SHARED, REVISED, ONLY_A)] == [1, 2, 1]
    matched = {frozenset((row["a_url"], row["b_url"])) for row in one["matches"]}
    assert {frozenset((ONLY_A, ONLY_B)), frozenset(PAIR)} <= matched


def test_an_empty_archive_takes_everything_over(
    pair: tuple[Location, Location], location: Location
):
    """From SQLite into either engine; captures, texts and files as they were."""
    first, _ = pair
    join(location, first)
    assert shown(location) == shown(first)
    assert damages(location) == []


def test_what_was_purged_here_does_not_come_back(pair: tuple[Location, Location], tmp_path: Path):
    first, second = pair
    into = copy_of(second, tmp_path / "b")
    join(into, first)
    with Reader(into) as reader:
        ledger = {row["url"]: row["reason"] for row in reader.ledger()}
        assert GONE not in {row["url"] for row in reader.articles()}
    assert ledger[GONE] == "purged"
    from aidivide_archive.warc.records import iter_captures

    kept = {
        one.capture.url for path in into.warc_directory.iterdir() for one in iter_captures(path)
    }
    assert GONE not in kept
    assert ONLY_A in kept


def test_the_id_of_a_story_that_went_into_another_still_answers(
    pair: tuple[Location, Location], tmp_path: Path
):
    first, second = pair
    into = copy_of(first, tmp_path / "a")
    join(into, second)
    with Reader(into) as reader:
        for url in (ONLY_A, ONLY_B):
            found = reader.story(article_id(url_id(url)).replace("a-", "s-"))
            assert found is not None
            assert url in {row["url"] for row in found.members}


# --- hostile or broken ---------------------------------------------------------------------------


def refused(into: Location, other: Location) -> str:
    before = shown(into)
    with pytest.raises(ArchiveError) as error:
        join(into, other)
    assert shown(into) == before
    assert damages(into) == []
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "newer version"),
        ("UPDATE alembic_version SET version_num = 'x; DROP'", "newer version"),
        ("UPDATE warc_files SET name = '../../outside.warc.gz'", "warc_missing"),
        ("UPDATE extractions SET text = text || 'x'", "nothing was merged"),
        ("UPDATE captures SET warc_offset = warc_offset + 3", "the record is not the one"),
        ("UPDATE urls SET url = 'https://other.example/' || id", "nothing was merged"),
        ("UPDATE articles SET captured_at = 'yesterday'", "does not write"),
        ("UPDATE extractions SET fields = '{'", "does not write"),
    ],
)
def test_an_archive_that_is_not_what_it_says_is_refused_in_one_line(
    change: str, told: str, pair: tuple[Location, Location], tmp_path: Path
):
    first, second = pair
    into, other = copy_of(first, tmp_path / "a"), copy_of(second, tmp_path / "b")
    with closing(sqlite3.connect(other.database_path)) as connection:
        connection.execute(change)
        connection.commit()
    assert told in refused(into, other)
    assert not (tmp_path / "outside.warc.gz").exists()


def test_what_is_no_archive_at_all_is_refused(pair: tuple[Location, Location], tmp_path: Path):
    into = copy_of(pair[0], tmp_path / "a")
    other = Location(tmp_path / "other")
    assert "no archive in" in refused(into, other)
    other.directory.mkdir()
    other.database_path.write_bytes(b"not a database" * 100)
    assert "cannot read the archive" in refused(into, other)
    assert "is this archive itself" in refused(into, into)


def test_a_link_in_the_other_archive_is_not_followed(
    pair: tuple[Location, Location], tmp_path: Path
):
    first, second = pair
    into, other = copy_of(first, tmp_path / "a"), copy_of(second, tmp_path / "b")
    path = min(other.warc_directory.iterdir())
    moved = path.rename(tmp_path / "elsewhere.warc.gz")
    path.symlink_to(moved)
    assert "no regular file" in refused(into, other)


def test_the_command_says_what_it_brought(pair: tuple[Location, Location], tmp_path: Path):
    first, second = pair
    into = copy_of(first, tmp_path / "a")
    options = ["--archive", str(into.directory), "merge", str(second.directory)]
    done = CliRunner().invoke(cli, options)
    assert done.exit_code == 0, done.stderr
    assert "4 articles, 5 captures, 3 URLs, 1 judgement new or changed" in done.stdout
    assert "1 tombstone" in done.stderr
    again = json.loads(CliRunner().invoke(cli, [*options, "--json"]).stdout)["items"][0]
    assert (again["articles"], again["captures"], again["urls"]) == (0, 0, 0)

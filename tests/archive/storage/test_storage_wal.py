"""A damaged write-ahead log: what a power cut leaves of it is a prefix of what was acknowledged, and sound."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.figures import figure
from tests.support.small_crawl import Job, processes, read_journal, url_of

PAGE_BYTES = 4096


@dataclass(frozen=True)
class Cut:
    """An archive whose writer was killed before its log was copied into the database."""

    database: Path
    log: bytes
    acknowledged: list[str]
    """URLs in the order of their acknowledgement."""


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    job = Job(str(tmp_path_factory.mktemp("wal") / "archive"), pages=40, crash_at="in_settle")
    with processes() as forks:
        assert forks.run(job) == [-9]
    database = job.location.database_path
    log = database.with_name("archive.db-wal").read_bytes()
    assert len(log) > 50 * PAGE_BYTES
    numbers = read_journal(job.journal)["acknowledged"]
    return Cut(database, log, [url_of(int(one)) for one in numbers])


def damaged(log: bytes, chance: random.Random) -> tuple[str, bytes]:
    """The log as a power cut or a bad disk may leave it."""
    kind = chance.choice(["cut", "garbled", "zeroed page", "lost tail"])
    place = chance.randrange(len(log))
    if kind == "cut":
        return kind, log[:place]
    if kind == "garbled":
        wrong = chance.randbytes(chance.randint(1, 64))
        return kind, log[:place] + wrong + log[place + len(wrong) :]
    if kind == "zeroed page":
        place -= place % 512
        return kind, log[:place] + bytes(min(PAGE_BYTES, len(log) - place)) + log[
            place + PAGE_BYTES :
        ]
    return kind, log[:place] + bytes(len(log) - place)  # the length was on disk, the data was not


def done_urls(database: Path) -> set[str]:
    """Opens the archive as the next run does. Raises AssertionError when it is not sound."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        done = {row[0] for row in connection.execute("SELECT url FROM urls WHERE state = 'done'")}
        whole = connection.execute(
            "SELECT a.url FROM articles a JOIN extractions e ON e.id = a.extraction_id "
            "JOIN revisions r ON r.article_id = a.id JOIN signatures s ON s.article_id = a.id "
            "JOIN captures c ON c.url_id = a.id"
        ).fetchall()
    assert {row[0] for row in whole} == done
    assert len(whole) == len(done)
    return done


def try_damages(cut: Cut, folder: Path, *, count: int, seed: int) -> tuple[Counter[str], int]:
    """Mutations by kind, and how many of them cost at least one document."""
    chance = random.Random(seed)
    kinds: Counter[str] = Counter()
    shortened = 0
    for number in range(count):
        kind, log = damaged(cut.log, chance)
        place = folder / "archive.db"
        for old in folder.glob("archive.db*"):
            old.unlink()
        shutil.copyfile(cut.database, place)
        place.with_name("archive.db-wal").write_bytes(log)
        try:
            done = done_urls(place)
        except (sqlite3.DatabaseError, AssertionError) as error:
            raise AssertionError(f"damage {number} (seed {seed}), {kind}: {error}") from error
        assert done == set(cut.acknowledged[: len(done)]), f"damage {number} is no prefix"
        kinds[kind] += 1
        shortened += len(done) < len(cut.acknowledged)
    return kinds, shortened


def test_an_undamaged_log_holds_all_that_was_acknowledged(cut: Cut, tmp_path: Path):
    shutil.copyfile(cut.database, tmp_path / "archive.db")
    (tmp_path / "archive.db-wal").write_bytes(cut.log)
    assert done_urls(tmp_path / "archive.db") == set(cut.acknowledged)
    assert len(cut.acknowledged) == 40


@pytest.mark.fault("F03")
def test_a_damaged_log_leaves_a_sound_prefix(cut: Cut, tmp_path: Path):
    _, shortened = try_damages(cut, tmp_path, count=60, seed=1)
    assert shortened > 5, "the damage must be noticed"


@pytest.mark.fault("F03")
@pytest.mark.soak
def test_a_thousand_damaged_logs_leave_a_sound_prefix(cut: Cut, tmp_path: Path):
    kinds, shortened = try_damages(cut, tmp_path, count=1_000, seed=2)
    figure(
        "F03",
        f"1,000 damaged write-ahead logs ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}): "
        "sound, always a prefix of what was acknowledged",
        f"0 of 1,000 corrupt; {shortened} lost a tail",
    )

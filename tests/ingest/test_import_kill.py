"""An import that is killed with SIGKILL: what was committed stays, going on gives the same archive."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aidivide_archive.archive import Location
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.upkeep.integrity import integrity

COUNT = 700
BATCH = 210
"""Instead of `importing.STORED_AT_ONCE`, so that there are four batches to kill in."""
COMMAND = f"""
from aidivide_archive.cli.program import main
from aidivide_archive.ingest.imports import importing
importing.STORED_AT_ONCE = {BATCH}
main()
"""
SYLLABLES = ["ka", "lo", "mi", "ren", "ta", "vos", "un", "pel", "dra", "sho", "bi", "nem"]


def write_articles(path: Path) -> None:
    """Texts of invented words; one in five is a shortened copy of an earlier one."""
    draw = random.Random(7)
    words = ["".join(draw.choices(SYLLABLES, k=4)) for _ in range(3_000)]
    texts: list[list[str]] = []
    with path.open("w", encoding="utf-8") as lines:
        for number in range(COUNT):
            if texts and draw.random() < 0.2:
                text = draw.choice(texts)[: draw.randint(6, 8)]
            else:
                text = [" ".join(draw.choices(words, k=9)).capitalize() + "." for _ in range(8)]
                texts.append(text)
            record = {
                "url": f"https://site{number % 50}.example/{number}",
                "title": text[0],
                "text": "\n".join(text),
                "published_at": f"2025-07-{number % 28 + 1:02}",
            }
            lines.write(json.dumps(record) + "\n")


def start(file: Path, archive: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "import", str(file), "--archive", str(archive)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def stored(archive: Path) -> int:
    try:
        connection = sqlite3.connect(f"file:{archive / 'archive.db'}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return int(connection.execute("SELECT count(*) FROM articles").fetchone()[0])
    except sqlite3.OperationalError:  # no tables yet
        return 0
    finally:
        connection.close()


def kill_when(count: int, file: Path, archive: Path) -> int:
    """Kill the whole import as soon as so many articles are committed; returns how many are."""
    process = start(file, archive)
    pause = threading.Event()
    while stored(archive) < count and process.poll() is None:
        pause.wait(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the import had ended before the kill"
    return stored(archive)


def finish(file: Path, archive: Path) -> str:
    process = start(file, archive)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


def contents(archive: Path) -> dict[str, list[dict[str, object]]]:
    with Reader(Location(archive)) as reader:
        assert integrity(reader) == []
        articles = [row | {"captured_at": None} for row in reader.articles()]
        matches, stories = list(reader.matches(all=True)), list(reader.stories(all=True))
    return {"articles": articles, "matches": matches, "stories": stories}


@pytest.mark.slow
def test_a_killed_import_goes_on_to_the_same_archive(tmp_path: Path):
    file = tmp_path / "articles.jsonl"
    write_articles(file)
    finish(file, tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    assert len(expected["articles"]) == COUNT
    assert len(expected["matches"]) > COUNT / 10

    killed = tmp_path / "killed"
    before = 0
    for count in (1, BATCH + 1):  # while the next batch is signed or written
        there = kill_when(count, file, killed)
        assert there >= max(before, count), "what was committed is gone"
        with Reader(Location(killed)) as reader:  # nothing half-stored, only not compared yet
            assert {one.check for one in integrity(reader)} == {"no_story"}
        before = there
    assert kill_when(COUNT, file, killed) == COUNT  # while the copy graph is settled
    with Reader(Location(killed)) as reader:
        assert reader.status().articles == COUNT
        assert not list(reader.stories(all=True))  # all of settling, or nothing of it
    assert f"{COUNT} unchanged" in finish(file, killed)
    assert contents(killed) == expected

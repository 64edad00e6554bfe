"""Import many ready articles through the real command and print the curve of its speed and memory.

    python benchmarks/scale.py --articles 100000
    python benchmarks/scale.py --articles 20000 --database postgresql://…

The articles are made here: 300 to 600 words drawn by Zipf's law (Zipf-Mandelbrot) from made-up vocabularies, 70 % in
an English-like language, 15 % in one with accents, 15 % in one written like Chinese; one article in ten is a near
copy of an earlier one (sentences dropped, words changed, a paragraph of its own). Speed is wall time of the whole
command, process start, full text index and settling included; CPU seconds of all its processes stand beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
STEP = 10_000
"""Articles a line of the curve."""
VOCABULARY = 60_000
COPIES = 0.10
"""Share of articles that are near copies of an earlier one."""
SITES = 500
_RECENT = 5_000
"""A copy is made of one of so many articles before it."""
_SYLLABLES = [
    c + v
    for c in ["b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr"]
    for v in "aeiou"
]
_ACCENTED = [
    c + v
    for c in ["b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "ç", "ñ", "ß"]
    for v in "aeiouéöüà"
]


@dataclass(frozen=True)
class Language:
    code: str
    words: list[str]
    shares: NDArray[np.float64]
    """Cumulative probability of each word."""
    separator: str
    stop: str

    def sentence(self, numbers: NDArray[np.int64]) -> str:
        text = self.separator.join([self.words[n] for n in numbers.tolist()])
        return text[:1].upper() + text[1:] + self.stop


def languages(chance: random.Random) -> list[Language]:
    ranks = np.arange(VOCABULARY) + 2.7  # Mandelbrot's shift for English
    shares = np.cumsum(1 / ranks)
    shares /= shares[-1]
    han = [chr(0x4E00 + n) for n in range(3000)]
    return [
        Language("en", _vocabulary(chance, _SYLLABLES), shares, " ", ". "),
        Language("fr", _vocabulary(chance, _ACCENTED), shares, " ", ". "),
        Language("zh", _vocabulary(chance, han, longest=2), shares, "", "。"),
    ]


def _vocabulary(chance: random.Random, pieces: list[str], longest: int = 4) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(chance.choices(pieces, k=chance.randint(1, longest)))] = None
    return sorted(words, key=lambda word: len(word) + chance.random() * 4)


def articles(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Ready articles as `aidivide import` takes them."""
    chance = random.Random(seed)
    numbers = np.random.default_rng(seed)
    known = languages(chance)
    recent: list[tuple[Language, list[list[str]]]] = []
    for number in range(count):
        if recent and chance.random() < COPIES:
            language, original = chance.choice(recent)
            paragraphs = _edited(original, language, chance, numbers)
        else:
            language = known[chance.choices((0, 1, 2), (70, 15, 15))[0]]
            paragraphs = _paragraphs(language, chance.randint(300, 600), chance, numbers)
            slot = (language, paragraphs)
            if len(recent) < _RECENT:
                recent.append(slot)
            else:
                recent[number % _RECENT] = slot
        yield {
            "url": f"https://site{chance.randrange(SITES)}.example/news/{number}",
            "title": paragraphs[0][0].strip()[:80],
            "text": "\n".join("".join(one).strip() for one in paragraphs),
            "published_at": f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}T08:30:00+00:00",
            "language": language.code,
        }


def _paragraphs(
    language: Language, words: int, chance: random.Random, numbers: np.random.Generator
) -> list[list[str]]:
    drawn = np.searchsorted(language.shares, numbers.random(words))
    found: list[list[str]] = [[]]
    place = 0
    while place < words:
        length = chance.randint(12, 30)
        if len(found[-1]) >= 3:
            found.append([])
        found[-1].append(language.sentence(drawn[place : place + length]))
        place += length
    return found


def _edited(
    original: list[list[str]],
    language: Language,
    chance: random.Random,
    numbers: np.random.Generator,
) -> list[list[str]]:
    kept = [
        [sentence for sentence in one if chance.random() > 0.1] or list(one) for one in original
    ]
    place = chance.randrange(len(kept))
    kept[place] = _paragraphs(language, 40, chance, numbers)[0]
    return kept


# --- running and measuring -----------------------------------------------------------------------


@dataclass
class Run:
    wall: float = 0.0
    cpu: float = 0.0
    exit_code: int = 0
    peak_mb: float = 0.0
    settling_mb: float = 0.0
    """Peak once all articles are stored."""
    stored: list[tuple[float, float, int]] = field(default_factory=list)
    """(wall seconds, CPU seconds of all processes, articles stored so far)."""
    output: str = ""


def run(file: Path, goal: int, archive: Path, database: str | None) -> Run:
    """`aidivide import` as a process group of its own, watched from outside."""
    command = [sys.executable, "-m", "aidivide_archive", "import", str(file)]
    command += ["--archive", str(archive)] + (["--database", database] if database else [])
    count = _counter(archive, database)
    found = Run()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        watcher = threading.Thread(target=_watch, args=(process, start, count, goal, found))
        watcher.start()
        process.wait()
        found.wall = time.monotonic() - start
        watcher.join()
        log.seek(0)
        found.output = log.read().decode(errors="replace")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found.exit_code = process.returncode
    return found


def _watch(
    process: subprocess.Popen[bytes],
    start: float,
    count: Callable[[], int],
    goal: int,
    found: Run,
) -> None:
    looked = 0.0
    while process.poll() is None:
        now = time.monotonic() - start
        members = list(_members(process.pid))
        found.stored.append((now, sum(map(_cpu_seconds, members)), count()))
        if now - looked > 0.5:
            memory = sum(map(_pss_mb, members))
            found.peak_mb = max(found.peak_mb, memory)
            if found.stored[-1][2] >= goal:
                found.settling_mb = max(found.settling_mb, memory)
            looked = now
        time.sleep(0.1)


def _counter(archive: Path, database: str | None) -> Callable[[], int]:
    """How many articles are committed; imports number their extractions from 1."""
    statement = "SELECT max(id) FROM extractions"

    def sqlite() -> int:
        try:
            connection = sqlite3.connect(f"file:{archive / 'archive.db'}?mode=ro", uri=True)
        except sqlite3.OperationalError:
            return 0
        try:
            return int(connection.execute(statement).fetchone()[0] or 0)
        except sqlite3.OperationalError:
            return 0
        finally:
            connection.close()

    def postgresql() -> int:
        import psycopg

        plain = (database or "").replace("postgresql+psycopg:", "postgresql:")

        try:
            with psycopg.connect(plain, autocommit=True) as connection:
                row = connection.execute(statement).fetchone()
        except psycopg.Error:
            return 0
        return int((row and row[0]) or 0)

    return postgresql if database else sqlite


def _members(group: int) -> Iterator[Path]:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == group:
                yield entry
        except ProcessLookupError:
            continue


def _cpu_seconds(entry: Path) -> float:
    """Of a process and its children that have ended."""
    try:
        values = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in values[11:15]) / os.sysconf("SC_CLK_TCK")


def _pss_mb(entry: Path) -> float:
    """Proportional set size: pages shared by several processes count once."""
    try:
        rollup = (entry / "smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(ln.split()[1]) for ln in rollup.splitlines() if ln.startswith("Pss:")) / 1024


def report(found: Run, count: int, archive: Path) -> None:
    print(found.output.strip())
    wall = cpu = 0.0
    for goal in range(STEP, count + 1, STEP):
        reached = next((one for one in found.stored if one[2] >= goal), None)
        if reached is None:
            break
        seconds, busy = reached[0] - wall, reached[1] - cpu
        print(
            f"{goal:>8}: {STEP / seconds:6.0f} articles/s wall, {1000 * busy / STEP:.2f} CPU ms each"
        )
        wall, cpu = reached[:2]
    stored_at = next((one for one in found.stored if one[2] >= count), (found.wall, found.cpu, 0))
    settling = found.wall - stored_at[0]
    print(
        f"settling and end: {settling:.1f} s wall, {found.cpu - stored_at[1]:.1f} s CPU\n"
        f"total: {count / found.wall:.0f} articles/s in {found.wall:.1f} s wall, "
        f"{found.cpu:.1f} s CPU ({1000 * found.cpu / count:.2f} ms each), exit {found.exit_code}\n"
        f"peak PSS of all processes: {found.peak_mb:.0f} MB, settling {found.settling_mb:.0f} MB; "
        f"database {_size_mb(archive):.0f} MB; load now {os.getloadavg()[0]:.1f}"
    )


def _size_mb(archive: Path) -> float:
    return sum(one.stat().st_size for one in archive.glob("archive.db*")) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default=None, help="PostgreSQL URL of an empty database")
    parser.add_argument("--keep", type=Path, default=None, help="keep file and archive here")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="scale-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        file = folder / f"articles-{options.articles}-{options.seed}.jsonl"
        if not file.exists():
            with file.open("w", encoding="utf-8") as lines:
                for one in articles(options.articles, options.seed):
                    lines.write(json.dumps(one, ensure_ascii=False) + "\n")
        archive = folder / "archive"
        shutil.rmtree(archive, ignore_errors=True)
        report(run(file, options.articles, archive, options.database), options.articles, archive)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

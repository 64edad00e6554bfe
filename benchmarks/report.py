"""Make the report of a generated archive and print its time and size.

    python -m benchmarks.report --articles 2000

The articles are those of `scale.py`, with more copies, by fewer sites and within twelve days, as the coverage of one
event is. Each run is the whole command, process start included; CPU time stands beside wall time.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import scale

SITES = 60
COPIES = 0.35


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--articles", type=int, default=2000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "articles.jsonl", chosen.articles, chosen.seed)
        _aidivide(folder, "import", str(folder / "articles.jsonl"))
        runs = [_timed(folder) for _ in range(chosen.runs)]
        size = (folder / "report.html").stat().st_size
    wall, cpu = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"{chosen.articles:,} articles: {wall:.1f} s wall, {cpu:.1f} s CPU, {size / 1e6:.2f} MB")


def _write(path: Path, count: int, seed: int) -> None:
    scale.SITES, scale.COPIES = SITES, COPIES
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for row in scale.articles(count, seed):
            day, hour, minute = (chance.randrange(one) for one in (12, 24, 60))
            row["published_at"] = f"2025-07-{20 + day}T{hour:02}:{minute:02}:00+00:00"
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _timed(folder: Path) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), _children_cpu()
    _aidivide(folder, "report", "-o", str(folder / "report.html"))
    return time.perf_counter() - wall, _children_cpu() - cpu


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _aidivide(folder: Path, *arguments: str) -> None:
    line = [sys.executable, "-m", "aidivide_archive", *arguments]
    subprocess.run([*line, "--archive", str(folder / "archive")], check=True, capture_output=True)


if __name__ == "__main__":
    main()

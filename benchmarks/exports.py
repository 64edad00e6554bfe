"""Export a large archive in every format, twice, and print speed, memory and whether the bytes are the same.

    python -m benchmarks.exports --articles 100000
    python -m benchmarks.exports --archive DIR --formats jsonl,parquet
    python -m benchmarks.exports --archive DIR --profile

Articles and their import are those of `scale.py`. Each export is the real command in a process of its own: wall time
and CPU seconds include its start; peak memory is the maximum resident set of that process, as the kernel says.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import json
import os
import pstats
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import scale

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measured:
    wall: float
    cpu: float
    peak_mb: float
    size_mb: float
    digest: str


def export(archive: Path, name: str, target: Path) -> Measured:
    command = [sys.executable, "-m", "aidivide_archive", "export", "articles"]
    command += ["--archive", str(archive), "-o", str(target)]
    command += [] if name == "data set" else ["--format", name]
    start = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    words = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name}: exit {process.returncode}: {words}")
    digest, size = _digest(target)
    return Measured(
        wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, size / 1e6, digest
    )


def _digest(target: Path) -> tuple[str, int]:
    """Of a file, or of the names and bytes of all files of a folder."""
    digest = hashlib.sha256()
    size = 0
    for path in [target] if target.is_file() else sorted(target.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(target).as_posix().encode())
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
                    size += len(block)
    return digest.hexdigest(), size


def report(archive: Path, formats: list[str], folder: Path) -> None:
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.archive.storage.location import Location
    from aidivide_archive.export import exporters

    with Reader(Location(archive)) as reader:
        count = reader.status().articles
    print(f"{count} articles; load {os.getloadavg()[0]:.1f}")
    print("format        articles/s  articles/CPU s  wall s  CPU s  peak MB     MB  two runs")
    for name in formats:
        is_folder = name == "data set" or exporters()[name].is_folder
        suffix = "" if is_folder else exporters()[name].suffix
        found = []
        for number in (1, 2):
            target = folder / f"{number}{suffix}"
            found.append(export(archive, name, target))
            (shutil.rmtree if target.is_dir() else os.unlink)(target)
        best = min(found, key=lambda one: one.wall)
        cpu = min(one.cpu for one in found)
        same = "the same" if found[0].digest == found[1].digest else "DIFFER"
        print(
            f"{name:<12} {count / best.wall:11.0f} {count / cpu:15.0f} {best.wall:7.1f} {cpu:6.1f} "
            f"{max(one.peak_mb for one in found):8.0f} {best.size_mb:6.0f}  {same}"
        )


def profile(archive: Path) -> None:
    """Where the time of the read path and of JSON Lines goes."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.archive.storage.location import Location
    from aidivide_archive.export import exporters
    from aidivide_archive.export.target import export_rows
    from aidivide_archive.fields import ARTICLES

    profiler = cProfile.Profile()
    with Reader(Location(archive)) as reader, Path(os.devnull).open("wb") as nowhere:
        profiler.enable()
        export_rows(exporters()["jsonl"], reader.articles(), ARTICLES, nowhere)
        profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(20)


def main() -> None:
    from aidivide_archive.export import exporters

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--archive", type=Path, default=None, help="an archive that is there")
    parser.add_argument("--formats", default=None, help="names with commas; default: every one")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    # the generated articles are imported texts: there are no pages to copy
    texts = [name for name, exporter in exporters().items() if not exporter.whole_pages]
    every = ["data set", *texts]
    formats = every if options.formats is None else options.formats.split(",")
    with tempfile.TemporaryDirectory(prefix="exports-") as folder:
        archive = options.archive or _imported(options.articles, Path(folder))
        if options.profile:
            profile(archive)
        else:
            report(archive, formats, Path(folder))


def _imported(count: int, folder: Path) -> Path:
    file = folder / "articles.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        for one in scale.articles(count, 1):
            lines.write(json.dumps(one, ensure_ascii=False) + "\n")
    found = scale.run(file, count, folder / "archive", None)
    if found.exit_code:
        raise SystemExit(found.output)
    file.unlink()
    return folder / "archive"


if __name__ == "__main__":
    main()

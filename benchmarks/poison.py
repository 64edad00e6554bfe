"""What poison costs the good pages of a crawl, and what a bomb costs the crawling process.

    python -m benchmarks.poison mix --runs 3
    python -m benchmarks.poison bombs
    python -m benchmarks.poison shapes

`mix`: 2,000 pages, clean and with 5 % poison in turn: a tenth of the poison hangs, the rest
crashes, exhausts memory or processor, nests and explodes; the time limit of a document is 1 s.
Good pages per second are counted from the start of the command to the last good page stored.
`shapes`: processor seconds of each costly page shape at doubling sizes, and how they grow.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aidivide_archive.extract import extract
from benchmarks.crawl_probe import ENV_REPORT
from benchmarks.served_pages import (
    ROOT,
    Page,
    Server,
    addressed,
    free_port,
    load_pages,
    write_profile,
)
from tests.support import fault_pages

SHARE = 0.05
BREAKING = {"hang": 10, "segv": 10, "null": 5, "exit": 10, "memory": 10, "spin": 10, "recursion": 5}
"""Of 100 poison pages: what makes the worker itself break."""
MARKUP = {
    "attributes": 60_000,
    "links": 100_000,
    "link_paragraphs": 20_000,
    "unclosed": 200_000,
    "deep": 100_000,
    "deep_tables": 30_000,
    "deep_lists": 50_000,
    "entities": 500_000,
    "tag_names": 50_000,
    "json_ld": 100_000,
}
"""Two each: real markup, with its size."""
BOMBS = ("gzip", "br", "zstd", "deflate")
"""Five each, three of them within one or two further encodings."""


@dataclass(frozen=True)
class Run:
    good: int
    good_seconds: float
    """From the start to the last good page stored."""
    wall: float
    ends: Counter[str]
    """Of the poison pages: state and reason."""
    late: list[tuple[float, float, float]]
    peak_mb: float

    @property
    def rate(self) -> float:
        return self.good / self.good_seconds


def poison_pages() -> list[Page]:
    """A hundred, always the same."""
    found = []
    article = fault_pages.article(1)
    for how, count in BREAKING.items():
        found += [
            Page(f"break-{how}-{n}", "", has_text=False, body=b"<!-- break: %b -->" % how.encode() + article)
            for n in range(count)
        ]  # fmt: skip
    for shape, size in MARKUP.items():
        body = fault_pages.poison(shape, size)
        found += [Page(f"markup-{shape}-{n}", "", has_text=False, body=body) for n in range(2)]
    return found + bombs()


def bombs() -> list[Page]:
    found = []
    for codec in BOMBS:
        body, encoding = fault_pages.bomb(codec, 200), codec
        for n in range(5):
            found.append(
                Page(f"bomb-{codec}-{n}", "", has_text=False, body=body, encoding=encoding)
            )
            if n in (2, 3):
                body, encoding = fault_pages.CODECS["gzip"](body), f"{encoding}, gzip"
    return found


def mixed(pages: list[Page], seed: int = 1) -> list[Page]:
    """Every twentieth page, about, gives its place and address to a poison page."""
    poison = poison_pages()
    wanted = round(len(pages) * SHARE)
    draw = random.Random(seed)
    draw.shuffle(poison)
    places = draw.sample(range(len(pages)), wanted)
    found = list(pages)
    for n, place in enumerate(places):
        one = poison[n % len(poison)]
        found[place] = replace(one, url=pages[place].url)
    return found


def crawl(pages: list[Page], folder: Path, seconds: float) -> Run:
    port = free_port()
    by_url = addressed(pages, port)
    profile, archive = folder / "poison.toml", folder / "archive"
    shutil.rmtree(archive, ignore_errors=True)
    write_profile(profile, by_url, port)
    text = profile.read_text(encoding="utf-8")
    profile.write_text(
        text.replace("[limits]\n", f"[limits]\ndocument_seconds = {seconds}\n"), encoding="utf-8"
    )
    report = folder / "report.json"
    server = Server(by_url, port)
    started = time.time()
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "scrapy", "crawl", "coverage"),
                *("-a", f"event={profile}", "-a", f"archive={archive}"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "SCRAPY_SETTINGS_MODULE": "benchmarks.crawl_probe",
                ENV_REPORT: str(report),
            },
            check=False,
            capture_output=True,
            text=True,
        )
    finally:
        server.stop()
    wall = time.time() - started
    if done.returncode not in (0, 3):
        sys.exit(f"the crawl failed ({done.returncode}): {done.stderr[-2000:]}")
    return _run(json.loads(report.read_text(encoding="utf-8")), by_url, started, wall)


def _run(report: dict[str, Any], by_url: dict[str, Page], started: float, wall: float) -> Run:
    last, ends, good = started, Counter[str](), set()
    slowest = Counter[str]()
    for when, url, state, reason in report["stored"]:
        page = by_url.get(url)
        if page is None:  # the sitemap
            continue
        if page.name.startswith(("break-", "markup-", "bomb-")):
            kind = "-".join(page.name.split("-")[:2])
            ends[f"{kind}: {state} {reason}"] += 1
        elif state in ("failed", "dead"):
            slowest[f"{page.name}: {state} {reason}"] += 1
        else:
            good.add(url)
            last = max(last, when)
    wanted = sum(
        not page.name.startswith(("break-", "markup-", "bomb-")) for page in by_url.values()
    )
    if len(good) != wanted:
        print(f"LOST: {wanted - len(good)} of {wanted} good pages: {slowest}")
    late = [(when - started, by, waiting) for when, by, waiting in report["late"]]
    return Run(len(good), last - started, wall, ends, late, report["peak_mb"])


def told(name: str, run: Run) -> str:
    worst = run.late[0] if run.late else (0.0, 0.0, 0.0)
    return (
        f"{name}: {run.good} good pages in {run.good_seconds:.1f} s ({run.rate:.1f}/s), "
        f"all done after {run.wall:.1f} s; loop late by at most {1000 * worst[1]:.0f} ms at "
        f"{worst[0]:.1f} s ({1000 * worst[2]:.0f} ms of it without a processor); "
        f"main process {run.peak_mb:.0f} MB"
    )


def command_mix(pages: list[Page], folder: Path, runs: int, seconds: float) -> None:
    clean_rates, rates, late = [], [], []
    poisoned = mixed(pages)
    for n in range(runs):
        clean = crawl(pages, folder, seconds)
        print(told(f"run {n + 1} clean", clean), flush=True)
        run = crawl(poisoned, folder, seconds)
        print(told(f"run {n + 1} poison", run), flush=True)
        clean_rates.append(clean.rate)
        rates.append(run.rate)
        late.append(max((by for _, by, _ in run.late), default=0.0))
    for end, count in sorted(run.ends.items()):
        print(f"  {count:3} {end}")
    share = statistics.median(rates) / statistics.median(clean_rates)
    print(
        f"median of {runs}: {statistics.median(clean_rates):.1f} good pages a second clean, "
        f"{statistics.median(rates):.1f} with poison: {100 * share:.0f} %; "
        f"the loop was late by at most {1000 * max(late):.0f} ms"
    )


def command_bombs(pages: list[Page], folder: Path) -> None:
    """The same few pages with and without forty bombs of 200 MB."""
    few = pages[:100]
    plain = crawl(few, folder, 10)
    print(told("without bombs", plain))
    extra = [replace(one, url=f"{few[0].url}?bomb={n}") for n, one in enumerate(bombs() * 2)]
    bombed = crawl([*few, *extra], folder, 10)
    print(told("with bombs", bombed))
    for end, count in sorted(bombed.ends.items()):
        print(f"  {count:3} {end}")
    print(f"{len(extra)} bombs add {bombed.peak_mb - plain.peak_mb:.0f} MB to the main process")


def command_shapes() -> None:
    """Growth near 1 is linear; what reaches a limit grows no more."""
    for shape in fault_pages.POISON_SHAPES:
        spent = []
        for size in (16_000, 32_000, 64_000, 128_000):
            page = fault_pages.poison(shape, size)
            began = time.process_time()
            found = extract(page, url="https://news.example/a", content_type="text/html").extraction
            spent.append(time.process_time() - began)
        growth = math.log2(max(spent[-1], 0.01) / max(spent[0], 0.01)) / 3
        told_seconds = " ".join(f"{one:.2f}" for one in spent)
        print(
            f"{shape:16} {told_seconds} s, exponent {growth:.2f}, {len(page) / 1e6:.1f} MB, "
            f"mode {found.mode}, {len(found.text)} characters"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=("mix", "bombs", "shapes"))
    parser.add_argument("--set-directory", type=Path, default=ROOT.parent / "shared" / "pages")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="time limit of a document")
    options = parser.parse_args()
    if options.command == "shapes":
        command_shapes()
        return
    if not options.set_directory.is_dir():
        sys.exit(f"{options.set_directory}: no labelled pages here; name them with --set-directory")
    folder = Path(tempfile.mkdtemp(prefix="poison-"))
    try:
        pages = load_pages(options.set_directory, options.pages)
        if options.command == "mix":
            command_mix(pages, folder, options.runs, options.seconds)
        else:
            command_bombs(pages, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

"""Crawl real labelled pages over loopback HTTP, beside the bound of the contract, and check the archive.

    python -m benchmarks.real_pages speed --runs 5
    python -m benchmarks.real_pages check
    python -m benchmarks.real_pages kills --kills 20
    python -m benchmarks.real_pages memory --pages 2000

The pages (`--set-directory`, default ../shared/pages) are served under their own host names, from several loopback
addresses, by a process of its own whose CPU time is reported apart. The bound is trafilatura's
`bare_extraction(with_metadata=True, include_comments=False)` over the same bytes in as many processes as there are
cores: no network, no database; wall time, start-up included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.served_pages import (
    ROOT,
    SAMPLE_SECONDS,
    Page,
    Server,
    addressed,
    free_port,
    load_pages,
    write_profile,
)

# --- crawling and measuring ----------------------------------------------------------------------


@dataclass
class Crawl:
    exit_code: int
    wall: float
    cpu: float
    """Of all processes of the crawl."""
    peak_mb: float
    samples: list[tuple[float, float]]
    """(seconds since the start, PSS of all processes in MB)."""
    error_lines: int


def crawl(
    profile: Path,
    archive: Path,
    *,
    database: str | None = None,
    revisit: str = "none",
    kill_after: float | None = None,
    look_at_memory: bool = False,
) -> Crawl:
    """Run `scrapy crawl coverage` as its own process group.

    `kill_after`: SIGKILL the whole group this many seconds after its first capture. `look_at_memory` takes samples,
    for each of which the processes stand still for a moment.
    """
    command = [sys.executable, "-m", "scrapy", "crawl", "coverage"]
    command += ["-a", f"event={profile}", "-a", f"archive={archive}", "-a", f"revisit={revisit}"]
    if database:
        command += ["-a", f"database={database}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=log, stdout=log, start_new_session=True
        )
        samples: list[tuple[float, float]] = []
        sampler = threading.Thread(target=_sample, args=(process, start, samples))
        if look_at_memory:
            sampler.start()
        if kill_after is not None:
            _wait_for_capture(process, archive / "warc", start)
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        wall = time.monotonic() - start
        if look_at_memory:
            sampler.join()
        log.seek(0)
        text = log.read().decode(errors="replace")
    if text.strip() and kill_after is None:
        print(text[-3000:], file=sys.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Crawl(
        exit_code=process.returncode,
        wall=wall,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        peak_mb=max((mb for _, mb in samples), default=0.0),
        samples=samples,
        error_lines=sum("ERROR" in line or "Traceback" in line for line in text.splitlines()),
    )


def _wait_for_capture(process: subprocess.Popen[bytes], folder: Path, start: float) -> None:
    """Until this run has written a page to its WARC file, so that a kill meets work and not the start-up."""
    began = time.time() - (time.monotonic() - start)
    while process.poll() is None:
        files = [one.stat() for one in folder.glob("*.warc.gz")]
        if any(one.st_ctime >= began and one.st_size > 4096 for one in files):
            return
        time.sleep(0.05)


def _sample(
    process: subprocess.Popen[bytes], start: float, samples: list[tuple[float, float]]
) -> None:
    while process.poll() is None:
        samples.append((time.monotonic() - start, _group_pss_mb(process.pid)))
        time.sleep(SAMPLE_SECONDS)


def _group_pss_mb(group: int) -> float:
    """Proportional set size of a process group: shared pages count once."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getpgid(int(entry.name)) != group:
                continue
            rollup = (entry / "smaps_rollup").read_text()
        except (OSError, ProcessLookupError):
            continue
        total += sum(
            int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
        )
    return total / 1024


def bound(pages: list[Page]) -> float:
    """Wall seconds of the contract's bound, in a fresh interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        for n, page in enumerate(pages):
            (Path(folder) / f"{n}.html").write_bytes(page.body)
        code = (
            "import sys, os, multiprocessing as m\n"
            "from pathlib import Path\n"
            "def run(path):\n"
            "    from trafilatura import bare_extraction\n"
            "    bare_extraction(path.read_bytes(), with_metadata=True, include_comments=False)\n"
            "if __name__ == '__main__':\n"
            "    files = sorted(Path(sys.argv[1]).iterdir())\n"
            "    with m.Pool(os.cpu_count()) as pool:\n"
            "        pool.map(run, files, chunksize=4)\n"
        )
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "-c", code, folder],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return time.monotonic() - start


# --- what an archive holds -----------------------------------------------------------------------


def contents(archive: Path, database: str | None = None) -> dict[str, list[str]]:
    """The archive as people get it: the lines of every export, sorted."""
    found = {}
    for what in ("articles", "matches", "stories", "ledger"):
        command = [sys.executable, "-m", "aidivide_archive", "--archive", str(archive)]
        command += ["--database", database] if database else []
        command += ["export", what, "--all", "--format", "jsonl"]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        found[what] = sorted(_without_times(line) for line in done.stdout.splitlines())
    return found


def _without_times(line: str) -> str:
    """A row without what names this run: capture time and place in the WARC file."""
    row = json.loads(line)
    for name in ("captured_at", "warc_file", "warc_offset", "first_seen_at", "finished_at"):
        row.pop(name, None)
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def differences(a: dict[str, list[str]], b: dict[str, list[str]]) -> dict[str, int]:
    return {what: len(set(a[what]) ^ set(b[what])) for what in a}


def digest(found: dict[str, list[str]]) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]


# --- commands ------------------------------------------------------------------------------------


def command_speed(bench: Bench, runs: int) -> None:
    ratios, walls, bounds = [], [], []
    for n in range(runs):
        bound_wall = bound(list(bench.pages.values()))
        server = Server(bench.pages, bench.port)
        archive = bench.new_archive()
        done = crawl(bench.profile, archive, database=bench.database)
        server_cpu = server.stop()
        ratios.append(bound_wall / done.wall)
        walls.append(done.wall)
        bounds.append(bound_wall)
        print(
            f"run {n + 1}: bound {bound_wall:.1f} s · crawl {done.wall:.1f} s · "
            f"ratio {ratios[-1]:.2f} · CPU a page {1000 * done.cpu / len(bench.pages):.1f} ms · "
            f"server CPU {server_cpu:.1f} s · exit {done.exit_code} · "
            f"errors in the log {done.error_lines}"
        )
    print(states(archive))
    print(
        f"median of {runs}: bound {statistics.median(bounds):.1f} s, "
        f"crawl {statistics.median(walls):.1f} s, "
        f"{statistics.median(ratios):.2f} of the bound ({len(bench.pages)} pages, {os.cpu_count()} cores)"
    )


def states(archive: Path) -> str:
    command = [sys.executable, "-m", "aidivide_archive", "--archive", str(archive), "status"]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True).stdout


def command_check(bench: Bench) -> None:
    server = Server(bench.pages, bench.port)
    archive = bench.new_archive()
    first = crawl(bench.profile, archive, database=bench.database)
    before = contents(archive, bench.database)
    ledger = [json.loads(line) for line in before["ledger"]]
    open_urls = [row["url"] for row in ledger if row["state"] in ("queued", "leased", "failed")]
    print(f"first crawl: exit {first.exit_code}, {first.wall:.1f} s, {len(ledger)} URLs, ", end="")
    print(f"not terminal: {len(open_urls)}, errors in the log: {first.error_lines}")
    rows = [json.loads(line) for line in before["articles"]]
    stored = {row["url"] for row in rows if row["text"].strip()}
    withheld = {row["url"]: row["withheld"].partition(":")[0] for row in rows if row["withheld"]}
    labelled = [url for url, page in bench.pages.items() if page.has_text]
    print(f"{len(labelled)} labelled pages; text withheld, as the page asks for it:", end=" ")
    print(dict(Counter(withheld.get(url) for url in labelled if url in withheld)))
    wanted = [url for url in labelled if url not in withheld]
    missing = [url for url in wanted if url not in stored]
    share = 1 - len(missing) / len(wanted)
    print(f"text stored for {share:.2%} of the other {len(wanted)}")
    reasons = {row["url"]: row["reason"] for row in ledger}
    for url in missing:
        print(f"  no text: {reasons.get(url)}: {bench.pages[url].name}")
    second = crawl(bench.profile, archive, database=bench.database, revisit="all")
    server.stop()
    again = contents(archive, bench.database)
    print(
        f"second crawl, everything fetched again: exit {second.exit_code}, "
        f"articles +{len(again['articles']) - len(before['articles'])}, "
        f"differences {differences(before, again)}"
    )
    guard = (
        "import socket, runpy, sys\n"
        "def refuse(self, address, *rest):\n"
        "    if self.family != socket.AF_UNIX: raise OSError('no network here')\n"
        "    return real(self, address)\n"
        "real = socket.socket.connect\n"
        "socket.socket.connect = refuse\n"
        "sys.argv = ['aidivide', *sys.argv[1:]]\n"
        "runpy.run_module('aidivide_archive', run_name='__main__')\n"
    )
    command = [sys.executable, "-c", guard, "--archive", str(archive), "reprocess"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    print(
        f"reprocess without network: exit {done.returncode}: {(done.stdout + done.stderr).strip()}"
    )
    print(f"  differences {differences(again, contents(archive, bench.database))}")
    doctor = [
        sys.executable,
        "-m",
        "aidivide_archive",
        "--archive",
        str(archive),
        "doctor",
        "--integrity",
    ]
    done = subprocess.run(doctor, cwd=ROOT, check=False, capture_output=True, text=True)
    print(f"integrity: exit {done.returncode}")
    print("\n".join(line for line in done.stdout.splitlines() if "ntegrity" in line))


def command_kills(bench: Bench, kills: int, seed: int) -> None:
    server = Server(bench.pages, bench.port)
    reference = bench.new_archive()
    undisturbed = crawl(bench.profile, reference)
    expected = contents(reference)
    archive = bench.new_archive()
    chance = random.Random(seed)
    for n in range(kills):
        # so short that the last kill still meets a crawl under way
        moment = chance.uniform(0.0, 1.5 * undisturbed.wall / kills)
        done = crawl(bench.profile, archive, kill_after=moment)
        if done.exit_code != -signal.SIGKILL:
            print(
                f"kill {n + 1}: the crawl had ended before {moment:.1f} s (exit {done.exit_code})"
            )
    last = crawl(bench.profile, archive)
    server.stop()
    found = contents(archive)
    print(
        f"{kills} kills, then exit {last.exit_code}: differences {differences(expected, found)}, "
        f"articles {len(found['articles'])} of {len(expected['articles'])}, "
        f"digests {digest(expected)} {digest(found)}"
    )


def command_memory(bench: Bench) -> None:
    server = Server(bench.pages, bench.port)
    done = crawl(bench.profile, bench.new_archive(), database=bench.database, look_at_memory=True)
    server.stop()
    quarters = [
        statistics.median(
            [mb for t, mb in done.samples if q * done.wall / 4 <= t < (q + 1) * done.wall / 4]
        )
        for q in range(4)
    ]
    print(
        f"{len(bench.pages)} pages in {done.wall:.1f} s; median PSS of all processes by quarter: "
        + ", ".join(f"{mb:.0f} MB" for mb in quarters)
        + f"; last / second {quarters[3] / quarters[1]:.3f}; peak {done.peak_mb:.0f} MB"
    )


def command_engines(bench: Bench, database: str) -> None:
    server = Server(bench.pages, bench.port)
    sqlite, other = bench.new_archive(), bench.new_archive()
    crawl(bench.profile, sqlite)
    crawl(bench.profile, other, database=database)
    server.stop()
    a, b = contents(sqlite), contents(other, database)
    print(
        f"SQLite and PostgreSQL: differences {differences(a, b)}; digests {digest(a)} {digest(b)}"
    )


class Bench:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.port = free_port()
        self.pages = addressed(load_pages(options.set_directory, options.pages), self.port)
        self.folder = folder
        self.profile = folder / "real-pages.toml"
        self.database: str | None = options.database
        self._archives = 0
        write_profile(self.profile, self.pages, self.port)

    def new_archive(self) -> Path:
        self._archives += 1
        return self.folder / f"archive-{self._archives}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=("speed", "check", "kills", "memory", "engines"))
    parser.add_argument("--set-directory", type=Path, default=ROOT.parent / "shared" / "pages")
    parser.add_argument("--pages", type=int, default=None, help="how many (default: as labelled)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default=None, help="PostgreSQL URL of an empty database")
    parser.add_argument("--keep", type=Path, default=None, help="keep the archives in this folder")
    options = parser.parse_args()
    if not options.set_directory.is_dir():
        sys.exit(
            f"{options.set_directory}: the labelled pages are not here; name them with --set-directory"
        )
    folder = options.keep or Path(tempfile.mkdtemp(prefix="real-pages-"))
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(options, folder)
    try:
        if options.command == "speed":
            command_speed(bench, options.runs)
        elif options.command == "check":
            command_check(bench)
        elif options.command == "kills":
            command_kills(bench, options.kills, options.seed)
        elif options.command == "memory":
            command_memory(bench)
        else:
            if options.database is None:
                sys.exit("engines needs --database URL")
            command_engines(bench, options.database)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

"""`aidivide demo`: the real crawler against the demo newsroom, and what it found in a dozen lines."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aidivide_archive.cli.crawling import run_crawler
from aidivide_archive.cli.framework import DEMO_DIRECTORY, State, command, pass_state
from aidivide_archive.cli.terminal import note, safe, say, say_prose, shown_time
from aidivide_archive.display import delay, outlet_name
from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.model import Reason, Role

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.archive.storage.location import Location

PORT = 8425
"""Ids of articles contain the port of their URL: one port, the same ids on every machine."""
SHOWN_REASONS = 3
"""Reasons for not taking a page that the summary names; `aidivide status` has them all."""
SERVER_SECONDS = 300


@command("demo", place=10, example="aidivide demo", exits=(0, 1, 2, 130))
@pass_state
def demo(state: State) -> None:
    """Crawl eight invented outlets, offline, and show who copied whom."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.archive.storage.location import Location

    location = Location.resolve(state.archive or DEMO_DIRECTORY, state.database)
    before = _known(location)
    folder = location.directory
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    profile = folder / "demo.toml"
    with _newsroom(profile, folder / "requests.jsonl"):
        note("crawling eight outlets …")
        arguments = {"event": str(profile.absolute()), "archive": str(folder.absolute())}
        code = run_crawler(arguments, database_url=location.database_url)
    if code != 0:
        raise click.exceptions.Exit(code)
    with Reader(location) as reader:
        _tell(reader, before)
        found = reader.story_list(limit=1)
    _next_steps(folder, str(found[0]["story_id"]) if found else None)


def _known(location: Location) -> int | None:
    """Articles before this run; None for a new archive."""
    from aidivide_archive.archive.queries import Reader

    try:
        with Reader(location) as reader:
            return reader.status().articles
    except ArchiveError:
        return None


@contextmanager
def _newsroom(profile: Path, log: Path) -> Iterator[None]:
    """Serve the newsroom in a process of its own; writes the profile for its port."""
    from aidivide_archive.demo.profile import profile_text

    port = _port(profile)
    line = [sys.executable, "-m", "aidivide_archive.demo.newsroom", "--port", str(port)]
    line += ["--log", str(log), "--seconds", str(SERVER_SECONDS)]
    with subprocess.Popen(  # noqa: S603  # our own command line
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:  # our own command line
        try:
            assert server.stdout is not None
            answer = server.stdout.readline().strip()
            if not answer.isdigit():
                _, why = server.communicate(timeout=5)
                raise ArchiveError(
                    f"the demo newsroom did not start on port {port}: {' '.join(why.split())}; "
                    f"free the port, or remove {profile.parent} to use another one"
                )
            profile.write_text(profile_text(int(answer)), encoding="utf-8")
            yield
        finally:
            server.terminate()
            server.wait(10)


def _port(profile: Path) -> int:
    """The port of an earlier demo in this archive; else ours, or a free one when ours is taken."""
    if profile.is_file():
        found = re.search(r"\.example:(\d+)/", profile.read_text(encoding="utf-8"))
        if found:
            return int(found[1])
    with socket.socket() as probe:
        return PORT if probe.connect_ex(("127.0.0.1", PORT)) else 0


def _tell(reader: Reader, before: int | None) -> None:
    status = reader.status()
    pages = sum(_count(row) for row in status.states if row["kind"] == "page")
    say()
    if before == status.articles:
        say(f"Nothing new: the archive already had these {before} articles.")
    say_prose(
        f"{pages} pages seen → {status.articles} articles kept ({status.review} of them for review)"
        f" → {status.stories} stories that stand in more than one place"
    )
    for story in reader.story_list():
        detail = reader.story(str(story["story_id"]))
        assert detail is not None
        _tell_story(story, detail.members)
    say()
    say_prose(" · ".join(_refusals(status.states)), first="Not taken: ", indent=2)


def _count(row: Any) -> int:
    return int(row["count"])


def _tell_story(story: Any, members: Any) -> None:
    say()
    say(safe(f"“{story['title']}”"))
    zone = " UTC" if story["published_at"] else ""
    outlet = safe(outlet_name(story, "origin_"))
    say(f"  first: {outlet}, {shown_time(story)}{zone}")
    for member in members:
        if member["role"] == "origin":
            continue
        hours, share = member["hours_after_origin"], member["share_copied"]
        later = f"{delay(hours) or '?':>9}"
        copied = "" if share is None else f": {share:.0%} of its text is copied"
        outlet = safe(outlet_name(member))
        say(f"  {later}  {outlet} ({Role(member['role']).words}){copied}")


def _refusals(states: Any) -> Iterator[str]:
    """The commonest reasons with their counts, and how many pages the others kept out."""
    counts: dict[str, int] = {}
    for row in states:
        if row["state"] == "rejected":
            counts[row["reason"]] = counts.get(row["reason"], 0) + _count(row)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    for reason, count in ordered[:SHOWN_REASONS]:
        yield f"{Reason(reason).words} ({count})"
    rest = [count for _, count in ordered[SHOWN_REASONS:]]
    if rest:
        yield f"{len(rest)} other reasons ({sum(rest)})"


def _next_steps(folder: Path, story: str | None) -> None:
    started_as = Path(sys.argv[0])
    on_path = shutil.which("aidivide") or started_as.name != "aidivide"
    program = "aidivide" if on_path else _shortest(started_as)
    where = f"--archive {_shortest(folder)}"
    say()
    say("Try next:")
    say(f"  {program} stories {where}")
    if story is not None:
        say(f"  {program} story {story} {where}")
    say(f"  {program} search {where} 'shared models'")
    say(f"  {program} report {where} -o report.html")
    say(f"  {program} export articles {where} -o articles.csv")


def _shortest(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)

"""`aidivide merge`: join another archive into this one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state, wait_option
from aidivide_archive.cli.terminal import note, say, say_json
from aidivide_archive.display import counted


@command("merge", place=210, example="aidivide merge ../colleague/archive", exits=(0, 1, 2, 130))
@click.argument("other", metavar="OTHER", type=click.Path(path_type=Path, file_okay=False))
@click.option("--other-database", metavar="URL", help="PostgreSQL that holds OTHER's rows.")
@wait_option
@json_option
@pass_state
def merge(state: State, other: Path, other_database: str | None, wait: bool, as_json: bool) -> None:
    """Bring the articles, captures and judgements of another archive into this one."""
    from aidivide_archive.archive import Location
    from aidivide_archive.upkeep import operations

    source = Location(other, other_database)
    merged = operations.merge(state.location(), source, wait=wait)
    if as_json:
        say_json([asdict(merged)])
        return
    say(
        f"merged {source.shown()}: {counted(merged.articles, 'article')}, "
        f"{counted(merged.captures, 'capture')}, {counted(merged.urls, 'URL')}, "
        f"{counted(merged.judgements, 'judgement')} new or changed"
    )
    if merged.purged:
        note(
            f"{counted(merged.purged, 'tombstone')} of {source.directory} obeyed: purged here as well"
        )
    stories = counted(merged.settled.stories, "story", "stories")
    note(f"{counted(merged.settled.articles, 'article')} in all, {stories} of two or more")

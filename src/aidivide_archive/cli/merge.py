"""`aidivide merge`: join another archive into this one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state, wait_option
from aidivide_archive.cli.terminal import counted, note, say, say_json


@command("merge", example="aidivide merge ../colleague/archive", exits=(0, 1, 2, 130))
@click.argument("other", metavar="OTHER", type=click.Path(path_type=Path, file_okay=False))
@click.option("--other-database", metavar="URL", help="PostgreSQL that holds OTHER's rows.")
@wait_option
@json_option
@pass_state
def merge(state: State, other: Path, other_database: str | None, wait: bool, as_json: bool) -> None:
    """Bring the articles, captures and judgements of another archive into this one."""
    from aidivide_archive.archive import Archive, Location
    from aidivide_archive.archive.storage import versions
    from aidivide_archive.archive.upkeep.merging import merge as merge_it

    location = state.location()
    source = Location.of(other, other_database)
    versions.check(source)
    with Archive(location, wait=wait) as archive:
        archive.begin("merge")
        done = merge_it(archive, source)
        counts = {name: value for name, value in asdict(done).items() if name != "settled"}
        archive.finish("finished", counts)
    if as_json:
        say_json([asdict(done)])
        return
    say(
        f"merged {source.shown()}: {counted(done.articles, 'article')}, "
        f"{counted(done.captures, 'capture')}, {counted(done.urls, 'URL')}, "
        f"{counted(done.judgements, 'judgement')} new or changed"
    )
    if done.purged:
        note(
            f"{counted(done.purged, 'tombstone')} of {source.directory} obeyed: purged here as well"
        )
    stories = counted(done.settled.stories, "story", "stories")
    note(f"{counted(done.settled.articles, 'article')} in all, {stories} of two or more")

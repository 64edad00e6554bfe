"""Commands on the copy graph: a person's judgement on a pair, and computing everything again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from aidivide_archive.cli.framework import (
    Group,
    State,
    command,
    json_option,
    pass_state,
    wait_option,
)
from aidivide_archive.cli.terminal import counted, note, say, say_json
from aidivide_archive.exceptions import ArchiveError, ConfigError

VERDICTS = ("same", "different", "unsure")


@command(
    "judge",
    example="aidivide judge a-0123456789ab a-ba9876543210 different --note 'two speeches'",
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.argument("verdict", type=click.Choice(VERDICTS))
@click.option("--note", "words", help="Why.")
@wait_option
@pass_state
def judge(
    state: State, first: str, second: str, verdict: str, words: str | None, wait: bool
) -> None:
    """Decide whether two articles (ids or URLs) are one text."""
    from aidivide_archive.archive import Archive
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.archive.upkeep.judging import store_judgement
    from aidivide_archive.model import Verdict

    location = state.location()
    with Reader(location) as reader:
        pair = _known(reader, first), _known(reader, second)
    if pair[0] == pair[1]:
        raise ConfigError("these are the same article: name two")
    with Archive(location, wait=wait) as archive:
        now, chosen = datetime.now(UTC), Verdict(verdict)
        archive.submit(lambda c: store_judgement(c, pair, chosen, note=words, now=now)).result()
        settled = archive.settle().result()
    matches = counted(settled.matches, "match", "matches")
    note(f"judged {verdict}: {matches}, {counted(settled.stories, 'story', 'stories')} now")


copies = Group("copies", help="Work on the copy graph as a whole.")


@command("rebuild", example="aidivide copies rebuild", exits=(0, 1, 2, 130))
@wait_option
@json_option
@pass_state
def rebuild(state: State, wait: bool, as_json: bool) -> None:
    """Compute matches and stories of the whole archive again."""
    from aidivide_archive.archive import Archive
    from aidivide_archive.archive.storage import versions

    location = state.location()
    versions.check(location)
    with Archive(location, wait=wait) as archive:
        settled = archive.settle().result()
    if as_json:
        say_json([asdict(settled)])
    else:
        say(
            f"{settled.articles} articles, {settled.candidates} pairs compared, "
            f"{settled.matches} matches, {settled.stories} stories of two or more"
        )


copies.add_command(rebuild)


def _known(reader: object, reference: str) -> int:
    """The number of an article of the archive. Raises ArchiveError for anything else."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.urls import parse_id

    assert isinstance(reader, Reader)
    found = reader.article(reference)
    if found is None or found.article is None:
        raise ArchiveError(f"{reference} is no article of this archive: try `aidivide search`")
    return parse_id(str(found.article["id"]))

"""Commands on the copy graph: a person's judgement on a pair, and computing everything again."""

from __future__ import annotations

from dataclasses import asdict

import click

from aidivide_archive.cli.framework import (
    CommandGroup,
    State,
    command,
    json_option,
    pass_state,
    wait_option,
)
from aidivide_archive.cli.terminal import note, say, say_json
from aidivide_archive.display import counted

VERDICTS = ("same", "different", "unsure")


@command(
    "judge",
    place=170,
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
    from aidivide_archive.upkeep import operations

    settled = operations.judge(
        state.location(), first, second, verdict, note=words, wait=wait
    ).settled
    matches = counted(settled.matches, "match", "matches")
    note(f"judged {verdict}: {matches}, {counted(settled.stories, 'story', 'stories')} now")


copies = CommandGroup("copies", place=180, help="Work on the copy graph as a whole.")


@command("rebuild", example="aidivide copies rebuild", exits=(0, 1, 2, 130))
@wait_option
@json_option
@pass_state
def rebuild(state: State, wait: bool, as_json: bool) -> None:
    """Compute matches and stories of the whole archive again."""
    from aidivide_archive.upkeep import operations

    settled = operations.rebuild_copies(state.location(), wait=wait)
    if as_json:
        say_json([asdict(settled)])
    else:
        say(
            f"{settled.articles} articles, {settled.candidates} pairs compared, "
            f"{settled.matches} matches, {settled.stories} stories of two or more"
        )


copies.add_command(rebuild)

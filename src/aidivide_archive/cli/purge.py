"""`aidivide purge`: take a page or a site out of the archive for good."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state, wait_option
from aidivide_archive.cli.terminal import note, safe, say, say_json
from aidivide_archive.display import counted

if TYPE_CHECKING:
    from aidivide_archive.archive.upkeep.purge_plan import PurgePlan

SHOWN = 5
"""Pages that name what is purged and are listed one by one."""


@command(
    "purge",
    place=220,
    example="aidivide purge https://www.example.org/a --reason 'asked by its author'",
)
@click.argument("what", metavar="URL|DOMAIN")
@click.option("--reason", metavar="WORDS", help="Why; kept with the tombstone.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@wait_option
@json_option
@pass_state
def purge(
    state: State,
    what: str,
    reason: str | None,
    dry_run: bool,
    yes: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Delete a page or a site for good: rows, index, raw records; it is never fetched again."""
    from aidivide_archive.upkeep import operations

    location = state.location()
    if dry_run or not yes:
        planned = operations.plan_purge(location, what)
        if dry_run:
            _say(planned, as_json, done=False)
            return
        _confirm(planned)
    _say(operations.purge(location, what, reason=reason, wait=wait), as_json, done=True)


def _confirm(planned: PurgePlan) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("this cannot be undone: repeat with --yes, or look with --dry-run")
    click.confirm(f"{_words(planned)} will go and cannot come back. Purge?", abort=True, err=True)


def _words(planned: PurgePlan) -> str:
    return (
        f"{safe(planned.target)}: {counted(planned.urls, 'URL')}, "
        f"{counted(planned.articles, 'article')}, {counted(planned.captures, 'capture')} "
        f"in {counted(len(planned.warc_files), 'WARC file')}"
    )


def _say(planned: PurgePlan, as_json: bool, *, done: bool) -> None:
    if as_json:
        say_json([{**asdict(planned), "purged": done}])
    else:
        say(f"{'purged' if done else 'would purge'} {_words(planned)}")
    for url in planned.named_by[:SHOWN]:
        note(f"still named by {safe(url)}, whose raw bytes may hold its title")
    if len(planned.named_by) > SHOWN:
        note(f"and by {len(planned.named_by) - SHOWN} more (--json lists them)")
    if done:
        note("it will not be fetched or imported again")

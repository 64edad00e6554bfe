"""`aidivide doctor`: what is in effect, where it comes from, and what deserves attention."""

from __future__ import annotations

from dataclasses import asdict

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state
from aidivide_archive.cli.terminal import note, say_json, say_table
from aidivide_archive.exceptions import ArchiveError

_MARKS = {"ok": "", "advice": "?", "bad": "!"}


@command("doctor", place=250, example="aidivide doctor --integrity")
@click.option("--integrity", is_flag=True, help="Check the whole archive; takes longer.")
@click.option("--event", metavar="NAME_OR_FILE", help="Show the values of this profile as well.")
@json_option
@pass_state
def doctor(state: State, integrity: bool, event: str | None, as_json: bool) -> None:
    """Print what is in effect and where it came from."""
    from aidivide_archive.upkeep.checkup import checkup

    checks = checkup(state.location(), event=event, integrity=integrity)
    if as_json:
        say_json(asdict(check) for check in checks)
    else:
        say_table(
            ("", "what", "value", "from", "variable", "advice"),
            [(_MARKS[c.verdict], c.topic, c.value, c.source, c.variable, c.advice) for c in checks],
        )
    bad = [check for check in checks if check.verdict == "bad"]
    if bad:
        raise ArchiveError(f"{len(bad)} of {len(checks)} checks failed: {bad[0].topic}")
    is_well = all(check.verdict == "ok" for check in checks)
    note("all is well" if is_well else "no failure, some advice")

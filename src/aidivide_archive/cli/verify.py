"""`aidivide verify`: is every byte of the archive what it was when it was written?"""

from __future__ import annotations

from dataclasses import asdict

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state
from aidivide_archive.cli.terminal import counting, note, say_json, say_table
from aidivide_archive.display import counted
from aidivide_archive.exceptions import ArchiveError


@command("verify", place=230, example="aidivide verify --sample 100", exits=(0, 1, 2, 130))
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="Check N captures instead of all."
)
@json_option
@pass_state
def verify(state: State, sample: int | None, as_json: bool) -> None:
    """Check the archive from its rows to the raw bytes, and read its pages again."""
    from aidivide_archive.ingest import verify as service

    location = state.location()
    with counting("pages read again:") as progress:
        damages = list(service.verify(location, sample=sample, progress=progress))
    if as_json:
        say_json(asdict(one) for one in damages)
    elif damages:
        say_table(
            ("check", "where", "what", "what to do"),
            [(one.check, one.subject, one.detail, one.advice) for one in damages],
        )
    if damages:
        raise ArchiveError(f"{counted(len(damages), 'damage')} found in {location.shown()}")
    note(f"{location.shown()} is sound" + (f" in {sample} captures" if sample else ""))

"""`aidivide db`: the schema of the archive's database."""

from __future__ import annotations

from aidivide_archive.cli.framework import CommandGroup, State, command, pass_state, wait_option
from aidivide_archive.cli.terminal import note, say

db = CommandGroup("db", place=240, help="Check or upgrade the archive's database.")


@command("upgrade", example="aidivide db upgrade --archive archive")
@wait_option
@pass_state
def upgrade(state: State, wait: bool) -> None:
    """Bring the database to this version's schema, or make a new one."""
    from aidivide_archive.archive.storage import versions

    location = state.location()
    before, after = versions.upgrade(location, wait=wait)
    if before == after:
        note(f"{location.shown()} is at schema {after} already: nothing to do")
    elif before is None:
        note(f"made an empty archive in {location.shown()}, schema {after}")
    else:
        note(f"{location.shown()}: schema {before} → {after}")
        note("next: `aidivide copies rebuild` brings matches and stories up to this version")


@command("check", example="aidivide db check --archive archive")
@pass_state
def check(state: State) -> None:
    """Say whether the database has the schema that this version needs."""
    from aidivide_archive.archive.storage import versions

    say(f"schema {versions.check(state.location())}: current")


for _one in (upgrade, check):
    db.add_command(_one)

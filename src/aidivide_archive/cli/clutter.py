"""The command that lists what a site repeats, and takes a person's word on it."""

from __future__ import annotations

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state, wait_option
from aidivide_archive.cli.terminal import note, safe, say_json, say_table
from aidivide_archive.exceptions import ConfigError


@command(
    "clutter",
    place=200,
    example="aidivide clutter news.example --undo 'Our reporters can be reached at the desk.'",
)
@click.argument("site")
@click.option("--undo", metavar="ID_OR_LINE", help="Never cut this line from the site's texts.")
@click.option("--add", metavar="ID_OR_LINE", help="Always cut this line (again).")
@wait_option
@json_option
@pass_state
def clutter(
    state: State, site: str, undo: str | None, add: str | None, wait: bool, as_json: bool
) -> None:
    """List the lines that a site repeats and that are cut from its texts."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.upkeep import operations

    location = state.location()
    if undo is not None and add is not None:
        raise ConfigError("--undo and --add: name one at a time")
    line = undo if add is None else add
    if line is not None:
        decided = operations.decide_line(location, site, line, is_clutter=undo is None, wait=wait)
        always = "always" if decided.is_clutter else "never"
        note(safe(f"{always} cut from {decided.site}: {decided.line}"))
    with Reader(location) as reader:
        name, lines = reader.clutter(site)
    if as_json:
        say_json(lines)
    elif lines:
        rows = [(row["id"], row["pages"], row["status"], row["line"]) for row in lines]
        say_table(("id", "pages", "status", "line"), rows, right=("pages",), whole=("id",))
    else:
        note(f"nothing is known that {name} repeats: it takes three articles with the same line")

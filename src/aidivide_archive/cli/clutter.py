"""The command that lists what a site repeats, and takes a person's word on it."""

from __future__ import annotations

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state, wait_option
from aidivide_archive.cli.terminal import note, safe, say_json, say_table
from aidivide_archive.exceptions import ConfigError


@command(
    "clutter",
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

    location = state.location()
    if undo is not None and add is not None:
        raise ConfigError("--undo and --add: name one at a time")
    with Reader(location) as reader:
        name, found = reader.clutter(site)
    reference = undo if add is None else add
    if reference is not None:
        _decide(state, name, reference, is_clutter=undo is None, wait=wait)
        with Reader(location) as reader:
            name, found = reader.clutter(site)
    if as_json:
        say_json(found)
    elif found:
        rows = [(row["id"], row["pages"], row["status"], row["line"]) for row in found]
        say_table(("id", "pages", "status", "line"), rows, right=("pages",), whole=("id",))
    else:
        note(f"nothing is known that {name} repeats: it takes three articles with the same line")


def _decide(state: State, site: str, reference: str, *, is_clutter: bool, wait: bool) -> None:
    """Store a person's word on a line, and settle by it."""
    from aidivide_archive.archive import Archive
    from aidivide_archive.archive.upkeep.judging import store_line_rule

    with Archive(state.location(), wait=wait) as archive:
        line = archive.submit(
            lambda c: store_line_rule(c, site, reference, is_clutter=is_clutter)
        ).result()
        archive.settle().result()
    note(safe(f"{'always' if is_clutter else 'never'} cut from {site}: {line}"))

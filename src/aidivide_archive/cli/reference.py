"""Documents made from the code.

docs/commands.md: `python -m aidivide_archive.cli.reference > docs/commands.md`; the table of docs/ledger.md:
`python -m aidivide_archive.cli.reference docs/ledger.md`, which writes it where the document has it now.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from aidivide_archive.cli.framework import EXIT_CODES, IN_REFERENCE
from aidivide_archive.model import Reason, UrlState

WIDTH = 88
"""Columns of the help texts in the document."""
_HEAD = """# Commands

Every command takes `--archive DIR`, `--database URL` and `--debug`, before or after its name. Results go to stdout,
everything else to stderr. `--json` prints `{"schema": 1, "items": [...]}`; unknown values are null, times are ISO 8601
in UTC. On a pipe, tables are tab-separated with a header.

| exit code | meaning |
|---|---|
"""


def commands_markdown(root: click.Group) -> str:
    """The whole document; ends with a newline."""
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    parts = [_HEAD + rows]
    for path, command in walk(root, ("aidivide",)):
        level = "#" * min(len(path) + 1, 4)
        context = _context(path, command)
        parts.append(f"{level} {' '.join(path)}\n\n```\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def walk(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The command and everything below it, each with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from walk(command.commands[name], (*path, name))


def _context(path: tuple[str, ...], command: click.Command) -> click.Context:
    parent = click.Context(click.Group(), info_name=" ".join(path[:-1])) if path[:-1] else None
    context = click.Context(
        command,
        parent=parent,
        info_name=path[-1],
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    context.meta[IN_REFERENCE] = True
    return context


_REASONS = re.compile(r"^\| state \| reason \|.*\n(?:\|.*\n)+", re.MULTILINE)


def with_reasons(document: str) -> str:
    """A document with the table of all ledger reasons in place of the one it has."""
    rows = ["| state | reason | meaning | exactly |\n|---|---|---|---|\n"]
    for reason in Reason:
        state = "failed, dead" if reason.state is UrlState.FAILED else reason.state
        rows.append(f"| {state} | `{reason}` | {reason.words} | {reason.covers} |\n")
    return _REASONS.sub(lambda _: "".join(rows), document)


if __name__ == "__main__":
    if sys.argv[1:]:
        path = Path(sys.argv[1])
        path.write_text(with_reasons(path.read_text("utf-8")), "utf-8")
    else:
        from aidivide_archive.cli.program import cli

        click.echo(commands_markdown(cli), nl=False)

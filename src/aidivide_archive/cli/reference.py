"""docs/commands.md, made from the help of the commands: `python -m aidivide_archive.cli.reference > docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterator

import click

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
    from aidivide_archive.cli.framework import EXIT_CODES

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
    return click.Context(
        command,
        parent=parent,
        info_name=path[-1],
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )


if __name__ == "__main__":
    from aidivide_archive.cli.program import cli

    click.echo(commands_markdown(cli), nl=False)

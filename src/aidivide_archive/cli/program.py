"""The root of all commands: those that the modules of this package declare, in the order of a first visit."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import click

from aidivide_archive import cli as package
from aidivide_archive.cli.framework import CommandGroup, DocumentedCommand, Program


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aidivide-archive", prog_name="aidivide-archive")
def cli() -> None:
    """Archive, deduplicate and query the news coverage of one event.

    The archive is a directory: --archive DIR, else AIDIVIDE_ARCHIVE, else ./archive.
    """


_ABOUT_ALL = ("program", "reference")
"""Modules that need every command, and declare none."""


def _declared() -> Iterator[tuple[int, click.Command]]:
    """Every command with a place, and its place."""
    for module in iter_modules(package.__path__):
        if module.name in _ABOUT_ALL:
            continue
        for value in vars(import_module(f"{package.__name__}.{module.name}")).values():
            if isinstance(value, DocumentedCommand | CommandGroup) and value.place is not None:
                yield value.place, value


for _, _command in sorted(_declared(), key=lambda declared: declared[0]):
    cli.add_command(_command)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    cli.main()

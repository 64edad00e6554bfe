"""The root of all commands, in the order of a first visit."""

from __future__ import annotations

import sys

import click

from aidivide_archive.cli import (
    checkup,
    copies,
    crawling,
    database,
    events,
    exporting,
    importing,
    reading,
)
from aidivide_archive.cli.framework import Program


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aidivide-archive", prog_name="aidivide-archive")
def cli() -> None:
    """Archive, deduplicate and query the news coverage of one event.

    The archive is a directory: --archive DIR, else AIDIVIDE_ARCHIVE, else ./archive.
    """


for module in (crawling, importing, reading, exporting, events, copies, database, checkup):
    module.add_to(cli)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    cli.main()

"""The root of all commands, in the order of a first visit."""

from __future__ import annotations

import sys

import click

from aidivide_archive.cli.asking import schema, sql
from aidivide_archive.cli.checkup import doctor
from aidivide_archive.cli.clutter import clutter
from aidivide_archive.cli.comparing import compare, matches
from aidivide_archive.cli.copies import copies, judge
from aidivide_archive.cli.crawling import crawl
from aidivide_archive.cli.database import db
from aidivide_archive.cli.demo import demo
from aidivide_archive.cli.events import event
from aidivide_archive.cli.exporting import export
from aidivide_archive.cli.framework import Program
from aidivide_archive.cli.importing import import_, reprocess_
from aidivide_archive.cli.reading import show, status, stories, story
from aidivide_archive.cli.report import report
from aidivide_archive.cli.searching import search


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aidivide-archive", prog_name="aidivide-archive")
def cli() -> None:
    """Archive, deduplicate and query the news coverage of one event.

    The archive is a directory: --archive DIR, else AIDIVIDE_ARCHIVE, else ./archive.
    """


_COMMANDS = (
    *(demo, crawl, import_, reprocess_),
    *(status, search, stories, story, show, export, report),
    *(sql, schema),
    *(matches, compare, judge, copies),
    *(event, clutter, db, doctor),
)
for _one in _COMMANDS:
    cli.add_command(_one)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    cli.main()

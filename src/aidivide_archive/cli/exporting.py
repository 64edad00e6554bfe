"""`aidivide export`: the options of `export.run.export_set`, and what is said about its outcome."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from aidivide_archive.cli.filtering import filter_options
from aidivide_archive.cli.framework import State, command, pass_state
from aidivide_archive.cli.terminal import binary_stdout, counting, note
from aidivide_archive.display import counted

if TYPE_CHECKING:
    from aidivide_archive.export.run import ExportSummary

KINDS = ("articles", "matches", "stories", "ledger")


@command(
    "export", place=100, example="aidivide export articles -o articles.csv", exits=(0, 1, 2, 3)
)
@click.argument("what", type=click.Choice(KINDS))
@click.option(
    "--format",
    metavar="NAME",
    help="One of the formats below; else by the suffix of -o, else jsonl.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="File (format by its suffix), or folder: the data set. Without it, or -: stdout.",
)
@click.option("-q", "--query", metavar="WORDS", help="Only articles that `search` finds.")
@filter_options
@click.option(
    "--dedup",
    type=click.Choice(("all", "unique")),
    default="all",
    show_default=True,
    help="All, labelled with story and role, or one a story.",
)
@click.option(
    "--prefer",
    metavar="WHICH",
    help="Of a story: origin (default), earliest, longest, or outlets:NAME,NAME.",
)
@click.option("--weights", is_flag=True, help="A column that sums to 1 in each story.")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(("own", "sharing")),
    default="own",
    show_default=True,
    help="For sharing: texts that may not be passed on are left out.",
)
@click.option("--all", is_flag=True, help="Template matches, stories of one article.")
@click.option("--raw", is_flag=True, help="CSV for programs: no guard against formulas, no BOM.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the account of a single file here.",
)
@pass_state
def export(state: State, /, what: str, output: str | None, **options: Any) -> None:
    """Write articles, matches, stories or the ledger to a file or folder."""
    from aidivide_archive.export.run import export_set

    target = _stdout_for(options["format"]) if output in (None, "-") else str(output)
    is_quiet = not isinstance(target, str) and sys.stdout.isatty()  # rows and a bar on one screen
    with counting("writing:", bar=True) as progress:
        summary = export_set(
            state.location(), what, target, progress=None if is_quiet else progress, **options
        )
    if summary.target is not None:
        note(f"{summary.written} {what} written to {summary.target}{_set_aside(summary)}")
    if summary.unreadable:
        raise click.exceptions.Exit(3)


def _formats() -> Sequence[tuple[str, str]]:
    """Name and meaning of each format that is installed."""
    from aidivide_archive.export import exporters

    return [
        (exporter.name, f"{exporter.summary} ({exporter.suffix})")
        for exporter in exporters().values()
    ]


export.choices = ("Formats", _formats)


def _stdout_for(format_name: str | None) -> BinaryIO:
    from aidivide_archive.export import exporter_for

    if sys.stdout.isatty() and not (exporter := exporter_for(format_name)).compressible:
        raise click.UsageError(f"{exporter.name} is no text: name a file with -o")
    return binary_stdout()


def _set_aside(summary: ExportSummary) -> str:
    """What of the set's own rows is not in the file; pages that are no articles are in the manifest alone."""
    if not summary.set_aside:
        return ""
    listed = ", ".join(
        f"{reason.replace('_', ' ')} {count}" for reason, count in summary.set_aside.items()
    )
    return f"; {counted(sum(summary.set_aside.values()), 'row')} left out: {listed}"

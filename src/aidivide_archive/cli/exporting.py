"""`aidivide export`: rows to a stream, a file or a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.framework import State, command, pass_state
from aidivide_archive.cli.terminal import binary_stdout, counting, note

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import Reader, Row

KINDS = ("articles", "matches", "stories", "ledger")


@command("export", example="aidivide export articles -o articles.csv")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--format", "format_name", metavar="NAME", help="jsonl (default), csv.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File (format by its suffix) or folder; without it, or -: stdout.",
)
@click.option("--event", metavar="ID", help="Articles kept for this event, with its score.")
@click.option("--all", "everything", is_flag=True, help="Template matches, stories of one article.")
@click.option("--raw", is_flag=True, help="CSV for programs: no guard against formulas, no BOM.")
@pass_state
def export(
    state: State,
    kind: str,
    format_name: str | None,
    output: Path | None,
    event: str | None,
    everything: bool,
    raw: bool,
) -> None:
    """Write articles, matches, stories or the ledger to a file."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.export.registry import exporter_for
    from aidivide_archive.export.target import export_rows, file_in

    if output == Path("-"):
        output = None
    named = None if output is None or output.is_dir() else output.name
    exporter = exporter_for(format_name, named)
    target = None if output is None else file_in(output, kind, exporter)
    with Reader(state.location()) as reader, counting(f"{kind} written:") as progress:
        if event is not None:
            _check_event(reader, kind, event)
        rows, columns = _rows(reader, kind, event, everything)
        stream = binary_stdout() if target is None else target
        silent = progress is None or (target is None and sys.stdout.isatty())
        counted = rows if silent else _counted(rows, progress)
        count = export_rows(exporter, counted, columns, stream, raw=raw)
    if target is not None:
        note(f"{count} {kind} written to {target}")


def _check_event(reader: Reader, kind: str, event: str) -> None:
    from aidivide_archive.exceptions import ConfigError

    if kind != "articles":
        raise click.UsageError("--event is for articles: matches and stories span the archive")
    known = reader.events()
    if event not in known:
        names = ", ".join(known) or "none"
        raise ConfigError(f"nothing was archived for the event {event!r}; there are: {names}")


def _rows(
    reader: Reader, kind: str, event: str | None, everything: bool
) -> tuple[Iterator[Row], Sequence[str]]:
    from aidivide_archive.archive import queries

    if kind == "articles":
        return reader.articles(event=event), queries.ARTICLE_FIELDS
    if kind == "matches":
        return reader.matches(all=everything), queries.MATCH_FIELDS
    if kind == "stories":
        return reader.stories(all=everything), queries.STORY_FIELDS
    return reader.ledger(), queries.LEDGER_FIELDS


def _counted(rows: Iterator[Row], progress: Callable[[int], None] | None) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        if progress is not None:
            progress(number)
        yield row

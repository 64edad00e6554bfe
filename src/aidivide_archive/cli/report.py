"""`aidivide report`: the archive as one page for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.filtering import filter_options
from aidivide_archive.cli.framework import State, command, pass_state
from aidivide_archive.cli.terminal import binary_stdout, is_terminal, note

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import Filters


@command("report", place=120, example="aidivide report -o report.html")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File to write; a folder: report.html in it; -: stdout.",
)
@click.option("--with-text", is_flag=True, help="Whole texts and differences: not for passing on.")
@filter_options
@pass_state
def report(state: State, output: Path | None, with_text: bool, filters: Filters) -> None:
    """Write one self-contained HTML page: who covered it, who was first, who copied."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.export.target import whole_file
    from aidivide_archive.report import gather, render

    if output is None and is_terminal():
        raise click.UsageError("name the file: aidivide report -o report.html (or -o - for stdout)")
    with Reader(state.location()) as reader:
        gathered = gather(reader, filters=filters, with_text=with_text)
    page = render(gathered)
    if output is None or output == Path("-"):
        binary_stdout().write(page)
        return
    target = output / "report.html" if output.is_dir() else output
    with whole_file(target) as stream:
        stream.write(page)
    note(
        f"{target}: {gathered.tally.articles:,} articles, {gathered.story_count:,} shared stories, "
        f"{len(page) / 1e6:.1f} MB; open it in a browser"
    )

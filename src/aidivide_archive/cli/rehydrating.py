"""`aidivide rehydrate`: texts from one's own archive for a set that was shared without them."""

from __future__ import annotations

from pathlib import Path

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state
from aidivide_archive.cli.terminal import binary_stdout, note, safe, say_json
from aidivide_archive.display import counted

_SHOWN = 20


@command(
    "rehydrate",
    place=110,
    example="aidivide rehydrate shared/ -o articles.jsonl",
    exits=(0, 1, 2, 3),
)
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File; format by its suffix. Without it: stdout.",
)
@click.option("--format", "format_name", metavar="NAME", help="As in `export`.")
@click.option("--raw", is_flag=True, help="CSV for programs: no guard against formulas, no BOM.")
@json_option
@pass_state
def rehydrate(
    state: State,
    dataset: Path,
    output: Path | None,
    format_name: str | None,
    raw: bool,
    as_json: bool,
) -> None:
    """Put texts from your own archive back into a set made with `export --for sharing`; each is verified by its digest."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.export.registry import Context, exporter_for
    from aidivide_archive.export.rehydrate import (
        Rehydration,
        columns_of,
        data_file,
        read_rows,
        rehydrated,
    )
    from aidivide_archive.export.target import export_rows

    if as_json and output is None:
        raise click.UsageError(
            "--json prints the report to stdout: name a file for the rows with -o"
        )
    exporter = exporter_for(format_name, None if output is None else output.name)
    exporter.check("articles")
    file = data_file(dataset)
    result = Rehydration()
    with Reader(state.location()) as reader:
        context = Context(
            raw=raw,
            made_at=reader.provenance(stages=False).changed_at,
            warc_directory=reader.location.warc_directory,
        )
        rows = rehydrated(read_rows(file), reader.texts_held, result)
        target = binary_stdout() if output is None else output
        export_rows(exporter, rows, columns_of(file), target, context=context)
    if as_json:
        say_json(result.items)
    missing = sum(result.missing.values())
    note(
        f"{counted(result.rebuilt, 'text')} put back, {result.there} were there, {missing} could not be"
    )
    for item in result.items[: 0 if as_json else _SHOWN]:
        note(f"  {safe(item['id'])} {item['reason'].replace('_', ' ')}: {safe(item['url'])}")
    if missing > _SHOWN and not as_json:
        note(f"  and {missing - _SHOWN} more: --json lists them")
    if missing:
        raise click.exceptions.Exit(3)

"""`aidivide import` and `aidivide reprocess`: fill the archive without the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from aidivide_archive.cli.framework import (
    State,
    command,
    json_option,
    pass_state,
    wait_option,
)
from aidivide_archive.cli.terminal import counting, note, safe, say, say_json
from aidivide_archive.ingest import ImportKind

SHOWN_ERRORS = 10


@command(
    "import",
    place=30,
    example="aidivide import articles.jsonl --archive archive",
    exits=(0, 1, 2, 3, 130),
)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in ImportKind]),
    help="What the paths hold; else by their suffix.",
)
@click.option("--event", metavar="NAME_OR_FILE", help="Judge pages by this event profile.")
@click.option("--judge", is_flag=True, help="Judge ready articles as well.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a ready article.")
@wait_option
@json_option
@pass_state
def import_(
    state: State,
    paths: tuple[Path, ...],
    kind: str | None,
    event: str | None,
    judge: bool,
    schema: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Bring in ready articles (JSONL), WARC files or folders of HTML."""
    from aidivide_archive.ingest import imports

    if schema:
        _say_schema(imports.article_schema())
        return
    if not paths:
        raise click.UsageError("Missing argument 'PATH…'")
    with counting("imported") as progress:
        summary = imports.import_paths(
            state.location(),
            paths,
            kind=None if kind is None else ImportKind(kind),
            event=event,
            judge_articles=judge,
            wait_for_writer=wait,
            progress=progress,
        )
    _say_errors(summary.errors)
    if as_json:
        say_json([asdict(summary)])
    else:
        say(
            f"{summary.new} new, {summary.unchanged} unchanged, {summary.revised} revised, "
            f"{summary.rejected} rejected, {summary.failed} failed"
        )
    went_in = summary.new + summary.unchanged + summary.revised + summary.rejected
    _end(went_in, summary.failed or len(summary.errors))


@command("reprocess", place=40, example="aidivide reprocess --stale", exits=(0, 1, 2, 3, 130))
@click.option("--stale", is_flag=True, help="Only what older stages made.")
@wait_option
@json_option
@pass_state
def reprocess_(state: State, stale: bool, wait: bool, as_json: bool) -> None:
    """Make the articles again from their stored bytes, offline."""
    from aidivide_archive.ingest.reprocess import reprocess

    with counting("read again:") as progress:
        summary = reprocess(state.location(), stale=stale, wait=wait, progress=progress)
    _say_errors(summary.errors)
    if as_json:
        say_json([asdict(summary)])
    else:
        say(
            f"{summary.read} read, {summary.changed} changed, "
            f"{summary.unchanged} unchanged, {summary.failed} failed"
        )
    _end(summary.changed + summary.unchanged, summary.failed)


def _say_schema(schema: object) -> None:
    import json

    say(json.dumps(schema, ensure_ascii=False, indent=2))


def _say_errors(errors: Sequence[str]) -> None:
    for line in errors[:SHOWN_ERRORS]:
        note(f"warning: {safe(line)}")
    if len(errors) > SHOWN_ERRORS:
        note(f"warning: and {len(errors) - SHOWN_ERRORS} more")


def _end(good: int, bad: int) -> None:
    """0 when all went well, 3 when a part did, 1 when nothing did."""
    if bad:
        raise click.exceptions.Exit(3 if good else 1)

"""Commands for people who know SQL: `aidivide sql` and `aidivide schema`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state
from aidivide_archive.cli.terminal import (
    binary_stdout,
    note,
    say,
    say_heading,
    say_json,
    say_prose,
    say_table,
)

if TYPE_CHECKING:
    from aidivide_archive.archive.sql.dictionary import DocumentedTable
    from aidivide_archive.archive.sql.statements import Answer

MAX_TIMEOUT = 3600.0


@command(
    "sql",
    place=130,
    example="aidivide sql 'SELECT outlet, articles FROM v_outlets ORDER BY articles DESC'",
)
@click.argument("statement", required=False)
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="Rows at most."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, MAX_TIMEOUT),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
)
@click.option("--questions", is_flag=True, help="Print twelve worked questions.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, safe for spreadsheets.")
@pass_state
def sql(
    state: State,
    statement: str | None,
    limit: int,
    timeout: float,
    questions: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Ask in SQL: one statement that only reads; - takes it from stdin."""
    from aidivide_archive.archive.sql.statements import ask

    if questions:
        _say_questions(as_json=as_json)
        return
    if statement is None:
        raise click.UsageError("name a statement, or see --questions and `aidivide schema`")
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    text = sys.stdin.read() if statement == "-" else statement
    answer = ask(state.location(), text, limit=limit, timeout_seconds=timeout)
    _say_answer(answer, as_json=as_json, as_csv=as_csv)


def _say_questions(*, as_json: bool) -> None:
    from aidivide_archive.archive.sql.questions import QUESTIONS

    if as_json:
        say_json([{"name": one.name, "question": one.words, "sql": one.sql} for one in QUESTIONS])
        return
    for number, one in enumerate(QUESTIONS):
        if number:
            say()
        say_heading(f"-- {one.words}")
        say(f"{one.sql};")


def _say_answer(answer: Answer, *, as_json: bool, as_csv: bool) -> None:
    if as_json or as_csv:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        if as_json:
            say_json(rows, more={"columns": answer.columns, "is_cut": answer.is_cut})
        else:
            from aidivide_archive.export import export_rows, exporter_for

            export_rows(exporter_for("csv"), rows, answer.columns, binary_stdout())
    else:
        numbers = [
            name
            for place, name in enumerate(answer.columns)
            if answer.rows
            and all(isinstance(row[place], int | float | None) for row in answer.rows)
        ]
        say_table(answer.columns, answer.rows, right=numbers)
    if answer.is_cut:
        note(f"the first {len(answer.rows)} rows; --limit shows more")


@command("schema", place=140, example="aidivide schema v_articles")
@click.argument("name", required=False)
@click.option("--tables", is_flag=True, help="The tables below the views as well.")
@click.option(
    "--datasette", is_flag=True, help="Print metadata with which Datasette opens archive.db."
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print docs/data-dictionary.md.")
@json_option
def schema(
    name: str | None, tables: bool, datasette: bool, as_markdown: bool, as_json: bool
) -> None:
    """Say what every view, table and column holds."""
    from aidivide_archive.archive.sql import dictionary as book

    if datasette:
        import json

        title = "News coverage"
        say(json.dumps(book.datasette_metadata(title), ensure_ascii=False, indent=2))
    elif as_markdown:
        say(book.markdown())
    elif as_json:
        say_json([asdict(one) for one in _chosen(book.dictionary(), name, everything=True)])
    else:
        _say_relations(_chosen(book.dictionary(), name, everything=tables), name)


def _chosen(
    known: tuple[DocumentedTable, ...], name: str | None, *, everything: bool
) -> list[DocumentedTable]:
    if name is None:
        return [one for one in known if everything or one.kind == "view"]
    found = [one for one in known if one.name == name.lower()]
    if not found:
        from difflib import get_close_matches

        close = get_close_matches(name.lower(), [one.name for one in known], n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see `aidivide schema --tables`"
        raise click.UsageError(f"no view or table {name!r}; {hint}")
    return found


def _say_relations(relations: list[DocumentedTable], name: str | None) -> None:
    if name is None:
        say_table(("name", "what"), [(one.name, one.comment) for one in relations], whole=("name",))
        note(
            "next: `aidivide schema NAME` lists its columns, `aidivide sql --questions` shows examples"
        )
        return
    for one in relations:
        say_prose(one.comment)
        say()
        rows = [
            (column.name, column.type, f"{column.comment}{_arrow(column.points_to)}")
            for column in one.columns
        ]
        if one.kind == "view":
            say_table(("column", "what"), [(row[0], row[2]) for row in rows], whole=("column",))
        else:
            say_table(("column", "type", "what"), rows, whole=("column", "type"))


def _arrow(target: str | None) -> str:
    return f" → {target}" if target else ""

"""`aidivide search`: articles by words and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.filtering import filter_options
from aidivide_archive.cli.framework import State, command, json_option, pass_state
from aidivide_archive.cli.terminal import (
    binary_stdout,
    is_terminal,
    note,
    safe,
    say,
    say_heading,
    say_json,
    say_prose,
    say_table,
    shown_time,
)
from aidivide_archive.display import counted, outlet_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aidivide_archive.archive.queries import Filters, Found, Row

FACETS = ("outlet", "country", "language", "day", "month", "role")
ORDERS = ("relevance", "newest", "oldest")

NOTES = (
    "shared models              both words",
    "'\"shared models\"'          the phrase",
    "'models OR networks'       either",
    "'models -robots'           without (also: NOT robots)",
    "'(models OR networks) AI'  groups",
    "'develop*'                 words that begin so",
    "title:forum                in the headline",
    "Accents and case do not matter; Chinese words of any length are found.",
    "AND, OR and NOT are capitals. Write -- before a query that begins with -.",
    "Without words the filters alone choose, the newest first.",
)


@command(
    "search",
    place=60,
    example="aidivide search '\"shared models\" -robots' --language en --facets outlet,day",
)
@click.argument("words", nargs=-1)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--after", metavar="KEY", help="The next page: the key that the last one printed.")
@click.option(
    "--order", type=click.Choice(ORDERS), help="Default: relevance; without words, newest."
)
@click.option("--unique", is_flag=True, help="One article a story: its origin when it is a hit.")
@click.option("--facets", metavar="NAMES", help=f"Count the hits by: {', '.join(FACETS)}.")
@filter_options
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, safe for spreadsheets.")
@pass_state
def search(
    state: State,
    words: tuple[str, ...],
    limit: int,
    after: str | None,
    order: str | None,
    unique: bool,
    facets: str | None,
    filters: Filters,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Find articles by their words and by filters."""
    from aidivide_archive.archive.queries import Facet, Order, Reader, Search

    text = " ".join(words).strip()
    if not text and filters.is_empty():
        raise click.UsageError("name words to look for, or a filter such as --outlet or --since")
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    asked = Search(
        query=text or None,
        filters=filters,
        order=None if order is None else Order(order),
        limit=limit,
        after=after,
        unique=unique,
        facets=tuple(map(Facet, _facet_names(facets))),
    )
    with Reader(state.location()) as reader:
        found = reader.search(asked)
    _say(found, as_json=as_json, as_csv=as_csv, unique=unique)


search.notes = NOTES


def _facet_names(text: str | None) -> list[str]:
    names = [name.strip().lower() for name in (text or "").split(",") if name.strip()]
    for name in names:
        if name not in FACETS:
            raise click.UsageError(f"no facet {name!r}; there are: {', '.join(FACETS)}")
    return names


def _say(found: Found, *, as_json: bool, as_csv: bool, unique: bool) -> None:
    if as_json:
        more = {
            "total": found.total,
            "is_capped": found.is_capped,
            "next": found.next,
            "facets": {
                name: [{"value": value, "count": count} for value, count in values]
                for name, values in found.facets.items()
            },
        }
        say_json(found.hits, more=more)
        return
    if as_csv:
        _say_csv(found.hits)
    elif found.total:
        _say_hits(found.hits)
        _say_facets(found)
    _note_rest(found, unique=unique)


def _say_csv(hits: Sequence[Row]) -> None:
    from aidivide_archive.export import export_rows, exporter_for
    from aidivide_archive.fields import HITS

    export_rows(exporter_for("csv"), map(_with_marks, hits), HITS, binary_stdout())


def _with_marks(row: Row) -> Row:
    """The hits in the snippet between two stars, as in Markdown."""
    from aidivide_archive.archive.queries.snippets import marked

    return row | {"snippet": marked(str(row["snippet"]), _marks(row), "**", "**")}


def _marks(row: Row) -> list[list[int]]:
    found = row["snippet_marks"]
    assert isinstance(found, list)
    return found


def _say_hits(hits: Sequence[Row]) -> None:
    if not is_terminal():
        columns = ("id", "published", "outlet", "title", "text")
        names = ("title", "snippet")
        rows = [(*_place(row), *(row[name] for name in names)) for row in map(_with_marks, hits)]
        say_table(columns, rows)
        return
    for row in hits:  # a snippet needs the whole width
        say_heading(safe(row["title"] or row["url"]))
        say("  " + safe("  ".join(filter(None, map(str, _place(row))))))
        say_prose(_emphasised(row), first="  ", indent=2)


def _emphasised(row: Row) -> str:
    """The snippet with its hits in bold; each part is made safe first, so that only our escapes are left."""
    shown, parts, last = str(row["snippet"]), [], 0
    for start, end in _marks(row):
        parts += [
            _safe_part(shown[last:start]),
            click.style(_safe_part(shown[start:end]), bold=True),
        ]
        last = end
    return "".join([*parts, _safe_part(shown[last:])])


def _safe_part(text: str) -> str:
    """As `safe`, with the blanks at its ends."""
    if not text.strip():
        return " " if text else ""
    before, after = " " * text[0].isspace(), " " * text[-1].isspace()
    return f"{before}{safe(text)}{after}"


def _place(row: Row) -> tuple[object, ...]:
    return row["id"], shown_time(row), outlet_name(row)


def _say_facets(found: Found) -> None:
    for name, values in found.facets.items():
        say()
        rows = [("(unknown)" if value is None else value, count) for value, count in values]
        say_table((name, "hits"), rows, right=("hits",))


def _note_rest(found: Found, *, unique: bool) -> None:
    if not found.total:
        note("nothing found: try fewer words, or `aidivide status` for what is there")
        return
    if found.next is None and not found.is_capped:
        return
    total = f"{found.total:,}{'+' if found.is_capped else ''}"
    noun = "story" if unique else "hit"
    number = counted(found.total, noun, "stories" if unique else "hits").split(" ", 1)[1]
    words = f"{total} {number}, {len(found.hits)} shown"
    note(words if found.next is None else f"{words}; next page: --after {found.next}")

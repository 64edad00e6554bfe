"""The data-set folder: articles, stories and matches with all that a reader needs to understand and cite them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aidivide_archive.export.columns import codebook
from aidivide_archive.export.formats.jsonl import json_line, write_jsonl
from aidivide_archive.export.formats.spreadsheet import write_csv
from aidivide_archive.export.registry import Context, Row
from aidivide_archive.export.target import ListedFolder
from aidivide_archive.export.texts import one_line
from aidivide_archive.fields import MATCHES, STORIES, Field, Type
from aidivide_archive.urls import parse_id

CSV_NOTE = (
    "\nThe CSV files are made for spreadsheets: they begin with a byte order mark, and a text that would be taken for "
    "a formula has an apostrophe in front. `--raw` leaves both out; the JSON Lines file has the texts as they are.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetRows:
    """The rows of a data set; each call begins anew."""

    articles: Callable[[], Iterator[Row]]
    columns: Sequence[Field]
    stories: Callable[[], Iterator[Row]]
    matches: Callable[[], Iterator[Row]]


class Ids:
    """A set of article or story ids in 8 bytes each; filled first, asked afterwards."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._sorted = True

    def add(self, name: str) -> None:
        self._numbers.append(parse_id(name))
        self._sorted = False

    def __contains__(self, name: object) -> bool:
        if not self._sorted:
            self._numbers = array("q", sorted(self._numbers))
            self._sorted = True
        number = parse_id(str(name))
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: Sequence[Field]
    key: tuple[str, ...]


def write_dataset(folder: ListedFolder, rows: DataSetRows, context: Context) -> int:
    """All files but the manifest; returns the number of articles.

    Stories are those of the articles, with every member; matches are those between the members.
    """
    own_stories, members = Ids(), Ids()
    with folder.file("articles.jsonl") as stream:
        seen = _noted(rows.articles(), "story_id", own_stories)
        count = write_jsonl(seen, rows.columns, stream, context)
    with folder.file("articles.csv") as stream:
        write_csv(rows.articles(), rows.columns, stream, context)
    with folder.file("stories.csv") as stream:
        of_articles = (row for row in rows.stories() if row["story_id"] in own_stories)
        write_csv(_noted(of_articles, "article_id", members), STORIES, stream, context)
    with folder.file("matches.csv") as stream:
        among_members = (
            row for row in rows.matches() if row["a_id"] in members and row["b_id"] in members
        )
        write_csv(among_members, MATCHES, stream, context)
    tables = [
        _Table("articles", rows.columns, ("id",)),
        _Table("stories", STORIES, ("article_id",)),
        _Table("matches", MATCHES, ("a_id", "b_id")),
    ]
    with folder.file("codebook.md") as stream:
        text = codebook([(f"{one.name}.csv", one.columns) for one in tables])
        stream.write((text + ("" if context.raw else CSV_NOTE)).encode())
    _write_citation(folder, context, count)
    _write_datapackage(folder, tables, context)
    return count


def _noted(rows: Iterable[Row], name: str, ids: Ids) -> Iterator[Row]:
    for row in rows:
        if row.get(name):
            ids.add(row[name])
        yield row


def _write_citation(folder: ListedFolder, context: Context, count: int) -> None:
    """CITATION.cff 1.2: how to cite the set."""
    data = next(one for one in folder.files() if one.name == "articles.jsonl")
    title = json_line(f"{one_line(context.title)}: {count} articles").strip()
    lines = [
        "cff-version: 1.2.0",
        'message: "Cite an article by its publisher, and this set as below, with the digest of its articles."',
        "type: dataset",
        f"title: {title}",
        f"authors:\n- name: {json_line(one_line(context.software)).strip()}",
    ]
    if context.made_at:
        lines.append(f'date-released: "{context.made_at[:10]}"')
    lines += [
        "identifiers:",
        f'- type: other\n  value: "sha256:{data.sha256}"\n  description: "SHA-256 of articles.jsonl"',
    ]
    with folder.file("CITATION.cff") as stream:
        stream.write(("\n".join(lines) + "\n").encode())


_FRICTIONLESS: dict[Type, str] = {
    "text": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "time": "datetime",
    "day": "date",
    "list": "string",  # joined with "; "
}


def _write_datapackage(folder: ListedFolder, tables: Sequence[_Table], context: Context) -> None:
    """datapackage.json (Frictionless Data Package 1): each table with its fields, size and digest."""
    written = {one.name: one for one in folder.files()}
    resources = []
    for table in tables:
        file = written[f"{table.name}.csv"]
        resources.append(
            {
                "name": table.name,
                "path": file.name,
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8" if context.raw else "utf-8-sig",
                "bytes": file.size,
                "hash": f"sha256:{file.sha256}",
                "schema": _schema(table),
            }
        )
    lines = written["articles.jsonl"]
    resources.append(
        {
            "name": "articles-jsonl",
            "path": lines.name,
            "format": "jsonl",
            "mediatype": "application/jsonl",
            "encoding": "utf-8",
            "bytes": lines.size,
            "hash": f"sha256:{lines.sha256}",
        }
    )
    package: dict[str, Any] = {
        "profile": "data-package",
        "name": "news-coverage",
        "title": one_line(context.title),
        "description": context.rights,
        "resources": resources,
    }
    if context.made_at:
        package["created"] = context.made_at
    with folder.file("datapackage.json") as stream:
        stream.write(json_line(package).encode())


def _schema(table: _Table) -> dict[str, Any]:
    fields = [
        {"name": one.name, "type": _FRICTIONLESS[one.type], "description": one.description}
        for one in table.columns
    ]
    return {"fields": fields, "primaryKey": list(table.key), "missingValues": [""]}

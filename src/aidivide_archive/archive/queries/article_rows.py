"""Article rows in bulk: the read path of exports.

The chosen ids are read in batches by their keys, so that no database ever sorts texts; times and JSON come as text
from both engines, because building and parsing objects for them took two thirds of the time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents.outlets import Outlets
from aidivide_archive.archive.queries.rows import ARTICLE_FIELDS, Row
from aidivide_archive.archive.queries.selection import Selected
from aidivide_archive.archive.schema import (
    articles,
    captures,
    claims,
    extractions,
    metadata,
    relevance,
    story_members,
    warc_files,
)
from aidivide_archive.archive.sql.expressions import Sql
from aidivide_archive.archive.storage.moments import iso_again, within_an_hour
from aidivide_archive.fields import ARTICLES, ExtractedKey, Field, TableColumn
from aidivide_archive.model import RelevanceDecision
from aidivide_archive.urls import article_id, story_id

_BATCH_ROWS = 250
_BATCH_WORDS = 400_000
"""About 3 MB of text; a longer article is a batch of its own."""
_NO_FIELDS: dict[str, Any] = {}


def iter_selected(
    connection: sa.Connection, selected: Selected, *, rights: bool = False
) -> Iterator[Row]:
    """Article rows of the chosen articles, in their order.

    `rights`: with a field of that name: what page and response state, as `captures.rights` holds it; None: nothing.
    """
    outlets = Outlets(connection)
    event = selected.selection.filters.event
    for places in selected.batches(_BATCH_ROWS, _BATCH_WORDS):
        numbers = selected.ids[places.start : places.stop]
        rows = rows_of(connection, numbers, event, outlets)
        yield from _with_rights(connection, numbers, rows) if rights else rows


def rows_of(
    connection: sa.Connection, numbers: Sequence[int], event: str | None, outlets: Outlets
) -> Iterator[Row]:
    """Article rows of the given ids, in the order given; unknown ids are left out.

    With an event its relevance is shown, else that of the smallest event that did not reject the article, else of
    the smallest.
    """
    wanted = _listed(connection, numbers)
    found = {row[0]: row for row in connection.execute(_statement(connection, wanted)).all()}
    judged = _relevance(connection, wanted, event)
    changed = [row[1] for row in found.values() if row[4] and "modified_at" in row[4]]
    days = _modified_to_the_day(connection, _listed(connection, changed)) if changed else set()
    for number in numbers:
        row = found.pop(number, None)
        if row is not None:
            yield _row(row, judged.get(number, _NOT_JUDGED), row[1] in days, outlets)


def texts_of(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
    """Every text held of some articles, by number and SHA-256."""
    statement = sa.select(
        extractions.c.url_id, extractions.c.text_sha256, extractions.c.text
    ).where(extractions.c.url_id.in_(_listed(connection, numbers)))
    found: dict[int, dict[str, str]] = {}
    for number, digest, text in connection.execute(statement):
        found.setdefault(number, {})[digest] = text
    return found


def _listed(connection: sa.Connection, numbers: Sequence[int]) -> sa.Select[Any]:
    """The numbers as a query of one parameter: a list of bound values takes longer than the rows."""
    if connection.dialect.name == "postgresql":
        several = sa.func.unnest(sa.bindparam(None, list(numbers), sa.ARRAY(sa.BigInteger())))
        return sa.select(several.column_valued("number"))
    each = sa.func.json_each(sa.bindparam(None, json.dumps(list(numbers)), sa.Text()))
    return sa.select(each.table_valued("value").c.value)


def _statement(connection: sa.Connection, wanted: sa.Select[Any]) -> sa.Select[Any]:
    """What rules need of each article, then every field in its order; null where a rule makes it."""
    texts, sql = _Texts(connection), Sql(connection.dialect.name == "sqlite")
    by_rule = {"access": sql.access(), "complete": sql.complete()}
    return (
        sa.select(
            articles.c.id,
            articles.c.extraction_id,
            articles.c.host,
            story_members.c.story_id,
            texts.json(extractions.c.fields),
            texts.exact(articles.c.published_from),
            texts.exact(articles.c.published_to),
            # of the bytes the text was read from, so that it is the date of the WARC record
            texts.second(sa.func.coalesce(captures.c.captured_at, articles.c.captured_at)),
            *(_column(field, texts, by_rule) for field in ARTICLES),
        )
        .select_from(articles)
        .outerjoin(extractions, extractions.c.id == articles.c.extraction_id)
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
        .outerjoin(captures, captures.c.id == extractions.c.capture_id)
        .outerjoin(warc_files, warc_files.c.id == captures.c.warc_file_id)
        .where(articles.c.id.in_(wanted))
    )


def _column(field: Field, texts: _Texts, by_rule: Mapping[str, str]) -> sa.ColumnElement[Any]:
    if not isinstance(field.source, TableColumn):
        return sa.literal_column(by_rule.get(field.name, "NULL"))
    column = metadata.tables[field.source.table].c[field.source.column]
    return texts.second(column) if field.type == "time" else column


def _with_rights(
    connection: sa.Connection, numbers: Sequence[int], rows: Iterator[Row]
) -> Iterator[Row]:
    statement = (
        sa.select(articles.c.id, captures.c.rights)
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .join(captures, captures.c.id == extractions.c.capture_id)
        .where(articles.c.id.in_(_listed(connection, numbers)))
    )
    stated = {article_id(number): rights for number, rights in connection.execute(statement)}
    for row in rows:
        row["rights"] = stated.get(str(row["id"]))
        yield row


class _Texts:
    """The texts of times and JSON values: what SQLite stores; PostgreSQL is asked for the same form."""

    def __init__(self, connection: sa.Connection) -> None:
        self._is_sqlite = connection.dialect.name == "sqlite"

    def json(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        return sa.type_coerce(column, sa.Text()) if self._is_sqlite else sa.cast(column, sa.Text())

    def exact(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """A time to the microsecond."""
        return sa.type_coerce(column, sa.Text()) if self._is_sqlite else _utc(column, "SS.US")

    def second(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        """A time cut to the second, as every row shows it."""
        if self._is_sqlite:
            return sa.func.substr(sa.type_coerce(column, sa.Text()), 1, 19).concat("Z")
        return _utc(column, "SS")


def _utc(column: sa.ColumnElement[Any], seconds: str) -> sa.ColumnElement[str]:
    in_utc = sa.func.timezone("UTC", column)
    return sa.func.to_char(in_utc, f'YYYY-MM-DD"T"HH24:MI:{seconds}"Z"', type_=sa.Text())


_Judged = tuple[str | None, float | None, str | None]
_NOT_JUDGED: _Judged = (None, None, None)


def _relevance(
    connection: sa.Connection, wanted: sa.Select[Any], event: str | None
) -> dict[int, _Judged]:
    """Event, score and decision to show for each article."""
    statement = sa.select(
        relevance.c.url_id, relevance.c.event_id, relevance.c.score, relevance.c.decision
    ).where(relevance.c.url_id.in_(wanted))
    if event is not None:
        statement = statement.where(relevance.c.event_id == event)
    found: dict[int, _Judged] = {}
    ranks: dict[int, tuple[bool, str]] = {}
    for number, name, score, decision in connection.execute(statement):
        rank = (decision == RelevanceDecision.REJECT.value, name)
        if number not in ranks or rank < ranks[number]:
            ranks[number] = rank
            found[number] = (name, score, decision)
    return found


def _modified_to_the_day(connection: sa.Connection, wanted: sa.Select[Any]) -> set[int]:
    """Extractions whose time of change is known to the day only: midnight is never invented."""
    statement = (
        sa.select(claims.c.extraction_id)
        .where(claims.c.extraction_id.in_(wanted), claims.c.field == "modified", claims.c.chosen)
        .group_by(claims.c.extraction_id)
        .having(sa.func.min(claims.c.precision) == "day")
    )
    return set(connection.scalars(statement))


_RULE_VALUES = 8
"""Values of `_statement` that stand before those of the fields."""
_KEYS = tuple(
    (one.name, one.source.key, one.type == "list")
    for one in ARTICLES
    if isinstance(one.source, ExtractedKey)
)


def _row(found: Sequence[Any], judged: _Judged, modified_to_the_day: bool, outlets: Outlets) -> Row:
    number, _, host, story, fields_text, start, end, captured_at = found[:_RULE_VALUES]
    fields = _NO_FIELDS if fields_text in (None, "{}") else json.loads(fields_text)
    get = fields.get
    row: Row = dict(zip(ARTICLE_FIELDS, found[_RULE_VALUES:], strict=True))
    for name, key, is_list in _KEYS:
        row[name] = get(key, []) if is_list else get(key)
    row["id"] = article_id(number)
    row["event"], row["relevance_score"], row["relevance_decision"] = judged
    row["outlet"], row["country"] = outlets.of(judged[0], host)
    row["published_at"] = row["published_from"] if within_an_hour(start, end) else None
    row["modified_at"] = None if modified_to_the_day else iso_again(get("modified_at"))
    row["story_id"] = None if story is None else story_id(story)
    row["captured_at"] = captured_at
    row["complete"] = None if row["complete"] is None else bool(row["complete"])
    return row

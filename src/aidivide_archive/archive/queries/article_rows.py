"""Article rows in bulk: the read path of exports.

The chosen ids are read in batches by their keys, so that no database ever sorts texts; times and JSON come as text
from both engines, because building and parsing objects for them took two thirds of the time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents.outlets import Outlets
from aidivide_archive.archive.queries.rows import Row
from aidivide_archive.archive.queries.selection import Selected
from aidivide_archive.archive.schema import (
    articles,
    captures,
    claims,
    extractions,
    relevance,
    story_members,
    warc_files,
)
from aidivide_archive.archive.storage.moments import iso_again, within_an_hour
from aidivide_archive.archive.storage.types import UtcTime
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
    changed = [row[1] for row in found.values() if row[14] and "modified_at" in row[14]]
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
    text = _as_text(connection)
    return (
        sa.select(
            articles.c.id,
            articles.c.extraction_id,
            articles.c.url,
            articles.c.site,
            articles.c.title,
            articles.c.language,
            text(articles.c.published_from),
            text(articles.c.published_to),
            articles.c.published_source,
            articles.c.word_count,
            articles.c.text_sha256,
            # of the bytes the text was read from, so that it is the date of the WARC record
            text(sa.func.coalesce(captures.c.captured_at, articles.c.captured_at)),
            articles.c.host,
            extractions.c.text,
            text(extractions.c.fields),
            story_members.c.story_id,
            story_members.c.role,
            warc_files.c.name,
            captures.c.warc_offset,
        )
        .select_from(articles)
        .outerjoin(extractions, extractions.c.id == articles.c.extraction_id)
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
        .outerjoin(captures, captures.c.id == extractions.c.capture_id)
        .outerjoin(warc_files, warc_files.c.id == captures.c.warc_file_id)
        .where(articles.c.id.in_(wanted))
    )


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


class _as_text:  # noqa: N801  # reads as the function it is
    """The stored text of a time or a JSON value: what SQLite keeps; PostgreSQL is asked for the same form."""

    def __init__(self, connection: sa.Connection) -> None:
        self._cast = connection.dialect.name == "postgresql"

    def __call__(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
        if not self._cast:
            return sa.type_coerce(column, sa.Text())
        if isinstance(column.type, UtcTime):
            in_utc = sa.func.timezone("UTC", column)
            return sa.func.to_char(in_utc, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=sa.Text())
        return sa.cast(column, sa.Text())


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


def _second(stored: str | None) -> str | None:
    """The text of a time, cut to the second as every row shows it."""
    return None if stored is None else f"{stored[:19]}Z"


def _row(row: Sequence[Any], judged: _Judged, modified_to_the_day: bool, outlets: Outlets) -> Row:
    (
        number, _, url, site, title, language, published_from, published_to, published_source,
        word_count, text_sha256, captured_at, host, text, fields_text, story, role, warc_file,
        warc_offset,
    ) = row  # fmt: skip
    fields = _NO_FIELDS if fields_text in (None, "{}") else json.loads(fields_text)
    get = fields.get
    event, score, decision = judged
    outlet, country = outlets.of(event, host)
    start = _second(published_from)
    return {
        "id": article_id(number),
        "url": url,
        "canonical_url": get("canonical_url"),
        "site": site,
        "outlet": outlet,
        "country": country,
        "title": title,
        "authors": get("authors", []),
        "published_at": start if within_an_hour(published_from, published_to) else None,
        "published_from": start,
        "published_to": _second(published_to),
        "published_source": published_source,
        "modified_at": None if modified_to_the_day else iso_again(get("modified_at")),
        "language": language,
        "section": get("section"),
        "description": get("description"),
        "image_url": get("image_url"),
        "image_caption": get("image_caption"),
        "word_count": word_count,
        "text": text,
        "text_sha256": text_sha256,
        "relevance_score": score,
        "relevance_decision": decision,
        "story_id": None if story is None else story_id(story),
        "role": role,
        "captured_at": _second(captured_at),
        "warc_file": warc_file,
        "warc_offset": warc_offset,
        "event": event,
        "withheld": get("withheld"),
    }

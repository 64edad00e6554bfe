"""Does the archive hold what it promises? Plain questions to its rows and files; what is wrong comes back as a damage.

`row_damages` computes rows again, `record_damages` reads the WARC files, `ingest.verify` reads the pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents import full_text
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.queries.listings import stream
from aidivide_archive.archive.schema import (
    articles,
    captures,
    extractions,
    matches,
    metadata,
    revisions,
    signatures,
    stories,
    story_members,
    urls,
    warc_files,
)
from aidivide_archive.archive.storage.types import OneOf
from aidivide_archive.model import Reason, UrlKind, UrlState
from aidivide_archive.urls import article_id, story_id

SHOWN = 20
"""Damages of one check that are listed one by one; the others are counted."""
_ARTICLE_REASONS = (Reason.KEPT, Reason.REVIEW, Reason.IMPORTED)
REBUILD = "run `aidivide copies rebuild`"
REPROCESS = "run `aidivide reprocess`"
RESTORE = "restore the file from a copy, or `aidivide merge` an archive that has the page"
RESTORE_ROWS = "restore the database from a copy; the WARC files can be imported into a new archive"
_ADVICE = {
    "no_story": REBUILD,
    "no_signature": REBUILD,
    "story_members": REBUILD,
    "match_order": REBUILD,
    "warc_missing": RESTORE,
    "warc_short": RESTORE,
    "text_digest": REPROCESS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing that is not as it was written."""

    check: str
    """Slug of the check that found it: "foreign_key", "record_damaged", "text_digest" …"""
    subject: str
    """URL, id or file."""
    detail: str
    """What is wrong, and what it touches."""
    advice: str
    """What to do about it."""


def integrity(reader: Reader) -> list[Damage]:
    """What is wrong, check by check, the first of each; empty for a sound archive. Raises StoreError."""
    folder = reader.location.warc_directory
    return _shortened(reader.ask(lambda connection: list(plain_damages(connection, folder))))


def plain_damages(connection: sa.Connection, warc_directory: Path) -> Iterator[Damage]:
    """Everything that is wrong, as far as plain questions to the rows and the sizes of the files can tell."""
    for check in (
        _database(connection),
        _values(connection),
        _articles(connection),
        _pages(connection),
        _stories(connection),
        _matches(connection),
        _files(connection, warc_directory),
    ):
        yield from check


def _damage(check: str, subject: str, detail: str) -> Damage:
    advice = _ADVICE.get(check, RESTORE_ROWS)
    return Damage(check=check, subject=subject, detail=detail, advice=advice)


def _shortened(damages: list[Damage]) -> list[Damage]:
    counts: dict[str, int] = {}
    kept = []
    for damage in damages:
        counts[damage.check] = counts.get(damage.check, 0) + 1
        if counts[damage.check] <= SHOWN:
            kept.append(damage)
    kept.extend(
        _damage(check, "…", f"and {count - SHOWN} more")
        for check, count in counts.items()
        if count > SHOWN
    )
    return kept


def _database(connection: sa.Connection) -> Iterator[Damage]:
    """What the engine itself can say. PostgreSQL enforces its foreign keys and sums its pages."""
    if connection.dialect.name != "sqlite":
        return
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield _damage("database", "archive.db", " ".join(str(line).split()))
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield _damage("foreign_key", f"{row[0]} row {row[1]}", f"points to no row of {row[2]}")


def _values(connection: sa.Connection) -> Iterator[Damage]:
    """Words in the place of an enum's value that no program of this version writes."""
    for table in metadata.sorted_tables:
        for column in table.c:
            if not isinstance(column.type, OneOf):
                continue
            word = sa.type_coerce(column, sa.Text())
            known = [member.value for member in column.type.values]
            statement = sa.select(*table.primary_key.columns, word.label("word"))
            for row in stream(connection, statement.where(word.not_in(known))):
                key = " ".join(map(str, tuple(row)[:-1]))
                detail = f"{column.name} {row.word!r} is no {column.type.values.__name__}"
                yield _damage("unknown_value", f"{table.name} row {key}", detail)


def _articles(connection: sa.Connection) -> Iterator[Damage]:
    numbers = sa.select(articles.c.id)
    absent = {
        "extraction": ~sa.exists().where(extractions.c.id == articles.c.extraction_id),
        "revision": ~sa.exists().where(
            revisions.c.article_id == articles.c.id, revisions.c.number == articles.c.revision
        ),
        "signature": ~sa.exists().where(signatures.c.article_id == articles.c.id),
        "story": ~sa.exists().where(story_members.c.article_id == articles.c.id),
        "full_text": articles.c.id.not_in(full_text.indexed_ids(connection)),
    }
    for name, missing in absent.items():
        for row in stream(connection, numbers.where(missing).order_by(articles.c.id)):
            yield _damage(f"no_{name}", article_id(row.id), f"the article has no {name}")
    differs = (
        numbers.join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .where(articles.c.text_sha256 != extractions.c.text_sha256)
        .order_by(articles.c.id)
    )
    for row in stream(connection, differs):
        yield _damage("text_digest", article_id(row.id), "is not the digest of the text shown")


def _pages(connection: sa.Connection) -> Iterator[Damage]:
    has_article = sa.exists().where(articles.c.id == urls.c.id)
    done = urls.c.state == UrlState.DONE.value
    lost = sa.select(urls.c.url).where(
        done,
        urls.c.kind == UrlKind.PAGE.value,
        urls.c.reason.in_([reason.value for reason in _ARTICLE_REASONS]),
        ~has_article,
    )
    for row in stream(connection, lost.order_by(urls.c.id)):
        yield _damage("no_article", row.url, "is done and kept, but has no article")
    for row in stream(connection, sa.select(urls.c.url).where(has_article, ~done)):
        yield _damage("not_done", row.url, "has an article, but is not done")


def _stories(connection: sa.Connection) -> Iterator[Damage]:
    members = (
        sa.select(
            story_members.c.story_id,
            sa.func.min(story_members.c.article_id).label("smallest"),
            sa.func.count().label("size"),
        )
        .group_by(story_members.c.story_id)
        .subquery()
    )
    wrong = (
        sa.select(stories.c.id, stories.c.size, members.c.smallest, members.c.size.label("found"))
        .select_from(stories)
        .outerjoin(members, members.c.story_id == stories.c.id)
        .where(
            sa.or_(
                members.c.size.is_(None),
                members.c.size != stories.c.size,
                members.c.smallest != stories.c.id,
            )
        )
        .order_by(stories.c.id)
    )
    for row in stream(connection, wrong):
        yield _damage(
            "story_members",
            story_id(row.id),
            f"says {row.size} members, has {row.found or 0}, or its id is not its smallest member's",
        )


def _matches(connection: sa.Connection) -> Iterator[Damage]:
    left, right = articles.alias("a"), articles.alias("b")
    pairs = (
        sa.select(matches.c.a_id, matches.c.b_id, left.c.url, right.c.url.label("other"))
        .select_from(matches)
        .join(left, left.c.id == matches.c.a_id)
        .join(right, right.c.id == matches.c.b_id)
    )
    for row in stream(connection, pairs):  # compared here: the databases' locales may differ
        if (row.url, row.a_id) > (row.other, row.b_id):
            yield _damage("match_order", article_id(row.a_id), "a is not the smaller URL")


def _files(connection: sa.Connection, folder: Path) -> Iterator[Damage]:
    ends = (
        sa.select(
            captures.c.warc_file_id,
            sa.func.max(captures.c.warc_offset + captures.c.warc_length).label("end"),
        )
        .group_by(captures.c.warc_file_id)
        .subquery()
    )
    statement: sa.Select[Any] = (
        sa.select(warc_files.c.name, warc_files.c.committed_bytes, ends.c.end)
        .select_from(warc_files)
        .outerjoin(ends, ends.c.warc_file_id == warc_files.c.id)
        .order_by(warc_files.c.id)
    )
    for row in connection.execute(statement):
        yield from _file(row, folder)


def _file(row: sa.Row[Any], folder: Path) -> Iterator[Damage]:
    needed = max(row.committed_bytes, row.end or 0)
    try:
        size = (folder / row.name).stat().st_size
    except OSError as error:
        if needed:  # a run that fetched nothing may have lost its empty file
            yield _damage("warc_missing", row.name, f"cannot be read: {error.strerror}")
        return
    if size < needed:
        yield _damage("warc_short", row.name, f"has {size} bytes, records reach to {needed}")
    if (row.end or 0) > row.committed_bytes:
        yield _damage("warc_uncommitted", row.name, "holds a record past its committed length")

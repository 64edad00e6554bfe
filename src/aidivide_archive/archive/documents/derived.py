"""Texts that settling makes of others: which extraction an article shows, and what that was made from.

An article's *base* is its text as extracted from its own capture. What is shown may be joined from
the pages of the article (`+p` and a digest) and lack what its site repeats (`+t` and a digest).
Such rows can be made again: only the one that is shown is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.archive.schema import articles, claims, extractions

_SUFFIX = re.compile(r"(?:\+p[0-9a-f]{12})?(?:\+t[0-9a-f]{12})?$")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of an article when its document comes again."""

    revision: int
    captured_at: datetime
    title: str | None
    extraction_id: int
    """Of the text shown."""
    version: str
    """Of the base."""
    text_sha256: str
    """Of the base."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which extraction an article shows, and which is its base; often the same."""

    article_id: int
    shown_id: int
    shown_version: str
    base_id: int


def base_version(version: str) -> str:
    """The version of the extraction that a shown text was made from; others are their own."""
    return _SUFFIX.sub("", version)


def is_derived(version: str) -> bool:
    return base_version(version) != version


def derived_suffix(version: str) -> str:
    """What settling added to a version; empty for a base."""
    return version[len(base_version(version)) :]


def shown(connection: sa.Connection, ids: Sequence[int]) -> dict[int, Shown]:
    """Those of these URLs that are articles, by id."""
    rows = connection.execute(
        sa.select(
            articles.c.id, articles.c.revision, articles.c.captured_at, articles.c.title
        ).where(articles.c.id.in_(ids))
    ).all()
    if not rows:
        return {}
    standing = {pair.article_id: pair for pair in standing_of(connection, [row.id for row in rows])}
    bases = {
        row.id: row
        for row in connection.execute(
            sa.select(extractions.c.id, extractions.c.version, extractions.c.text_sha256).where(
                extractions.c.id.in_([pair.base_id for pair in standing.values()])
            )
        )
    }
    return {
        row.id: Shown(
            revision=row.revision,
            captured_at=row.captured_at,
            title=row.title,
            extraction_id=standing[row.id].shown_id,
            version=bases[standing[row.id].base_id].version,
            text_sha256=bases[standing[row.id].base_id].text_sha256,
        )
        for row in rows
    }


def drop_derived(connection: sa.Connection, extraction_id: int) -> None:
    """Delete an extraction that is no longer shown, if it was made from another: it can be made again."""
    version = connection.scalar(
        sa.select(extractions.c.version).where(extractions.c.id == extraction_id)
    )
    if version is not None and is_derived(version):
        connection.execute(sa.delete(claims).where(claims.c.extraction_id == extraction_id))
        connection.execute(sa.delete(extractions).where(extractions.c.id == extraction_id))


def standing_of(connection: sa.Connection, ids: Sequence[int]) -> Iterator[Standing]:
    """Articles by id with the numbers of their extractions.

    Of imported texts, which have no capture, the newest base is the newest revision's.
    """
    rows = connection.execute(
        sa.select(
            articles.c.id,
            articles.c.extraction_id,
            extractions.c.version,
            extractions.c.capture_id,
        )
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .where(articles.c.id.in_(ids))
        .order_by(articles.c.id)
    ).all()
    derived = [row.id for row in rows if is_derived(row.version)]
    bases = {
        (row.url_id, row.capture_id, row.version): row.id
        for row in connection.execute(
            sa.select(
                extractions.c.id,
                extractions.c.url_id,
                extractions.c.capture_id,
                extractions.c.version,
            )
            .where(extractions.c.url_id.in_(derived))
            .order_by(extractions.c.id)
        )
    }
    for row in rows:
        base_id = row.extraction_id
        if is_derived(row.version):
            base_id = bases[(row.id, row.capture_id, base_version(row.version))]
        yield Standing(row.id, row.extraction_id, row.version, base_id)

"""Everything the archive knows of one document, and of one story."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents.outlets import Outlets
from aidivide_archive.archive.queries.article_rows import rows_of
from aidivide_archive.archive.queries.listings import (
    match_row,
    match_statement,
)
from aidivide_archive.archive.queries.rows import Row, evidence_fields
from aidivide_archive.archive.schema import (
    articles,
    captures,
    claims,
    clutter_rules,
    discoveries,
    extractions,
    matches,
    observations,
    relevance,
    revisions,
    stories,
    story_aliases,
    story_members,
    urls,
    warc_files,
)
from aidivide_archive.archive.storage.moments import instant, iso
from aidivide_archive.urls import article_id, line_id, story_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleDetail:
    """One URL of the ledger with everything that hangs on it; times as in exports."""

    ledger: Row
    """`id, url, state, reason, detail, kind, depth, attempts, first_seen_at, finished_at`."""
    article: Row | None
    """The article row; None for a document that is no article."""
    claims: tuple[Row, ...]
    relevance: tuple[Row, ...]
    """One for each event that judged the document, with its groups as evidence."""
    revisions: tuple[Row, ...]
    captures: tuple[Row, ...]
    discoveries: tuple[Row, ...]
    visits: tuple[Row, ...]
    cuts: tuple[Row, ...]
    """Lines cut as clutter from the text shown: `position, text, reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryDetail:
    """One story with its members and the matches between them."""

    id: str
    former_id: str | None
    """The id asked for, when it is an alias of this story."""
    members: tuple[Row, ...]
    """By publication, unknown last: the story row with `evidence, title, site, outlet, published_at, language,
    word_count`. `evidence`: what `reasons` says, as objects with `kind` and its numbers and names."""
    candidates: tuple[Row, ...]
    """Its members as candidates for the origin, the likeliest first: `rank, article_id, url, outlet, points, reasons, evidence`;
    none for a story of one, and until a story of a former version is settled."""
    matches: tuple[Row, ...]


def article(connection: sa.Connection, number: int) -> ArticleDetail | None:
    """A document by the number of its id; None when the ledger does not know it."""
    ledger = connection.execute(sa.select(urls).where(urls.c.id == number)).first()
    if ledger is None:
        return None
    statement = sa.select(articles.c.extraction_id).where(articles.c.id == number)
    extraction_id = connection.scalar(statement)
    return ArticleDetail(
        ledger=_ledger_row(ledger),
        article=next(rows_of(connection, [number], None, Outlets(connection)), None),
        claims=_claims(connection, extraction_id),
        relevance=_relevance(connection, number),
        revisions=_revisions(connection, number),
        captures=_captures(connection, number),
        discoveries=_discoveries(connection, number),
        visits=_visits(connection, number),
        cuts=_cuts(connection, extraction_id),
    )


def _ledger_row(row: sa.Row[Any]) -> Row:
    return {
        "id": article_id(row.id),
        "url": row.url,
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "kind": row.kind,
        "depth": row.depth,
        "attempts": row.attempts,
        "first_seen_at": iso(row.first_seen_at),
        "finished_at": iso(row.finished_at),
    }


def _rows(found: Iterable[sa.Row[Any]]) -> tuple[Row, ...]:
    """Rows as they are, times as text."""
    return tuple(
        {
            name: iso(value) if isinstance(value, datetime) else value
            for name, value in row._mapping.items()  # noqa: SLF001  # SQLAlchemy's public name
        }
        for row in found
    )


def _claims(connection: sa.Connection, extraction_id: int | None) -> tuple[Row, ...]:
    names = ("field", "value", "raw", "source", "confidence", "chosen", "time_from", "time_to")
    columns = [claims.c[name] for name in (*names, "offset_minutes", "precision")]
    return _rows(
        connection.execute(
            sa.select(*columns)
            .where(claims.c.extraction_id == extraction_id)
            .order_by(claims.c.position)
        )
    )


def _relevance(connection: sa.Connection, number: int) -> tuple[Row, ...]:
    names = ("event_id", "score", "decision", "reason", "groups", "version", "title")
    columns = [relevance.c[name] for name in (*names, "published_from", "judged_at")]
    found = _rows(connection.execute(sa.select(*columns).where(relevance.c.url_id == number)))
    return tuple(sorted(found, key=lambda row: str(row["event_id"])))


def _revisions(connection: sa.Connection, number: int) -> tuple[Row, ...]:
    return _rows(
        connection.execute(
            sa.select(
                revisions.c.number,
                revisions.c.seen_at,
                revisions.c.title,
                revisions.c.text_sha256,
                extractions.c.word_count,
            )
            .join_from(revisions, extractions, extractions.c.id == revisions.c.extraction_id)
            .where(revisions.c.article_id == number)
            .order_by(revisions.c.number)
        )
    )


def _captures(connection: sa.Connection, number: int) -> tuple[Row, ...]:
    names = ("captured_at", "status", "content_type", "payload_sha256", "payload_bytes")
    more = ("completeness", "warc_offset", "warc_length", "ip_address", "robots", "rights")
    columns = [captures.c[name] for name in (*names, *more)]
    return _rows(
        connection.execute(
            sa.select(*columns, warc_files.c.name.label("warc_file"))
            .join_from(captures, warc_files, warc_files.c.id == captures.c.warc_file_id)
            .where(captures.c.url_id == number)
            .order_by(captures.c.captured_at, captures.c.id)
        )
    )


def _discoveries(connection: sa.Connection, number: int) -> tuple[Row, ...]:
    source = urls.alias("source")
    return _rows(
        connection.execute(
            sa.select(
                discoveries.c.channel,
                source.c.url.label("from_url"),
                discoveries.c.event_id,
                discoveries.c.crawl_id,
                discoveries.c.seen_at,
                discoveries.c.hint,
            )
            .select_from(discoveries)
            .outerjoin(source, source.c.id == discoveries.c.from_id)
            .where(discoveries.c.url_id == number)
            .order_by(discoveries.c.crawl_id, discoveries.c.channel, discoveries.c.from_id)
        )
    )


def _visits(connection: sa.Connection, number: int) -> tuple[Row, ...]:
    columns = [observations.c[name] for name in ("observed_at", "outcome", "detail", "crawl_id")]
    return _rows(
        connection.execute(
            sa.select(*columns).where(observations.c.url_id == number).order_by(observations.c.id)
        )
    )


def _cuts(connection: sa.Connection, extraction_id: int | None) -> tuple[Row, ...]:
    found = connection.scalar(
        sa.select(extractions.c.cuts).where(extractions.c.id == extraction_id)
    )
    return tuple(found or ())


def clutter(connection: sa.Connection, site_name: str) -> list[Row]:
    """What a site repeats, the most frequent first: `id, line, pages, status`."""
    rows = connection.execute(sa.select(clutter_rules).where(clutter_rules.c.site == site_name))
    return [
        {
            "id": line_id(row.line_hash),
            "line": row.sample,
            "pages": row.pages,
            "status": row.status,
        }
        for row in sorted(rows, key=lambda row: (-row.pages, row.sample))
    ]


def has_site(connection: sa.Connection, site_name: str) -> bool:
    """Whether the archive has an article of the site."""
    found = sa.select(sa.exists().where(articles.c.site == site_name))
    return bool(connection.scalar(found))


# --- stories -------------------------------------------------------------------------------------


def story(connection: sa.Connection, number: int) -> StoryDetail | None:
    """A story by the number of its id, of a former id, or of any of its articles; None: there is none."""
    current = _current_story(connection, number)
    if current is None:
        return None
    rows = _member_rows(connection, current)
    outlets = Outlets(connection)
    return StoryDetail(
        id=story_id(current),
        former_id=None if current == number else story_id(number),
        members=tuple(_member_row(row, outlets) for row in rows),
        candidates=tuple(
            _candidate_row(row, outlets)
            for row in sorted(rows, key=lambda row: row.origin_rank or 0)
            if row.origin_rank is not None
        ),
        matches=_matches_inside(connection, current),
    )


def _current_story(connection: sa.Connection, number: int) -> int | None:
    """A story's own id first, then an alias; every article has one story, and ids are never shared."""
    for statement in (
        sa.select(stories.c.id).where(stories.c.id == number),
        sa.select(story_aliases.c.story_id).where(story_aliases.c.id == number),
        sa.select(story_members.c.story_id).where(story_members.c.article_id == number),
    ):
        found = connection.scalar(statement)
        if found is not None:
            return int(found)
    return None


def _member_rows(connection: sa.Connection, number: int) -> Sequence[sa.Row[Any]]:
    statement = (
        sa.select(story_members, articles, urls.c.host)
        .join_from(story_members, articles, articles.c.id == story_members.c.article_id)
        .join(urls, urls.c.id == articles.c.id)
        .where(story_members.c.story_id == number)
        .order_by(articles.c.published_from.asc().nulls_last(), articles.c.id)
    )
    return connection.execute(statement).all()


def _candidate_row(row: sa.Row[Any], outlets: Outlets) -> Row:
    return {
        "rank": row.origin_rank,
        "article_id": article_id(row.article_id),
        "url": row.url,
        "outlet": outlets.of(None, row.host)[0],
        "points": row.origin_points,
        **evidence_fields(row.origin_reasons),
    }


def _member_row(row: sa.Row[Any], outlets: Outlets) -> Row:
    return {
        "story_id": story_id(row.story_id),
        "url": row.url,
        "article_id": article_id(row.article_id),
        "role": row.role,
        "share_copied": row.share_copied,
        "published_from": iso(row.published_from),
        "published_to": iso(row.published_to),
        "hours_after_origin": row.hours_after_origin,
        "confidence": row.confidence,
        **evidence_fields(row.reasons),
        "title": row.title,
        "site": row.site,
        "outlet": outlets.of(None, row.host)[0],
        "published_at": instant(row.published_from, row.published_to),
        "language": row.language,
        "word_count": row.word_count,
        "published_day": row.published_day,
    }


def _matches_inside(connection: sa.Connection, number: int) -> tuple[Row, ...]:
    member = sa.select(story_members.c.article_id).where(story_members.c.story_id == number)
    statement = match_statement().where(matches.c.a_id.in_(member), matches.c.b_id.in_(member))
    return tuple(match_row(row) for row in connection.execute(statement))

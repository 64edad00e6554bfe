"""Deleting the rows of what is purged, and pointing those that stay at the rewritten files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.archive.documents import full_text, matching
from aidivide_archive.archive.ledger.endings import PURGED, end_ids
from aidivide_archive.archive.schema import (
    articles,
    captures,
    claims,
    clutter_rules,
    discoveries,
    extractions,
    judgements,
    matches,
    observations,
    relevance,
    revisions,
    stories,
    story_members,
    tombstones,
    warc_files,
)
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.dialects import overwrite_deleted, upsert
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.upkeep.purge_plan import Target


def delete(connection: sa.Connection, target: Target, ids: Sequence[int], now: datetime) -> None:
    overwrite_deleted(connection)
    for chunk in chunks(ids):
        _delete_articles(connection, chunk)
        of_url = extractions.c.url_id.in_(chunk)
        numbers = sa.select(extractions.c.id).where(of_url)
        connection.execute(sa.delete(claims).where(claims.c.extraction_id.in_(numbers)))
        connection.execute(sa.delete(extractions).where(of_url))
        for table in (relevance, observations, captures, discoveries):
            connection.execute(sa.delete(table).where(table.c.url_id.in_(chunk)))
        connection.execute(  # what a purged feed said of other pages is its words
            sa.update(discoveries).where(discoveries.c.from_id.in_(chunk)).values(hint=None)
        )
        connection.execute(
            sa.delete(judgements).where(
                sa.or_(judgements.c.a_id.in_(chunk), judgements.c.b_id.in_(chunk))
            )
        )
        end_ids(connection, PURGED, now, chunk)
    if target.is_site:
        connection.execute(sa.delete(clutter_rules).where(clutter_rules.c.site == target.tombstone))


def _delete_articles(connection: sa.Connection, ids: Sequence[int]) -> None:
    matching.drop_signatures(connection, ids)
    full_text.write(connection, gone=full_text.indexed(connection, ids))
    connection.execute(
        sa.delete(matches).where(sa.or_(matches.c.a_id.in_(ids), matches.c.b_id.in_(ids)))
    )
    connection.execute(sa.delete(story_members).where(story_members.c.article_id.in_(ids)))
    # Settling makes the stories anew; until then each needs an origin that is still there.
    left = sa.select(sa.func.min(story_members.c.article_id)).where(
        story_members.c.story_id == stories.c.id
    )
    orphaned = stories.c.origin_id.in_(ids)
    has_members = sa.exists().where(story_members.c.story_id == stories.c.id)
    connection.execute(sa.delete(stories).where(orphaned, ~has_members))
    connection.execute(sa.update(stories).where(orphaned).values(origin_id=left.scalar_subquery()))
    connection.execute(sa.delete(revisions).where(revisions.c.article_id.in_(ids)))
    connection.execute(sa.delete(articles).where(articles.c.id.in_(ids)))


def move(
    connection: sa.Connection,
    location: Location,
    file_id: int,
    new_name: str,
    places: dict[int, tuple[int, int]],
) -> None:
    """Point the remaining captures of a file, and its row, to the rewritten file."""
    rows = connection.execute(
        sa.select(captures.c.id, captures.c.warc_offset).where(captures.c.warc_file_id == file_id)
    ).all()
    changes = [
        {"capture": row.id, "offset": places[row.warc_offset][0]}
        for row in rows
        if row.warc_offset in places
    ]
    if changes:
        connection.execute(
            sa.update(captures)
            .where(captures.c.id == sa.bindparam("capture"))
            .values(warc_offset=sa.bindparam("offset")),
            changes,
        )
    connection.execute(
        sa.update(warc_files)
        .where(warc_files.c.id == file_id)
        .values(name=new_name, committed_bytes=(location.warc_directory / new_name).stat().st_size)
    )


def bury(connection: sa.Connection, target: Target, reason: str | None, now: datetime) -> None:
    statement = upsert(connection, tombstones).values(
        target=target.tombstone, purged_at=now, reason=reason
    )
    connection.execute(
        statement.on_conflict_do_nothing()
        if reason is None
        else statement.on_conflict_do_update(index_elements=["target"], set_={"reason": reason})
    )

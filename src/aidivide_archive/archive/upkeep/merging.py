"""Join another archive into this one. OTHER is opened read-only, and nothing that can be recomputed is taken from it.

Rows are matched by what they stand for, never by their numbers: a capture by URL, instant and body; an extraction by capture
and version; a run by owner and start. What both archives have is decided by the rows alone, so that merging A into B
gives what merging B into A gives. Signatures, matches and stories are computed again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.ledger.runs import live_runs
from aidivide_archive.archive.schema import (
    stories,
    story_aliases,
    tombstones,
)
from aidivide_archive.archive.settling.settlement import Settled, settle
from aidivide_archive.archive.storage.dialects import distrust
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.store import Archive
from aidivide_archive.archive.upkeep import merged_articles, merged_rows
from aidivide_archive.archive.upkeep.integrity import plain_damages
from aidivide_archive.archive.upkeep.merged_files import CopiedFile, copy_files
from aidivide_archive.archive.upkeep.purge_plan import Target
from aidivide_archive.archive.upkeep.purging import purge
from aidivide_archive.exceptions import (
    ArchiveError,
    ArchiveLockedError,
    InvalidURLError,
    StoreError,
)
from aidivide_archive.urls import site

_NOT_MERGED = (
    "database",
    "foreign_key",
    "no_extraction",
    "text_digest",
    "warc_missing",
    "warc_short",
)
"""Damages of OTHER that a merge would carry over; what the others touch is made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge brought in, in rows that were not here before."""

    urls: int
    captures: int
    articles: int
    """New ones, and those whose shown text or revisions changed."""
    judgements: int
    purged: int
    """Tombstones of OTHER that were obeyed here."""
    settled: Settled


def merge(archive: Archive, other: Location) -> Merged:
    """Merge into an archive whose run has begun; on PostgreSQL no other run may be under way. Raises ArchiveError."""
    _refuse_itself(archive.location, other)
    busy = archive.submit(lambda c: live_runs(c, besides=archive.run.crawl_id)).result()
    if busy:
        raise ArchiveLockedError(
            f"run {busy[0][0]} ({busy[0][1]}) is writing {archive.location.shown()}: merge when it has ended"
        )
    engine = read_engine(other)
    try:
        with engine.connect() as theirs:
            distrust(theirs)
            return _merge(archive, other, theirs)
    except (TypeError, ValueError, KeyError, OverflowError, sa.exc.SQLAlchemyError) as error:
        if isinstance(error, ArchiveError):
            raise
        words = " ".join(str(error).split())[:200]
        raise StoreError(
            f"{other.shown()} holds rows that this program does not write ({type(error).__name__}: {words}): "
            "see `aidivide verify` there; nothing was merged"
        ) from None
    finally:
        engine.dispose()


def _refuse_itself(here: Location, other: Location) -> None:
    same_rows = here.database_url is not None and here.database_url == other.database_url
    same_place = here.directory.resolve() == other.directory.resolve()
    if same_rows or same_place:
        raise StoreError(f"{other.shown()} is this archive itself: name another one")


def _merge(archive: Archive, other: Location, theirs: sa.Connection) -> Merged:
    for damage in plain_damages(theirs, other.warc_directory):
        if damage.check in _NOT_MERGED:
            raise StoreError(
                f"{other.shown()} is damaged ({damage.check}: {damage.subject}): "
                "see `aidivide verify` there; nothing was merged"
            )
    purged = set(theirs.scalars(sa.select(tombstones.c.target)))
    purged |= archive.submit(lambda c: set(c.scalars(sa.select(tombstones.c.target)))).result()
    copied: dict[int, CopiedFile] = {}
    try:
        copy_files(archive, other, theirs, purged, copied)
        done = archive.submit(lambda c: _rows(c, theirs, copied, purged)).result()
    except BaseException:
        for file in copied.values():
            (archive.location.warc_directory / file.name).unlink(missing_ok=True)
        raise
    obeyed = _obey_tombstones(
        archive, theirs
    )  # last: nothing is taken away for a merge that is refused
    if obeyed:
        done = replace(done, purged=obeyed, settled=archive.settle().result())
    return done


def _rows(
    ours: sa.Connection, theirs: sa.Connection, copied: dict[int, CopiedFile], purged: set[str]
) -> Merged:
    numbers = merged_rows.Numbers(purged=purged)
    merged_rows.merge_events(ours, theirs)
    merged_rows.merge_runs(ours, theirs, numbers)
    new_urls = merged_rows.merge_urls(ours, theirs, numbers)
    merged_rows.merge_discoveries(ours, theirs, numbers)
    new_captures = merged_rows.merge_captures(ours, theirs, numbers, copied)
    merged_rows.merge_observations(ours, theirs, numbers)
    changed = merged_articles.merge(ours, theirs, numbers.captures, numbers.gone)
    merged_rows.merge_relevance(ours, theirs, numbers)
    judgement_count = merged_rows.merge_judgements(ours, theirs, numbers)
    merged_rows.merge_line_rules(ours, theirs)
    former = set(theirs.scalars(sa.select(stories.c.id)))
    former |= set(theirs.scalars(sa.select(story_aliases.c.id)))
    targets = {row.id: row.story_id for row in theirs.execute(sa.select(story_aliases))}
    settled = settle(ours)
    merged_rows.keep_former_ids(ours, former, targets)
    return Merged(
        urls=new_urls,
        captures=new_captures,
        articles=changed,
        judgements=judgement_count,
        purged=0,
        settled=settled,
    )


# --- tombstones and files ------------------------------------------------------------------------


def _obey_tombstones(archive: Archive, theirs: sa.Connection) -> int:
    """Purge here what was purged there; the earlier time and its reason stay."""
    statement = sa.select(tombstones).order_by(tombstones.c.target)
    known: dict[str, Any] = {
        row.target: row for row in archive.submit(lambda c: c.execute(statement).all()).result()
    }
    obeyed = 0
    for row in theirs.execute(statement).all():
        mine = known.get(row.target)
        if mine is None:
            obeyed += 1
            number = int.from_bytes(hashlib.sha256(row.target.encode()).digest()[:6])
            target = Target(row.target, is_site=_is_site(row.target), url_id=number)
            purge(archive, target, reason=row.reason, now=row.purged_at)
        elif (row.purged_at, row.reason or "") < (mine.purged_at, mine.reason or ""):
            values = {"purged_at": row.purged_at, "reason": row.reason}
            changed = sa.update(tombstones).where(tombstones.c.target == row.target).values(values)
            archive.submit(partial(_execute, statement=changed)).result()
    return obeyed


def _is_site(target: str) -> bool:
    try:
        return site(target) == target
    except InvalidURLError:
        return False


def _execute(connection: sa.Connection, statement: sa.Executable) -> None:
    connection.execute(statement)

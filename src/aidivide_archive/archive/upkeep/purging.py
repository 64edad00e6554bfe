"""Take a page, or all pages of a site, out of the archive for good: rows, index, raw records, later visits.

The order survives a kill at any point, and the same command goes on: (1) a journal names the old and the new WARC
files, (2) the new files are written beside the old ones, (3) one transaction deletes the rows, moves the offsets to the
new files, leaves a tombstone and settles, (4) the old files go, (5) the database gives the bytes up (VACUUM), (6) the
journal goes. Whoever reads the journal asks the database which of two files counts.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from aidivide_archive.archive.documents import full_text, matching
from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.schema import (
    articles,
    captures,
    claims,
    clutter_rules,
    crawls,
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
    urls,
    warc_files,
)
from aidivide_archive.archive.settling.settlement import settle
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.archive.storage.engine import one_line, write_engine
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.store import Archive, live_runs
from aidivide_archive.exceptions import (
    ArchiveLockedError,
    ConfigError,
    InvalidURLError,
    StoreError,
)
from aidivide_archive.model import Reason, UrlState
from aidivide_archive.urls import canonical_url, site, url_id, url_key
from aidivide_archive.warc.members import (
    Member,
    copy_members,
    iter_members,
    rewritten_name,
    sync_directory,
)

JOURNAL = "purge.json"
"""In the archive's directory while a purge is under way."""
_CHUNK = 500
_WAIT_TRIES, _WAIT_SECONDS = 50, 0.2
_TEXT_TABLES = (
    *("extractions", "claims", "articles", "revisions", "relevance", "discoveries"),
    *("captures", "observations", "clutter_rules", "urls", "signatures", "matches"),
    *("story_members", "judgements", FULL_TEXT_TABLE),
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is purged: one URL, or every URL of a site."""

    tombstone: str
    """URL key, or registrable domain."""
    is_site: bool
    url_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """What a purge takes away."""

    target: str
    urls: int
    articles: int
    captures: int
    warc_files: tuple[str, ...]
    """Files that are rewritten."""
    named_by: tuple[str, ...]
    """Feeds, hubs and pages of the archive that name what is purged, and stay: their raw bytes may hold its title."""


def target_of(text: str) -> Target:
    """A URL (with scheme) or a registrable domain. Raises ConfigError."""
    words = text.strip()
    try:
        if "://" in words:
            url = canonical_url(words)
            if url_key(url) == site(url):
                raise ConfigError(
                    f"{words} is a front page, whose address stands for its whole site: "
                    f"name {site(url)} to purge all of it"
                )
            return Target(url_key(url), is_site=False, url_id=url_id(url))
        name = site(words)
    except InvalidURLError as error:
        raise ConfigError(str(error)) from None
    if name != words.lower().rstrip(".") or "/" in words:
        raise ConfigError(
            f"{words} is no whole site: name {name} to purge all of it, or a URL with its scheme"
        )
    return Target(name, is_site=True)


def plan(connection: sa.Connection, target: Target) -> PurgePlan:
    """What `purge` would take away."""
    ids = _ids(connection, target)
    named_by: set[str] = set()
    counts = {"articles": 0, "captures": 0}
    for chunk in _chunks(ids):
        naming = sa.select(urls.c.url).join_from(
            discoveries, urls, urls.c.id == discoveries.c.from_id
        )
        named_by |= set(
            connection.scalars(
                naming.where(discoveries.c.url_id.in_(chunk))
                .where(discoveries.c.from_id.not_in(chunk))
                .distinct()
            )
        )
        for table, column in ((articles, articles.c.id), (captures, captures.c.url_id)):
            found = sa.select(sa.func.count()).select_from(table).where(column.in_(chunk))
            counts[table.name] += connection.scalar(found) or 0
    own = set(_urls_of(connection, ids))
    return PurgePlan(
        target=target.tombstone,
        urls=len(ids),
        warc_files=tuple(name for _, name in _files(connection, ids)),
        named_by=tuple(sorted(named_by - own)),
        **counts,
    )


def purge(
    archive: Archive,
    target: Target,
    *,
    reason: str | None,
    now: datetime,
    step: Callable[[str], None] = lambda _name: None,
) -> PurgePlan:
    """Purge in an archive whose run has begun; `step` is called at each named point. Raises ArchiveError.

    On PostgreSQL no other run may be under way. What a killed purge left is finished first.
    """
    location = archive.location
    busy = archive.submit(lambda c: live_runs(c, besides=archive.run.crawl_id)).result()
    if busy:
        raise ArchiveLockedError(
            f"run {busy[0][0]} ({busy[0][1]}) is writing {location.shown()}: purge when it has ended"
        )
    recover(archive, step=step)
    planned = archive.submit(lambda c: plan(c, target)).result()
    ids = archive.submit(lambda c: _ids(c, target)).result()
    files = archive.submit(lambda c: _files(c, ids)).result()
    files += _with_strays(archive, target, {file_id for file_id, _ in files})
    try:
        rows = {
            file_id: archive.submit(partial(_offsets, file_id=file_id)).result()
            for file_id, _ in files
        }
        moves = {
            name: _new_name(location, name, rows[file_id], set(ids), target)
            for file_id, name in files
        }
        _write_journal(location, moves)
        step("journal")
        places = {}
        for file_id, name in files:
            places[file_id] = _rewrite(location, name, moves[name], rows[file_id], set(ids), target)
            step("file")
        sync_directory(location.warc_directory)
    except OSError as error:
        raise StoreError(f"cannot rewrite WARC files: {error}") from None
    step("files")

    def work(connection: sa.Connection) -> None:
        _delete(connection, target, ids, now)
        for file_id, name in files:
            _move(connection, location, file_id, moves[name], places[file_id])
        _bury(connection, target, reason, now)
        settle(connection)
        if (
            connection.dialect.name == "sqlite"
        ):  # deleted words stay in the segments until they are merged
            statement = f"INSERT INTO {FULL_TEXT_TABLE} ({FULL_TEXT_TABLE}) VALUES ('optimize')"  # noqa: S608  # a constant name
            connection.exec_driver_sql(statement)
        step("transaction")

    archive.submit(work).result()
    step("commit")
    recover(archive, step=step)
    return planned


def recover(archive: Archive, *, step: Callable[[str], None] = lambda _name: None) -> None:
    """Finish what a journal says was begun: of each pair of files, the one that no row names goes."""
    location = archive.location
    journal = location.directory / JOURNAL
    if not journal.exists():
        return
    try:
        moves = dict(json.loads(journal.read_text("utf-8")))
        known = archive.submit(lambda c: set(c.scalars(sa.select(warc_files.c.name)))).result()
        for pair in moves.items():
            for name in pair:
                if name not in known and Path(name).name == name:
                    (location.warc_directory / name).unlink(missing_ok=True)
                    step("unlink")
        sync_directory(location.warc_directory)
        erase(location)
        step("erased")
        journal.unlink()
        sync_directory(location.directory)
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot finish the purge in {location.directory}: {error}") from None


def erase(location: Location) -> None:
    """Have the database give up the bytes of deleted rows, in its file and its log. Raises StoreError."""
    engine = write_engine(location)
    try:
        if location.is_sqlite:
            _vacuum_sqlite(engine)
        else:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                all_seen = _await_older_transactions(connection)
                for name in _TEXT_TABLES:
                    connection.exec_driver_sql(f"VACUUM (FULL) {name}")
            if not all_seen:
                raise StoreError(
                    "what was purged is gone from the rows, but a transaction elsewhere on the PostgreSQL server "
                    "is older than the purge and keeps the old bytes: repeat the command when it has ended"
                )
    except (DBAPIError, sqlite3.Error) as error:
        raise StoreError(
            f"the purged bytes cannot be erased from the database: {one_line(error)}"
        ) from None
    finally:
        engine.dispose()


def _await_older_transactions(connection: sa.Connection) -> bool:
    """Whether every transaction of the server that may still see the deleted rows ends within ten seconds.

    VACUUM leaves rows that one of them could see, also one of another database: snapshots count the whole server.
    """
    number = connection.exec_driver_sql("SELECT txid_current()").scalar_one()
    oldest = "SELECT txid_snapshot_xmin(txid_current_snapshot())"
    for _ in range(_WAIT_TRIES):
        if connection.exec_driver_sql(oldest).scalar_one() > number:
            return True
        time.sleep(_WAIT_SECONDS)
    return False


def _vacuum_sqlite(engine: sa.Engine) -> None:
    raw = engine.raw_connection()  # VACUUM runs in no transaction
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = cursor.fetchone()
    finally:
        raw.close()
    if busy is not None and busy[0]:
        raise StoreError(
            "what was purged is gone from the rows, but another program reads the archive and keeps the old "
            "bytes in its log: close it and repeat the command"
        )


# --- what is concerned ---------------------------------------------------------------------------


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]


def _ids(connection: sa.Connection, target: Target) -> list[int]:
    condition = urls.c.site == target.tombstone
    if not target.is_site:
        condition = sa.and_(urls.c.id == target.url_id, urls.c.url_key == target.tombstone)
    return list(connection.scalars(sa.select(urls.c.id).where(condition).order_by(urls.c.id)))


def _urls_of(connection: sa.Connection, ids: Sequence[int]) -> list[str]:
    return [
        url
        for chunk in _chunks(ids)
        for url in connection.scalars(sa.select(urls.c.url).where(urls.c.id.in_(chunk)))
    ]


def _files(connection: sa.Connection, ids: Sequence[int]) -> list[tuple[int, str]]:
    """WARC files that hold a capture of the URLs, by number."""
    found: dict[int, str] = {}
    for chunk in _chunks(ids):
        rows = connection.execute(
            sa.select(warc_files.c.id, warc_files.c.name)
            .join_from(warc_files, captures, captures.c.warc_file_id == warc_files.c.id)
            .where(captures.c.url_id.in_(chunk))
            .distinct()
        )
        found.update((row.id, row.name) for row in rows)
    return sorted(found.items())


def _with_strays(archive: Archive, target: Target, known: set[int]) -> list[tuple[int, str]]:
    """Further files with records of the target that no row names: left by runs that did not come to their end."""
    broken = (
        sa.select(warc_files.c.id, warc_files.c.name)
        .join_from(warc_files, crawls, crawls.c.id == warc_files.c.crawl_id)
        .where(crawls.c.finish_reason.is_distinct_from("finished"))
        .order_by(warc_files.c.id)
    )
    found = []
    for file_id, name in archive.submit(lambda c: c.execute(broken).all()).result():
        path = archive.location.warc_directory / name
        if file_id in known or not path.is_file():
            continue
        if any(is_of(member.url, target) for member in iter_members(path)):
            found.append((file_id, name))
    return found


def _offsets(connection: sa.Connection, file_id: int) -> dict[int, int]:
    """URL id by offset, of every capture in a file."""
    rows = connection.execute(
        sa.select(captures.c.warc_offset, captures.c.url_id).where(
            captures.c.warc_file_id == file_id
        )
    )
    return {row.warc_offset: row.url_id for row in rows}


# --- files ---------------------------------------------------------------------------------------


def _new_name(
    location: Location, name: str, rows: dict[int, int], gone: set[int], target: Target
) -> str:
    path = location.warc_directory / name
    return rewritten_name(path, lambda member: _is_gone(member, rows, gone, target))


def _is_gone(member: Member, rows: dict[int, int], gone: set[int], target: Target) -> bool:
    """Whether a record goes; those that no row names are judged by their URL."""
    if member.offset in rows:
        return rows[member.offset] in gone
    return is_of(member.url, target)


def _write_journal(location: Location, moves: dict[str, str]) -> None:
    path = location.directory / JOURNAL
    part = path.with_suffix(".part")
    with suppress(FileNotFoundError):
        part.unlink()
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(moves, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_directory(location.directory)


def _rewrite(
    location: Location,
    name: str,
    new_name: str,
    rows: dict[int, int],
    gone: set[int],
    target: Target,
) -> dict[int, tuple[int, int]]:
    """The file without the records of what is purged, and without stretches that are no records."""

    def keep(member: Member) -> bool:
        known = member.offset in rows or member.damage is None
        return known and not _is_gone(member, rows, gone, target)

    folder = location.warc_directory
    (folder / new_name).unlink(missing_ok=True)  # of a purge that was killed
    places = copy_members(folder / name, folder / new_name, keep)
    lost = [offset for offset, one in rows.items() if one not in gone and offset not in places]
    if lost:
        raise StoreError(
            f"{name} is damaged at {lost[0]}: see `aidivide verify`, and purge when it is mended"
        )
    return places


def is_of(url: str, target: Target) -> bool:
    """Whether a URL falls under the target; "" (a record about the file itself) does not."""
    if not url:
        return False
    try:
        return (site(url) if target.is_site else url_key(canonical_url(url))) == target.tombstone
    except InvalidURLError:
        return False


# --- rows ----------------------------------------------------------------------------------------


def _delete(connection: sa.Connection, target: Target, ids: Sequence[int], now: datetime) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    for chunk in _chunks(ids):
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
        connection.execute(
            sa.update(urls)
            .where(urls.c.id.in_(chunk))
            .values(
                state=UrlState.REJECTED,
                reason=Reason.PURGED,
                detail=None,
                due_at=None,
                leased_by=None,
                attempts=0,
                finished_at=now,
            )
        )
    if target.is_site:
        connection.execute(sa.delete(clutter_rules).where(clutter_rules.c.site == target.tombstone))


def _delete_articles(connection: sa.Connection, ids: Sequence[int]) -> None:
    matching.drop_signatures(connection, ids)
    known = connection.scalars(sa.select(articles.c.id).where(articles.c.id.in_(ids))).all()
    for number in known:
        full_text.replace(connection, number, full_text.indexed(connection, number), None)
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


def _move(
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


def _bury(connection: sa.Connection, target: Target, reason: str | None, now: datetime) -> None:
    statement = upsert(connection, tombstones).values(
        target=target.tombstone, purged_at=now, reason=reason
    )
    connection.execute(
        statement.on_conflict_do_nothing()
        if reason is None
        else statement.on_conflict_do_update(index_elements=["target"], set_={"reason": reason})
    )

"""Take a page, or all pages of a site, out of the archive for good: rows, index, raw records, later visits.

The order survives a kill at any point, and the same command goes on: (1) a journal names the old and the new WARC
files, (2) the new files are written beside the old ones, (3) one transaction deletes the rows, moves the offsets to the
new files, leaves a tombstone and settles, (4) the old files go, (5) the database gives the bytes up (VACUUM), (6) the
journal goes. Whoever reads the journal asks the database which of two files counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from aidivide_archive.archive.documents import full_text
from aidivide_archive.archive.ledger.runs import live_runs
from aidivide_archive.archive.schema import (
    crawls,
    warc_files,
)
from aidivide_archive.archive.settling.settlement import settle
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.store import Archive
from aidivide_archive.archive.upkeep import purged_rows
from aidivide_archive.archive.upkeep.erasing import erase
from aidivide_archive.archive.upkeep.purge_plan import (
    PurgePlan,
    Target,
    files_of,
    ids_of,
    is_of,
    offsets_in,
    plan,
)
from aidivide_archive.exceptions import (
    ArchiveLockedError,
    StoreError,
)
from aidivide_archive.warc.members import (
    Member,
    copy_members,
    iter_members,
    rewritten_name,
    sync_directory,
)

JOURNAL = "purge.json"
"""In the archive's directory while a purge is under way."""


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
    ids = archive.submit(lambda c: ids_of(c, target)).result()
    files = archive.submit(lambda c: files_of(c, ids)).result()
    files += _with_strays(archive, target, {file_id for file_id, _ in files})
    try:
        rows = {
            file_id: archive.submit(partial(offsets_in, file_id=file_id)).result()
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
        purged_rows.delete(connection, target, ids, now)
        for file_id, name in files:
            purged_rows.move(connection, location, file_id, moves[name], places[file_id])
        purged_rows.bury(connection, target, reason, now)
        settle(connection)
        full_text.forget_deleted(connection)
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


def _with_strays(archive: Archive, target: Target, known: set[int]) -> list[tuple[int, str]]:
    """Further files with records of the target that no row names: left by runs that did not come to their end."""
    broken = (
        sa.select(warc_files.c.id, warc_files.c.name)
        .join_from(warc_files, crawls, crawls.c.id == warc_files.c.crawl_id)
        .where(crawls.c.finish_reason.is_distinct_from("finished"))
        .order_by(warc_files.c.id)
    )
    strays = []
    for file_id, name in archive.submit(lambda c: c.execute(broken).all()).result():
        path = archive.location.warc_directory / name
        if file_id in known or not path.is_file():
            continue
        if any(is_of(member.url, target) for member in iter_members(path)):
            strays.append((file_id, name))
    return strays


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
    lost = [
        offset for offset, url_id in rows.items() if url_id not in gone and offset not in places
    ]
    if lost:
        raise StoreError(
            f"{name} is damaged at {lost[0]}: see `aidivide verify`, and purge when it is mended"
        )
    return places

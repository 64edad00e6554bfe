"""Copying the WARC files of another archive: those with captures that are not here, without what was purged."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.schema import captures, urls, warc_files
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.store import Archive
from aidivide_archive.exceptions import InvalidURLError, StoreError
from aidivide_archive.urls import site, url_key
from aidivide_archive.warc.members import (
    Member,
    copy_members,
    iter_members,
    rewritten_name,
    sync_directory,
)

CHUNK = 500
"""Ids in one statement."""
_WARC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.warc\.gz")


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A WARC file of OTHER as it stands here now."""

    name: str
    size: int
    places: dict[int, tuple[int, int]]


def copy_files(
    archive: Archive,
    other: Location,
    theirs: sa.Connection,
    purged: set[str],
    copied: dict[int, CopiedFile],
) -> None:
    """Copy the WARC files of OTHER with captures that are not here, without what was purged; enters them in `copied`."""
    location = archive.location
    named = archive.submit(lambda c: set(c.scalars(sa.select(warc_files.c.name)))).result()
    for file in theirs.execute(sa.select(warc_files).order_by(warc_files.c.id)).all():
        if not _WARC_NAME.fullmatch(file.name):
            raise StoreError(f"{other.shown()} names a WARC file {file.name!r}: nothing was merged")
        rows = _captures_of(theirs, file.id, purged)
        missing = archive.submit(partial(_missing, rows=rows)).result()
        if missing:
            copied[file.id] = _copy(other, location, file, rows, purged, named)
    if copied:
        sync_directory(location.warc_directory)


def _captures_of(theirs: sa.Connection, file_id: int, purged: set[str]) -> list[sa.Row[Any]]:
    statement = (
        sa.select(captures, urls.c.url_key, urls.c.site)
        .join_from(captures, urls, urls.c.id == captures.c.url_id)
        .where(captures.c.warc_file_id == file_id)
        .order_by(captures.c.warc_offset)
    )
    rows = theirs.execute(statement).all()
    return [row for row in rows if not {row.url_key, row.site} & purged]


def _missing(ours: sa.Connection, rows: Sequence[sa.Row[Any]]) -> bool:
    known = known_captures(ours, [row.url_id for row in rows])
    return any(identity_of(row) not in known for row in rows)


def identity_of(row: Any) -> tuple[object, ...]:
    return row.url_id, row.captured_at, row.payload_sha256


def known_captures(ours: sa.Connection, ids: Sequence[int]) -> dict[tuple[object, ...], int]:
    known = {}
    for chunk in chunks(sorted(set(ids))):
        rows = ours.execute(sa.select(captures).where(captures.c.url_id.in_(chunk)))
        known.update({identity_of(row): row.id for row in rows})
    return known


def _copy(
    other: Location,
    location: Location,
    file: sa.Row[Any],
    rows: Sequence[sa.Row[Any]],
    purged: set[str],
    named: set[str],
) -> CopiedFile:
    source = other.warc_directory / file.name
    if source.is_symlink() or not source.is_file():
        raise StoreError(f"{source} is no regular file: nothing was merged")
    wanted = {row.warc_offset: row for row in rows}

    def is_gone(member: Member) -> bool:
        return bool(member.url) and _is_purged(member.url, purged)

    def keep(member: Member) -> bool:
        row = wanted.get(member.offset)
        if row is not None:
            digest = member.stated_sha256 if member.is_withheld else member.payload_sha256
            return member.damage is None and bool(digest == row.payload_sha256)
        return member.damage is None and not is_gone(member)

    part = location.warc_directory / f".{file.name}.part"
    part.unlink(missing_ok=True)
    try:
        location.warc_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        places = copy_members(source, part, keep)
        lost = [offset for offset in wanted if offset not in places]
        if lost:
            raise StoreError(
                f"{source} at {lost[0]}: the record is not the one its row names: see `aidivide verify` there"
            )
        name = _free_name(rewritten_name(source, is_gone), part, named)
        part.replace(location.warc_directory / name)
    except OSError as error:
        raise StoreError(f"cannot copy {source}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    return CopiedFile(name, (location.warc_directory / name).stat().st_size, places)


def _free_name(name: str, part: Path, named: set[str]) -> str:
    """The file's own name; with a digest of its content when another file here has that name."""
    if name not in named:
        return name
    content = hashlib.sha256()
    for member in iter_members(part):
        content.update(f"{member.offset} {member.url} {member.payload_sha256}\n".encode())
    return f"{name.removesuffix('.warc.gz')}-m{content.hexdigest()[:8]}.warc.gz"


def _is_purged(url: str, purged: set[str]) -> bool:
    try:
        return bool({url_key(url), site(url)} & purged)
    except InvalidURLError:
        return False

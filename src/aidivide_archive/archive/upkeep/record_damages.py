"""Every record of the WARC files against the rows that point there: offset, digest, length, status, time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.schema import captures, crawls, urls, warc_files
from aidivide_archive.archive.upkeep.integrity import RESTORE, Damage
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.urls import url_key
from aidivide_archive.warc.members import Member, iter_members, member_at


def record_damages(
    connection: sa.Connection, folder: Path, *, sample: int | None = None
) -> Iterator[Damage]:
    """Every record of every file against the rows that point there; with `sample`, so many captures only."""
    if sample is not None:
        yield from _sampled(connection, folder, sample)
        return
    columns = (warc_files, crawls.c.finish_reason)
    statement = sa.select(*columns).join_from(
        warc_files, crawls, crawls.c.id == warc_files.c.crawl_id
    )
    names = set()
    unfinished = False
    for file in connection.execute(statement.order_by(warc_files.c.id)).all():
        names.add(file.name)
        unfinished |= file.finish_reason is None
        path = folder / file.name
        if path.is_file():
            yield from _file(connection, path, file)
    for path in sorted(folder.iterdir()) if folder.is_dir() and not unfinished else ():
        if path.name not in names:
            detail = "no row names this file"
            advice = "delete it, or import it if you know where it comes from"
            yield Damage(check="file_unknown", subject=path.name, detail=detail, advice=advice)


def _capture_statement() -> sa.Select[Any]:
    return (
        sa.select(captures, urls.c.url, warc_files.c.name.label("file"))
        .join_from(captures, urls, urls.c.id == captures.c.url_id)
        .join(warc_files, warc_files.c.id == captures.c.warc_file_id)
    )


def _file(connection: sa.Connection, path: Path, file: sa.Row[Any]) -> Iterator[Damage]:
    statement = _capture_statement().where(captures.c.warc_file_id == file.id)
    rows = {row.warc_offset: row for row in connection.execute(statement)}
    seen: set[int] = set()
    ended = file.finish_reason == "finished"
    asked: sa.Row[Any] | None = None
    """The capture whose request comes next."""
    for member in iter_members(path):
        if asked is not None and member.damage is None and member.kind != "request":
            yield _damaged_record(asked, "record_missing", "its request is not beside it")
        asked = None
        row = rows.get(member.offset)
        if row is not None:
            seen.add(member.offset)
            yield from _record(member, row)
            asked = row if ended and member.damage is None else None
        elif member.damage is not None:
            inside = range(member.offset, member.offset + member.length)
            touched = [capture for offset, capture in rows.items() if offset in inside]
            seen.update(capture.warc_offset for capture in touched)
            if touched or ended or member.offset < file.committed_bytes:
                yield from _stretch(path, member, touched)
        elif member.kind == "response" and ended and member.offset < file.committed_bytes:
            yield Damage(
                check="record_orphan",
                subject=member.url,
                detail=f"{path.name} at {member.offset}: no row points at this record",
                advice="import the file into a new archive and merge that one, to have it again",
            )
    if asked is not None:
        yield _damaged_record(asked, "record_missing", "its request is not beside it")
    for offset in sorted(rows.keys() - seen):
        yield _damaged_record(rows[offset], "record_missing", "no record begins there")


def _stretch(path: Path, member: Member, touched: Sequence[sa.Row[Any]]) -> Iterator[Damage]:
    for row in touched:
        yield _damaged_record(row, "record_damaged", member.damage or "")
    if not touched:
        subject = member.url or path.name
        detail = f"{path.name} at {member.offset}: {member.damage} (no article hangs on it)"
        yield Damage(check="record_damaged", subject=subject, detail=detail, advice=RESTORE)


def _record(member: Member, row: sa.Row[Any]) -> Iterator[Damage]:
    if member.damage is not None:
        yield _damaged_record(row, "record_damaged", member.damage)
    elif member.kind != "response":
        yield _damaged_record(row, "record_missing", "the record there is no response")
    elif differing := _differences(member, row):
        yield _damaged_record(row, "record_row", f"record and row differ: {', '.join(differing)}")


def _differences(member: Member, row: sa.Row[Any]) -> list[str]:
    digest = member.stated_sha256 if member.is_withheld else member.payload_sha256
    held = row.payload_bytes if member.is_withheld else member.payload_bytes
    pairs = {
        "URL": (_key(member.url), _key(row.url)),
        "digest": (digest, row.payload_sha256),
        "size of the body": (held, row.payload_bytes),
        "length": (member.length, row.warc_length),
        "status": (member.status, row.status),
        "time": (_moment(member.date), row.captured_at),
    }
    return [name for name, (there, here) in pairs.items() if there != here]


def _key(url: str) -> str:
    try:
        return url_key(url)
    except InvalidURLError:
        return url


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _damaged_record(row: sa.Row[Any], check: str, detail: str) -> Damage:
    where = f"{row.file} at {row.warc_offset}"
    return Damage(check=check, subject=row.url, detail=f"{where}: {detail}", advice=RESTORE)


def _sampled(connection: sa.Connection, folder: Path, sample: int) -> Iterator[Damage]:
    for number in sampled_captures(connection, sample):
        statement = _capture_statement().where(captures.c.id == number)
        for row in connection.execute(statement):
            try:
                yield from _record(member_at(folder / row.file, row.warc_offset), row)
            except OSError as error:
                yield _damaged_record(row, "record_missing", error.strerror or str(error))


def sampled_captures(connection: sa.Connection, sample: int) -> list[int]:
    """Numbers of captures drawn evenly; the same for the same archive."""
    numbers = list(connection.scalars(sa.select(captures.c.id).order_by(captures.c.id)))
    return sorted(random.Random(len(numbers)).sample(numbers, min(sample, len(numbers))))  # noqa: S311  # a sample, not a secret

"""Walk the chain row → WARC file → offset → record → digest, and the rows that are made from one another.

Reads only. What needs a page read again (extraction) is `ingest.verify`.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from aidivide_archive.archive.documents import full_text
from aidivide_archive.archive.documents.derived import base_version, is_derived
from aidivide_archive.archive.documents.matching import match_row
from aidivide_archive.archive.queries.integrity import findings
from aidivide_archive.archive.queries.listings import stream
from aidivide_archive.archive.schema import (
    articles,
    bands,
    captures,
    crawls,
    extractions,
    matches,
    revisions,
    signatures,
    sketch,
    stories,
    story_members,
    urls,
    warc_files,
)
from aidivide_archive.archive.settling import settlement
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.similarity import SCHEME, SEED, SHINGLE_VERSION, sign
from aidivide_archive.urls import article_id, host_of, site, story_id, url_id, url_key
from aidivide_archive.warc.members import Member, iter_members, member_at

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
    """Slug: "record_damaged", "text_digest" …"""
    subject: str
    """URL, id or file."""
    detail: str
    """What is wrong, and what it touches."""
    advice: str


# --- rows ----------------------------------------------------------------------------------------


def row_damages(connection: sa.Connection, warc_directory: Path) -> Iterator[Damage]:
    """What the rows themselves show: references, digests, ids, signatures, the copy graph."""
    unsettled = False
    for found in findings(connection, warc_directory):
        unsettled |= found.check in ("no_story", "no_signature", "no_extraction", "database")
        yield Damage(
            check=found.check,
            subject=found.subject,
            detail=found.detail,
            advice=_ADVICE.get(found.check, RESTORE_ROWS),
        )
    yield from _urls(connection)
    yield from _texts(connection)
    yield from _articles(connection)
    stale = yield from _signatures(connection)
    yield from _index(connection, bands, (bands.c.band, bands.c.key))
    yield from _index(connection, sketch, (sketch.c.hash,))
    if not unsettled and not stale:
        yield from _graph(connection)


def _urls(connection: sa.Connection) -> Iterator[Damage]:
    columns = (urls.c.id, urls.c.url, urls.c.url_key, urls.c.host, urls.c.site)
    for row in stream(connection, sa.select(*columns).order_by(urls.c.id)):
        try:
            url = row.url
            made = (url_id(url), url_key(url), host_of(url), site(url))
        except InvalidURLError:
            made = (0, "", "", "")
        if made != (row.id, row.url_key, row.host, row.site):
            detail = "id, key, host or site is not that of the URL"
            yield Damage(check="url", subject=row.url, detail=detail, advice=RESTORE_ROWS)


def _texts(connection: sa.Connection) -> Iterator[Damage]:
    """Digest and length of every stored text."""
    columns = (extractions, urls.c.url)
    statement = sa.select(*columns).join_from(extractions, urls, urls.c.id == extractions.c.url_id)
    bases: dict[tuple[object, ...], tuple[str, int]] = {}
    ordered = statement.order_by(extractions.c.url_id, extractions.c.id)
    for _, rows in groupby(stream(connection, ordered), key=lambda row: row.url_id):
        bases.clear()
        for row in rows:
            bases[(row.capture_id, row.version)] = (row.text, row.id)
            if "withheld" in row.fields:
                wrong = row.text != ""
            else:
                digest = hashlib.sha256(row.text.encode()).hexdigest()
                wrong = (digest, full_text.word_count(row.text)) != (
                    row.text_sha256,
                    row.word_count,
                )
            if wrong:
                yield _damaged_text(row, "text_digest", "the text is not the one its digest names")
            elif is_derived(row.version):
                base = bases.get((row.capture_id, base_version(row.version)))
                if base is None or not _is_made_of(row, base[0]):
                    yield _damaged_text(
                        row, "text_derived", "is not the extraction's text without its cuts"
                    )


def _damaged_text(row: sa.Row[Any], check: str, detail: str) -> Damage:
    advice = RESTORE_ROWS if row.capture_id is None else REPROCESS
    return Damage(
        check=check, subject=row.url, detail=f"extraction {row.id}: {detail}", advice=advice
    )


def _is_made_of(row: sa.Row[Any], base: str) -> bool:
    cut = [one["text"] for one in row.cuts or () if one["reason"] == "template"]
    return sorted([*row.text.split("\n"), *cut]) == sorted(base.split("\n"))


def _articles(connection: sa.Connection) -> Iterator[Damage]:
    """What articles and revisions repeat of their extractions and URLs."""
    shown = (
        sa.select(articles.c.id, articles.c.url)
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .join(urls, urls.c.id == articles.c.id)
        .where(
            sa.or_(
                articles.c.title.is_distinct_from(extractions.c.title),
                articles.c.word_count != extractions.c.word_count,
                articles.c.url != urls.c.url,
                articles.c.site != urls.c.site,
                articles.c.id != extractions.c.url_id,
            )
        )
        .order_by(articles.c.id)
    )
    for row in stream(connection, shown):
        detail = "title, length, URL or site is not that of its extraction and its URL"
        yield Damage(
            check="article", subject=article_id(row.id), detail=detail, advice=RESTORE_ROWS
        )
    kept = (
        sa.select(revisions.c.article_id, revisions.c.number)
        .join_from(revisions, extractions, extractions.c.id == revisions.c.extraction_id)
        .where(
            sa.or_(
                revisions.c.text_sha256 != extractions.c.text_sha256,
                revisions.c.article_id != extractions.c.url_id,
            )
        )
        .order_by(revisions.c.article_id, revisions.c.number)
    )
    for row in stream(connection, kept):
        yield Damage(
            check="revision",
            subject=article_id(row.article_id),
            detail=f"revision {row.number} has another digest than its text",
            advice=RESTORE_ROWS,
        )


def _signatures(connection: sa.Connection) -> Generator[Damage, None, bool]:
    """Every signature made again from the text shown. Returns whether some are of another version."""
    stale = False
    statement = (
        sa.select(signatures, extractions.c.text)
        .join_from(signatures, articles, articles.c.id == signatures.c.article_id)
        .join(extractions, extractions.c.id == articles.c.extraction_id)
        .order_by(signatures.c.article_id)
    )
    for row in stream(connection, statement):
        if (row.scheme, row.seed, row.version) != (SCHEME, SEED, SHINGLE_VERSION):
            stale = True
            continue
        made = sign(row.text)
        packed = np.array(made.sketch, dtype="<i8").tobytes()
        wanted = (made.hashvalues, made.shingle_count, packed)
        if wanted != (bytes(row.hashvalues), row.shingle_count, bytes(row.sketch)):
            yield Damage(
                check="signature",
                subject=article_id(row.article_id),
                detail="is not the signature of the text shown: copies may be missed",
                advice="restore the database from a copy, or `aidivide reprocess` another version",
            )
    return stale


def _index(
    connection: sa.Connection, table: sa.Table, columns: Sequence[sa.Column[Any]]
) -> Iterator[Damage]:
    """The rows of bands or sketch against what the signatures name; both sides in the order of articles."""
    rows = stream(connection, sa.select(table.c.article_id, *columns).order_by(table.c.article_id))
    found = groupby(rows, key=lambda row: row.article_id)
    present, have = next(found, (None, None))
    wanted = sa.select(signatures).order_by(signatures.c.article_id)
    for row in connection.execute(wanted, execution_options={"yield_per": 200}):
        while present is not None and present < row.article_id:  # of no signature
            yield _index_damage(table, present)
            present, have = next(found, (None, None))
        mine: set[tuple[Any, ...]] = set()
        if present == row.article_id and have is not None:
            mine = {tuple(one)[1:] for one in have}
            present, have = next(found, (None, None))
        if (row.scheme, row.seed, row.version) != (SCHEME, SEED, SHINGLE_VERSION):
            continue
        if mine != _named(table, row):
            yield _index_damage(table, row.article_id)
    while present is not None:
        yield _index_damage(table, present)
        present, have = next(found, (None, None))


def _named(table: sa.Table, row: sa.Row[Any]) -> set[tuple[Any, ...]]:
    hashes = np.frombuffer(row.sketch, dtype="<i8").tolist()
    if table is sketch:
        return {(one,) for one in hashes}
    if not row.shingle_count:
        return set()
    from aidivide_archive.archive.documents.matching import minima_matrix
    from aidivide_archive.similarity import band_keys

    return set(enumerate(band_keys(minima_matrix([row.hashvalues]))[0].tolist()))


def _index_damage(table: sa.Table, number: int) -> Damage:
    return Damage(
        check=table.name,
        subject=article_id(number),
        detail=f"its rows in {table.name} are not those of its signature: copies may be missed",
        advice=RESTORE_ROWS,
    )


def _graph(connection: sa.Connection) -> Iterator[Damage]:
    """Matches and stories against those that the texts give: settled once, settled for ever."""
    graph = settlement.copy_graph(connection)
    wanted = {(one.a_id, one.b_id): match_row(one) for one in graph.matches}
    for key in _differing(connection, matches, ("a_id", "b_id"), wanted):
        yield Damage(
            check="match_drift",
            subject=f"{article_id(key[0])} {article_id(key[1])}",
            detail="the match is not the one that the two texts give",
            advice=REBUILD,
        )
    story_rows, member_rows = settlement.story_rows_of(graph.stories)
    for key in _differing(connection, stories, ("id",), story_rows):
        detail = "the story is not the one that its articles give"
        yield Damage(check="story_drift", subject=story_id(key[0]), detail=detail, advice=REBUILD)
    for key in _differing(connection, story_members, ("article_id",), member_rows):
        detail = "its place in its story is not the one that the texts give"
        yield Damage(
            check="member_drift", subject=article_id(key[0]), detail=detail, advice=REBUILD
        )


def _differing(
    connection: sa.Connection,
    table: sa.Table,
    names: tuple[str, ...],
    wanted: Mapping[Any, Mapping[str, Any]],
) -> list[tuple[int, ...]]:
    present = {
        tuple(row[name] for name in names): dict(row)
        for row in connection.execute(sa.select(table)).mappings()
    }
    keys = sorted(wanted.keys() | present.keys())
    return [key for key in keys if wanted.get(key) != present.get(key)]


# --- records -------------------------------------------------------------------------------------


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
            touched = [one for offset, one in rows.items() if offset in inside]
            seen.update(one.warc_offset for one in touched)
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

"""Rows that are made from one another, made again: digests, ids, signatures, matches, stories. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from aidivide_archive.archive.documents.derived import base_version, is_derived
from aidivide_archive.archive.documents.matching import match_row
from aidivide_archive.archive.queries.listings import stream
from aidivide_archive.archive.schema import (
    articles,
    bands,
    extractions,
    matches,
    revisions,
    signatures,
    sketch,
    stories,
    story_members,
    urls,
)
from aidivide_archive.archive.settling import settlement
from aidivide_archive.archive.upkeep.integrity import (
    REBUILD,
    REPROCESS,
    RESTORE_ROWS,
    Damage,
    plain_damages,
)
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.similarity import SCHEME, SEED, SHINGLE_VERSION, sign
from aidivide_archive.urls import article_id, host_of, site, story_id, url_id, url_key
from aidivide_archive.words import word_count


def row_damages(connection: sa.Connection, warc_directory: Path) -> Iterator[Damage]:
    """What the rows themselves show: references, digests, ids, signatures, the copy graph."""
    unsettled = False
    for damage in plain_damages(connection, warc_directory):
        unsettled |= damage.check in ("no_story", "no_signature", "no_extraction", "database")
        yield damage
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
                wrong = (digest, word_count(row.text)) != (
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
    cut = [part["text"] for part in row.cuts or () if part["reason"] == "template"]
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
    stored = groupby(rows, key=lambda row: row.article_id)
    present, have = next(stored, (None, None))
    wanted = sa.select(signatures).order_by(signatures.c.article_id)
    for row in connection.execute(wanted, execution_options={"yield_per": 200}):
        while present is not None and present < row.article_id:  # of no signature
            yield _index_damage(table, present)
            present, have = next(stored, (None, None))
        mine: set[tuple[Any, ...]] = set()
        if present == row.article_id and have is not None:
            mine = {tuple(entry)[1:] for entry in have}
            present, have = next(stored, (None, None))
        if (row.scheme, row.seed, row.version) != (SCHEME, SEED, SHINGLE_VERSION):
            continue
        if mine != _named(table, row):
            yield _index_damage(table, row.article_id)
    while present is not None:
        yield _index_damage(table, present)
        present, have = next(stored, (None, None))


def _named(table: sa.Table, row: sa.Row[Any]) -> set[tuple[Any, ...]]:
    hashes = np.frombuffer(row.sketch, dtype="<i8").tolist()
    if table is sketch:
        return {(value,) for value in hashes}
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
    graph = settlement.compute_settlement(connection)
    wanted = {(match.a_id, match.b_id): match_row(match) for match in graph.matches}
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

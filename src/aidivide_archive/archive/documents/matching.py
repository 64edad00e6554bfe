"""One article in the copy graph: its signature rows, its candidates, its provisional matches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from aidivide_archive.archive.schema import (
    articles,
    bands,
    extractions,
    matches,
    signatures,
    sketch,
)
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.dialects import insert_rows, listed, upsert
from aidivide_archive.copies import COPIES_VERSION, compare, mirrored, prepare
from aidivide_archive.evidence import as_json_list
from aidivide_archive.model import Comparison, Match, Signature
from aidivide_archive.similarity import (
    BAND_COUNT,
    PERMUTATION_COUNT,
    SCHEME,
    SEED,
    SHINGLE_VERSION,
    band_keys,
)
from aidivide_archive.similarity import bands as keys_of
from aidivide_archive.similarity.candidates import BUCKET_CAP, MIN_HITS_SHORT, least_hits

MATCH_VERSION = f"{SHINGLE_VERSION}/{COPIES_VERSION}"
"""Versions of shingles and comparison together."""
_INDEXED_AT_ONCE = 50_000
_ROWS_AT_ONCE = 20_000


def store_signature(connection: sa.Connection, article_id: int, signature: Signature) -> None:
    """Write or replace signature, bands and sketch of an article."""
    drop_signatures(connection, [article_id])
    insert_signatures(connection, [(article_id, signature)])
    index(connection, [(article_id, signature)])


def index(connection: sa.Connection, signed: Sequence[tuple[int, Signature]]) -> None:
    """Write the bands and sketches of articles that have none yet; `index_signatures` does it for a whole archive."""
    band_rows = [
        (band, key, article_id)
        for article_id, signature in signed
        for band, key in enumerate(keys_of(signature))
    ]
    insert_rows(connection, bands, ("band", "key", "article_id"), band_rows)
    sketch_rows = [
        (value, article_id) for article_id, signature in signed for value in signature.sketch
    ]
    insert_rows(connection, sketch, ("hash", "article_id"), sketch_rows)


def drop_signatures(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Delete signatures, bands and sketches of articles.

    A signature names its rows in both indexes; those of another version are looked for one by one.
    """
    unnamed = []
    for chunk in chunks(ids):
        rows = connection.execute(sa.select(signatures).where(signatures.c.article_id.in_(chunk)))
        for row in rows.all():
            if (row.scheme, row.seed, row.version) == (SCHEME, SEED, SHINGLE_VERSION):
                _drop_named(connection, row)
            else:
                unnamed.append(row.article_id)
        connection.execute(sa.delete(signatures).where(signatures.c.article_id.in_(chunk)))
    for chunk in chunks(unnamed):
        for table in (bands, sketch):
            condition = table.c.article_id.in_(chunk)
            connection.execute(sa.delete(table).where(condition))


def _drop_named(connection: sa.Connection, row: sa.Row[Any]) -> None:
    keys = [] if not row.shingle_count else band_keys(minima_matrix([row.hashvalues]))[0].tolist()
    for band, key in enumerate(keys):
        connection.execute(
            sa.delete(bands).where(
                bands.c.band == band, bands.c.key == key, bands.c.article_id == row.article_id
            )
        )
    hashes = np.frombuffer(row.sketch, dtype="<i8").tolist()
    for chunk in chunks(hashes):
        connection.execute(
            sa.delete(sketch).where(
                sketch.c.hash.in_(chunk),
                sketch.c.article_id == row.article_id,
            )
        )


def insert_signatures(connection: sa.Connection, signed: Sequence[tuple[int, Signature]]) -> None:
    """Write signatures of articles that have none yet, without bands and sketch (`index_signatures`)."""
    if not signed:
        return
    connection.execute(
        sa.insert(signatures),
        [
            {
                "article_id": article_id,
                "scheme": signature.scheme,
                "seed": signature.seed,
                "version": signature.version,
                "hashvalues": signature.hashvalues,
                "shingle_count": signature.shingle_count,
                "sketch": np.array(signature.sketch, dtype="<i8").tobytes(),
            }
            for article_id, signature in signed
        ],
    )


def index_signatures(connection: sa.Connection) -> None:
    """Write bands and sketch of all signatures that have none: sorted, so that each page is written once.

    A batch of imported articles would touch nearly every page of both tables; a run of batches is
    entered here, when it is settled. Memory: about 1 KB for each of at most `_INDEXED_AT_ONCE`.
    """
    known = np.sort(_numbers(connection, sa.select(bands.c.article_id).where(bands.c.band == 0)))
    waiting = _numbers(
        connection, sa.select(signatures.c.article_id).where(signatures.c.shingle_count > 0)
    )
    missing = waiting[~np.isin(waiting, known)].tolist()
    for start in range(0, len(missing), _INDEXED_AT_ONCE):
        _index(connection, missing[start : start + _INDEXED_AT_ONCE])


def _index(connection: sa.Connection, ids: Sequence[int]) -> None:
    owners: list[int] = []
    sketches: list[NDArray[np.int64]] = []
    keys: list[NDArray[np.int64]] = []
    for chunk in chunks(ids):
        rows = connection.execute(
            sa.select(signatures.c.article_id, signatures.c.hashvalues, signatures.c.sketch).where(
                signatures.c.article_id.in_(chunk)
            )
        ).all()
        owners += [row.article_id for row in rows]
        sketches += [np.frombuffer(row.sketch, dtype="<i8") for row in rows]
        keys.append(band_keys(minima_matrix([row.hashvalues for row in rows])))
    by_article = np.array(owners, dtype=np.int64)
    all_keys = np.concatenate(keys)
    for band in range(BAND_COUNT):
        order = np.argsort(all_keys[:, band])
        columns = all_keys[order, band].tolist(), by_article[order].tolist()
        band_rows = [(band, key, owner) for key, owner in zip(*columns, strict=True)]
        insert_rows(connection, bands, ("band", "key", "article_id"), band_rows)
    hashes = np.concatenate(sketches)
    repeated = np.repeat(by_article, [len(owner) for owner in sketches])
    order = np.argsort(hashes)
    for start in range(0, len(order), _ROWS_AT_ONCE):
        chosen = order[start : start + _ROWS_AT_ONCE]
        sketch_rows = list(zip(hashes[chosen].tolist(), repeated[chosen].tolist(), strict=True))
        insert_rows(connection, sketch, ("hash", "article_id"), sketch_rows)


def minima_matrix(packed: Sequence[bytes]) -> NDArray[np.uint32]:
    """Hash values of signatures as stored → (n, 128) uint32."""
    return np.frombuffer(b"".join(packed), dtype="<u4").reshape(len(packed), PERMUTATION_COUNT)


def _numbers(connection: sa.Connection, statement: sa.Select[tuple[int]]) -> NDArray[np.int64]:
    result = connection.execute(statement.execution_options(yield_per=10_000))
    return np.fromiter(result.scalars(), dtype=np.int64)


def link(
    connection: sa.Connection, article_id: int, signature: Signature, *, is_new: bool = False
) -> int:
    """Compare a stored article with its candidates and store the provisional matches; returns how many.

    `is_new`: it was not in the archive before, so that no earlier match can be in the way.
    """
    if not is_new:
        _drop_matches(connection, [article_id])
    candidates = candidates_of(connection, article_id, signature)
    if not candidates:
        return 0
    texts = texts_of(connection, [article_id, *candidates])
    own_url, own = texts[article_id][0], prepare(texts[article_id][1])
    rows = []
    for other_id in candidates:
        url, text = texts[other_id]
        comparison = compare(own, prepare(text))
        if comparison.relation is not None:
            rows.append(match_row(match_of(article_id, own_url, other_id, url, comparison)))
    if rows:
        connection.execute(upsert(connection, matches).on_conflict_do_nothing(), rows)
    return len(rows)


def candidates_of(connection: sa.Connection, article_id: int, signature: Signature) -> list[int]:
    """The articles that are worth comparing with one, by the rows of both indexes; ascending."""
    hits: dict[int, int] = {}
    if signature.sketch:
        own = listed(connection, signature.sketch)
        rows = connection.execute(
            sa.select(sketch.c.article_id, sa.func.count())
            .join_from(own, sketch, sketch.c.hash == own.c.value)
            .where(sketch.c.article_id != article_id)
            .group_by(sketch.c.article_id)
            .having(sa.func.count() >= MIN_HITS_SHORT)
        )
        hits = {row[0]: row[1] for row in rows}
    sizes = _sketch_sizes(connection, sorted(hits))
    candidates = {
        other
        for other, size in sizes.items()
        if hits[other] >= least_hits(min(len(signature.sketch), size))
    }
    keys = keys_of(signature)
    if keys:
        own = listed(connection, keys)
        candidates.update(
            connection.scalars(
                sa.select(bands.c.article_id)
                .join_from(
                    own, bands, sa.and_(bands.c.band == own.c.place, bands.c.key == own.c.value)
                )
                .where(bands.c.article_id != article_id)
                .distinct()
                .limit(BUCKET_CAP)
            )
        )
    return sorted(candidates)


def _sketch_sizes(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            sa.select(signatures.c.article_id, sa.func.length(signatures.c.sketch)).where(
                signatures.c.article_id.in_(chunk)
            )
        )
        sizes.update((article_id, length // 8) for article_id, length in rows)
    return sizes


def texts_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """URL and text of articles, by id."""
    texts: dict[int, tuple[str, str]] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            sa.select(articles.c.id, articles.c.url, extractions.c.text)
            .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
            .where(articles.c.id.in_(chunk))
        )
        texts.update({row.id: (row.url, row.text) for row in rows})
    return texts


def _drop_matches(connection: sa.Connection, ids: Sequence[int]) -> None:
    connection.execute(
        sa.delete(matches).where(sa.or_(matches.c.a_id.in_(ids), matches.c.b_id.in_(ids)))
    )


def match_of(
    left_id: int, left_url: str, right_id: int, right_url: str, comparison: Comparison
) -> Match:
    """The match with the smaller URL as `a`; `comparison` sees left as a."""
    if (left_url, left_id) > (right_url, right_id):
        left_id, right_id, comparison = right_id, left_id, mirrored(comparison)
    return Match(
        a_id=left_id,
        b_id=right_id,
        comparison=comparison,
        decided_by="machine",
        version=MATCH_VERSION,
    )


def match_row(match: Match) -> dict[str, Any]:
    comparison = match.comparison
    assert comparison.relation is not None
    return {
        "a_id": match.a_id,
        "b_id": match.b_id,
        "relation": comparison.relation.value,
        "contains": comparison.contains,
        "jaccard": comparison.jaccard,
        "containment_a": comparison.containment_a,
        "containment_b": comparison.containment_b,
        "containment_a_outside_quotes": comparison.containment_a_outside_quotes,
        "containment_b_outside_quotes": comparison.containment_b_outside_quotes,
        "longest_passage_words": comparison.longest_passage_words,
        "decided_by": match.decided_by,
        "reasons": as_json_list(comparison.evidence),
        "version": match.version,
    }

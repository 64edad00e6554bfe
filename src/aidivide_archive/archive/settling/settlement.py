"""Joined pages, templates, matches and stories of the whole archive: a pure function of all texts and judgements.

While a run goes on, `matching.link` compares a new article with what is there: provisional, because site boilerplate
and the caps on common hashes depend on the whole set. Settling computes both, then every match and story, and writes
what differs; so the result does not depend on the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from aidivide_archive.archive.documents import outlets
from aidivide_archive.archive.documents.matching import (
    drop_signatures,
    index_signatures,
    insert_signatures,
    match_of,
    match_row,
    minima_matrix,
    texts_of,
)
from aidivide_archive.archive.schema import (
    articles,
    extractions,
    judgements,
    matches,
    signatures,
    stories,
    story_aliases,
    story_members,
)
from aidivide_archive.archive.settling.boilerplate import Boilerplate, learn_boilerplate
from aidivide_archive.archive.settling.joining import join_pages
from aidivide_archive.archive.settling.rejudging import rejudge
from aidivide_archive.archive.settling.templates import settle_templates
from aidivide_archive.archive.storage.changed_rows import Rows, delete_absent, upsert_changed
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.crash_points import crash_point
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.copies import Prepared, compare, prepare
from aidivide_archive.evidence import as_json_list
from aidivide_archive.model import Match, Story, StoryArticle, Verdict
from aidivide_archive.similarity import (
    SCHEME,
    SEED,
    SHINGLE_VERSION,
    Hashes,
    band_keys,
    sign,
)
from aidivide_archive.similarity.candidates import (
    SignedTexts,
    candidate_pairs,
)
from aidivide_archive.stories import build_stories
from aidivide_archive.stories.linkage import components

_PAIRS_AT_ONCE = 100
_PREPARED_CACHE = 200
"""Texts kept ready while pairs are compared: 12 KB each, with their sentences 100 KB and more."""
_NOTHING: Hashes = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Settled:
    """What settling found."""

    articles: int
    candidates: int
    matches: int
    stories: int
    """Stories of two or more articles."""


def settle(connection: sa.Connection) -> Settled:
    """Recompute joined pages, site templates, matches and stories of the whole archive and write what differs.

    Cost: about 0.2 ms an article and 0.05 ms a candidate pair; memory about 1 KB an article.
    """
    outlets.refresh(connection)
    settle_templates(connection, join_pages(connection))
    rejudge(connection)
    crash_point("in_settle")
    _renew_signatures(connection)
    index_signatures(connection)
    settlement = compute_settlement(connection)
    _write_matches(connection, settlement.matches)
    _write_stories(connection, settlement.stories)
    return Settled(
        articles=settlement.articles,
        candidates=len(settlement.candidates),
        matches=len(settlement.matches),
        stories=sum(len(story.members) > 1 for story in settlement.stories),
    )


@dataclass(frozen=True, slots=True)
class Settlement:
    """The matches and stories that the texts, signatures and judgements of an archive give."""

    articles: int
    candidates: tuple[tuple[int, int], ...]
    """The pairs that were compared."""
    matches: tuple[Match, ...]
    stories: tuple[Story, ...]


def compute_settlement(connection: sa.Connection) -> Settlement:
    """Compute matches and stories of the whole archive; reads only."""
    everything = _story_articles(connection)
    boilerplate = learn_boilerplate(connection, everything)
    pairs = _candidate_pairs(connection, everything, boilerplate)
    matched = tuple(_compared(connection, pairs, everything, boilerplate))
    verdicts = _judgements(connection)
    grouped = tuple(build_stories(tuple(everything.values()), matched, verdicts))
    return Settlement(len(everything), tuple(pairs), matched, grouped)


def _renew_signatures(connection: sa.Connection) -> None:
    """Sign again what was signed by another scheme or version: such values cannot be compared."""
    stale = connection.scalars(
        sa.select(signatures.c.article_id)
        .where(
            sa.or_(
                signatures.c.scheme != SCHEME,
                signatures.c.seed != SEED,
                signatures.c.version != SHINGLE_VERSION,
            )
        )
        .order_by(signatures.c.article_id)
    ).all()
    for chunk in chunks(stale):
        texts = texts_of(connection, chunk)
        drop_signatures(connection, chunk)
        insert_signatures(
            connection, [(article_id, sign(text)) for article_id, (_, text) in texts.items()]
        )


def _story_articles(connection: sa.Connection) -> dict[int, StoryArticle]:
    rows = connection.execute(
        sa.select(
            articles.c.id,
            articles.c.url,
            articles.c.site,
            articles.c.published_from,
            articles.c.published_to,
            articles.c.word_count,
            extractions.c.fields,
        )
        .join_from(articles, extractions, extractions.c.id == articles.c.extraction_id)
        .order_by(articles.c.id)
    )
    return {
        row.id: StoryArticle(
            id=row.id,
            url=row.url,
            site=row.site,
            published_start=row.published_from,
            published_end=row.published_to,
            word_count=row.word_count,
            credits=tuple(row.fields.get("credits", ())),
            canonical_url=row.fields.get("canonical_url"),
        )
        for row in rows
    }


def _candidate_pairs(
    connection: sa.Connection,
    everything: Mapping[int, StoryArticle],
    boilerplate: Boilerplate,
) -> list[tuple[int, int]]:
    """The pairs of article ids that are worth comparing, the smaller id first."""
    ids = np.fromiter(everything, dtype=np.int64, count=len(everything))  # ascending
    sites = [article.site for article in everything.values()]
    places = candidate_pairs(
        _signed_texts(connection, ids), sites, boilerplate.by_site, boilerplate.stock
    )
    return [(left, right) for left, right in ids[places].tolist()]


def _signed_texts(connection: sa.Connection, ids: NDArray[np.int64]) -> SignedTexts:
    """Sketches and bands of all articles; an owner is the place of its article in `ids`."""
    statement = sa.select(
        signatures.c.article_id,
        signatures.c.shingle_count,
        signatures.c.hashvalues,
        signatures.c.sketch,
    ).order_by(signatures.c.article_id)
    result = connection.execute(statement.execution_options(yield_per=1_000))
    empty = np.empty(0, dtype=np.int64)
    hashes, hash_owners, keys, key_owners = [empty], [empty], [empty], [empty]
    for some in result.partitions():
        rows = [row for row in some if row.shingle_count]
        if not rows:
            continue
        places = np.searchsorted(ids, [row.article_id for row in rows])
        sketches = [np.frombuffer(row.sketch, dtype="<i8") for row in rows]
        hashes.append(np.concatenate(sketches))
        hash_owners.append(np.repeat(places, [len(sketch) for sketch in sketches]))
        band_matrix = band_keys(minima_matrix([row.hashvalues for row in rows]))
        keys.append(band_matrix.ravel())
        key_owners.append(np.repeat(places, band_matrix.shape[1]))
    sketch_owners = np.concatenate(hash_owners)
    return SignedTexts(
        sketch_hashes=np.concatenate(hashes),
        sketch_owners=sketch_owners,
        sketch_sizes=np.bincount(sketch_owners, minlength=len(ids)),
        band_keys=np.concatenate(keys),
        band_owners=np.concatenate(key_owners),
    )


def _compared(
    connection: sa.Connection,
    pairs: Sequence[tuple[int, int]],
    everything: Mapping[int, StoryArticle],
    boilerplate: Boilerplate,
) -> Iterator[Match]:
    """The matches among the pairs. Pairs of one text come together, so that it is prepared once."""
    ready: dict[int, Prepared] = {}
    place = {
        article_id: number
        for number, group in enumerate(components(set(pairs)))
        for article_id in group
    }
    ordered = sorted(pairs, key=lambda pair: (place[pair[0]], pair))
    for start in range(0, len(ordered), _PAIRS_AT_ONCE):
        chunk = ordered[start : start + _PAIRS_AT_ONCE]
        if len(ready) > _PREPARED_CACHE:
            ready.clear()
        missing = sorted({article_id for pair in chunk for article_id in pair} - ready.keys())
        for article_id, (_, text) in texts_of(connection, missing).items():
            common = boilerplate.by_site.get(everything[article_id].site, _NOTHING)
            ready[article_id] = prepare(text, boilerplate=common, stock=boilerplate.stock)
        for left, right in chunk:
            comparison = compare(ready[left], ready[right])
            if comparison.relation is not None:
                urls = everything[left].url, everything[right].url
                yield match_of(left, urls[0], right, urls[1], comparison)


def _judgements(connection: sa.Connection) -> dict[tuple[int, int], Verdict]:
    rows = connection.execute(sa.select(judgements.c.a_id, judgements.c.b_id, judgements.c.verdict))
    return {(row.a_id, row.b_id): Verdict(row.verdict) for row in rows}


def _write_matches(connection: sa.Connection, matched: Sequence[Match]) -> None:
    wanted = {(match.a_id, match.b_id): match_row(match) for match in matched}
    present = {
        (row["a_id"], row["b_id"]): dict(row)
        for row in connection.execute(sa.select(matches)).mappings()
    }
    upsert_changed(connection, matches, ("a_id", "b_id"), wanted, present)
    delete_absent(connection, matches, ("a_id", "b_id"), wanted, present)


def story_rows_of(
    grouped: Sequence[Story],
) -> tuple[dict[Any, dict[str, Any]], dict[Any, dict[str, Any]]]:
    """The rows of `stories` and of `story_members`, by key."""
    story_rows: dict[Any, dict[str, Any]] = {}
    member_rows: dict[Any, dict[str, Any]] = {}
    for story in grouped:
        origin = next((m for m in story.members if m.role == "origin"), story.members[0])
        story_rows[(story.id,)] = {
            "id": story.id,
            "origin_id": origin.article_id,
            "size": len(story.members),
        }
        for member in story.members:
            member_rows[(member.article_id,)] = {
                "article_id": member.article_id,
                "story_id": story.id,
                "role": member.role.value,
                "share_copied": member.share_copied,
                "hours_after_origin": member.hours_after_origin,
                "confidence": member.confidence,
                "reasons": as_json_list(member.evidence),
                "origin_rank": member.origin_rank,
                "origin_points": member.origin_points,
                "origin_reasons": as_json_list(member.origin_evidence),
            }
    return story_rows, member_rows


def _write_stories(connection: sa.Connection, grouped: Sequence[Story]) -> None:
    story_rows, member_rows = story_rows_of(grouped)
    present_stories = {
        (row["id"],): dict(row) for row in connection.execute(sa.select(stories)).mappings()
    }
    present_members = {
        (row["article_id"],): dict(row)
        for row in connection.execute(sa.select(story_members)).mappings()
    }
    _write_aliases(connection, present_stories, present_members, member_rows)
    upsert_changed(connection, stories, ("id",), story_rows, present_stories)
    upsert_changed(connection, story_members, ("article_id",), member_rows, present_members)
    delete_absent(connection, story_members, ("article_id",), member_rows, present_members)
    delete_absent(connection, stories, ("id",), story_rows, present_stories)


def _write_aliases(
    connection: sa.Connection,
    present_stories: Rows,
    present_members: Rows,
    member_rows: Rows,
) -> None:
    """A story that went into another one answers as an alias; one that is back loses its alias."""
    now = {row["story_id"] for row in member_rows.values()}
    former: dict[int, int] = {}
    for (article_id,), row in sorted(present_members.items()):
        old = row["story_id"]
        if old not in now and old not in former and (article_id,) in member_rows:
            former[old] = member_rows[(article_id,)]["story_id"]
    for old, new in sorted(former.items()):
        if (old,) in present_stories:
            connection.execute(
                upsert(connection, story_aliases)
                .values(id=old, story_id=new)
                .on_conflict_do_update(index_elements=["id"], set_={"story_id": new})
            )
            connection.execute(
                sa.update(story_aliases).where(story_aliases.c.story_id == old).values(story_id=new)
            )
    alive = sorted(now)
    for chunk in chunks(alive):
        connection.execute(sa.delete(story_aliases).where(story_aliases.c.id.in_(chunk)))

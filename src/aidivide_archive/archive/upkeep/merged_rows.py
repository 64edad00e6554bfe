"""The rows of two archives' ledgers: what both have is decided by the rows alone, whichever is merged into the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.ledger.endings import PURGED, ended_row
from aidivide_archive.archive.schema import (
    captures,
    clutter_rules,
    crawls,
    discoveries,
    events,
    hosts,
    judgements,
    observations,
    relevance,
    sources,
    stories,
    story_aliases,
    story_members,
    urls,
    warc_files,
)
from aidivide_archive.archive.settling.templates import ADDED, UNDONE
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.archive.upkeep.merged_files import (
    CHUNK,
    CopiedFile,
    identity_of,
    known_captures,
)
from aidivide_archive.exceptions import StoreError
from aidivide_archive.model import Reason, UrlState
from aidivide_archive.urls import host_of, url_id, url_key

_RANK = {
    UrlState.DONE: 0,
    UrlState.REJECTED: 1,
    UrlState.DEAD: 2,
    UrlState.FAILED: 3,
    UrlState.QUEUED: 4,
}
Row = dict[str, Any]


@dataclass(slots=True)
class Numbers:
    """Numbers of OTHER → numbers here."""

    crawls: dict[int, int] = field(default_factory=dict)
    captures: dict[int, int] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)
    """Tombstones of both."""
    gone: set[int] = field(default_factory=set)
    """URLs that fall under one."""


def merge_events(ours: sa.Connection, theirs: sa.Connection) -> None:
    """The profile that was used last counts, with its sources."""
    here = {row.id: row.updated_at for row in ours.execute(sa.select(events))}
    newer = set()
    for rows in _all(theirs, events):
        _keep_better(ours, events, rows, lambda row: (row["updated_at"], row["profile_sha256"]))
        newer |= {
            row["id"]
            for row in rows
            if row["id"] not in here or row["updated_at"] > here[row["id"]]
        }
    for rows in _all(theirs, sources):
        _keep_better(ours, sources, rows, lambda row: row["event_id"] in newer)


def merge_runs(ours: sa.Connection, theirs: sa.Connection, numbers: Numbers) -> None:
    known = {(row.owner, row.started_at): row.id for row in ours.execute(sa.select(crawls))}
    for rows in _all(theirs, crawls):
        for row in rows:
            number = row.pop("id")
            key = (row["owner"], row["started_at"])
            if key not in known:
                if row["finished_at"] is None:
                    row |= {"finished_at": row["started_at"], "finish_reason": "killed"}
                made = ours.execute(sa.insert(crawls).values(row).returning(crawls.c.id))
                known[key] = int(made.scalar_one())
            numbers.crawls[number] = known[key]


def merge_urls(ours: sa.Connection, theirs: sa.Connection, numbers: Numbers) -> int:
    new = 0
    for rows in _all(theirs, urls):
        ids = [row["id"] for row in rows]
        here = ours.execute(sa.select(urls).where(urls.c.id.in_(ids))).mappings()
        known = {row["id"]: dict(row) for row in here}
        wanted = []
        for row in rows:
            if url_id(row["url"]) != row["id"] or url_key(row["url"]) != row["url_key"]:
                raise StoreError(
                    f"{row['url'][:200]} has an id that is not its own: nothing was merged"
                )
            mine = known.get(row["id"])
            if mine is not None and mine["url_key"] != row["url_key"]:
                numbers.gone.add(row["id"])  # two keys with one id: the later one stays out
                continue
            if {row["url_key"], row["site"]} & numbers.purged:
                numbers.gone.add(row["id"])
                ended_at = row["finished_at"] or row["first_seen_at"]
                row.update(ended_row(PURGED, now=ended_at))
            new += mine is None
            made = _merged_url(mine, row)
            if made != mine:
                wanted.append(made)
        _hosts(ours, rows)
        if wanted:
            statement = upsert(ours, urls)
            names = [column.name for column in urls.c if column.name != "id"]
            ours.execute(
                statement.on_conflict_do_update(
                    index_elements=["id"], set_={name: statement.excluded[name] for name in names}
                ),
                wanted,
            )
    return new


def _hosts(ours: sa.Connection, rows: Sequence[Row]) -> None:
    pairs = {(host_of(row["url"]), row["site"]) for row in rows}
    ours.execute(
        upsert(ours, hosts).on_conflict_do_nothing(),
        [{"host": host, "site": name} for host, name in sorted(pairs)],
    )


def _merged_url(mine: Row | None, other: Row) -> Row:
    """One ledger row of two: the state that is furthest, of equal ones the later."""
    candidates = [dict(row) for row in (mine, other) if row is not None]
    for row in candidates:
        if row["state"] == UrlState.LEASED:
            row["state"] = UrlState.QUEUED.value
        row["state"], row["leased_by"] = str(row["state"]), None
        row["reason"] = None if row["reason"] is None else str(row["reason"])
    best = min(candidates, key=_standing)
    url = min(row["url"] for row in candidates)
    return best | {
        "url": url,
        "host": host_of(url),
        "kind": min(row["kind"] for row in candidates),
        "priority": max(row["priority"] for row in candidates),
        "depth": min(row["depth"] for row in candidates),
        "redirects": min(row["redirects"] for row in candidates),
        "first_seen_at": min(row["first_seen_at"] for row in candidates),
    }


def _standing(row: Row) -> tuple[object, ...]:
    finished = row["finished_at"].timestamp() if row["finished_at"] else 0.0
    purged = row["reason"] == Reason.PURGED
    return (
        not purged,
        _RANK[UrlState(row["state"])],
        -finished,
        row["reason"] or "",
        row["detail"] or "",
    )


def merge_discoveries(ours: sa.Connection, theirs: sa.Connection, numbers: Numbers) -> None:
    for rows in _all(theirs, discoveries):
        kept = [
            row | {"crawl_id": numbers.crawls[row["crawl_id"]]}
            for row in rows
            if row["url_id"] not in numbers.gone
        ]
        if kept:
            ours.execute(upsert(ours, discoveries).on_conflict_do_nothing(), kept)


def merge_captures(
    ours: sa.Connection, theirs: sa.Connection, numbers: Numbers, copied: dict[int, CopiedFile]
) -> int:
    files = _files(ours, theirs, numbers, copied)
    new = 0
    statement = sa.select(captures).order_by(captures.c.id)
    result = theirs.execute(statement, execution_options={"yield_per": CHUNK})
    for rows in result.partitions():
        kept = [row for row in rows if row.url_id not in numbers.gone]
        known = known_captures(ours, [row.url_id for row in kept])
        for row in kept:
            identity = identity_of(row)
            if identity not in known:
                values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name
                del values["id"]
                offset, length = copied[row.warc_file_id].places[row.warc_offset]
                values |= {
                    "crawl_id": numbers.crawls[row.crawl_id],
                    "warc_file_id": files[row.warc_file_id],
                    "warc_offset": offset,
                    "warc_length": length,
                }
                made = ours.execute(sa.insert(captures).values(values).returning(captures.c.id))
                known[identity] = int(made.scalar_one())
                new += 1
            numbers.captures[row.id] = known[identity]
    return new


def _files(
    ours: sa.Connection, theirs: sa.Connection, numbers: Numbers, copied: dict[int, CopiedFile]
) -> dict[int, int]:
    """Rows for the files that were copied; by OTHER's number."""
    numbers_here = {}
    for row in theirs.execute(sa.select(warc_files).order_by(warc_files.c.id)).all():
        if row.id in copied:
            values = {
                "crawl_id": numbers.crawls[row.crawl_id],
                "name": copied[row.id].name,
                "committed_bytes": copied[row.id].size,
            }
            made = ours.execute(sa.insert(warc_files).values(values).returning(warc_files.c.id))
            numbers_here[row.id] = int(made.scalar_one())
    return numbers_here


def merge_observations(ours: sa.Connection, theirs: sa.Connection, numbers: Numbers) -> None:
    names = ("url_id", "crawl_id", "observed_at", "outcome", "detail")
    for rows in _all(theirs, observations):
        kept = []
        for row in rows:
            del row["id"]
            if row["url_id"] in numbers.gone:
                continue
            capture = row["capture_id"]
            row["capture_id"] = None if capture is None else numbers.captures[capture]
            kept.append(row | {"crawl_id": numbers.crawls[row["crawl_id"]]})
        ids = sorted({row["url_id"] for row in kept})
        here = ours.execute(
            sa.select(*(observations.c[name] for name in names)).where(
                observations.c.url_id.in_(ids)
            )
        )
        known = {tuple(row) for row in here}
        new = [row for row in kept if tuple(row[name] for name in names) not in known]
        if new:
            ours.execute(sa.insert(observations), new)


def merge_relevance(ours: sa.Connection, theirs: sa.Connection, numbers: Numbers) -> None:
    for rows in _all(theirs, relevance):
        kept = [row for row in rows if row["url_id"] not in numbers.gone]
        _keep_better(
            ours, relevance, kept, lambda row: (row["judged_at"], row["version"], row["score"])
        )


def merge_judgements(ours: sa.Connection, theirs: sa.Connection, numbers: Numbers) -> int:
    """The later judgement on a pair counts; the smaller URL, which may have changed, is `a`."""
    new = 0
    for rows in _all(theirs, judgements):
        kept = [row for row in rows if not {row["a_id"], row["b_id"]} & numbers.gone]
        new += _keep_better(
            ours,
            judgements,
            kept,
            lambda row: (row["judged_at"], row["verdict"], row["note"] or ""),
        )
    return new


def merge_line_rules(ours: sa.Connection, theirs: sa.Connection) -> None:
    """What people said about lines; what is learnt is learnt again."""
    weight = {UNDONE: 2, ADDED: 1}
    for rows in _all(theirs, clutter_rules):
        said = [row | {"pages": 0} for row in rows if row["status"] in weight]
        _keep_better(ours, clutter_rules, said, lambda row: weight.get(row["status"], 0))


def keep_former_ids(ours: sa.Connection, former: set[int], targets: dict[int, int]) -> None:
    """Ids of OTHER's stories that are none any more answer for the story their article is in."""
    alive = set(ours.scalars(sa.select(stories.c.id)))
    story_of = {
        row.article_id: row.story_id
        for row in ours.execute(sa.select(story_members.c.article_id, story_members.c.story_id))
    }
    wanted = []
    for old in sorted(former - alive):
        now = story_of.get(old, story_of.get(targets.get(old, old)))
        if now is not None:
            wanted.append({"id": old, "story_id": now})
    if wanted:
        statement = upsert(ours, story_aliases)
        ours.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_={"story_id": statement.excluded["story_id"]}
            ),
            wanted,
        )


def _all(connection: sa.Connection, table: sa.Table) -> Iterator[list[Row]]:
    """The rows of a table in chunks, in the order of its key."""
    statement = sa.select(table).order_by(*table.primary_key.columns)
    result = connection.execute(statement, execution_options={"yield_per": CHUNK})
    for rows in result.mappings().partitions():
        yield [dict(row) for row in rows]


def _keep_better(
    ours: sa.Connection, table: sa.Table, rows: Sequence[Row], better: Callable[[Row], Any]
) -> int:
    """Write the rows that are not here, or of which the better one is there. Returns how many."""
    keys = list(table.primary_key.columns)
    others = [column.name for column in table.c if not column.primary_key]
    changed = []
    for chunk in chunks(rows):
        wanted = [tuple(row[key.name] for key in keys) for row in chunk]
        here = ours.execute(sa.select(table).where(sa.tuple_(*keys).in_(wanted))).mappings()
        known = {tuple(row[key.name] for key in keys): dict(row) for row in here}
        for key, row in zip(wanted, chunk, strict=True):
            if key not in known or better(row) > better(known[key]):
                changed.append(row)
    if changed:
        statement = upsert(ours, table)
        ours.execute(
            statement.on_conflict_do_update(
                index_elements=[key.name for key in keys],
                set_={name: statement.excluded[name] for name in others},
            ),
            changed,
        )
    return len(changed)

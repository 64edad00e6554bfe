"""Join another archive into this one. OTHER is read only and believed nothing that can be computed again.

Rows are matched by what they mean, never by their numbers: a capture by URL, instant and body; an extraction by capture
and version; a run by owner and start. What both archives have is decided by the rows alone, so that merging A into B
gives what merging B into A gives. Signatures, matches and stories are made anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.queries.integrity import findings
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
    tombstones,
    urls,
    warc_files,
)
from aidivide_archive.archive.settling.settlement import Settled, settle
from aidivide_archive.archive.settling.templates import ADDED, UNDONE
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.storage.location import Location
from aidivide_archive.archive.store import Archive, live_runs
from aidivide_archive.archive.upkeep import merged_articles
from aidivide_archive.archive.upkeep.purging import Target, purge
from aidivide_archive.exceptions import (
    ArchiveError,
    ArchiveLockedError,
    InvalidURLError,
    StoreError,
)
from aidivide_archive.model import Reason, UrlState
from aidivide_archive.urls import host_of, site, url_id, url_key
from aidivide_archive.warc.members import (
    Member,
    copy_members,
    iter_members,
    rewritten_name,
    sync_directory,
)

_CHUNK = 500
_WARC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.warc\.gz")
_NOT_MERGED = (
    "database",
    "foreign_key",
    "no_extraction",
    "text_digest",
    "warc_missing",
    "warc_short",
)
"""Findings in OTHER that a merge would carry over; the others are made anew."""
_RANK = {
    UrlState.DONE: 0,
    UrlState.REJECTED: 1,
    UrlState.DEAD: 2,
    UrlState.FAILED: 3,
    UrlState.QUEUED: 4,
}
Row = dict[str, Any]


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


@dataclass(slots=True)
class _Numbers:
    """Numbers of OTHER → numbers here."""

    crawls: dict[int, int] = field(default_factory=dict)
    captures: dict[int, int] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)
    """Tombstones of both."""
    gone: set[int] = field(default_factory=set)
    """URLs that fall under one."""


@dataclass(frozen=True, slots=True)
class _Copied:
    """A WARC file of OTHER as it stands here now."""

    name: str
    size: int
    places: dict[int, tuple[int, int]]


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
            if theirs.dialect.name == "sqlite":  # a file of a stranger
                theirs.exec_driver_sql("PRAGMA trusted_schema = OFF")
                theirs.exec_driver_sql("PRAGMA cell_size_check = ON")
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
    damaged = next(
        (one for one in findings(theirs, other.warc_directory) if one.check in _NOT_MERGED), None
    )
    if damaged is not None:
        raise StoreError(
            f"{other.shown()} is damaged ({damaged.check}: {damaged.subject}): "
            "see `aidivide verify` there; nothing was merged"
        )
    purged = set(theirs.scalars(sa.select(tombstones.c.target)))
    purged |= archive.submit(lambda c: set(c.scalars(sa.select(tombstones.c.target)))).result()
    copied: dict[int, _Copied] = {}
    try:
        _copy_files(archive, other, theirs, purged, copied)
        done = archive.submit(lambda c: _rows(c, theirs, copied, purged)).result()
    except BaseException:
        for one in copied.values():
            (archive.location.warc_directory / one.name).unlink(missing_ok=True)
        raise
    obeyed = _obey_tombstones(
        archive, theirs
    )  # last: nothing is taken away for a merge that is refused
    if obeyed:
        done = replace(done, purged=obeyed, settled=archive.settle().result())
    return done


def _rows(
    ours: sa.Connection, theirs: sa.Connection, copied: dict[int, _Copied], purged: set[str]
) -> Merged:
    numbers = _Numbers(purged=purged)
    _events(ours, theirs)
    _crawls(ours, theirs, numbers)
    new_urls = _urls(ours, theirs, numbers)
    _discoveries(ours, theirs, numbers)
    new_captures = _captures(ours, theirs, numbers, copied)
    _observations(ours, theirs, numbers)
    changed = merged_articles.merge(ours, theirs, numbers.captures, numbers.gone)
    _relevance(ours, theirs, numbers)
    told = _judgements(ours, theirs, numbers)
    _clutter(ours, theirs)
    former = set(theirs.scalars(sa.select(stories.c.id)))
    former |= set(theirs.scalars(sa.select(story_aliases.c.id)))
    targets = {row.id: row.story_id for row in theirs.execute(sa.select(story_aliases))}
    settled = settle(ours)
    _aliases(ours, former, targets)
    return Merged(
        urls=new_urls,
        captures=new_captures,
        articles=changed,
        judgements=told,
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


def _copy_files(
    archive: Archive,
    other: Location,
    theirs: sa.Connection,
    purged: set[str],
    found: dict[int, _Copied],
) -> None:
    """Copy the WARC files of OTHER with captures that are not here, without what was purged; enters them in `found`."""
    location = archive.location
    named = archive.submit(lambda c: set(c.scalars(sa.select(warc_files.c.name)))).result()
    for file in theirs.execute(sa.select(warc_files).order_by(warc_files.c.id)).all():
        if not _WARC_NAME.fullmatch(file.name):
            raise StoreError(f"{other.shown()} names a WARC file {file.name!r}: nothing was merged")
        rows = _captures_of(theirs, file.id, purged)
        missing = archive.submit(partial(_missing, rows=rows)).result()
        if missing:
            found[file.id] = _copy(other, location, file, rows, purged, named)
    if found:
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
    known = _known_captures(ours, [row.url_id for row in rows])
    return any(_identity(row) not in known for row in rows)


def _identity(row: Any) -> tuple[object, ...]:
    return row.url_id, row.captured_at, row.payload_sha256


def _known_captures(ours: sa.Connection, ids: Sequence[int]) -> dict[tuple[object, ...], int]:
    known = {}
    for chunk in _chunked(sorted(set(ids))):
        rows = ours.execute(sa.select(captures).where(captures.c.url_id.in_(chunk)))
        known.update({_identity(row): row.id for row in rows})
    return known


def _copy(
    other: Location,
    location: Location,
    file: sa.Row[Any],
    rows: Sequence[sa.Row[Any]],
    purged: set[str],
    named: set[str],
) -> _Copied:
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
    return _Copied(name, (location.warc_directory / name).stat().st_size, places)


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


# --- rows ----------------------------------------------------------------------------------------


def _chunked(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _all(connection: sa.Connection, table: sa.Table) -> Iterator[list[Row]]:
    """The rows of a table in chunks, in the order of its key."""
    statement = sa.select(table).order_by(*table.primary_key.columns)
    result = connection.execute(statement, execution_options={"yield_per": _CHUNK})
    for rows in result.mappings().partitions():
        yield [dict(row) for row in rows]


def _keep_better(
    ours: sa.Connection, table: sa.Table, rows: Sequence[Row], better: Callable[[Row], Any]
) -> int:
    """Write the rows that are not here, or of which the better one is there. Returns how many."""
    keys = list(table.primary_key.columns)
    others = [column.name for column in table.c if not column.primary_key]
    changed = []
    for chunk in _chunked(rows):
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


def _events(ours: sa.Connection, theirs: sa.Connection) -> None:
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


def _crawls(ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers) -> None:
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


def _urls(ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers) -> int:
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
                row |= {"state": UrlState.REJECTED, "reason": Reason.PURGED, "detail": None}
                row |= {"due_at": None}
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
    candidates = [dict(one) for one in (mine, other) if one is not None]
    for one in candidates:
        if one["state"] == UrlState.LEASED:
            one["state"] = UrlState.QUEUED.value
        one["state"], one["leased_by"] = str(one["state"]), None
        one["reason"] = None if one["reason"] is None else str(one["reason"])
    best = min(candidates, key=_standing)
    url = min(one["url"] for one in candidates)
    return best | {
        "url": url,
        "host": host_of(url),
        "kind": min(one["kind"] for one in candidates),
        "priority": max(one["priority"] for one in candidates),
        "depth": min(one["depth"] for one in candidates),
        "redirects": min(one["redirects"] for one in candidates),
        "first_seen_at": min(one["first_seen_at"] for one in candidates),
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


def _discoveries(ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers) -> None:
    for rows in _all(theirs, discoveries):
        kept = [
            row | {"crawl_id": numbers.crawls[row["crawl_id"]]}
            for row in rows
            if row["url_id"] not in numbers.gone
        ]
        if kept:
            ours.execute(upsert(ours, discoveries).on_conflict_do_nothing(), kept)


def _captures(
    ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers, copied: dict[int, _Copied]
) -> int:
    files = _files(ours, theirs, numbers, copied)
    new = 0
    statement = sa.select(captures).order_by(captures.c.id)
    result = theirs.execute(statement, execution_options={"yield_per": _CHUNK})
    for rows in result.partitions():
        kept = [row for row in rows if row.url_id not in numbers.gone]
        known = _known_captures(ours, [row.url_id for row in kept])
        for row in kept:
            identity = _identity(row)
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
    ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers, copied: dict[int, _Copied]
) -> dict[int, int]:
    """Rows for the files that were copied; by OTHER's number."""
    found = {}
    for row in theirs.execute(sa.select(warc_files).order_by(warc_files.c.id)).all():
        if row.id in copied:
            values = {
                "crawl_id": numbers.crawls[row.crawl_id],
                "name": copied[row.id].name,
                "committed_bytes": copied[row.id].size,
            }
            made = ours.execute(sa.insert(warc_files).values(values).returning(warc_files.c.id))
            found[row.id] = int(made.scalar_one())
    return found


def _observations(ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers) -> None:
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


def _relevance(ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers) -> None:
    for rows in _all(theirs, relevance):
        kept = [row for row in rows if row["url_id"] not in numbers.gone]
        _keep_better(
            ours, relevance, kept, lambda row: (row["judged_at"], row["version"], row["score"])
        )


def _judgements(ours: sa.Connection, theirs: sa.Connection, numbers: _Numbers) -> int:
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


def _clutter(ours: sa.Connection, theirs: sa.Connection) -> None:
    """What people said about lines; what is learnt is learnt again."""
    weight = {UNDONE: 2, ADDED: 1}
    for rows in _all(theirs, clutter_rules):
        said = [row | {"pages": 0} for row in rows if row["status"] in weight]
        _keep_better(ours, clutter_rules, said, lambda row: weight.get(row["status"], 0))


def _aliases(ours: sa.Connection, former: set[int], targets: dict[int, int]) -> None:
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

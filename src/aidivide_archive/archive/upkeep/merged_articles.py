"""The texts of two archives: extractions, revisions in the order they were seen, and the one that is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents import derived, full_text, matching
from aidivide_archive.archive.documents.derived import is_derived
from aidivide_archive.archive.schema import articles, captures, claims, extractions, revisions, urls
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.exceptions import StoreError
from aidivide_archive.similarity import sign

_ARTICLES_AT_ONCE = 200
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Revision:
    """A revision on its way into a joint history; extraction numbers are those of here."""

    seen_at: Any
    text_sha256: str
    title: str | None
    version: str
    payload_sha256: str | None
    extraction_id: int
    shown: Row | None
    """The article's row, of the newest revision of each archive; its `extraction_id` is the base shown."""

    @property
    def order(self) -> tuple[object, ...]:
        return (self.seen_at, self.text_sha256, self.title or "", self.version)


def merge(
    ours: sa.Connection, theirs: sa.Connection, capture_numbers: dict[int, int], gone: set[int]
) -> int:
    """Bring in OTHER's extractions and articles; returns how many articles are new or changed."""
    numbers = _extractions(ours, theirs, capture_numbers, gone)
    changed = 0
    for ids in _article_ids(theirs, gone):
        mine = _histories(ours, ids, None)
        others = _histories(theirs, ids, numbers)
        shown_urls = {
            row.id: row.url
            for row in ours.execute(sa.select(urls.c.id, urls.c.url).where(urls.c.id.in_(ids)))
        }
        for number in ids:
            changed += _write(
                ours, number, shown_urls[number], mine.get(number, []), others.get(number, [])
            )
    return changed


def _article_ids(theirs: sa.Connection, gone: set[int]) -> Iterator[Sequence[int]]:
    ids = [
        number
        for number in theirs.scalars(sa.select(articles.c.id).order_by(articles.c.id))
        if number not in gone
    ]
    yield from chunks(ids, _ARTICLES_AT_ONCE)


def _extractions(
    ours: sa.Connection, theirs: sa.Connection, capture_numbers: dict[int, int], gone: set[int]
) -> dict[int, int]:
    """OTHER's extractions and their claims; those that settling derives are left out. Numbers there → here."""
    numbers: dict[int, int] = {}
    statement = sa.select(extractions).order_by(extractions.c.id)
    result = theirs.execute(statement, execution_options={"yield_per": _ARTICLES_AT_ONCE})
    for rows in result.mappings().partitions():
        kept = [
            dict(row)
            for row in rows
            if row["url_id"] not in gone and not is_derived(row["version"])
        ]
        here = ours.execute(
            sa.select(extractions).where(extractions.c.url_id.in_([row["url_id"] for row in kept]))
        ).mappings()
        known = {_identity(dict(row)): row["id"] for row in here}
        for row in kept:
            number, capture = row.pop("id"), row["capture_id"]
            row["capture_id"] = None if capture is None else capture_numbers[capture]
            identity = _identity(row)
            if identity not in known:
                _check(row)
                made = ours.execute(sa.insert(extractions).values(row).returning(extractions.c.id))
                known[identity] = int(made.scalar_one())
                _claims(ours, theirs, number, known[identity])
            numbers[number] = known[identity]
    return numbers


def _identity(row: Row) -> tuple[object, ...]:
    if row["capture_id"] is not None:
        return row["url_id"], row["capture_id"], row["version"]
    return row["url_id"], None, row["version"], row["text_sha256"], row["title"]


def _check(row: Row) -> None:
    digest = hashlib.sha256(row["text"].encode()).hexdigest()
    if digest != row["text_sha256"] and "withheld" not in row["fields"]:
        raise StoreError(
            "a text of the other archive is not the one its digest names: nothing was merged"
        )


def _claims(ours: sa.Connection, theirs: sa.Connection, there: int, here: int) -> None:
    rows = theirs.execute(sa.select(claims).where(claims.c.extraction_id == there)).mappings()
    values = [dict(row) | {"extraction_id": here} for row in rows]
    if values:
        ours.execute(sa.insert(claims), values)


def _histories(
    connection: sa.Connection, ids: Sequence[int], numbers: dict[int, int] | None
) -> dict[int, list[_Revision]]:
    """The revisions of articles, the newest with the article's row. `numbers`: of another archive's extractions."""
    shown = {
        row["id"]: dict(row)
        for row in connection.execute(sa.select(articles).where(articles.c.id.in_(ids))).mappings()
    }
    bases = {
        standing.article_id: standing.base_id
        for standing in derived.standing_of(connection, list(shown))
    }
    measured = {
        row.id: row
        for row in connection.execute(
            sa.select(extractions.c.id, extractions.c.text_sha256, extractions.c.word_count).where(
                extractions.c.id.in_(bases.values())
            )
        )
    }
    statement = (
        sa.select(revisions, extractions.c.version, captures.c.payload_sha256)
        .join_from(revisions, extractions, extractions.c.id == revisions.c.extraction_id)
        .outerjoin(captures, captures.c.id == extractions.c.capture_id)
        .where(revisions.c.article_id.in_(ids))
        .order_by(revisions.c.article_id, revisions.c.number)
    )
    histories: dict[int, list[_Revision]] = {}
    for row in connection.execute(statement):
        article = None
        if row.number == shown[row.article_id]["revision"]:
            base = measured[bases[row.article_id]]
            article = shown[row.article_id] | {
                "extraction_id": base.id if numbers is None else numbers[base.id],
                "text_sha256": base.text_sha256,
                "word_count": base.word_count,
            }
        number = row.extraction_id
        histories.setdefault(row.article_id, []).append(
            _Revision(
                row.seen_at,
                row.text_sha256,
                row.title,
                row.version,
                row.payload_sha256,
                number if numbers is None else numbers[number],
                article,
            )
        )
    return histories


def joint_history(mine: Sequence[_Revision], others: Sequence[_Revision]) -> list[_Revision]:
    """Both histories in the order they were seen; what did not change from one to the next counts once.

    One body read by two versions of the stages is one revision, that of the later version.
    """
    history: list[_Revision] = []
    for revision in sorted([*mine, *others], key=lambda seen: seen.order):
        last = history[-1] if history else None
        if last is None:
            history.append(revision)
            continue
        same_text = (revision.text_sha256, revision.title) == (last.text_sha256, last.title)
        same_body = (
            revision.payload_sha256 is not None and revision.payload_sha256 == last.payload_sha256
        )
        if same_body and revision.version > last.version:
            history[-1] = revision
        elif not same_text and not same_body:
            history.append(revision)
        elif (
            last.shown is None and revision.shown is not None
        ):  # the newest of its archive, known here as older
            history[-1] = _with_row(last, revision)
    return history


def _with_row(first: _Revision, later: _Revision) -> _Revision:
    return _Revision(
        first.seen_at,
        first.text_sha256,
        first.title,
        first.version,
        first.payload_sha256,
        first.extraction_id,
        later.shown,
    )


def _write(
    ours: sa.Connection,
    number: int,
    url: str,
    mine: Sequence[_Revision],
    others: Sequence[_Revision],
) -> bool:
    history = joint_history(mine, others)
    shown = history[-1].shown
    assert shown is not None, "the newest revision of an archive has its article"
    rows = [revision.shown for revision in (*mine, *others) if revision.shown is not None]
    captured_at = min(row["captured_at"] for row in rows)
    wanted = shown | {"url": url, "revision": len(history), "captured_at": captured_at}
    before = next((revision.shown for revision in mine if revision.shown is not None), None)
    if before == wanted and [revision.order for revision in mine] == [
        revision.order for revision in history
    ]:
        return False
    old = full_text.indexed(ours, [number])
    stale = ours.scalar(sa.select(articles.c.extraction_id).where(articles.c.id == number))
    values = {name: value for name, value in wanted.items() if name != "id"}
    ours.execute(
        upsert(ours, articles)
        .values(wanted)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
    if stale is not None and stale != wanted["extraction_id"]:
        derived.drop_derived(ours, stale)
    new = full_text.indexed(ours, [number])
    if old != new:
        title, text = new[number]
        full_text.write(ours, [(number, title, text)], gone=old)
        matching.drop_signatures(ours, [number])
        matching.insert_signatures(ours, [(number, sign(text))])
    ours.execute(sa.delete(revisions).where(revisions.c.article_id == number))
    ours.execute(
        sa.insert(revisions),
        [
            {
                "article_id": number,
                "number": place,
                "extraction_id": revision.extraction_id,
                "text_sha256": revision.text_sha256,
                "title": revision.title,
                "seen_at": revision.seen_at,
            }
            for place, revision in enumerate(history, 1)
        ],
    )
    return True

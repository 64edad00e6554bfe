"""Which kinds of URLs of a host still bring content: the counters that end a trap, kept in the archive.

Every function works on the connection it is given and commits nothing. A pattern is closed when so many of its pages
in a row showed nothing that their host had not shown before; links of it are then rejected, those of feeds and
sitemaps are not. A new crawl gives every pattern its budget anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.ledger.endings import end_ids
from aidivide_archive.archive.schema import discoveries, page_contents, url_patterns, urls
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.model import Channel, Outcome, Reason, UrlKind, UrlState
from aidivide_archive.traps import url_pattern

_LISTED = tuple(channel.value for channel in Channel if channel.is_listed)


def closed_patterns(connection: sa.Connection, names: Collection[str]) -> set[tuple[str, str]]:
    """(host, pattern) of what was given up on these hosts."""
    rows = connection.execute(
        sa.select(url_patterns.c.host, url_patterns.c.pattern).where(
            url_patterns.c.host.in_(sorted(names)), url_patterns.c.is_closed.is_(sa.true())
        )
    )
    return {(row.host, row.pattern) for row in rows}


def closed_outcome(pattern: str) -> Outcome:
    """How the links of a pattern end that was given up."""
    detail = f"pages like {pattern} brought nothing new"
    return Outcome(state=UrlState.REJECTED, reason=Reason.TRAP, detail=detail)


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """What a page showed."""

    url_id: int
    host: str
    url: str
    fingerprint: int | None
    """`traps.fingerprint` of its text; None: it had none."""


def count_pages(
    connection: sa.Connection, pages: Sequence[FetchedPage], *, barren_pages: int, now: datetime
) -> None:
    """Note what fetched pages showed, in their order, and close patterns with one barren page too many.

    `barren_pages`: 0 closes none.
    """
    if not pages:
        return
    first = _first_to_show(connection, pages)
    counted = _counted(connection, sorted({page.host for page in pages}))
    changed: dict[tuple[str, str], dict[str, Any]] = {}
    for page in pages:
        key = (page.host, url_pattern(page.url))
        row = changed.get(key) or counted.get(key, {"fetched": 0, "barren": 0, "is_closed": False})
        is_new = page.fingerprint is not None and first[page.host, page.fingerprint] == page.url_id
        barren = 0 if is_new else row["barren"] + 1
        changed[key] = row | {"fetched": row["fetched"] + 1, "barren": barren}
        if barren_pages and barren >= barren_pages:
            changed[key]["is_closed"] = True
    statement = upsert(connection, url_patterns)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["host", "pattern"],
            set_={"fetched": new.fetched, "barren": new.barren, "is_closed": new.is_closed},
        ),
        [{"host": h, "pattern": p, **changed[h, p]} for h, p in sorted(changed)],
    )
    for host, pattern in sorted(changed):
        was_closed = counted.get((host, pattern), {}).get("is_closed", False)
        if changed[host, pattern]["is_closed"] and not was_closed:
            _refuse_waiting(connection, host, pattern, now)


def _first_to_show(
    connection: sa.Connection, pages: Sequence[FetchedPage]
) -> dict[tuple[str, int], int]:
    """By host and fingerprint: the page of the host that showed this content first."""
    shown = [page for page in pages if page.fingerprint is not None]
    if not shown:
        return {}
    connection.execute(
        upsert(connection, page_contents).on_conflict_do_nothing(),
        [
            {"host": page.host, "fingerprint": page.fingerprint, "url_id": page.url_id}
            for page in shown
        ],
    )
    rows = connection.execute(
        sa.select(page_contents).where(
            page_contents.c.host.in_(sorted({page.host for page in shown})),
            page_contents.c.fingerprint.in_(sorted({page.fingerprint or 0 for page in shown})),
        )
    )
    return {(row.host, row.fingerprint): row.url_id for row in rows}


def _counted(
    connection: sa.Connection, names: Sequence[str]
) -> dict[tuple[str, str], dict[str, Any]]:
    rows = connection.execute(sa.select(url_patterns).where(url_patterns.c.host.in_(names)))
    return {
        (row.host, row.pattern): {
            "fetched": row.fetched,
            "barren": row.barren,
            "is_closed": row.is_closed,
        }
        for row in rows
    }


def _refuse_waiting(connection: sa.Connection, host: str, pattern: str, now: datetime) -> None:
    """Reject the links of a closed pattern that were not asked for yet."""
    listed = sa.exists().where(
        discoveries.c.url_id == urls.c.id, discoveries.c.channel.in_(_LISTED)
    )
    waiting = connection.execute(
        sa.select(urls.c.id, urls.c.url).where(
            urls.c.host == host,
            urls.c.kind == UrlKind.PAGE.value,
            urls.c.due_at.isnot(None),
            urls.c.state != UrlState.LEASED.value,
            ~listed,
        )
    )
    ids = [row.id for row in waiting if url_pattern(row.url) == pattern]
    end_ids(connection, closed_outcome(pattern), now, ids)


def reset(connection: sa.Connection) -> None:
    connection.execute(
        sa.update(url_patterns)
        .where(sa.or_(url_patterns.c.barren > 0, url_patterns.c.is_closed.is_(sa.true())))
        .values(barren=0, is_closed=False)
    )

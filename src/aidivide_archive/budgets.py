"""Which kinds of URLs of a host still bring content: the counters that end a trap, kept in the archive.

Every function works on the connection it is given and commits nothing. A pattern is closed when so many of its pages
in a row showed nothing that their host had not shown before; links of it are then rejected, those of feeds and
sitemaps are not. A new crawl gives every pattern its budget anew.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.model import Channel, Reason, UrlKind, UrlState
from aidivide_archive.schema import discoveries, page_contents, upsert, url_patterns, urls
from aidivide_archive.traps import url_pattern

_LISTED = (Channel.SEED, Channel.FEED, Channel.SITEMAP, Channel.IMPORT)
"""Ways to find a URL that a publisher or a person wrote down, not a program."""
_CHUNK = 500


def closed_patterns(connection: sa.Connection, names: Collection[str]) -> set[tuple[str, str]]:
    """(host, pattern) of what was given up on these hosts."""
    rows = connection.execute(
        sa.select(url_patterns.c.host, url_patterns.c.pattern).where(
            url_patterns.c.host.in_(sorted(names)), url_patterns.c.is_closed.is_(sa.true())
        )
    )
    return {(row.host, row.pattern) for row in rows}


def closed_detail(pattern: str) -> str:
    return f"pages like {pattern} brought nothing new"


def count_page(
    connection: sa.Connection,
    *,
    url_id: int,
    host: str,
    url: str,
    fingerprint: int | None,
    barren_pages: int,
    now: datetime,
) -> None:
    """Note what a fetched page showed, and close its pattern when it was one barren page too many."""
    is_new = fingerprint is not None and _is_new(connection, host, fingerprint, url_id)
    pattern, counted = url_pattern(url), url_patterns.c
    row = connection.execute(
        upsert(connection, url_patterns)
        .values(host=host, pattern=pattern, fetched=1, barren=0 if is_new else 1, is_closed=False)
        .on_conflict_do_update(
            index_elements=["host", "pattern"],
            set_={
                "fetched": counted.fetched + 1,
                "barren": 0 if is_new else counted.barren + 1,
            },
        )
        .returning(counted.barren, counted.is_closed)
    ).one()
    if row.barren >= barren_pages and not row.is_closed:
        _close(connection, host, pattern, now)


def _is_new(connection: sa.Connection, host: str, fingerprint: int, url_id: int) -> bool:
    """Whether no other page of the host showed this content."""
    connection.execute(
        upsert(connection, page_contents)
        .values(host=host, fingerprint=fingerprint, url_id=url_id)
        .on_conflict_do_nothing()
    )
    first = connection.scalar(
        sa.select(page_contents.c.url_id).where(
            page_contents.c.host == host, page_contents.c.fingerprint == fingerprint
        )
    )
    return first == url_id


def _close(connection: sa.Connection, host: str, pattern: str, now: datetime) -> None:
    connection.execute(
        sa.update(url_patterns)
        .where(url_patterns.c.host == host, url_patterns.c.pattern == pattern)
        .values(is_closed=True)
    )
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
    ids = sorted(row.id for row in waiting if url_pattern(row.url) == pattern)
    for start in range(0, len(ids), _CHUNK):
        connection.execute(
            sa.update(urls)
            .where(urls.c.id.in_(ids[start : start + _CHUNK]))
            .values(
                state=UrlState.REJECTED,
                reason=Reason.TRAP,
                detail=closed_detail(pattern),
                due_at=None,
                finished_at=now,
            )
        )


def reset(connection: sa.Connection) -> None:
    connection.execute(
        sa.update(url_patterns)
        .where(sa.or_(url_patterns.c.barren > 0, url_patterns.c.is_closed.is_(sa.true())))
        .values(barren=0, is_closed=False)
    )

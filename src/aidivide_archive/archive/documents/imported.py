"""Store ready articles in batches: the fast path."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from aidivide_archive.archive.documents import batches
from aidivide_archive.archive.documents.storing import Run
from aidivide_archive.archive.ledger import frontier
from aidivide_archive.crash_points import crash_point
from aidivide_archive.model import Channel, Discovery, Document, Stored, UrlKind
from aidivide_archive.urls import host_of, site, url_key


def store_batch(connection: sa.Connection, run: Run, batch: Sequence[Document]) -> list[Stored]:
    """Store ready articles; the result is parallel to `batch`. Known ones are compared, not doubled."""
    _enter_urls(connection, run, batch)
    purged = frontier.purged(connection, [one.url_id for one in batch])
    wanted = [one for one in batch if one.url_id not in purged]
    stored = iter(batches.store(connection, run, wanted, compare=False))
    crash_point("in_import_batch")
    return [Stored.NOT_ARTICLE if one.url_id in purged else next(stored) for one in batch]


def _enter_urls(connection: sa.Connection, run: Run, batch: Sequence[Document]) -> None:
    found = [
        Discovery(
            id=one.url_id,
            url=one.url,
            url_key=url_key(one.url),
            host=host_of(one.url),
            site=site(one.url),
            kind=UrlKind.PAGE,
            channel=Channel.IMPORT,
            depth=0,
        )
        for one in batch
    ]
    now = batch[0].finished_at
    frontier.discover(connection, found, crawl_id=run.crawl_id, event_id=run.event_id, now=now)

"""Stored extractions of one version with their captures, to be made again and compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from aidivide_archive.archive.documents.derived import is_derived
from aidivide_archive.archive.schema import captures, crawls, extractions, urls, warc_files
from aidivide_archive.model import LeasedUrl, UrlKind

_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredText:
    """One extraction, and where the bytes are that it was made from."""

    leased: LeasedUrl
    extraction_id: int
    version: str
    text: str
    warc_file: str
    warc_offset: int


def iter_texts(
    connection: sa.Connection,
    event_id: str | None,
    version: str,
    chosen: Collection[int] | None,
) -> Iterator[StoredText]:
    """The extractions that these stages made of an event's pages; None: of pages that belong to no event.

    `chosen`: of these captures only. Texts that are withheld, or cut by a site's template, are left out.
    """
    last = -1
    while True:
        statement = (
            sa.select(
                extractions,
                urls.c.url,
                urls.c.host,
                urls.c.kind,
                captures.c.warc_offset,
                warc_files.c.name.label("warc_file"),
            )
            .join_from(extractions, captures, captures.c.id == extractions.c.capture_id)
            .join(warc_files, warc_files.c.id == captures.c.warc_file_id)
            .join(crawls, crawls.c.id == captures.c.crawl_id)
            .join(urls, urls.c.id == extractions.c.url_id)
            .where(extractions.c.id > last, crawls.c.event_id.is_not_distinct_from(event_id))
            .order_by(extractions.c.id)
            .limit(_PAGE)
        )
        rows = connection.execute(statement).all()
        if not rows:
            return
        last = rows[-1].id
        for row in rows:
            ours = row.version == version or row.version.startswith(f"{version}+r")
            wanted = chosen is None or row.capture_id in chosen
            # a rejected page keeps no text, a reserved one neither
            if ours and wanted and not is_derived(row.version) and row.text:
                yield StoredText(
                    leased=LeasedUrl(
                        id=row.url_id,
                        url=row.url,
                        host=row.host,
                        kind=UrlKind(row.kind),
                        depth=0,
                        redirects=0,
                        attempts=0,
                    ),
                    extraction_id=row.id,
                    version=row.version,
                    text=row.text,
                    warc_file=row.warc_file,
                    warc_offset=row.warc_offset,
                )

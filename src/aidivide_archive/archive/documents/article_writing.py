"""Write articles: extraction, claims, article, revision, index entry, signature; a few statements for any number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents import derived, full_text, matching, outlets
from aidivide_archive.archive.documents.rows import article_row, claim_rows, extraction_row
from aidivide_archive.archive.schema import articles, claims, extractions, revisions
from aidivide_archive.archive.storage.dialects import next_numbers, upsert
from aidivide_archive.model import Document, Extraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleToWrite:
    """A document that becomes an article, or the next text of one."""

    document: Document
    """With an extraction."""
    capture_id: int | None
    """The bytes; None: an imported text."""
    revision: int
    seen_at: datetime
    before: derived.Shown | None
    """The article as it is shown until now; None: there is none."""
    is_read_again: bool = False
    """The same bytes read by newer stages: no revision, and its capture may have this extraction already."""

    @property
    def extraction(self) -> Extraction:
        assert self.document.extraction is not None
        return self.document.extraction


def is_part(extraction: Extraction) -> bool:
    """Whether the page belongs to an article at another address, and may be joined to it."""
    return extraction.part is not None and extraction.part.first_url is not None


def write_articles(connection: sa.Connection, wanted: Sequence[ArticleToWrite]) -> None:
    """Write articles of different URLs, in the order of their ids; bands and matches of new ones are not made."""
    if not wanted:
        return
    again = [article.document.url_id for article in wanted if article.before is not None]
    indexed = full_text.indexed(connection, again)
    numbers, measured = _write_extractions(connection, wanted)
    rows = [
        article_row(article.document.url, number, article.extraction, article.revision, row)
        for article, number, row in zip(wanted, numbers, measured, strict=True)
    ]
    statement = upsert(connection, articles)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={name: statement.excluded[name] for name in rows[0]}
        ),
        [
            {"id": article.document.url_id, "captured_at": article.seen_at, **row}
            for article, row in zip(wanted, rows, strict=True)
        ],
    )
    outlets.name_hosts(connection, [row["host"] for row in rows])
    full_text.write(
        connection,
        [
            (
                article.document.url_id,
                article.extraction.metadata.title or "",
                article.extraction.text,
            )
            for article in wanted
        ],
        gone=indexed,
    )
    _write_revisions(connection, wanted, numbers, rows)
    for article in wanted:
        if article.before is not None:
            derived.drop_derived(connection, article.before.extraction_id)
    matching.drop_signatures(connection, again)
    signed = [(article.document.url_id, article.document.signature) for article in wanted]
    matching.insert_signatures(
        connection, [(number, article) for number, article in signed if article]
    )


def _write_extractions(
    connection: sa.Connection, wanted: Sequence[ArticleToWrite]
) -> tuple[list[int], list[dict[str, Any]]]:
    """Numbers and rows of the extractions, with their claims. One that is there already keeps its number.

    A part that was taken out of the articles left its extraction behind, and so did a version that came back.
    """
    measured = [
        extraction_row(
            article.document.url_id,
            article.extraction,
            article.capture_id,
            article.document.finished_at,
        )
        for article in wanted
    ]
    again = [
        article.capture_id
        for article in wanted
        if article.is_read_again and article.capture_id is not None
    ]
    known = _known_extractions(connection, again)
    keys = [(row["capture_id"], row["version"]) for row in measured]
    drawn = iter(next_numbers(connection, extractions, sum(key not in known for key in keys)))
    numbers = [known[key] if key in known else next(drawn) for key in keys]
    new = [
        (article, {"id": number, **row})
        for article, number, row, key in zip(wanted, numbers, measured, keys, strict=True)
        if key not in known
    ]
    stated = [
        claim
        for article, row in new
        for claim in claim_rows(row["id"], article.extraction.metadata)
    ]
    for table, rows in ((extractions, [row for _, row in new]), (claims, stated)):
        if rows:
            connection.execute(sa.insert(table), rows)
    return numbers, measured


def _known_extractions(
    connection: sa.Connection, capture_ids: Sequence[int]
) -> dict[tuple[int | None, str], int]:
    """Numbers of the extractions of these captures, by capture and version."""
    if not capture_ids:
        return {}
    rows = connection.execute(
        sa.select(extractions.c.capture_id, extractions.c.version, extractions.c.id).where(
            extractions.c.capture_id.in_(capture_ids)
        )
    )
    return {(row.capture_id, row.version): row.id for row in rows}


def _write_revisions(
    connection: sa.Connection,
    wanted: Sequence[ArticleToWrite],
    numbers: Sequence[int],
    rows: Sequence[dict[str, Any]],
) -> None:
    """Enter what the publisher changed; a newer extraction of the same bytes is no change."""
    new = [
        {
            "article_id": article.document.url_id,
            "number": article.revision,
            "extraction_id": number,
            "text_sha256": row["text_sha256"],
            "title": row["title"],
            "seen_at": article.seen_at,
        }
        for article, number, row in zip(wanted, numbers, rows, strict=True)
        if not article.is_read_again or article.before is None
    ]
    if new:
        connection.execute(sa.insert(revisions), new)


def hold_part(connection: sa.Connection, document: Document, capture_id: int | None) -> None:
    """Keep the text of a page that is no article by itself, for the article it may be joined to."""
    extraction = document.extraction
    if capture_id is None or extraction is None:
        return
    rows = connection.execute(
        sa.select(
            extractions.c.capture_id,
            extractions.c.version,
            extractions.c.text_sha256,
            extractions.c.title,
        )
        .where(extractions.c.url_id == document.url_id, extractions.c.part.isnot(None))
        .order_by(extractions.c.id)
    ).all()
    held = [row for row in rows if not derived.is_derived(row.version)]
    if any((row.capture_id, row.version) == (capture_id, extraction.version) for row in held):
        return
    new = extraction_row(document.url_id, extraction, capture_id, document.finished_at)
    names = ("version", "text_sha256", "title")
    if held and all(new[name] == getattr(held[-1], name) for name in names):
        return
    wanted = ArticleToWrite(
        document=document,
        capture_id=capture_id,
        revision=0,
        seen_at=document.finished_at,
        before=None,
        is_read_again=True,
    )
    _write_extractions(connection, [wanted])

"""Take over what reading a stored capture again gave: a new extraction or judgement, never a revision."""

from __future__ import annotations

import sqlalchemy as sa

from aidivide_archive.archive.documents import derived
from aidivide_archive.archive.documents.article_writing import (
    ArticleToWrite,
    hold_part,
    is_part,
    write_articles,
)
from aidivide_archive.archive.documents.storing import write_relevance
from aidivide_archive.archive.ledger.endings import judge_again
from aidivide_archive.archive.schema import urls
from aidivide_archive.model import Document, Stored, UrlState


def store_again(connection: sa.Connection, document: Document, capture_id: int) -> Stored:
    """Store the reading of a capture that is in the archive. What its site repeats is cut again at settling."""
    write_relevance(connection, [document])
    before = derived.shown(connection, [document.url_id]).get(document.url_id)
    stored = Stored.NOT_ARTICLE
    is_article = document.extraction is not None and document.outcome.state is UrlState.DONE
    if document.extraction is not None and is_article:
        if before is None:
            stored = Stored.NEW
        elif before.version == document.extraction.version:
            stored = Stored.UNCHANGED
        else:
            stored = Stored.REEXTRACTED
        if stored is not Stored.UNCHANGED:
            write_articles(connection, [_to_write(document, capture_id, before)])
    elif document.extraction is not None and is_part(document.extraction):
        hold_part(connection, document, capture_id)
    if is_article or before is None:
        outcome = document.outcome
        judge_again(
            connection,
            outcome,
            urls.c.id == document.url_id,
            sa.or_(urls.c.state != outcome.state, urls.c.reason != outcome.reason),
        )
    return stored


def _to_write(document: Document, capture_id: int, before: derived.Shown | None) -> ArticleToWrite:
    return ArticleToWrite(
        document=document,
        capture_id=capture_id,
        revision=1 if before is None else before.revision,
        seen_at=document.finished_at if before is None else before.captured_at,
        before=before,
        is_read_again=True,
    )

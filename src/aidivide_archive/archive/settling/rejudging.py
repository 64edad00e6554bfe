"""Judge the relevance of texts that settling changed: joined from several pages, or cut.

A page is judged when it is read, by its own text. Words of the event that stand only in lines its
site repeats ("More on the summit") must not keep it for good, and those on its second page count.
What is judged is the text shown. Late learning never takes an article out: where nothing is left
that speaks for it, a person should decide (`review`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents.derived import base_version, derived_suffix
from aidivide_archive.archive.documents.rows import group_value
from aidivide_archive.archive.schema import articles, events, extractions, relevance, urls
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.config import Profile
from aidivide_archive.model import (
    Reason,
    Relevance,
    RelevanceDecision,
    TimeValue,
    UrlState,
)
from aidivide_archive.relevance import VERSION, judge, version_under


def rejudge(connection: sa.Connection) -> None:
    """Judge the articles whose text shown is not the one that was judged; writes what differs.

    The version of a judgement ends as that of the text it was made of. A judgement under other
    rules than the stored profile's is stale and left to `reprocess`. Cost: two short columns an
    article, and 1 ms for each that changed.
    """
    rows = connection.execute(sa.select(events.c.id, events.c.profile).order_by(events.c.id)).all()
    for event_id, profile_json in rows:
        changed = [
            number
            for number, judged, shown in connection.execute(
                sa.select(articles.c.id, relevance.c.version, extractions.c.version)
                .join_from(articles, relevance, relevance.c.url_id == articles.c.id)
                .join(extractions, extractions.c.id == articles.c.extraction_id)
                .where(relevance.c.event_id == event_id)
                .order_by(articles.c.id)
            )
            if derived_suffix(judged) != derived_suffix(shown)
        ]
        if changed:
            profile = Profile.from_json(profile_json)
            for chunk in chunks(changed):
                for row in _rows(connection, event_id, chunk):
                    _judge_row(connection, profile, row)


def _rows(connection: sa.Connection, event_id: str, numbers: Sequence[int]) -> Sequence[Any]:
    return connection.execute(
        sa.select(
            articles.c.id,
            articles.c.title,
            articles.c.language,
            articles.c.published_from,
            articles.c.published_to,
            relevance.c.version.label("judged"),
            extractions.c.version.label("shown"),
            extractions.c.text,
        )
        .join_from(articles, relevance, relevance.c.url_id == articles.c.id)
        .join(extractions, extractions.c.id == articles.c.extraction_id)
        .where(relevance.c.event_id == event_id, articles.c.id.in_(numbers))
        .order_by(articles.c.id)
    ).all()


def _judge_row(connection: sa.Connection, profile: Profile, row: sa.Row[Any]) -> None:
    base = base_version(row.judged)
    if base != VERSION and not base.startswith(f"{version_under(profile)}/"):
        return
    published = None
    if row.published_from is not None and row.published_to is not None:
        published = TimeValue(
            start=row.published_from,
            end=row.published_to,
            raw="",
            offset_minutes=None,
            precision="second",
        )
    judged = _kept(
        judge(profile, title=row.title, text=row.text, published=published, language=row.language)
    )
    connection.execute(
        sa.update(relevance)
        .where(relevance.c.url_id == row.id, relevance.c.event_id == judged.event_id)
        .values(
            score=judged.score,
            decision=judged.decision,
            reason=judged.reason,
            groups=[group_value(group) for group in judged.groups],
            version=base + derived_suffix(row.shown),
        )
    )
    connection.execute(
        sa.update(urls)
        .where(
            urls.c.id == row.id,
            urls.c.state == UrlState.DONE.value,
            urls.c.reason.in_([Reason.KEPT.value, Reason.REVIEW.value]),
        )
        .values(reason=judged.reason.value)
    )


def _kept(judged: Relevance) -> Relevance:
    if judged.decision is not RelevanceDecision.REJECT:
        return judged
    return replace(judged, decision=RelevanceDecision.REVIEW, reason=Reason.REVIEW)

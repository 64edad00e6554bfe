"""The shapes of exported rows, and how database values become values that JSON and CSV can hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

import sqlalchemy as sa

from aidivide_archive.config import Profile
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.schema import events

Row: TypeAlias = dict[str, object]
"""Field → str, int, float, bool, None, or lists and dicts of them; keys in the order of the fields."""

ARTICLE_FIELDS = (
    "id",
    "url",
    "canonical_url",
    "site",
    "outlet",
    "country",
    "title",
    "authors",
    "published_at",
    "published_from",
    "published_to",
    "published_source",
    "modified_at",
    "language",
    "section",
    "description",
    "image_url",
    "image_caption",
    "word_count",
    "text",
    "text_sha256",
    "relevance_score",
    "relevance_decision",
    "story_id",
    "role",
    "captured_at",
    "warc_file",
    "warc_offset",
    "event",
    "withheld",
)
MATCH_FIELDS = (
    "a_url",
    "b_url",
    "a_id",
    "b_id",
    "relation",
    "contains",
    "jaccard",
    "containment_a",
    "containment_b",
    "containment_a_outside_quotes",
    "containment_b_outside_quotes",
    "longest_passage_words",
    "decided_by",
    "reasons",
)
STORY_FIELDS = (
    "story_id",
    "url",
    "article_id",
    "role",
    "share_copied",
    "published_from",
    "published_to",
    "hours_after_origin",
    "confidence",
    "reasons",
)
LEDGER_FIELDS = ("url", "state", "reason", "detail", "kind")

# The longest interval that still names an instant: a time read to the hour. A day is 23 to 25 hours.
_INSTANT = timedelta(hours=1)


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second, "2025-07-28T08:57:00Z": one width, so that it sorts as text."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def iso_again(text: object) -> str | None:
    """`iso` of a time that a JSON column holds as text; None when it holds none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def instant(start: datetime | None, end: datetime | None) -> str | None:
    """The start of an interval known to better than a day; None otherwise: midnight is never invented."""
    if start is None or end is None or end - start > _INSTANT:
        return None
    return iso(start)


def within_an_hour(start: str | None, end: str | None) -> bool:
    """`instant`'s question for the stored texts of both ends."""
    if start is None or end is None:
        return False
    return datetime.fromisoformat(end) - datetime.fromisoformat(start) <= _INSTANT


class Outlets:
    """What the stored profiles call the outlet of a host."""

    def __init__(self, connection: sa.Connection) -> None:
        rows = connection.execute(sa.select(events.c.id, events.c.profile))
        self._profiles = {row.id: _profile(row.profile) for row in rows}
        self._known: dict[tuple[str | None, str], tuple[str | None, str | None]] = {}

    def of(self, event_id: str | None, host: str) -> tuple[str | None, str | None]:
        """Name and country by the event's profile, else by any other event's, smallest id first."""
        key = (event_id, host)
        if key not in self._known:
            self._known[key] = self._find(event_id, host)
        return self._known[key]

    def _find(self, event_id: str | None, host: str) -> tuple[str | None, str | None]:
        for name in sorted(self._profiles, key=lambda one: (one != event_id, one)):
            profile = self._profiles[name]
            source = profile.source_for(host) if profile else None
            if source is not None:
                return source.name, source.country
        return None, None


@lru_cache(
    maxsize=8
)  # a crawl names new hosts in every transaction; reading a large profile takes 10 ms
def _profile(text: str) -> Profile | None:
    try:
        return Profile.from_json(text)
    except ConfigError:  # stored by a version with other keys: its rows are still readable
        return None


def picked(values: Mapping[str, object], names: tuple[str, ...]) -> Row:
    """The named values in the order of the names; a missing one is None."""
    return {name: values.get(name) for name in names}

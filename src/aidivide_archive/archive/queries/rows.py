"""The shapes of exported rows, and how database values become values that JSON and CSV can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from aidivide_archive.evidence import as_json_list, from_json_list, worded

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


def evidence_fields(stored: object) -> Row:
    """A stored list of evidence as sentences in `reasons`, and as it is in `evidence`."""
    evidence = from_json_list(stored)
    return {
        "reasons": [worded(part) for part in evidence],
        "evidence": as_json_list(evidence),
    }


def picked(values: Mapping[str, object], names: tuple[str, ...]) -> Row:
    """The named values in the order of the names; a missing one is None."""
    return {name: values.get(name) for name in names}

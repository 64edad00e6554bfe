"""The shapes of exported rows, and how database values become values that JSON and CSV can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from aidivide_archive.evidence import as_json_list, from_json_list, worded
from aidivide_archive.fields import (
    ARTICLES,
    COVERAGE,
    LEDGER,
    MATCHES,
    MEMBERS,
    STORIES,
    names,
)

Row: TypeAlias = dict[str, object]
"""Field → str, int, float, bool, None, or lists and dicts of them; keys in the order of the fields."""

ARTICLE_FIELDS = names(ARTICLES)
MATCH_FIELDS = names(MATCHES)
STORY_FIELDS = names(STORIES)
LEDGER_FIELDS = names(LEDGER)
COVERAGE_FIELDS = names(COVERAGE)
MEMBER_FIELDS = names(MEMBERS)


def evidence_fields(stored: object) -> Row:
    """A stored list of evidence as sentences in `reasons`, and as it is in `evidence`."""
    evidence = from_json_list(stored)
    return {
        "reasons": [worded(part) for part in evidence],
        "evidence": as_json_list(evidence),
    }


def picked(values: Mapping[str, object], wanted: tuple[str, ...]) -> Row:
    """The named values in the order of the names; a missing one is None."""
    return {name: values.get(name) for name in wanted}

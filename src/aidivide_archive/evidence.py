"""Why two articles are a match, and why an article has its place in its story: values, and the words for them.

Evidence is a kind with numbers and names. Decisions look at these; sentences are made here alone, for people, and no
program reads one back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import Self, TypeAlias

StoredEvidence: TypeAlias = dict[str, str | int | float]
"""`kind`, and the fields that the kind has."""


class EvidenceKind(StrEnum):
    """What was found, with its words, which name the fields of `Evidence` that belong to it."""

    note: str
    """For the command line, exports and SQL."""
    clause: str
    """For readers of the report, who know nothing of origins and shingles; empty: the note serves them as well."""
    clause_of_one: str
    """The clause when `count` is 1; empty: no difference."""
    fields: tuple[str, ...]
    """Those that the note names."""

    # The defaults are for the type checker, which takes a look-up by slug for a call of this.
    def __new__(cls, slug: str, note: str = "", clause: str = "", clause_of_one: str = "") -> Self:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.note, member.clause, member.clause_of_one = note, clause, clause_of_one
        member.fields = tuple(field for _, field, _, _ in Formatter().parse(note) if field)
        return member

    # of two texts, a and b
    SHARED_SHINGLES = "shared_shingles", "shared {count} shingles"
    ONLY_QUOTATIONS = (
        "only_quotations",
        "outside quotations only {percent}% of one is in the other",
    )
    OTHER_FACTS = (
        "other_facts",
        "{count} of {total} sentences of the same form name other things ({name} ≠ {other_name})",
    )
    SHARE_OF_EACH = "share_of_each", "{percent}% of each is in the other"
    SHARE_OF_EACH_EDITED = "share_of_each_edited", "edited: {percent}% of each is in the other"
    SHARE_OF_ONE = "share_of_one", "{percent}% of {side} is in the other"
    REWRITTEN_SENTENCES = (
        "rewritten_sentences",
        "rewritten: {percent}% of one in sentences like the other's",
    )
    BOILERPLATE_LEFT_OUT = (
        "boilerplate_left_out",
        "{side}: {count} shingles of boilerplate left out",
    )
    DISGUISED_WORDS = "disguised_words", "{side}: {count} words disguised by look-alike letters"
    BOILERPLATE_COUNTED = (
        "boilerplate_counted",
        "no match: boilerplate is counted here, not in the archive's matches",
    )

    # of an article in its story
    JUDGED_SAME = (
        "judged_same",
        "judged the same by a person",
        "a person judged them to be one text",
    )
    SHARE_IN_ORIGIN = (
        "share_in_origin",
        "{percent}% of it stands in the origin",
        "{percent} % of its text stands in the first article too",
    )
    LINKED_THROUGH_OTHERS = (
        "linked_through_others",
        "linked through other articles of the story",
        "it shares text with other articles of this story, not with the first itself",
    )
    UNRELATED_SOURCES = (
        "unrelated_sources",
        "shares text with {count} articles that share none with each other",
        "it gathers text of {count} articles that have nothing in common",
    )

    # of an article as a candidate for the origin
    CALLED_ORIGINAL = (
        "called_original",
        "{name} names it as the original",
        "the page of {name} calls it the original",
    )
    CALLS_ORIGINAL = (
        "calls_original",
        "names {name} as the original",
        "its page calls {name} the original",
    )
    CREDITED_BY_OTHERS = (
        "credited_by_others",
        "credited as the source by the story's articles",
        "the other articles name it as their source",
    )
    CREDITS = "credits", "credits {name}", "it names {name} as its source"
    NONE_EARLIER = (
        "none_earlier",
        "no dated article is surely earlier, {count} are later",
        "no dated article of this story is surely earlier; {count} are later",
        "no dated article of this story is surely earlier; {count} is later",
    )
    SOME_EARLIER = (
        "some_earlier",
        "{count} of the story's articles are earlier",
        "{count} articles of this story came out earlier",
        "one article of this story came out earlier",
    )
    PART_OF_ANOTHER = (
        "part_of_another",
        "a part of another article of the story",
        "its text is only a part of another article's",
    )
    UNOPPOSED = "unopposed", "nothing speaks for another article"
    CANDIDATE = "candidate", "candidate {rank} for the origin, {points:+.2f} points"

    # of rows of the versions before schema 7, which stored sentences; settling puts evidence in their place
    EARLIER_WORDING = "earlier_wording", "{text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing that was found. A field that does not belong to its kind is None."""

    kind: EvidenceKind
    count: int | None = None
    """Articles, shingles, words or sentences."""
    total: int | None = None
    """Of how many."""
    percent: int | None = None
    """A share, rounded: 0 to 100."""
    rank: int | None = None
    """1 is the likeliest origin."""
    points: float | None = None
    """For or against it as the origin; two decimals."""
    side: str | None = None
    """The text that it is about: "a" or "b"."""
    name: str | None = None
    """An outlet, site, URL or other name, as it stands on the page."""
    other_name: str | None = None
    """What stands in its place in the other text."""
    text: str | None = None
    """EARLIER_WORDING: the sentence."""

    def as_json(self) -> StoredEvidence:
        """The kind and its fields. Raises ValueError when one of them is None."""
        stored: StoredEvidence = {"kind": self.kind.value}
        for field in self.kind.fields:
            value = getattr(self, field)
            if value is None:
                raise ValueError(f"evidence of kind {self.kind.value} needs {field}")
            stored[field] = value
        return stored

    @classmethod
    def from_json(cls, stored: object) -> Evidence:
        """What `as_json` gave. Anything else, as the sentences of earlier versions, is kept as its text."""
        if isinstance(stored, Mapping) and (kind := _kind_of(stored)) is not None:
            return cls(**{**stored, "kind": kind})
        text = stored if isinstance(stored, str) else json.dumps(stored, sort_keys=True)
        return cls(kind=EvidenceKind.EARLIER_WORDING, text=text)


def _kind_of(stored: Mapping[str, object]) -> EvidenceKind | None:
    """The kind of a stored object; None when it is not known or the object has other fields."""
    try:
        kind = EvidenceKind(str(stored.get("kind")))
    except ValueError:
        return None
    return kind if stored.keys() == {"kind", *kind.fields} else None


def as_json_list(evidence: Sequence[Evidence] | None) -> list[StoredEvidence] | None:
    """Evidence as it is stored; None stays None."""
    return None if evidence is None else [part.as_json() for part in evidence]


def from_json_list(stored: object) -> tuple[Evidence, ...]:
    """Evidence as it was stored; none for anything but a list."""
    return tuple(map(Evidence.from_json, stored)) if isinstance(stored, list) else ()


def worded(evidence: Evidence) -> str:
    """The note on the evidence: for the command line, exports and SQL."""
    return _filled(evidence.kind.note, evidence)


def explained(evidence: Evidence) -> str:
    """The same as a clause for readers of the report."""
    kind = evidence.kind
    of_one = kind.clause_of_one if evidence.count == 1 else ""
    return _filled(of_one or kind.clause or kind.note, evidence)


def _filled(template: str, evidence: Evidence) -> str:
    return template.format_map({field: getattr(evidence, field) for field in evidence.kind.fields})

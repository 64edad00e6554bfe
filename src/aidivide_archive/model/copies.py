"""Signatures, matches, judgements and stories."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from aidivide_archive.evidence import Evidence

WORDS_PER_SHINGLE = 3
CHARACTERS_PER_SHINGLE = 4
"""In scripts written without spaces between words. Measured on 32 real Chinese reports: with one
character in eight edited, copies keep .71/.62/.54 of their runs of 3/4/5 characters; unrelated
reports share at most .072/.014/.010 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """MinHash of a text and what is needed to compare or recompute it."""

    scheme: str
    """datasketch's permutation scheme ("affine32")."""
    seed: int
    version: str
    """Version of normaliser, tokeniser and shingling together."""
    hashvalues: bytes = field(repr=False)
    """(num_perm,) uint32, little endian."""
    shingle_count: int
    """Distinct shingles of the text."""
    sketch: tuple[int, ...] = field(repr=False)
    """FracMinHash sample of the shingle hashes, as signed 64-bit, ascending."""


class Relation(StrEnum):
    """What two texts that share words are to each other, with what needs to be known of each relation."""

    meaning: str
    """For the codebook: a clause; empty when the slug says it."""
    in_stories: bool
    """Whether such a pair may bring its articles into one story."""
    is_listed: bool
    """Whether matches are listed without being asked for all; what is no copy is not."""

    # The defaults are for the type checker, which takes a look-up by slug for a call of this.
    def __new__(
        cls, slug: str, meaning: str = "", in_stories: bool = False, is_listed: bool = True
    ) -> Self:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.meaning, member.in_stories, member.is_listed = meaning, in_stories, is_listed
        return member

    COPY = "copy", "", True
    EXCERPT = "excerpt", "one stands in the other", True
    SHARED_STATEMENT = "shared_statement", "only quotations are shared"
    TEMPLATE = "template", "formula news about different facts", False, False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The exact comparison of two texts, a and b; all shares in [0, 1]."""

    relation: Relation | None
    """None: not related."""
    contains: str | None
    """"a" when a contains (the excerpt) b, "b" when b contains a, else None."""
    jaccard: float
    containment_a: float
    """Share of a's shingles that stand in b."""
    containment_b: float
    containment_a_outside_quotes: float
    containment_b_outside_quotes: float
    longest_passage_words: int
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A compared pair of articles; `a` is the one with the smaller URL."""

    a_id: int
    b_id: int
    comparison: Comparison
    decided_by: str
    """"machine" or "person"."""
    version: str


class Verdict(StrEnum):
    """A person's judgement on a pair; beats the machine."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


class Role(StrEnum):
    """What an article is in its story."""

    words: str
    """The same for readers."""
    is_taken: bool
    """Whether it has text of another outlet, and the role does not say that it names its source."""

    def __new__(cls, slug: str, words: str = "", is_taken: bool = False) -> Self:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.words, member.is_taken = words, is_taken
        return member

    ORIGIN = "origin", "first"
    COPY = "copy", "copy", True
    EDITED_COPY = "edited_copy", "edited copy", True
    SYNDICATED = "syndicated", "wire copy, credited"
    EXCERPT = "excerpt", "excerpt", True
    ROUNDUP = "roundup", "roundup"
    UPDATE = "update", "update by the same outlet"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryArticle:
    """What story building needs to know of an article."""

    id: int
    url: str
    site: str
    published_start: datetime | None
    published_end: datetime | None
    word_count: int
    credits: tuple[str, ...] = ()
    canonical_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMember:
    article_id: int
    role: Role
    share_copied: float | None
    """Share of this article's shingles that stand in the origin, in [0, 1]; None for the origin."""
    hours_after_origin: float | None
    """None when either time is unknown."""
    confidence: float
    evidence: tuple[Evidence, ...]
    origin_rank: int | None = None
    """Place among the candidates for the origin, 1 the likeliest; None: alone in its story."""
    origin_points: float | None = None
    """Sum of the evidence for it as the origin."""
    origin_evidence: tuple[Evidence, ...] | None = None
    """What the points were given for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Articles that are one text. Its id is the smallest member id."""

    id: int
    members: tuple[StoryMember, ...]
    """Ordered by article id; every article of the archive is in exactly one story."""

"""Signatures, matches, judgements and stories."""

from __future__ import annotations

import sqlalchemy as sa

from aidivide_archive.archive.schema.building import column, reference, table
from aidivide_archive.archive.storage.types import (
    Bytes,
    Count,
    Id,
    JsonValue,
    OneOf,
    Real,
    String,
    UtcTime,
)
from aidivide_archive.model import Relation, Role, Verdict

signatures = table(
    "signatures",
    column(
        "article_id",
        Id,
        reference("articles.id"),
        primary_key=True,
        autoincrement=False,
        comment="Article",
    ),
    column("scheme", String, comment="Permutation scheme of datasketch"),
    column("seed", Count, comment="Seed of the permutations"),
    column("version", String, comment="Version of normaliser, tokens and shingles"),
    column("hashvalues", Bytes, comment="(num_perm,) uint32, little endian"),
    column("shingle_count", Count, comment="Distinct shingles"),
    column(
        "sketch", Bytes, comment="The article's rows of `sketch`: int64, little endian, ascending"
    ),
    comment="MinHash signatures",
)

# Bands and sketch are indexes over `signatures`, whose rows name all of theirs: neither foreign keys nor an index by
# article, which would cost more than the rows (45 an article, in random order).
bands = table(
    "bands",
    column("band", Count, primary_key=True, comment="Number of the band"),
    column("key", Id, primary_key=True, comment="Hash of the band's values"),
    column("article_id", Id, primary_key=True, comment="Article"),
    comment="MinHash-LSH bands: whole copies share one",
    sqlite_with_rowid=False,
)

sketch = table(
    "sketch",
    column("hash", Id, primary_key=True, comment="Sampled shingle hash"),
    column("article_id", Id, primary_key=True, comment="Article"),
    comment="FracMinHash sample of each text: articles that share text share hashes",
    sqlite_with_rowid=False,
)

matches = table(
    "matches",
    column(
        "a_id",
        Id,
        reference("articles.id"),
        primary_key=True,
        comment="The one with the smaller URL",
    ),
    column("b_id", Id, reference("articles.id"), primary_key=True, comment="The other"),
    column("relation", OneOf(Relation), comment="What the two are to each other"),
    column("contains", String, null=True, comment="a: a contains b; b: b contains a"),
    column("jaccard", Real, comment="Shared shingles / all shingles"),
    column("containment_a", Real, comment="Share of a that stands in b"),
    column("containment_b", Real, comment="Share of b that stands in a"),
    column("containment_a_outside_quotes", Real, comment="The same without quotations"),
    column("containment_b_outside_quotes", Real, comment="The same without quotations"),
    column("longest_passage_words", Count, comment="Longest shared run of words"),
    column("decided_by", String, comment="machine or person"),
    column("reasons", JsonValue(), comment="Evidence: objects with kind, numbers and names"),
    column("version", String, comment="Version of the comparison"),
    sa.CheckConstraint("contains IN ('a', 'b')", name="contains_known"),
    sa.CheckConstraint("a_id <> b_id", name="two_articles"),
    sa.CheckConstraint("jaccard BETWEEN 0 AND 1", name="jaccard_share"),
    comment="Compared pairs of articles that share text",
)
sa.Index("ix_matches_b_id", matches.c.b_id)

judgements = table(
    "judgements",
    column(
        "a_id", Id, reference("urls.id"), primary_key=True, comment="The one with the smaller URL"
    ),
    column("b_id", Id, reference("urls.id"), primary_key=True, comment="The other"),
    column("verdict", OneOf(Verdict), comment="same, different or unsure"),
    column("judged_at", UtcTime(), comment="When"),
    column("note", String, null=True, comment="Why"),
    comment="A person's judgements on pairs; they beat the machine",
)

stories = table(
    "stories",
    column("id", Id, primary_key=True, autoincrement=False, comment="Smallest member"),
    column("origin_id", Id, reference("articles.id"), comment="The member taken for the origin"),
    column("size", Count, comment="Number of members"),
    comment="Articles that are one text; every article is in one",
)

story_members = table(
    "story_members",
    column(
        "article_id",
        Id,
        reference("articles.id"),
        primary_key=True,
        autoincrement=False,
        comment="Article",
    ),
    column("story_id", Id, reference("stories.id"), comment="Its story"),
    column("role", OneOf(Role), comment="What it is in the story"),
    column("share_copied", Real, null=True, comment="Share of it that stands in the origin"),
    column("hours_after_origin", Real, null=True, comment="Between the publications"),
    column("confidence", Real, comment="In the role, in [0, 1]"),
    column(
        "reasons",
        JsonValue(),
        comment="Evidence, the strongest first: objects with kind, numbers and names",
    ),
    column(
        "origin_rank",
        Count,
        null=True,
        comment="Place among the candidates for the origin, 1 the likeliest; null: alone in its story",
    ),
    column("origin_points", Real, null=True, comment="Sum of the evidence for it as the origin"),
    column("origin_reasons", JsonValue(), null=True, comment="That evidence, likewise"),
    comment="Members of stories, with their role",
)
sa.Index("ix_story_members_story_id", story_members.c.story_id)

story_aliases = table(
    "story_aliases",
    column("id", Id, primary_key=True, autoincrement=False, comment="Former id"),
    column("story_id", Id, comment="The story that answers for it"),
    comment="Ids of stories that were merged into others",
)

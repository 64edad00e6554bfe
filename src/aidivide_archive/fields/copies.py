"""The fields of a match and of a story member."""

from __future__ import annotations

from aidivide_archive.fields.articles import ARTICLES, LISTED, TIMES
from aidivide_archive.fields.declaring import (
    Field,
    TableColumn,
    Type,
    Values,
    article,
    chosen,
    listed,
)
from aidivide_archive.model import CHARACTERS_PER_SHINGLE, WORDS_PER_SHINGLE, Relation, Role


def _match(name: str, type_: Type, meaning: str, unit: str = "", values: Values = "many") -> Field:
    return Field(name, type_, meaning, unit, TableColumn("matches", name), values)


def _explained(relation: Relation) -> str:
    return f"{relation} ({relation.meaning})" if relation.meaning else str(relation)


MATCHES: tuple[Field, ...] = (
    Field("a_url", "text", "Address of the first article: the one with the smaller URL."),
    Field("b_url", "text", "Address of the second."),
    Field("a_id", "text", "Id of the first article."),
    Field("b_id", "text", "Id of the second."),
    _match(
        "relation",
        "text",
        f"{listed(_explained(one) for one in Relation)}.",
        values="few",
    ),
    _match(
        "contains",
        "text",
        "`a` when a contains b, `b` when b contains a, else empty.",
        values="few",
    ),
    _match(
        "jaccard",
        "number",
        f"Shared shingles / all shingles of both; a shingle is {WORDS_PER_SHINGLE} words, or {CHARACTERS_PER_SHINGLE} "
        "characters in scripts without spaces.",
        "share",
    ),
    _match("containment_a", "number", "Share of a's shingles that stand in b.", "share"),
    _match("containment_b", "number", "Share of b's shingles that stand in a.", "share"),
    _match(
        "containment_a_outside_quotes", "number", "The same for a without its quotations.", "share"
    ),
    _match(
        "containment_b_outside_quotes", "number", "The same for b without its quotations.", "share"
    ),
    _match("longest_passage_words", "integer", "Longest run of words that both share.", "words"),
    _match("decided_by", "text", "machine or person.", values="few"),
    _match("reasons", "list", "The evidence in words.", values="prose"),
)
"""The match row."""


def _member(name: str, type_: Type, meaning: str, unit: str = "", values: Values = "many") -> Field:
    return Field(name, type_, meaning, unit, TableColumn("story_members", name), values)


STORIES: tuple[Field, ...] = (
    Field("story_id", "text", "The story; one row for each of its members.", values="few"),
    Field("url", "text", "Address of the member.", source=article("url")),
    Field("article_id", "text", "Id of the member."),
    _member("role", "text", f"{listed(Role)}.", values="few"),
    _member(
        "share_copied",
        "number",
        "Share of the member's shingles that stand in the origin; empty for the origin.",
        "share",
    ),
    Field(
        "published_from",
        "time",
        "The earliest moment that the member's publication time allows.",
        "UTC",
        source=article("published_from"),
    ),
    Field(
        "published_to",
        "time",
        "The first moment after that.",
        "UTC",
        source=article("published_to"),
    ),
    _member(
        "hours_after_origin",
        "number",
        "Between the publications; empty when one is not known well enough.",
        "hours",
    ),
    _member("confidence", "number", "In the role.", "share"),
    _member("reasons", "list", "The evidence in words, the strongest first.", values="prose"),
)
"""The story row, one a member."""

MEMBERS: tuple[Field, ...] = (
    *chosen(ARTICLES, *LISTED, "word_count", *TIMES),
    *chosen(STORIES, "role", "share_copied", "hours_after_origin", "confidence", "reasons"),
    Field("evidence", "json", "The same as values: a kind, with its numbers and names."),
)
"""A member of a story with its article."""

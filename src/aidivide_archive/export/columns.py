"""The codebook: every column of every set, its type, its unit, and how it is computed.

One place, from which come `codebook.md`, `datapackage.json` and the types of Parquet files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Type: TypeAlias = Literal["text", "integer", "number", "time", "list"]
"""What a value is when it is not None: str, int, float, ISO 8601 text in UTC, list of str."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a set."""

    name: str
    type: Type = "text"
    meaning: str = ""
    """What it says and how it is computed, in one or two sentences."""
    unit: str = ""


def as_columns(names: Iterable[str | Column]) -> tuple[Column, ...]:
    """Columns as they are; a bare name is one of text."""
    return tuple(one if isinstance(one, Column) else Column(one) for one in names)


ARTICLES: tuple[Column, ...] = (
    Column(
        "id",
        "text",
        "`a-` and 12 hex digits: the first 48 bits of the SHA-256 of the URL key; the same in every archive.",
    ),
    Column("url", "text", "The address it was fetched from, or imported under."),
    Column("canonical_url", "text", "The address that the page itself declares (RFC 6596)."),
    Column("site", "text", "Registrable domain of the address; for a bare address host:port."),
    Column("outlet", "text", "The event profile's name for the publisher of the site."),
    Column(
        "country", "text", "Country of the outlet, from the event profile.", "ISO 3166-1 alpha-2"
    ),
    Column(
        "title",
        "text",
        "Headline, fused from JSON-LD, meta elements, the headline on the page and the extractor.",
    ),
    Column(
        "authors",
        "list",
        "People named as authors, in the order of the page; agencies and outlets are left out.",
    ),
    Column(
        "published_at",
        "time",
        "Time of publication, when it is known to the hour or better; a day alone stands in the next two columns.",
        "UTC",
    ),
    Column(
        "published_from",
        "time",
        "The earliest moment that the publication time allows: [from, to).",
        "UTC",
    ),
    Column(
        "published_to",
        "time",
        "The first moment after that. A day without zone is 24 hours in the zone of the source.",
        "UTC",
    ),
    Column(
        "published_source",
        "text",
        "Where the time stands: json-ld, meta, feed, sitemap, url, text …",
    ),
    Column(
        "modified_at",
        "time",
        "Time of the last change that the page states; empty when only a day is given.",
        "UTC",
    ),
    Column("language", "text", "Language of the text.", "BCP 47 primary subtag"),
    Column("section", "text", "Section of the outlet, as the page says."),
    Column("description", "text", "The publisher's own summary, from the page's meta elements."),
    Column(
        "image_url", "text", "Address of the main picture; the picture itself is not in the set."
    ),
    Column("image_caption", "text", "Caption of that picture."),
    Column(
        "word_count",
        "integer",
        "Length of the text; in scripts without spaces every character counts as one.",
        "words",
    ),
    Column(
        "text",
        "text",
        "Clean text, one paragraph a line. What the site repeats on its pages is cut.",
    ),
    Column(
        "text_sha256",
        "text",
        "SHA-256 of the UTF-8 bytes of the text; stays when the text itself is left out.",
        "hexadecimal",
    ),
    Column(
        "relevance_score",
        "number",
        "Points for the event: the groups of phrases that the text matches, by the profile's weights.",
        "points",
    ),
    Column("relevance_decision", "text", "`keep` or `review` (a person should decide)."),
    Column(
        "story_id",
        "text",
        "`s-` and the digits of the smallest member's id. Articles of one story are one text, copied or edited.",
    ),
    Column(
        "role",
        "text",
        "In the story: origin, copy, edited_copy, syndicated, excerpt, roundup or update.",
    ),
    Column(
        "captured_at",
        "time",
        "When the bytes were fetched that the text was read from; of an imported text, when it was imported.",
        "UTC",
    ),
    Column(
        "warc_file",
        "text",
        "WARC file of the archive that holds the response; empty for an imported text.",
    ),
    Column("warc_offset", "integer", "Where the response record begins in that file.", "bytes"),
    Column("event", "text", "Event whose relevance is shown."),
    Column("withheld", "text", "Why the text is not kept (rights reserved); empty: it is."),
)
"""An article row; `withheld` says why there is no text."""

WEIGHT = Column(
    "weight",
    "number",
    "1 / number of this set's articles in the same story: the weights of a story sum to 1, those of the set to its stories.",
    "share",
)
EXCERPT = Column(
    "excerpt",
    "text",
    "The first words of the text (`[rights] excerpt_words`; twice as many characters in scripts without spaces), with … when more follows.",
)
LEFT_OUT = Column(
    "text_left_out",
    "text",
    "Why `text` is empty in a set made for sharing; empty when the text is there.",
)

MATCHES: tuple[Column, ...] = (
    Column("a_url", "text", "Address of the first article: the one with the smaller URL."),
    Column("b_url", "text", "Address of the second."),
    Column("a_id", "text", "Id of the first article."),
    Column("b_id", "text", "Id of the second."),
    Column(
        "relation",
        "text",
        "copy, excerpt (one stands in the other), shared_statement (only quotations are shared) or template (formula news about different facts).",
    ),
    Column("contains", "text", "`a` when a contains b, `b` when b contains a, else empty."),
    Column(
        "jaccard",
        "number",
        "Shared shingles / all shingles of both; a shingle is 3 words, or 3 characters in scripts without spaces.",
        "share",
    ),
    Column("containment_a", "number", "Share of a's shingles that stand in b.", "share"),
    Column("containment_b", "number", "Share of b's shingles that stand in a.", "share"),
    Column(
        "containment_a_outside_quotes", "number", "The same for a without its quotations.", "share"
    ),
    Column(
        "containment_b_outside_quotes", "number", "The same for b without its quotations.", "share"
    ),
    Column("longest_passage_words", "integer", "Longest run of words that both share.", "words"),
    Column("decided_by", "text", "machine or person."),
    Column("reasons", "list", "The evidence in words."),
)
"""A match row: one for each unordered pair."""

STORIES: tuple[Column, ...] = (
    Column("story_id", "text", "The story; one row for each of its members."),
    Column("url", "text", "Address of the member."),
    Column("article_id", "text", "Id of the member."),
    Column("role", "text", "origin, copy, edited_copy, syndicated, excerpt, roundup or update."),
    Column(
        "share_copied",
        "number",
        "Share of the member's shingles that stand in the origin; empty for the origin.",
        "share",
    ),
    Column(
        "published_from",
        "time",
        "The earliest moment that the member's publication time allows.",
        "UTC",
    ),
    Column("published_to", "time", "The first moment after that.", "UTC"),
    Column(
        "hours_after_origin",
        "number",
        "Between the publications; empty when one is not known well enough.",
        "hours",
    ),
    Column("confidence", "number", "In the role.", "share"),
    Column("reasons", "list", "The evidence in words, the strongest first."),
)
"""A story row: one for each member."""

LEDGER: tuple[Column, ...] = (
    Column("url", "text", "Every address ever seen."),
    Column(
        "state", "text", "queued, leased, done, rejected, failed (will be tried again) or dead."
    ),
    Column("reason", "text", "Why it is there: see the documentation of the ledger."),
    Column("detail", "text", "The reason in words, where the slug is not enough."),
    Column("kind", "text", "What the address was expected to be: page, hub, feed or sitemap."),
)
"""A ledger row: one for each address ever seen."""

SETS: dict[str, tuple[Column, ...]] = {
    "articles": ARTICLES,
    "matches": MATCHES,
    "stories": STORIES,
    "ledger": LEDGER,
}


def codebook(tables: Sequence[tuple[str, Sequence[Column]]]) -> str:
    """Markdown with a table for each of the named files."""
    types = {
        "text": "text",
        "integer": "whole number",
        "number": "number",
        "time": "ISO 8601 time",
        "list": "list of texts",
    }
    parts = [
        "# Codebook\n",
        "An empty cell (null in JSON) means unknown, never zero. In CSV, the texts of a list are joined with `; `.",
    ]
    for file, columns in tables:
        parts.append(f"\n## {file}\n\n| column | type | unit | meaning |\n|---|---|---|---|")
        parts += [f"| `{c.name}` | {types[c.type]} | {c.unit} | {c.meaning} |" for c in columns]
    return "\n".join(parts) + "\n"

"""The fields of an article."""

from __future__ import annotations

from aidivide_archive.fields.declaring import (
    ExtractedKey,
    Field,
    TableColumn,
    article,
    chosen,
    listed,
)
from aidivide_archive.model import Access, Role

ARTICLES: tuple[Field, ...] = (
    Field(
        "id",
        "text",
        "`a-` and 12 hex digits: the first 48 bits of the SHA-256 of the URL key; the same in every archive.",
    ),
    Field(
        "url",
        "text",
        "The address it was fetched from, or imported under.",
        source=article("url"),
    ),
    Field(
        "canonical_url",
        "text",
        "The address that the page itself declares (RFC 6596).",
        source=ExtractedKey("canonical_url"),
    ),
    Field(
        "site",
        "text",
        "Registrable domain of the address; for a bare address host:port.",
        source=article("site"),
        values="few",
    ),
    Field(
        "outlet",
        "text",
        "The event profile's name for the publisher of the site.",
        values="few",
    ),
    Field(
        "country",
        "text",
        "Country of the outlet, from the event profile.",
        "ISO 3166-1 alpha-2",
        values="few",
    ),
    Field(
        "title",
        "text",
        "Headline, fused from JSON-LD, meta elements, the headline on the page and the extractor.",
        source=article("title"),
    ),
    Field(
        "authors",
        "list",
        "People named as authors, in the order of the page; agencies and outlets are left out.",
        source=ExtractedKey("authors"),
    ),
    Field(
        "published_at",
        "time",
        "Time of publication, when it is known to the hour or better; a day alone stands in the next two columns.",
        "UTC",
    ),
    Field(
        "published_from",
        "time",
        "The earliest moment that the publication time allows: [from, to).",
        "UTC",
        source=article("published_from"),
    ),
    Field(
        "published_to",
        "time",
        "The first moment after that. A day without zone is 24 hours in the zone of the source.",
        "UTC",
        source=article("published_to"),
    ),
    Field(
        "published_source",
        "text",
        "Where the time stands: json-ld, meta, feed, sitemap, url, text …",
        source=article("published_source"),
        values="few",
    ),
    Field(
        "modified_at",
        "time",
        "Time of the last change that the page states; empty when only a day is given.",
        "UTC",
    ),
    Field(
        "language",
        "text",
        "Language of the text.",
        "BCP 47 primary subtag",
        source=article("language"),
        values="few",
    ),
    Field(
        "section",
        "text",
        "Section of the outlet, as the page says.",
        source=ExtractedKey("section"),
        values="few",
    ),
    Field(
        "description",
        "text",
        "The publisher's own summary, from the page's meta elements.",
        source=ExtractedKey("description"),
        values="prose",
    ),
    Field(
        "image_url",
        "text",
        "Address of the main picture; the picture itself is not in the set.",
        source=ExtractedKey("image_url"),
    ),
    Field(
        "image_caption",
        "text",
        "Caption of that picture.",
        source=ExtractedKey("image_caption"),
        values="prose",
    ),
    Field(
        "word_count",
        "integer",
        "Length of the text; in scripts without spaces every character counts as one.",
        "words",
        source=article("word_count"),
    ),
    Field(
        "text",
        "text",
        "Clean text, one paragraph a line. What the site repeats on its pages is cut.",
        source=TableColumn("extractions", "text"),
        values="prose",
    ),
    Field(
        "text_sha256",
        "text",
        "SHA-256 of the UTF-8 bytes of the text; stays when the text itself is left out.",
        "hexadecimal",
        source=article("text_sha256"),
    ),
    Field(
        "relevance_score",
        "number",
        "Points for the event: the groups of phrases that the text matches, by the profile's weights.",
        "points",
    ),
    Field(
        "relevance_decision",
        "text",
        "`keep` or `review` (a person should decide).",
        values="few",
    ),
    Field(
        "story_id",
        "text",
        "`s-` and the digits of the smallest member's id. Articles of one story are one text, copied or edited.",
        values="few",
    ),
    Field(
        "role",
        "text",
        f"In the story: {listed(Role)}.",
        source=TableColumn("story_members", "role"),
        values="few",
    ),
    Field(
        "captured_at",
        "time",
        "When the bytes were fetched that the text was read from; of an imported text, when it was imported.",
        "UTC",
    ),
    Field(
        "warc_file",
        "text",
        "WARC file of the archive that holds the response; empty for an imported text.",
        source=TableColumn("warc_files", "name"),
        values="few",
    ),
    Field(
        "warc_offset",
        "integer",
        "Where the response record begins in that file.",
        "bytes",
        source=TableColumn("captures", "warc_offset"),
    ),
    Field("event", "text", "Event whose relevance is shown.", values="few"),
    Field(
        "withheld",
        "text",
        "Why the text is not kept (rights reserved); empty: it is.",
        source=ExtractedKey("withheld"),
    ),
    Field(
        "published_day",
        "day",
        "Day of publication at the publisher: the day the page states, or the date of its time in the UTC offset "
        "stated with it; where none or only UTC is stated, in the time zone of the source (UTC when that is unknown).",
        source=article("published_day"),
        values="few",
    ),
    Field(
        "access",
        "text",
        f"What a reader without an account is given: {listed(Access)} (rights reserved: the archive keeps no text). "
        "open: nothing the archive knows says otherwise. Empty for an imported text, whose page was not seen.",
        values="few",
    ),
    Field(
        "complete",
        "boolean",
        "Whether the text is whole: false when a part of it may be missing (an incomplete response, a page of several "
        "that the archive does not have). Empty for an imported text and for one that is withheld.",
    ),
    Field(
        "credits",
        "list",
        "Agencies and outlets that the page names as the source of the text.",
        source=ExtractedKey("credits"),
    ),
    Field(
        "tags",
        "list",
        "Keywords that the page states, in its order.",
        source=ExtractedKey("tags"),
    ),
    Field(
        "dateline",
        "text",
        "Place, and date where it is given, at the head of the text, in the page's words.",
        source=ExtractedKey("dateline"),
        values="few",
    ),
    Field(
        "image_credit",
        "text",
        "Whom the page credits with the main picture.",
        source=ExtractedKey("image_credit"),
    ),
)
"""The article row."""

WEIGHT = Field(
    "weight",
    "number",
    "1 / number of this set's articles in the same story: the weights of a story sum to 1, those of the set to its stories.",
    "share",
)
EXCERPT = Field(
    "excerpt",
    "text",
    "The first words of the text (`[rights] excerpt_words`; twice as many characters in scripts without spaces), with … when more follows.",
    values="prose",
)
LEFT_OUT = Field(
    "text_left_out",
    "text",
    "Why `text` is empty in a set made for sharing; empty when the text is there.",
    values="few",
)

# --- as a list shows it ----------------------------------------------------------------------------

REVISION = Field(
    "revision",
    "integer",
    "Number of the newest revision, from 1.",
    source=article("revision"),
)
STORY_ARTICLES = Field("story_articles", "integer", "Articles of that story, itself included.")
PAYLOAD_SHA256 = Field(
    "payload_sha256",
    "text",
    "SHA-256 of the body as fetched.",
    "hexadecimal",
    source=TableColumn("captures", "payload_sha256"),
)

LISTED = ("id", "url", "site", "outlet", "country", "title", "language")
TIMES = ("published_at", "published_from", "published_to", "published_day")

COVERAGE: tuple[Field, ...] = (
    *chosen(ARTICLES, *LISTED, *TIMES, "word_count", "story_id"),
    STORY_ARTICLES,
    *chosen(ARTICLES, "role", "relevance_decision"),
    REVISION,
    *chosen(ARTICLES, "captured_at", "warc_file", "warc_offset"),
    PAYLOAD_SHA256,
    *chosen(ARTICLES, "event"),
)
"""An article in a list, without its text."""

SNIPPET = Field("snippet", "text", "Where the text answers the question.", values="prose")
HITS: tuple[Field, ...] = (
    *chosen(ARTICLES, "id", "url", "title", "outlet", "site", "country", "language"),
    *chosen(ARTICLES, "published_at", "published_from", "published_to", "story_id", "role"),
    SNIPPET,
    *chosen(ARTICLES, "published_day"),
)
"""An article that a search found."""

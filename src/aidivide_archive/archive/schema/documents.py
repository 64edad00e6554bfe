"""Extractions, articles and what is stated and judged about them."""

from __future__ import annotations

import sqlalchemy as sa

from aidivide_archive.archive.schema.building import column, reference, table
from aidivide_archive.archive.storage.types import (
    Count,
    Flag,
    Id,
    JsonValue,
    OneOf,
    Real,
    String,
    UtcTime,
)
from aidivide_archive.model import PageKind, RelevanceDecision

extractions = table(
    "extractions",
    column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    column("url_id", Id, reference("urls.id"), comment="The URL"),
    column(
        "capture_id",
        Id,
        reference("captures.id"),
        null=True,
        comment="The bytes; empty: imported text",
    ),
    column("version", String, comment="Version of the extraction stages"),
    column("extracted_at", UtcTime(), comment="When"),
    column("page_kind", OneOf(PageKind), comment="What the page is"),
    column("title", String, null=True, comment="Headline"),
    column("text", String, comment="Clean text, one paragraph a line"),
    column("text_sha256", String, comment="SHA-256 of the text"),
    column("word_count", Count, comment="Words; characters in scripts without spaces"),
    column(
        "fields", JsonValue(), comment="Authors, section, description, tags, image, canonical URL …"
    ),
    column("cuts", JsonValue(), null=True, comment="Lines cut as clutter: position, text, reason"),
    column("encoding", String, comment="Character encoding and what decided it"),
    column("mode", String, comment="Extractor setting that gave the text"),
    column(
        "part",
        Count,
        null=True,
        comment="Number among the pages of one article; 0: all on one page, or AMP",
    ),
    sa.UniqueConstraint("capture_id", "version"),
    comment="Clean text and metadata of a capture, for each version of the extractor",
)
sa.Index("ix_extractions_url_id", extractions.c.url_id)
# few pages are parts: settling finds them without reading every text
sa.Index(
    "ix_extractions_part",
    extractions.c.part,
    sqlite_where=extractions.c.part.isnot(None),
    postgresql_where=extractions.c.part.isnot(None),
)

articles = table(
    "articles",
    column(
        "id",
        Id,
        reference("urls.id"),
        primary_key=True,
        autoincrement=False,
        comment="As the URL's",
    ),
    column("extraction_id", Id, reference("extractions.id"), comment="Text and metadata shown"),
    column("revision", Count, comment="Number of the newest revision, from 1"),
    column("url", String, comment="The URL"),
    column("site", String, comment="Registrable domain"),
    column("title", String, null=True, comment="Headline"),
    column("language", String, null=True, comment="BCP 47 primary subtag"),
    column("published_from", UtcTime(), null=True, comment="Published not before"),
    column("published_to", UtcTime(), null=True, comment="Published before"),
    column("published_source", String, null=True, comment="Where that time stands"),
    column("word_count", Count, comment="Words of the text"),
    column("text_sha256", String, comment="SHA-256 of the text"),
    column("captured_at", UtcTime(), comment="First capture or import"),
    column(
        "host",
        String,
        server_default="",
        comment="Host name, with the port when it is not the scheme's default",
    ),
    column(
        "published_day",
        String,
        null=True,
        comment="Calendar day of publication at the source, YYYY-MM-DD",
    ),
    comment="Articles: the newest good revision of each",
)
sa.Index("ix_articles_published", articles.c.published_from, articles.c.id)
sa.Index("ix_articles_site", articles.c.site, articles.c.id)
# Holds all that facets count, so that they need not read the rows.
sa.Index(
    "ix_articles_host",
    articles.c.host,
    articles.c.language,
    articles.c.published_from,
    articles.c.id,
)

outlets = table(
    "outlets",
    column("host", String, primary_key=True, comment="Host of an article, as in `articles`"),
    column("name", String, null=True, comment="Name of the outlet; empty: in no profile"),
    column("country", String, null=True, comment="ISO 3166-1 alpha-2 code"),
    comment="What the stored profiles call the outlet of each host that has articles",
)

revisions = table(
    "revisions",
    column("article_id", Id, reference("articles.id"), primary_key=True, comment="Article"),
    column("number", Count, primary_key=True, comment="From 1"),
    column("extraction_id", Id, reference("extractions.id"), comment="The text as first extracted"),
    column("text_sha256", String, comment="SHA-256 of that text"),
    column("title", String, null=True, comment="Headline"),
    column("seen_at", UtcTime(), comment="First capture with this text"),
    comment="Changes by the publisher; a better extractor makes an extraction, not a revision",
)

claims = table(
    "claims",
    column(
        "extraction_id",
        Id,
        reference("extractions.id"),
        primary_key=True,
        comment="Where it was read",
    ),
    column("position", Count, primary_key=True, comment="Order in the extraction"),
    column("field", String, comment="published, modified, author, title, rights …"),
    column("value", String, comment="Normal form"),
    column("raw", String, null=True, comment="The words"),
    column("source", String, comment="Where it stands in the page, feed or sitemap"),
    column("confidence", Real, comment="In [0, 1]"),
    column("chosen", Flag(), comment="Whether the article shows this one"),
    column("time_from", UtcTime(), null=True, comment="Times: not before"),
    column("time_to", UtcTime(), null=True, comment="Times: before"),
    column("offset_minutes", Count, null=True, comment="Times: stated UTC offset"),
    column("precision", String, null=True, comment="Times: second, minute, day"),
    sa.CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_share"),
    comment="Statements about an article, each with its source",
)

relevance = table(
    "relevance",
    column("url_id", Id, reference("urls.id"), primary_key=True, comment="Document"),
    column("event_id", String, reference("events.id"), primary_key=True, comment="Event"),
    column("score", Real, comment="Points"),
    column("decision", OneOf(RelevanceDecision), comment="keep, review or reject"),
    column("reason", String, comment="Ledger reason"),
    column("groups", JsonValue(), comment="Matched groups: words, place, points"),
    column("version", String, comment="Version of the judgement and SHA-256 of the profile"),
    column("title", String, null=True, comment="Headline, also of rejected pages"),
    column("published_from", UtcTime(), null=True, comment="Publication, also of rejected pages"),
    column("judged_at", UtcTime(), comment="When"),
    comment="Why a document belongs to an event or not",
)
sa.Index("ix_relevance_event_id_decision", relevance.c.event_id, relevance.c.decision)

clutter_rules = table(
    "clutter_rules",
    column("site", String, primary_key=True, comment="Site"),
    column("line_hash", Id, primary_key=True, comment="Hash of the normalised line"),
    column("sample", String, comment="The line as first seen"),
    column("pages", Count, comment="Distinct pages with it"),
    column("status", String, comment="learned, undone or added"),
    column("version", String, comment="Version of the learning"),
    sa.CheckConstraint("status IN ('learned', 'undone', 'added')", name="status_known"),
    comment="Lines that a site repeats",
)

"""The tables of an archive, the same on SQLite and PostgreSQL.

Only `archive` and `frontier` (and the migrations) import this module. Ids of URLs and articles are the
first 48 bits of the SHA-256 of the URL key (`urls.url_id`), so they are the same in every archive and are known
before a row is written. What only one engine has (STRICT, WITHOUT ROWID, full text) is named here and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from aidivide_archive.model import (
    Channel,
    Completeness,
    PageKind,
    Relation,
    RelevanceDecision,
    Role,
    UrlKind,
    UrlState,
    Verdict,
)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC `datetime`; on SQLite the fixed-width text 2025-07-28T08:57:13.000000Z, which sorts by time."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:  # astimezone would take it for this machine's time
            raise ValueError(f"a time without zone: {value}")
        moment = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return moment
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        if value is None or isinstance(value, datetime):
            return value.astimezone(UTC) if value else None
        return datetime.fromisoformat(value)


class JsonValue(TypeDecorator[Any]):
    """Any JSON value; sorted keys in text on SQLite, JSONB on PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(none_as_null=True))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return (
            json.loads(value) if isinstance(value, str) and dialect.name != "postgresql" else value
        )


class Flag(TypeDecorator[bool]):
    """A boolean; INTEGER on SQLite, where STRICT tables know no other."""

    impl = sa.Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.Boolean())
        return dialect.type_descriptor(sa.Integer())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else bool(value)


# 64-bit on both engines; SQLite's STRICT tables know INTEGER and REAL only.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Count = sa.Integer()
Real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
String = sa.Text()
Bytes = sa.LargeBinary()

REVISION = "0005"
"""The migration this code works with; a test holds it equal to the newest file in `migrations/versions`."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: Iterable[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _table(name: str, *items: sa.schema.SchemaItem, comment: str, **options: Any) -> sa.Table:
    return sa.Table(name, metadata, *items, comment=comment, sqlite_strict=True, **options)


def _column(
    name: str,
    kind: Any,
    *items: sa.schema.SchemaItem,
    comment: str,
    null: bool = False,
    **options: Any,
) -> sa.Column[Any]:
    return sa.Column(name, kind, *items, nullable=null, comment=comment, **options)


def _reference(target: str) -> sa.ForeignKey:
    return sa.ForeignKey(target)


events = _table(
    "events",
    _column("id", String, primary_key=True, comment="Slug of the event, from its profile"),
    _column("title", String, comment="Title of the event"),
    _column("profile", String, comment="The whole profile as canonical JSON"),
    _column("profile_sha256", String, comment="SHA-256 of the canonical profile"),
    _column("updated_at", UtcTime(), comment="When this profile was last used to write"),
    comment="Events whose coverage is collected",
)

sources = _table(
    "sources",
    _column("event_id", String, _reference("events.id"), primary_key=True, comment="Event"),
    _column("domain", String, primary_key=True, comment="Registrable domain or host of the outlet"),
    _column("name", String, comment="Name of the outlet"),
    _column("country", String, null=True, comment="ISO 3166-1 alpha-2 code"),
    _column("language", String, null=True, comment="BCP 47 main language"),
    _column("kind", String, null=True, comment="The profile's word for the kind of outlet"),
    comment="Outlets named by an event profile",
)

crawls = _table(
    "crawls",
    _column("id", Id, primary_key=True, autoincrement=True, comment="Number of the run"),
    _column("event_id", String, _reference("events.id"), null=True, comment="Event crawled for"),
    _column("kind", String, comment="crawl, import or reprocess"),
    _column("owner", String, comment="Process that ran it: host name, pid and start time"),
    _column("started_at", UtcTime(), comment="Start"),
    _column("finished_at", UtcTime(), null=True, comment="End; empty while running or when killed"),
    _column("finish_reason", String, null=True, comment="finished, shutdown, storage_error …"),
    _column("software", JsonValue(), comment="Versions of this program and its engines"),
    _column("stats", JsonValue(), null=True, comment="Counters at the end"),
    comment="Runs that wrote to the archive",
)

warc_files = _table(
    "warc_files",
    _column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    _column("crawl_id", Id, _reference("crawls.id"), comment="The run that wrote it"),
    _column("name", String, comment="File name inside the archive's warc directory"),
    _column("committed_bytes", Id, comment="Length up to the last record that a row points at"),
    sa.UniqueConstraint("name"),
    comment="WARC files: one for each process and run",
)

hosts = _table(
    "hosts",
    _column(
        "host", String, primary_key=True, comment="Host name, with the port when not the default"
    ),
    _column("site", String, comment="Registrable domain"),
    _column("pages_fetched", Count, server_default="0", comment="Fetches so far, for the budget"),
    _column(
        "paused_until", UtcTime(), null=True, comment="No request before this time (Retry-After)"
    ),
    _column("crawl_delay_seconds", Real, null=True, comment="From robots.txt"),
    _column("owner", String, null=True, comment="Crawler process that owns the host"),
    _column("owned_until", UtcTime(), null=True, comment="End of that ownership without renewal"),
    _column(
        "robots", JsonValue(), null=True, comment="Last robots.txt by scheme: status, time, SHA-256"
    ),
    _column("sitemaps_fetched", Count, server_default="0", comment="Sitemaps among the fetches"),
    comment="Hosts: politeness, budgets, ownership",
)

url_patterns = _table(
    "url_patterns",
    _column("host", String, primary_key=True, comment="Host with explicit port"),
    _column("pattern", String, primary_key=True, comment="Path with # for numbers, * for names"),
    _column("fetched", Count, comment="Pages fetched"),
    _column("barren", Count, comment="The last of them without content new on the host"),
    _column("is_closed", Flag(), comment="Whether its links are given up"),
    comment="Kinds of URLs of a host, and whether they still bring content",
)

page_contents = _table(
    "page_contents",
    _column("host", String, primary_key=True, comment="Host with explicit port"),
    _column("fingerprint", Id, primary_key=True, comment="48 bits of the text without numbers"),
    _column("url_id", Id, comment="The page that showed it first"),
    comment="What each host has shown, articles or not",
    sqlite_with_rowid=False,
)

urls = _table(
    "urls",
    _column(
        "id", Id, primary_key=True, autoincrement=False, comment="48 bits of SHA-256 of the key"
    ),
    _column("url", String, comment="The URL as it is fetched"),
    _column("url_key", String, comment="Comparison form; never shown"),
    _column("host", String, comment="Host with explicit port"),
    _column("site", String, comment="Registrable domain"),
    _column("kind", String, comment="What the body is expected to be"),
    _column("state", String, comment="Where the URL stands"),
    _column("reason", String, null=True, comment="Why it is there"),
    _column("detail", String, null=True, comment="The reason in words, where a slug is not enough"),
    _column("priority", Count, server_default="0", comment="Larger is fetched first"),
    _column("depth", Count, server_default="0", comment="Links followed from a seed"),
    _column("redirects", Count, server_default="0", comment="Redirects followed to get here"),
    _column("attempts", Count, server_default="0", comment="Failed fetches since the last success"),
    _column("due_at", UtcTime(), null=True, comment="May be leased from then on; empty: terminal"),
    _column("leased_by", Id, null=True, comment="Run that holds it"),
    _column("first_seen_at", UtcTime(), comment="First discovery"),
    _column("finished_at", UtcTime(), null=True, comment="Last terminal state"),
    _one_of("state", UrlState),
    _one_of("kind", UrlKind),
    comment="The ledger: every URL seen, its state and why",
)
sa.Index(
    "ix_urls_frontier",
    urls.c.host,
    urls.c.priority.desc(),
    urls.c.id,
    sqlite_where=urls.c.due_at.isnot(None),
    postgresql_where=urls.c.due_at.isnot(None),
)
sa.Index("ix_urls_state", urls.c.state, urls.c.reason)

discoveries = _table(
    "discoveries",
    _column("url_id", Id, _reference("urls.id"), primary_key=True, comment="The URL found"),
    _column(
        "crawl_id", Id, _reference("crawls.id"), primary_key=True, comment="The run that found it"
    ),
    _column("channel", String, primary_key=True, comment="How it was found"),
    _column("from_id", Id, primary_key=True, comment="The document that named it; 0: the profile"),
    _column("event_id", String, null=True, comment="Event crawled for"),
    _column("hint", JsonValue(), null=True, comment="The feed or sitemap item as seen"),
    _column("seen_at", UtcTime(), comment="When"),
    _one_of("channel", Channel),
    comment="How each URL came to our knowledge, with the item as seen",
    sqlite_with_rowid=False,
)

captures = _table(
    "captures",
    _column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    _column("url_id", Id, _reference("urls.id"), comment="The URL fetched"),
    _column("crawl_id", Id, _reference("crawls.id"), comment="The run"),
    _column("captured_at", UtcTime(), comment="When the response arrived"),
    _column("status", Count, comment="HTTP status; 0 for an imported file"),
    _column("content_type", String, null=True, comment="Content-Type as sent"),
    _column("payload_sha256", String, comment="SHA-256 of the body as fetched"),
    _column("payload_bytes", Id, comment="Length of the body as fetched"),
    _column("completeness", String, comment="Whether the body arrived whole"),
    _column(
        "warc_file_id", Id, _reference("warc_files.id"), comment="File with the response record"
    ),
    _column("warc_offset", Id, comment="Byte offset of the response record"),
    _column("warc_length", Id, comment="Length of the response record in the file"),
    _column("ip_address", String, null=True, comment="Server address"),
    _column(
        "robots", JsonValue(), null=True, comment="Verdict and rule line that allowed the fetch"
    ),
    _column("rights", JsonValue(), null=True, comment="Rights statements in the response headers"),
    _one_of("completeness", Completeness),
    comment="HTTP exchanges and where their bytes lie",
)
sa.Index("ix_captures_url_id", captures.c.url_id)
sa.Index("ix_captures_warc_file_id", captures.c.warc_file_id)

observations = _table(
    "observations",
    _column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    _column("url_id", Id, _reference("urls.id"), comment="The URL visited"),
    _column("crawl_id", Id, _reference("crawls.id"), comment="The run"),
    _column(
        "capture_id",
        Id,
        _reference("captures.id"),
        null=True,
        comment="What was fetched, if anything",
    ),
    _column("observed_at", UtcTime(), comment="When"),
    _column("outcome", String, comment="new, unchanged, revised, or the ledger's reason"),
    _column("detail", String, null=True, comment="In words"),
    comment="What each visit saw",
)
sa.Index("ix_observations_url_id", observations.c.url_id)

extractions = _table(
    "extractions",
    _column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    _column("url_id", Id, _reference("urls.id"), comment="The URL"),
    _column(
        "capture_id",
        Id,
        _reference("captures.id"),
        null=True,
        comment="The bytes; empty: imported text",
    ),
    _column("version", String, comment="Version of the extraction stages"),
    _column("extracted_at", UtcTime(), comment="When"),
    _column("page_kind", String, comment="What the page is"),
    _column("title", String, null=True, comment="Headline"),
    _column("text", String, comment="Clean text, one paragraph a line"),
    _column("text_sha256", String, comment="SHA-256 of the text"),
    _column("word_count", Count, comment="Words; characters in scripts without spaces"),
    _column(
        "fields", JsonValue(), comment="Authors, section, description, tags, image, canonical URL …"
    ),
    _column("cuts", JsonValue(), null=True, comment="Lines cut as clutter: position, text, reason"),
    _column("encoding", String, comment="Character encoding and what decided it"),
    _column("mode", String, comment="Extractor setting that gave the text"),
    _column(
        "part",
        Count,
        null=True,
        comment="Number among the pages of one article; 0: all on one page, or AMP",
    ),
    sa.UniqueConstraint("capture_id", "version"),
    _one_of("page_kind", PageKind),
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

articles = _table(
    "articles",
    _column(
        "id",
        Id,
        _reference("urls.id"),
        primary_key=True,
        autoincrement=False,
        comment="As the URL's",
    ),
    _column("extraction_id", Id, _reference("extractions.id"), comment="Text and metadata shown"),
    _column("revision", Count, comment="Number of the newest revision, from 1"),
    _column("url", String, comment="The URL"),
    _column("site", String, comment="Registrable domain"),
    _column("title", String, null=True, comment="Headline"),
    _column("language", String, null=True, comment="BCP 47 primary subtag"),
    _column("published_from", UtcTime(), null=True, comment="Published not before"),
    _column("published_to", UtcTime(), null=True, comment="Published before"),
    _column("published_source", String, null=True, comment="Where that time stands"),
    _column("word_count", Count, comment="Words of the text"),
    _column("text_sha256", String, comment="SHA-256 of the text"),
    _column("captured_at", UtcTime(), comment="First capture or import"),
    _column("host", String, server_default="", comment="Host, with the port when not the default"),
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

outlets = _table(
    "outlets",
    _column("host", String, primary_key=True, comment="Host of an article, as in `articles`"),
    _column("name", String, null=True, comment="Name of the outlet; empty: in no profile"),
    _column("country", String, null=True, comment="ISO 3166-1 alpha-2 code"),
    comment="What the stored profiles call the outlet of each host that has articles",
)

revisions = _table(
    "revisions",
    _column("article_id", Id, _reference("articles.id"), primary_key=True, comment="Article"),
    _column("number", Count, primary_key=True, comment="From 1"),
    _column(
        "extraction_id", Id, _reference("extractions.id"), comment="The text as first extracted"
    ),
    _column("text_sha256", String, comment="SHA-256 of that text"),
    _column("title", String, null=True, comment="Headline"),
    _column("seen_at", UtcTime(), comment="First capture with this text"),
    comment="Changes by the publisher; a better extractor makes an extraction, not a revision",
)

claims = _table(
    "claims",
    _column(
        "extraction_id",
        Id,
        _reference("extractions.id"),
        primary_key=True,
        comment="Where it was read",
    ),
    _column("position", Count, primary_key=True, comment="Order in the extraction"),
    _column("field", String, comment="published, modified, author, title, rights …"),
    _column("value", String, comment="Normal form"),
    _column("raw", String, null=True, comment="The words"),
    _column("source", String, comment="Where it stands in the page, feed or sitemap"),
    _column("confidence", Real, comment="In [0, 1]"),
    _column("chosen", Flag(), comment="Whether the article shows this one"),
    _column("time_from", UtcTime(), null=True, comment="Times: not before"),
    _column("time_to", UtcTime(), null=True, comment="Times: before"),
    _column("offset_minutes", Count, null=True, comment="Times: stated UTC offset"),
    _column("precision", String, null=True, comment="Times: second, minute, day"),
    sa.CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_share"),
    comment="Statements about an article, each with its source",
)

relevance = _table(
    "relevance",
    _column("url_id", Id, _reference("urls.id"), primary_key=True, comment="Document"),
    _column("event_id", String, _reference("events.id"), primary_key=True, comment="Event"),
    _column("score", Real, comment="Points"),
    _column("decision", String, comment="keep, review or reject"),
    _column("reason", String, comment="Ledger reason"),
    _column("groups", JsonValue(), comment="Matched groups: words, place, points"),
    _column("version", String, comment="Version of the judgement and SHA-256 of the profile"),
    _column("title", String, null=True, comment="Headline, also of rejected pages"),
    _column("published_from", UtcTime(), null=True, comment="Publication, also of rejected pages"),
    _column("judged_at", UtcTime(), comment="When"),
    _one_of("decision", RelevanceDecision),
    comment="Why a document belongs to an event or not",
)
sa.Index("ix_relevance_event_id_decision", relevance.c.event_id, relevance.c.decision)

signatures = _table(
    "signatures",
    _column(
        "article_id",
        Id,
        _reference("articles.id"),
        primary_key=True,
        autoincrement=False,
        comment="Article",
    ),
    _column("scheme", String, comment="Permutation scheme of datasketch"),
    _column("seed", Count, comment="Seed of the permutations"),
    _column("version", String, comment="Version of normaliser, tokens and shingles"),
    _column("hashvalues", Bytes, comment="(num_perm,) uint32, little endian"),
    _column("shingle_count", Count, comment="Distinct shingles"),
    _column(
        "sketch", Bytes, comment="The article's rows of `sketch`: int64, little endian, ascending"
    ),
    comment="MinHash signatures",
)

# Bands and sketch are indexes over `signatures`, whose rows name all of theirs: neither foreign keys nor an index by
# article, which would cost more than the rows (45 an article, in random order).
bands = _table(
    "bands",
    _column("band", Count, primary_key=True, comment="Number of the band"),
    _column("key", Id, primary_key=True, comment="Hash of the band's values"),
    _column("article_id", Id, primary_key=True, comment="Article"),
    comment="MinHash-LSH bands: whole copies share one",
    sqlite_with_rowid=False,
)

sketch = _table(
    "sketch",
    _column("hash", Id, primary_key=True, comment="Sampled shingle hash"),
    _column("article_id", Id, primary_key=True, comment="Article"),
    comment="FracMinHash sample of each text: articles that share text share hashes",
    sqlite_with_rowid=False,
)

matches = _table(
    "matches",
    _column(
        "a_id",
        Id,
        _reference("articles.id"),
        primary_key=True,
        comment="The one with the smaller URL",
    ),
    _column("b_id", Id, _reference("articles.id"), primary_key=True, comment="The other"),
    _column("relation", String, comment="copy, excerpt, shared_statement or template"),
    _column("contains", String, null=True, comment="a: a contains b; b: b contains a"),
    _column("jaccard", Real, comment="Shared shingles / all shingles"),
    _column("containment_a", Real, comment="Share of a that stands in b"),
    _column("containment_b", Real, comment="Share of b that stands in a"),
    _column("containment_a_outside_quotes", Real, comment="The same without quotations"),
    _column("containment_b_outside_quotes", Real, comment="The same without quotations"),
    _column("longest_passage_words", Count, comment="Longest shared run of words"),
    _column("decided_by", String, comment="machine or person"),
    _column("reasons", JsonValue(), comment="Evidence in words"),
    _column("version", String, comment="Version of the comparison"),
    _one_of("relation", Relation),
    sa.CheckConstraint("contains IN ('a', 'b')", name="contains_known"),
    sa.CheckConstraint("a_id <> b_id", name="two_articles"),
    sa.CheckConstraint("jaccard BETWEEN 0 AND 1", name="jaccard_share"),
    comment="Compared pairs of articles that share text",
)
sa.Index("ix_matches_b_id", matches.c.b_id)

judgements = _table(
    "judgements",
    _column(
        "a_id", Id, _reference("urls.id"), primary_key=True, comment="The one with the smaller URL"
    ),
    _column("b_id", Id, _reference("urls.id"), primary_key=True, comment="The other"),
    _column("verdict", String, comment="same, different or unsure"),
    _column("judged_at", UtcTime(), comment="When"),
    _column("note", String, null=True, comment="Why"),
    _one_of("verdict", Verdict),
    comment="A person's judgements on pairs; they beat the machine",
)

stories = _table(
    "stories",
    _column("id", Id, primary_key=True, autoincrement=False, comment="Smallest member"),
    _column("origin_id", Id, _reference("articles.id"), comment="The member taken for the origin"),
    _column("size", Count, comment="Number of members"),
    comment="Articles that are one text; every article is in one",
)

story_members = _table(
    "story_members",
    _column(
        "article_id",
        Id,
        _reference("articles.id"),
        primary_key=True,
        autoincrement=False,
        comment="Article",
    ),
    _column("story_id", Id, _reference("stories.id"), comment="Its story"),
    _column("role", String, comment="What it is in the story"),
    _column("share_copied", Real, null=True, comment="Share of it that stands in the origin"),
    _column("hours_after_origin", Real, null=True, comment="Between the publications"),
    _column("confidence", Real, comment="In the role, in [0, 1]"),
    _column("reasons", JsonValue(), comment="Evidence in words, the strongest first"),
    _column(
        "origin_rank",
        Count,
        null=True,
        comment="Place among the candidates for the origin, 1 the likeliest; null: alone in its story",
    ),
    _column("origin_points", Real, null=True, comment="Sum of the evidence for it as the origin"),
    _column("origin_reasons", JsonValue(), null=True, comment="That evidence in words"),
    _one_of("role", Role),
    comment="Members of stories, with their role",
)
sa.Index("ix_story_members_story_id", story_members.c.story_id)

story_aliases = _table(
    "story_aliases",
    _column("id", Id, primary_key=True, autoincrement=False, comment="Former id"),
    _column("story_id", Id, comment="The story that answers for it"),
    comment="Ids of stories that were merged into others",
)

clutter_rules = _table(
    "clutter_rules",
    _column("site", String, primary_key=True, comment="Site"),
    _column("line_hash", Id, primary_key=True, comment="Hash of the normalised line"),
    _column("sample", String, comment="The line as first seen"),
    _column("pages", Count, comment="Distinct pages with it"),
    _column("status", String, comment="learned, undone or added"),
    _column("version", String, comment="Version of the learning"),
    sa.CheckConstraint("status IN ('learned', 'undone', 'added')", name="status_known"),
    comment="Lines that a site repeats",
)

tombstones = _table(
    "tombstones",
    _column("target", String, primary_key=True, comment="URL key or domain that was purged"),
    _column("purged_at", UtcTime(), comment="When"),
    _column("reason", String, null=True, comment="Why"),
    comment="What was taken down and must not come back",
)

FULL_TEXT_TABLE = "full_text"
"""One row an article: words of title and text as `archive.full_text` cuts them (docs/search.md)."""

FULL_TEXT_DDL = {
    "sqlite": [
        f"CREATE VIRTUAL TABLE {FULL_TEXT_TABLE} USING fts5("
        "title, text, content='', tokenize='ascii')"
    ],
    "postgresql": [
        f"CREATE TABLE {FULL_TEXT_TABLE} ("
        "article_id BIGINT NOT NULL, words TSVECTOR NOT NULL, "
        f"CONSTRAINT pk_{FULL_TEXT_TABLE} PRIMARY KEY (article_id), "
        f"CONSTRAINT fk_{FULL_TEXT_TABLE}_article_id_articles FOREIGN KEY (article_id) REFERENCES articles (id))",
        # uncompressed: ranking reads the words of every hit
        f"ALTER TABLE {FULL_TEXT_TABLE} ALTER COLUMN words SET STORAGE EXTERNAL",
        f"CREATE INDEX ix_{FULL_TEXT_TABLE}_words ON {FULL_TEXT_TABLE} USING gin (words)",
    ],
}


def upsert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of the connection."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)

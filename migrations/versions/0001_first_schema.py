"""The first schema: every table of the archive.

Revision: 0001
Follows: none
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aidivide_archive.archive.storage.types import Flag, Id, JsonValue, Real, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = [
    "story_members",
    "stories",
    "sketch",
    "signatures",
    "revisions",
    "matches",
    "bands",
    "claims",
    "articles",
    "observations",
    "extractions",
    "captures",
    "warc_files",
    "discoveries",
    "sources",
    "relevance",
    "judgements",
    "crawls",
    "urls",
    "tombstones",
    "story_aliases",
    "hosts",
    "events",
    "clutter_rules",
]


def upgrade() -> None:
    op.create_table(
        "clutter_rules",
        sa.Column("site", sa.Text(), nullable=False, comment="Site"),
        sa.Column("line_hash", Id, nullable=False, comment="Hash of the normalised line"),
        sa.Column("sample", sa.Text(), nullable=False, comment="The line as first seen"),
        sa.Column("pages", sa.Integer(), nullable=False, comment="Distinct pages with it"),
        sa.Column("status", sa.Text(), nullable=False, comment="learned, undone or added"),
        sa.Column("version", sa.Text(), nullable=False, comment="Version of the learning"),
        sa.CheckConstraint(
            "status IN ('learned', 'undone', 'added')", name=op.f("ck_clutter_rules_status_known")
        ),
        sa.PrimaryKeyConstraint("site", "line_hash", name=op.f("pk_clutter_rules")),
        comment="Lines that a site repeats",
        sqlite_strict=True,
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Text(), nullable=False, comment="Slug of the event, from its profile"),
        sa.Column("title", sa.Text(), nullable=False, comment="Title of the event"),
        sa.Column(
            "profile", sa.Text(), nullable=False, comment="The whole profile as canonical JSON"
        ),
        sa.Column(
            "profile_sha256", sa.Text(), nullable=False, comment="SHA-256 of the canonical profile"
        ),
        sa.Column(
            "updated_at",
            UtcTime(),
            nullable=False,
            comment="When this profile was last used to write",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        comment="Events whose coverage is collected",
        sqlite_strict=True,
    )
    op.create_table(
        "hosts",
        sa.Column(
            "host",
            sa.Text(),
            nullable=False,
            comment="Host name, with the port when it is not the scheme's default",
        ),
        sa.Column("site", sa.Text(), nullable=False, comment="Registrable domain"),
        sa.Column(
            "pages_fetched",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Fetches so far, for the budget",
        ),
        sa.Column(
            "paused_until",
            UtcTime(),
            nullable=True,
            comment="No request before this time (Retry-After)",
        ),
        sa.Column("crawl_delay_seconds", Real, nullable=True, comment="From robots.txt"),
        sa.Column("owner", sa.Text(), nullable=True, comment="Crawler process that owns the host"),
        sa.Column(
            "owned_until", UtcTime(), nullable=True, comment="End of that ownership without renewal"
        ),
        sa.Column(
            "robots",
            JsonValue(),
            nullable=True,
            comment="Last robots.txt by scheme: status, time, SHA-256",
        ),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_hosts")),
        comment="Hosts: politeness, budgets, ownership",
        sqlite_strict=True,
    )
    op.create_table(
        "story_aliases",
        sa.Column("id", Id, autoincrement=False, nullable=False, comment="Former id"),
        sa.Column("story_id", Id, nullable=False, comment="The story that answers for it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_aliases")),
        comment="Ids of stories that were merged into others",
        sqlite_strict=True,
    )
    op.create_table(
        "tombstones",
        sa.Column("target", sa.Text(), nullable=False, comment="URL key or domain that was purged"),
        sa.Column("purged_at", UtcTime(), nullable=False, comment="When"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why"),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_tombstones")),
        comment="What was taken down and must not come back",
        sqlite_strict=True,
    )
    op.create_table(
        "urls",
        sa.Column(
            "id", Id, autoincrement=False, nullable=False, comment="48 bits of SHA-256 of the key"
        ),
        sa.Column("url", sa.Text(), nullable=False, comment="The URL as it is fetched"),
        sa.Column("url_key", sa.Text(), nullable=False, comment="Comparison form; never shown"),
        sa.Column(
            "host",
            sa.Text(),
            nullable=False,
            comment="Host name, with the port when it is not the scheme's default",
        ),
        sa.Column("site", sa.Text(), nullable=False, comment="Registrable domain"),
        sa.Column("kind", sa.Text(), nullable=False, comment="What the body is expected to be"),
        sa.Column("state", sa.Text(), nullable=False, comment="Where the URL stands"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it is there"),
        sa.Column(
            "detail",
            sa.Text(),
            nullable=True,
            comment="The reason in words, where a slug is not enough",
        ),
        sa.Column(
            "priority",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Larger is fetched first",
        ),
        sa.Column(
            "depth",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Links followed from a seed",
        ),
        sa.Column(
            "redirects",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Redirects followed to get here",
        ),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Failed fetches since the last success",
        ),
        sa.Column(
            "due_at",
            UtcTime(),
            nullable=True,
            comment="May be leased from then on; empty: terminal",
        ),
        sa.Column("leased_by", Id, nullable=True, comment="Run that holds it"),
        sa.Column("first_seen_at", UtcTime(), nullable=False, comment="First discovery"),
        sa.Column("finished_at", UtcTime(), nullable=True, comment="Last terminal state"),
        sa.CheckConstraint(
            "kind IN ('page', 'hub', 'feed', 'sitemap')", name=op.f("ck_urls_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'leased', 'failed', 'done', 'rejected', 'dead')",
            name=op.f("ck_urls_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urls")),
        comment="The ledger: every URL seen, its state and why",
        sqlite_strict=True,
    )
    op.create_index(
        "ix_urls_frontier",
        "urls",
        ["host", sa.literal_column("priority DESC"), "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_urls_state", "urls", ["state", "reason"], unique=False)
    op.create_table(
        "crawls",
        sa.Column("id", Id, autoincrement=True, nullable=False, comment="Number of the run"),
        sa.Column("event_id", sa.Text(), nullable=True, comment="Event crawled for"),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="crawl, import, reprocess, judge, clutter, rebuild, merge or purge",
        ),
        sa.Column(
            "owner",
            sa.Text(),
            nullable=False,
            comment="Process that ran it: host name, pid and a random token",
        ),
        sa.Column("started_at", UtcTime(), nullable=False, comment="Start"),
        sa.Column(
            "finished_at",
            UtcTime(),
            nullable=True,
            comment="End; empty while running or when killed",
        ),
        sa.Column(
            "finish_reason", sa.Text(), nullable=True, comment="finished, shutdown, storage_error …"
        ),
        sa.Column(
            "software",
            JsonValue(),
            nullable=False,
            comment="Versions of this program and its engines",
        ),
        sa.Column("stats", JsonValue(), nullable=True, comment="Counters at the end"),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_crawls_event_id_events")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crawls")),
        comment="Runs that wrote to the archive",
        sqlite_strict=True,
    )
    op.create_table(
        "judgements",
        sa.Column("a_id", Id, nullable=False, comment="The one with the smaller URL"),
        sa.Column("b_id", Id, nullable=False, comment="The other"),
        sa.Column("verdict", sa.Text(), nullable=False, comment="same, different or unsure"),
        sa.Column("judged_at", UtcTime(), nullable=False, comment="When"),
        sa.Column("note", sa.Text(), nullable=True, comment="Why"),
        sa.CheckConstraint(
            "verdict IN ('same', 'different', 'unsure')", name=op.f("ck_judgements_verdict_known")
        ),
        sa.ForeignKeyConstraint(["a_id"], ["urls.id"], name=op.f("fk_judgements_a_id_urls")),
        sa.ForeignKeyConstraint(["b_id"], ["urls.id"], name=op.f("fk_judgements_b_id_urls")),
        sa.PrimaryKeyConstraint("a_id", "b_id", name=op.f("pk_judgements")),
        comment="A person's judgements on pairs; they beat the machine",
        sqlite_strict=True,
    )
    op.create_table(
        "relevance",
        sa.Column("url_id", Id, nullable=False, comment="Document"),
        sa.Column("event_id", sa.Text(), nullable=False, comment="Event"),
        sa.Column("score", Real, nullable=False, comment="Points"),
        sa.Column("decision", sa.Text(), nullable=False, comment="keep, review or reject"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Ledger reason"),
        sa.Column(
            "groups", JsonValue(), nullable=False, comment="Matched groups: words, place, points"
        ),
        sa.Column(
            "version",
            sa.Text(),
            nullable=False,
            comment="Version of the judgement and SHA-256 of the profile",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="Headline, also of rejected pages"),
        sa.Column(
            "published_from",
            UtcTime(),
            nullable=True,
            comment="Publication, also of rejected pages",
        ),
        sa.Column("judged_at", UtcTime(), nullable=False, comment="When"),
        sa.CheckConstraint(
            "decision IN ('keep', 'review', 'reject')", name=op.f("ck_relevance_decision_known")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_relevance_event_id_events")
        ),
        sa.ForeignKeyConstraint(["url_id"], ["urls.id"], name=op.f("fk_relevance_url_id_urls")),
        sa.PrimaryKeyConstraint("url_id", "event_id", name=op.f("pk_relevance")),
        comment="Why a document belongs to an event or not",
        sqlite_strict=True,
    )
    op.create_index(
        "ix_relevance_event_id_decision", "relevance", ["event_id", "decision"], unique=False
    )
    op.create_table(
        "sources",
        sa.Column("event_id", sa.Text(), nullable=False, comment="Event"),
        sa.Column(
            "domain", sa.Text(), nullable=False, comment="Registrable domain or host of the outlet"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the outlet"),
        sa.Column("country", sa.Text(), nullable=True, comment="ISO 3166-1 alpha-2 code"),
        sa.Column("language", sa.Text(), nullable=True, comment="BCP 47 main language"),
        sa.Column(
            "kind", sa.Text(), nullable=True, comment="The profile's word for the kind of outlet"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_sources_event_id_events")
        ),
        sa.PrimaryKeyConstraint("event_id", "domain", name=op.f("pk_sources")),
        comment="Outlets named by an event profile",
        sqlite_strict=True,
    )
    op.create_table(
        "discoveries",
        sa.Column("url_id", Id, nullable=False, comment="The URL found"),
        sa.Column("crawl_id", Id, nullable=False, comment="The run that found it"),
        sa.Column("channel", sa.Text(), nullable=False, comment="How it was found"),
        sa.Column(
            "from_id", Id, nullable=False, comment="The document that named it; 0: the profile"
        ),
        sa.Column("event_id", sa.Text(), nullable=True, comment="Event crawled for"),
        sa.Column("hint", JsonValue(), nullable=True, comment="The feed or sitemap item as seen"),
        sa.Column("seen_at", UtcTime(), nullable=False, comment="When"),
        sa.CheckConstraint(
            "channel IN ('seed', 'feed', 'sitemap', 'hub', 'link', 'redirect', 'import')",
            name=op.f("ck_discoveries_channel_known"),
        ),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawls.id"], name=op.f("fk_discoveries_crawl_id_crawls")
        ),
        sa.ForeignKeyConstraint(["url_id"], ["urls.id"], name=op.f("fk_discoveries_url_id_urls")),
        sa.PrimaryKeyConstraint(
            "url_id", "crawl_id", "channel", "from_id", name=op.f("pk_discoveries")
        ),
        comment="How each URL came to our knowledge, with the item as seen",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "warc_files",
        sa.Column("id", Id, autoincrement=True, nullable=False, comment="Number"),
        sa.Column("crawl_id", Id, nullable=False, comment="The run that wrote it"),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="File name inside the archive's warc directory",
        ),
        sa.Column(
            "committed_bytes",
            Id,
            nullable=False,
            comment="Length up to the last record that a row points at",
        ),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawls.id"], name=op.f("fk_warc_files_crawl_id_crawls")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warc_files")),
        sa.UniqueConstraint("name", name=op.f("uq_warc_files_name")),
        comment="WARC files: one for each process and run",
        sqlite_strict=True,
    )
    op.create_table(
        "captures",
        sa.Column("id", Id, autoincrement=True, nullable=False, comment="Number"),
        sa.Column("url_id", Id, nullable=False, comment="The URL fetched"),
        sa.Column("crawl_id", Id, nullable=False, comment="The run"),
        sa.Column("captured_at", UtcTime(), nullable=False, comment="When the response arrived"),
        sa.Column(
            "status", sa.Integer(), nullable=False, comment="HTTP status; 0 for an imported file"
        ),
        sa.Column("content_type", sa.Text(), nullable=True, comment="Content-Type as sent"),
        sa.Column(
            "payload_sha256", sa.Text(), nullable=False, comment="SHA-256 of the body as fetched"
        ),
        sa.Column("payload_bytes", Id, nullable=False, comment="Length of the body as fetched"),
        sa.Column(
            "completeness", sa.Text(), nullable=False, comment="Whether the body arrived whole"
        ),
        sa.Column("warc_file_id", Id, nullable=False, comment="File with the response record"),
        sa.Column("warc_offset", Id, nullable=False, comment="Byte offset of the response record"),
        sa.Column(
            "warc_length", Id, nullable=False, comment="Length of the response record in the file"
        ),
        sa.Column("ip_address", sa.Text(), nullable=True, comment="Server address"),
        sa.Column(
            "robots",
            JsonValue(),
            nullable=True,
            comment="Verdict and rule line that allowed the fetch",
        ),
        sa.Column(
            "rights",
            JsonValue(),
            nullable=True,
            comment="Rights statements of headers, tdmrep.json and page; why the text is withheld",
        ),
        sa.CheckConstraint(
            "completeness IN ('complete', 'partial', 'truncated')",
            name=op.f("ck_captures_completeness_known"),
        ),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawls.id"], name=op.f("fk_captures_crawl_id_crawls")
        ),
        sa.ForeignKeyConstraint(["url_id"], ["urls.id"], name=op.f("fk_captures_url_id_urls")),
        sa.ForeignKeyConstraint(
            ["warc_file_id"], ["warc_files.id"], name=op.f("fk_captures_warc_file_id_warc_files")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captures")),
        comment="HTTP exchanges and where their bytes lie",
        sqlite_strict=True,
    )
    op.create_index("ix_captures_url_id", "captures", ["url_id"], unique=False)
    op.create_index("ix_captures_warc_file_id", "captures", ["warc_file_id"], unique=False)
    op.create_table(
        "extractions",
        sa.Column("id", Id, autoincrement=True, nullable=False, comment="Number"),
        sa.Column("url_id", Id, nullable=False, comment="The URL"),
        sa.Column("capture_id", Id, nullable=True, comment="The bytes; empty: imported text"),
        sa.Column("version", sa.Text(), nullable=False, comment="Version of the extraction stages"),
        sa.Column("extracted_at", UtcTime(), nullable=False, comment="When"),
        sa.Column("page_kind", sa.Text(), nullable=False, comment="What the page is"),
        sa.Column("title", sa.Text(), nullable=True, comment="Headline"),
        sa.Column("text", sa.Text(), nullable=False, comment="Clean text, one paragraph a line"),
        sa.Column("text_sha256", sa.Text(), nullable=False, comment="SHA-256 of the text"),
        sa.Column(
            "word_count",
            sa.Integer(),
            nullable=False,
            comment="Words; characters in scripts without spaces",
        ),
        sa.Column(
            "fields",
            JsonValue(),
            nullable=False,
            comment="Authors, section, description, tags, image, canonical URL …",
        ),
        sa.Column(
            "cuts",
            JsonValue(),
            nullable=True,
            comment="Lines cut as clutter: position, text, reason",
        ),
        sa.Column(
            "encoding", sa.Text(), nullable=False, comment="Character encoding and what decided it"
        ),
        sa.Column(
            "mode", sa.Text(), nullable=False, comment="Extractor setting that gave the text"
        ),
        sa.CheckConstraint(
            "page_kind IN ('article', 'live_blog', 'hub', 'gallery', 'video', 'cookie_wall', 'captcha', 'paywall', 'soft_404', 'empty', 'script_shell', 'error_page')",
            name=op.f("ck_extractions_page_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name=op.f("fk_extractions_capture_id_captures")
        ),
        sa.ForeignKeyConstraint(["url_id"], ["urls.id"], name=op.f("fk_extractions_url_id_urls")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extractions")),
        sa.UniqueConstraint(
            "capture_id", "version", name=op.f("uq_extractions_capture_id_version")
        ),
        comment="Clean text and metadata of a capture, for each version of the extractor",
        sqlite_strict=True,
    )
    op.create_index("ix_extractions_url_id", "extractions", ["url_id"], unique=False)
    op.create_table(
        "observations",
        sa.Column("id", Id, autoincrement=True, nullable=False, comment="Number"),
        sa.Column("url_id", Id, nullable=False, comment="The URL visited"),
        sa.Column("crawl_id", Id, nullable=False, comment="The run"),
        sa.Column("capture_id", Id, nullable=True, comment="What was fetched, if anything"),
        sa.Column("observed_at", UtcTime(), nullable=False, comment="When"),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=False,
            comment="new, unchanged, revised, or the ledger's reason",
        ),
        sa.Column("detail", sa.Text(), nullable=True, comment="In words"),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name=op.f("fk_observations_capture_id_captures")
        ),
        sa.ForeignKeyConstraint(
            ["crawl_id"], ["crawls.id"], name=op.f("fk_observations_crawl_id_crawls")
        ),
        sa.ForeignKeyConstraint(["url_id"], ["urls.id"], name=op.f("fk_observations_url_id_urls")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observations")),
        comment="What each visit saw",
        sqlite_strict=True,
    )
    op.create_index("ix_observations_url_id", "observations", ["url_id"], unique=False)
    op.create_table(
        "articles",
        sa.Column("id", Id, autoincrement=False, nullable=False, comment="As the URL's"),
        sa.Column("extraction_id", Id, nullable=False, comment="Text and metadata shown"),
        sa.Column(
            "revision",
            sa.Integer(),
            nullable=False,
            comment="Number of the newest revision, from 1",
        ),
        sa.Column("url", sa.Text(), nullable=False, comment="The URL"),
        sa.Column("site", sa.Text(), nullable=False, comment="Registrable domain"),
        sa.Column("title", sa.Text(), nullable=True, comment="Headline"),
        sa.Column("language", sa.Text(), nullable=True, comment="BCP 47 primary subtag"),
        sa.Column("published_from", UtcTime(), nullable=True, comment="Published not before"),
        sa.Column("published_to", UtcTime(), nullable=True, comment="Published before"),
        sa.Column("published_source", sa.Text(), nullable=True, comment="Where that time stands"),
        sa.Column("word_count", sa.Integer(), nullable=False, comment="Words of the text"),
        sa.Column("text_sha256", sa.Text(), nullable=False, comment="SHA-256 of the text"),
        sa.Column("captured_at", UtcTime(), nullable=False, comment="First capture or import"),
        sa.ForeignKeyConstraint(
            ["extraction_id"],
            ["extractions.id"],
            name=op.f("fk_articles_extraction_id_extractions"),
        ),
        sa.ForeignKeyConstraint(["id"], ["urls.id"], name=op.f("fk_articles_id_urls")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        comment="Articles: the newest good revision of each",
        sqlite_strict=True,
    )
    op.create_index("ix_articles_published", "articles", ["published_from", "id"], unique=False)
    op.create_index("ix_articles_site", "articles", ["site", "id"], unique=False)
    op.create_table(
        "claims",
        sa.Column("extraction_id", Id, nullable=False, comment="Where it was read"),
        sa.Column("position", sa.Integer(), nullable=False, comment="Order in the extraction"),
        sa.Column(
            "field",
            sa.Text(),
            nullable=False,
            comment="published, modified, author, title, rights …",
        ),
        sa.Column("value", sa.Text(), nullable=False, comment="Normal form"),
        sa.Column("raw", sa.Text(), nullable=True, comment="The words"),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Where it stands in the page, feed or sitemap",
        ),
        sa.Column("confidence", Real, nullable=False, comment="In [0, 1]"),
        sa.Column("chosen", Flag(), nullable=False, comment="Whether the article shows this one"),
        sa.Column("time_from", UtcTime(), nullable=True, comment="Times: not before"),
        sa.Column("time_to", UtcTime(), nullable=True, comment="Times: before"),
        sa.Column(
            "offset_minutes", sa.Integer(), nullable=True, comment="Times: stated UTC offset"
        ),
        sa.Column("precision", sa.Text(), nullable=True, comment="Times: second, minute, day"),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_claims_confidence_share")),
        sa.ForeignKeyConstraint(
            ["extraction_id"], ["extractions.id"], name=op.f("fk_claims_extraction_id_extractions")
        ),
        sa.PrimaryKeyConstraint("extraction_id", "position", name=op.f("pk_claims")),
        comment="Statements about an article, each with its source",
        sqlite_strict=True,
    )
    op.create_table(
        "bands",
        sa.Column("band", sa.Integer(), nullable=False, comment="Number of the band"),
        sa.Column("key", Id, nullable=False, comment="Hash of the band's values"),
        sa.Column("article_id", Id, nullable=False, comment="Article"),
        sa.PrimaryKeyConstraint("band", "key", "article_id", name=op.f("pk_bands")),
        comment="MinHash-LSH bands: whole copies share one",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "matches",
        sa.Column("a_id", Id, nullable=False, comment="The one with the smaller URL"),
        sa.Column("b_id", Id, nullable=False, comment="The other"),
        sa.Column(
            "relation",
            sa.Text(),
            nullable=False,
            comment="What the two are to each other",
        ),
        sa.Column("contains", sa.Text(), nullable=True, comment="a: a contains b; b: b contains a"),
        sa.Column("jaccard", Real, nullable=False, comment="Shared shingles / all shingles"),
        sa.Column("containment_a", Real, nullable=False, comment="Share of a that stands in b"),
        sa.Column("containment_b", Real, nullable=False, comment="Share of b that stands in a"),
        sa.Column(
            "containment_a_outside_quotes",
            Real,
            nullable=False,
            comment="The same without quotations",
        ),
        sa.Column(
            "containment_b_outside_quotes",
            Real,
            nullable=False,
            comment="The same without quotations",
        ),
        sa.Column(
            "longest_passage_words",
            sa.Integer(),
            nullable=False,
            comment="Longest shared run of words",
        ),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="machine or person"),
        sa.Column("reasons", JsonValue(), nullable=False, comment="Evidence in words"),
        sa.Column("version", sa.Text(), nullable=False, comment="Version of the comparison"),
        sa.CheckConstraint("contains IN ('a', 'b')", name=op.f("ck_matches_contains_known")),
        sa.CheckConstraint(
            "relation IN ('copy', 'excerpt', 'shared_statement', 'template')",
            name=op.f("ck_matches_relation_known"),
        ),
        sa.CheckConstraint("a_id <> b_id", name=op.f("ck_matches_two_articles")),
        sa.CheckConstraint("jaccard BETWEEN 0 AND 1", name=op.f("ck_matches_jaccard_share")),
        sa.ForeignKeyConstraint(["a_id"], ["articles.id"], name=op.f("fk_matches_a_id_articles")),
        sa.ForeignKeyConstraint(["b_id"], ["articles.id"], name=op.f("fk_matches_b_id_articles")),
        sa.PrimaryKeyConstraint("a_id", "b_id", name=op.f("pk_matches")),
        comment="Compared pairs of articles that share text",
        sqlite_strict=True,
    )
    op.create_index("ix_matches_b_id", "matches", ["b_id"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("article_id", Id, nullable=False, comment="Article"),
        sa.Column("number", sa.Integer(), nullable=False, comment="From 1"),
        sa.Column("extraction_id", Id, nullable=False, comment="The text as first extracted"),
        sa.Column("text_sha256", sa.Text(), nullable=False, comment="SHA-256 of that text"),
        sa.Column("title", sa.Text(), nullable=True, comment="Headline"),
        sa.Column("seen_at", UtcTime(), nullable=False, comment="First capture with this text"),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_revisions_article_id_articles")
        ),
        sa.ForeignKeyConstraint(
            ["extraction_id"],
            ["extractions.id"],
            name=op.f("fk_revisions_extraction_id_extractions"),
        ),
        sa.PrimaryKeyConstraint("article_id", "number", name=op.f("pk_revisions")),
        comment="Changes by the publisher; a better extractor makes an extraction, not a revision",
        sqlite_strict=True,
    )
    op.create_table(
        "signatures",
        sa.Column("article_id", Id, autoincrement=False, nullable=False, comment="Article"),
        sa.Column("scheme", sa.Text(), nullable=False, comment="Permutation scheme of datasketch"),
        sa.Column("seed", sa.Integer(), nullable=False, comment="Seed of the permutations"),
        sa.Column(
            "version",
            sa.Text(),
            nullable=False,
            comment="Version of normaliser, tokens and shingles",
        ),
        sa.Column(
            "hashvalues",
            sa.LargeBinary(),
            nullable=False,
            comment="(num_perm,) uint32, little endian",
        ),
        sa.Column("shingle_count", sa.Integer(), nullable=False, comment="Distinct shingles"),
        sa.Column(
            "sketch",
            sa.LargeBinary(),
            nullable=False,
            comment="The article's rows of `sketch`: int64, little endian, ascending",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_signatures_article_id_articles")
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_signatures")),
        comment="MinHash signatures",
        sqlite_strict=True,
    )
    op.create_table(
        "sketch",
        sa.Column("hash", Id, nullable=False, comment="Sampled shingle hash"),
        sa.Column("article_id", Id, nullable=False, comment="Article"),
        sa.PrimaryKeyConstraint("hash", "article_id", name=op.f("pk_sketch")),
        comment="FracMinHash sample of each text: articles that share text share hashes",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stories",
        sa.Column("id", Id, autoincrement=False, nullable=False, comment="Smallest member"),
        sa.Column("origin_id", Id, nullable=False, comment="The member taken for the origin"),
        sa.Column("size", sa.Integer(), nullable=False, comment="Number of members"),
        sa.ForeignKeyConstraint(
            ["origin_id"], ["articles.id"], name=op.f("fk_stories_origin_id_articles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stories")),
        comment="Articles that are one text; every article is in one",
        sqlite_strict=True,
    )
    op.create_table(
        "story_members",
        sa.Column("article_id", Id, autoincrement=False, nullable=False, comment="Article"),
        sa.Column("story_id", Id, nullable=False, comment="Its story"),
        sa.Column("role", sa.Text(), nullable=False, comment="What it is in the story"),
        sa.Column(
            "share_copied", Real, nullable=True, comment="Share of it that stands in the origin"
        ),
        sa.Column("hours_after_origin", Real, nullable=True, comment="Between the publications"),
        sa.Column("confidence", Real, nullable=False, comment="In the role, in [0, 1]"),
        sa.Column(
            "reasons", JsonValue(), nullable=False, comment="Evidence in words, the strongest first"
        ),
        sa.CheckConstraint(
            "role IN ('origin', 'copy', 'edited_copy', 'syndicated', 'excerpt', 'roundup', 'update')",
            name=op.f("ck_story_members_role_known"),
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_story_members_article_id_articles")
        ),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_story_members_story_id_stories")
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_story_members")),
        comment="Members of stories, with their role",
        sqlite_strict=True,
    )
    op.create_index("ix_story_members_story_id", "story_members", ["story_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE full_text USING fts5(title, text, content='', tokenize='unicode61 remove_diacritics 2')"
        )
    else:
        op.execute(
            "CREATE TABLE full_text (article_id BIGINT NOT NULL, words TSVECTOR NOT NULL, CONSTRAINT pk_full_text PRIMARY KEY (article_id), CONSTRAINT fk_full_text_article_id_articles FOREIGN KEY (article_id) REFERENCES articles (id))"
        )
        op.execute("CREATE INDEX ix_full_text_words ON full_text USING gin (words)")


def downgrade() -> None:
    op.drop_table("full_text")
    for name in TABLES:
        op.drop_table(name)

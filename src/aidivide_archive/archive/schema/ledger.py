"""The ledger of URLs, hosts and their budgets, what each visit saw."""

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
from aidivide_archive.model import Channel, Completeness, UrlKind, UrlState

hosts = table(
    "hosts",
    column(
        "host",
        String,
        primary_key=True,
        comment="Host name, with the port when it is not the scheme's default",
    ),
    column("site", String, comment="Registrable domain"),
    column("pages_fetched", Count, server_default="0", comment="Fetches so far, for the budget"),
    column(
        "paused_until", UtcTime(), null=True, comment="No request before this time (Retry-After)"
    ),
    column("crawl_delay_seconds", Real, null=True, comment="From robots.txt"),
    column("owner", String, null=True, comment="Crawler process that owns the host"),
    column("owned_until", UtcTime(), null=True, comment="End of that ownership without renewal"),
    column(
        "robots", JsonValue(), null=True, comment="Last robots.txt by scheme: status, time, SHA-256"
    ),
    column("sitemaps_fetched", Count, server_default="0", comment="Sitemaps among the fetches"),
    comment="Hosts: politeness, budgets, ownership",
)

url_patterns = table(
    "url_patterns",
    column(
        "host",
        String,
        primary_key=True,
        comment="Host name, with the port when it is not the scheme's default",
    ),
    column("pattern", String, primary_key=True, comment="Path with # for numbers, * for names"),
    column("fetched", Count, comment="Pages fetched"),
    column("barren", Count, comment="The last of them without content new on the host"),
    column("is_closed", Flag(), comment="Whether its links are given up"),
    comment="Kinds of URLs of a host, and whether they still bring content",
)

page_contents = table(
    "page_contents",
    column(
        "host",
        String,
        primary_key=True,
        comment="Host name, with the port when it is not the scheme's default",
    ),
    column("fingerprint", Id, primary_key=True, comment="48 bits of the text without numbers"),
    column("url_id", Id, comment="The page that showed it first"),
    comment="What each host has shown, articles or not",
    sqlite_with_rowid=False,
)

urls = table(
    "urls",
    column(
        "id", Id, primary_key=True, autoincrement=False, comment="48 bits of SHA-256 of the key"
    ),
    column("url", String, comment="The URL as it is fetched"),
    column("url_key", String, comment="Comparison form; never shown"),
    column("host", String, comment="Host name, with the port when it is not the scheme's default"),
    column("site", String, comment="Registrable domain"),
    column("kind", OneOf(UrlKind), comment="What the body is expected to be"),
    column("state", OneOf(UrlState), comment="Where the URL stands"),
    column("reason", String, null=True, comment="Why it is there"),
    column("detail", String, null=True, comment="The reason in words, where a slug is not enough"),
    column("priority", Count, server_default="0", comment="Larger is fetched first"),
    column("depth", Count, server_default="0", comment="Links followed from a seed"),
    column("redirects", Count, server_default="0", comment="Redirects followed to get here"),
    column("attempts", Count, server_default="0", comment="Failed fetches since the last success"),
    column("due_at", UtcTime(), null=True, comment="May be leased from then on; empty: terminal"),
    column("leased_by", Id, null=True, comment="Run that holds it"),
    column("first_seen_at", UtcTime(), comment="First discovery"),
    column("finished_at", UtcTime(), null=True, comment="Last terminal state"),
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

discoveries = table(
    "discoveries",
    column("url_id", Id, reference("urls.id"), primary_key=True, comment="The URL found"),
    column(
        "crawl_id", Id, reference("crawls.id"), primary_key=True, comment="The run that found it"
    ),
    column("channel", OneOf(Channel), primary_key=True, comment="How it was found"),
    column("from_id", Id, primary_key=True, comment="The document that named it; 0: the profile"),
    column("event_id", String, null=True, comment="Event crawled for"),
    column("hint", JsonValue(), null=True, comment="The feed or sitemap item as seen"),
    column("seen_at", UtcTime(), comment="When"),
    comment="How each URL came to our knowledge, with the item as seen",
    sqlite_with_rowid=False,
)

captures = table(
    "captures",
    column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    column("url_id", Id, reference("urls.id"), comment="The URL fetched"),
    column("crawl_id", Id, reference("crawls.id"), comment="The run"),
    column("captured_at", UtcTime(), comment="When the response arrived"),
    column("status", Count, comment="HTTP status; 0 for an imported file"),
    column("content_type", String, null=True, comment="Content-Type as sent"),
    column("payload_sha256", String, comment="SHA-256 of the body as fetched"),
    column("payload_bytes", Id, comment="Length of the body as fetched"),
    column("completeness", OneOf(Completeness), comment="Whether the body arrived whole"),
    column("warc_file_id", Id, reference("warc_files.id"), comment="File with the response record"),
    column("warc_offset", Id, comment="Byte offset of the response record"),
    column("warc_length", Id, comment="Length of the response record in the file"),
    column("ip_address", String, null=True, comment="Server address"),
    column(
        "robots", JsonValue(), null=True, comment="Verdict and rule line that allowed the fetch"
    ),
    column(
        "rights",
        JsonValue(),
        null=True,
        comment="Rights statements of headers, tdmrep.json and page; why the text is withheld",
    ),
    comment="HTTP exchanges and where their bytes lie",
)
sa.Index("ix_captures_url_id", captures.c.url_id)
sa.Index("ix_captures_warc_file_id", captures.c.warc_file_id)

observations = table(
    "observations",
    column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    column("url_id", Id, reference("urls.id"), comment="The URL visited"),
    column("crawl_id", Id, reference("crawls.id"), comment="The run"),
    column(
        "capture_id",
        Id,
        reference("captures.id"),
        null=True,
        comment="What was fetched, if anything",
    ),
    column("observed_at", UtcTime(), comment="When"),
    column("outcome", String, comment="new, unchanged, revised, or the ledger's reason"),
    column("detail", String, null=True, comment="In words"),
    comment="What each visit saw",
)
sa.Index("ix_observations_url_id", observations.c.url_id)

tombstones = table(
    "tombstones",
    column("target", String, primary_key=True, comment="URL key or domain that was purged"),
    column("purged_at", UtcTime(), comment="When"),
    column("reason", String, null=True, comment="Why"),
    comment="What was taken down and must not come back",
)

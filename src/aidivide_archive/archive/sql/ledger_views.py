"""Views of URLs: where they stand and why, how they were found, what was fetched, what was judged."""

from __future__ import annotations

from aidivide_archive.archive.sql.building import View, ViewColumn, shown, view
from aidivide_archive.archive.sql.expressions import Sql
from aidivide_archive.fields import LEDGER, by_name, listed
from aidivide_archive.model import Channel

_LEDGER = by_name(LEDGER)


def captures(sql: Sql) -> View:
    columns = [
        ViewColumn(
            "article_id", "Id of the URL, as of its article", sql.article_id("captures.url_id")
        ),
        ViewColumn("url", "Address fetched", "urls.url"),
        ViewColumn(
            "captured_at", "When the response arrived, UTC", sql.time("captures.captured_at")
        ),
        ViewColumn("status", "HTTP status; 0 for an imported file", "captures.status"),
        ViewColumn("content_type", "Content-Type as sent", "captures.content_type"),
        ViewColumn("payload_bytes", "Length of the body as fetched", "captures.payload_bytes"),
        ViewColumn("payload_sha256", "SHA-256 of the body as fetched", "captures.payload_sha256"),
        ViewColumn("completeness", "Whether the body arrived whole", "captures.completeness"),
        ViewColumn("warc_file", "File in the archive's warc directory", "warc_files.name"),
        ViewColumn("warc_offset", "Byte offset of the response record", "captures.warc_offset"),
        ViewColumn(
            "warc_length", "Length of the response record in the file", "captures.warc_length"
        ),
    ]
    source = (
        "FROM captures JOIN urls ON urls.id = captures.url_id "
        "JOIN warc_files ON warc_files.id = captures.warc_file_id"
    )
    return view("v_captures", "HTTP exchanges and where their bytes lie", columns, source)


def ledger(sql: Sql) -> View:
    columns = [
        ViewColumn("id", "Id of the URL, as of its article", sql.article_id("urls.id")),
        ViewColumn("url", "Address", "urls.url"),
        ViewColumn("site", "Registrable domain", "urls.site"),
        shown(_LEDGER["kind"], "urls.kind"),
        shown(_LEDGER["state"], "urls.state"),
        shown(_LEDGER["reason"], "urls.reason"),
        shown(_LEDGER["detail"], "urls.detail"),
        ViewColumn("depth", "Links followed from a seed", "urls.depth"),
        ViewColumn("attempts", "Failed fetches since the last success", "urls.attempts"),
        ViewColumn("first_seen_at", "First discovery, UTC", sql.time("urls.first_seen_at")),
        ViewColumn("finished_at", "Last terminal state, UTC", sql.time("urls.finished_at")),
    ]
    return view("v_ledger", "Every URL seen, its state and why", columns, "FROM urls")


def relevance(sql: Sql) -> View:
    columns = [
        ViewColumn(
            "article_id", "Id of the URL, as of its article", sql.article_id("relevance.url_id")
        ),
        ViewColumn("url", "Address", "urls.url"),
        ViewColumn("event", "Event it was judged for", "relevance.event_id"),
        ViewColumn("score", "Points", "relevance.score"),
        ViewColumn("decision", "keep, review or reject", "relevance.decision"),
        ViewColumn("reason", "Reason in the ledger", "relevance.reason"),
        ViewColumn("title", "Headline, also of rejected pages", "relevance.title"),
        ViewColumn(
            "evidence",
            "Matched groups, words, places and points, as JSON",
            sql.as_text("relevance.groups"),
        ),
    ]
    source = "FROM relevance JOIN urls ON urls.id = relevance.url_id"
    return view("v_relevance", "Why a document belongs to an event or not", columns, source)


def discoveries(sql: Sql) -> View:
    columns = [
        ViewColumn(
            "article_id", "Id of the URL, as of its article", sql.article_id("discoveries.url_id")
        ),
        ViewColumn("url", "Address found", "found.url"),
        ViewColumn("channel", listed(Channel), "discoveries.channel"),
        ViewColumn("from_url", "The document that named it; empty: the profile", "source.url"),
        ViewColumn("event", "Event crawled for", "discoveries.event_id"),
        ViewColumn("seen_at", "When, UTC", sql.time("discoveries.seen_at")),
    ]
    source = (
        "FROM discoveries JOIN urls AS found ON found.id = discoveries.url_id "
        "LEFT JOIN urls AS source ON source.id = discoveries.from_id"
    )
    return view("v_discoveries", "How each URL came to our knowledge", columns, source)

"""Events and their outlets, runs, the files that runs wrote."""

from __future__ import annotations

import sqlalchemy as sa

from aidivide_archive.archive.schema.building import column, reference, table
from aidivide_archive.archive.storage.types import (
    Id,
    JsonValue,
    OneOf,
    String,
    UtcTime,
)
from aidivide_archive.model import RunKind

events = table(
    "events",
    column("id", String, primary_key=True, comment="Slug of the event, from its profile"),
    column("title", String, comment="Title of the event"),
    column("profile", String, comment="The whole profile as canonical JSON"),
    column("profile_sha256", String, comment="SHA-256 of the canonical profile"),
    column("updated_at", UtcTime(), comment="When this profile was last used to write"),
    comment="Events whose coverage is collected",
)

sources = table(
    "sources",
    column("event_id", String, reference("events.id"), primary_key=True, comment="Event"),
    column("domain", String, primary_key=True, comment="Registrable domain or host of the outlet"),
    column("name", String, comment="Name of the outlet"),
    column("country", String, null=True, comment="ISO 3166-1 alpha-2 code"),
    column("language", String, null=True, comment="BCP 47 main language"),
    column("kind", String, null=True, comment="The profile's word for the kind of outlet"),
    comment="Outlets named by an event profile",
)

crawls = table(
    "crawls",
    column("id", Id, primary_key=True, autoincrement=True, comment="Number of the run"),
    column("event_id", String, reference("events.id"), null=True, comment="Event crawled for"),
    column(
        "kind",
        OneOf(RunKind),
        comment="crawl, import, reprocess, judge, clutter, rebuild, merge or purge",
    ),
    column("owner", String, comment="Process that ran it: host name, pid and a random token"),
    column("started_at", UtcTime(), comment="Start"),
    column("finished_at", UtcTime(), null=True, comment="End; empty while running or when killed"),
    column("finish_reason", String, null=True, comment="finished, shutdown, storage_error …"),
    column("software", JsonValue(), comment="Versions of this program and its engines"),
    column("stats", JsonValue(), null=True, comment="Counters at the end"),
    comment="Runs that wrote to the archive",
)

warc_files = table(
    "warc_files",
    column("id", Id, primary_key=True, autoincrement=True, comment="Number"),
    column("crawl_id", Id, reference("crawls.id"), comment="The run that wrote it"),
    column("name", String, comment="File name inside the archive's warc directory"),
    column("committed_bytes", Id, comment="Length up to the last record that a row points at"),
    sa.UniqueConstraint("name"),
    comment="WARC files: one for each process and run",
)

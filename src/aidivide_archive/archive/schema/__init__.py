"""The tables of an archive, the same on SQLite and PostgreSQL; known to the archive alone.

Ids of URLs and articles are the first 48 bits of the SHA-256 of the URL key (`urls.url_id`), so they are the same in
every archive and are known before a row is written. The values of an enum are checked when they are bound (`OneOf`).
"""

from __future__ import annotations

from aidivide_archive.archive.schema.building import metadata
from aidivide_archive.archive.schema.copies import (
    bands,
    judgements,
    matches,
    signatures,
    sketch,
    stories,
    story_aliases,
    story_members,
)
from aidivide_archive.archive.schema.documents import (
    articles,
    claims,
    clutter_rules,
    extractions,
    outlets,
    relevance,
    revisions,
)
from aidivide_archive.archive.schema.ledger import (
    captures,
    discoveries,
    hosts,
    observations,
    page_contents,
    tombstones,
    url_patterns,
    urls,
)
from aidivide_archive.archive.schema.runs import crawls, events, sources, warc_files

__all__ = [
    "articles",
    "bands",
    "captures",
    "claims",
    "clutter_rules",
    "crawls",
    "discoveries",
    "events",
    "extractions",
    "hosts",
    "judgements",
    "matches",
    "metadata",
    "observations",
    "outlets",
    "page_contents",
    "relevance",
    "revisions",
    "signatures",
    "sketch",
    "sources",
    "stories",
    "story_aliases",
    "story_members",
    "tombstones",
    "url_patterns",
    "urls",
    "warc_files",
]

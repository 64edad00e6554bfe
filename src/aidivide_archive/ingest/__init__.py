"""Compose the stages: from a capture to a document that the archive stores in one transaction.

What stands here needs nothing else to be loaded: commands look at it before they load the stages.
"""

from enum import StrEnum

PRELOAD = ("aidivide_archive.ingest.service",)
"""What a `workers.Starter` loads for `service.Ingest`."""


class ImportKind(StrEnum):
    """What a path to import holds."""

    WARC = "warc"
    HTML = "html"  # a folder of pages, named in its urls.csv
    ARTICLES = "articles"  # ready articles, JSONL

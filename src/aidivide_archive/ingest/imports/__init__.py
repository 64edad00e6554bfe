"""Bring in what was not crawled here: WARC files, folders of HTML, ready articles (JSONL)."""

from aidivide_archive.ingest import ImportKind
from aidivide_archive.ingest.imports.importing import import_paths
from aidivide_archive.ingest.imports.records import ArticleRecord, article_document, article_schema
from aidivide_archive.ingest.imports.sources import kind_of
from aidivide_archive.ingest.imports.tally import ImportSummary

__all__ = [
    "ArticleRecord",
    "ImportKind",
    "ImportSummary",
    "article_document",
    "article_schema",
    "import_paths",
    "kind_of",
]

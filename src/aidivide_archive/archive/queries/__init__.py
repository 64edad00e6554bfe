"""The reading side of the archive: rows for people, exports and checks. Never writes, never creates anything."""

from aidivide_archive.archive.queries.coverage import RevisedArticle, SharedStory
from aidivide_archive.archive.queries.details import ArticleDetail, StoryDetail
from aidivide_archive.archive.queries.filters import Filters
from aidivide_archive.archive.queries.overview import Status
from aidivide_archive.archive.queries.provenance import Provenance
from aidivide_archive.archive.queries.reader import Reader
from aidivide_archive.archive.queries.rows import (
    ARTICLE_FIELDS,
    COVERAGE_FIELDS,
    LEDGER_FIELDS,
    MATCH_FIELDS,
    MEMBER_FIELDS,
    STORY_FIELDS,
    Row,
)
from aidivide_archive.archive.queries.searching import Facet, Found, Order, Search
from aidivide_archive.archive.queries.selection import Prefer, Selected, Selection

__all__ = [
    "ARTICLE_FIELDS",
    "COVERAGE_FIELDS",
    "LEDGER_FIELDS",
    "MATCH_FIELDS",
    "MEMBER_FIELDS",
    "STORY_FIELDS",
    "ArticleDetail",
    "Facet",
    "Filters",
    "Found",
    "Order",
    "Prefer",
    "Provenance",
    "Reader",
    "RevisedArticle",
    "Row",
    "Search",
    "Selected",
    "Selection",
    "SharedStory",
    "Status",
    "StoryDetail",
]

"""What is shown: every field of an article, a match, a story member and a ledger row, declared once.

From a declaration come the rows and their order, the columns of exports and their types, the codebook, the columns of
the views and the data dictionary. A field that is shown as it is stored needs nothing else: queries and views read it
from its `source`. Knows the model's values and no SQL.
"""

from collections.abc import Mapping

from aidivide_archive.fields.articles import (
    ARTICLES,
    COVERAGE,
    EXCERPT,
    HITS,
    LEFT_OUT,
    PAYLOAD_SHA256,
    REVISION,
    STORY_ARTICLES,
    WEIGHT,
)
from aidivide_archive.fields.copies import MATCHES, MEMBERS, STORIES
from aidivide_archive.fields.declaring import (
    ByRule,
    ExtractedKey,
    Field,
    TableColumn,
    Type,
    by_name,
    listed,
    names,
)
from aidivide_archive.fields.ledger import LEDGER

__all__ = [
    "ARTICLES",
    "COVERAGE",
    "EXCERPT",
    "HITS",
    "LEDGER",
    "LEFT_OUT",
    "MATCHES",
    "MEMBERS",
    "PAYLOAD_SHA256",
    "REVISION",
    "SETS",
    "STORIES",
    "STORY_ARTICLES",
    "WEIGHT",
    "ByRule",
    "ExtractedKey",
    "Field",
    "TableColumn",
    "Type",
    "by_name",
    "listed",
    "names",
]

SETS: Mapping[str, tuple[Field, ...]] = {
    "articles": ARTICLES,
    "matches": MATCHES,
    "stories": STORIES,
    "ledger": LEDGER,
}
"""The sets of rows that are listed and exported, with their fields."""

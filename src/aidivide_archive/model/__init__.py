"""The values that travel between the stages: frozen, without behaviour, without I/O.

Times are aware `datetime` in UTC unless a field says otherwise. None means "not known".
Sequences are tuples, so that every value can be shared between threads and compared.
"""

from aidivide_archive.model.articles import (
    Access,
    Claim,
    Cut,
    Extraction,
    GroupMatch,
    Metadata,
    PageKind,
    Part,
    Relevance,
    RelevanceDecision,
    TimeValue,
    Withheld,
)
from aidivide_archive.model.captures import (
    Capture,
    CaptureRecord,
    Completeness,
    RobotsCopy,
    WarcPosition,
)
from aidivide_archive.model.copies import (
    CHARACTERS_PER_SHINGLE,
    WORDS_PER_SHINGLE,
    Comparison,
    Match,
    Relation,
    Role,
    Signature,
    Story,
    StoryArticle,
    StoryMember,
    Verdict,
)
from aidivide_archive.model.documents import Document, Stored
from aidivide_archive.model.ledger import (
    LISTING_PRIORITY,
    Channel,
    Discovery,
    Hint,
    LeasedUrl,
    Link,
    Outcome,
    UrlKind,
)
from aidivide_archive.model.reasons import Reason, UrlState
from aidivide_archive.model.runs import RunKind

__all__ = [
    "CHARACTERS_PER_SHINGLE",
    "LISTING_PRIORITY",
    "WORDS_PER_SHINGLE",
    "Access",
    "Capture",
    "CaptureRecord",
    "Channel",
    "Claim",
    "Comparison",
    "Completeness",
    "Cut",
    "Discovery",
    "Document",
    "Extraction",
    "GroupMatch",
    "Hint",
    "LeasedUrl",
    "Link",
    "Match",
    "Metadata",
    "Outcome",
    "PageKind",
    "Part",
    "Reason",
    "Relation",
    "Relevance",
    "RelevanceDecision",
    "RobotsCopy",
    "Role",
    "RunKind",
    "Signature",
    "Stored",
    "Story",
    "StoryArticle",
    "StoryMember",
    "TimeValue",
    "UrlKind",
    "UrlState",
    "Verdict",
    "WarcPosition",
    "Withheld",
]

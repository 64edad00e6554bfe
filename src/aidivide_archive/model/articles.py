"""What extraction and relevance make of a capture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from aidivide_archive.model.reasons import Reason


class PageKind(StrEnum):
    """What a page is. The first two become articles; of every other one the slug is also a `Reason`."""

    ARTICLE = "article"
    LIVE_BLOG = "live_blog"
    HUB = "hub"
    GALLERY = "gallery"
    VIDEO = "video"
    COOKIE_WALL = "cookie_wall"
    CAPTCHA = "captcha"
    PAYWALL = "paywall"
    SOFT_404 = "soft_404"
    EMPTY = "empty"
    SCRIPT_SHELL = "script_shell"
    ERROR_PAGE = "error_page"

    @property
    def reason(self) -> Reason | None:
        """Why a page of this kind becomes no article; None: it becomes one."""
        return None if self in (PageKind.ARTICLE, PageKind.LIVE_BLOG) else Reason(self.value)


class Access(StrEnum):
    """What the page gives a reader who has no account, and the archive its readers."""

    OPEN = "open"
    TEASER = "teaser"
    PAYWALLED = "paywalled"
    WITHHELD = "withheld"  # its rights are reserved: the text is not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeValue:
    """An instant known to some precision: the interval [start, end) in UTC."""

    start: datetime
    end: datetime
    raw: str
    """The words it was read from."""
    offset_minutes: int | None
    """UTC offset stated by the source; None when it was assumed."""
    precision: str
    """"second", "minute", "day"."""
    local_day: date | None = None
    """Its calendar day at the source (`metadata.dates`); None when nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement about one field, by one source; several may disagree."""

    field: str
    """"published", "modified", "author", "title", "language", "rights", "credit", "canonical"…"""
    value: str
    """The statement in normal form (ISO 8601 for times)."""
    source: str
    """Where it stands: "json-ld", "meta:article:published_time", "time", "text", "url", "feed"…"""
    confidence: float
    """In [0, 1]."""
    chosen: bool = False
    time: TimeValue | None = None
    """The parsed time of a "published" or "modified" claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A line removed from the text as clutter."""

    text: str
    reason: str
    """"title", "phrase:<name>", "caption", "links", "template"."""
    position: int
    """Index of the line in the extractor's output, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The chosen value of every field; `claims` says where each comes from."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    """People; agencies and outlets stand in `credits`."""
    published: TimeValue | None = None
    published_source: str | None = None
    modified: TimeValue | None = None
    language: str | None = None
    """BCP 47, lower-case primary subtag ("en", "zh", "pt")."""
    canonical_url: str | None = None
    section: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    image_url: str | None = None
    image_caption: str | None = None
    image_credit: str | None = None
    dateline: str | None = None
    credits: tuple[str, ...] = ()
    """Agencies and outlets named as the source of the text ("Xinhua", "AP")."""
    rights: str | None = None
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """What is recorded of a text that is not kept because its rights are reserved."""

    reason: str
    text_sha256: str
    word_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a page says of its place among the pages of one article; all addresses on its own site."""

    number: int
    """From 1; 0 for another form of the whole: all pages on one, or AMP."""
    first_url: str | None = None
    """The article's own page; None on it."""
    next_url: str | None = None
    whole_url: str | None = None
    """The page that shows all pages on one."""
    total: int | None = None
    """How many pages the page says there are."""
    is_amp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What the extractor made of one capture."""

    version: str
    """Version of all extraction stages together; a different one makes the row stale."""
    page_kind: PageKind
    text: str
    """Clean main text; paragraphs separated by one newline. Empty when nothing was found."""
    metadata: Metadata
    cuts: tuple[Cut, ...] = ()
    encoding: str = "utf-8"
    encoding_source: str = "none"
    """What decided the encoding: "bom", "http", "meta", "utf-8", "detector"…"""
    mode: str = ""
    """Which extractor setting gave the text ("precision", "balanced", "plain"…)."""
    withheld: Withheld | None = None
    """Why there is no text, when its rights are reserved; `text` is empty then."""
    part: Part | None = None
    """None: an article by itself."""


class RelevanceDecision(StrEnum):
    KEEP = "keep"
    REVIEW = "review"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMatch:
    """One [[group]] of the profile that the page matched."""

    group: str
    words: tuple[str, ...]
    """The profile's phrases that were found, sorted."""
    place: str
    """"lead" (title or first 200 words: counts double) or "body"."""
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """The judgement of one document for one event, with its evidence."""

    event_id: str
    version: str
    score: float
    decision: RelevanceDecision
    reason: Reason
    """KEPT, REVIEW, IRRELEVANT, EXCLUDED or OUT_OF_WINDOW."""
    groups: tuple[GroupMatch, ...] = ()

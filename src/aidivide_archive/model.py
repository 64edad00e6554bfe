"""The values that travel between the stages: frozen, without behaviour, without I/O.

Times are aware `datetime` in UTC unless a field says otherwise. None means "not known".
Sequences are tuples, so that every value can be shared between threads and compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

# --- the ledger ----------------------------------------------------------------------------------


class UrlState(StrEnum):
    """Where a URL stands. The last three are terminal for a run."""

    QUEUED = "queued"
    LEASED = "leased"
    FAILED = "failed"  # will be tried again
    DONE = "done"
    REJECTED = "rejected"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a URL is in its state; the one list of slugs that ledger, exports and docs use."""

    # done
    KEPT = "kept"  # relevant; its article is in the archive
    REVIEW = "review"  # article stored, a person should decide on its relevance
    READ = "read"  # feed, sitemap or hub: its entries were taken over
    IMPORTED = "imported"  # a ready article, not judged
    # rejected
    IRRELEVANT = "irrelevant"
    EXCLUDED = "excluded"  # an [exclude] phrase of the profile matched
    OUT_OF_WINDOW = "out_of_window"  # published outside [window]
    REDIRECTED = "redirected"  # the target is a URL of its own
    ROBOTS_DENIED = "robots_denied"
    ROBOTS_UNAVAILABLE = "robots_unavailable"  # RFC 9309 §2.3.1.4: unreachable means disallow
    CRAWL_DELAY = "crawl_delay"  # robots.txt asks for longer pauses than the profile grants
    ADDRESS_REFUSED = "address_refused"
    OFFSITE = "offsite"
    TRAP = "trap"  # one of many addresses that a site makes up without end
    LIMIT = "limit"  # a bound of the profile (depth, pages per host) was reached
    NOT_HTML = "not_html"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    HUB = "hub"
    GALLERY = "gallery"
    CONTINUATION = "continuation"  # a page of an article that the archive has under its first page
    AMP = "amp"  # the AMP form of a page whose article is in the archive
    VIDEO = "video"
    COOKIE_WALL = "cookie_wall"
    CAPTCHA = "captcha"
    PAYWALL = "paywall"
    SOFT_404 = "soft_404"
    SCRIPT_SHELL = "script_shell"
    ERROR_PAGE = "error_page"
    GONE = "gone"  # 404 or 410
    HTTP_DENIED = "http_denied"  # 401, 403, 451 and the other client errors
    PURGED = "purged"  # taken down, see `tombstones`
    ID_COLLISION = "id_collision"  # another URL key has the same 48-bit id
    # failed and dead
    TIMEOUT = "timeout"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    SERVER_ERROR = "server_error"  # 5xx
    RATE_LIMITED = "rate_limited"  # 429
    INCOMPLETE = "incomplete"  # the body ended early
    POISON = "poison"  # the parser crashed, hung or exceeded its memory
    MALFORMED = "malformed"  # a feed or sitemap that cannot be read
    INTERNAL = "internal"  # a fault of this program; the log has the details


class Channel(StrEnum):
    """How a URL came to our knowledge."""

    SEED = "seed"
    FEED = "feed"
    SITEMAP = "sitemap"
    HUB = "hub"
    LINK = "link"
    REDIRECT = "redirect"
    IMPORT = "import"


class UrlKind(StrEnum):
    """What a URL is expected to be; decides how its body is read."""

    PAGE = "page"
    HUB = "hub"
    FEED = "feed"
    SITEMAP = "sitemap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a feed or sitemap says about an item, as seen: raw words, nothing interpreted."""

    title: str | None = None
    published_raw: str | None = None
    modified_raw: str | None = None
    language: str | None = None
    publisher: str | None = None
    author: str | None = None
    summary: str | None = None

    def is_empty(self) -> bool:
        return not any(
            (
                self.title,
                self.published_raw,
                self.modified_raw,
                self.language,
                self.publisher,
                self.author,
                self.summary,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One URL found in a document: absolute, not yet judged against the profile."""

    url: str
    channel: Channel
    kind: UrlKind = UrlKind.PAGE
    hint: Hint | None = None


# --- capture -------------------------------------------------------------------------------------


class Completeness(StrEnum):
    """Whether the body arrived whole, as far as HTTP and the encodings can tell."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One HTTP exchange at one instant (WARC 1.1 "capture event"), as fetched."""

    url: str
    """The requested URL."""
    captured_at: datetime
    status: int
    """HTTP status code; 0 for a capture that has no HTTP response (imported file)."""
    headers: tuple[tuple[str, str], ...]
    """Response headers in order, latin-1 decoded; names as received."""
    body: bytes = field(repr=False)
    """Payload before Content-Encoding is undone."""
    request_headers: tuple[tuple[str, str], ...] = ()
    ip_address: str | None = None
    completeness: Completeness = Completeness.COMPLETE
    withheld_sha256: str | None = None
    """SHA-256 of a body that is left out because its rights are reserved; `body` is empty then."""

    def header(self, name: str) -> str | None:
        """First value of a header, by case-insensitive name; None when absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsCopy:
    """What one origin last gave for /robots.txt; never an answer that means "unreachable"."""

    status: int
    body: bytes = field(repr=False)
    """At most 500 KiB, Content-Encoding undone."""
    fetched_at: datetime


# --- extraction ----------------------------------------------------------------------------------


class PageKind(StrEnum):
    """What a page is. Only the first two become articles."""

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
    """What stays of a text that is not kept, because its rights are reserved."""

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


# --- relevance -----------------------------------------------------------------------------------


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


# --- copies --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """MinHash of a text and what is needed to compare or recompute it."""

    scheme: str
    """datasketch's permutation scheme ("affine32")."""
    seed: int
    version: str
    """Version of normaliser, tokeniser and shingling together."""
    hashvalues: bytes = field(repr=False)
    """(num_perm,) uint32, little endian."""
    shingle_count: int
    """Distinct shingles of the text."""
    sketch: tuple[int, ...] = field(repr=False)
    """FracMinHash sample of the shingle hashes, as signed 64-bit, ascending."""


class Relation(StrEnum):
    COPY = "copy"
    EXCERPT = "excerpt"
    SHARED_STATEMENT = "shared_statement"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The exact comparison of two texts, a and b; all shares in [0, 1]."""

    relation: Relation | None
    """None: not related."""
    contains: str | None
    """"a" when a contains (the excerpt) b, "b" when b contains a, else None."""
    jaccard: float
    containment_a: float
    """Share of a's shingles that stand in b."""
    containment_b: float
    containment_a_outside_quotes: float
    containment_b_outside_quotes: float
    longest_passage_words: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A compared pair of articles; `a` is the one with the smaller URL."""

    a_id: int
    b_id: int
    comparison: Comparison
    decided_by: str
    """"machine" or "person"."""
    version: str


class Verdict(StrEnum):
    """A person's judgement on a pair; beats the machine."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


class Role(StrEnum):
    ORIGIN = "origin"
    COPY = "copy"
    EDITED_COPY = "edited_copy"
    SYNDICATED = "syndicated"
    EXCERPT = "excerpt"
    ROUNDUP = "roundup"
    UPDATE = "update"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryArticle:
    """What story building needs to know of an article."""

    id: int
    url: str
    site: str
    published_start: datetime | None
    published_end: datetime | None
    word_count: int
    credits: tuple[str, ...] = ()
    canonical_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryMember:
    article_id: int
    role: Role
    share_copied: float | None
    """Share of this article's shingles that stand in the origin, in [0, 1]; None for the origin."""
    hours_after_origin: float | None
    """None when either time is unknown."""
    confidence: float
    reasons: tuple[str, ...]
    origin_rank: int | None = None
    """Place among the candidates for the origin, 1 the likeliest; None: alone in its story."""
    origin_points: float | None = None
    """Sum of the evidence for it as the origin."""
    origin_reasons: tuple[str, ...] | None = None
    """That evidence in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Articles that are one text. Its id is the smallest member id."""

    id: int
    members: tuple[StoryMember, ...]
    """Ordered by article id; every article of the archive is in exactly one story."""


# --- what ingest hands to the archive ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the work on one leased URL ended."""

    state: UrlState
    """DONE, REJECTED, FAILED or DEAD."""
    reason: Reason
    detail: str | None = None
    """One line in words; None when the reason says it all."""
    retry_after_seconds: float | None = None
    """FAILED: wait at least this long; None: the frontier's own back-off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """A URL that the profile allows, with everything its ledger row needs."""

    id: int
    """`urls.url_id` of the URL."""
    url: str
    url_key: str
    host: str
    site: str
    kind: UrlKind
    channel: Channel
    depth: int
    """Links followed from a seed; seeds, feeds, sitemaps and hubs of the profile are at 0."""
    redirects: int = 0
    hint: Hint | None = None
    from_id: int = 0
    """Id of the document that named it; 0 for the profile itself."""
    refused: Outcome | None = None
    """Entered into the ledger with this outcome, never to be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedUrl:
    """A URL handed out for fetching; nobody else has it until the lease ends."""

    id: int
    url: str
    host: str
    kind: UrlKind
    depth: int
    redirects: int
    attempts: int
    """Failed fetches since the last success."""
    hints: tuple[tuple[Channel, Hint], ...] = ()
    """What feeds and sitemaps said about it, in a fixed order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcPosition:
    """Where a response record lies: file name, byte offset and length of its gzip member."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRecord:
    """What the database keeps of a capture, and where its bytes are."""

    captured_at: datetime
    status: int
    content_type: str | None
    payload_sha256: str
    payload_bytes: int
    completeness: Completeness
    position: WarcPosition
    ip_address: str | None = None
    robots: dict[str, str] | None = None
    """Verdict and rule line that allowed the fetch; None when robots.txt was not asked."""
    rights: dict[str, Any] | None = None
    """`statements`: source and value of each, as found with this capture; `withheld`: why the text is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One processed URL: stored, with its links and its acknowledgement, in one transaction."""

    url_id: int
    url: str
    kind: UrlKind = UrlKind.PAGE
    outcome: Outcome
    finished_at: datetime
    capture: CaptureRecord | None = None
    extraction: Extraction | None = None
    relevance: Relevance | None = None
    signature: Signature | None = None
    discoveries: tuple[Discovery, ...] = ()
    fingerprint: int | None = None
    """`traps.fingerprint` of the text, kept or not; None when there is none."""


class Stored(StrEnum):
    """What the archive did with a document; also the outcome of the observation."""

    NEW = "new"
    UNCHANGED = "unchanged"
    REVISED = "revised"
    REEXTRACTED = "reextracted"  # same bytes, newer extraction stages
    UNVERIFIED = "unverified"  # differs, but was extracted by other stages: reprocess first
    NOT_ARTICLE = "not_article"

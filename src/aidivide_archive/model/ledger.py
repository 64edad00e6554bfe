"""What the ledger knows of a URL: states, reasons, channels, hints, leases."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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

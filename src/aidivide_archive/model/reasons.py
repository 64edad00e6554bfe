"""Where a URL stands in the ledger, and why: each reason once, with what it means."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class UrlState(StrEnum):
    """Where a URL stands. The last three are terminal for a run."""

    QUEUED = "queued"
    LEASED = "leased"
    FAILED = "failed"  # will be tried again
    DONE = "done"
    REJECTED = "rejected"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a URL is in its state: the one list of slugs that ledger, exports, report and docs use.

    The table of docs/ledger.md is made from it.
    """

    state: UrlState
    """The state that goes with it; FAILED becomes DEAD after the last try."""
    words: str
    """What it means, for a reader of the report: a clause without a full stop, different for each reason."""
    covers: str
    """What it covers exactly, in Markdown; empty when the words say it all."""

    # The defaults are for the type checker, which takes a look-up by slug for a call of this; a test wants both set.
    def __new__(
        cls, slug: str, state: UrlState = UrlState.REJECTED, words: str = "", covers: str = ""
    ) -> Self:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.state, member.words, member.covers = state, words, covers
        return member

    KEPT = "kept", UrlState.DONE, "kept as an article", "relevant to the event"
    REVIEW = "review", UrlState.DONE, "kept; a person should decide whether it belongs here"
    READ = "read", UrlState.DONE, "feed, sitemap or section page, read for its links"
    IMPORTED = (
        "imported",
        UrlState.DONE,
        "imported as a ready article, not judged",
        "also a page imported without an event",
    )
    IRRELEVANT = (
        "irrelevant",
        UrlState.REJECTED,
        "not about the event",
        "too few points (`aidivide event explain`)",
    )
    EXCLUDED = (
        "excluded",
        UrlState.REJECTED,
        "holds a phrase that the event profile excludes",
        "a phrase of `[exclude]`",
    )
    OUT_OF_WINDOW = (
        "out_of_window",
        UrlState.REJECTED,
        "published outside the event's dates",
        "outside `[window]`",
    )
    REDIRECTED = (
        "redirected",
        UrlState.REJECTED,
        "redirects to another address, which is counted separately",
        "the other URL has a row of its own",
    )
    ROBOTS_DENIED = (
        "robots_denied",
        UrlState.REJECTED,
        "forbidden by robots.txt (never requested)",
        "the line of robots.txt is in the detail",
    )
    ROBOTS_UNAVAILABLE = (
        "robots_unavailable",
        UrlState.FAILED,
        "robots.txt could not be fetched; the page was not requested",
        "no answer for robots.txt means no (RFC 9309 §2.3.1.4)",
    )
    CRAWL_DELAY = (
        "crawl_delay",
        UrlState.REJECTED,
        "the site asks for longer pauses than a crawl allows",
        "robots.txt asks for more than `max_crawl_delay_seconds`",
    )
    ADDRESS_REFUSED = (
        "address_refused",
        UrlState.REJECTED,
        "an address the crawler does not visit",
        "by its scheme, port or network",
    )
    OFFSITE = (
        "offsite",
        UrlState.REJECTED,
        "leads away from the outlets watched",
        "redirects to a place outside the profile's sources",
    )
    TRAP = (
        "trap",
        UrlState.REJECTED,
        "one of an endless series of addresses the site generates; not fetched",
        "see [politeness.md](politeness.md)",
    )
    LIMIT = (
        "limit",
        UrlState.REJECTED,
        "beyond a limit of the crawl",
        "pages or sitemaps of a host",
    )
    NOT_HTML = (
        "not_html",
        UrlState.REJECTED,
        "not a web page (picture, document, film …)",
        "neither HTML nor a feed",
    )
    TOO_LARGE = (
        "too_large",
        UrlState.REJECTED,
        "larger than the limit set for one page",
        "longer than `[limits] body_bytes`",
    )
    EMPTY = "empty", UrlState.REJECTED, "no text on the page"
    HUB = "hub", UrlState.REJECTED, "a list of links, not an article"
    GALLERY = (
        "gallery",
        UrlState.REJECTED,
        "pictures without an article",
        "fewer than 150 words, captions included",
    )
    VIDEO = (
        "video",
        UrlState.REJECTED,
        "film without an article",
        "fewer than 150 words, captions included",
    )
    CONTINUATION = (
        "continuation",
        UrlState.REJECTED,
        "a later page of an article, joined to its first",
        "or all pages on one; the text is in the article of the first page",
    )
    AMP = (
        "amp",
        UrlState.REJECTED,
        "the mobile form of a page, joined to it",
        "the AMP form of a page whose article is in the archive",
    )
    COOKIE_WALL = "cookie_wall", UrlState.REJECTED, "a consent notice stood in front of the text"
    CAPTCHA = "captcha", UrlState.REJECTED, "the site demanded proof of being human"
    PAYWALL = "paywall", UrlState.REJECTED, "the text was behind a paywall"
    SOFT_404 = "soft_404", UrlState.REJECTED, "gone, although the site answered as if it were there"
    SCRIPT_SHELL = (
        "script_shell",
        UrlState.REJECTED,
        "a page whose text appears only when scripts run",
    )
    ERROR_PAGE = (
        "error_page",
        UrlState.REJECTED,
        "an error page",
        "by its words, or a redirect that leads nowhere",
    )
    GONE = "gone", UrlState.REJECTED, "gone (HTTP 404 or 410)"
    HTTP_DENIED = (
        "http_denied",
        UrlState.REJECTED,
        "refused by the site (HTTP 4xx)",
        "401, 403, 451 and other client errors",
    )
    PURGED = (
        "purged",
        UrlState.REJECTED,
        "removed from this archive on request",
        "a tombstone keeps it out",
    )
    ID_COLLISION = (
        "id_collision",
        UrlState.REJECTED,
        "its short id belongs to another address",
        "two URLs with one 48-bit id",
    )
    MALFORMED = "malformed", UrlState.REJECTED, "a feed or sitemap that cannot be read"
    TIMEOUT = "timeout", UrlState.FAILED, "no answer in time"
    DNS = "dns", UrlState.FAILED, "the site's name could not be found"
    CONNECTION = "connection", UrlState.FAILED, "no connection"
    TLS = "tls", UrlState.FAILED, "no secure connection"
    SERVER_ERROR = (
        "server_error",
        UrlState.FAILED,
        "the site reported a fault of its own (HTTP 5xx)",
        "5xx, and 408",
    )
    RATE_LIMITED = (
        "rate_limited",
        UrlState.FAILED,
        "the site asked for fewer requests (HTTP 429)",
    )
    INCOMPLETE = "incomplete", UrlState.FAILED, "the answer broke off"
    POISON = (
        "poison",
        UrlState.FAILED,
        "the page could not be read; its bytes are kept",
        "the parser crashed, hung or ran out of memory",
    )
    INTERNAL = (
        "internal",
        UrlState.FAILED,
        "a fault of this program",
        "the log has the details",
    )

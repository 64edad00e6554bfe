"""What the ledger knows of a URL: what it is, how it was found, hints, leases."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from aidivide_archive.model.reasons import Reason, UrlState

LISTING_PRIORITY = 100
"""From here on a URL is a listing: it is fetched before the pages of its host, so that a page's hints are known
when it is read, whatever the order of arrival. Depth is taken off a URL's priority."""


class UrlKind(StrEnum):
    """What a URL is expected to be; decides how its body is read. What a kind needs to be known by stands here."""

    key: str
    """The key of a profile's `[[source]]` that lists such addresses."""
    priority: int
    """The larger is fetched first; a listing's is well over LISTING_PRIORITY."""
    is_long: bool
    """Whether reading one may honestly take seconds: a list of up to 50,000 entries."""

    # The defaults are for the type checker, as in `Reason`.
    def __new__(cls, slug: str, key: str = "", priority: int = 0, is_long: bool = False) -> Self:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.key, member.priority, member.is_long = key, priority, is_long
        return member

    PAGE = "page", "seeds", 0, False
    HUB = "hub", "hubs", 110, False
    FEED = "feed", "feeds", 120, True
    SITEMAP = "sitemap", "sitemaps", 130, True


class Channel(StrEnum):
    """How a URL came to our knowledge."""

    is_listed: bool
    """Whether a publisher or a person wrote it down; otherwise a program that follows links came upon it."""

    def __new__(cls, slug: str, is_listed: bool = False) -> Self:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.is_listed = is_listed
        return member

    SEED = "seed", True
    FEED = "feed", True
    SITEMAP = "sitemap", True
    HUB = "hub", False
    LINK = "link", False
    REDIRECT = "redirect", False
    IMPORT = "import", True


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

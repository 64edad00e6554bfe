"""The reader of listings: feeds, sitemaps and hubs give the URLs they name."""

from __future__ import annotations

from aidivide_archive.config import Profile
from aidivide_archive.extract import Extracted
from aidivide_archive.feeds import looks_like_feed, parse_feed
from aidivide_archive.ingest import admission
from aidivide_archive.ingest.reading.values import Reading
from aidivide_archive.model import Discovery, LeasedUrl, Outcome, Reason, UrlKind, UrlState
from aidivide_archive.sitemaps import parse_sitemap


def is_listing(body: bytes, content_type: str | None, kind: UrlKind) -> bool:
    """Whether a body is read as a feed or sitemap: by what is expected, or because it is a feed."""
    return kind in (UrlKind.SITEMAP, UrlKind.FEED) or looks_like_feed(body, content_type)


def read_listing(
    body: bytes, content_type: str | None, leased: LeasedUrl, profile: Profile
) -> Reading:
    """All entries that the profile lets in. Raises ExtractionError for a body that is no feed or sitemap."""
    if leased.kind is UrlKind.SITEMAP:
        sitemap = parse_sitemap(body, leased.url)
        links = (*sitemap.sitemaps, *sitemap.pages)
    else:
        links = parse_feed(body, leased.url, content_type).items
    taken = admission.of_document(profile, leased, links, limit=len(links))
    return _read(taken, f"{len(taken)} of {len(links)} entries taken")


def read_hub(page: Extracted, leased: LeasedUrl, profile: Profile) -> Reading:
    """The links of a home or section page, up to `links_per_page`."""
    limit = profile.limits.links_per_page
    taken = admission.of_document(profile, leased, page.links, limit=limit)
    return _read(taken, f"{len(taken)} links taken")


def _read(taken: tuple[Discovery, ...], detail: str) -> Reading:
    outcome = Outcome(state=UrlState.DONE, reason=Reason.READ, detail=detail)
    return Reading(outcome=outcome, discoveries=taken)

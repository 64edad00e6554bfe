"""Which URLs the profile lets into the ledger: of the profile itself, and of what a document names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from aidivide_archive.config import Profile
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.extract.paging import MAX_PAGES
from aidivide_archive.model import (
    Channel,
    Discovery,
    Hint,
    LeasedUrl,
    Link,
    Outcome,
    Part,
    Reason,
    UrlKind,
    UrlState,
)
from aidivide_archive.traps import odd_shape
from aidivide_archive.urls import canonical_url, host_of, site, url_id, url_key

MAX_REDIRECTS = 5


def discovery(
    url: str,
    *,
    kind: UrlKind,
    channel: Channel,
    depth: int = 0,
    redirects: int = 0,
    hint: Hint | None = None,
    from_id: int = 0,
) -> Discovery:
    """Make the ledger entry of a URL. Raises InvalidURLError."""
    normal = canonical_url(url)
    return Discovery(
        id=url_id(normal),
        url=normal,
        url_key=url_key(normal),
        host=host_of(normal),
        site=site(normal),
        kind=kind,
        channel=channel,
        depth=depth,
        redirects=redirects,
        hint=hint,
        from_id=from_id,
    )


def foreign(url: str) -> Discovery:
    """The ledger entry of a page that was captured elsewhere. Raises InvalidURLError."""
    return discovery(url, kind=UrlKind.PAGE, channel=Channel.IMPORT)


def as_leased(entry: Discovery) -> LeasedUrl:
    """A ledger entry as reading wants it, for a URL that no run leased."""
    return LeasedUrl(
        id=entry.id,
        url=entry.url,
        host=entry.host,
        kind=entry.kind,
        depth=entry.depth,
        redirects=entry.redirects,
        attempts=0,
    )


def of_profile(profile: Profile) -> tuple[Discovery, ...]:
    """Seeds, hubs, feeds and sitemaps of all sources; what stands first in a source wins its URL."""
    by_id: dict[int, Discovery] = {}
    for source in profile.sources:
        for kind, url in source.addresses():
            item = discovery(url, kind=kind, channel=Channel.SEED)
            by_id.setdefault(item.id, item)
    return tuple(by_id[key] for key in sorted(by_id))


def of_robots(profile: Profile, sitemaps: Iterable[str]) -> tuple[Discovery, ...]:
    """Sitemaps that robots.txt names, of hosts that belong to a source."""
    by_id: dict[int, Discovery] = {}
    for url in sitemaps:
        if profile.source_for(_host(url)) is not None:
            item = discovery(url, kind=UrlKind.SITEMAP, channel=Channel.SITEMAP)
            by_id.setdefault(item.id, item)
    return tuple(by_id.values())


def of_document(
    profile: Profile, leased: LeasedUrl, links: Iterable[Link], *, limit: int
) -> tuple[Discovery, ...]:
    """The allowed links of a document, in document order, at most `limit`; none past `max_depth`."""
    if leased.depth >= profile.limits.max_depth:
        return ()
    by_id: dict[int, Discovery] = {}
    for item in _allowed(profile, leased, links):
        if item.id != leased.id:
            by_id.setdefault(item.id, item)
        if len(by_id) >= limit:
            break
    return tuple(by_id.values())


def _allowed(profile: Profile, leased: LeasedUrl, links: Iterable[Link]) -> Iterator[Discovery]:
    for link in links:
        if link.kind is UrlKind.PAGE:
            wanted = profile.allows(link.url)
        else:  # feeds and child sitemaps of an outlet: path rules are about articles
            wanted = profile.source_for(_host(link.url)) is not None
        if not wanted or (link.kind is UrlKind.FEED and leased.depth > 0):
            continue
        try:
            item = discovery(
                link.url,
                kind=link.kind,
                channel=link.channel,
                # an index and its sitemaps are one step together, as the reader of a site sees it
                depth=leased.depth if link.kind is UrlKind.SITEMAP else leased.depth + 1,
                hint=link.hint,
                from_id=leased.id,
            )
        except InvalidURLError:
            continue
        # what a publisher lists in a feed or sitemap was not made up by following links
        yield item if link.channel is not Channel.LINK else _judged_shape(profile, item)


def _judged_shape(profile: Profile, item: Discovery) -> Discovery:
    limits = profile.limits
    odd = odd_shape(
        item.url,
        segments=limits.path_segments,
        repeats=limits.path_repeats,
        keys=limits.query_keys,
    )
    if odd is None:
        return item
    outcome = Outcome(state=UrlState.REJECTED, reason=Reason.TRAP, detail=odd)
    return replace(item, refused=outcome)


def of_part(profile: Profile, leased: LeasedUrl, part: Part) -> tuple[Discovery, ...]:
    """The other pages of the article that a page is part of, whatever the rules for links say.

    They are one article, so they are as deep as it is; the numbers of its pages are bounded.
    """
    following = part.next_url if part.number < MAX_PAGES else None
    by_id: dict[int, Discovery] = {}
    for url in (part.first_url, part.whole_url, following):
        if url is None or profile.source_for(_host(url)) is None:
            continue
        item = discovery(
            url, kind=UrlKind.PAGE, channel=Channel.LINK, depth=leased.depth, from_id=leased.id
        )
        if item.id != leased.id:
            by_id.setdefault(item.id, item)
    return tuple(by_id.values())


def of_redirect(profile: Profile, leased: LeasedUrl, location: str) -> Discovery | None:
    """The target of a redirect, as a URL of its own; None when it leaves the sources or goes on too long.

    What the profile names itself (depth 0) may redirect anywhere within the address policy: sites move.
    """
    if leased.redirects >= MAX_REDIRECTS:
        return None
    try:
        target = canonical_url(location, leased.url)
    except InvalidURLError:
        return None
    if leased.depth > 0 and not profile.allows(target):
        return None
    return discovery(
        target,
        kind=leased.kind,
        channel=Channel.REDIRECT,
        depth=leased.depth,
        redirects=leased.redirects + 1,
        from_id=leased.id,
    )


def _host(url: str) -> str:
    try:
        return host_of(url)
    except (InvalidURLError, ValueError):
        return ""

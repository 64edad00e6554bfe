"""The headline of a page, without the site's name around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from aidivide_archive.decode.blocks import line_key
from aidivide_archive.metadata import jsonld
from aidivide_archive.metadata.page import PageFacts
from aidivide_archive.model import Claim

_SEPARATOR = re.compile(r"\s+[|\-–—·•»«:/~*]+\s+|\s*[|_»｜]\s*|\s+::\s+|\s+[–—-](?=\S)")
_MAX_TITLE_CHARS = 400
_MAX_SITE_PARTS = 3
_TITLE_METAS = (
    "og:title", "twitter:title", "title", "dc.title", "headline", "parsely-title", "sailthru.title",
)  # fmt: skip
_SITE_METAS = (
    "og:site_name", "application-name", "publisher", "dc.publisher", "twitter:site", "apple-mobile-web-app-title",
)  # fmt: skip
_SITE_TYPES = frozenset({"Organization", "NewsMediaOrganization", "WebSite", "Corporation"})
_RANK = {"h1": 0, "json-ld": 1, "meta:og:title": 2}
_CUT_SHORT = re.compile(r"\s*(?:\.\.\.|…|:)$")


def headline_variants(facts: PageFacts, claims: Iterable[Claim]) -> tuple[str, ...]:
    """Every form of the headline that the page states, as stated and without the site's name."""
    raw = (*facts.titles, *facts.headings, *(claim.value for claim in claims))
    return tuple(dict.fromkeys(raw))


def title_claims(facts: PageFacts) -> tuple[Claim, ...]:
    """All headline variants without the site's name, the chosen one marked."""
    sites, heads = site_keys(facts), {line_key(heading) for heading in facts.headings}
    claims = [
        Claim(field="title", value=value, source=source, confidence=0.5)
        for source, stated in _stated(facts)
        if (value := strip_site(stated, sites, heads)) and line_key(value) not in sites
    ]
    if not claims:
        return ()
    chosen = _choose(claims)
    return tuple(
        replace(claim, chosen=True, confidence=0.9) if claim is chosen else claim
        for claim in claims
    )


def _stated(facts: PageFacts) -> list[tuple[str, str]]:
    stated_titles = [
        ("json-ld", title)
        for node in facts.nodes
        if jsonld.is_article(node) and (title := jsonld.first_text(node, "headline", "name"))
    ][:1]
    stated_titles += [
        (f"meta:{name}", facts.metas[name][0]) for name in _TITLE_METAS if name in facts.metas
    ]
    stated_titles += [("h1", heading) for heading in facts.headings[:2]]
    stated_titles += [("title", title) for title in facts.titles[:1]]
    return stated_titles


def _choose(claims: list[Claim]) -> Claim:
    """The visible heading when another source confirms it; else what most sources agree on.

    A variant that is cut short ("…") gives way to the one it begins.
    """
    keys = [line_key(_CUT_SHORT.sub("", claim.value)) for claim in claims]
    stated = {key for claim, key in zip(claims, keys, strict=True) if claim.source == "json-ld"}
    headed = {key for claim, key in zip(claims, keys, strict=True) if claim.source == "h1"}

    def weight(place: int) -> tuple[int, int, int]:
        key = keys[place]
        agreed = sum(other == key or _continues(other, key) for other in keys)
        both = key in headed and any(key == other or _continues(key, other) for other in stated)
        cut = bool(_CUT_SHORT.search(claims[place].value))
        return (both and not cut, agreed - 2 * cut, -_RANK.get(claims[place].source, 3))

    return claims[max(range(len(claims)), key=weight)]


def _continues(longer: str, shorter: str) -> bool:
    return len(shorter) > 40 and longer.startswith(shorter)


def strip_site(title: str, sites: frozenset[str], headings: set[str]) -> str:
    """A title without leading or trailing parts that name the site or follow the heading."""
    title = " ".join(title.split())[:_MAX_TITLE_CHARS]
    for _ in range(_MAX_SITE_PARTS):
        parts = list(_SEPARATOR.finditer(title))
        if not parts or line_key(title) in headings:
            break
        head, tail = title[: parts[-1].start()], title[parts[-1].end() :]
        first, rest = title[: parts[0].start()], title[parts[0].end() :]
        if line_key(tail) in sites or line_key(head) in headings:
            title = head
        elif line_key(first) in sites or line_key(rest) in headings:
            title = rest
        elif line_key(first) in headings:
            title = first
        else:
            break
    return title.strip()


def site_keys(facts: PageFacts) -> frozenset[str]:
    """Comparison forms of the site's names: as stated, and as its host spells them."""
    names = [name for key in _SITE_METAS for name in facts.metas.get(key, ())]
    for node in facts.all_nodes:
        names += jsonld.texts(node.get("publisher"))
        if _SITE_TYPES.intersection(jsonld.types(node)):
            names += jsonld.texts(node.get("name")) + jsonld.texts(node.get("alternateName"))
    try:
        host = (urlsplit(facts.url).hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    labels = (host, *host.split(".")[:-1])
    return frozenset(key for name in (*names, *labels) if len(key := line_key(name)) > 1)

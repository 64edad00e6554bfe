"""The headline of a page, without the site's name around it."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from aidivide_archive.model import Claim

from . import jsonld
from .page import PageFacts

_SEPARATOR = re.compile(r"\s+[|\-–—·•»«:/~]+\s+|\s*[|_»]\s*|\s+::\s+")
_MAX_TITLE_CHARS = 400


def headline_variants(facts: PageFacts) -> tuple[str, ...]:
    """Every form of the headline that the page states, as stated and without the site's name."""
    claims = title_claims(facts)
    raw = (*facts.titles, *facts.headings, *(claim.value for claim in claims))
    return tuple(dict.fromkeys(raw))


def key(text: str) -> str:
    """Comparison form of a headline: NFKC, case-folded, letters and digits only."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def title_claims(facts: PageFacts) -> tuple[Claim, ...]:
    """All headline variants, the chosen one marked; the site's name is cut off each."""
    sites = _site_keys(facts)
    raw = [
        ("json-ld", title)
        for node in facts.nodes
        if jsonld.is_article(node) and (title := jsonld.first_text(node, "headline", "name"))
    ][:1]
    raw += [
        (f"meta:{name}", value)
        for name in (
            "og:title",
            "twitter:title",
            "title",
            "dc.title",
            "headline",
            "parsely-title",
            "sailthru.title",
        )
        for value in facts.metas.get(name, ())[:1]
    ]
    raw += [("h1", heading) for heading in facts.headings[:2]]
    raw += [("title", title) for title in facts.titles[:1]]
    heads = {key(heading) for heading in facts.headings}
    cleaned = [(source, strip_site(value, sites, heads)) for source, value in raw]
    cleaned = [(source, value) for source, value in cleaned if value and key(value) not in sites]
    chosen = _choose(cleaned)
    return tuple(
        Claim(
            field="title",
            value=value,
            source=source,
            confidence=0.9 if value == chosen else 0.5,
            chosen=(source, value) == next(((s, v) for s, v in cleaned if v == chosen), None),
        )
        for source, value in cleaned
    )


def _choose(candidates: list[tuple[str, str]]) -> str | None:
    """The variant that most sources agree on; between equals, JSON-LD, heading, then og:title."""
    if not candidates:
        return None
    rank = {"h1": 0, "json-ld": 1, "meta:og:title": 2, "title": 4}
    votes: dict[str, int] = {}
    for _, value in candidates:
        votes[key(value)] = votes.get(key(value), 0) + 1
    return min(candidates, key=lambda pair: (-votes[key(pair[1])], rank.get(pair[0], 3)))[1]


def strip_site(title: str, sites: frozenset[str], headings: set[str]) -> str:
    """A title without leading or trailing parts that name the site."""
    title = " ".join(title.split())[:_MAX_TITLE_CHARS]
    if key(title) in headings:
        return title
    for _ in range(3):
        parts = list(_SEPARATOR.finditer(title))
        if not parts:
            break
        head, tail = title[: parts[-1].start()], title[parts[-1].end() :]
        if key(tail) in sites or key(head) in headings:
            title = head
            continue
        first_head, first_tail = title[: parts[0].start()], title[parts[0].end() :]
        if key(first_head) in sites or key(first_tail) in headings:
            title = first_tail
            continue
        break
    return title.strip()


def _site_keys(facts: PageFacts) -> frozenset[str]:
    """Comparison forms of the site's names: as stated, and as its host spells them."""
    names = [
        value
        for name in (
            "og:site_name",
            "application-name",
            "publisher",
            "dc.publisher",
            "twitter:site",
            "copyright",
        )
        for value in facts.metas.get(name, ())
    ]
    for node in facts.all_nodes:
        names += jsonld.texts(node.get("publisher"))
        if {"Organization", "NewsMediaOrganization", "WebSite"}.intersection(jsonld.types(node)):
            names += jsonld.texts(node.get("name")) + jsonld.texts(node.get("alternateName"))
    host = (urlsplit(facts.url).hostname or "").removeprefix("www.") if facts.url else ""
    labels = [host, *host.split(".")[:-1]]
    return frozenset(k for name in (*names, *labels) if (k := key(name)) and len(k) > 1)

"""All fields of `Metadata` from one page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lxml.html import HtmlElement

from aidivide_archive.blocks import Block
from aidivide_archive.dates import FUTURE_TOLERANCE, Clock, zone_named
from aidivide_archive.exceptions import InvalidURLError
from aidivide_archive.model import Hint, Metadata
from aidivide_archive.urls import canonical_url

from .masthead import masthead
from .page import PageFacts
from .people import author_claims
from .times import time_claims
from .titles import headline_variants, site_keys, title_claims


def read_metadata(
    facts: PageFacts,
    tree: HtmlElement,
    *,
    titles: Sequence[Claim] | None = None,
    blocks: Sequence[Block] = (),
    lines: Sequence[str] = (),
    fetched_at: datetime | None = None,
    hint: Hint | None = None,
    site_timezone: str | None = None,
    default_language: str | None = None,
) -> Metadata:
    """Read and weigh all statements of a page.

    `facts` are those of the unchanged `tree`, `titles` its `title_claims` (None: read here). `lines` are the text's lines as extracted, clutter included: bylines, datelines and credits
    stand there. `site_timezone` (IANA name) is the zone of times that state none.
    """
    language = _language(facts, hint, default_language)
    clock = Clock(
        zone=zone_named(site_timezone),
        latest=fetched_at + FUTURE_TOLERANCE if fetched_at else None,
        day_first=None if language is None else language != "en",
    )
    titles = title_claims(facts) if titles is None else titles
    head = masthead(blocks, headline_variants(facts, titles), lines)
    times = time_claims(facts, tree, head, clock, hint)
    authors = author_claims(facts, tree, head, lines, site_keys(facts))
    chosen = {claim.field: claim for claim in (*titles, *times) if claim.chosen}
    published, modified = chosen.get("published"), chosen.get("modified")
    title = chosen["title"].value if "title" in chosen else (hint.title if hint else None)
    return Metadata(
        title=title,
        authors=tuple(claim.value for claim in authors if claim.field == "author"),
        credits=tuple(claim.value for claim in authors if claim.field == "credit"),
        published=published.time if published else None,
        published_source=published.source if published else None,
        modified=modified.time if modified else None,
        language=language,
        canonical_url=_canonical(facts),
        section=facts.meta("article:section"),
        description=facts.meta("og:description", "description", "twitter:description"),
        tags=facts.metas.get("article:tag", ())[:30],
        image_url=_address(facts.meta("og:image", "twitter:image"), facts.url),
        rights=facts.meta("copyright", "dc.rights"),
        claims=(*titles, *authors, *times),
    )


def _language(facts: PageFacts, hint: Hint | None, default: str | None) -> str | None:
    declared = facts.language or facts.meta(
        "content-language", "og:locale", "language", "dc.language"
    )
    for value in (declared, hint.language if hint else None, default):
        if value:
            primary = value.replace("_", "-").split("-")[0].split(",")[0].strip().lower()
            if 2 <= len(primary) <= 3 and primary.isascii() and primary.isalpha():
                return primary
    return None


def _canonical(facts: PageFacts) -> str | None:
    return _address(facts.canonical or facts.meta("og:url"), facts.url)


def _address(raw: str | None, base: str) -> str | None:
    if not raw:
        return None
    try:
        return canonical_url(raw, base or None)
    except InvalidURLError:
        return None

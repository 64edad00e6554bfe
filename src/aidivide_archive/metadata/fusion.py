"""All fields of `Metadata` from one page: every statement a claim, one of them believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from lxml.html import HtmlElement

from aidivide_archive.decode.blocks import Block
from aidivide_archive.metadata import about
from aidivide_archive.metadata.credits import credit_claims
from aidivide_archive.metadata.dates import FUTURE_TOLERANCE, Clock, zone_named
from aidivide_archive.metadata.jsonld import normal
from aidivide_archive.metadata.masthead import masthead
from aidivide_archive.metadata.page import PageFacts
from aidivide_archive.metadata.people import author_claims
from aidivide_archive.metadata.times import time_claims
from aidivide_archive.metadata.titles import headline_variants, site_keys, title_claims
from aidivide_archive.model import Claim, Hint, Metadata

_MAX_DESCRIPTION_CHARS = 1000


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

    `facts` are those of the unchanged `tree`, `titles` its `title_claims` (None: read here).
    `lines` are the text's lines as extracted, clutter included: bylines, datelines and credits
    stand there. `site_timezone` (IANA name) is the zone of times that state none.
    """
    titles = title_claims(facts) if titles is None else titles
    language = about.language_claim(facts, lines, hint, default_language)
    head = masthead(blocks, headline_variants(facts, titles), lines)
    clock = Clock(
        zone=zone_named(site_timezone),
        latest=fetched_at + FUTURE_TOLERANCE if fetched_at else None,
        day_first=_day_first(facts, language),
    )
    claims = (
        *_with_hint(titles, hint),
        *author_claims(facts, tree, head, lines, site_keys(facts), hint),
        *credit_claims(head, lines),
        *time_claims(facts, tree, head, clock, hint),
        *filter(None, (language, about.canonical_claim(facts), about.rights_claim(facts, blocks))),
        *about.reservation_claims(facts),
    )
    published, modified = _chosen(claims, "published"), _chosen(claims, "modified")
    image_url, caption, image_credit = about.lead_image(facts, tree)
    return Metadata(
        title=_value(claims, "title"),
        authors=_values(claims, "author"),
        published=published.time if published else None,
        published_source=published.source if published else None,
        modified=modified.time if modified else None,
        language=_value(claims, "language"),
        canonical_url=_value(claims, "canonical"),
        section=about.section(facts, tree),
        description=facts.description[:_MAX_DESCRIPTION_CHARS] if facts.description else None,
        tags=about.tags(facts),
        image_url=image_url,
        image_caption=caption,
        image_credit=image_credit,
        dateline=_value(claims, "dateline"),
        credits=_values(claims, "credit"),
        rights=_value(claims, "rights"),
        claims=claims,
    )


def _with_hint(titles: Sequence[Claim], hint: Hint | None) -> tuple[Claim, ...]:
    """The page's headlines, and the feed's: chosen only when the page states none."""
    if hint is None or not hint.title:
        return tuple(titles)
    value = normal(hint.title)
    claim = Claim(field="title", value=value, source="feed", confidence=0.6, chosen=not titles)
    return (*titles, claim)


def _day_first(facts: PageFacts, language: Claim | None) -> bool | None:
    """Order of numeric dates: known for every language but English without a country."""
    declared = (facts.language or facts.meta("og:locale") or "").replace("_", "-").lower()
    if declared.startswith("en"):
        country = declared.partition("-")[2]
        return None if not country else country not in {"us", "ph", "ca"}
    return True if language is not None and language.value != "en" else None


def _chosen(claims: Iterable[Claim], field: str) -> Claim | None:
    return next((claim for claim in claims if claim.field == field and claim.chosen), None)


def _value(claims: Iterable[Claim], field: str) -> str | None:
    claim = _chosen(claims, field)
    return claim.value if claim else None


def _values(claims: Iterable[Claim], field: str) -> tuple[str, ...]:
    """The chosen values of a field, each once whatever its capitals."""
    values: dict[str, str] = {}
    for claim in claims:
        if claim.field == field and claim.chosen:
            values.setdefault(claim.value.casefold(), claim.value)
    return tuple(values.values())

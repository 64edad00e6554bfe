"""When a page was published and modified: every statement, and the one that is believed."""

from __future__ import annotations

from dataclasses import replace

from lxml.html import HtmlElement

from aidivide_archive.dates import Clock, parse_time, url_times
from aidivide_archive.model import Claim, Hint, TimeValue

from . import jsonld
from .page import PageFacts

_PUBLISHED_METAS = (
    "article:published_time", "og:article:published_time", "datepublished", "date", "pubdate",
    "publishdate", "publish-date", "publish_date", "published_time", "publication_date",
    "dc.date.issued", "dc.date", "dcterms.created", "dcterms.date", "dcterms.issued",
    "article.published", "sailthru.date", "parsely-pub-date", "cxenseparse:recs:publishtime",
    "citation_publication_date", "article:published", "og:pubdate", "originalpublicationdate",
    "rnews:datepublished", "displaydate", "ptime", "article_date_original", "datecreated",
    "publishtime", "weibo: article:create_at", "og:release_date", "bt:pubdate",
)  # fmt: skip
_MODIFIED_METAS = (
    "article:modified_time", "og:updated_time", "datemodified", "lastmod", "last-modified",
    "modified_time", "dc.date.modified", "dcterms.modified", "article:modified", "revised",
    "weibo: article:update_at",
)  # fmt: skip


def time_claims(
    facts: PageFacts, tree: HtmlElement, clock: Clock, hint: Hint | None
) -> tuple[Claim, ...]:
    """Claims "published" and "modified", the chosen ones marked."""
    published = _stated(
        facts, "published", _PUBLISHED_METAS, ("datePublished", "dateCreated", "uploadDate"), clock
    )
    modified = _stated(facts, "modified", _MODIFIED_METAS, ("dateModified",), clock)
    published += _time_elements(tree, clock)
    published += [_claim("published", value, "url", 0.6) for value in url_times(facts.url, clock)]
    for name, raw in (
        ("published", hint and hint.published_raw),
        ("modified", hint and hint.modified_raw),
    ):
        if raw and (value := parse_time(raw, clock)):
            (published if name == "published" else modified).append(
                _claim(name, value, "feed", 0.8)
            )
    return (*_choose(published), *_choose(modified))


def _stated(
    facts: PageFacts, field: str, metas: tuple[str, ...], keys: tuple[str, ...], clock: Clock
) -> list[Claim]:
    found = []
    for node in facts.nodes:
        raw = jsonld.first_text(node, *keys)
        if raw and (value := parse_time(raw, clock)):
            found.append(_claim(field, value, "json-ld", 0.95))
    for name in metas:
        for raw in facts.metas.get(name, ())[:2]:
            if value := parse_time(raw, clock):
                found.append(_claim(field, value, f"meta:{name}", 0.9))
    return found


def _time_elements(tree: HtmlElement, clock: Clock) -> list[Claim]:
    found = []
    for element in tree.iter("time"):
        raw = element.get("datetime") or element.text_content()
        if raw and (value := parse_time(raw, clock)):
            found.append(_claim("published", value, "time", 0.7))
        if len(found) >= 3:
            break
    return found[:1]


def _claim(field: str, value: TimeValue, source: str, confidence: float) -> Claim:
    return Claim(
        field=field, value=value.start.isoformat(), source=source, confidence=confidence, time=value
    )


def _choose(claims: list[Claim]) -> tuple[Claim, ...]:
    if not claims:
        return ()
    best = max(range(len(claims)), key=lambda place: (claims[place].confidence, -place))
    return tuple(replace(claim, chosen=place == best) for place, claim in enumerate(claims))

"""When a page was published and modified: every statement, and the one that is believed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lxml.html import HtmlElement

from aidivide_archive.decode.blocks import Block
from aidivide_archive.metadata import jsonld
from aidivide_archive.metadata.dates import Clock, iter_times, parse_time, url_times
from aidivide_archive.metadata.page import PageFacts
from aidivide_archive.model import Claim, Hint, TimeValue

_PUBLISHED_METAS = (
    "article:published_time", "article:published:time", "og:article:published_time", "datepublished", "date", "pubdate",
    "publishdate", "publish-date", "publish_date", "published_time", "publication_date",
    "dc.date.issued", "dc.date", "dcterms.created", "dcterms.date", "dcterms.issued",
    "article.published", "sailthru.date", "parsely-pub-date", "cxenseparse:recs:publishtime",
    "citation_publication_date", "article:published", "og:pubdate", "originalpublicationdate",
    "rnews:datepublished", "displaydate", "ptime", "article_date_original", "datecreated",
    "publishtime", "weibo: article:create_at", "og:release_date", "bt:pubdate",
)  # fmt: skip
_MODIFIED_METAS = (
    "article:modified_time", "article:modified:time", "og:updated_time", "datemodified", "lastmod", "last-modified",
    "modified_time", "dc.date.modified", "dcterms.modified", "article:modified", "revised",
    "weibo: article:update_at",
)  # fmt: skip
_PUBLISHED_KEYS = ("datePublished", "dateCreated", "uploadDate")
_PUBLISHED_WORD = re.compile(
    r"publi|posted|veröffentlicht|erschienen|pubblicato|publicado|опубликован|发布|發布|发表|時間|时间|日期|公開|掲載|입력|등록",
    re.IGNORECASE,
)
_MODIFIED_WORD = re.compile(
    r"updat|modif|edited|aktualisiert|geändert|actuali[sz]|mis à jour|aggiornat|обновлен|更新|修改|수정",
    re.IGNORECASE,
)
_NO_DATE_LINE = re.compile(r"©|\(c\)|copyright|all rights|born|\bsince\b", re.IGNORECASE)
_DATE_LABEL = re.compile(r"date|time|publish|posted|meta|stamp|info|byline", re.IGNORECASE)
_CAPTION = re.compile(r"caption|<fig|picbox|image|photo|credit", re.IGNORECASE)
_MAX_DATE_LINE = 160


def time_claims(
    facts: PageFacts, tree: HtmlElement, head: Sequence[Block], clock: Clock, hint: Hint | None
) -> tuple[Claim, ...]:
    """Claims "published" and "modified", the chosen one of each marked.

    A page's own statement beats the feed's, and both beat the URL; a China Daily story id is exact.
    """
    published = _stated(facts, "published", _PUBLISHED_METAS, _PUBLISHED_KEYS, clock)
    modified = _stated(facts, "modified", _MODIFIED_METAS, ("dateModified",), clock)
    for claim in (*_time_elements(tree, clock), *_date_lines(head, clock)):
        (published if claim.field == "published" else modified).append(claim)
    published += [
        _claim("published", value, "title", 0.5)
        for title in facts.titles[:1]
        for value in iter_times(title, clock)
        if value.raw in title[len(title) // 2 :]
    ]
    published += [
        _claim("published", value, "url", 0.92 if value.precision == "second" else 0.6)
        for value in url_times(facts.url, clock)
    ]
    if hint and (raw := hint.published_raw) and (value := parse_time(raw, clock)):
        published.append(_claim("published", value, "feed", 0.8))
    if hint and (raw := hint.modified_raw) and (value := parse_time(raw, clock)):
        modified.append(_claim("modified", value, "feed", 0.8))
    return (*_choose(published), *_choose(modified))


def _stated(
    facts: PageFacts, field: str, metas: Iterable[str], keys: tuple[str, ...], clock: Clock
) -> list[Claim]:
    stated_times = []
    for node in facts.nodes:
        raw = jsonld.first_text(node, *keys)
        if raw and (value := parse_time(raw, clock)):
            confidence = 0.95 if jsonld.is_article(node) else 0.85
            stated_times.append(_claim(field, value, "json-ld", confidence))
    stated_times += [
        _claim(field, value, f"meta:{name}", 0.9)
        for name in metas
        for raw in facts.metas.get(name, ())[:2]
        if (value := parse_time(raw, clock))
    ]
    return stated_times


def _time_elements(tree: HtmlElement, clock: Clock) -> list[Claim]:
    """Claims of <time> elements: the first that is not marked as an update, and the first that is."""
    claim_of: dict[str, Claim] = {}
    for count, element in enumerate(tree.iter("time")):
        raw = element.get("datetime") or element.text_content()
        around = f"{element.get('class') or ''} {element.get('itemprop') or ''}"
        field = "modified" if _MODIFIED_WORD.search(around) else "published"
        if field not in claim_of and raw and (value := parse_time(raw, clock)):
            sure = "datePublished" in around or element.get("pubdate") is not None
            claim_of[field] = _claim(field, value, "time", 0.8 if sure else 0.65)
        if count > 20 or len(claim_of) == 2:
            break
    return list(claim_of.values())


def _date_lines(head: Sequence[Block], clock: Clock) -> list[Claim]:
    """Claims of visible dates near the headline."""
    found: list[Claim] = []
    for block in head:
        text = block.text
        if _NO_DATE_LINE.search(text[:_MAX_DATE_LINE]):
            continue
        named = _PUBLISHED_WORD.search(text[:_MAX_DATE_LINE])
        if len(text) > _MAX_DATE_LINE and not named:
            continue
        value = next(iter_times(text[:_MAX_DATE_LINE], clock), None)
        if value is None:
            continue
        is_update = _MODIFIED_WORD.search(text[: text.find(value.raw)]) and not named
        labels = block.labels(2)
        alone = len(text) < 2 * len(value.raw) + 20
        confidence = 0.4 + 0.15 * bool(named) + 0.1 * bool(alone)
        confidence += 0.05 * bool(_DATE_LABEL.search(labels)) - 0.2 * bool(_CAPTION.search(labels))
        found.append(_claim("modified" if is_update else "published", value, "text", confidence))
    return found[:6]


def _claim(field: str, value: TimeValue, source: str, confidence: float) -> Claim:
    return Claim(
        field=field,
        value=value.start.isoformat(),
        source=source,
        confidence=round(confidence, 2),
        time=value,
    )


def _choose(claims: list[Claim]) -> tuple[Claim, ...]:
    """Mark the most credible claim; between equals the first."""
    if not claims:
        return ()
    best = max(range(len(claims)), key=lambda place: (claims[place].confidence, -place))
    return tuple(replace(claim, chosen=place == best) for place, claim in enumerate(claims))

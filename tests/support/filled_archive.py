"""A small archive with one of everything, made through the public write side; for the tests of the reading side."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.config import Profile, load_profile
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.model import (
    Capture,
    CaptureRecord,
    Channel,
    Claim,
    Completeness,
    Cut,
    Document,
    Extraction,
    GroupMatch,
    Hint,
    LeasedUrl,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    Relevance,
    RelevanceDecision,
    TimeValue,
    UrlKind,
    UrlState,
)
from aidivide_archive.similarity import sign
from aidivide_archive.urls import url_id

NOW = datetime(2025, 7, 28, 12, 30, 15, 123456, tzinfo=UTC)
EVENT = "harbour-talks"
FIRST = "https://one.example/talks"
COPY = "https://news.two.example/talks"
CHINESE = "https://three.example/zh"
HOSTILE = "https://four.example/soup"
REFUSED = "https://one.example/football"
WAITING = "https://one.example/waiting"
FEED = "https://one.example/rss.xml"
HOSTILE_TITLE = "Soup\x1b]0;owned\x07 \x1b[31mred\u202e\x9b2J [bold]x[/bold]"

PROFILE = """
schema = 1
[event]
id = "{id}"
title = "Talks in the harbour"
[[group]]
name = "talks"
weight = 6
any = {{ en = ["harbour talks"] }}
[[source]]
name = "One Daily"
domain = "one.example"
country = "GB"
[[source]]
name = "Two Wire"
domain = "two.example"
country = "FR"
"""

TEXT = "\n".join(
    f"Minister {name} said in the harbour city that {count} schools would share the {thing} "
    f"from {month} on, and that the café talks had gone well."
    for count, (name, thing, month) in enumerate(
        (
            ("Abara", "computers", "March"),
            ("Brandt", "libraries", "April"),
            ("Castro", "networks", "May"),
            ("Diallo", "teachers", "June"),
            ("Eriksen", "buildings", "September"),
            ("Fofanah", "telescopes", "October"),
            ("Gupta", "workshops", "November"),
            ("Haddad", "laboratories", "December"),
        ),
        start=11,
    )
)
CHINESE_TEXT = (
    "弥合智能鸿沟论坛周日在港口城市举行，来自三十个国家的代表出席了会议，并讨论了学校的未来。"
)
SOUP = "Carrots and onions are cooked slowly, with salt and a leaf of laurel, until they are soft."


def profile(event_id: str = EVENT) -> Profile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "event.toml"
        path.write_text(PROFILE.format(id=event_id), "utf-8")
        return load_profile(str(path))


def moment(text: str, seconds: int = 1, raw: str = "") -> TimeValue:
    start = datetime.fromisoformat(text)
    precision = {1: "second", 60: "minute", 86_400: "day"}[seconds]
    return TimeValue(
        start=start,
        end=start + timedelta(seconds=seconds),
        raw=raw or text,
        offset_minutes=0,
        precision=precision,
        local_day=start.date(),
    )


def claim(name: str, time: TimeValue, source: str) -> Claim:
    value = time.start.isoformat()
    return Claim(field=name, value=value, source=source, confidence=0.9, chosen=True, time=time)


def extraction(title: str, text: str, **fields: object) -> Extraction:
    return Extraction(
        version="test/1",
        page_kind=PageKind.ARTICLE,
        text=text,
        metadata=Metadata(title=title, **fields),  # type: ignore[arg-type]
        cuts=(Cut(text="Share this page", reason="phrase:share", position=3),),
    )


def judged(event_id: str, decision: RelevanceDecision, score: float) -> Relevance:
    reasons = {
        RelevanceDecision.KEEP: Reason.KEPT,
        RelevanceDecision.REVIEW: Reason.REVIEW,
        RelevanceDecision.REJECT: Reason.IRRELEVANT,
    }
    groups = (GroupMatch(group="talks", words=("harbour talks",), place="lead", points=score),)
    return Relevance(
        event_id=event_id,
        version="test/1",
        score=score,
        decision=decision,
        reason=reasons[decision],
        groups=groups if score else (),
    )


def fill(location: Location) -> None:
    """Four articles (two are copies), a refused page, a waiting one, a feed; one revision; settled."""
    with Archive(location) as archive:
        archive.begin("crawl", profile(), warc=True)
        _queue(archive, FEED, kind=UrlKind.FEED)
        urls = (FIRST, COPY, CHINESE, HOSTILE, REFUSED)
        leased = _queue(archive, *urls)
        for document in _documents(archive, leased):
            archive.commit(document).result()
        archive.discover([discovery(WAITING, kind=UrlKind.PAGE, channel=Channel.LINK)]).result()
        archive.settle().result()
        archive.finish("finished", {"documents": 6})
    with Archive(
        location
    ) as archive:  # another event that keeps the hostile page and refuses the first
        archive.begin("crawl", profile("other-event"), warc=True)
        first, hostile = _queue(archive, FIRST, HOSTILE)
        reject = Outcome(state=UrlState.REJECTED, reason=Reason.IRRELEVANT)
        refused = judged("other-event", RelevanceDecision.REJECT, 0)
        kept = judged("other-event", RelevanceDecision.KEEP, 9)
        documents = (
            replace(_document(first, reject), relevance=refused),
            replace(_article(hostile, _hostile()), relevance=kept),
        )
        for document in documents:
            archive.commit(document).result()
        archive.settle().result()
        archive.finish("finished")


def template_match() -> sa.Insert:
    """Enters a pair that was vetoed as template news; settling would take it away again."""
    a_id, b_id = sorted(((CHINESE, url_id(CHINESE)), (HOSTILE, url_id(HOSTILE))))
    values = {
        "a_id": a_id[1],
        "b_id": b_id[1],
        "relation": "template",
        "contains": None,
        "jaccard": 0.5,
        "containment_a": 0.5,
        "containment_b": 0.5,
        "containment_a_outside_quotes": 0.5,
        "containment_b_outside_quotes": 0.5,
        "longest_passage_words": 4,
        "decided_by": "machine",
        "reasons": ["other numbers"],
        "version": "1",
    }
    return sa.insert(schema.matches).values(values)


def _queue(archive: Archive, *urls: str, kind: UrlKind = UrlKind.PAGE) -> list[LeasedUrl]:
    hint = Hint(title="As the feed says", published_raw="27 July")
    found = [discovery(url, kind=kind, channel=Channel.FEED, hint=hint) for url in urls]
    archive.discover(found).result()
    archive.requeue_discovery([one.id for one in found]).result()
    leased = archive.lease(limit=100, per_host=100, pages_per_host=1000).result().urls
    by_id = {one.id: one for one in leased}
    if kind is UrlKind.FEED:
        for one in leased:
            read = Outcome(state=UrlState.DONE, reason=Reason.READ)
            archive.commit(replace(_document(one, read), kind=kind)).result()
    return [by_id[one.id] for one in found]


def _document(leased: LeasedUrl, outcome: Outcome) -> Document:
    return Document(url_id=leased.id, url=leased.url, outcome=outcome, finished_at=NOW)


def _article(leased: LeasedUrl, found: Extraction, reason: Reason = Reason.KEPT) -> Document:
    outcome = Outcome(state=UrlState.DONE, reason=reason)
    return replace(_document(leased, outcome), extraction=found, signature=sign(found.text))


def _documents(archive: Archive, leased: list[LeasedUrl]) -> list[Document]:
    first, copy, chinese, hostile, refused = leased
    keep = judged(EVENT, RelevanceDecision.KEEP, 12)
    return [
        replace(
            _article(first, _first()), relevance=keep, capture=_captured(archive, FIRST, b"<p>1")
        ),
        replace(_article(copy, _copy()), relevance=keep, capture=_captured(archive, COPY, b"<p>2")),
        replace(
            _article(chinese, _chinese(), Reason.REVIEW),
            relevance=judged(EVENT, RelevanceDecision.REVIEW, 3.5),
        ),
        _article(hostile, _hostile(), Reason.IMPORTED),
        replace(
            _document(refused, Outcome(state=UrlState.REJECTED, reason=Reason.IRRELEVANT)),
            relevance=judged(EVENT, RelevanceDecision.REJECT, 0),
            extraction=extraction("A football match", ""),
        ),
    ]


def _first() -> Extraction:
    published = moment("2025-07-27T02:00:00+00:00")
    modified = moment("2025-07-27T04:00:00+00:00", 60)
    return extraction(
        "Ministers meet in the harbour",
        TEXT,
        authors=("Ann Lee", "José Díaz"),
        published=published,
        published_source="json-ld",
        modified=modified,
        language="en",
        canonical_url=FIRST,
        section="World",
        description="What was said.",
        image_url="https://one.example/i.jpg",
        image_caption="The harbour",
        image_credit="Li Wen",
        credits=("Meridian Wire",),
        tags=("talks", "schools"),
        dateline="HARBOUR CITY",
        claims=(claim("published", published, "json-ld"), claim("modified", modified, "meta")),
    )


def _copy() -> Extraction:
    published = moment("2025-07-28T00:00:00+00:00", 86_400, raw="July 28")
    modified = moment("2025-07-29T00:00:00+00:00", 86_400, raw="July 29")
    return extraction(
        '=HYPERLINK("http://evil.example","talks")',
        TEXT + "\nOne more line, by the second paper alone.",
        published=published,
        published_source="meta",
        modified=modified,
        language="en",
        claims=(claim("published", published, "meta"), claim("modified", modified, "meta")),
    )


def _chinese() -> Extraction:
    published = moment("2025-07-27T12:00:00+00:00")
    return extraction("智能论坛在港口举行", CHINESE_TEXT, published=published, language="zh")


def _hostile() -> Extraction:
    return extraction(HOSTILE_TITLE, SOUP, language="en")


def _captured(archive: Archive, url: str, body: bytes) -> CaptureRecord:
    headers = (("Content-Type", "text/html"),)
    capture = Capture(url=url, captured_at=NOW, status=200, headers=headers, body=body)
    return CaptureRecord(
        captured_at=NOW,
        status=200,
        content_type="text/html",
        payload_sha256=hashlib.sha256(body).hexdigest(),
        payload_bytes=len(body),
        completeness=Completeness.COMPLETE,
        position=archive.write_capture(capture),
    )

import errno
import gzip
import json
import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.config import Profile, load_profile
from aidivide_archive.ingest import admission, service
from aidivide_archive.ingest.admission import as_leased, foreign
from aidivide_archive.ingest.composing import document
from aidivide_archive.ingest.reading import Reading, read
from aidivide_archive.ingest.service import Ingest, failed, import_profile
from aidivide_archive.model import (
    Capture,
    Channel,
    Completeness,
    Hint,
    LeasedUrl,
    Link,
    Reason,
    UrlKind,
    UrlState,
    WarcPosition,
)
from aidivide_archive.urls import url_id
from aidivide_archive.workers import WorkerFailure, pool

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
URL = "https://www.news.example/a"
TEXT = " ".join(
    f"The forum heard speaker number {n} talk about bridges and rivers." for n in range(40)
)
PAGE = f"""<!DOCTYPE html><html lang="en"><head><title>A forum met</title>
<meta property="article:published_time" content="2025-07-28T09:00:00+08:00"></head>
<body><nav><a href="/b">Another story</a> <a href="https://else.example/c">Elsewhere</a></nav>
<article><h1>A forum met</h1><p>{TEXT}</p></article></body></html>""".encode()

EVERYTHING = """
schema = 1
[event]
id = "all"
title = "Everything"
[limits]
max_depth = 1
[[source]]
name = "News"
domain = "news.example"
feeds = ["https://www.news.example/feed.xml", "https://www.news.example/"]
hubs = ["https://www.news.example/"]
seeds = ["https://www.news.example/a"]
sitemaps = ["https://www.news.example/sitemap.xml"]
"""
JUDGED = (
    EVERYTHING
    + """
[relevance]
keep = 6
review = 2
[[group]]
name = "whales"
weight = 6
[group.any]
en = ["whale"]
"""
)


def profile_of(text: str, folder: Path) -> Profile:
    path = folder / "event.toml"
    path.write_text(text)
    return load_profile(str(path))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_of(EVERYTHING, tmp_path_factory.mktemp("everything"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_of(JUDGED, tmp_path_factory.mktemp("judged"))


def leased(
    url: str = URL, kind: UrlKind = UrlKind.PAGE, depth: int = 0, **more: object
) -> LeasedUrl:
    values = {"redirects": 0, "attempts": 0} | more
    return LeasedUrl(
        id=url_id(url),
        url=url,
        host="www.news.example",
        kind=kind,
        depth=depth,
        **values,  # type: ignore[arg-type]
    )


def response(body: bytes = PAGE, **changes: object) -> Capture:
    """A good answer; `changes`: fields, or headers in small letters (None: without)."""
    sent = {"content_type": "text/html; charset=utf-8", "content_encoding": None}
    sent |= {"location": None, "retry_after": None}
    sent |= {name: changes.pop(name) for name in sent.keys() & changes.keys()}
    headers = tuple((name.replace("_", "-"), str(value)) for name, value in sent.items() if value)
    plain = Capture(url=URL, captured_at=NOW, status=200, headers=headers, body=body)
    return replace(plain, **changes)


def ended(found: Reading) -> tuple[UrlState, Reason]:
    return found.outcome.state, found.outcome.reason


# --- one response --------------------------------------------------------------------------------


def test_a_page_becomes_an_article_with_its_links(everything: Profile):
    found = read(response(), leased(), everything)
    assert ended(found) == (UrlState.DONE, Reason.KEPT)
    assert found.extraction is not None
    assert found.extraction.text == TEXT
    assert found.extraction.metadata.title == "A forum met"
    assert found.signature is not None
    assert [one.url for one in found.discoveries] == ["https://www.news.example/b"]
    assert (found.discoveries[0].depth, found.discoveries[0].from_id) == (1, url_id(URL))


def test_a_page_that_does_not_belong_keeps_title_and_date_but_no_text(judged: Profile):
    found = read(response(), leased(), judged)
    assert ended(found) == (UrlState.REJECTED, Reason.IRRELEVANT)
    assert found.relevance is not None
    assert found.extraction is not None
    assert (found.extraction.text, found.signature) == ("", None)
    assert found.extraction.metadata.title == "A forum met"
    assert found.extraction.metadata.published is not None
    assert len(found.discoveries) == 1


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({"status": 404}, UrlState.REJECTED, Reason.GONE),
        ({"status": 410}, UrlState.REJECTED, Reason.GONE),
        ({"status": 403}, UrlState.REJECTED, Reason.HTTP_DENIED),
        ({"status": 451}, UrlState.REJECTED, Reason.HTTP_DENIED),
        ({"status": 429, "retry_after": "90"}, UrlState.FAILED, Reason.RATE_LIMITED),
        ({"status": 503}, UrlState.FAILED, Reason.SERVER_ERROR),
        ({"status": 500}, UrlState.FAILED, Reason.SERVER_ERROR),
        ({"status": 408}, UrlState.FAILED, Reason.SERVER_ERROR),
        ({"status": 302}, UrlState.REJECTED, Reason.ERROR_PAGE),
        ({"body": b""}, UrlState.REJECTED, Reason.EMPTY),
        ({"body": b" \n "}, UrlState.REJECTED, Reason.EMPTY),
        ({"completeness": Completeness.PARTIAL}, UrlState.FAILED, Reason.INCOMPLETE),
        ({"content_type": "application/pdf", "body": b"%PDF-1.7"}, UrlState.REJECTED, Reason.NOT_HTML),
        ({"content_type": None, "body": b"\x89PNG\r\n"}, UrlState.REJECTED, Reason.NOT_HTML),
        ({"content_type": "image/jpeg", "body": b"\xff\xd8\xff"}, UrlState.REJECTED, Reason.NOT_HTML),
        ({"body": gzip.compress(PAGE)[:-20], "content_encoding": "gzip"}, UrlState.FAILED, Reason.INCOMPLETE),
        ({"body": gzip.compress(bytes(64 << 20)), "content_encoding": "gzip"}, UrlState.REJECTED, Reason.TOO_LARGE),
    ],
)  # fmt: skip
def test_what_is_no_article_ends_with_its_reason(
    everything: Profile, changes: dict[str, object], state: UrlState, reason: Reason
):
    found = read(response(**changes), leased(), everything)
    assert ended(found) == (state, reason)
    assert found.extraction is None


def test_the_paths_of_a_source_say_where_its_text_stands(everything: Profile, tmp_path: Path):
    ruled = profile_of(f"{EVERYTHING}prune = [\"//*[@class='promo']\"]\n", tmp_path)
    promo = b"<p class='promo'>Our boat tours start at nine, and end at the old pier.</p></article>"
    page = response(PAGE.replace(b"</article>", promo))
    plain, found = (read(page, leased(), one).extraction for one in (everything, ruled))
    assert plain is not None
    assert found is not None
    assert "boat tours" in plain.text
    assert found.text == TEXT
    assert found.version != plain.version


def test_a_compressed_page_is_read(everything: Profile):
    packed = response(gzip.compress(PAGE), content_encoding="gzip")
    assert ended(read(packed, leased(), everything)) == (UrlState.DONE, Reason.KEPT)


def test_a_wait_that_the_server_asks_for_is_passed_on(everything: Profile):
    found = read(response(status=429, retry_after="90"), leased(), everything)
    assert found.outcome.retry_after_seconds == 90


def test_a_feed_gives_its_entries_with_hints(everything: Profile):
    feed = b"""<rss version="2.0"><channel>
    <item><title>One</title><link>https://www.news.example/1</link><pubDate>Mon</pubDate></item>
    <item><title>Away</title><link>https://else.example/2</link></item></channel></rss>"""
    given = response(feed, content_type="text/xml")
    found = read(given, leased("https://www.news.example/feed.xml", UrlKind.FEED), everything)
    assert ended(found) == (UrlState.DONE, Reason.READ)
    assert found.outcome.detail == "1 of 2 entries taken"
    (one,) = found.discoveries
    assert (one.channel, one.hint) == (Channel.FEED, Hint(title="One", published_raw="Mon"))


def test_a_sitemap_index_leads_to_its_sitemaps(everything: Profile):
    index = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <sitemap><loc>https://www.news.example/part.xml.gz</loc></sitemap></sitemapindex>"""
    at = leased("https://www.news.example/sitemap.xml", UrlKind.SITEMAP)
    found = read(response(index, content_type="text/xml"), at, everything)
    (one,) = found.discoveries
    assert (one.kind, one.depth) == (UrlKind.SITEMAP, 0)


@pytest.mark.parametrize("kind", [UrlKind.FEED, UrlKind.SITEMAP])
def test_a_listing_that_cannot_be_read_is_malformed(everything: Profile, kind: UrlKind):
    found = read(response(b"<html><p>maintenance</p></html>"), leased(kind=kind), everything)
    assert ended(found) == (UrlState.REJECTED, Reason.MALFORMED)
    assert "\n" not in (found.outcome.detail or "")


def test_a_redirect_is_a_url_of_its_own(everything: Profile):
    found = read(response(b"", status=301, location="/new"), leased(depth=1), everything)
    assert ended(found) == (UrlState.REJECTED, Reason.REDIRECTED)
    (target,) = found.discoveries
    assert (target.url, target.redirects, target.depth) == ("https://www.news.example/new", 1, 1)
    for location, at in (
        ("https://else.example/x", leased(depth=1)),
        ("file:///etc/hostname", leased()),
        ("/again", leased(redirects=admission.MAX_REDIRECTS)),
    ):
        found = read(response(b"", status=301, location=location), at, everything)
        assert ended(found) == (UrlState.REJECTED, Reason.OFFSITE)
        assert found.discoveries == ()


@settings(deadline=None)
@given(
    body=st.binary(max_size=400), kind=st.sampled_from(list(UrlKind)), status=st.integers(0, 999)
)
def test_any_bytes_end_with_an_outcome(
    everything: Profile, body: bytes, kind: UrlKind, status: int
):
    found = read(response(body, status=status), leased(kind=kind), everything)
    assert found.outcome.state in set(UrlState) - {UrlState.QUEUED, UrlState.LEASED}


@pytest.mark.parametrize("evil", ["\\u0000", "\\ud800", "&#0;", "&#xD800;", "\x00", "\x1b"])
def test_what_no_database_takes_is_gone_before_it(everything: Profile, evil: str):
    """NUL and lone surrogates, however they are written, in text, metadata and hints."""
    body = f"""<!DOCTYPE html><html><head><title>A {evil} title</title>
<meta name="author" content="An {evil} author"><meta property="og:description" content="{evil} d">
<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "A {evil} headline",
"author": {{"name": "J {evil} D"}}, "description": "x {evil}", "articleSection": "s{evil}"}}</script>
</head><body><article><h1>A {evil} headline</h1><p>{evil} {TEXT}</p></article></body></html>"""
    found = read(response(body.encode("utf-8", "surrogatepass")), leased(), everything)
    assert found.extraction is not None
    values = json.dumps(asdict(found.extraction), default=str)
    values = values.replace("\\\\", "")  # the six characters themselves are harmless words
    assert "headline" in values
    assert "\\u0000" not in values
    assert "\\ud800" not in values


# --- what the profile lets in --------------------------------------------------------------------


def test_the_profile_names_each_url_once(everything: Profile):
    found = {one.url: one.kind for one in admission.of_profile(everything)}
    assert found == {
        "https://www.news.example/sitemap.xml": UrlKind.SITEMAP,
        "https://www.news.example/feed.xml": UrlKind.FEED,
        "https://www.news.example/": UrlKind.FEED,
        "https://www.news.example/a": UrlKind.PAGE,
    }


def test_links_stop_at_depth_and_limit_and_stay_inside(everything: Profile):
    links = [Link(url=f"https://www.news.example/{n}", channel=Channel.LINK) for n in range(10)]
    links += [Link(url="https://else.example/", channel=Channel.LINK)]
    links += [Link(url="http://[broken", channel=Channel.LINK), Link(url=URL, channel=Channel.LINK)]
    links += [Link(url="javascript:alert(1)", channel=Channel.LINK)]

    def count(at: LeasedUrl, limit: int) -> int:
        return len(admission.of_document(everything, at, [*links, *links], limit=limit))

    assert count(leased(), 100) == 10
    assert count(leased(), 3) == 3
    assert count(leased(depth=1), 100) == 0


# --- documents -----------------------------------------------------------------------------------


def test_poison_is_tried_once_more_and_then_dead():
    once, twice = (WorkerFailure("the worker died (SIGSEGV)", tries) for tries in (1, 2))
    assert ended(failed(leased(), once)) == (UrlState.FAILED, Reason.POISON)
    assert ended(failed(leased(), twice)) == (UrlState.DEAD, Reason.POISON)
    assert failed(leased(), twice).outcome.detail == "the worker died (SIGSEGV)"


def test_a_fault_of_ours_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        found = failed(leased(), KeyError("x"))
    assert ended(found) == (UrlState.FAILED, Reason.INTERNAL)
    assert URL in caplog.text


def test_a_document_carries_its_capture_and_the_rights_it_was_sent_with(everything: Profile):
    capture = Capture(
        url=URL,
        captured_at=NOW,
        status=200,
        headers=(("content-type", "text/html"), ("X-Robots-Tag", "noindex")),
        body=PAGE,
    )
    found = read(capture, leased(), everything)
    position = WarcPosition(file="one", offset=5, length=9)
    made = document(leased(), found, capture=capture, position=position, now=NOW)
    assert made.capture is not None
    assert made.capture.payload_bytes == len(PAGE)
    assert made.capture.rights == {
        "statements": [{"source": "header:x-robots-tag", "value": "noindex"}],
        "withheld": None,
    }
    assert (made.finished_at, made.extraction) == (NOW, found.extraction)
    assert document(leased(), found, now=NOW).capture is None


def test_a_replaced_worker_reads_as_well_as_the_first(
    everything: Profile, monkeypatch: pytest.MonkeyPatch
):
    """Found on 2,000 real pages: the second generation of workers could not load the language model."""
    monkeypatch.setattr(pool, "TASKS_PER_WORKER", 2)
    sentence = (
        "The ferry left the harbour before noon, and nobody on the quay had seen the captain. "
    )
    body = f"<html><body><h1>The ferry</h1><p>{sentence * 9}</p></body></html>".encode()
    ingest = Ingest(everything, workers=1)
    try:
        found = []
        for number in range(5):
            url = f"https://news.example/ferry-{number}"
            capture = Capture(
                url=url,
                captured_at=NOW,
                status=200,
                headers=(("Content-Type", "text/html"),),
                body=body,
            )
            found.append(ingest.read(as_leased(foreign(url)), capture).result())
    finally:
        ingest.close()
    assert [one.outcome.reason for one in found] == [Reason.KEPT] * 5
    assert {one.extraction.metadata.language for one in found if one.extraction} == {"en"}


def test_workers_start_on_a_full_disk(monkeypatch: pytest.MonkeyPatch):
    """The language model is unpacked through a file; most pages need none."""

    def full(_text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("py3langid.classify", full)
    monkeypatch.setattr(service, "_profile", None)
    service._start(import_profile().to_json())
    assert service._profile == import_profile()

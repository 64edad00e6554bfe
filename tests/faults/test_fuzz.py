"""Fuzz targets: whatever arrives, a value comes back within bounds. `make fuzz` runs them for long.

Every input that once failed stays as an @example here or at the target's own test.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import zlib
from datetime import UTC, datetime, timedelta

import brotli
import pytest
import zstandard
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from aidivide_archive.addresses import AddressPolicy
from aidivide_archive.decode import decode, decompress
from aidivide_archive.exceptions import ExtractionError, InvalidURLError
from aidivide_archive.extract import extract
from aidivide_archive.feeds import parse_feed
from aidivide_archive.metadata.dates import Clock, parse_time
from aidivide_archive.model import Completeness
from aidivide_archive.robots import parse_robots, retry_after_seconds
from aidivide_archive.similarity import sign
from aidivide_archive.sitemaps import parse_sitemap
from aidivide_archive.urls import canonical_url
from tests.support import fault_pages

EXAMPLES = int(os.environ.get("AIDIVIDE_FUZZ_EXAMPLES", "0"))
"""Of each target; 0: the few of the normal suite, always the same."""
NOW = datetime(2025, 7, 28, tzinfo=UTC)
URL = "https://news.example/story"


def fuzz(few: int) -> settings:
    return settings(
        max_examples=EXAMPLES or few,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


# --- addresses -----------------------------------------------------------------------------------

_HOSTS = st.one_of(
    st.sampled_from(["news.example", "127.0.0.1", "[::1]", "0x7f.1", "münchen.example", "a..b"]),
    st.text(max_size=30),
)
_URLS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP", "ftp", "javascript", ""]),
    _HOSTS,
    st.sampled_from(["", ":80", ":443", ":0", ":99999", ":x", "@evil.example"]),
    st.text(alphabet=st.one_of(st.sampled_from("/?&=#%.;+ ~"), st.characters()), max_size=60),
)


@fuzz(300)
@given(st.one_of(_URLS, st.text(max_size=200)), st.sampled_from([None, URL]))
@example("http://news.example/%", None)
@example("http://[::1", None)
def test_a_canonical_url_stays_as_it_is_and_is_judged_alike(text: str, base: str | None):
    try:
        url = canonical_url(text, base)
    except InvalidURLError:
        return
    assert canonical_url(url) == url
    policy = AddressPolicy()
    assert policy.check_url(url) == policy.check_url(canonical_url(url))


# --- bytes ---------------------------------------------------------------------------------------

_CHARSETS = st.sampled_from(["", "utf-8", "gbk", "utf-16", "windows-1251", "utf-7", "zip", "big5"])


@fuzz(200)
@given(st.binary(max_size=600), _CHARSETS)
@example(b"\xff\xfe\x00\xd8", "")
def test_any_bytes_decode_to_storable_text_the_same_way_twice(body: bytes, charset: str):
    content_type = f"text/html; charset={charset}"
    decoded = decode(body, content_type=content_type, url=URL)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", decoded.text)
    assert decode(body, content_type=content_type, url=URL) == decoded


PACK = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@fuzz(200)
@given(
    st.sampled_from(sorted(PACK)),
    st.binary(min_size=1, max_size=300),
    st.integers(1, 400),
    st.integers(0, 10_000),
    st.integers(1, 255),
)
def test_a_cut_or_changed_stream_is_never_called_complete_with_other_bytes(
    codec: str, data: bytes, repeat: int, place: int, change: int
):
    body, limit = data * repeat, 20_000
    packed = PACK[codec](body)
    cut = packed[: place % len(packed)]
    for sent in (packed, cut):
        unpacked = decompress(sent, codec, max_bytes=limit)
        assert len(unpacked.body) <= limit
        if len(body) > limit and sent is packed:
            assert unpacked.too_large
    if len(cut) > 4 and len(body) <= limit:  # less is not known for what it is
        assert decompress(cut, codec, max_bytes=limit).completeness is not Completeness.COMPLETE
    changed = bytearray(packed)
    changed[place % len(packed)] ^= change
    decompress(bytes(changed), codec, max_bytes=limit)


# --- markup --------------------------------------------------------------------------------------

_TAGS = [
    "p",
    "div",
    "span",
    "a",
    "b",
    "article",
    "section",
    "h1",
    "h2",
    "ul",
    "li",
    "table",
    "tr",
    "td",
    "blockquote",
    "script",
    "style",
    "head",
    "body",
    "html",
    "title",
    "meta",
    "link",
    "base",
    "form",
    "select",
    "option",
    "svg",
    "math",
    "template",
    "noscript",
    "iframe",
    "pre",
    "br",
    "img",
    "font",
]
_ATTRIBUTES = st.sampled_from(
    ["", ' href="/x"', ' class="article-body"', " href='javascript:x'", ' id="comments"', " hidden",
     ' property="og:title" content="T"', ' type="application/ld+json"', ' href="http://[x"', ' ="']
)  # fmt: skip
_WORDS = st.sampled_from(
    ["word", "\x00", "&#0;", "&amp;", "&unknown;", "<", "--", "]]>", "上海论坛", "2025-13-45",
     '{"@type": "NewsArticle", "headline": [1, {}], "datePublished": {}}', "\u202e", "\ud7ff", " "]
)  # fmt: skip
_PIECES = st.one_of(
    st.builds("<{}{}>".format, st.sampled_from(_TAGS), _ATTRIBUTES),
    st.builds("</{}>".format, st.sampled_from(_TAGS)),
    _WORDS,
    st.sampled_from(["<!--", "-->", "<![CDATA[", "<?xml", "<!DOCTYPE html>", fault_pages.sentences(3)[0]]),
)  # fmt: skip


def judged(page: bytes) -> None:
    found = extract(page, url=URL, content_type="text/html", fetched_at=NOW)
    json.dumps(found.extraction.metadata.title)
    found.extraction.text.encode()
    assert "\x00" not in found.extraction.text
    assert len(found.links) <= 1000
    again = extract(page, url=URL, content_type="text/html", fetched_at=NOW)
    assert again == found


@fuzz(150)
@given(st.lists(_PIECES, max_size=60))
@example(["<html>", "<base", ' href="http://[x"', ">"])
def test_any_markup_is_extracted_within_bounds_and_the_same_way_twice(pieces: list[str]):
    judged("".join(pieces).encode("utf-8", "surrogatepass"))


@fuzz(60)
@given(st.integers(0, 10**9))
def test_a_mutated_page_is_extracted_within_bounds(seed: int):
    draw = random.Random(seed)
    page = bytearray(fault_pages.article(seed % 50, links=("/a", "/b")))
    for _ in range(draw.randrange(1, 12)):
        place = draw.randrange(len(page))
        what = draw.randrange(4)
        if what == 0:
            page[place] = draw.randrange(256)
        elif what == 1:
            del page[place : place + draw.randrange(1, 200)]
        elif what == 2:
            page[place:place] = page[place : place + draw.randrange(1, 300)] * draw.randrange(1, 5)
        else:
            page[place:place] = draw.choice(
                [b"<", b">", b"<!--", b"</html>", b"\x00", b"\xff", b"&"]
            )
        assume(page)
    judged(bytes(page))


# --- feeds, sitemaps, robots ---------------------------------------------------------------------

_XML = st.lists(
    st.one_of(
        st.sampled_from(
            ["<rss>", "<channel>", "<item>", "</item>", "<link>", "</link>", "<title>", "<urlset>", "<url>",
             "<loc>", "</loc>", "</url>", "<sitemapindex>", "<sitemap>", "<feed>", "<entry>", "<![CDATA[",
             "]]>", "<!DOCTYPE x [", "<!ENTITY e SYSTEM 'file:///etc/hostname'>", "]>", "&e;", "&amp;",
             "https://news.example/a", "<?xml version='1.0' encoding='utf-16'?>", "<!--", "-->", "\x00"]
        ),
        st.text(max_size=8),
    ),
    max_size=40,
)  # fmt: skip


@fuzz(200)
@given(_XML)
def test_any_xml_is_a_list_or_an_extraction_error(pieces: list[str]):
    body = "".join(pieces).encode("utf-8", "surrogatepass")
    for parse in (parse_feed, parse_sitemap):
        try:
            found = parse(body, URL)
        except ExtractionError:
            continue
        assert "root:" not in repr(found)


@fuzz(200)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["User-agent: *", "Disallow: /", "Allow: /a*b$", "Disallow:", "Crawl-delay: 1e9", "#", "\r"]),
            st.text(max_size=20),
        ),
        max_size=30,
    ),
    st.text(max_size=30),
)  # fmt: skip
def test_any_robots_file_gives_a_verdict(lines: list[str], path: str):
    rules = parse_robots("\n".join(lines).encode("utf-8", "surrogatepass"), status=200)
    url = "https://news.example/" + path
    assert rules.verdict(url, "any-bot") == rules.verdict(url, "any-bot")


# --- times and signatures ------------------------------------------------------------------------


@fuzz(300)
@given(st.one_of(st.text(max_size=60), st.text(alphabet="0123456789-+.:eE TZGMT,", max_size=40)))
@example("1e400")
@example("9" * 400)
def test_a_wait_or_a_time_is_in_range_or_none(text: str):
    wait = retry_after_seconds(text, NOW)
    assert wait is None or 0 <= wait <= 366 * 86400
    value = parse_time(text, Clock(latest=NOW + timedelta(days=2)))
    assert value is None or datetime(1994, 12, 31, tzinfo=UTC) <= value.start < value.end


@fuzz(150)
@given(st.text(max_size=300), st.sampled_from(["\u200b", "\u2060", "\u00ad", "\ufeff"]))
def test_a_signature_does_not_see_what_readers_do_not(text: str, unseen: str):
    words = " ".join(re.findall(r"[a-z]+", text.lower()))
    disguised = unseen.join(words)
    assert sign(disguised).hashvalues == sign(words).hashvalues
    assert sign(words.upper()).hashvalues == sign(words).hashvalues


@pytest.mark.fault("F17")
@pytest.mark.parametrize("codec", sorted(PACK))
def test_what_decompresses_whole_is_complete(codec: str):
    body = b"<p>river lights</p>" * 100
    unpacked = decompress(PACK[codec](body), codec, max_bytes=10_000)
    assert (unpacked.body, unpacked.completeness) == (body, Completeness.COMPLETE)

import gzip
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.exceptions import ExtractionError
from aidivide_archive.model import Channel, Hint, Link, UrlKind
from aidivide_archive.sitemaps import Sitemap, parse_sitemap

URL = "https://news.example/sitemap.xml"
NEWS = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://news.example/1?utm_source=sitemap</loc><lastmod>2025-07-28</lastmod>
<image:image><image:loc>https://news.example/p.jpg</image:loc><image:title>Picture</image:title></image:image>
<news:news><news:publication><news:name>The News</news:name><news:language>en</news:language>
</news:publication><news:publication_date>2025-07-27T10:00:00+08:00</news:publication_date>
<news:title><![CDATA[AI & the divide]]></news:title></news:news></url>
<url><loc> /2 </loc></url><url><lastmod>2025</lastmod></url><url><loc></loc></url>
<url><loc>file:///etc/hostname</loc></url><url><loc>https://news.example/1</loc></url></urlset>"""
INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://news.example/a.xml</loc><lastmod>2025-07-27</lastmod></sitemap>
<sitemap><loc>b.xml.gz</loc></sitemap></sitemapindex>"""


def urls(sitemap: Sitemap) -> list[str]:
    return [link.url for link in sitemap.pages]


def urlset(entries: str) -> bytes:
    return f"<urlset>{entries}</urlset>".encode()


def test_pages_carry_the_news_fields_as_hints() -> None:
    sitemap = parse_sitemap(NEWS, URL)
    hint = Hint(
        title="AI & the divide",
        published_raw="2025-07-27T10:00:00+08:00",
        modified_raw="2025-07-28",
        language="en",
        publisher="The News",
    )
    assert sitemap == Sitemap(
        sitemaps=(),
        pages=(
            Link(url="https://news.example/1", channel=Channel.SITEMAP, hint=hint),
            Link(url="https://news.example/2", channel=Channel.SITEMAP),
        ),
    )


def test_index_names_sitemaps() -> None:
    sitemap = parse_sitemap(INDEX, URL)
    assert sitemap.pages == ()
    assert [(link.url, link.kind) for link in sitemap.sitemaps] == [
        ("https://news.example/a.xml", UrlKind.SITEMAP),
        ("https://news.example/b.xml.gz", UrlKind.SITEMAP),
    ]
    assert sitemap.sitemaps[0].hint == Hint(modified_raw="2025-07-27")


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(NEWS, mtime=0),
        b"\xef\xbb\xbf" + NEWS,
        b"\n\n" + NEWS,
        NEWS.replace(b"sitemaps.org", b"google.com"),
        NEWS.replace(b' xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"', b""),
        NEWS.decode().encode("utf-16"),
        gzip.compress(NEWS, mtime=0) + b"trailing junk",
    ],
)
def test_spellings_of_one_sitemap_give_the_same(body: bytes) -> None:
    assert parse_sitemap(body, URL) == parse_sitemap(NEWS, URL)


def test_plain_text_has_one_url_a_line() -> None:
    text = b"\xef\xbb\xbfhttps://news.example/1\r\nnot a url\r\n\r\n https://news.example/2\n/3\n"
    assert urls(parse_sitemap(text, URL)) == ["https://news.example/1", "https://news.example/2"]
    assert urls(parse_sitemap(gzip.compress(text, mtime=0), URL)) == urls(parse_sitemap(text, URL))
    assert parse_sitemap(text, URL, max_entries=1).truncated


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"Not Found",
        b"<!DOCTYPE html><html><body>https://news.example/1</body></html>",
        b"<rss><channel/></rss>",
        b"\x1f\x8bjunk",
        gzip.compress(b"", mtime=0),
        b"{}",
        b"\x00" * 100,
        b"<" * 10_000,
    ],
)
def test_body_that_is_no_sitemap_is_one_line_of_error(body: bytes) -> None:
    with pytest.raises(ExtractionError) as caught:
        parse_sitemap(body, URL)
    assert URL in str(caught.value)
    assert "\n" not in str(caught.value)


def test_empty_sitemap_is_empty() -> None:
    assert parse_sitemap(urlset(""), URL) == Sitemap(sitemaps=(), pages=())


def test_entries_are_bounded() -> None:
    body = urlset("".join(f"<url><loc>/{n}</loc></url>" for n in range(60)))
    assert len(parse_sitemap(body, URL, max_entries=50).pages) == 50
    assert parse_sitemap(body, URL, max_entries=50).truncated
    assert not parse_sitemap(body, URL, max_entries=60).truncated


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_bytes_are_bounded(pack: object) -> None:
    body = urlset("".join(f"<url><loc>/{n}</loc></url>" for n in range(1000)))
    packed = body if pack is bytes else gzip.compress(body, mtime=0)
    sitemap = parse_sitemap(packed, URL, max_bytes=len(body) // 2)
    assert sitemap.truncated
    assert 450 < len(sitemap.pages) < 550


def test_cut_sitemap_leaves_half_a_url_out() -> None:
    body = urlset(
        "<url><loc>https://x.example/1</loc></url><url><loc>https://x.example/22</loc></url>"
    )
    for end in range(body.index(b"/22"), body.index(b"</url></urlset>")):
        sitemap = parse_sitemap(body[:end], URL)
        assert urls(sitemap) == ["https://x.example/1"]
        assert sitemap.truncated
    packed = gzip.compress(body * 1, mtime=0)[:-12]
    assert "https://x.example/1" in urls(parse_sitemap(packed, URL))
    assert parse_sitemap(packed, URL).truncated
    cut_text = parse_sitemap(b"https://x.example/1\nhttps://x.example/22", URL, max_bytes=38)
    assert urls(cut_text) == ["https://x.example/1"]


def test_broken_entries_cost_only_themselves() -> None:
    body = urlset(
        "<url><loc>/1</loc></url><url><loc>/2?a=1&b=2</loc></url><url><loc>/3&nbsp;</loc></url>"
    )
    assert urls(parse_sitemap(body, URL)) == [
        "https://news.example/1",
        "https://news.example/2?a=1&b=2",
        "https://news.example/3",
    ]


def test_entities_have_no_power() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for entity in (f'<!ENTITY l0 "l">{laughs}', '<!ENTITY l9 SYSTEM "file:///etc/passwd">'):
        body = f"<!DOCTYPE u [{entity}]><urlset><url><loc>/x&l9;</loc></url></urlset>".encode()
        assert urls(parse_sitemap(body, URL)) == ["https://news.example/x&l9;"]


def test_bomb_of_a_gigabyte_is_cut() -> None:
    bomb = gzip.compress(b"<urlset>" + b" " * 100_000_000, 9)
    start = time.process_time()
    assert parse_sitemap(bomb, URL).truncated
    assert time.process_time() - start < 3


def test_50_000_entries_are_read_in_bounded_memory() -> None:
    entry = "<url><loc>https://news.example/news/2025/07/{}.html</loc><lastmod>2025-07-27</lastmod></url>"
    body = urlset("".join(entry.format(n) for n in range(50_000)))
    start = time.process_time()
    assert len(parse_sitemap(body, URL).pages) == 50_000
    assert time.process_time() - start < 6
    part = urlset("".join(entry.format(n) for n in range(5_000)))
    tracemalloc.start()
    parse_sitemap(part, URL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000


_PARTS = st.lists(
    st.sampled_from(
        [
            NEWS,
            INDEX,
            b"<url>",
            b"</url>",
            b"<loc>/1</loc>",
            b"<![CDATA[",
            b"&x;",
            b"\xff",
            b"http://a.example/\n",
        ]
    )
    | st.binary(max_size=20),
    max_size=6,
).map(b"".join)


@given(
    st.one_of(
        st.binary(max_size=200),
        _PARTS,
        _PARTS.map(lambda tail: b"<urlset>" + tail),
        _PARTS.map(lambda tail: gzip.compress(tail, mtime=0)[:-3]),
    )
)
def test_any_body_is_a_sitemap_or_an_extraction_error(body: bytes) -> None:
    try:
        sitemap = parse_sitemap(body, URL)
    except ExtractionError:
        return
    links = (*sitemap.pages, *sitemap.sitemaps)
    assert all(link.url.startswith(("http://", "https://")) for link in links)

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.exceptions import ExtractionError
from aidivide_archive.feeds import MAX_ITEMS, Feed, looks_like_feed, parse_feed
from aidivide_archive.model import Channel, Hint, UrlKind

URL = "https://news.example/feeds/all.xml"


def rss(items: str, channel: str = "") -> bytes:
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{items}</channel></rss>'.encode()


def urls(feed: Feed) -> list[str]:
    return [item.url for item in feed.items]


def first_hint(feed: Feed) -> Hint:
    hint = feed.items[0].hint
    assert hint is not None
    return hint


RSS2 = rss(
    """<item><title>Forum opens</title><link>https://news.example/1?utm_source=rss</link>
    <guid isPermaLink="false">tag:1</guid><pubDate>Sun, 27 Jul 2025 10:00:00 +0800</pubDate>
    <dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">A. Author</dc:creator>
    <description>&lt;p&gt;A short &lt;b&gt;teaser&lt;/b&gt;&lt;/p&gt;</description>
    <source url="https://agency.example/rss">Agency</source></item>
    <item><title>No link</title></item>""",
    "<title>All news</title><link>https://news.example/</link><language>en-gb</language>",
)
RSS1 = b"""<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://news.example/"><title>RDF news</title><dc:language>fr</dc:language>
<items><rdf:Seq><rdf:li resource="https://news.example/1"/></rdf:Seq></items></channel>
<item rdf:about="https://news.example/1"><title>One</title><link>https://news.example/1</link>
<dc:date>2025-07-27T10:00+08:00</dc:date></item>
<item rdf:about="https://news.example/2"><title>Two</title></item></rdf:RDF>"""
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">
<title>Atom news</title><link rel="self" href="https://news.example/feeds/all.xml"/>
<link rel="next" href="?page=2"/>
<entry xml:lang="en"><title type="html">A &amp;amp; B &lt;i&gt;go&lt;/i&gt; 5 &amp;lt; 6</title>
<link rel="edit" href="/edit/1"/><link rel="alternate" type="application/json" href="/1.json"/>
<link type="text/html" href="/1"/><id>urn:1</id><published>2025-07-27T10:00:00Z</published>
<updated>2025-07-28T10:00:00Z</updated><author><name>A</name><uri>u</uri></author>
<author><name>B</name></author><source><title>Agency</title></source><summary>Short</summary></entry>
<entry><title>x &lt; y &lt;z&gt;</title><id>https://news.example/2</id></entry></feed>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "JSON news",
        "language": "pt",
        "next_url": "/feeds/2.json",
        "items": [
            {
                "id": "1",
                "url": "../1",
                "title": "<b>One</b>",
                "date_published": "2025-07-27T10:00:00Z",
                "date_modified": "2025-07-28",
                "authors": [{"name": "A"}, {"name": "B"}, 3],
                "content_html": "<p>Body</p>",
            },
            {"id": "https://news.example/2"},
            {"id": 3},
            None,
        ],
    }
).encode()


def test_rss_2_keeps_what_the_item_says() -> None:
    feed = parse_feed(RSS2, URL)
    assert (feed.title, feed.language, feed.next_page) == ("All news", "en-gb", None)
    assert urls(feed) == ["https://news.example/1"]
    assert feed.items[0].channel is Channel.FEED
    assert feed.items[0].kind is UrlKind.PAGE
    assert first_hint(feed) == Hint(
        title="Forum opens",
        published_raw="Sun, 27 Jul 2025 10:00:00 +0800",
        language="en-gb",
        publisher="Agency",
        author="A. Author",
        summary="A short teaser",
    )


def test_rss_1_items_stand_beside_the_channel() -> None:
    feed = parse_feed(RSS1, URL)
    assert (feed.title, feed.language) == ("RDF news", "fr")
    assert urls(feed) == ["https://news.example/1", "https://news.example/2"]
    assert first_hint(feed).published_raw == "2025-07-27T10:00+08:00"


def test_atom_takes_the_html_alternate_and_literal_text() -> None:
    feed = parse_feed(ATOM, URL)
    assert (feed.title, feed.language) == ("Atom news", "zh-CN")
    assert feed.next_page == "https://news.example/feeds/all.xml?page=2"
    assert urls(feed) == ["https://news.example/1", "https://news.example/2"]
    assert first_hint(feed) == Hint(
        title="A & B go 5 < 6",
        published_raw="2025-07-27T10:00:00Z",
        modified_raw="2025-07-28T10:00:00Z",
        language="en",
        publisher="Agency",
        author="A, B",
        summary="Short",
    )
    assert feed.items[1].hint == Hint(title="x < y <z>", language="zh-CN")


def test_json_feed_is_read() -> None:
    feed = parse_feed(JSON_FEED, URL, "application/feed+json")
    assert (feed.title, feed.language) == ("JSON news", "pt")
    assert feed.next_page == "https://news.example/feeds/2.json"
    assert urls(feed) == ["https://news.example/1", "https://news.example/2"]
    assert first_hint(feed) == Hint(
        title="One",
        published_raw="2025-07-27T10:00:00Z",
        modified_raw="2025-07-28",
        language="pt",
        author="A, B",
        summary="Body",
    )


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("<![CDATA[AI & <em>divide</em>]]>", "AI & divide"),
        ("<![CDATA[]]>Plain", "Plain"),
        ("&lt;b&gt;Bold&lt;/b&gt; &amp;amp; more", "Bold & more"),
        ("A <b>nested</b> title", "A nested title"),
        ("<![CDATA[5 < 6 and 7 > 3]]>", "5 < 6 and 7 > 3"),
        ("AT&T and R&amp;D", "AT&T and R&D"),
        ("caf&eacute;&nbsp;&hellip; &unknown; &#233; &#xE9;", "café … &unknown; é é"),
        ("\n  many \t spaces \n", "many spaces"),
        ("人工智能“鸿沟”", "人工智能“鸿沟”"),
        ("a\x0bb\x00c", "abc"),
        ("<media:title xmlns:media='http://search.yahoo.com/mrss/'>x</media:title>y", "xy"),
    ],
)
def test_titles_are_plain_text(title: str, plain: str) -> None:
    feed = parse_feed(rss(f"<item><title>{title}</title><link>/1</link></item>"), URL)
    assert first_hint(feed).title == plain


def test_titles_of_pictures_and_podcasts_are_not_the_items() -> None:
    item = """<item xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">
    <media:title>Picture</media:title><itunes:title>Sound</itunes:title><title>Text</title>
    <media:description>Caption</media:description><link>/1</link></item>"""
    assert first_hint(parse_feed(rss(item), URL)) == Hint(title="Text")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<link>/a</link>", "https://news.example/a"),
        ("<link>b</link>", "https://news.example/feeds/b"),
        ("<link>\n https://x.example/c#d \n</link>", "https://x.example/c"),
        ("<link><![CDATA[https://x.example/?a=1&b=2]]></link>", "https://x.example/?a=1&b=2"),
        ("<link>https://x.example/?a=1&b=2</link>", "https://x.example/?a=1&b=2"),
        ("<link>https://x.example/?a=1&amp;b=2</link>", "https://x.example/?a=1&b=2"),
        ("<guid>https://x.example/g</guid>", "https://x.example/g"),
        ("<link></link><guid isPermaLink='true'>https://x.example/g</guid>", "https://x.example/g"),
        ("<guid isPermaLink='false'>https://x.example/g</guid>", None),
        ("<guid>12345</guid>", None),
        ("<link>javascript:alert(1)</link>", None),
        ("<link>file:///etc/passwd</link>", None),
        ("<link>https://user:pw@x.example/</link>", None),
        (
            "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='/s'/><link>/a</link>",
            "https://news.example/a",
        ),
        (
            "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' href='/s'/>",
            "https://news.example/s",
        ),
        (
            "<link>https://proxy.example/~r/1</link><feedburner:origLink"
            " xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'>"
            "https://x.example/orig</feedburner:origLink>",
            "https://x.example/orig",
        ),
        ("<link xml:base='https://b.example/x/'>y</link>", "https://b.example/x/y"),
    ],
)
def test_item_url_is_resolved(item: str, expected: str | None) -> None:
    feed = parse_feed(rss(f"<item><title>t</title>{item}</item>"), URL)
    assert urls(feed) == ([] if expected is None else [expected])


def test_xml_base_is_resolved_from_the_outside_in() -> None:
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/a/">
    <entry xml:base="c/"><link href="d"/></entry></feed>"""
    assert urls(parse_feed(atom, URL)) == ["https://b.example/a/c/d"]


@pytest.mark.parametrize(
    "encoding", ["gb2312", "gbk", "big5", "utf-16", "windows-1251", "iso-8859-1", "shift_jis"]
)
def test_declared_encodings_are_decoded(encoding: str) -> None:
    words = {
        "windows-1251": "Форум",
        "iso-8859-1": "Réunion à",
        "big5": "人工智慧",
        "shift_jis": "人工知能",
    }
    title = words.get(encoding, "人工智能论坛")
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss><item><title>{title}</title><link>/1</link></item></rss>'
    assert first_hint(parse_feed(text.encode(encoding), URL)).title == title


@pytest.mark.parametrize(
    ("declared", "content_type", "encoding"),
    [
        ("", None, "utf-8"),
        ("", None, "gb18030"),
        ("", "text/xml; charset=gb2312", "gb18030"),
        ("utf-8", None, "gb18030"),
        ("gb2312", "text/xml; charset=iso-8859-1", "utf-8"),
        ("utf-8", "text/xml; charset=nonsense", "utf-8"),
        ("rot13", None, "utf-8"),
    ],
)
def test_wrong_or_missing_encodings_are_seen_through(
    declared: str, content_type: str | None, encoding: str
) -> None:
    label = f' encoding="{declared}"' if declared else ""
    text = f'<?xml version="1.0"{label}?><rss><item><title>人工智能论坛在上海开幕</title><link>/1</link></item></rss>'
    assert (
        first_hint(parse_feed(text.encode(encoding), URL, content_type)).title
        == "人工智能论坛在上海开幕"
    )


def test_one_bad_byte_does_not_change_the_encoding() -> None:
    body = rss(
        "<item><title>人工智能论坛在上海开幕，论坛论坛论坛论坛</title><link>/1</link></item>"
    )
    title = first_hint(parse_feed(body.replace(b"</title>", b"\xff</title>"), URL)).title
    assert title == "人工智能论坛在上海开幕，论坛论坛论坛论坛\ufffd"


def test_broken_xml_gives_the_items_that_can_be_read() -> None:
    items = "<item><title>A</b></title><link>/1</link></item><item><title>B<br></title><link>/2</link></item>"
    feed = parse_feed(rss(items), URL)
    assert urls(feed) == ["https://news.example/1", "https://news.example/2"]
    assert first_hint(feed).title == "A"
    warned = b"<br />\n<b>Warning</b>: x\n" + RSS2
    assert urls(parse_feed(warned, URL)) == ["https://news.example/1"]
    assert urls(parse_feed(b"\n\n  " + RSS2, URL)) == ["https://news.example/1"]
    undeclared = rss("<item><foo:bar>x</foo:bar><dc:creator>A</dc:creator><link>/1</link></item>")
    assert first_hint(parse_feed(undeclared, URL)).author == "A"


def test_half_an_item_at_the_end_of_a_cut_body_is_left_out() -> None:
    body = rss(
        "<item><link>https://x.example/1</link></item><item><link>https://x.example/22</link></item>"
    )
    for end in range(body.index(b"/22"), body.index(b"</item></channel>")):
        assert urls(parse_feed(body[:end], URL)) == ["https://x.example/1"]
    assert len(urls(parse_feed(body[: body.index(b"</channel>")], URL))) == 2


def test_valid_feed_without_items_is_empty() -> None:
    assert parse_feed(rss("", "<title>Quiet</title>"), URL).items == ()
    assert parse_feed(b'{"version":"https://jsonfeed.org/version/1","items":[]}', URL).items == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \n",
        b"Not Found",
        b"<!DOCTYPE html><html><body><p>No feed</p></body></html>",
        b"<html><head><title>x</title></head></html>",
        b"<urlset><url><loc>http://a.example/</loc></url></urlset>",
        b"{}",
        b"[1, 2]",
        b'{"items": {"a": 1}}',
        b'{"items": [',
        b"[" * 200_000,
        b'{"items":' * 100_000,
        b"\x00" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        gzip.compress(RSS2, mtime=0),
        b"<" * 10_000,
    ],
)
def test_body_that_is_no_feed_is_one_line_of_error(body: bytes) -> None:
    with pytest.raises(ExtractionError) as caught:
        parse_feed(body, URL)
    assert URL in str(caught.value)
    assert "\n" not in str(caught.value)


def test_items_are_bounded_and_unique() -> None:
    many = rss("".join(f"<item><link>/{n}</link></item>" for n in range(MAX_ITEMS + 500)))
    assert len(parse_feed(many, URL).items) == MAX_ITEMS
    assert len(parse_feed(many, URL, max_items=7).items) == 7
    twice = rss("<item><title>First</title><link>/1</link></item><item><link>/1#x</link></item>")
    assert first_hint(parse_feed(twice, URL)).title == "First"
    assert len(parse_feed(twice, URL).items) == 1


def test_words_are_bounded() -> None:
    long = "w" * 100_000
    body = rss(
        f"<item><title>{long}</title><link>/1</link><pubDate>{long}</pubDate><description>{long}</description></item>"
    )
    hint = first_hint(parse_feed(body, URL))
    assert [len(text or "") for text in (hint.title, hint.published_raw, hint.summary)] == [
        1000,
        200,
        2000,
    ]


ITEM = "<item><title>{}</title><link>/1</link></item>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMBS = [
    f'<!DOCTYPE r [<!ENTITY l0 "lol">{LAUGHS}]><rss>{ITEM.format("&l9;")}</rss>',
    f'<!DOCTYPE r [<!ENTITY q "{"x" * 50_000}">]><rss>{ITEM.format("&q;" * 50_000)}</rss>',
    f'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>{ITEM.format("&x;")}</rss>',
    f'<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><rss>{ITEM.format("&x;")}</rss>',
    f'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><rss>{ITEM.format("&x;")}</rss>',
    f'<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><rss>{ITEM.format("&x;")}</rss>',
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_entities_have_no_power(bomb: str) -> None:
    start = time.process_time()
    feed = parse_feed(bomb.encode(), URL)
    assert time.process_time() - start < 1
    for item in feed.items:
        assert item.hint is not None
        assert item.hint.title is not None
        assert item.hint.title.startswith("&")  # the reference itself, as literal text
        assert "root:" not in item.hint.title


@pytest.mark.parametrize(
    "body",
    [
        b"<rss>" + b"<a>" * 1_000_000,
        b"<rss>" + b"<item>" * 500_000,
        b"<rss>" + b"<![CDATA[" * 300_000,
        b"<rss>" + b"&" * 1_000_000,
        b"<rss>" + b"<item><title>" + b"&lt;a" * 600_000,
        b"<rss><item " + b"".join(b'a%d="" ' % n for n in range(100_000)) + b"/></rss>",
        b"<rss><item " + b"".join(b"a%d='<' " % n for n in range(60_000)) + b"/></rss>",
        b"<rss>" + b"<item/>" * 150_000 + b"</rss>",
        b"<rss xmlns:a='b'>" + b"<channel><title>x</title></channel>" * 60_000,
    ],
)
def test_hostile_shapes_take_bounded_time(body: bytes) -> None:
    start = time.process_time()
    assert parse_feed(body, URL).items == ()
    assert time.process_time() - start < 3


@pytest.mark.parametrize("body", [RSS2, RSS1, ATOM, JSON_FEED, b"\xef\xbb\xbf" + RSS2])
def test_feeds_look_like_feeds(body: bytes) -> None:
    assert looks_like_feed(body)


def test_other_bodies_do_not_look_like_feeds() -> None:
    assert not looks_like_feed(b"<html><body>rss feed</body></html>", "text/html")
    assert not looks_like_feed(b'{"items": []}', "application/json")
    assert not looks_like_feed(b"")
    assert looks_like_feed(b"", "application/rss+xml; charset=utf-8")


_PARTS = st.lists(
    st.sampled_from(
        [
            RSS2,
            RSS1,
            ATOM,
            b"<item>",
            b"</item>",
            b"<![CDATA[",
            b"]]>",
            b"&x;",
            b"<!DOCTYPE a [",
            b"\xff",
            b"{",
            b"<link>/1</link>",
        ]
    )
    | st.binary(max_size=20),
    max_size=6,
).map(b"".join)


@given(
    st.one_of(st.binary(max_size=200), _PARTS, _PARTS.map(lambda tail: b"<rss><channel>" + tail))
)
def test_any_body_is_a_feed_or_an_extraction_error(body: bytes) -> None:
    try:
        feed = parse_feed(body, URL)
    except ExtractionError:
        return
    assert all(item.url.startswith(("http://", "https://")) for item in feed.items)

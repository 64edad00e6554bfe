from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import document_fromstring

from aidivide_archive.extract.hyperlinks import MAX_LINKS, page_links
from aidivide_archive.model import Channel, UrlKind

PAGE = "https://news.example/a/story.html"


def urls(html: str, base: str = PAGE) -> list[str]:
    return [link.url for link in page_links(document_fromstring(html), base)]


def test_links_come_canonical_once_each_and_in_document_order() -> None:
    html = (
        '<body><a href="/b?utm_source=x">one</a><a href="c.html#top">two</a>'
        '<a href="https://NEWS.example/b">again</a><area href="//other.example/d"></body>'
    )
    assert urls(html) == [
        "https://news.example/b",
        "https://news.example/a/c.html",
        "https://other.example/d",
    ]


def test_only_http_links_are_kept_and_never_the_page_itself() -> None:
    html = (
        '<body><a href="javascript:void(0)">x</a><a href="mailto:a@b.example">x</a>'
        '<a href="file:///etc/passwd">x</a><a href="ftp://a.example/">x</a><a href="#note">x</a>'
        '<a href="data:text/html,x">x</a><a href="story.html">self</a><a href="">x</a>'
        '<a href="http://user:pw@a.example/">x</a><a href="/ok">x</a></body>'
    )
    assert urls(html) == ["https://news.example/ok"]


def test_base_href_is_honoured_when_it_is_usable() -> None:
    assert urls('<head><base href="/deep/er/"></head><body><a href="x">x</a></body>') == [
        "https://news.example/deep/er/x"
    ]
    assert urls('<head><base href="javascript:1"></head><body><a href="x">x</a></body>') == [
        "https://news.example/a/x"
    ]


def test_feeds_and_the_next_page_are_found_canonical_and_amp_are_not() -> None:
    html = (
        '<head><link rel="alternate" type="application/rss+xml" href="/feed">'
        '<link rel="alternate" hreflang="fr" href="/fr"><link rel="next" href="?page=2">'
        '<link rel="canonical" href="/c"><link rel="amphtml" href="/amp">'
        '<link rel="alternate" type="application/feed+json; charset=utf-8" href="/feed.json">'
        "</head><body></body>"
    )
    found = page_links(document_fromstring(html), PAGE)
    assert [(link.url, link.kind, link.channel) for link in found] == [
        ("https://news.example/feed", UrlKind.FEED, Channel.FEED),
        ("https://news.example/a/story.html?page=2", UrlKind.PAGE, Channel.LINK),
        ("https://news.example/feed.json", UrlKind.FEED, Channel.FEED),
    ]


def test_nofollow_links_are_left_out() -> None:
    assert urls('<body><a rel="nofollow ugc" href="/x">x</a><a href="/y">y</a></body>') == [
        "https://news.example/y"
    ]


def test_a_page_gives_at_most_a_thousand_links() -> None:
    html = "<body>" + "".join(f'<a href="/p{number}">x</a>' for number in range(5000)) + "</body>"
    assert len(urls(html)) == MAX_LINKS == 1000


@given(st.text(max_size=80))
@settings(max_examples=200)
def test_no_href_makes_it_raise(href: str) -> None:
    tree = document_fromstring("<body><a>x</a></body>")
    link = next(tree.iter("a"))
    try:
        link.set("href", href)
    except ValueError:  # not XML: the parser cannot give such a value
        return
    assert all(found.url.startswith("http") for found in page_links(tree, PAGE))

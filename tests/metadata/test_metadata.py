from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import document_fromstring

from aidivide_archive.decode.blocks import read_blocks
from aidivide_archive.metadata import read_facts, read_metadata
from aidivide_archive.metadata.people import split_names
from aidivide_archive.model import Hint, Metadata

URL = "https://www.tidegazette.example/news/gate"
TEXT = "The new gate at the river mouth opened on Sunday, and the first ships passed at noon."


def read(head: str = "", body: str = "", *, url: str = URL, hint: Hint | None = None) -> Metadata:
    html = f"<html><head>{head}</head><body>{body}<p>{TEXT}</p></body></html>"
    tree = document_fromstring(html)
    return read_metadata(
        read_facts(tree, url),
        tree,
        blocks=read_blocks(tree),
        lines=[TEXT],
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
        hint=hint,
    )


def ld(**node: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


# --- titles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stated",
    [
        "Gate opens at river mouth - Tide Gazette",
        "Gate opens at river mouth | Tide Gazette",
        "Gate opens at river mouth – News – Tide Gazette",
        "Tide Gazette: Gate opens at river mouth",
        "Gate opens at river mouth | tidegazette.example",
    ],
)
def test_the_sites_name_is_cut_off_the_headline(stated: str) -> None:
    head = f'<title>{stated}</title><meta property="og:site_name" content="Tide Gazette">'
    title = read(head, "<h1>Gate opens at river mouth</h1>").title
    assert title == "Gate opens at river mouth"


def test_a_separator_inside_a_headline_stays() -> None:
    head = '<title>Gate - open - at last</title><meta property="og:site_name" content="Gazette">'
    assert read(head).title == "Gate - open - at last"


def test_the_heading_confirmed_by_json_ld_beats_what_is_written_for_search_engines() -> None:
    head = (
        "<title>River gate news</title>"
        '<meta property="og:title" content="River gate news"><meta name="twitter:title" '
        'content="River gate news">' + ld(**{"@type": "NewsArticle", "headline": "Gate opens"})
    )
    metadata = read(head, "<h1>Gate <em>opens</em></h1>")
    assert metadata.title == "Gate opens"
    variants = {claim.value for claim in metadata.claims if claim.field == "title"}
    assert variants == {"Gate opens", "River gate news"}


def test_the_feeds_title_serves_when_the_page_has_none() -> None:
    assert read(hint=Hint(title="Gate opens")).title == "Gate opens"


# --- people --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Mara Lindqvist", ("Mara Lindqvist",)),
        ("Von Jan Peters und Eva Braun-Kiel", ("Jan Peters", "Eva Braun-Kiel")),
        ("Mara Lindqvist, Tom O'Neil and Li Wen", ("Mara Lindqvist", "Tom O'Neil", "Li Wen")),
        ("Par Anne Dufour et Luc Petit", ("Anne Dufour", "Luc Petit")),
        ("记者：王小平", ("王小平",)),
        ("https://www.facebook.example/gazette", ()),
        ("admin", ()),
        ("Published: 3 May 2025", ()),
        ("Mara Lindqvist (Image: Gazette)", ("Mara Lindqvist",)),
    ],
)
def test_split_names_gives_the_names_of_a_byline(byline: str, names: tuple[str, ...]) -> None:
    assert split_names(byline) == names


def test_agencies_and_outlets_are_credits_and_people_are_authors() -> None:
    node = {
        "@type": "NewsArticle",
        "author": [{"name": "Mara Lindqvist"}, {"name": "Reuters"}],
        "publisher": {"name": "Tide Gazette"},
    }
    metadata = read(ld(**node))
    assert (metadata.authors, metadata.credits) == (("Mara Lindqvist",), ("Reuters",))


def test_a_visible_byline_gives_author_and_place() -> None:
    body = (
        "<h1>Gate opens</h1><p>By Mara Lindqvist in Shanghai | China Daily | 2025-07-28 16:57</p>"
    )
    metadata = read(body=body)
    assert metadata.authors == ("Mara Lindqvist",)
    assert metadata.dateline == "Shanghai"
    assert metadata.credits == ("China Daily",)


def test_chinese_source_and_author_lines_are_read() -> None:
    body = "<h1>闸门开启</h1><div>2025-07-28 16:57 来源：港湾晨报 作者：王小平</div>"
    metadata = read(body=body)
    assert metadata.authors == ("王小平",)
    assert metadata.credits == ("港湾晨报",)


@pytest.mark.parametrize(
    ("line", "dateline", "credit"),
    [
        ("SHANGHAI, July 28 (Xinhua) -- The gate opened.", "SHANGHAI, July 28", "Xinhua"),
        ("(Yicai) Aug. 4 -- The gate opened.", "Aug. 4", "Yicai"),
        ("BEIRUT (AP) — The gate opened.", "BEIRUT", "AP"),
        ("BEIRUT (Cedar Coast Wire) — The gate opened.", "BEIRUT", "Cedar Coast Wire"),
        ("新华社上海7月28日电 闸门开启。", "上海, 7月28日", "新华社"),
    ],
)
def test_a_dateline_gives_place_and_agency(line: str, dateline: str, credit: str) -> None:
    tree = document_fromstring(f"<html><body><p>{line}</p></body></html>")
    metadata = read_metadata(read_facts(tree, URL), tree, lines=[line, TEXT])
    assert (metadata.dateline, metadata.credits) == (dateline, (credit,))


# --- times ---------------------------------------------------------------------------------------


def test_the_pages_own_statement_beats_feed_and_url_and_all_are_kept() -> None:
    head = '<meta property="article:published_time" content="2025-07-28T10:00:00+08:00">'
    metadata = read(
        head,
        url="https://tidegazette.example/2025/07/30/gate",
        hint=Hint(published_raw="Tue, 29 Jul 2025 01:00:00 GMT"),
    )
    assert metadata.published is not None
    assert metadata.published.start == datetime(2025, 7, 28, 2, tzinfo=UTC)
    assert metadata.published.offset_minutes == 480
    assert metadata.published_source == "meta:article:published_time"
    claims = [claim for claim in metadata.claims if claim.field == "published"]
    assert {claim.source for claim in claims} == {"meta:article:published_time", "feed", "url"}
    assert [claim.chosen for claim in claims].count(True) == 1


@pytest.mark.parametrize(
    "stated", ["2025-13-45", "yesterday", "2099-01-01T00:00:00Z", "1970-01-01", "2 hours ago"]
)
def test_an_impossible_or_relative_date_is_no_date(stated: str) -> None:
    head = f'<meta property="article:published_time" content="{stated}">'
    body = f"<h1>Gate opens</h1><p>{stated}</p><time datetime='{stated}'>{stated}</time>"
    assert read(head, body).published is None


def test_an_update_line_is_no_publication() -> None:
    body = "<h1>Gate opens</h1><p>Published 28 July 2025</p><p>Updated: 30 July 2025</p>"
    metadata = read(body=body)
    assert metadata.published is not None
    assert metadata.modified is not None
    assert (metadata.published.start.day, metadata.modified.start.day) == (28, 30)
    assert metadata.published_source == "text"


def test_a_year_in_a_copyright_line_or_caption_is_no_date() -> None:
    body = "<h1>Gate opens</h1><p>© 2019-01-02 Tide Gazette</p>"
    assert read(body=body).published is None


# --- the rest ------------------------------------------------------------------------------------


def test_canonical_image_tags_section_and_rights_are_read_with_their_source() -> None:
    head = (
        '<link rel="canonical" href="/news/gate?utm_source=x">'
        '<meta property="og:image" content="/gate.jpg"><meta property="article:section" content="Ports">'
        '<meta property="article:tag" content="gates"><meta property="article:tag" content="tides">'
        '<meta name="description" content="A gate opens.">'
    )
    body = "<figure><img><figcaption>The gate. (Photo: Li Wen)</figcaption></figure><footer>© 2025 Gazette. All rights reserved.</footer>"
    metadata = read(head, body)
    assert metadata.canonical_url == URL
    assert metadata.image_url == "https://www.tidegazette.example/gate.jpg"
    assert (metadata.image_caption, metadata.image_credit) == ("The gate.", "Li Wen")
    assert (metadata.section, metadata.tags) == ("Ports", ("gates", "tides"))
    assert metadata.description == "A gate opens."
    assert metadata.rights == "© 2025 Gazette. All rights reserved."


def test_a_language_that_the_script_contradicts_is_not_believed() -> None:
    line = "新闸门周日在河口开启，首批船只于中午通过，市民在两岸观看，孩子们放飞了纸船，老人们讲述旧闸门的故事。"
    tree = document_fromstring(f'<html lang="en-US"><body><p>{line}</p></body></html>')
    assert read_metadata(read_facts(tree, URL), tree, lines=[line]).language == "zh"


def test_broken_json_ld_is_read_as_far_as_it_goes() -> None:
    broken = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Gate\nopens",}</script>'
    assert read(broken).title == "Gate opens"
    assert read('<script type="application/ld+json">{"@type": </script>').title is None
    assert read('<script type="application/ld+json">' + "[" * 100_000 + "</script>").title is None


def test_what_json_escapes_bring_in_is_storable_and_composed() -> None:
    head = (
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": '
        '"Cafe\\u0301 opens\\u0000\\ud800 at last", "author": "Ann\\u0001 Lee"}</script>'
        '<meta name="description" content="One &amp;#1; two">'
    )
    metadata = read(head)
    assert metadata.title == "Café opens at last"
    assert metadata.authors == ("Ann Lee",)
    assert (metadata.description or "").isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@type", "author", "name", "headline", "datePublished", "image", "url"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_no_json_ld_makes_it_raise(value: object) -> None:
    stated = json.dumps([{"@type": "NewsArticle", "author": value, "image": value}, value])
    metadata = read(f'<script type="application/ld+json">{stated.replace("<", "")}</script>')
    repr_of_all = "".join(claim.value for claim in metadata.claims) + (metadata.title or "")
    repr_of_all.encode("utf-8")
    assert "\0" not in repr_of_all

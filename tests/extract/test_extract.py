from __future__ import annotations

import re
import time
import tomllib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.extract import VERSION, extract
from aidivide_archive.model import Extraction, PageKind
from tests.support.places import DATA

URL = "https://news.example/story"
SENTENCE = "The lock opened on Sunday with speeches about tides, pumps and the work of many years. "


# --- quality floors ------------------------------------------------------------------------------


def labelled_pages() -> list[dict[str, object]]:
    data = tomllib.loads((DATA / "quality" / "pages.toml").read_text("utf-8"))
    words = data["paragraphs"] | {
        "b" + name[1:]: text.replace('"', '\\"') for name, text in data["paragraphs"].items()
    }
    for page in data["page"]:
        page["html"] = page["html"].format(**words)
        page["text"] = [line.format(**words) for line in page["text"]]
    pages: list[dict[str, object]] = data["page"]
    return pages


PAGES = labelled_pages()


def extracted(page: dict[str, object]) -> Extraction:
    body = str(page["html"]).encode(str(page.get("encoding", "utf-8")))
    return extract(body, url="https://islandpost.example/sea/night-ferry").extraction


def shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = re.findall(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+", text)
    return Counter(zip(*(tokens[start:] for start in range(4)), strict=False))


def f1(found: str, labelled: str) -> float:
    one, other = shingles(found), shingles(labelled)
    return 2 * (one & other).total() / max(1, one.total() + other.total())


TEXT_FLOOR = 0.99


def test_the_text_of_our_own_labelled_pages_does_not_fall_below_its_floor() -> None:
    scores = {
        page["name"]: f1(extracted(page).text, "\n".join(page["text"]))  # type: ignore[call-overload]
        for page in PAGES
    }
    assert min(scores.values()) >= TEXT_FLOOR, scores


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["name"])
def test_the_floor_notices_a_lost_line_and_a_line_too_many(page: dict[str, object]) -> None:
    lines: list[str] = page["text"]  # type: ignore[assignment]
    labelled = "\n".join(lines)
    assert f1(labelled, labelled) >= TEXT_FLOOR
    assert f1("\n".join(lines[:-1]), labelled) < TEXT_FLOOR
    assert f1(f"{labelled}\nRelated stories from the harbour", labelled) < TEXT_FLOOR


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["name"])
def test_the_metadata_of_our_own_labelled_pages_is_right(page: dict[str, object]) -> None:
    metadata = extracted(page).metadata
    assert metadata.title == page["title"]
    assert list(metadata.authors) == page["authors"]
    if "date" in page:
        assert metadata.published is not None
        assert str(metadata.published.local_day) == page["date"]


# --- nothing silently lost, nothing unbounded ----------------------------------------------------


def article(extra: str = "") -> str:
    body = "".join(f"<p>Paragraph {number}: {SENTENCE * 2}</p>" for number in range(6))
    return f"<html><head><title>Lock opens</title></head><body><h1>Lock opens</h1>{body}{extra}</body></html>"


HOSTILE = {
    "3000 nested elements": "<html><body>"
    + "<div>" * 3000
    + f"<p>{SENTENCE * 5}</p>"
    + "</div>" * 3000,
    "400 nested elements": "<html><body>" + "<div>" * 400 + article() + "</div>" * 400,
    "64,000 attributes": article(
        "<div " + " ".join(f'a{n}="x"' for n in range(64_000)) + ">end</div>"
    ),
    "100,000 links": article("".join(f'<a href="/p{n}">link {n}</a> ' for n in range(100_000))),
    "20,000 open paragraphs": "<html><body>" + "".join(f"<p>{n} {SENTENCE}" for n in range(20_000)),
    "a paragraph of 4 MB": f"<html><body><p>{SENTENCE * 45_000}</p></body></html>",
    "a title of 400 kB": article().replace("Lock opens</title>", "a | " * 100_000 + "</title>"),
    "a wall of dates": article("<p>" + "2025-13-45 " * 50_000 + "</p>"),
    "nested JSON-LD": article('<script type="application/ld+json">' + "[" * 200_000 + "</script>"),
    "a body stated at length": article(
        '<script type="application/ld+json">{"@type": "Article", "articleBody": "'
        + "word " * 200_000
        + '"}</script>'
        + "".join(f"<p>{n} {SENTENCE}" for n in range(9_000))
    ),
    "open comments": f"<html><body><p>{SENTENCE * 5}</p>" + "<!--" * 200_000,
    "brackets": "<" * 300_000 + f"<p>{SENTENCE}</p>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_ends_soon_and_keeps_its_text(name: str) -> None:
    started = time.process_time()
    document = extract(HOSTILE[name].encode(), url=URL)
    assert time.process_time() - started < 5
    assert SENTENCE.strip()[:60] in document.extraction.text
    assert len(document.links) <= 1000


def test_a_page_too_deep_for_the_extractor_says_that_it_is_plain_text() -> None:
    assert extract(HOSTILE["3000 nested elements"].encode(), url=URL).extraction.mode == "plain"


@pytest.mark.parametrize(
    "body", [b"", b"   \n", b"\0" * 100, b"<html></html>", b"<body><script>x</script>"]
)
def test_a_page_without_text_is_a_value_not_an_exception(body: bytes) -> None:
    extraction = extract(body, url=URL).extraction
    assert extraction.text == ""
    assert extraction.page_kind is not PageKind.ARTICLE


@pytest.mark.parametrize(
    "body",
    [b'{"title": "Lock opens", "content": "' + SENTENCE.encode() * 9 + b'"}', b"%PDF-1.7\n" * 99,
     bytes(range(256)) * 50, SENTENCE.encode() * 20],
)  # fmt: skip
def test_a_body_that_is_no_html_is_no_article(body: bytes) -> None:
    extraction = extract(body, url=URL).extraction
    assert (extraction.page_kind, extraction.mode) == (PageKind.EMPTY, "not_html")


def test_a_lone_surrogate_does_not_cut_the_text() -> None:
    body = article().replace("Paragraph 2", "Paragraph \ud800 2").encode("utf-8", "surrogatepass")
    assert "Paragraph 5" in extract(body, url=URL).extraction.text


def test_every_row_names_the_versions_that_made_it() -> None:
    extraction = extract(article().encode(), url=URL).extraction
    assert extraction.version == VERSION
    assert "trafilatura" in VERSION


def test_paths_of_a_source_rule_the_text_and_are_named_in_the_version() -> None:
    html = article("<p class=promo>Our boat tours start at nine, and they end at the old pier.</p>")
    plain = extract(html.encode(), url=URL).extraction
    ruled = extract(html.encode(), url=URL, prune=["//*[@class='promo']"]).extraction
    assert "boat tours" in plain.text
    assert ruled.text == "\n".join(
        line for line in plain.text.split("\n") if "boat tours" not in line
    )
    assert ruled.version.startswith(f"{VERSION}+r")
    assert ruled.metadata == plain.metadata


def test_the_same_bytes_give_the_same_document() -> None:
    assert extract(article().encode(), url=URL) == extract(article().encode(), url=URL)


TAGS = st.sampled_from(
    ["<p>", "</p>", "<div>", "</div>", "<h1>", "<a href='/x'>", "</a>", "<table>", "<td>", "<br>",
     "<article>", "<li>", "<ul>", "<figure>", "<script>", "</script>", "<!--", "-->", "<time>",
     "<title>", "<b", "&#0;", "&amp;", "&#xD800;", "<svg>", "<form>", "<noscript>", SENTENCE, "x ",
     "2025-07-28", "By Ann Lee", "<meta charset=x>", "<base href=:>", "\ufffe", "中文", "\u202e"]
)  # fmt: skip


@given(st.lists(TAGS, max_size=40), st.binary(max_size=30))
@settings(max_examples=150, deadline=None)
def test_no_markup_makes_it_raise(pieces: list[str], noise: bytes) -> None:
    extraction = extract("".join(pieces).encode() + noise, url=URL).extraction
    extraction.text.encode("utf-8")
    assert "\0" not in extraction.text


# --- live blogs and galleries --------------------------------------------------------------------

ENTRIES = (("16:40", "The hall empties"), ("14:05", "A minister speaks"), ("09:10", "Doors open"))


def said(number: int) -> str:
    return f"Delegate {number} asked for shared machines and open models, and the chair took note of it."


def live_blog(entry: str, clock: str, *, share: str = "") -> bytes:
    entries = "".join(
        f'<{entry} class="entry"><{clock} class="time">{at}</{clock}><h3>{head}</h3>'
        f"<p>{said(number)}</p>{share}</{entry}>"
        for number, (at, head) in enumerate(ENTRIES)
    )
    stated = '<script type="application/ld+json">{"@type": "LiveBlogPosting"}</script>'
    return (
        f"<!DOCTYPE html><html lang='en'><head><title>The forum live</title>{stated}</head><body>"
        f"<main><h1>The forum live</h1><p>What happens at the forum, from the first to the last "
        f"word that is said.</p><div>{entries}</div></main></body></html>"
    ).encode()


@pytest.mark.parametrize("entry", ["article", "div", "section", "li"])
@pytest.mark.parametrize("clock", ["time", "span"])
def test_a_live_blog_keeps_its_entries_in_order_under_their_times(entry: str, clock: str) -> None:
    share = '<ul><li><a href="#">Share</a></li></ul>'
    found = extract(live_blog(entry, clock, share=share), url="https://news.example/live/forum")
    intro = "What happens at the forum, from the first to the last word that is said."
    wanted = [intro]
    for number, (at, head) in enumerate(ENTRIES):
        wanted += [at, head, said(number)]
    assert found.extraction.text.split("\n") == wanted
    assert found.extraction.page_kind is PageKind.LIVE_BLOG
    assert found.extraction.mode == "live_blog"


def test_teasers_with_times_beside_an_article_make_no_live_blog() -> None:
    teasers = "".join(
        f'<li><time>1{n}:00</time><a href="/{n}">{said(n)}</a> {said(n + 20)}</li>'
        for n in range(8)
    )
    lines = [said(n) for n in range(40, 52)]
    body = "".join(f"<p>{line}</p>" for line in lines)
    page = (
        f"<html lang='en'><head><title>Live: the forum</title></head><body><article><h1>Live: the "
        f"forum</h1>{body}</article><ul>{teasers}</ul></body></html>"
    )
    found = extract(page.encode(), url="https://news.example/live/forum").extraction
    assert found.text.split("\n") == lines
    assert found.page_kind is PageKind.ARTICLE


def gallery(captions: int, intro: str) -> bytes:
    figures = "".join(
        f'<figure><img src="/{n}.jpg"><figcaption>{said(n)}</figcaption></figure>'
        for n in range(captions)
    )
    return (
        f"<!DOCTYPE html><html lang='en'><head><title>In pictures</title></head><body><main>"
        f"<h1>The forum in pictures</h1><p>{intro}</p>{figures}</main></body></html>"
    ).encode()


def test_a_gallery_with_a_text_is_an_article_and_keeps_its_captions_in_order() -> None:
    intro = "Our photographer walked through the halls for three days and met many people there."
    found = extract(gallery(12, intro), url="https://news.example/pictures").extraction
    assert found.text.split("\n") == [intro, *map(said, range(12))]
    assert found.page_kind is PageKind.ARTICLE


def test_a_gallery_with_little_to_read_is_no_article() -> None:
    found = extract(gallery(6, "The forum."), url="https://news.example/pictures").extraction
    assert found.page_kind is PageKind.GALLERY


def test_settings_of_a_source_are_named_in_the_version() -> None:
    page = b"<html><body><article><p>x</p></article></body></html>"
    versions = {
        extract(page, url="https://a.example/x", **settings).extraction.version
        for settings in (
            {},
            {"prune": ("//aside",)},
            {"body": ("//main",)},
            {"site_timezone": "Asia/Shanghai"},
            {"default_language": "en"},
        )
    }
    assert len(versions) == 5
    assert all(version.startswith(VERSION) for version in versions)

"""What a page says of its place among the pages of one article."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.extract import extract
from aidivide_archive.model import Part

STORY = "https://news.example/story"
WORDS = "The boats of the island go out at night again, and the harbour office counts them. " * 6


def part(
    url: str, links: str = "", *, head: str = "", said: str = "", root: str = ""
) -> Part | None:
    html = (
        f"<!DOCTYPE html><html lang='en' {root}><head><title>Boats</title>{head}</head><body>"
        f"<article><h1>Boats</h1><p>{WORDS}</p></article><nav>{links}</nav><p>{said}</p></body></html>"
    )
    return extract(html.encode(), url=url).extraction.part


def link(href: str, label: str) -> str:
    return f'<a href="{href}">{label}</a>'


@pytest.mark.parametrize(
    ("url", "links", "number", "first", "following"),
    [
        (STORY, link("/story/2", "2"), 1, None, f"{STORY}/2"),
        (f"{STORY}/2", link("/story", "1") + link("/story/3", "3"), 2, STORY, f"{STORY}/3"),
        (f"{STORY}/2", link("/story", "Zurück"), 2, STORY, None),
        (f"{STORY}?page=2", link("/story?page=1", "Previous"), 2, STORY, None),
        (f"{STORY}?a=b&page=2", link("/story?a=b", "« 1"), 2, f"{STORY}?a=b", None),
        (f"{STORY}/page/2/", link("/story/", "Page 1"), 2, f"{STORY}/", None),
        (f"{STORY}/seite-3", link("/story/seite-2", "2") + link("/story", "1"), 3, STORY, None),
        (f"{STORY}_2.html", link("/story.html", "上一页"), 2, f"{STORY}.html", None),
        (f"{STORY}.html", link("/story_2.html", "下一页"), 1, None, f"{STORY}_2.html"),
        (f"{STORY}-2/", link("/story/", "1"), 2, f"{STORY}/", None),
    ],
)
def test_labelled_neighbours_make_a_page_one_of_several(
    url: str, links: str, number: int, first: str | None, following: str | None
) -> None:
    found = part(url, links)
    assert found is not None
    assert (found.number, found.first_url, found.next_url) == (number, first, following)


def test_rel_canonical_and_counters_say_so_too() -> None:
    assert part(STORY, head='<link rel="next" href="/story?page=2">') == Part(
        number=1, next_url=f"{STORY}?page=2"
    )
    assert part(f"{STORY}/2", head=f'<link rel="canonical" href="{STORY}">') == Part(
        number=2, first_url=STORY
    )
    counted = part(f"{STORY}-2", link("/story", "The boats"), said="Page 2 of 3")
    assert counted == Part(number=2, first_url=STORY, total=3)


def test_the_page_with_all_of_them_is_named_and_knows_itself() -> None:
    whole = f"{STORY}/komplettansicht"
    links = link("/story/seite-2", "2") + link("/story/komplettansicht", "Auf einer Seite lesen")
    first = part(STORY, links)
    assert first is not None
    assert first.whole_url == whole
    assert part(whole, link("/story", "Zurück")) == Part(number=0, first_url=STORY)


@pytest.mark.parametrize(
    ("url", "links", "head"),
    [
        (STORY, link("/story/2", "Another story"), ""),
        (STORY, "", '<link rel="next" href="/the-next-story">'),
        (f"{STORY}-2/", "", '<link rel="prev" href="/story/">'),
        (f"{STORY}-2/", link("/story/", "← Previous"), ""),
        (f"{STORY}/2", "", ""),
        (f"{STORY}/2", link("https://other.example/story", "1"), ""),
        ("https://news.example/top-10", link("/top", "Top") + link("/top-9", "Previous"), ""),
        ("https://news.example/2025/07", link("/2025", "2025") + link("/2025/06", "06"), ""),
        ("https://news.example/?p=12", link("/", "Home"), '<link rel="prev" href="/?p=11">'),
        (f"{STORY}/51", link("/story", "1") + link("/story/50", "50"), ""),
    ],
)
def test_a_number_alone_makes_no_page_of_several(url: str, links: str, head: str) -> None:
    assert part(url, links, head=head) is None


def test_an_amp_form_names_its_page_on_its_own_site_only() -> None:
    amp = "https://news.example/amp/story"
    for root in ("amp", "⚡"):
        canonical = f'<link rel="canonical" href="{STORY}">'
        assert part(amp, head=canonical, root=root) == Part(number=0, first_url=STORY, is_amp=True)
    elsewhere = '<link rel="canonical" href="https://other.example/story">'
    assert part(amp, head=elsewhere, root="amp") is None
    assert part(amp, head=f'<link rel="canonical" href="{STORY}">') is None


@given(
    path=st.text(st.sampled_from("ab/?&=-_.2012page:all,~"), max_size=30),
    href=st.text(st.sampled_from("ab/?&=-_.2012page:all,~"), max_size=30),
    label=st.sampled_from(["1", "2", "next", "x", "第2页"]),
)
@settings(max_examples=60, deadline=None)
def test_no_address_makes_it_raise(path: str, href: str, label: str) -> None:
    found = part(f"https://news.example/{path}", link(f"/{href}", label))
    assert found is None or 0 <= found.number <= 50


def test_a_page_of_numbered_links_is_read_in_linear_time() -> None:
    links = "".join(link(f"/story/{n}", str(n)) for n in range(2, 1000))
    found = part(STORY, links)
    assert found is not None
    assert found.next_url == f"{STORY}/2"

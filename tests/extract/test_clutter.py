from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.decode.blocks import line_key
from aidivide_archive.extract.clutter import (
    MIN_TEMPLATE_PAGES,
    distinct_pages,
    phrase,
    strip_lines,
    without_template,
)

# Interface texts of the kinds seen at outlets and content systems.
CLUTTER = [
    "ADVERTISEMENT", "Share", "Share - WeChat", "FOLLOW US", "CLOSE", "Top", "BACK TO THE TOP", "English",
    "Home / Business / Technology", "Home » Tide data pooled by harbour towns", "No Result", "View All Result",
    "Reading Time: 5 mins read", "A A", "Select Language:", "Related Posts", "Next Post", "© 2025 Tide Gazette",
    "Copyright 1995 - . All rights reserved.", "License for publishing multimedia online 0108263",
    "Registration Number: 130349", "[Photo provided to China Daily]", "[Photo/Xinhua]", "weixin weibo qqzone",
    "分享到微信", "来源:中国日报网", "责任编辑：王小平", "发布时间：2025-07-28 16:57", "猜你喜欢", "(Web editor: Li Wen)",
    "Related: Harbour museum opens its attic", "Story continues below advertisement",
    "Send this page to someone via email", "Sign up now: Get insights on tides and harbours",
    "Follow topic:", "toggle caption", "hide caption", "Editor: huaxia", "Source: Xinhua", "min read 0 0 0",
    "Read full article ▼", "The post Tide data appeared first on Tide Gazette.", "Continua qui:", "Source link",
    "Skip to main content", "menu close", "Font size: BigMediumSmall", "AI generated, for reference only",
    "Lesen Sie auch: Ein Leuchtturm sucht einen Wärter", "À lire aussi : le retour du bac de nuit",
    "Lea también: vuelve el transbordador", "Leia também: o farol encontra guardião", "Читайте также: маяк нашёл хранителя",
    "اقرأ أيضا: عودة العبارة", "Anzeige", "Publicité", "广告", "3 min read", "12 comments", "网站首页>新闻>正文",
    "ChatGPT Add us on ChatGPT Perplexity AI Add us on Perplexity",
]  # fmt: skip

# Sentences that hold the same words and are text.
SENTENCES = [
    "Share prices fell on Monday after the harbour bank published its figures.",
    "The news came late in the evening, when most editors had gone home.",
    "She asked the council to share the cost of the new gate with the villages.",
    "Home owners along the river will pay a third of the sum.",
    "Subscribers to the old telephone network were told to move by June.",
    "Follow the coast for two days and you reach the light of Arne Point.",
    "The top of the dam is two metres wide.",
    "Advertising on trams brings the city four million a year, the report says.",
    "Copyright law protects the map, not the river it shows, the judge said.",
    "The photo was taken by a fisherman who had seen the wave from his boat.",
    "广告收入今年增长了两成，报社负责人说。",
    "Anzeige erstattete am Dienstag auch ein Fischer aus dem Nachbarort.",
    "Close to the shore the water is only two feet deep.",
    "Read more slowly, the teacher told the class, and look at the words.",
]


@pytest.mark.parametrize("line", CLUTTER)
def test_an_interface_text_on_a_line_of_its_own_is_clutter(line: str) -> None:
    assert phrase(line) is not None


@pytest.mark.parametrize("line", SENTENCES)
def test_a_sentence_with_the_same_words_is_text(line: str) -> None:
    assert phrase(line) is None


def test_the_repeated_title_is_cut_near_the_beginning_only() -> None:
    title = "Harbour towns pool tide data"
    body = [f"Paragraph number {number} says something new." for number in range(6)]
    kept, cuts = strip_lines([title, *body, title], titles=[title])
    assert kept == (*body, title)
    assert [(cut.text, cut.reason, cut.position) for cut in cuts] == [(title, "title", 0)]


@pytest.mark.parametrize(
    "end", ["[Photo/Xinhua]", "[Photo provided to China Daily]", "（图/新华社）"]
)
def test_a_caption_with_its_credit_goes_unless_captions_are_what_the_page_says(end: str) -> None:
    lines = ["The lock opened on Sunday with speeches about tides and pumps. " * 3] * 3
    caption = f"An engineer reads a gauge. {end}"
    kept, cuts = strip_lines([lines[0], caption, *lines[1:]])
    assert kept == tuple(lines)
    assert [cut.reason for cut in cuts] == ["caption"]
    essay = [lines[0], *(f"{n}. {caption}" for n in range(9))]
    assert strip_lines(essay) == (tuple(essay), ())


def test_the_numbers_of_pages_to_choose_from_are_clutter_and_a_score_is_not() -> None:
    assert phrase("1 2 3 4 5") == "pages"
    assert phrase("Page 2 of 3") == "pages"
    assert phrase("第2页 共3页") == "pages"
    assert phrase("6 4 6 3") is None
    assert phrase("2025") is None


def test_single_links_inside_a_text_stay_and_runs_of_links_go() -> None:
    link, text = "An old lighthouse finds its keeper", "The gauge stands at the river mouth."
    links = frozenset({line_key(link), line_key("Night ferry returns")})
    assert strip_lines([text, link, text], link_lines=links)[1] == ()
    kept, cuts = strip_lines([text, link, "Night ferry returns", text], link_lines=links)
    assert kept == (text, text)
    assert {cut.reason for cut in cuts} == {"links"}
    assert strip_lines([text, link], link_lines=links)[0] == (text,)


def pages(count: int) -> list[list[str]]:
    return [
        [
            f"Story {number} begins at the quay, where boat {number} had been tied for a year.",
            f"Nobody in town {number} could say who owned it, or why it carried {number} lamps.",
            "Our reporters can be reached at the harbour desk.",
        ]
        for number in range(count)
    ]


DESK = "Our reporters can be reached at the harbour desk."


def test_a_line_is_counted_once_a_distinct_page() -> None:
    counts = distinct_pages(pages(3))
    assert counts[line_key(DESK)] == 3
    assert set(counts.values()) == {1, 3}


def test_copies_of_one_story_count_as_one_page() -> None:
    story = [
        "The council voted on Tuesday to move the old market to the northern bank of the river.",
        "Traders had asked for a roof and for two doors, and they will get both before winter.",
    ]
    copies = [[*story, f"Printed in edition {number}."] for number in range(6)]
    assert max(distinct_pages(copies).values()) < MIN_TEMPLATE_PAGES


def test_the_count_does_not_depend_on_the_order_of_pages() -> None:
    many = [*pages(8), *pages(3)]
    shuffled = many[:]
    random.Random(7).shuffle(shuffled)
    assert distinct_pages(many) == distinct_pages(shuffled)


def test_a_template_never_takes_more_than_a_quarter_of_a_text() -> None:
    template = {line_key(DESK)}
    long = [f"Sentence {number} of a long report about the river." for number in range(9)]
    kept, cuts = without_template([*long, DESK], (), template)
    assert kept == tuple(long)
    assert [(cut.text, cut.reason, cut.position) for cut in cuts] == [(DESK, "template", 9)]
    assert without_template(["Short text.", DESK], (), template) == (("Short text.", DESK), ())


@given(st.lists(st.text(max_size=60), max_size=12))
@settings(max_examples=200)
def test_kept_and_cut_lines_are_all_lines(lines: list[str]) -> None:
    kept, cuts = strip_lines(lines, titles=lines[:1])
    assert sorted([*kept, *(cut.text for cut in cuts)]) == sorted(lines)
    assert all(lines[cut.position] == cut.text for cut in cuts)


@pytest.mark.parametrize(
    "unit", ["a ", "> a ", "facebook ", "© ", "home > ", "share ", "(", "阅读 "]
)
def test_no_line_takes_long_to_judge(unit: str) -> None:
    started = time.process_time()
    for length in (20, 120, 258, 100_000):
        phrase((unit * length)[:length])
    assert time.process_time() - started < 0.5

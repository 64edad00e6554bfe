from __future__ import annotations

import pytest
from lxml.html import document_fromstring

from aidivide_archive.decode.blocks import line_key, paragraph_chars, read_blocks
from aidivide_archive.extract.selection import is_enough, is_off_topic, standfirst, stated_lines
from aidivide_archive.extract.site_rules import NO_RULE, rule_for, text_tree, with_source_paths

LONG = "The pump house on the northern bank has been running for forty years without a single stop."
OTHER = "A bakery near the station sells bread in the shape of boats to travellers every morning."


def test_blocks_are_texts_between_block_boundaries_with_their_links() -> None:
    tree = document_fromstring(
        "<html><head><title>no</title></head><body><div>One<script>no()</script> line<p>Two "
        '<a href="/x">link</a> end<br>Three</p>Four</div><button>no</button></body></html>'
    )
    blocks = read_blocks(tree)
    assert [(block.text, block.link_chars) for block in blocks] == [
        ("One line", 0),
        ("Two link end", 4),
        ("Three", 0),
        ("Four", 0),
    ]


def test_paragraph_chars_counts_prose_and_not_link_lists() -> None:
    tree = document_fromstring(
        f'<body><p>{LONG}</p><p><a href="/x">{LONG}</a></p><p>short</p></body>'
    )
    assert paragraph_chars(read_blocks(tree)) == len(LONG)


def test_line_key_ignores_case_width_space_and_punctuation() -> None:
    assert line_key("Ｔide — “Data”, 2025!") == line_key("tide data 2025")
    assert line_key("...") == ""


def test_a_text_that_misses_most_of_its_page_is_not_enough() -> None:
    tree = document_fromstring("<body>" + f"<p>{LONG}</p>" * 20 + "</body>")
    blocks = read_blocks(tree)
    assert not is_enough([LONG] * 3, blocks)
    assert is_enough([LONG] * 10, blocks)
    assert not is_enough(["tiny"], blocks)


def test_a_longer_text_about_something_else_is_off_topic() -> None:
    assert is_off_topic([OTHER] * 9, [LONG] * 4, "Forty years of the pump house on the bank")
    assert not is_off_topic([LONG] * 9, [OTHER] * 4, "Forty years of the pump house on the bank")
    assert not is_off_topic([LONG] * 9, [LONG] * 4, "Something else entirely")


def test_a_stated_body_chooses_blocks_only_when_the_text_misses_it() -> None:
    sentences = [f"Sentence {n} about the pump house and its two tall chimneys." for n in range(12)]
    tree = document_fromstring("<body>" + "".join(f"<p>{s}</p>" for s in sentences) + "</body>")
    blocks, body = read_blocks(tree), " ".join(sentences)
    assert stated_lines(sentences, blocks, body) is None
    assert stated_lines(sentences[:2], blocks, body) == tuple(sentences)
    assert stated_lines(sentences[:2], blocks, body[:200]) is None  # a teaser says nothing
    assert stated_lines(sentences[:2], blocks, None) is None


def test_a_standfirst_is_found_by_description_or_by_name_and_captions_are_not() -> None:
    page = (
        "<body><h1>Pumps</h1><p>{0}</p><figure><figcaption>A pump house in the morning light, "
        "seen from the river bank.</figcaption></figure><p>{1}</p></body>"
    )
    tree = document_fromstring(page.format(OTHER, LONG))
    assert standfirst([LONG], read_blocks(tree), ["Pumps"], OTHER) == (OTHER,)
    assert standfirst([LONG], read_blocks(tree), ["Pumps"], "Something else") == ()
    named = document_fromstring(page.format(OTHER, LONG).replace("<p>", '<p class="dek">', 1))
    assert standfirst([LONG], read_blocks(named), ["Pumps"], None) == (OTHER,)


def test_a_site_rule_narrows_the_tree_and_leaves_the_original_alone() -> None:
    html = f'<body><div id="Content"><p>{LONG * 3}</p></div><div>menu</div></body>'
    tree = document_fromstring(html)
    rule = rule_for("https://www.chinadaily.com.cn/a/1.html", tree)
    assert rule.zone == "Asia/Shanghai"
    assert "menu" not in text_tree(tree, rule).text_content()
    assert "menu" in tree.text_content()


def test_a_rule_without_its_elements_does_nothing() -> None:
    tree = document_fromstring(f"<body><p>{LONG}</p></body>")
    rule = rule_for("https://www.chinadaily.com.cn/a/1.html", tree)
    assert LONG in text_tree(tree, rule).text_content()
    assert rule_for("https://unknown.example/", tree) is NO_RULE
    assert rule_for("no url at all", tree) is NO_RULE


def test_layout_tables_are_opened_and_tables_of_data_stay() -> None:
    layout = f"<table><tr><td>{'<p>' + LONG * 6 + '</p>'}{'<p>x</p>' * 3}</td></tr></table>"
    data = "<table><tr><td>1</td><td>2</td></tr></table>"
    tree = text_tree(document_fromstring(f"<body>{layout}{data}</body>"), NO_RULE)
    assert len(list(tree.iter("table"))) == 1


def narrowed(html: str, *, prune: tuple[str, ...] = (), body: tuple[str, ...] = ()) -> str:
    tree = document_fromstring(html)
    return text_tree(tree, with_source_paths(NO_RULE, prune, body)).text_content()


def test_paths_of_a_source_prune_and_the_first_body_with_enough_text_wins() -> None:
    html = (
        f"<body><div id=a>short</div><div id=b><p>{LONG * 3}</p><i>ad</i></div>"
        f"<div id=c>{OTHER * 3}</div></body>"
    )
    paths = ("//*[@id='a']", "//*[@id='b']", "//*[@id='c']")
    assert narrowed(html, prune=("//i",), body=paths) == LONG * 3
    assert OTHER in narrowed(html, prune=("//i",))
    assert narrowed(html, body=("//body",)) == narrowed(html)


@pytest.mark.parametrize("path", ["//@id", "count(//p)", "string(//p)", "unknown(//p)", "//p[$x]"])
def test_a_path_that_leads_to_no_elements_does_nothing(path: str) -> None:
    html = f"<body><p id=a>{LONG * 3}</p></body>"
    assert narrowed(html, prune=(path,), body=(path,)) == LONG * 3


def test_paths_of_a_source_come_on_top_of_the_built_in_rule() -> None:
    tree = document_fromstring("<body></body>")
    built_in = rule_for("https://www.chinadaily.com.cn/a/1.html", tree)
    rule = with_source_paths(built_in, ("//i",), ("//article",))
    assert rule.zone == built_in.zone
    assert rule.prune[: len(built_in.prune)] == built_in.prune
    assert rule.body[1:] == built_in.body
    assert (built_in.is_stated, rule.is_stated) == (False, True)
    assert with_source_paths(built_in, (), ()) is built_in

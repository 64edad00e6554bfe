from itertools import product

import pytest
from lxml import etree
from lxml.html import document_fromstring
from trafilatura.htmlprocessing import prune_unwanted_nodes
from trafilatura.xpaths import (
    OVERALL_DISCARD_XPATH,
    RAW_TREE_PRUNE_XPATH,
    REMOVE_COMMENTS_AND_LISTS_XPATH,
    REMOVE_COMMENTS_XPATH,
)

from aidivide_archive.extract import pruning

LISTS = (RAW_TREE_PRUNE_XPATH, REMOVE_COMMENTS_AND_LISTS_XPATH, REMOVE_COMMENTS_XPATH)
NAMES = (
    "comments",
    "Comment-42",
    "commentary",
    "top comment",
    "line\ncomments",
    "comol",
    "disqus_thread",
    "dsq-comments",
    "xarticle-comments",
    "post-comments x",
    "mvp-post-add-box",
    "infinite-scroll",
    "infinitescroll",
    "elementor-share-buttons",
    "elementor_share_buttons",
    "",
)


def page(tag: str, attribute: str, value: str) -> str:
    """A page whose element of that name holds a headline and a text, with others around it."""
    element = etree.Element(tag, {attribute: value})
    element.text = "inside"
    etree.SubElement(element, "h1").text = "headline"
    inner = etree.tostring(element, encoding="unicode")
    return f"<body><div class='content'><p>before</p>{inner} tail<p>after</p></div></body>"


@pytest.mark.parametrize("number", range(len(LISTS)))
def test_pruning_finds_what_trafilatura_finds(number: int):
    rules = pruning.prunes(LISTS[number])
    tags = ("div", "section", "aside", "details", "ol", "ul", "p")
    for tag, attribute, value in product(tags, ("id", "class"), NAMES):
        html = page(tag, attribute, value)
        expected = prune_unwanted_nodes(document_fromstring(html), list(LISTS[number]))
        tree = document_fromstring(html)
        chosen = pruning.wanted(rules, pruning.ids_and_classes(tree))
        found = prune_unwanted_nodes(tree, chosen)
        assert etree.tostring(found) == etree.tostring(expected), (tag, attribute, value)


def test_no_expression_is_tried_on_a_page_without_its_words():
    tree = document_fromstring("<body><div id='main' class='news'><p>text</p></div></body>")
    names = pruning.ids_and_classes(tree)
    for rule in pruning.prunes(expression for one in LISTS for expression in one):
        assert rule.words is not None
        assert not rule.words.search(names)


def test_an_expression_that_asks_for_more_is_always_tried():
    assert [one.words for one in pruning.prunes(OVERALL_DISCARD_XPATH)] == [None, None]

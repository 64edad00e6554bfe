"""Of a list of what to prune from a page, the expressions that can find anything there.

Each expression tests the id and class of every element by a regular expression, which is slow in XPath; most pages
have no such id or class at all. All of them are looked through once, by one regular expression a list entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

_CLASSES = etree.XPath("//@class", smart_strings=False)
_IDS = etree.XPath("//@id", smart_strings=False)
_TEST = re.compile(r"(re:test|contains)\(@(?:id|class), '([^']*)'\)")
_ANY_TEST = re.compile(r"re:test|contains|@")


@dataclass(frozen=True, slots=True)
class Prune:
    """An expression, and what must stand in some id or class for it to find anything."""

    expression: etree.XPath
    words: re.Pattern[str] | None
    """Each value stands on a line of its own; None: the expression asks for other things too."""


def prunes(expressions: Iterable[etree.XPath]) -> tuple[Prune, ...]:
    return tuple(Prune(one, _words(one.path)) for one in expressions)


def _words(path: str) -> re.Pattern[str] | None:
    tests = _TEST.findall(path)
    # what is left when the tests are taken out must ask for nothing else
    if not tests or _ANY_TEST.search(_TEST.sub("", path)):
        return None
    patterns = [words if kind == "re:test" else re.escape(words) for kind, words in tests]
    return re.compile("|".join(f"(?:{one})" for one in dict.fromkeys(patterns)), re.MULTILINE)


def ids_and_classes(tree: HtmlElement) -> str:
    """Every id and class of a page, one a line."""
    return "\n".join({*_CLASSES(tree), *_IDS(tree)})


def wanted(rules: Iterable[Prune], names: str) -> list[etree.XPath]:
    """The expressions worth trying; `names`: `ids_and_classes` of the page, or of what it was cut from."""
    return [one.expression for one in rules if one.words is None or one.words.search(names)]

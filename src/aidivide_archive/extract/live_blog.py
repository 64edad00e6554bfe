"""The entries of a live blog in the order of the page, each under its time.

Extractors take times for page furniture and entries that are articles of their own for teasers.
What is looked for is a row of alike elements, each with a time and a sentence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from lxml.html import HtmlElement

from aidivide_archive.decode.blocks import Block, line_key, read_blocks
from aidivide_archive.extract.clutter import phrase

LIVE_TYPE = "LiveBlogPosting"
_MIN_ENTRIES = 3
_MIN_UNSTATED = 5
"""Entries that a page needs which does not state that it is a live blog."""
_MAX_MARKERS = 2_000
_MAX_LEVELS = 8
_TIME_CHARS = 40
_MIN_SHARE = 0.5
"""How much of the text found otherwise the entries must have."""
_CLOCK = re.compile(r"\b\d{1,2}\s?[:.h]\s?\d{2}\b|\b\d{1,2}\s?(?:am|pm|uhr)\b", re.IGNORECASE)
_TIME_NAME = re.compile(r"(?:^|[\s_-])(?:time|timestamp|date|datetime|zeit|uhrzeit)", re.IGNORECASE)
_LIVE_WORDS = re.compile(
    r"\blive\b|live-?(?:blog|ticker|updates?)|\bticker\b|minute by minute|as it happened"
    r"|en (?:directo|direct|vivo)\b|ao vivo|in diretta|直播|прямая трансляция|مباشر",
    re.IGNORECASE,
)


def live_lines(
    tree: HtmlElement,
    blocks: Sequence[Block],
    lines: Sequence[str],
    *,
    types: Iterable[str],
    title: str,
) -> list[str] | None:
    """Introduction and entries of a live blog, one after the other; None: the page is none.

    `lines` is the text as found otherwise, `title` what the page calls itself and its address.
    """
    is_stated = LIVE_TYPE in types
    if not is_stated and not _LIVE_WORDS.search(title):
        return None
    entries = _entries(tree)
    if len(entries) < (_MIN_ENTRIES if is_stated else _MIN_UNSTATED):
        return None
    lines_of_entries = [line for entry in entries for line in _entry_lines(entry)]
    have = {line_key(line) for line in lines_of_entries}
    # a row of teasers or comments beside an article has other text than the article
    same = lines_of_entries if is_stated else [line for line in lines if line_key(line) in have]
    if sum(map(len, same)) < _MIN_SHARE * sum(map(len, lines)):
        return None
    before = {line_key(block.text) for block in _before(blocks, entries[0])}
    intro = [line for line in lines if (key := line_key(line)) in before and key not in have]
    return [*intro, *lines_of_entries]


def _entries(tree: HtmlElement) -> list[HtmlElement]:
    """The alike siblings with a time and a sentence each that hold most text."""
    rows: defaultdict[tuple[HtmlElement, object], dict[HtmlElement, None]] = defaultdict(dict)
    for count, marker in enumerate(_time_markers(tree)):
        if count >= _MAX_MARKERS:
            break
        element = marker
        for _ in range(_MAX_LEVELS):
            parent = element.getparent()
            if parent is None or parent.tag in ("body", "html"):
                break
            rows[parent, element.tag].setdefault(element)
            element = parent
    best: list[HtmlElement] = []
    size = 0
    for row in rows.values():
        if len(row) < _MIN_ENTRIES:
            continue
        chars = sum(len(text) for entry in row if len(text := entry.text_content()) > _TIME_CHARS)
        if chars > size:
            best, size = list(row), chars
    return best


def _time_markers(tree: HtmlElement) -> Iterable[HtmlElement]:
    for element in tree.iter("time", "span", "div", "p", "strong", "b"):
        if element.tag != "time" and not _TIME_NAME.search(element.get("class") or ""):
            continue
        text = " ".join(element.text_content()[: 4 * _TIME_CHARS].split())
        if len(text) <= _TIME_CHARS and _CLOCK.search(text):
            yield element


def _entry_lines(entry: HtmlElement) -> list[str]:
    """Time, headline and paragraphs of an entry; links that stand alone and buttons are left out."""
    lines: list[str] = []
    blocks = read_blocks(entry)
    if not any(block.is_paragraph for block in blocks):
        return []
    for block in blocks:
        is_time = len(block.text) <= _TIME_CHARS and _CLOCK.search(block.text) is not None
        if not is_time and (phrase(block.text) or block.link_chars > 0.8 * len(block.text)):
            continue
        if lines and is_time and line_key(block.text) == line_key(lines[-1]):
            continue
        lines.append(block.text)
    # a line that looks like a date of the page would be cut: the time stands before its first words
    if len(lines) > 1 and phrase(lines[0]):
        lines[:2] = [f"{lines[0]} {lines[1]}"]
    return lines


def _before(blocks: Sequence[Block], entry: HtmlElement) -> list[Block]:
    found = []
    for block in blocks:
        if any(one is entry for one in (block.element, *block.element.iterancestors())):
            break
        found.append(block)
    return found

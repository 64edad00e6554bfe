"""Which lines are the article: judging what extractors give against the blocks of the page.

Pure functions over lines and blocks. The thresholds were set on labelled pages of 300 sites and
hold for all of them alike; `benchmarks/extraction.py` measures them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from aidivide_archive.decode.blocks import Block, line_key, paragraph_chars

_MIN_CHARS = 250
"""Trafilatura's own MIN_EXTRACTED_SIZE: a shorter text is looked at twice."""
_MIN_SHARE = 0.3
"""A text with less than this share of the page's paragraphs is looked at twice."""
_TOPIC_LEAD = 0.15
"""How much more of the headline's words a text must have to be preferred for it."""
_BODY_COVERED = 0.7
"""Share of a stated articleBody from which the text is not doubted."""
_BODY_GAIN = 0.1
_MIN_BODY_KEY = 350
"""Letters and digits of an articleBody that is worth trusting: teasers are shorter."""
_MAX_BODY_CHARS = 60_000
_MAX_BODY_BLOCKS = 4_000
"""Bounds of the search for blocks inside a stated body, which takes their product."""
_KEY_CHARS = 25
"""Letters and digits from which a line is unlikely to stand on a page by chance."""
_GLUED_CHARS = 200
"""Shorter lines are taken as they are."""
_STANDFIRST_BLOCKS = 8
_STANDFIRST_CHARS = 700
_STANDFIRST_NAMES = re.compile(
    r"sub-?_?(?:title|head|deck|line)|stand-?first|\bdec?k\b|[_-]dec?k\b|summary|excerpt|intro"
    r"|preamble|(?:^|[\s_.-])lead|abstract|teaser-text|synopsis|chapeau|chapo|ingress|description"
    r"|sapo\b|vorspann|entradilla|bajada|sommaire|occhiello|sottotitolo",
    re.IGNORECASE,
)
_NOT_STANDFIRST = re.compile(
    r"caption|credit|<fig|figure|image|photo|author|byline|\bbio\b|share|social|newsletter|modal"
    r"|comment|related|<aside|<nav|<footer",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"""[.!?。！？…؟।]["'”’»」)]?$""")
_WORD = re.compile(r"\w+")


def is_enough(lines: Sequence[str], blocks: Sequence[Block]) -> bool:
    """Whether a text holds enough of its page to be taken without a second opinion."""
    chars = sum(map(len, lines))
    return chars >= _MIN_CHARS and chars >= _MIN_SHARE * paragraph_chars(blocks)


def unglued(lines: Sequence[str], blocks: Sequence[Block]) -> list[str]:
    """Lines that are several blocks of the page run together, such as the captions of a gallery, in their parts.

    Some of trafilatura's fall-backs lose the boundaries. A line is taken apart only when its blocks
    follow one another on the page and make up the whole of it.
    """
    if all(len(line) <= _GLUED_CHARS for line in lines):
        return list(lines)
    keys = [line_key(block.text) for block in blocks[:_MAX_BODY_BLOCKS]]
    starts: dict[str, int] = {}
    for place, key in enumerate(keys):
        if len(key) >= _KEY_CHARS:
            starts.setdefault(key[:_KEY_CHARS], place)
    found: list[str] = []
    for line in lines:
        parts: list[int] = []
        if len(line) > _GLUED_CHARS:
            key = line_key(line)
            parts = _parts(key, keys, starts.get(key[:_KEY_CHARS], len(keys)))
        found.extend([blocks[part].text for part in parts] if len(parts) > 1 else [line])
    return found


def _parts(key: str, keys: Sequence[str], start: int) -> list[int]:
    """Places of the blocks that follow one another and make up a line; none when they do not."""
    found: list[int] = []
    for place in range(start, len(keys)):
        if not key:
            break
        if keys[place] and not key.startswith(keys[place]):
            return []
        if keys[place]:
            found.append(place)
            key = key[len(keys[place]) :]
    return [] if key else found


def is_off_topic(longer: Sequence[str], shorter: Sequence[str], topic: str) -> bool:
    """Whether a longer text is another article than the one that headline and description name.

    A longer text that begins like or contains the shorter one continues it.
    """
    words = {word for word in _WORD.findall(topic.lower()) if len(word) > 3 or not word.isascii()}
    if not words or sum(map(len, shorter)) < _MIN_CHARS:
        return False
    joined = "".join(map(line_key, longer))
    if "".join(map(line_key, shorter))[:200] in joined:
        return False
    return _share(words, shorter) >= _share(words, longer) + _TOPIC_LEAD


def _share(words: set[str], lines: Sequence[str]) -> float:
    return len(words.intersection(_WORD.findall(" ".join(lines).lower()))) / len(words)


def stated_lines(
    lines: Sequence[str], blocks: Sequence[Block], body: str | None
) -> tuple[str, ...] | None:
    """The page's blocks that a stated articleBody holds, when `lines` miss much of it; else None.

    The statement only chooses: it is often cut, glued or older than what the page shows.
    """
    stated = line_key((body or "")[:_MAX_BODY_CHARS])
    blocks = blocks[:_MAX_BODY_BLOCKS]
    if len(stated) < _MIN_BODY_KEY:
        return None
    covered = _coverage(map(line_key, lines), stated)
    if covered >= _BODY_COVERED:
        return None
    keys = [line_key(block.text) for block in blocks]
    places = [place for place, key in enumerate(keys) if len(key) > _KEY_CHARS and key in stated]
    if not places:
        return None
    chosen: dict[str, str] = {}
    for place in range(places[0], places[-1] + 1):
        if keys[place] and keys[place] in stated:
            chosen.setdefault(keys[place], blocks[place].text)
    if _coverage(chosen, stated) < covered + _BODY_GAIN:
        return None
    return tuple(chosen.values())


def _coverage(keys: Iterable[str], stated: str) -> float:
    distinct = {
        key for key in islice(keys, _MAX_BODY_BLOCKS) if len(key) > _KEY_CHARS and key in stated
    }
    return sum(map(len, distinct)) / len(stated)


def standfirst(
    lines: Sequence[str],
    blocks: Sequence[Block],
    titles: Iterable[str],
    description: str | None,
) -> tuple[str, ...]:
    """The introduction between headline and text, which extractors take for page furniture.

    It stands within a few blocks after the headline, has no links, and either repeats the page's
    description or is a sentence in an element named for it.
    """
    heads = {line_key(title) for title in titles}
    have = [line_key(line) for line in lines]
    first = next((key for key in have if len(key) > _KEY_CHARS), None)
    if first is None:
        return ()
    after: list[Block] | None = None
    for block in blocks:
        if after is not None and len(block.text) > _KEY_CHARS:
            key = line_key(block.text)
            if key and (first.startswith(key) or key.startswith(first)) and key not in heads:
                break
        if _is_headline(block, heads):
            after = []
        elif after is not None:
            after.append(block)
    else:
        return ()
    described, joined = line_key(description or ""), "".join(have)
    found: dict[str, str] = {}
    for block in (after or ())[:_STANDFIRST_BLOCKS]:
        key = line_key(block.text)
        if key in joined or not _is_standfirst(block, key, described):
            continue
        found[key] = block.text
    return tuple(found.values())


def _is_headline(block: Block, heads: set[str]) -> bool:
    if len(block.text) > 400 or line_key(block.text) not in heads:
        return False
    tags = [str(element.tag) for element in block.ancestry(3)]
    return "h1" in tags or tags[0] == "h2"


def _is_standfirst(block: Block, key: str, described: str) -> bool:
    if len(key) < 30 or len(block.text) > _STANDFIRST_CHARS:
        return False
    if block.link_chars > 0.2 * len(block.text):
        return False
    if _NOT_STANDFIRST.search(block.labels(4)):
        return False
    if described and (key.startswith(described[:40]) or described.startswith(key[:40])):
        return True
    return bool(_STANDFIRST_NAMES.search(block.labels(3)) and _SENTENCE_END.search(block.text))

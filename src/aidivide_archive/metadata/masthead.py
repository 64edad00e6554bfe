"""The blocks round the headline, where byline, date line and source stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aidivide_archive.decode.blocks import Block, line_key

_BEFORE = 8
_AFTER = 25
_PARAGRAPHS_AFTER = 2
_FALLBACK_BLOCKS = 60


def masthead(
    blocks: Sequence[Block], titles: Iterable[str], lines: Sequence[str]
) -> tuple[Block, ...]:
    """The blocks near the headline, nearest after it first, then those before it.

    Without a headline on the page: the blocks before and at the beginning of the text.
    """
    heads = {key for title in titles if len(key := line_key(title)) > 5}
    start = _first_line(blocks, lines)
    place = _headline(blocks, heads, start)
    if place is None:
        return tuple(blocks[max(0, start - 12) : start + 4])
    after: list[Block] = []
    paragraphs = 0
    for block in blocks[place + 1 : place + 1 + _AFTER]:
        paragraphs += block.is_paragraph
        if paragraphs > _PARAGRAPHS_AFTER:
            break
        after.append(block)
    return (*after, *reversed(blocks[max(0, place - _BEFORE) : place]))


def _headline(blocks: Sequence[Block], heads: set[str], start: int) -> int | None:
    """The headline nearest before the text's first line, else the first one; h1 before others."""
    ranked: list[tuple[bool, bool, int]] = []
    for place, block in enumerate(blocks):
        if len(block.text) <= 400 and line_key(block.text) in heads:
            tags = {element.tag for element in block.ancestry(3)}
            if "h1" in tags or "h2" in tags or not ranked:
                before = place <= start
                ranked.append((before, "h1" in tags, place if before else -place))
    return abs(max(ranked)[2]) if ranked else None


def _first_line(blocks: Sequence[Block], lines: Sequence[str]) -> int:
    keys = [key for line in lines[:6] if len(key := line_key(line)) > 20]
    for place, block in enumerate(blocks):
        key = line_key(block.text)
        if len(key) > 20 and any(key.startswith(line) or line.startswith(key) for line in keys):
            return place
    return min(len(blocks), _FALLBACK_BLOCKS)

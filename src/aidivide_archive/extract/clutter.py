"""Lines of an extracted text that are no part of the article, and why.

Phrases match whole lines only: "share" and "news" stand in sentences, too. What a site repeats is
learnt from at least three different pages and never takes more than a quarter of a text; it is
known only when many pages are, so `without_template` cuts it from a text that was extracted before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import count, pairwise

from aidivide_archive.decode.blocks import line_key
from aidivide_archive.extract.clutter_phrases import CAPTION, PHRASES
from aidivide_archive.model import Cut

MIN_TEMPLATE_PAGES = 3
"""Distinct pages of a site on which a line must recur to be its template."""
MAX_TEMPLATE_SHARE = 0.25
"""A template never takes more than this share of a text's letters."""
MAX_CAPTION_SHARE = 0.3
"""A page with more of its letters in captions is a photo essay: they are what it says."""
_MAX_CAPTION_CHARS = 400
_COPY_SHARE = 0.5
"""Pages of one site that share this much are copies of one another and count as one."""
_LONG_KEY = 60
_MANY = 50
_TITLE_LINES = 4
_MAX_PHRASE_CHARS = 260
_MIN_LINK_RUN = 2
_MIN_STRIP = 3


def strip_lines(
    lines: Sequence[str],
    *,
    titles: Iterable[str] = (),
    link_lines: Collection[str] = frozenset(),
) -> tuple[tuple[str, ...], tuple[Cut, ...]]:
    """Split lines into what is kept and what is cut, with the reason.

    `titles` are the headline's variants; a line near the beginning that equals one is cut.
    `link_lines` are the `line_key`s of blocks that are links from end to end.
    """
    heads = {line_key(title) for title in titles} - {""}
    keys = [line_key(line) for line in lines]
    reasons: dict[int, str] = {}
    for position, line in enumerate(lines):
        if position - len(reasons) < _TITLE_LINES and keys[position] in heads:
            reasons[position] = "title"
        elif name := phrase(line):
            reasons[position] = f"phrase:{name}"
    reasons |= _captions(lines, reasons)
    reasons |= _link_runs(keys, link_lines, reasons)
    kept = tuple(line for position, line in enumerate(lines) if position not in reasons)
    cuts = tuple(
        Cut(text=lines[position], reason=reason, position=position)
        for position, reason in sorted(reasons.items())
    )
    return kept, cuts


def _captions(lines: Sequence[str], reasons: dict[int, str]) -> dict[int, str]:
    """Lines that end in a bracketed picture credit; none where captions are much of the text."""
    found = {
        place: "caption"
        for place, line in enumerate(lines)
        if place not in reasons and len(line) <= _MAX_CAPTION_CHARS and CAPTION.search(line)
    }
    kept = sum(len(line) for place, line in enumerate(lines) if place not in reasons)
    is_essay = sum(len(lines[place]) for place in found) > MAX_CAPTION_SHARE * kept
    return {} if is_essay else found


def _link_runs(
    keys: Sequence[str], link_lines: Collection[str], reasons: dict[int, str]
) -> dict[int, str]:
    """Lines that are only links, where several stand together or at the text's end."""
    cut_at: dict[int, str] = {}
    run: list[int] = []
    remaining = [place for place in range(len(keys)) if place not in reasons]
    for place in remaining:
        if len(keys[place]) > 3 and keys[place] in link_lines:
            run.append(place)
            continue
        if len(run) >= _MIN_LINK_RUN:
            cut_at |= dict.fromkeys(run, "links")
        run = []
    if run and len(run) < len(remaining):
        cut_at |= dict.fromkeys(run, "links")
    return cut_at


def without_template(
    lines: Sequence[str], cuts: Sequence[Cut], template: Collection[str]
) -> tuple[tuple[str, ...], tuple[Cut, ...]]:
    """Split the lines of an extracted text into what is kept and what the site repeats.

    `cuts` are the extraction's own: with them the positions of the new cuts are those of the
    extractor's output as well. No cuts at all when they would take more than a quarter.
    """
    keys = [line_key(line) for line in lines]
    repeated = [bool(key) and key in template for key in keys]
    letters = sum(len(key) for key, is_repeated in zip(keys, repeated, strict=True) if is_repeated)
    if letters > MAX_TEMPLATE_SHARE * sum(map(len, keys)):
        return tuple(lines), ()
    taken = {cut.position for cut in cuts}
    positions = (place for place in count() if place not in taken)
    kept, new_cuts = [], []
    for line, is_repeated, position in zip(lines, repeated, positions, strict=False):
        if is_repeated:
            new_cuts.append(Cut(text=line, reason="template", position=position))
        else:
            kept.append(line)
    return tuple(kept), tuple(new_cuts)


def distinct_pages(pages: Iterable[Sequence[str]]) -> Counter[str]:
    """On how many distinct pages of one site each line stands, by `line_key`.

    `pages` are the lines of each page's text. Pages that share half their lines are copies or
    revisions of one text and count once, so that syndicated text is never taken for a template.
    The result does not depend on the order of the pages.
    """
    sets = sorted(
        {frozenset(key for line in lines if (key := line_key(line))) for lines in pages},
        key=lambda keys: (-len(keys), sorted(keys)),
    )
    counts: Counter[str] = Counter()
    holders: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for keys in sets:
        long = [key for key in keys if len(key) >= _LONG_KEY]
        # a line on many distinct pages is a template already and says nothing about copies
        alike = (other for key in long if len(holders[key]) < _MANY for other in holders[key])
        if any(_are_copies(keys, other) for other in alike):
            continue
        counts.update(keys)
        for key in long:
            holders[key].append(keys)
    return counts


def _are_copies(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two pages share most of their letters, apart from short lines."""
    shared = sum(len(key) for key in one & other if len(key) >= _LONG_KEY)
    return shared >= _COPY_SHARE * min(sum(map(len, one)), sum(map(len, other)))


def phrase(line: str) -> str | None:
    """The name of the clutter phrase that a whole line is, or None."""
    if len(line) > _MAX_PHRASE_CHARS:
        return None
    text = line.strip(" \t.:-–—|•·*[]()【】<>»«›▼►→…,\u200b")
    if not text:
        return "blank" if line.strip("| -\u200b") == "" or len(line) < 40 else None
    if _is_page_strip(text):
        return "pages"
    words = len(text.split())
    for name, cap, pattern in PHRASES:
        if words <= cap and pattern.fullmatch(text):
            return name
    return None


def _is_page_strip(text: str) -> bool:
    """Whether a line is the numbers of pages to choose from: three or more, one after the other."""
    if not text[0].isdigit():
        return False
    numbers = text.split()
    if len(numbers) < _MIN_STRIP or not all(one.isdecimal() for one in numbers):
        return False
    values = [int(one) for one in numbers]
    return all(after - before == 1 for before, after in pairwise(values))

"""Lines of an extracted text that are no part of the article, and why.

Phrases match whole lines only: "share" and "news" stand in sentences, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from aidivide_archive.blocks import line_key
from aidivide_archive.model import Cut


def strip_lines(
    lines: Sequence[str],
    *,
    titles: Iterable[str] = (),
    template: Collection[str] = frozenset(),
) -> tuple[tuple[str, ...], tuple[Cut, ...]]:
    """Split lines into what is kept and what is cut.

    `titles` are the headline's variants: the first lines equal to one are cut. `template` holds
    `line_key`s that recur on the site.
    """
    heads = {line_key(title) for title in titles} - {""}
    kept: list[str] = []
    cuts: list[Cut] = []
    for position, line in enumerate(lines):
        reason = None
        if len(kept) < 3 and line_key(line) in heads:
            reason = "title"
        elif name := phrase(line):
            reason = f"phrase:{name}"
        if reason:
            cuts.append(Cut(text=line, reason=reason, position=position))
        else:
            kept.append(line)
    return tuple(kept), tuple(cuts)


_PHRASES = (
    (
        "advert",
        4,
        re.compile(
            r"(?:advertisement|advertising|anzeige|werbung|publicité|publicidad|publicidade|pubblicità|广告|реклама)",
            re.I,
        ),
    ),
)


def phrase(line: str) -> str | None:
    """The name of the clutter phrase that a whole line is, or None."""
    text = line.strip(" \t.:-–—|•·*[]()")
    if not text or len(text) > 300:
        return None
    words = len(text.split())
    return next(
        (name for name, cap, pattern in _PHRASES if words <= cap and pattern.fullmatch(text)), None
    )

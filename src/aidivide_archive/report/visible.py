"""What strangers wrote, made safe to stand in a page: nothing invisible, nothing endless, no link but http."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aidivide_archive.words import CONTROLS, OVERRIDES, SURROGATES, without_surrogates

MAX_CHARS = 300
"""Longer titles are cut: no headline is longer, a broken page's may be megabytes."""

# What drives a terminal or turns a line round, interlinear marks and tag characters. Joiners and the plain direction
# marks belong to scripts.
_HIDDEN = re.compile(f"[{CONTROLS}{OVERRIDES}\ufff9-\ufffb\U000e0000-\U000e007f]")
_BLANKS = re.compile(r"[ \t\n\r\f\v\u2028\u2029]+")
_UNFIT_FOR_LINKS = re.compile(f"[{CONTROLS} \xa0\u2028\u2029{SURROGATES}]")


def visible(text: object, limit: int | None = MAX_CHARS) -> str:
    """One line in which hidden characters stand as [U+202E]; cut with "…" after `limit` characters."""
    words = "" if text is None else str(text)
    cut = limit is not None and len(words) > limit
    words = _BLANKS.sub(" ", words[:limit] if cut else words).strip()
    return _shown(words) + ("…" if cut else "")


def visible_lines(text: str, limit: int) -> str:
    """The same with line ends kept, for running text."""
    lines = (_shown(_BLANKS.sub(" ", line)) for line in text[:limit].split("\n"))
    return "\n".join(lines) + ("…" if len(text) > limit else "")


def _shown(words: str) -> str:
    return _HIDDEN.sub(lambda hidden: f"[U+{ord(hidden[0]):04X}]", without_surrogates(words))


def safe_href(url: object) -> str | None:
    """The address when a browser may be led there: http or https with a host; None otherwise."""
    text = "" if url is None else str(url)
    if _UNFIT_FOR_LINKS.search(text):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and host else None

"""What strangers wrote, made safe to stand in a page: nothing invisible, nothing endless, no link but http."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_CHARS = 300
"""Longer titles are cut: no headline is longer, a broken page's may be megabytes."""

# What drives a terminal or turns a line round: C0 and C1 controls, bidi embeddings, overrides and isolates
# (CVE-2021-42574), interlinear marks, tag characters. Joiners and the plain direction marks belong to scripts.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\n\r\f\v\u2028\u2029]+")
_UNFIT_FOR_LINKS = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")


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
    words = _SURROGATE.sub("\ufffd", words)
    return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", words)


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

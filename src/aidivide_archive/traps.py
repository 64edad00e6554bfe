"""Which URLs a site makes up without end: their shape, and the pattern that many of them share.

Shape refuses a link before it is asked for. Patterns are counted by the frontier: one whose pages bring no content
that its host has not shown before is given up (docs/politeness.md).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from urllib.parse import urlsplit

MAX_PATTERN_CHARS = 500

_NUMBER = re.compile(r"[0-9]+")
_WORD = re.compile(r"[a-z]{1,20}", re.IGNORECASE)


def odd_shape(url: str, *, segments: int, repeats: int, keys: int) -> str | None:
    """What is wrong with a canonical URL that was found as a link, in words; None when nothing is.

    `segments`: of the path, at most; `repeats`: how often one of them may stand there; `keys`: of the query, at most.
    """
    parts = urlsplit(url)
    path = [one for one in parts.path.split("/") if one]
    if len(path) > segments:
        return f"{len(path)} path segments"
    for segment, count in Counter(path).items():
        if count > repeats:
            return f"path segment {segment[:40]!r} stands there {count} times"
    query = _query_keys(parts.query)
    if len(query) > keys:
        return f"{len(query)} parameters in the query"
    return None


def url_pattern(url: str) -> str:
    """What URLs of one kind share: words of the path, "#" for numbers, "*" for names and for any query.

    /2025/07/28/a-bridge-opens?page=3 becomes /#/#/#/*?*. The keys of the query do not count: filters of a list can be
    combined without end.
    """
    parts = urlsplit(url)
    path = "/".join(_general(segment) for segment in parts.path.split("/"))[:MAX_PATTERN_CHARS]
    return f"{path}?*" if parts.query else path


def _general(segment: str) -> str:
    if not segment or _WORD.fullmatch(segment):
        return segment.lower()
    return "#" if _NUMBER.fullmatch(segment) else "*"


def _query_keys(query: str) -> list[str]:
    return [part.partition("=")[0].lower() for part in query.split("&") if part]


def fingerprint(text: str) -> int | None:
    """48 bits of a text without its numbers: equal for pages that differ in a date or a counter; None for no text."""
    words = _NUMBER.sub("#", " ".join(text.casefold().split()))
    if not words:
        return None
    return int.from_bytes(hashlib.sha256(words.encode("utf-8", "replace")).digest()[:6])

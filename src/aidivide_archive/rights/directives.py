"""Robots directives as `robots` metas and X-Robots-Tag headers write them: their names, their grammar, whom they bind.

The grammar is the one that search engines document (robots meta tag, X-Robots-Tag); separators other than the comma
are accepted, because a page that writes "index; noarchive" means it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

UNAVAILABLE_AFTER = "unavailable_after"
MAX_SNIPPET = "max-snippet"
_PLAIN = frozenset(
    [
        "all",
        "none",
        "index",
        "noindex",
        "follow",
        "nofollow",
        "archive",
        "noarchive",
        "nocache",
        "snippet",
        "nosnippet",
        "imageindex",
        "noimageindex",
        "notranslate",
        "nositelinkssearchbox",
        "indexifembedded",
        "noodp",
        "noydir",
        "noai",
        "noimageai",
    ]
)
_WITH_VALUE = frozenset([UNAVAILABLE_AFTER, MAX_SNIPPET, "max-image-preview", "max-video-preview"])
_SHORT_FOR = {"none": ("noindex", "nofollow"), "nocache": ("noarchive",)}
"""`none` stands for two directives; `nocache` is another search engine's word for `noarchive`."""
_AGENT = re.compile(r"[a-z0-9_*.-]{1,60}")


def product_token(user_agent: str) -> str:
    """The name by which sites address a crawler: what stands before the first slash or blank, lower case."""
    return re.split(r"[/\s]", user_agent.strip(), maxsplit=1)[0].lower()


def addresses_an_agent(name: str, content: str) -> bool:
    """Whether a meta of this lower-case name speaks to the robot of that name: its content is directives alone."""
    if not _AGENT.fullmatch(name):
        return False
    names = [directive for directive, _ in _split(content)]
    return bool(names) and all(_is_known(directive) for directive in names)


def directives_for(agent: str, source: str, words: str) -> Iterator[tuple[str, str]]:
    """(directive, value) of one statement as far as it binds an agent, given by its product token.

    Yields nothing for statements that are no robots directives, or that address other agents.
    """
    kind, _, name = source.partition(":")
    if source == "header:x-robots-tag":
        found = _in_header(agent, words)
    elif kind == "meta" and name in ("robots", "*", agent):
        found = _split(words)
    else:
        return
    for directive, value in found:
        for meant in _SHORT_FOR.get(directive, (directive,)):
            yield meant, value


def _in_header(agent: str, words: str) -> Iterator[tuple[str, str]]:
    """X-Robots-Tag: "agent: directive, directive" binds that agent until the next one is named."""
    addressed = "*"
    for head, value in _split(words):
        if _is_known(head):
            if addressed in ("*", agent):
                yield head, value
        elif value and _AGENT.fullmatch(head):
            addressed = head
            directive, _, rest = value.partition(":")
            if addressed in ("*", agent):
                yield directive.strip().lower(), rest.strip()


def _is_known(name: str) -> bool:
    return name in _PLAIN or name in _WITH_VALUE


def _split(words: str) -> Iterator[tuple[str, str]]:
    """Lower-case name and value of each directive; a date keeps its commas."""
    parts: list[str] = []
    for part in re.split("[,;]", words):
        if parts and UNAVAILABLE_AFTER in parts[-1].lower() and not _begins_directive(part):
            parts[-1] += "," + part
        else:
            parts.append(part)
    for part in parts:
        plain = part.lower().split()
        if len(plain) > 1 and all(word in _PLAIN for word in plain):  # "noindex nofollow"
            yield from ((word, "") for word in plain)
            continue
        name, _, value = part.partition(":")
        if name.strip():
            yield name.strip().lower(), value.strip()


def _begins_directive(part: str) -> bool:
    """Whether what follows a comma is a directive or an agent, and not the rest of a date such as " 25-Jul-2025 15:00"."""
    name = part.partition(":")[0].strip().lower()
    return _is_known(name) or (":" in part and not name[:1].isdigit())


def moment(text: str) -> datetime | None:
    """A date as RFC 822, RFC 850 or ISO 8601 write it, in UTC; without zone: UTC. None for anything else."""
    words = text.strip()
    try:
        stated = datetime.fromisoformat(words)
    except ValueError:
        try:
            stated = parsedate_to_datetime(words)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return (stated if stated.tzinfo else stated.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

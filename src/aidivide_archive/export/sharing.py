"""What of a text may be passed on to others; everything here is a pure function of a row and a policy.

A set for sharing holds a text only where nothing speaks against it. Otherwise metadata, link, digest and an excerpt
stay, and `aidivide rehydrate` rebuilds the text from one's own archive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aidivide_archive.export.columns import EXCERPT, LEFT_OUT, Column
from aidivide_archive.export.registry import Row

_RESERVING = re.compile(
    r"\b(?:noindex|none|noarchive|nocache|nosnippet|noai|noimageai|unavailable_after)\b",
    re.IGNORECASE,
)
_CC = re.compile(r"creativecommons\.org/(?:licenses/by(?:-sa)?/|publicdomain/)", re.IGNORECASE)
_WORD = re.compile(r"\S+")
# Scripts without spaces: an excerpt of them is counted in characters.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
_WORD_CHARS = 50
"""A text without any blank is still cut."""
_QUOTED_FIELDS = ("description", "image_caption")


class LeftOut(StrEnum):
    """Why a text is not in a set for sharing."""

    PROFILE = "not_permitted"  # [rights] export_full_text is false, and no licence permits it
    RESERVED = "rights_reserved"  # the page or its headers reserve it
    EMPTY = "no_text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """[rights] of the event profile, as far as it is about passing on."""

    full_text: bool = False
    excerpt_words: int = 40


def may_share_text(
    statements: Sequence[tuple[str, str]], *, text: str, policy: Policy
) -> LeftOut | None:
    """None when the whole text may be passed on, else why not. `statements`: (source, words) about rights.

    What a page reserves counts before the profile; an open licence that allows changes (a clean text is one) counts
    without the profile.
    """
    if not text:
        return LeftOut.EMPTY
    if any(_reserves(source, words) for source, words in statements):
        return LeftOut.RESERVED
    if policy.full_text or any(_CC.search(words) for _, words in statements):
        return None
    return LeftOut.PROFILE


def _reserves(source: str, words: str) -> bool:
    name = source.rpartition(":")[2].lower()
    if name == "tdm-reservation":
        return words.strip() == "1"
    return name in ("x-robots-tag", "robots") and _RESERVING.search(words) is not None


def statements_of(rights: object) -> Iterator[tuple[str, str]]:
    """(source, words) of what is stored about a capture's rights: a mapping by source, or a list of statements."""
    if not isinstance(rights, Mapping):
        return
    listed = rights.get("statements")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, Mapping):
            yield str(one.get("source")), str(one.get("value"))
    for source, words in rights.items():
        if isinstance(words, str):
            yield str(source), words


def shared(row: Row, policy: Policy) -> dict[str, Any]:
    """The row as it may be passed on: with `excerpt`, and with its text or why that is left out.

    `row` may have a field `rights` (`Reader.rows`); it is not passed on.
    """
    text = row.get("text") or ""
    reason = may_share_text(list(statements_of(row.get("rights"))), text=text, policy=policy)
    passed = {name: value for name, value in row.items() if name != "rights"}
    passed["excerpt"] = excerpt(text, policy.excerpt_words) or None
    passed["text_left_out"] = None if reason is None else reason.value
    if reason is not None:
        passed["text"] = None
        for name in _QUOTED_FIELDS:  # some sites put the whole text there
            if passed.get(name):
                passed[name] = excerpt(passed[name], policy.excerpt_words) or None
    return passed


def shared_columns(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of a set for sharing."""
    return (*columns, EXCERPT, LEFT_OUT)


def excerpt(text: str, words: int) -> str:
    """The beginning of a text on one line: so many words, a character of a script without spaces being half a one."""
    left = 2 * words
    kept: list[str] = []
    for found in _WORD.finditer(text[: words * _WORD_CHARS]):
        word = found[0]
        characters = len(_UNSPACED.findall(word))
        cost = characters or 2
        if cost > left:
            if characters and left:
                kept.append(_beginning(word, left))
            return " ".join(kept) + "…" if kept else ""
        kept.append(word)
        left -= cost
    return " ".join(kept)


def _beginning(word: str, characters: int) -> str:
    counted = 0
    for place, sign in enumerate(word):
        counted += _UNSPACED.match(sign) is not None
        if counted > characters:
            return word[:place]
    return word

"""Rows as they may be passed on to others; everything here is a pure function of a row and a policy.

What may be passed on is decided by `rights.sharing`; this module applies it. Where a text is left out, metadata, link
and digest stay, an excerpt where that is allowed, and `aidivide rehydrate` rebuilds the text from one's own archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from aidivide_archive.config import Politeness, Profile
from aidivide_archive.export.registry import Row
from aidivide_archive.fields import EXCERPT, LEFT_OUT, Field
from aidivide_archive.rights import Sharing, from_stored, product_token, sharing
from aidivide_archive.words import excerpt

_QUOTED_FIELDS = ("description", "image_caption")
"""Fields in the page's words; some sites put the whole text there."""


class LeftOut(StrEnum):
    """Why a text is not in a set for sharing."""

    PROFILE = "not_permitted"  # no open licence allows it, and [rights] export_full_text is false
    RESERVED = "rights_reserved"  # page or response reserve it
    EMPTY = "no_text"


_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def _default_agent() -> str:
    return product_token(Politeness().user_agent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Under what a set is passed on: [rights] of the event profile, in whose name, as of when."""

    full_text: bool = False
    """The profile's word that the publishers permit it; reservations count all the same."""
    excerpt_words: int = 40
    agent: str = field(default_factory=_default_agent)
    """Product token of the profile's user agent: statements addressed to it bind us."""
    as_of: datetime = _END_OF_TIME
    """Terms that ended by then (`unavailable_after`) are over. An export gives the moment of the archive's last change,
    never the clock, so that it is the same again; without one every term is over."""

    @classmethod
    def of(cls, profile: Profile, *, as_of: datetime) -> Policy:
        """The policy of an event profile."""
        return cls(
            full_text=profile.rights.export_full_text,
            excerpt_words=profile.rights.excerpt_words,
            agent=product_token(profile.politeness.user_agent),
            as_of=as_of,
        )


def shared(row: Row, policy: Policy) -> dict[str, Any]:
    """The row as it may be passed on: with `excerpt`, and with its text or why that is left out.

    `row` may have a field `rights`, a value of `captures.rights` (`Reader.rows`); it is not passed on.
    """
    text = row.get("text") or ""
    allowed = sharing(
        from_stored(row.get("rights")),
        agent=policy.agent,
        now=policy.as_of,
        permitted=policy.full_text,
    )
    reason = _left_out(text, allowed)
    passed = {name: value for name, value in row.items() if name != "rights"}
    passed["excerpt"] = _quoted(text, allowed, policy)
    passed["text_left_out"] = None if reason is None else reason.value
    if reason is not None:
        passed["text"] = None
        for name in _QUOTED_FIELDS:
            if passed.get(name):
                passed[name] = _quoted(passed[name], allowed, policy)
    return passed


def _left_out(text: str, allowed: Sharing) -> LeftOut | None:
    if not text:
        return LeftOut.EMPTY
    if allowed.text:
        return None
    return LeftOut.RESERVED if allowed.reservations else LeftOut.PROFILE


def _quoted(text: str, allowed: Sharing, policy: Policy) -> str | None:
    """The beginning of a text as far as it may be quoted; None: nothing of it."""
    if not allowed.excerpt:
        return None
    words = excerpt(text, policy.excerpt_words)
    limit = allowed.max_excerpt_chars
    if limit is not None and len(words) > limit:
        words = words[: limit - 1] + "…"
    return words or None


def shared_columns(columns: Sequence[Field]) -> tuple[Field, ...]:
    """The columns of a set for sharing."""
    return (*columns, EXCERPT, LEFT_OUT)

"""Slugs and the program's notes in the words of a newspaper reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from aidivide_archive.archive.queries import Filters
from aidivide_archive.model import Reason, Role
from aidivide_archive.report.places import country_name, language_name
from aidivide_archive.report.times import shown_moment

ROLE_WORDS = {
    Role.ORIGIN: "first",
    Role.COPY: "copy",
    Role.EDITED_COPY: "edited copy",
    Role.SYNDICATED: "wire copy, credited",
    Role.EXCERPT: "excerpt",
    Role.ROUNDUP: "roundup",
    Role.UPDATE: "update by the same outlet",
}
_MAY_CREDIT = (Role.COPY, Role.EDITED_COPY, Role.EXCERPT)
_NAMES_A_SOURCE = re.compile(r"credits |credited as |names .* as the original")


def ledger_words(reason: object) -> str:
    """What became of an address; "not fetched yet" when it has no reason."""
    if reason is None:
        return "not fetched yet"
    try:
        return Reason(str(reason)).words
    except ValueError:
        return str(reason).replace("_", " ")


def role_words(role: object, reasons: Iterable[object], own_names: Iterable[str] = ()) -> str:
    """What an article is in its story; whether it names a source is said where it matters."""
    try:
        known = Role(str(role))
    except ValueError:
        return "not settled yet"
    words = ROLE_WORDS[known]
    if known not in _MAY_CREDIT:
        return words
    own = {f"credits {name}".casefold() for name in own_names}
    names = any(
        _NAMES_A_SOURCE.match(str(reason)) and str(reason).casefold() not in own
        for reason in reasons
    )
    return f"{words}, {'credited' if names else 'no credit found'}"


def short_role(row: Mapping[str, object]) -> str:
    """For a list: "first of 4", "copy", "excerpt" …"""
    if row["role"] == Role.ORIGIN:
        return f"first of {row['story_articles']}"
    return ROLE_WORDS.get(Role(str(row["role"])), "")


# --- why -----------------------------------------------------------------------------------------

_Match = re.Match[str]
_REASONS: tuple[tuple[re.Pattern[str], Callable[[_Match], str]], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"(\d+)% of it stands in the origin",
            lambda m: f"{m[1]} % of its text stands in the first article too",
        ),
        (
            r"linked through other articles of the story",
            lambda _: "it shares text with other articles of this story, not with the first itself",
        ),
        (r"judged the same by a person", lambda _: "a person judged them to be one text"),
        (
            r"credited as the source by the story's articles",
            lambda _: "the other articles name it as their source",
        ),
        (r"credits (.+)", lambda m: f"it names {m[1]} as its source"),
        (r"(.+) names it as the original", lambda m: f"the page of {m[1]} calls it the original"),
        (r"names (.+) as the original", lambda m: f"its page calls {m[1]} the original"),
        (
            r"no dated article is surely earlier, (\d+) are later",
            lambda m: f"no dated article of this story is surely earlier; {_are(m[1])} later",
        ),
        (
            r"(\d+) of the story's articles are earlier",
            lambda m: f"{_articles(m[1])} of this story came out earlier",
        ),
        (
            r"a part of another article of the story",
            lambda _: "its text is only a part of another article's",
        ),
        (
            r"shares text with (\d+) articles that share none with each other",
            lambda m: f"it gathers text of {m[1]} articles that have nothing in common",
        ),
        # a rank among candidates says nothing that the evidence before it does not say
        (r"candidate \d+ for the origin, .*", lambda _: ""),
    )
)


def reason_words(reasons: Iterable[object], own_names: Iterable[str] = ()) -> tuple[str, ...]:
    """The evidence of a story member as clauses; a note that is not known here stands as it is.

    That an outlet credits itself, by one of its own names, is no evidence and left out.
    """
    own = {f"credits {name}".casefold() for name in own_names}
    told = (str(reason) for reason in reasons)
    return tuple(filter(None, (_clause(one) for one in told if one.casefold() not in own)))


def _clause(reason: str) -> str:
    for pattern, words in _REASONS:
        found = pattern.fullmatch(reason)
        if found:
            return words(found)
    return reason


def _are(number: str) -> str:
    return f"{number} {'is' if number == '1' else 'are'}"


def _articles(number: str) -> str:
    return "one article" if number == "1" else f"{number} articles"


def certainty(confidence: object) -> str:
    """How sure the choice of the first article is, in a word."""
    share = confidence if isinstance(confidence, float | int) else 0.0
    if share >= 0.8:
        return "clear"
    return "likely" if share >= 0.5 else "not sure: the evidence is weak"


# --- what a report is narrowed to ----------------------------------------------------------------


def filter_words(filters: Filters) -> tuple[str, ...]:
    """Each filter that is set, as "outlet: One Daily or Two Wire"."""
    lists = (
        ("outlet", filters.outlets),
        ("site", filters.sites),
        ("country", tuple(country_name(code.upper()) for code in filters.countries)),
        ("language", tuple(language_name(code) for code in filters.languages)),
        ("story", filters.stories),
        ("role", filters.roles),
        ("relevance", filters.relevance),
        ("discovered by", filters.sources),
    )
    words = [f"{name}: {' or '.join(values)}" for name, values in lists if values]
    if filters.since is not None:
        words.append(f"published from {shown_moment(filters.since)}")
    if filters.until is not None:
        words.append(f"published before {shown_moment(filters.until)}")
    if filters.min_score is not None:
        words.append(f"at least {filters.min_score:g} points of relevance")
    if filters.event is not None:
        words.append(f"event: {filters.event}")
    return tuple(words)

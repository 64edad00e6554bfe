"""Slugs and evidence in the words of a newspaper reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aidivide_archive.archive.queries import Filters
from aidivide_archive.evidence import Evidence, EvidenceKind, explained
from aidivide_archive.model import Reason, Role
from aidivide_archive.report.places import country_name, language_name
from aidivide_archive.report.times import shown_moment

_NAMES_A_SOURCE = frozenset((EvidenceKind.CREDITS, EvidenceKind.CALLS_ORIGINAL))


def ledger_words(reason: object) -> str:
    """What became of an address; "not fetched yet" when it has no reason."""
    if reason is None:
        return "not fetched yet"
    try:
        return Reason(str(reason)).words
    except ValueError:
        return str(reason).replace("_", " ")


def role_words(role: object, evidence: Iterable[Evidence], own_names: Iterable[str] = ()) -> str:
    """What an article is in its story, and whether it names a source where that matters and is known."""
    try:
        known = Role(str(role))
    except ValueError:
        return "not settled yet"
    if not known.is_taken:
        return known.words
    kinds = {part.kind for part in _without_own_credits(evidence, own_names)}
    if EvidenceKind.EARLIER_WORDING in kinds:
        return known.words
    return f"{known.words}, {'credited' if kinds & _NAMES_A_SOURCE else 'no credit found'}"


def short_role(row: Mapping[str, object]) -> str:
    """For a list: "first of 4", "copy", "excerpt" …"""
    if row["role"] == Role.ORIGIN:
        return f"first of {row['story_articles']}"
    return Role(str(row["role"])).words


# --- why -----------------------------------------------------------------------------------------


def reason_words(evidence: Iterable[Evidence], own_names: Iterable[str] = ()) -> tuple[str, ...]:
    """The evidence of a story member as clauses.

    Left out are its rank among the candidates, which the other evidence explains, and that an outlet credits itself.
    """
    return tuple(
        explained(part)
        for part in _without_own_credits(evidence, own_names)
        if part.kind is not EvidenceKind.CANDIDATE
    )


def _without_own_credits(
    evidence: Iterable[Evidence], own_names: Iterable[str]
) -> Iterator[Evidence]:
    own = {name.casefold() for name in own_names}
    for part in evidence:
        if part.kind is not EvidenceKind.CREDITS or str(part.name).casefold() not in own:
            yield part


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

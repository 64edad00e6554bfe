"""Which article of a story had the text first, and why we think so.

Pure: knows the members of one story and their matches. Evidence adds up; none of it decides alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from aidivide_archive.evidence import Evidence, EvidenceKind
from aidivide_archive.model import Comparison, StoryArticle

# Weights in points. A link by the publisher is a statement about this very text; a credit may be
# wrong both ways (docs/copies.md); a time may be a re-publication; length and direction are hints.
CANONICAL_POINTS = 3.0
CREDIT_POINTS = 2.5
CREDITS_OTHER_POINTS = -1.0
TIME_POINTS = 2.0
CONTAINED_POINTS = -1.5
LONGEST_POINTS = 0.25
FULL_MARGIN = 3.0
"""Points ahead of the second candidate that make an origin certain."""

# Agencies whose credit is not spelt like their site's domain.
_AGENCY_LABELS = {
    "xinhua": ("xinhuanet", "news"),
    "新华社": ("xinhuanet", "news"),
    "新华网": ("xinhuanet", "news"),
    "ap": ("apnews",),
    "associatedpress": ("apnews",),
    "theassociatedpress": ("apnews",),
    "agencefrancepresse": ("afp",),
    "中新社": ("chinanews",),
    "中新网": ("chinanews",),
    "中国新闻网": ("chinanews",),
    "人民网": ("people",),
    "人民日报": ("people",),
    "peoplesdaily": ("people",),
    "央视新闻": ("cctv",),
    "中国日报": ("chinadaily",),
    "中国日报网": ("chinadaily",),
    "dpa": ("dpa",),
}
_LETTERS = re.compile(r"[\W_]+")


class _Add(Protocol):
    def __call__(self, article: int, points: float, *evidence: Evidence) -> None:
        """Give an article points, and say what for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginCandidate:
    """One member as a candidate for the origin."""

    article_id: int
    points: float
    evidence: tuple[Evidence, ...]


def rank_origins(
    members: Sequence[StoryArticle], comparisons: Mapping[tuple[int, int], Comparison]
) -> tuple[OriginCandidate, ...]:
    """Rank the members of one story, the likeliest origin first. n log n, plus the comparisons.

    `comparisons`: of pairs of members, keyed (a, b) as compared. Ties go to the earlier time, then
    the longer text, then the smaller id, so that the order of the arguments does not matter.
    """
    sums: dict[int, float] = {member.id: 0.0 for member in members}
    kept: dict[int, list[Evidence]] = {member.id: [] for member in members}

    def add(article: int, points: float, *evidence: Evidence) -> None:
        sums[article] += points
        kept[article] += evidence

    ordered = sorted(members, key=lambda member: member.id)
    _weigh_links(ordered, add)
    _weigh_credits(ordered, add)
    _weigh_times(ordered, add)
    _weigh_containment(ordered, comparisons, add)
    longest = max(member.word_count for member in ordered)
    for member in ordered:
        if longest:
            sums[member.id] += LONGEST_POINTS * member.word_count / longest
    ranked = sorted(
        ordered,
        key=lambda member: (
            -round(sums[member.id], 9),
            member.published_start or datetime.max.replace(tzinfo=UTC),
            -member.word_count,
            member.id,
        ),
    )
    return tuple(
        OriginCandidate(
            article_id=member.id,
            points=round(sums[member.id], 9),
            evidence=tuple(kept[member.id]),
        )
        for member in ranked
    )


def origin_confidence(ranked: Sequence[OriginCandidate]) -> float:
    """Return how sure the first candidate is, in [0, 1]: its share alone up to a clear lead."""
    if len(ranked) < 2:
        return 1.0
    even = 1 / len(ranked)
    lead = min(1.0, (ranked[0].points - ranked[1].points) / FULL_MARGIN)
    return round(even + (1 - even) * lead, 3)


def is_own_site(credit: str, site: str) -> bool:
    """Say whether a credit ("Xinhua", "China Daily") names the organisation behind a site."""
    name = _LETTERS.sub("", credit.casefold())
    labels = site.casefold().split(".")
    known = _AGENCY_LABELS.get(name)
    if known:
        return labels[0] in known
    if len(name) < 3:
        return False
    label = _LETTERS.sub("", labels[0])
    # "Yicai" and yicaiglobal.com, "The Straits Times" and straitstimes.com; not "News" in newsbeep.
    bare = name.removeprefix("the")
    return label == bare or (len(bare) >= 5 and label.startswith(bare))


def _weigh_links(members: Sequence[StoryArticle], add: _Add) -> None:
    """A canonical link to another member says that this one is the other's copy."""
    by_url = {_bare(member.url): member for member in reversed(members)}
    for member in members:
        if not member.canonical_url:
            continue
        named = by_url.get(_bare(member.canonical_url))
        if named is None or named.id == member.id:
            continue
        called = Evidence(kind=EvidenceKind.CALLED_ORIGINAL, name=member.site)
        calls = Evidence(kind=EvidenceKind.CALLS_ORIGINAL, name=named.url)
        add(named.id, CANONICAL_POINTS, called)
        add(member.id, -CANONICAL_POINTS, calls)


def _weigh_credits(members: Sequence[StoryArticle], add: _Add) -> None:
    """Points for the outlets that the story's articles credit; else fewer for whoever credits another one."""
    sites = sorted({member.site for member in members})
    owners = {
        credit: frozenset(site for site in sites if is_own_site(credit, site))
        for credit in {credit for member in members for credit in member.credits}
    }
    credited = {site for owned in owners.values() for site in owned}
    for member in members:
        others = sorted(credit for credit in member.credits if member.site not in owners[credit])
        credits_other = [Evidence(kind=EvidenceKind.CREDITS, name=name) for name in others[:1]]
        if member.site in credited:
            by_others = Evidence(kind=EvidenceKind.CREDITED_BY_OTHERS)
            add(member.id, CREDIT_POINTS, by_others, *credits_other)
        elif credits_other:
            add(member.id, CREDITS_OTHER_POINTS, *credits_other)


def _weigh_times(members: Sequence[StoryArticle], add: _Add) -> None:
    """Give points for the share of the other dated members that are surely later, less earlier.

    Times are intervals: where two overlap, as a day does with a minute in it, neither is earlier.
    """
    spans = [(member.id, *span) for member in members if (span := interval(member))]
    if len(spans) < 2:
        return
    starts = sorted(start for _, start, _ in spans)
    ends = sorted(end for _, _, end in spans)
    for article, start, end in spans:
        itself = start == end  # an instant would be before and after itself
        later = len(starts) - bisect_left(starts, end) - itself
        earlier = bisect_right(ends, start) - itself
        value = TIME_POINTS * (later - earlier) / (len(spans) - 1)
        if not earlier:
            add(article, value, Evidence(kind=EvidenceKind.NONE_EARLIER, count=later))
        else:
            add(article, value, Evidence(kind=EvidenceKind.SOME_EARLIER, count=earlier))


def _weigh_containment(
    members: Sequence[StoryArticle],
    comparisons: Mapping[tuple[int, int], Comparison],
    add: _Add,
) -> None:
    """An article that is only a part of another one did not have the text first."""
    known = {member.id for member in members}
    contained = {
        a if comparison.contains == "b" else b
        for (a, b), comparison in comparisons.items()
        if comparison.contains and a in known and b in known
    }
    for article in sorted(contained):
        add(article, CONTAINED_POINTS, Evidence(kind=EvidenceKind.PART_OF_ANOTHER))


def interval(article: StoryArticle) -> tuple[datetime, datetime] | None:
    """Return the publication interval; None when unknown or impossible."""
    start, end = article.published_start, article.published_end
    if start is None or (end is not None and end < start):
        return None
    return start, end or start


def _bare(url: str) -> str:
    """Drop what does not tell two addresses of one page apart: scheme, www, trailing slash."""
    return re.sub(r"^https?://(?:www\.)?", "", url.strip(), flags=re.IGNORECASE).rstrip("/")

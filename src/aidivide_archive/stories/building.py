"""Matches → stories: which articles are one text, in which role, and who had it first.

A pure function of articles, matches and judgements: the result does not depend on their order, so
an archive built piece by piece and one rebuilt from nothing have the same stories.

Copies form components; inside each, average linkage keeps apart what only a chain of pairs holds
together. Excerpts then join the one story they are a part of, as leaves: they never bridge two
stories, and neither does a roundup, which stays a story of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aidivide_archive.evidence import Evidence, EvidenceKind
from aidivide_archive.model import (
    Comparison,
    Match,
    Role,
    Story,
    StoryArticle,
    StoryMember,
    Verdict,
)
from aidivide_archive.stories.copy_graph import CopyGraph
from aidivide_archive.stories.origin import (
    OriginCandidate,
    interval,
    is_own_site,
    origin_confidence,
    rank_origins,
)

STORIES_VERSION = "3"
"""Raise it whenever `build_stories` gives another result for any input."""

COPY_SHARE = 0.8
"""Share of both that copy and origin have in common at least; below, the copy is edited."""
SYNDICATED_SHARE = 0.4
"""Share of a credited article that stands in the origin at least for it to be syndicated text."""
EXCERPT_SHARE = 0.5
"""An excerpt holds at most this share of its origin."""


def build_stories(
    articles: Sequence[StoryArticle],
    matches: Sequence[Match],
    judgements: Mapping[tuple[int, int], Verdict],
) -> tuple[Story, ...]:
    """Group articles into stories, ordered by story id; every article is in exactly one.

    `judgements` of a person beat the machine, keyed by two article ids in either order; "unsure"
    leaves the machine's decision. Matches and judgements on unknown articles are ignored.
    Cost: linear in articles, n log n in the matches.
    """
    known = {article.id: article for article in articles}
    graph = CopyGraph(known.keys(), matches, judgements)
    stories = []
    for group in graph.groups():
        if len(group) == 1:
            stories.append(_single(group[0], graph))
        else:
            stories.append(_story([known[article] for article in group], graph))
    return tuple(sorted(stories, key=lambda story: story.id))


def _single(article: int, graph: CopyGraph) -> Story:
    parents = graph.roundups.get(article, ())
    evidence: tuple[Evidence, ...] = ()
    if parents:
        evidence = (Evidence(kind=EvidenceKind.UNRELATED_SOURCES, count=len(parents)),)
    member = StoryMember(
        article_id=article,
        role=Role.ROUNDUP if parents else Role.ORIGIN,
        share_copied=None,
        hours_after_origin=None,
        confidence=1.0,
        evidence=evidence,
    )
    return Story(id=article, members=(member,))


def _story(members: Sequence[StoryArticle], graph: CopyGraph) -> Story:
    ids = {member.id for member in members}
    comparisons = graph.within(ids)
    ranked = rank_origins(members, comparisons)
    by_id = {member.id: member for member in members}
    origin = by_id[ranked[0].article_id]
    confidence = origin_confidence(ranked)
    best = _best_shares(comparisons)
    result = []
    for place, candidate in enumerate(ranked, start=1):
        member = by_id[candidate.article_id]
        if member is origin:
            described = _origin_member(candidate, confidence)
        else:
            share = best.get(member.id, 0.0)
            described = _member(member, origin, graph, share, candidate, place)
        result.append(
            replace(
                described,
                origin_rank=place,
                origin_points=candidate.points,
                origin_evidence=candidate.evidence,
            )
        )
    result.sort(key=lambda member: member.article_id)
    return Story(id=result[0].article_id, members=tuple(result))


def _origin_member(candidate: OriginCandidate, confidence: float) -> StoryMember:
    return StoryMember(
        article_id=candidate.article_id,
        role=Role.ORIGIN,
        share_copied=None,
        hours_after_origin=None,
        confidence=confidence,
        evidence=candidate.evidence or (Evidence(kind=EvidenceKind.UNOPPOSED),),
    )


def _member(
    member: StoryArticle,
    origin: StoryArticle,
    graph: CopyGraph,
    best_share: float,
    candidate: OriginCandidate,
    place: int,
) -> StoryMember:
    """Describe one copy; its confidence is the share of it that stands in its closest relative."""
    comparison = graph.compared(member.id, origin.id)
    judged = graph.is_same(member.id, origin.id)
    evidence = []
    if judged:
        evidence.append(Evidence(kind=EvidenceKind.JUDGED_SAME))
    if comparison is None:
        evidence.append(Evidence(kind=EvidenceKind.LINKED_THROUGH_OTHERS))
    else:
        percent = round(comparison.containment_a * 100)
        evidence.append(Evidence(kind=EvidenceKind.SHARE_IN_ORIGIN, percent=percent))
    evidence += candidate.evidence
    points = round(candidate.points, 2) + 0.0  # PostgreSQL's JSON has no -0.0
    evidence.append(Evidence(kind=EvidenceKind.CANDIDATE, rank=place, points=points))
    return StoryMember(
        article_id=member.id,
        role=_role(member, origin, comparison),
        share_copied=None if comparison is None else comparison.containment_a,
        hours_after_origin=_hours_between(origin, member),
        confidence=1.0 if judged else round(best_share, 3),
        evidence=tuple(evidence),
    )


def _role(member: StoryArticle, origin: StoryArticle, comparison: Comparison | None) -> Role:
    """Name what the member is to the origin; `comparison` has the member as a."""
    if comparison is None:
        return Role.UPDATE if member.site == origin.site else Role.EDITED_COPY
    share, coverage = comparison.containment_a, comparison.containment_b
    if share >= EXCERPT_SHARE > coverage and coverage * 2 <= share:
        return Role.EXCERPT
    if member.site == origin.site and (share < COPY_SHARE or coverage < COPY_SHARE):
        return Role.UPDATE
    credited = any(not is_own_site(credit, member.site) for credit in member.credits)
    if credited and share >= SYNDICATED_SHARE:
        return Role.SYNDICATED
    return Role.COPY if min(share, coverage) >= COPY_SHARE else Role.EDITED_COPY


def _hours_between(origin: StoryArticle, member: StoryArticle) -> float | None:
    """Return the hours between the middles of two publication intervals; negative: earlier."""
    first, second = interval(origin), interval(member)
    if first is None or second is None:
        return None
    middle = (second[0] - first[0] + second[1] - first[1]) / 2
    return round(middle.total_seconds() / 3600, 2)


def _best_shares(comparisons: Mapping[tuple[int, int], Comparison]) -> dict[int, float]:
    """Return of each article the largest share of it that stands in another one of its story."""
    best: dict[int, float] = {}
    for (a, b), comparison in comparisons.items():
        best[a] = max(best.get(a, 0.0), comparison.containment_a)
        best[b] = max(best.get(b, 0.0), comparison.containment_b)
    return best

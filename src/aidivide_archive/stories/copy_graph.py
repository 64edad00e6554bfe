"""Which matches and judgements hold articles together: the graph that stories are cut from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from aidivide_archive.copies import mirrored
from aidivide_archive.model import Comparison, Match, Relation, Verdict
from aidivide_archive.stories.linkage import Pair, components, linked_groups

LEAF_CONTAINMENT = 0.5
"""Share of an excerpt that must stand in an article for the excerpt to join its story."""
ROUNDUP_SHARE = 0.5
"""No single article holds this share of a roundup."""
CLOSEST = 50
"""Relatives of a possible roundup that are looked at: those that hold most of it."""
DIGEST_PARTS = 3
"""Unrelated articles that a digest holds most of, at least; two may be two excerpts of one text."""


class CopyGraph:
    """The matches among known articles, by kind, and the groups they make."""

    def __init__(
        self,
        known: AbstractSet[int],
        matches: Sequence[Match],
        judgements: Mapping[tuple[int, int], Verdict],
    ) -> None:
        self._known = known
        self._comparisons: dict[Pair, Comparison] = {}
        """Keyed as compared: containment_a belongs to the first of the pair."""
        self._neighbours: defaultdict[int, dict[int, float]] = defaultdict(dict)
        """Of each article those that share text with it, with the share of it that they hold."""
        self._same = _judged(known, judgements, Verdict.SAME)
        self._different = _judged(known, judgements, Verdict.DIFFERENT)
        for match in matches:
            self._add(match)
        self.roundups: dict[int, tuple[int, ...]] = self._find_roundups()
        """Articles that gather text of several others, with one of each."""

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Return all known articles in groups that are one text each, ordered."""
        strong, weights = set(), {}
        for pair, comparison in self._comparisons.items():
            if pair[0] in self.roundups or pair[1] in self.roundups:
                continue
            ordered = _ordered(*pair)
            if ordered in self._different:
                continue
            weights[ordered] = max(comparison.containment_a, comparison.containment_b)
            if comparison.relation is Relation.COPY:
                strong.add(ordered)
        cores = linked_groups(strong, weights, self._same, self._different)
        placed = {article for core in cores for article in core}
        singles = [(article,) for article in self._known if article not in placed]
        return self._with_leaves(sorted([*cores, *singles]))

    def within(self, ids: AbstractSet[int]) -> dict[Pair, Comparison]:
        """Return the comparisons among the given articles, keyed as compared."""
        return {
            pair: self._comparisons[pair]
            for article in ids
            for other in self._neighbours.get(article, ())
            if other in ids and (pair := (article, other)) in self._comparisons
        }

    def compared(self, a: int, b: int) -> Comparison | None:
        """Return the comparison of two articles with `a` as a; None when they do not match."""
        comparison = self._comparisons.get((a, b))
        if comparison is None and (other := self._comparisons.get((b, a))) is not None:
            comparison = mirrored(other)
        return comparison

    def is_same(self, a: int, b: int) -> bool:
        """Say whether a person judged the two to be the same."""
        return _ordered(a, b) in self._same

    def _add(self, match: Match) -> None:
        comparison = match.comparison
        if comparison.relation is None or not comparison.relation.in_stories:
            return
        if match.a_id == match.b_id or not {match.a_id, match.b_id} <= self._known:
            return
        self._comparisons.pop((match.b_id, match.a_id), None)
        self._comparisons[match.a_id, match.b_id] = comparison
        self._neighbours[match.a_id][match.b_id] = comparison.containment_a
        self._neighbours[match.b_id][match.a_id] = comparison.containment_b

    def _find_roundups(self) -> dict[int, tuple[int, ...]]:
        roundups = {}
        for article in sorted(self._neighbours):
            shares = self._neighbours[article]
            if len(shares) < 2 or any(_ordered(article, other) in self._same for other in shares):
                continue
            if max(shares.values()) >= ROUNDUP_SHARE:
                continue
            closest = sorted(shares, key=lambda other: (-shares[other], other))[:CLOSEST]
            parts = self._unrelated(set(closest))
            if len(parts) > 1:
                roundups[article] = tuple(part[0] for part in parts)
        return roundups

    def _unrelated(self, articles: AbstractSet[int]) -> tuple[tuple[int, ...], ...]:
        """Group articles by their matches with each other."""
        pairs = {(article, article) for article in articles}
        for article in articles:
            near = self._neighbours[article]
            smaller, larger = sorted((articles, near.keys()), key=len)
            pairs |= {(article, other) for other in smaller if other in larger}
        return components(pairs)

    def _with_leaves(self, groups: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
        """Join each group of excerpts to the one group that holds most of it."""
        place = {article: index for index, group in enumerate(groups) for article in group}
        children: defaultdict[int, list[int]] = defaultdict(list)
        for index, group in enumerate(groups):
            container = self._container(index, group, place)
            if container is not None:
                children[container].append(index)
        parents = list(range(len(groups)))
        joined = {index: list(group) for index, group in enumerate(groups)}
        for container, leaves in sorted(children.items()):
            if self._is_digest([groups[leaf] for leaf in leaves]):
                continue
            for leaf in leaves:
                child, parent = _top(parents, leaf), _top(parents, container)
                if child != parent and not self._is_apart(joined[child], joined[parent]):
                    parents[child] = parent
                    joined[parent] += joined.pop(child)
        return tuple(sorted(tuple(sorted(group)) for group in joined.values()))

    def _container(self, index: int, group: Sequence[int], place: Mapping[int, int]) -> int | None:
        """Return the group that holds most of most members of a group of excerpts."""
        held: defaultdict[int, float] = defaultdict(float)
        for article in group:
            best: dict[int, float] = {}
            for other, share in self._neighbours.get(article, {}).items():
                container = place.get(other, index)
                if (
                    container != index
                    and share >= LEAF_CONTAINMENT
                    and article not in self.roundups
                    and other not in self.roundups
                    and self._neighbours[other][article] < share
                ):
                    best[container] = max(best.get(container, 0.0), share)
            for container, share in best.items():
                held[container] += share
        most = max(held, key=lambda container: (held[container], -container), default=None)
        if most is None or held[most] < len(group) * LEAF_CONTAINMENT:
            return None
        return most

    def _is_digest(self, leaves: Sequence[tuple[int, ...]]) -> bool:
        """Say whether groups held by one article are different stories, not parts of one text."""
        if len(leaves) < 2:
            return False
        parts = self._unrelated({article for leaf in leaves[:CLOSEST] for article in leaf})
        return len(parts) >= DIGEST_PARTS or (
            len(parts) > 1 and all(len(part) > 1 for part in parts)
        )

    def _is_apart(self, a: Sequence[int], b: Sequence[int]) -> bool:
        """Say whether a person judged a member of one group different from a member of the other."""
        if not self._different:
            return False
        first, second = set(a), set(b)
        return any(
            (left in first and right in second) or (left in second and right in first)
            for left, right in self._different
        )


def _ordered(a: int, b: int) -> Pair:
    return (a, b) if a < b else (b, a)


def _judged(
    known: AbstractSet[int], judgements: Mapping[tuple[int, int], Verdict], verdict: Verdict
) -> frozenset[Pair]:
    return frozenset(
        _ordered(a, b)
        for (a, b), given in judgements.items()
        if given is verdict and a != b and a in known and b in known
    )


def _top(parents: Sequence[int], group: int) -> int:
    while parents[group] != group:
        group = parents[group]
    return group

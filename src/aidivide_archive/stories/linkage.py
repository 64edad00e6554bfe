"""Weighted pairs → groups by average linkage within components. Knows numbers only."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import combinations

Pair = tuple[int, int]
"""Two different members, the smaller first."""

CUT = 0.15
"""Mean weight between two groups (a pair without one counts 0) from which they are joined: the
optimum of the development split (docs/copies.md)."""


def linked_groups(
    strong: AbstractSet[Pair],
    weights: Mapping[Pair, float],
    same: AbstractSet[Pair] = frozenset(),
    different: AbstractSet[Pair] = frozenset(),
) -> tuple[tuple[int, ...], ...]:
    """Group everything that is in a strong pair or judged the same; ordered, groups of one too.

    `weights` in [0, 1] of all pairs that have one, the strong among them. Pairs in `same` are
    joined first, pairs in `different` never stand in one group, not even through `same` pairs.
    Ties are broken by the smallest members, so that the order of the arguments has no influence.
    Cost per component: n log n in its pairs.
    """
    members = components(strong | same)
    place = {member: index for index, group in enumerate(members) for member in group}
    inside: defaultdict[int, dict[Pair, float]] = defaultdict(dict)
    for pair, weight in weights.items():
        if pair[0] in place and place[pair[0]] == place.get(pair[1]):
            inside[place[pair[0]]][pair] = weight
    groups: list[tuple[int, ...]] = []
    for index, group in enumerate(members):
        if _is_one_group(len(group), inside[index]) and not _is_divided(group, different):
            groups.append(group)
        else:
            groups += _Linkage(group, inside[index], same, different).run()
    return tuple(sorted(groups))


def components(pairs: Iterable[Pair]) -> tuple[tuple[int, ...], ...]:
    """Return the connected components of the pairs, each ascending, ordered by first member."""
    parents: dict[int, int] = {}

    def root(member: int) -> int:
        parents.setdefault(member, member)
        while parents[member] != member:
            parents[member] = parents[parents[member]]
            member = parents[member]
        return member

    for a, b in pairs:
        first, second = root(a), root(b)
        parents[max(first, second)] = min(first, second)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for member in sorted(parents):
        groups[root(member)].append(member)
    return tuple(tuple(group) for _, group in sorted(groups.items()))


def _is_one_group(size: int, weights: Mapping[Pair, float]) -> bool:
    """Say whether every pair has a weight of at least the cut: then every mean has."""
    return len(weights) == size * (size - 1) // 2 and min(weights.values()) >= CUT


def _is_divided(group: tuple[int, ...], different: AbstractSet[Pair]) -> bool:
    if not different:
        return False
    if len(different) < len(group):
        present = set(group)
        return any(a in present and b in present for a, b in different)
    return any(pair in different for pair in combinations(group, 2))


class _Linkage:
    """Average linkage of one component; a group is known by its smallest member."""

    def __init__(
        self,
        group: tuple[int, ...],
        weights: Mapping[Pair, float],
        same: AbstractSet[Pair],
        different: AbstractSet[Pair],
    ) -> None:
        present = set(group)
        self._members: dict[int, list[int]] = {member: [member] for member in group}
        self._sums: dict[int, dict[int, float]] = {member: {} for member in group}
        self._apart: dict[int, set[int]] = {member: set() for member in group}
        self._same = sorted(pair for pair in same if pair[0] in present and pair[1] in present)
        for (a, b), weight in sorted(weights.items()):
            self._sums[a][b] = self._sums[b][a] = weight
        for a, b in different:
            if a in present and b in present:
                self._apart[a].add(b)
                self._apart[b].add(a)

    def run(self) -> list[tuple[int, ...]]:
        self._join_judged()
        queue = [
            (-self._mean(a, b), a, b) for a, others in self._sums.items() for b in others if a < b
        ]
        heapq.heapify(queue)
        while queue:
            negative, a, b = heapq.heappop(queue)
            if -negative < CUT:
                break
            current = a in self._sums and b in self._sums[a]
            if not current or -negative != self._mean(a, b) or b in self._apart[a]:
                continue
            self._join(a, b)
            for other in self._sums[a]:
                heapq.heappush(queue, (-self._mean(a, other), min(a, other), max(a, other)))
        return [tuple(sorted(members)) for members in self._members.values()]

    def _join_judged(self) -> None:
        group_of = {member: member for member in self._members}
        for pair in self._same:
            a, b = sorted((group_of[pair[0]], group_of[pair[1]]))
            if a != b and b not in self._apart[a]:
                for member in self._members[b]:
                    group_of[member] = a
                self._join(a, b)

    def _mean(self, a: int, b: int) -> float:
        first, second = (a, b) if a < b else (b, a)
        pairs = len(self._members[first]) * len(self._members[second])
        return self._sums[first].get(second, 0.0) / pairs

    def _join(self, a: int, b: int) -> None:
        """Join group b into group a, a < b."""
        self._members[a] += self._members.pop(b)
        for other, total in self._sums.pop(b).items():
            del self._sums[other][b]
            if other != a:
                self._sums[a][other] = self._sums[a].get(other, 0.0) + total
                self._sums[other][a] = self._sums[a][other]
        for other in self._apart.pop(b):
            self._apart[other].discard(b)
            self._apart[other].add(a)
            self._apart[a].add(other)

"""Which pairs of articles are worth comparing.

All pairs of a set are found at once from arrays (`candidate_pairs`), as settling and the benchmarks do; the archive asks
for those of one new article through the rows of its indexes (`documents.matching`). Both go by `least_hits` and the caps
of this module. Knows signatures and sites only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidivide_archive.model import Signature
from aidivide_archive.similarity import SKETCH_FLOOR, Hashes, bands, check_compatible, is_among

MIN_HITS = 3
"""Common sketch hashes that make two articles candidates."""
MIN_HITS_SHORT = 2
"""The same when the smaller sketch has at most `SHORT_SKETCH` hashes."""
SHORT_SKETCH = SKETCH_FLOOR
COMMON_FLOOR = 64
COMMON_SHARE = 0.004
"""A hash in more articles than max(64, .4 %) is a stock phrase and finds no candidates. The floor
is above the size of nearly every story, so that in a small archive a story's own words stay."""
_PAIRS_AT_ONCE = 500_000
_SORTED_AT_ONCE = 500_000
_ROOM_A_PAIR = 8
BUCKET_CAP = 1000
"""A band key in more articles than this finds no candidates: it would give half a million pairs."""


def common_hash_cap(article_count: int) -> int:
    """Return the largest number of articles a sketch hash may be in and still find candidates."""
    return max(COMMON_FLOOR, int(COMMON_SHARE * article_count))


def least_hits(smaller_sketch: int) -> int:
    """Sketch hashes in common that make two articles candidates, common hashes and site boilerplate left out.

    `smaller_sketch`: hashes in the smaller of the two sketches as signed. A band in common is enough by itself.
    """
    return MIN_HITS_SHORT if smaller_sketch <= SHORT_SKETCH else MIN_HITS


@dataclass(frozen=True, slots=True)
class SignedTexts:
    """The sketches and bands of n articles as flat arrays; an owner is a place from 0 to n - 1."""

    sketch_hashes: NDArray[np.int64]
    sketch_owners: NDArray[np.int64]
    """Parallel to `sketch_hashes`, ascending."""
    sketch_sizes: NDArray[np.int64]
    """(n,): hashes in each sketch as signed."""
    band_keys: NDArray[np.int64]
    """The number of its band is part of a key, so that one sort serves all bands."""
    band_owners: NDArray[np.int64]

    @classmethod
    def of(cls, signatures: Sequence[Signature]) -> SignedTexts:
        """Raises ArchiveError when a signature is of another version."""
        for signature in signatures:
            check_compatible(signature)
        places = np.arange(len(signatures), dtype=np.int64)
        keys = [bands(signature) for signature in signatures]
        sizes = np.array([len(signature.sketch) for signature in signatures], dtype=np.int64)
        return cls(
            sketch_hashes=np.array(
                [value for signature in signatures for value in signature.sketch], dtype=np.int64
            ),
            sketch_owners=np.repeat(places, sizes),
            sketch_sizes=sizes,
            band_keys=np.array([key for article in keys for key in article], dtype=np.int64),
            band_owners=np.repeat(places, [len(key) for key in keys]),
        )


def candidate_pairs(
    signed: SignedTexts,
    sites: Sequence[str],
    boilerplate: Mapping[str, Hashes],
    stock: Hashes,
) -> NDArray[np.int64]:
    """Return (m, 2) places of the articles that are worth comparing, the smaller first, ascending.

    `sites`: of each article; `boilerplate`: of each site, as by `site_boilerplate`; `stock`: of all sites. Sort-based:
    n log n in the number of sketch hashes, plus the hits.
    """
    keep = _outside_boilerplate(signed, sites, boilerplate, stock)
    by_sketch = _sketch_pairs(
        signed.sketch_hashes[keep], signed.sketch_owners[keep], signed.sketch_sizes
    )
    by_band = shared_counts(signed.band_keys, signed.band_owners, BUCKET_CAP)[:2]
    left, right = (np.concatenate(both) for both in zip(by_sketch, by_band, strict=True))
    count = max(1, len(signed.sketch_sizes))
    chosen = np.unique(left * count + right)
    return np.stack((chosen // count, chosen % count), axis=1)


def _outside_boilerplate(
    signed: SignedTexts,
    sites: Sequence[str],
    boilerplate: Mapping[str, Hashes],
    stock: Hashes,
) -> NDArray[np.bool_]:
    """Return for each sketch hash whether it says something about its article."""
    hashes = signed.sketch_hashes.view(np.uint64)
    keep = ~is_among(hashes, stock)
    if not boilerplate:
        return keep
    names = sorted(boilerplate)
    number = {name: position for position, name in enumerate(names)}
    site_of = np.array([number.get(site, -1) for site in sites], dtype=np.int64)
    site_of = site_of[signed.sketch_owners]
    for position, name in enumerate(names):
        rows = np.flatnonzero(site_of == position)
        keep[rows] &= ~is_among(hashes[rows], boilerplate[name])
    return keep


def _sketch_pairs(
    hashes: NDArray[np.int64], owners: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of owners (smaller, larger) with enough sketch hashes in common.

    `hashes`, `owners`: parallel, boilerplate left out; `sizes`: of each owner's sketch as signed.
    """
    cap = common_hash_cap(len(sizes))
    left, right, hits = shared_counts(hashes, owners, cap, MIN_HITS_SHORT)
    smaller = np.minimum(sizes[left], sizes[right])
    wanted = np.array([least_hits(size) for size in range(SHORT_SKETCH + 2)], dtype=np.int64)
    enough = hits >= wanted[np.minimum(smaller, SHORT_SKETCH + 1)]
    return left[enough], right[enough]


def shared_counts(
    hashes: NDArray[np.int64] | Hashes, owners: NDArray[np.int64], cap: int, minimum: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the hashes that each pair of owners has in common.

    `hashes` and `owners` are parallel, each (hash, owner) once; a hash with more than `cap` owners
    is left out. Returns owners (smaller, larger) and their count, for the pairs with at least
    `minimum`. Memory: the input a few times over, whatever the number of pairs with fewer.
    """
    hashes, owners, sizes = _usable(hashes, owners, cap)
    if not len(owners):
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty
    places = np.arange(len(owners))
    starts = np.where(np.concatenate(([True], hashes[1:] != hashes[:-1])), places, 0)
    # Members of the run behind each entry.
    after = np.maximum.accumulate(starts) + sizes - places - 1
    by_owner = np.argsort(owners, kind="stable")
    parts = [
        _counted(owners, by_owner[first:last], after, minimum)
        for first, last in _blocks(after[by_owner], owners[by_owner])
    ]
    left, right, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return left, right, counts


def _usable(
    hashes: NDArray[np.int64] | Hashes, owners: NDArray[np.int64], cap: int
) -> tuple[NDArray[np.int64] | Hashes, NDArray[np.int64], NDArray[np.int64]]:
    """Return the hashes of two to `cap` owners in runs, owners ascending, and the run size of each.

    Sorted a part at a time: most hashes have one owner and are gone before the next part.
    """
    parts = max(1, len(hashes) // _SORTED_AT_ONCE)
    part_of = (hashes % hashes.dtype.type(parts)).astype(np.int16) if parts > 1 else None
    found = []
    for part in range(parts):
        chosen = slice(None) if part_of is None else np.flatnonzero(part_of == part)
        some, theirs = hashes[chosen], owners[chosen]
        order = np.lexsort((theirs, some))
        some, theirs = some[order], theirs[order]
        sizes = _run_sizes(some)
        usable = (sizes > 1) & (sizes <= cap)
        found.append((some[usable], theirs[usable], sizes[usable]))
    first, second, third = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, second, third


def _counted(
    owners: NDArray[np.int64],
    entries: NDArray[np.int64],
    after: NDArray[np.int64],
    minimum: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the pairs whose smaller owner is that of one of the entries (places, by owner)."""
    repeats = after[entries]
    total = int(repeats.sum())
    steps = np.arange(1, total + 1) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    first = int(owners[entries[0]])
    width = int(owners.max()) + 1
    keys = (np.repeat(owners[entries], repeats) - first) * width
    keys += owners[np.repeat(entries, repeats) + steps]
    room = (int(owners[entries[-1]]) - first + 1) * width
    if (
        room <= _ROOM_A_PAIR * total + _PAIRS_AT_ONCE
    ):  # counting in place is ten times faster than sorting
        counts = np.bincount(keys, minlength=room)
        pairs = np.flatnonzero(counts >= minimum)
        counts = counts[pairs]
    else:
        pairs, counts = np.unique(keys, return_counts=True)
        enough = counts >= minimum
        pairs, counts = pairs[enough], counts[enough]
    return pairs // width + first, pairs % width, counts


def _blocks(after: NDArray[np.int64], owners: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut entries, sorted by owner, into blocks of whole owners with a bounded number of pairs each.

    One owner's pairs are never cut: a block may be longer by those.
    """
    lasts = np.concatenate((np.flatnonzero(owners[1:] != owners[:-1]) + 1, [len(owners)]))
    totals = np.cumsum(after)[lasts - 1]
    first = done = 0
    while first < len(owners):
        place = int(np.searchsorted(totals, done + _PAIRS_AT_ONCE))
        place = min(place, len(lasts) - 1)
        last = int(lasts[place])
        yield first, last
        first, done = last, int(totals[place])


def _run_sizes(ordered: NDArray[np.int64] | Hashes) -> NDArray[np.int64]:
    """Return for each entry of a sorted array how often its value occurs."""
    if not len(ordered):
        return np.empty(0, dtype=np.int64)
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.concatenate((begins, [len(ordered)])))
    return np.repeat(lengths, lengths)

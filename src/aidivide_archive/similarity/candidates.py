"""Which pairs of articles are worth comparing: the rule that SQL and memory share.

The archive finds candidates by joining its rows of sketch hashes and bands; `candidate_pairs` is
the same rule over arrays, for settling a batch and for tests. Knows signatures and sites only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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


def candidate_rule(hits: int, sketch_a: int, sketch_b: int, band_hits: int = 0) -> bool:
    """Say whether two articles are worth comparing.

    `hits`: sketch hashes in common, common hashes and site boilerplate left out; `sketch_a`,
    `sketch_b`: sizes of the sketches as signed; `band_hits`: bands in common.
    """
    if band_hits:
        return True
    return hits >= (MIN_HITS_SHORT if min(sketch_a, sketch_b) <= SHORT_SKETCH else MIN_HITS)


def candidate_pairs(
    signatures: Mapping[int, Signature],
    sites: Mapping[int, str],
    boilerplate: Mapping[str, Hashes] | None = None,
    stock: Hashes | None = None,
) -> set[tuple[int, int]]:
    """Return all candidate pairs of article ids, the smaller first.

    `boilerplate`: of each site, as by `site_boilerplate`; `stock`: of all sites. Sort-based: n log n in the number of
    sketch hashes, plus the hits. Raises ArchiveError when a signature is of another version.
    """
    ids = sorted(signatures)
    if len(ids) < 2:
        return set()
    for signature in signatures.values():
        check_compatible(signature)
    by_sketch = _by_sketch(ids, signatures, sites, boilerplate or {}, stock)
    return {(ids[a], ids[b]) for a, b in by_sketch | _by_band([signatures[one] for one in ids])}


def _by_sketch(
    ids: Sequence[int],
    signatures: Mapping[int, Signature],
    sites: Mapping[int, str],
    boilerplate: Mapping[str, Hashes],
    stock: Hashes | None,
) -> set[tuple[int, int]]:
    """Return the pairs of places in `ids` that share enough sketch hashes."""
    none = np.empty(0, dtype=np.uint64)
    everywhere = none if stock is None else stock
    kept = []
    for article in ids:
        sketch = np.array(signatures[article].sketch, dtype=np.int64)
        left_out = boilerplate.get(sites.get(article, ""), none)
        hashes = sketch.view(np.uint64)
        kept.append(sketch[~(is_among(hashes, left_out) | is_among(hashes, everywhere))])
    owners = np.repeat(np.arange(len(ids)), [len(sketch) for sketch in kept])
    sizes = np.array([len(signatures[article].sketch) for article in ids])
    left, right = sketch_pairs(np.concatenate(kept), owners, sizes)
    return set(zip(left.tolist(), right.tolist(), strict=True))


def sketch_pairs(
    hashes: NDArray[np.int64], owners: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of owners (smaller, larger) that `candidate_rule` chooses by their sketches.

    `hashes`, `owners`: parallel, boilerplate left out; `sizes`: of each owner's sketch as signed.
    """
    cap = common_hash_cap(len(sizes))
    left, right, hits = shared_counts(hashes, owners, cap, MIN_HITS_SHORT)
    short = np.minimum(sizes[left], sizes[right]) <= SHORT_SKETCH
    enough = hits >= np.where(short, MIN_HITS_SHORT, MIN_HITS)
    return left[enough], right[enough]


def _by_band(signatures: Sequence[Signature]) -> set[tuple[int, int]]:
    """Return the pairs of places in `signatures` that share a band."""
    keys = [bands(signature) for signature in signatures]
    owners = np.repeat(np.arange(len(keys)), [len(key) for key in keys])
    # The band's number is part of its key, so that one sort serves all bands.
    every = np.array([key for article in keys for key in article], dtype=np.int64)
    left, right, _ = shared_counts(every, owners, BUCKET_CAP)
    return set(zip(left.tolist(), right.tolist(), strict=True))


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

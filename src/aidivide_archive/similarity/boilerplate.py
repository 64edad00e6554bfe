"""What a site prints on every page, learnt from its own pages: never evidence of copying."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aidivide_archive.similarity import Hashes
from aidivide_archive.similarity.candidates import shared_counts

MIN_PAGES = 3
"""Distinct pages of one site from which a shingle is its boilerplate."""
MIN_LINK = 15
LINK_SHARE = 0.5
"""Pages of one site that share this many shingles, and this share of the smaller one, are versions
of one text and count as one page; what they share is no boilerplate."""
LINK_CAP = 10
"""Shingles on more pages than this say nothing about versions: they are what is looked for."""


def site_boilerplate(pages: Sequence[Hashes]) -> Hashes:
    """Return the shingles that stand on at least three distinct pages of one site, sorted.

    `pages`: the shingles of each of the site's pages, each sorted and unique, in any order.
    Versions of one text (print view, update, copy under another address) count as one page.
    """
    if len(pages) < MIN_PAGES:
        return np.empty(0, dtype=np.uint64)
    hashes, owners = _flat(pages)
    groups = _version_groups(hashes, owners, len(pages))[owners]
    order = np.lexsort((groups, hashes))
    hashes, groups = hashes[order], groups[order]
    if not len(hashes):
        return hashes
    fresh = np.concatenate(([True], (hashes[1:] != hashes[:-1]) | (groups[1:] != groups[:-1])))
    distinct, counts = np.unique(hashes[fresh], return_counts=True)
    return distinct[counts >= MIN_PAGES]


def version_groups(pages: Sequence[Hashes]) -> list[int]:
    """Number the pages of one site so that versions of one text have the same number.

    `pages` as in `site_boilerplate`; the result is parallel to it.
    """
    if not pages:
        return []
    return [int(group) for group in _version_groups(*_flat(pages), len(pages))]


def _flat(pages: Sequence[Hashes]) -> tuple[Hashes, NDArray[np.int64]]:
    """All hashes, and the place of each one's page in `pages`; both (n,)."""
    return np.concatenate(list(pages)), np.repeat(
        np.arange(len(pages)), [len(page) for page in pages]
    )


def _version_groups(hashes: Hashes, owners: NDArray[np.int64], pages: int) -> NDArray[np.int64]:
    """Number the pages so that versions of one text have the same number; (pages,) int64."""
    left, right, shared = shared_counts(hashes, owners, LINK_CAP)
    _, places, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    own = np.bincount(owners[counts[places] <= LINK_CAP], minlength=pages)
    linked = shared >= np.maximum(MIN_LINK, LINK_SHARE * np.minimum(own[left], own[right]))
    groups = np.arange(pages)
    for a, b in zip(left[linked].tolist(), right[linked].tolist(), strict=True):
        first, second = _root(groups, a), _root(groups, b)
        groups[max(first, second)] = min(first, second)
    return np.array([_root(groups, page) for page in range(pages)], dtype=np.int64)


def _root(groups: NDArray[np.int64], page: int) -> int:
    while groups[page] != page:
        groups[page] = groups[groups[page]]
        page = int(groups[page])
    return page

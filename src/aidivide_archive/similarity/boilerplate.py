"""What a site prints on every page, and what all sites do: learnt from the pages, never evidence of copying."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidivide_archive.similarity import Hashes, is_among, shingles
from aidivide_archive.similarity.candidates import shared_counts
from aidivide_archive.words import ends_by_character

MIN_PAGES = 3
"""Distinct pages of one site from which a shingle is its boilerplate."""
MIN_LINK = 15
LINK_SHARE = 0.5
"""Pages of one site that share this many shingles, and this share of the smaller one, are versions
of one text and count as one page; what they share is no boilerplate."""
LINK_CAP = 10
"""Shingles on more pages than this say nothing about versions: they are what is looked for."""
REST_SHARE = 1 / 3
REST_LINK = 0.1
"""Pages of which at least a third stands on no third page, and that share less than a tenth of
those parts, are short articles over one long footer and not versions."""
STOCK_REPEATS = 3
STOCK_SHARE = 0.1
"""A sentence is stock when its sites print it on this many further pages, and on this many for each
site, that are no versions of each other: cookie notices, appeals to subscribe, an agency's standing
background. A story stands on one page of each site, with few exceptions."""
MIN_SENTENCE = 40
MIN_CHARACTERS = 14
"""Code points of a sentence that may be stock, and of one in a script that is compared by characters
(`words.BY_CHARACTER`); shorter ones are crossheads and idioms."""
_NO_KEYS = np.empty(0, dtype=np.int64)
_STOPS = re.compile("[\n.!?。！？]+")


def site_boilerplate(pages: Sequence[Hashes], groups: Sequence[int] | None = None) -> Hashes:
    """Return the shingles that stand on at least three distinct pages of one site, sorted.

    `pages`: the shingles of each of the site's pages, each sorted and unique, in any order.
    Versions of one text (print view, update, copy under another address) count as one page:
    `groups`, as by `version_groups`, which is called when it is not given.
    """
    if len(pages) < MIN_PAGES:
        return np.empty(0, dtype=np.uint64)
    hashes, owners = _flat(pages)
    numbers = version_groups(pages) if groups is None else groups
    groups_of = np.array(numbers, dtype=np.int64)[owners]
    order = np.lexsort((groups_of, hashes))
    hashes, groups_of = hashes[order], groups_of[order]
    if not len(hashes):
        return hashes
    differs = (hashes[1:] != hashes[:-1]) | (groups_of[1:] != groups_of[:-1])
    fresh = np.concatenate(([True], differs))
    distinct, counts = np.unique(hashes[fresh], return_counts=True)
    return distinct[counts >= MIN_PAGES]


def version_groups(pages: Sequence[Hashes]) -> list[int]:
    """Number the pages of one site so that versions of one text have the same number.

    `pages` as in `site_boilerplate`; the result is parallel to it.
    """
    if not pages:
        return []
    return [int(group) for group in _version_groups(*_flat(pages), len(pages))]


def shared_endings(texts: Sequence[str]) -> list[str]:
    """Return the last lines that exactly two pages of one site have in common and nothing else.

    Two pages are too few to learn from, but articles of one site that share the end only, and less
    than either has of its own, share a disclaimer. What three pages end with is `site_boilerplate`.
    """
    by_last: dict[str, list[list[str]]] = {}
    for text in texts:
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if lines:
            by_last.setdefault(lines[-1], []).append(lines)
    pairs = (held for held in by_last.values() if len(held) == 2)
    return [ending for a, b in pairs if (ending := _shared_ending(a, b))]


def _shared_ending(a: Sequence[str], b: Sequence[str]) -> str:
    """Return the last lines that two texts have in common; "" if they share more than those."""
    count = 0
    while count < min(len(a), len(b)) and a[-1 - count] == b[-1 - count]:
        count += 1
    ending = "\n".join(a[len(a) - count :])
    common = shingles(ending)
    own_a, own_b = (shingles("\n".join(lines[: len(lines) - count])) for lines in (a, b))
    smaller = min(len(own_a), len(own_b))
    shared = np.count_nonzero(is_among(own_a, own_b))
    if smaller < max(MIN_LINK, len(common)) or shared >= REST_LINK * smaller:
        return ""
    return ending


def sentence_keys(text: str) -> dict[int, str]:
    """Return the text's longer sentences, case folded, by a 64-bit key.

    Sentences are cut at every full stop: what is behind an abbreviation or a decimal point counts
    by itself. Keys are the same within one process only: compare them, never store them.
    """
    pieces = (piece.strip() for piece in _STOPS.split(text.casefold()))
    return {hash(piece): piece for piece in pieces if _is_long(piece)}


def _is_long(piece: str) -> bool:
    length = len(piece)
    return length >= MIN_SENTENCE or (length >= MIN_CHARACTERS and ends_by_character(piece))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteSentences:
    """The sentences of one site's pages. All int64."""

    keys: NDArray[np.int64]
    """Of all sentences, sorted, without repeats."""
    repeated: NDArray[np.int64]
    """Keys of those on several distinct pages, sorted."""
    repeats: NDArray[np.int64]
    """On how many distinct pages each of them stands besides the first."""
    articles: NDArray[np.int64]
    """One article that has it."""


def site_sentences(
    pages: Mapping[int, Mapping[int, str]], groups: Mapping[int, int]
) -> SiteSentences:
    """Count the sentences of one site's pages, versions of one text once.

    `pages`: `sentence_keys` by article; `groups`: the number of each article's version group.
    """
    keys = np.array([key for found in pages.values() for key in found], dtype=np.int64)
    counts = [len(found) for found in pages.values()]
    articles = np.repeat(np.array(list(pages), dtype=np.int64), counts)
    owners = np.repeat(np.array([groups[one] for one in pages], dtype=np.int64), counts)
    order = np.lexsort((articles, owners, keys))
    keys, owners, articles = keys[order], owners[order], articles[order]
    fresh = np.ones(len(keys), dtype=np.bool_)
    fresh[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    distinct, first, found_on = np.unique(keys[fresh], return_index=True, return_counts=True)
    often = found_on > 1
    return SiteSentences(
        keys=distinct,
        repeated=distinct[often],
        repeats=found_on[often] - 1,
        articles=articles[fresh][first][often],
    )


def stock_sentences(sites: Sequence[SiteSentences]) -> dict[int, int]:
    """Return the keys of the stock sentences of all sites, each with one article that has it."""
    keys = np.concatenate([site.repeated for site in sites]) if sites else _NO_KEYS
    if not len(keys):
        return {}
    order = np.argsort(keys, kind="stable")
    distinct, first = np.unique(keys[order], return_index=True)
    repeats = np.add.reduceat(np.concatenate([site.repeats for site in sites])[order], first)
    articles = np.minimum.reduceat(np.concatenate([site.articles for site in sites])[order], first)
    holders = np.zeros(len(distinct), dtype=np.int64)
    for site in sites:
        holders += np.isin(distinct, site.keys, assume_unique=True)
    stock = (holders > 1) & (repeats >= np.maximum(STOCK_REPEATS, STOCK_SHARE * holders))
    return dict(zip(distinct[stock].tolist(), articles[stock].tolist(), strict=True))


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
    left, right = left[linked], right[linked]
    if len(left):
        versions = ~_is_footer(hashes, owners, counts[places], own, left * pages + right)
        left, right = left[versions], right[versions]
    groups = np.arange(pages)
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        first, second = _root(groups, a), _root(groups, b)
        groups[max(first, second)] = min(first, second)
    return np.array([_root(groups, page) for page in range(pages)], dtype=np.int64)


def _is_footer(
    hashes: Hashes,
    owners: NDArray[np.int64],
    counts: NDArray[np.int64],
    own: NDArray[np.int64],
    pairs: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Say of each pair of pages whether what they share is on a third page, and much of both is not.

    `counts`: pages that each hash is on; `own`: usable hashes of each page; `pairs`: smaller times
    the number of pages plus larger.
    """
    left, right = pairs // len(own), pairs % len(own)
    rest = np.bincount(owners[counts <= 2], minlength=len(own))
    smaller = np.minimum(rest[left], rest[right])
    large = (rest[left] >= REST_SHARE * own[left]) & (rest[right] >= REST_SHARE * own[right])
    # A hash on two pages stands in a row twice, the smaller page first: all come page by page.
    both = np.flatnonzero(counts == 2)
    two = owners[both[np.argsort(hashes[both], kind="stable")]].reshape(-1, 2)
    known, shared = np.unique(two[:, 0] * len(own) + two[:, 1], return_counts=True)
    common = dict(zip(known.tolist(), shared.tolist(), strict=True))
    found = np.array([common.get(pair, 0) for pair in pairs.tolist()])
    return large & (smaller >= MIN_LINK) & (found < REST_LINK * smaller)


def _root(groups: NDArray[np.int64], page: int) -> int:
    while groups[page] != page:
        groups[page] = groups[groups[page]]
        page = int(groups[page])
    return page

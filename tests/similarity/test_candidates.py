import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.similarity import SKETCH_FLOOR, Hashes, shingles, sign
from aidivide_archive.similarity.boilerplate import site_boilerplate
from aidivide_archive.similarity.candidates import (
    COMMON_FLOOR,
    SignedTexts,
    candidate_pairs,
    common_hash_cap,
    least_hits,
    shared_counts,
)


def long_text(count: int, name: str = "word") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


NO_STOCK = np.empty(0, dtype=np.uint64)


def pairs_of(
    texts: list[str],
    sites: list[str] | None = None,
    boilerplate: dict[str, Hashes] | None = None,
) -> set[tuple[int, int]]:
    named = sites or [f"site{number}.example" for number in range(len(texts))]
    signed = SignedTexts.of([sign(text) for text in texts])
    places = candidate_pairs(signed, named, boilerplate or {}, NO_STOCK)
    assert places.shape[1:] == (2,)
    assert places.tolist() == sorted(places.tolist())
    return {(left, right) for left, right in places.tolist()}


def test_whole_copies_and_excerpts_are_candidates_and_strangers_are_not() -> None:
    story = long_text(600)
    excerpt = " ".join(story.split()[200:330])
    texts = [story, f"{story} end", f"{long_text(400, 'x')} {excerpt}", long_text(500, "other")]
    assert pairs_of(texts) >= {(0, 1), (0, 2)}
    assert not any(3 in pair for pair in pairs_of(texts))


def test_texts_without_words_are_nobodys_candidates() -> None:
    assert pairs_of(["", "", "…"]) == set()
    assert pairs_of([]) == set()


def test_a_site_s_boilerplate_makes_no_candidates() -> None:
    footer = long_text(120, "footer")
    texts = [f"{long_text(300, name)} {footer}" for name in "abcd"]
    sites = ["one.example"] * len(texts)
    known = site_boilerplate([shingles(text) for text in texts])
    assert pairs_of(texts, sites)
    assert pairs_of(texts, sites, {"one.example": known}) == set()


def test_stock_of_all_sites_makes_no_candidates() -> None:
    notice = long_text(120, "notice")
    texts = [f"{long_text(300, name)} {notice}" for name in "abcd"]
    signed = SignedTexts.of([sign(text) for text in texts])
    sites = [f"{name}.example" for name in "abcd"]
    assert len(candidate_pairs(signed, sites, {}, NO_STOCK)) > 0
    assert len(candidate_pairs(signed, sites, {}, shingles(notice))) == 0


def test_a_story_in_very_many_outlets_is_found_by_its_bands() -> None:
    story = long_text(300)
    count = COMMON_FLOOR + 20
    texts = [f"{story} outlet{number}" for number in range(count)]
    assert len(pairs_of(texts)) > 0.98 * count * (count - 1) / 2


@given(st.permutations(range(6)))
def test_candidates_do_not_depend_on_the_order_of_the_articles(order: list[int]) -> None:
    texts = [long_text(100 + 60 * number) for number in range(6)]
    pairs = {
        tuple(sorted((order[a], order[b]))) for a, b in pairs_of([texts[one] for one in order])
    }
    assert pairs == pairs_of(texts)


def test_the_rule_asks_for_fewer_hits_from_short_texts() -> None:
    assert [least_hits(size) for size in (0, SKETCH_FLOOR, SKETCH_FLOOR + 1, 90)] == [2, 2, 3, 3]


def test_the_cap_grows_with_the_archive() -> None:
    assert common_hash_cap(10) == COMMON_FLOOR
    assert common_hash_cap(100_000) == 400


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), unique=True), st.integers(2, 6))
def test_shared_counts_are_those_of_counting_by_hand(
    entries: list[tuple[int, int]], cap: int
) -> None:
    hashes = np.array([one for one, _ in entries], dtype=np.int64)
    owners = np.array([owner for _, owner in entries], dtype=np.int64)
    expected = {}
    for a in range(6):
        for b in range(a + 1, 6):
            common = [
                one
                for one in range(9)
                if {(one, a), (one, b)} <= set(entries)
                and sum(other == one for other, _ in entries) <= cap
            ]
            if common:
                expected[a, b] = len(common)
    left, right, counts = shared_counts(hashes, owners, cap)
    found = zip(left.tolist(), right.tolist(), counts.tolist(), strict=True)
    assert {(a, b): count for a, b, count in found} == expected


def test_signatures_of_another_version_are_refused() -> None:
    old = dataclasses.replace(sign(long_text(50)), version="0")
    with pytest.raises(ArchiveError, match="copies rebuild"):
        SignedTexts.of([old, sign(long_text(50))])

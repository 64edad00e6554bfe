import dataclasses
import struct

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.similarity import (
    BAND_COUNT,
    SKETCH_FLOOR,
    SKETCH_RATE,
    bands,
    check_compatible,
    hashvalues,
    minima,
    run_lengths,
    shingles,
    sign,
    token_shingles,
    tokens,
)

FROZEN_SKETCH = (-9179320340314723238, -4865816104390667286)
FROZEN_MINIMA = [320286740, 439289720, 630377424]
FROZEN_BAND = 2241266110338013096
WORDS = st.lists(
    st.sampled_from(["forum", "opens", "in", "the", "port", "人", "工", "智", "能", "42", "ไทย"]),
    max_size=60,
)


def long_text(count: int, name: str = "word") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=1300, unique=True))
def test_minima_are_those_of_datasketch(hashes: list[int]) -> None:
    reference = MinHash(num_perm=128, seed=1, hashfunc=lambda raw: struct.unpack("<I", raw)[0])
    reference.update_batch([struct.pack("<I", value) for value in hashes])
    ours = minima(np.array(hashes, dtype=np.uint32))
    assert ours.tolist() == reference.hashvalues.tolist()


def test_signature_is_that_of_datasketch_fed_with_the_same_hashes() -> None:
    text = long_text(700)
    reference = MinHash(num_perm=128, hashfunc=lambda raw: struct.unpack("<I", raw)[0])
    reference.update_batch(
        [struct.pack("<I", value & 0xFFFFFFFF) for value in shingles(text).tolist()]
    )
    assert hashvalues(sign(text)).tolist() == reference.hashvalues.tolist()
    assert sign(text).scheme == reference.scheme


def test_a_signature_is_the_same_in_every_process_and_version() -> None:
    signature = sign("Delegates from forty countries opened a forum on shared machines.")
    assert signature.shingle_count == 8
    assert signature.sketch[:2] == FROZEN_SKETCH
    assert hashvalues(signature)[:3].tolist() == FROZEN_MINIMA
    assert bands(signature)[0] == FROZEN_BAND


@given(WORDS, st.booleans())
def test_shingles_do_not_depend_on_case_or_punctuation(words: list[str], upper: bool) -> None:
    text = " ".join(words)
    changed = ", ".join(words) + "!"
    assert shingles(text).tolist() == shingles(changed.upper() if upper else changed).tolist()


@given(WORDS)
def test_every_run_lies_within_the_text(words: list[str]) -> None:
    found = tokens(" ".join(words))
    lengths = run_lengths(found)
    runs = token_shingles(found)
    assert len(runs) == len(lengths)
    assert all(place + length <= len(found.hashes) for place, length in enumerate(lengths))
    assert bool(len(runs)) == bool(len(found.hashes))


def test_order_of_words_and_of_letters_matters() -> None:
    assert not np.isin(shingles("tea for two"), shingles("two for tea")).any()
    assert not np.isin(shingles("tea for owt"), shingles("tea for two")).any()
    assert not np.isin(shingles("teaf or two"), shingles("tea for two")).any()


def test_words_are_hashed_alike_wherever_they_stand() -> None:
    passage = "the council will vote on the site in autumn"
    inside = shingles(f"{long_text(40000)} {passage} é {long_text(5)}")
    assert np.isin(shingles(passage), inside).all()


def test_spaceless_scripts_are_cut_by_character() -> None:
    assert len(tokens("论坛在上海开幕").hashes) == 7
    assert len(tokens("ฟอรัมเปิด").hashes) == 9
    assert len(tokens("フォーラム開幕").hashes) == 7
    assert len(tokens("नई दिल्ली में").hashes) == 3
    assert np.isin(shingles("弥合人工智能鸿沟"), shingles("关于弥合人工智能鸿沟的论坛")).all()


@pytest.mark.parametrize("text", ["", "  \n", "…!?", "\u200b"])
def test_a_text_without_words_has_an_empty_signature(text: str) -> None:
    signature = sign(text)
    assert (signature.shingle_count, signature.sketch, bands(signature)) == (0, (), ())


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_can_be_signed(text: str) -> None:
    signature = sign(text)
    assert len(signature.sketch) <= max(signature.shingle_count, 0)
    assert len(bands(signature)) in {0, BAND_COUNT}


def test_sketch_is_the_same_part_of_the_hash_space_in_every_long_text() -> None:
    whole, part = sign(long_text(3000)), sign(long_text(1500))
    assert set(part.sketch) <= set(whole.sketch)
    assert len(whole.sketch) == pytest.approx(3000 / SKETCH_RATE, rel=0.15)
    assert list(whole.sketch) == sorted(whole.sketch)


def test_sketch_of_a_short_text_holds_its_smallest_hashes() -> None:
    assert len(sign(long_text(90)).sketch) == SKETCH_FLOOR
    assert len(sign(long_text(20)).sketch) == 18
    smallest = shingles(long_text(90))[:SKETCH_FLOOR].view(np.int64)
    assert set(sign(long_text(90)).sketch) == set(smallest.tolist())


def test_bands_are_shared_by_whole_copies_and_not_by_strangers() -> None:
    text = long_text(400)
    edited = bands(sign(text.replace("word17 ", "").replace("word300", "changed")))
    assert set(enumerate(bands(sign(text)))) & set(enumerate(edited))
    assert not set(bands(sign(text))) & set(bands(sign(long_text(400, "other"))))


@given(st.integers(0, 300))
def test_the_share_of_equal_minima_is_near_the_exact_similarity(shared: int) -> None:
    a = long_text(shared) + " " + long_text(300 - shared, "left")
    b = long_text(shared) + " " + long_text(300 - shared, "right")
    exact = len(np.intersect1d(shingles(a), shingles(b))) / len(
        np.union1d(shingles(a), shingles(b))
    )
    equal = float(np.mean(hashvalues(sign(a)) == hashvalues(sign(b))))
    assert equal == pytest.approx(exact, abs=0.22)  # five standard errors


@pytest.mark.parametrize(
    "change", [{"scheme": "legacy"}, {"seed": 2}, {"version": "0"}, {"hashvalues": b"\0" * 8}]
)
def test_a_signature_made_in_another_way_is_refused(change: dict[str, str]) -> None:
    other = dataclasses.replace(sign("one two three four"), **change)
    with pytest.raises(ArchiveError, match="cannot be compared"):
        check_compatible(other)

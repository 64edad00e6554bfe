import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.copies.passages import passages


def test_shared_passages_are_marked_in_both_texts_as_given() -> None:
    a = "Before. The hall holds Machines — and draws its power from the bay. After."
    b = "Other words\nthe hall holds machines and draws its power from the bay, it says."
    (found,) = passages(a, b)
    assert a[found.a_start : found.a_end].startswith("The hall holds")
    assert b[found.b_start : found.b_end].endswith("from the bay")
    assert found.word_count == 11


def test_moved_passages_are_found_in_the_order_of_the_first_text() -> None:
    one = "alpha beta gamma delta epsilon zeta eta theta"
    two = "red orange yellow green blue indigo violet black white"
    found = passages(f"{one}. new {two}", f"{two}, old {one}")
    assert [passage.word_count for passage in found] == [8, 9]
    assert found[0].b_start > found[1].b_start


def test_a_chinese_copy_in_other_characters_is_marked_with_its_own_places() -> None:
    a = "关于弥合人工智能鸿沟的国际论坛开幕"
    b = "昨日，關於彌合人(rén)工智能鴻溝的國際論壇開幕了"
    found = passages(a, b, minimum=4)
    assert sum(passage.word_count for passage in found) >= len(a) - 1
    assert b[found[0].b_start : found[0].b_end].startswith("關於")


def test_short_common_phrases_are_no_passages() -> None:
    assert passages("in the end of the day we left", "at the end of the day she came") == ()


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "人", "ﬁ", "é"]), max_size=60), st.data())
def test_passages_never_overlap_and_lie_within_the_texts(
    words: list[str], data: st.DataObject
) -> None:
    a = " ".join(words)
    b = " ".join(data.draw(st.permutations(words)))
    found = passages(a, b, minimum=2)
    for one, other in pairwise(found):
        assert one.a_end <= other.a_start
    places = sorted((passage.b_start, passage.b_end) for passage in found)
    assert all(first[1] <= second[0] for first, second in pairwise(places))
    assert all(passage.b_end <= len(b) for passage in found)


def test_a_long_dull_text_is_searched_in_a_moment() -> None:
    story = " ".join(f"word{number}" for number in range(200))
    dull = "one " * 20_000 + story + " one two" * 10_000
    begun = time.process_time()
    found = passages(dull, dull[::-1] + " " + story)
    assert time.process_time() - begun < 3.0
    assert max(passage.word_count for passage in found) >= 200

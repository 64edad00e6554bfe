"""Additions and cuts between two texts."""

from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.copies.differences import MAX_TOKENS, differences


def shown(a: str, b: str) -> list[tuple[str, str]]:
    return [(one.kind, one.text.strip()) for one in differences(a, b)]


def test_a_changed_word_is_a_cut_and_an_addition():
    assert shown("The red boat sank.", "The blue boat sank.") == [
        ("same", "The"),
        ("cut", "red"),
        ("added", "blue"),
        ("same", "boat sank."),
    ]


def test_a_comma_changes_no_word():
    assert shown("On Monday he left.", "On Monday, he left.") == [
        ("same", "On Monday"),
        ("added", ","),
        ("same", "he left."),
    ]


def test_chinese_is_compared_by_characters():
    assert shown("会议周日举行。", "会议周一举行。") == [
        ("same", "会议周"),
        ("cut", "日"),
        ("added", "一"),
        ("same", "举行。"),
    ]


def test_equal_paragraphs_are_aligned_before_words():
    found = shown("One stays.\nTwo goes.\nThree stays.", "One stays.\nThree stays.")
    assert found == [("same", "One stays."), ("cut", "Two goes."), ("same", "Three stays.")]


def test_very_long_stretches_are_not_aligned():
    a, b = "a " * (MAX_TOKENS + 1), "b " * 3
    assert shown(a, b) == [("cut", a.strip()), ("added", b.strip())]


@given(st.text(alphabet="ab 。\n,中", max_size=60), st.text(alphabet="ab 。\n,中", max_size=60))
def test_nothing_but_white_space_is_lost(a: str, b: str):
    found = differences(a, b)
    for text, kinds in ((a, ("same", "cut")), (b, ("same", "added"))):
        again = "".join(one.text for one in found if one.kind in kinds)
        assert "".join(again.split()) == "".join(text.split())

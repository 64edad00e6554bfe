import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.copies import Prepared, compare, mirrored, prepare
from aidivide_archive.model import Relation
from aidivide_archive.similarity import shingles

TEXTS = Path(__file__).parent / "copies"


def read(name: str) -> str:
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


def prepared(name: str) -> Prepared:
    return prepare(read(name))


def long_text(count: int, name: str = "word") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


def test_a_text_is_a_copy_of_itself() -> None:
    found = compare(prepared("agency"), prepared("agency"))
    assert found.relation is Relation.COPY
    assert (found.jaccard, found.containment_a, found.containment_b) == (1.0, 1.0, 1.0)
    assert found.longest_passage_words == prepared("agency").token_count


def test_house_style_is_a_copy() -> None:
    found = compare(prepared("agency"), prepared("agency_house_style"))
    assert found.relation is Relation.COPY
    assert 0.4 < found.jaccard < 0.7
    assert 20 < found.longest_passage_words < 60


def test_an_independent_report_with_the_same_quotation_is_not_a_copy() -> None:
    assert compare(prepared("agency"), prepared("independent")).relation is None


def test_the_beginning_of_a_text_is_an_excerpt_contained_in_it() -> None:
    sentences = read("agency").splitlines()
    found = compare(prepared("agency"), prepare("\n".join(sentences[:3])))
    assert (found.relation, found.contains) == (Relation.EXCERPT, "a")
    assert found.containment_b == 1.0
    assert "of b is in the other" in found.reasons[1]


def test_a_passage_inside_a_longer_story_is_an_excerpt() -> None:
    part = "\n".join(read("agency").splitlines()[3:7])
    found = compare(prepared("agency"), prepare(f"{long_text(600)}\n{part}\n{long_text(90, 'x')}"))
    assert (found.relation, found.contains) == (Relation.EXCERPT, "b")


def test_stories_that_share_only_a_statement_say_so() -> None:
    statement = "“" + long_text(70, "statement") + "”"
    a = prepare(f"{long_text(100, 'left')}\n{statement} a spokesman said.")
    b = prepare(f"A note arrived late. {statement}\n{long_text(90, 'right')}")
    found = compare(a, b)
    assert found.relation is Relation.SHARED_STATEMENT
    assert found.containment_a > 0.3
    assert found.containment_a_outside_quotes < 0.05


def test_a_copy_full_of_quotations_stays_a_copy_in_other_marks() -> None:
    text = "\n".join(
        f"“{long_text(30, f'said{number}')},” she told us {long_text(25, f'told{number}')}."
        for number in range(6)
    )
    other = text.replace("“", "«").replace("”", "»")
    assert compare(prepare(text), prepare(other)).relation is Relation.COPY
    assert compare(prepare(text), prepare(text.replace("“", ""))).relation is Relation.COPY


def test_formula_news_about_another_event_is_a_template() -> None:
    found = compare(prepared("quake_corvane"), prepared("quake_ulvaro"))
    assert found.relation is Relation.TEMPLATE
    assert found.containment_a > 0.5
    assert "name other things" in found.reasons[1]


def test_a_copy_of_formula_news_is_a_copy() -> None:
    copied = read("quake_corvane").replace("kilometres", "km").replace("said.", "said in a note.")
    assert compare(prepared("quake_corvane"), prepare(copied)).relation is Relation.COPY


def test_a_later_version_with_a_higher_toll_is_a_copy() -> None:
    text = read("agency").replace("eleven", "fourteen").replace("640", "810")
    assert compare(prepared("agency"), prepare(text)).relation is Relation.COPY


@pytest.mark.parametrize("name", ["report_zh_traditional_pinyin", "report_zh_taiwan"])
def test_a_chinese_copy_in_other_characters_is_a_copy(name: str) -> None:
    found = compare(prepared("report_zh"), prepared(name))
    assert found.relation is Relation.COPY
    assert found.jaccard > 0.9


@pytest.mark.parametrize("name", ["report_zh", "report_zh_traditional_pinyin", "report_zh_taiwan"])
def test_the_chinese_report_of_another_year_is_no_copy(name: str) -> None:
    found = compare(prepared("report_zh_other_year"), prepared(name))
    assert found.relation is Relation.TEMPLATE
    assert found.containment_a > 0.4


def test_a_rewritten_text_is_found_by_its_sentences() -> None:
    words = read("agency").split(" ")
    spun = " ".join(
        "thus" if number % 4 == 1 and word.islower() else word for number, word in enumerate(words)
    )
    both = " ".join(
        "so" if number % 5 == 2 and word.islower() else word for number, word in enumerate(words)
    )
    found = compare(prepare(both), prepare(spun))
    assert max(found.containment_a, found.containment_b) < 0.25
    assert found.relation is Relation.COPY
    assert "rewritten" in found.reasons[1]


def test_a_disguised_copy_is_found_and_flagged() -> None:
    disguised = read("agency").replace("o", "о").replace("a", "а")  # Cyrillic
    found = compare(prepared("agency"), prepare(disguised))
    assert found.relation is Relation.COPY
    assert found.jaccard > 0.95
    assert any(reason.startswith("b: ") and "disguised" in reason for reason in found.reasons)


def test_site_boilerplate_is_no_evidence() -> None:
    footer = long_text(60, "footer")
    a, b = f"{long_text(80, 'a')}\n{footer}", f"{long_text(80, 'b')}\n{footer}"
    assert compare(prepare(a), prepare(b)).relation is not None
    known = shingles(footer)
    found = compare(prepare(a, boilerplate=known), prepare(b, boilerplate=known))
    assert (found.relation, found.jaccard) == (None, 0.0)
    assert prepare(a, boilerplate=known).boilerplate_count == len(known)


def test_short_texts_need_more_than_a_common_formula() -> None:
    a = f"Share prices ended the day as follows {long_text(25, 'a')} and {long_text(14, 'same')}"
    b = f"Share prices ended the day as follows {long_text(25, 'b')} and {long_text(14, 'same')}"
    assert compare(prepare(a), prepare(b)).relation is None
    assert compare(prepare(a), prepare(a.upper())).relation is Relation.COPY


@pytest.mark.parametrize("text", ["", "One.", "word " * 400, "第" * 500, "一" * 9000, '"' * 999])
def test_empty_and_repetitive_texts_compare_with_everything(text: str) -> None:
    for other in ("", "word word word", read("agency"), text):
        found = compare(prepare(text), prepare(other))
        assert 0.0 <= found.jaccard <= 1.0


SENTENCES = read("agency").splitlines() + read("quake_corvane").splitlines() + ['He said "no".']


@settings(max_examples=60)
@given(st.lists(st.sampled_from(SENTENCES)), st.lists(st.sampled_from(SENTENCES)))
def test_comparing_the_other_way_round_mirrors_the_result(a: list[str], b: list[str]) -> None:
    one, other = prepare("\n".join(a)), prepare("\n".join(b))
    assert compare(other, one) == mirrored(compare(one, other))
    assert mirrored(mirrored(compare(one, other))) == compare(one, other)


@given(st.text(alphabet=st.characters(), max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared(a: str, b: str) -> None:
    found = compare(prepare(a), prepare(b + a))
    assert 0.0 <= found.containment_a <= 1.0
    assert found.longest_passage_words >= 0


def test_quoted_shingles_are_a_part_of_all_shingles() -> None:
    found = prepared("independent")
    assert 0 < len(found.quoted) < len(found.shingles)
    assert np.isin(found.quoted, found.shingles).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda size: "a b c " * size,
        long_text,
        lambda size: '"' + "x " * size,
        lambda size: "‘a " * size,
        lambda size: "»a" * size,
        lambda size: "'a " * size,
        lambda size: "a" * size + " о",
        lambda size: "." + " " * size + "a",
        lambda size: "人(" * size,
        lambda size: "A. " * size,
        lambda size: "第一百" * size,
    ],
)
def test_a_long_dull_text_is_compared_in_a_moment(make: Callable[[int], str]) -> None:
    text = make(40_000)
    begun = time.process_time()
    compare(prepare(text), prepare(text + " end"))
    assert time.process_time() - begun < 3.0  # 40,000 squared would take minutes

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.copies import Prepared, compare, mirrored, prepare
from aidivide_archive.evidence import Evidence, EvidenceKind
from aidivide_archive.model import Relation
from aidivide_archive.similarity import shingles
from tests.support.places import DATA

TEXTS = DATA / "copies"


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
    whole = Evidence(kind=EvidenceKind.SHARE_OF_ONE, percent=100, side="b")
    assert found.evidence[1] == whole
    assert mirrored(found).evidence[1] == replace(whole, side="a")


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
    assert found.evidence[1].kind is EvidenceKind.OTHER_FACTS


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


def notice_zh(*numbers: object, places: tuple[str, str] = ("安平县", "东岭")) -> str:
    day, hour, minute, size, depth, villages, quakes, largest = numbers
    return (
        f"地震台网正式测定：{day}日{hour}时{minute}分在{places[0]}发生{size}级地震，震源深度{depth}千米。"
        f"据当地居民反映，{places[1]}一带震感明显，部分居民跑到室外避险，暂未收到人员伤亡报告。"
        f"震中周边二十公里内有{villages}个村庄，近年来发生三级以上地震{quakes}次，最大一次为{largest}级。"
        "应急管理部门已派出工作组赶赴现场核查灾情，指导群众做好余震防范工作。"
    )


def test_formula_news_without_capital_letters_is_told_by_its_numbers() -> None:
    one = notice_zh(3, 14, 25, "5.1", 12, 17, 44, "6.0")
    other = notice_zh(21, 6, 52, "4.4", 9, 26, 13, "5.7", places=("临水县", "西沟"))
    assert compare(prepare(one), prepare(other)).relation is Relation.TEMPLATE
    updated = notice_zh(3, 14, 25, "5.2", 12, 19, 44, "6.0") + "已有三人受轻伤。"
    assert compare(prepare(one), prepare(updated)).relation is Relation.COPY
    halfwidth = one.translate(str.maketrans("，。：", ",.:"))
    assert compare(prepare(one), prepare(halfwidth)).relation is Relation.COPY


def test_a_copy_in_another_house_style_is_no_template() -> None:
    text = (
        "Mara Lind told the United Nations on Monday that 36,000 homes in Tesk had no light.\n"
        "The United States and Corvane will send 1.5 million lamps by March 3, Jonas Ferro said.\n"
        "In Ulvaro 12,400 people wait for the United Nations to mend the line from Tesk.\n"
        "The United States paid for half of the 240 masts that Aiko Brandt put up on Friday.\n"
        "Nadia Osei of the United Nations called it the coldest week since the old line fell."
    )
    styled = text
    for ours, theirs in {
        "United Nations": "UN", "United States": "US", "Monday": "Mon", "Friday": "Fri",
        "March 3": "3 March", "36,000": "36 000", "12,400": "12.400", "1.5": "1,5",
        "Mara Lind": "Ms Lind", "Jonas Ferro": "Mr Ferro", "Aiko Brandt": "Dr Brandt",
    }.items():  # fmt: skip
        styled = styled.replace(ours, theirs)
    assert compare(prepare(text), prepare(styled)).relation is Relation.COPY


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
    assert found.evidence[1].kind is EvidenceKind.REWRITTEN_SENTENCES


def test_a_disguised_copy_is_found_and_flagged() -> None:
    disguised = read("agency").replace("o", "о").replace("a", "а")  # Cyrillic
    found = compare(prepared("agency"), prepare(disguised))
    assert found.relation is Relation.COPY
    assert found.jaccard > 0.95
    sides = {part.side for part in found.evidence if part.kind is EvidenceKind.DISGUISED_WORDS}
    assert sides == {"b"}


def test_site_boilerplate_is_no_evidence() -> None:
    footer = long_text(60, "footer")
    a, b = f"{long_text(80, 'a')}\n{footer}", f"{long_text(80, 'b')}\n{footer}"
    assert compare(prepare(a), prepare(b)).relation is not None
    known = shingles(footer)
    found = compare(prepare(a, boilerplate=known), prepare(b, boilerplate=known))
    assert (found.relation, found.jaccard) == (None, 0.0)
    assert prepare(a, boilerplate=known).boilerplate_count == len(known)


def test_stock_sentences_are_no_evidence_either() -> None:
    notice = long_text(60, "cookie")
    a, b = f"{long_text(80, 'a')}\n{notice}\nEnd", f"{long_text(80, 'b')}\n{notice}\nStop"
    known = shingles(notice)
    found = compare(prepare(a, stock=known), prepare(b, stock=known))
    assert (found.relation, found.jaccard) == (None, 0.0)


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
        lambda size: "“a „a «a 「a " * (size // 8),
        lambda size: "a “" + " " * size,
        lambda size: 'a "b' + " c" * size,
        lambda size: "12 345 " * size,
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

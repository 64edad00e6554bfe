import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.copies.sentences import aligned_sentences, outline
from aidivide_archive.copies.slots import slot_conflict


def numbers(text: str) -> set[str]:
    return set().union(*(sentence.numbers for sentence in outline(text).sentences))


def test_sentences_end_at_stops_and_line_breaks() -> None:
    text = 'It opened. "It works," she said. 40 came\nNo stop here\n论坛开幕。代表出席！'
    assert len(outline(text).sentences) == 6


def test_slots_are_numbers_names_and_days() -> None:
    found = outline("The council met Mara Lind on monday with 1,200 guests from three towns.")
    (sentence,) = found.sentences
    assert sentence.numbers == {"1200", "3"}
    assert sentence.names == {"mara", "lind", "mon"}
    assert "the council" in sentence.frame


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("来自四十二个国家的代表", {"42"}),
        ("一千二百余名代表", {"1200"}),
        ("二〇二五年七月", {"2025", "7"}),
        ("第九届大会", {"第9届"}),
        ("第12届大会", {"第12届"}),
        ("未来十年", {"10"}),
        ("这是一个论坛", set()),
    ],
)
def test_chinese_numerals_are_numbers(text: str, found: set[str]) -> None:
    assert numbers(text) == found


def test_apostrophes_of_either_kind_make_one_name() -> None:
    straight, curly = outline("We saw Ellery's port."), outline("We saw Ellery’s port.")
    assert straight.sentences == curly.sentences


def test_chinese_sentences_end_at_stops_of_either_width() -> None:
    text = "论坛今天开幕。代表出席！下午讨论；晚上参观？"
    halfwidth = text.translate(str.maketrans("。！；？", ".!;?"))
    assert [len(outline(one).sentences) for one in (text, halfwidth)] == [4, 4]


def test_latin_letters_in_a_chinese_text_are_words_of_their_own() -> None:
    assert outline("收盘时A股三大指数上涨").known >= {"a", "股", "三"}


def test_sentences_are_aligned_across_cuts_and_moves() -> None:
    a = outline("The port opened early today. Nobody was hurt at all. The hall is very old.")
    b = outline("The hall is very old. Some new words stand here. The port opened early today.")
    assert len(aligned_sentences(a, b)) == 2


def test_other_numbers_and_names_in_the_same_sentence_conflict() -> None:
    a = outline("The winning numbers drawn in Tesk were 4, 8 and 15 last night.")
    b = outline("The winning numbers drawn in Ulvaro were 16, 23 and 42 last night.")
    found = slot_conflict(a, b)
    assert (found.aligned, found.conflicting, found.numbers, found.names) == (1, 1, 1, 1)
    assert found.example


def test_different_years_and_sessions_are_told_apart() -> None:
    a = outline("The premier opened the 2024 meeting of the forum with a speech.")
    b = outline("The premier opened the 2025 meeting of the forum with a speech.")
    assert slot_conflict(a, b).years == 1
    sessions = [outline(f"总理出席第{n}届数字发展大会开幕式并发表致辞。") for n in "八九"]
    assert slot_conflict(*sessions).years == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Talks in Kyiv with Zelenskyy", "Talks in Kiev with Zelensky"),
        ("Talks in Tesk on Monday", "Talks in Tesk on July 28"),
        ("Talks with nine guests", "Talks with 9 guests"),
        ("Talks with 1,200 guests", "Talks with 1200 guests"),
        ("Talks with 36,000 guests", "Talks with 36\u202f000 guests"),
        ("Talks on a rise of 3.5 points", "Talks on a rise of 3,5 points"),
        ("Talks in Tesk on Monday", "Talks in Tesk on Mon"),
        ("Talks in Tesk on 3 September", "Talks in Tesk on Sept. 3"),
        ("Talks in the United States", "Talks in the US"),
        ("Talks at the North Corvane Union", "Talks at NCU"),
        ("Talks with Mara Lind", "Talks with Ms. Lind"),
        ("Talks in Tesk", "Talks in the town of Tesk in Corvane"),
    ],
)
def test_other_spellings_and_dates_given_otherwise_do_not_conflict(one: str, other: str) -> None:
    rest = " about the price of bread and the state of the roads went on until late."
    found = slot_conflict(outline(one + rest), outline(other + rest))
    assert (found.aligned, found.conflicting) == (1, 0)


def test_a_merged_or_shortened_sentence_does_not_conflict() -> None:
    a = outline("The plant at Tesk drew 640 watts on Monday and the hall in Ulvaro was cold.")
    b = outline("The plant at Tesk drew 640 watts and the hall in Ulvaro was cold.")
    assert slot_conflict(a, b).conflicting == 0


@given(st.text(alphabet=st.characters(), max_size=200), st.text(max_size=200))
def test_any_text_has_sentences_and_none_conflicts_with_itself(a: str, b: str) -> None:
    assert slot_conflict(outline(a), outline(a)).conflicting == 0
    assert slot_conflict(outline(a), outline(b)).conflicting >= 0


def test_an_endless_numeral_is_a_number() -> None:
    assert numbers("二〇" * 5000 + "年") == {"20" * 5000}

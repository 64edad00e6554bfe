import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.similarity.normalise import canonical, disguised_word_count, normalise

HOSTILE = st.text(alphabet=st.characters(), max_size=200)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Caf\u0065\u0301 closes", "Café closes"),
        ("ＡＩ Ｆｏｒｕｍ ２０２５", "AI Forum 2025"),
        ("artifi\u00adcial in\u200btelli\u2060gence", "artificial intelligence"),
        ("\u202aforum\u202c \u200eopens", "forum opens"),
        ("STRASSE", "straße"),
        ("كِتَابٌ جديـــد", "كتاب جديد"),
        ("人工智慧與軟體", "人工智能与软件"),
        ("衞生部門", "卫生部门"),
        ("上(shàng)海(hǎi)市", "上海市"),
        ("上（shang4）海（hǎi）", "上海"),
        ("上海(shàng hǎi)市", "上海市"),
        ("程式設計師", "程序员"),
    ],
)
def test_texts_that_read_the_same_have_one_form(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_capital_abbreviations_behind_a_character_stay() -> None:
    assert normalise("人工智能(AI)和世卫组织(WHO)") == "人工智能(ai)和世卫组织(who)"


def test_canonical_keeps_case_and_line_breaks() -> None:
    assert canonical("Über Alles\nNext “Line”") == "Über Alles\nNext “Line”"


def test_look_alike_letters_are_undone_and_counted() -> None:
    disguised = "The fоrum оpened in Shаnghаi and the cоuncil spoke"  # Cyrillic о and а
    assert normalise(disguised) == "the forum opened in shanghai and the council spoke"
    assert disguised_word_count(disguised) == 4


def test_words_wholly_of_look_alikes_are_latin_in_a_disguised_latin_text() -> None:
    assert normalise("The рrоgram was а сор story оn pаper") == (
        "the program was a cop story on paper"
    )


def test_latin_letters_in_a_russian_word_become_russian() -> None:
    assert normalise("Pоссия открыла форум") == normalise("Россия открыла форум")


@pytest.mark.parametrize(
    "text", ["Россия открыла форум", "Η Αθήνα άνοιξε", "Plain English", "IPhone в Москве", ""]
)
def test_honest_text_counts_no_disguised_words(text: str) -> None:
    assert disguised_word_count(text) == 0


@given(HOSTILE)
def test_any_text_has_a_form_that_can_be_encoded(text: str) -> None:
    form = normalise(text)
    assert form.encode("utf-8").decode("utf-8") == form
    assert "\x00" not in form
    assert disguised_word_count(text) >= 0


def test_nul_and_lone_surrogates_do_not_cut_a_chinese_text_short() -> None:
    assert normalise("論壇\x00開幕\ud800後") == "论坛 开幕 后"

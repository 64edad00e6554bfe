"""What a word is, in each script, and what can be stored: values counted by hand."""

import ast
import io
import json
import re
import tokenize
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive import words
from aidivide_archive.archive import Location
from aidivide_archive.cli import cli
from aidivide_archive.config.phrases import half_words, tokens_of
from aidivide_archive.copies.differences import differences
from aidivide_archive.copies.passages import passages
from aidivide_archive.copies.sentences import outline
from aidivide_archive.extract.page_kind import units
from aidivide_archive.similarity import tokens as shingle_tokens
from aidivide_archive.similarity.boilerplate import sentence_keys
from aidivide_archive.similarity.normalise import normalise
from tests.support.places import ROOT

KOREAN = "개발도상국 장관들이 상하이에서 인공지능 격차를 논의했다."  # 6 words of 25 syllables

COUNTED = [
    # Latin and other scripts with spaces
    ("", 0),
    ("— … ! _ *", 0),
    ("Don't stop the U.S. e-mail, it's 3.5 per cent.", 9),
    ("The minister’s reply", 3),
    ("3,000 people", 3),  # a comma ends a word
    ("snake_case", 2),
    ("naïve café", 2),
    ("nai\u0308ve cafe\u0301", 2),  # with combining accents
    ("Привет, мир!", 2),
    ("Ελληνικά νέα", 2),
    ("بحث الوزراء الذكاء الاصطناعي", 4),
    ("مُحَمَّدٌ رَسُولٌ", 2),  # with vowel points
    ("می\u200cخواهم بروم", 2),  # a zero-width non-joiner inside a word
    ("हिन्दी में समाचार", 3),
    ("२०२५ में", 2),
    ("தமிழ் செய்தி", 2),
    # Korean has spaces
    (KOREAN, 6),
    ("안녕하세요 세계 2025", 3),
    # without spaces: a letter, vowel sign, tone mark or digit each
    ("上海论坛今天开幕。", 8),
    ("上海論壇（今天）開幕！", 8),
    ("𠮷野家", 3),  # a character beyond the basic plane
    ("人々は二〇二五年", 8),
    ("会議は上海で開かれた。", 10),
    ("ロボット・カー", 6),  # the dot between words is punctuation
    ("ﾛﾎﾞｯﾄ", 5),  # half width
    ("ㄅㄆㄇ", 3),
    ("สวัสดี", 6),  # ส ว ั ส ด ี
    ("ประเทศไทย ๒๕๖๘ ฿", 13),  # nine, and four digits; the sign of the baht is none
    ("ສະບາຍດີ", 7),
    ("ໜັງສື", 5),
    ("ភាសាខ្មែរ។", 9),  # ភ ា ស ា ខ ្ ម ែ រ, and the full stop
    ("ភាសា\u200bខ្មែរ ២០២៥", 13),
    ("မြန်မာ၊ ၂၀၂၅။", 10),  # six, and four digits
    # mixed lines
    ("2025年7月27日，AI论坛在上海开幕。", 14),  # 2025 7 27 AI, and ten characters
    ("ChatGPT在Python里", 4),
    ("서울에서 上海까지", 4),  # 서울에서, 上, 海, 까지
    ("iPhoneรุ่นใหม่ 17", 10),
    ("Lao ລາວ and Khmer ខ្មែរ", 11),
    # what is no letter
    ("Hi 👋🏽 there ❤️", 2),
    ("👩\u200d🚀", 0),
    ("a\ud800b", 2),  # a lone surrogate
    ("co\u00adoperation", 1),  # a soft hyphen
    ("zero\u200bwidth", 2),  # a zero-width space stands between words
    ("zero\u2060width\ufeff", 1),
    ("\u0301 \ufe0f", 0),  # marks without a letter
]


@pytest.mark.parametrize(("text", "count"), COUNTED)
def test_words_are_counted_in_every_script(text: str, count: int):
    assert words.word_count(text) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't e-mail 3.5", ["Don", "t", "e", "mail", "3", "5"]),
        ("co\u00adop हिन्दी café", ["co\u00adop", "हिन्दी", "café"]),
        ("서울에서 2025년", ["서울에서", "2025년"]),
        ("AI论坛2025", ["AI", "论", "坛", "2025"]),
        ("ไทย๒๕", ["ไ", "ท", "ย", "๒", "๕"]),
        ("ລາວ ខ្មែរ។", ["ລ", "າ", "ວ", "ខ", "្", "ម", "ែ", "រ"]),
        ("မြန်၊", ["မ", "ြ", "န", "်"]),
        ("👋🏽 ❤️ \ud800", []),
    ],
)
def test_tokens_are_words_and_characters(text: str, expected: list[str]):
    assert words.tokens(text) == expected
    assert list(words.token_pattern(f"{text}!", others="|!").findall(f"{text}!")) == [
        *expected,
        "!",
    ]


@given(st.text(max_size=60))
def test_no_text_has_more_words_than_tokens(text: str):
    """Joining by apostrophe, dot and hyphen is the only difference; fast ways give what the slow one gives."""
    count = words.word_count(text)
    assert count <= len(words.tokens(text))
    assert words.word_count(f"{text} \u0e01") == count + 1
    if not re.search(r"['’.-]", text):
        assert count == len(words.tokens(text))


def test_the_table_holds_letters_marks_and_digits_and_nothing_else():
    """Against Python's data of Unicode: no punctuation, no symbol; nothing of these blocks is missing."""
    unspaced = words.one_of(words.UNSPACED)
    names = re.compile(
        "THAI |LAO |MYANMAR |KHMER |HIRAGANA |KATAKANA |KATAKANA-|HALFWIDTH KATAKANA |HENTAIGANA |BOPOMOFO "
        "|CJK UNIFIED |CJK COMPATIBILITY IDEOGRAPH|CJK RADICAL|KANGXI RADICAL|HANGZHOU NUMERAL|IDEOGRAPHIC ITERATION"
    )
    for code in (*range(0x20000), *range(0x20000, 0x30000, 7)):
        character = chr(code)
        kind = unicodedata.category(character)[0]
        name = unicodedata.name(character, "")
        is_radical = "RADICAL" in name
        if names.match(name) and (kind in "LMN" or is_radical):
            assert unspaced.match(character), name
        elif kind in "PSZ" and not is_radical:
            assert not unspaced.match(character), name


def test_korean_is_by_character_only_where_parts_of_words_are_looked_for():
    assert words.is_by_character("격차")
    assert not words.one_of(words.UNSPACED).match("격")
    assert words.weight(KOREAN) == 6
    assert units(KOREAN) == 12.5  # a syllable carries half a word
    assert tokens_of("격차") == ["격", "차"]
    assert len(shingle_tokens(KOREAN).hashes) == 6


@pytest.mark.parametrize(
    ("text", "weight", "length"),
    [
        ("Two words, and 3 numbers", 5, 4),  # numbers are no prose
        ("上海论坛2025", 3, 2),
        ("ສະບາຍດີ", 3.5, 3.5),
        ("ខ្មែរ ប", 3, 3),
        ("မြန်မာ", 3, 3),
        ("สวัสดี", 3, 3),
        ("हिन्दी समाचार", 2, 2),
    ],
)
def test_two_characters_weigh_as_much_as_a_word(text: str, weight: float, length: float):
    assert words.weight(text) == weight
    assert units(text) == length


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("One two three four", 3, "One two three…"),
        ("One two\n\nthree", 3, "One two three"),
        ("U.S.-made e-mail, anyway", 2, "U.S.-made e-mail,…"),
        (KOREAN, 2, "개발도상국 장관들이…"),
        ("上海论坛今天开幕。", 3, "上海论坛今天…"),
        ("上海。论坛", 1, "上海。…"),
        ("AI论坛在上海开幕", 2, "AI论坛…"),  # a word and two characters
        ("ສະບາຍດີ", 2, "ສະບາ…"),
        ("ខ្មែរ", 2, "ខ្មែ…"),
        ("បញ្ញា", 2, "ប…"),  # ញ្ญ is one sign of two letters
        ("กำลังที่", 3, "กำลัง…"),  # not ท without its vowel
        ("", 5, ""),
        ("word", 0, ""),
    ],
)
def test_an_excerpt_has_so_many_words_and_no_torn_letter(text: str, limit: int, expected: str):
    assert words.excerpt(text, limit) == expected


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(0, 30))
def test_an_excerpt_is_a_beginning_of_the_text_and_never_too_long(text: str, limit: int):
    shown = words.excerpt(text, limit)
    whole = " ".join(text.split())
    assert whole.startswith(shown.removesuffix("…")) or shown == whole
    if words.one_of(words.UNSPACED).search(text) and " " not in whole:
        assert words.weight(shown) <= limit


# --- the rules that are derived ------------------------------------------------------------------

SENTENCES = {
    "th": "รัฐมนตรีจากประเทศกำลังพัฒนาหารือเรื่องปัญญาประดิษฐ์ที่เซี่ยงไฮ้",
    "lo": "ລັດຖະມົນຕີຈາກປະເທດກຳລັງພັດທະນາປຶກສາຫາລືເລື່ອງປັນຍາປະດິດ",
    "km": "រដ្ឋមន្ត្រីមកពីប្រទេសកំពុងអភិវឌ្ឍន៍ពិភាក្សាអំពីបញ្ញាសិប្បនិម្មិត",
    "my": "ဖွံ့ဖြိုးဆဲနိုင်ငံများမှဝန်ကြီးများသည်ဉာဏ်ရည်တုအကြောင်းဆွေးနွေးကြသည်",
    "zh": "发展中国家的部长们今天在上海讨论了人工智能鸿沟",
    "ja": "開発途上国の閣僚らは上海で人工知能の格差について協議した",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_every_script_without_spaces_is_treated_alike(language: str):
    text = SENTENCES[language]
    length = len(text)
    assert words.word_count(text) == length
    assert units(text) == words.weight(text) == length / 2
    unified = list(unicodedata.normalize("NFKC", text))  # ำ is two signs in it
    assert tokens_of(text) == unified
    assert sum(map(half_words, tokens_of(text))) == len(unified)
    assert len(sentence_keys(text[:20])) == 1  # long enough to be a stock sentence
    assert sentence_keys("short news of it") == {}
    assert outline(text).sentences[0].words == set(normalise(text))
    shared = passages(f"{text} one", f"two {text}")
    assert [(one.a_start, one.a_end, one.word_count) for one in shared] == [(0, length, length)]
    changed = differences(text, text[:5] + text[6:])
    assert [one.text for one in changed if one.kind == "cut"] == [text[5]]


# --- what can be stored and shown ----------------------------------------------------------------


def test_storable_text_is_what_xml_and_both_databases_hold():
    kept = "\t\n\r a\x7f\x85é\u200b\u2028\ufffd\ufdd0\U0010ffff"
    gone = "\x00\x01\x08\x0b\x0c\x0e\x1f\ud800\udfff\ufffe\uffff"
    assert words.storable(f"{gone}{kept}{gone}") == kept
    assert words.storable(kept) == kept
    assert words.storable_bytes(b"\x00a\x0b\n\x1f\xc3\xa9") == b"a\n\xc3\xa9"
    assert words.is_storable("\x01\x0b tab\t")
    assert not words.is_storable("a\x00")
    assert not words.is_storable("a\udc80")


def test_printable_and_undirected_text_show_what_was_replaced():
    assert words.printable("a\x00\x1b\x85\ud800\uffffb\tc\n") == "a" + 5 * "\ufffd" + "b\tc\n"
    assert words.printable("\u202eabc\u200f") == "\u202eabc\u200f"
    assert words.undirected("\u202eabc\u2069\u200f\x1b") == "\ufffdabc\ufffd\u200f\ufffd"
    assert words.without_surrogates("a\ud800\x00") == "a\ufffd\x00"


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_storable_text_is_encodable_and_stays_as_it_is(text: str):
    kept = words.storable(text)
    kept.encode()
    assert words.is_storable(kept)
    assert words.storable(kept) == kept


# --- through the product -------------------------------------------------------------------------

ARTICLES = {
    "zh": ("上海论坛今天开幕。", "8 characters"),
    "ja": ("会議は上海で開かれた。", "10 characters"),
    "ko": (KOREAN, "6 words"),
    "th": ("สวัสดีประเทศไทย", "15 characters"),
    "lo": ("ສະບາຍດີ", "7 characters"),
    "km": ("ភាសាខ្មែរ។", "9 characters"),
    "my": ("မြန်မာ", "6 characters"),
    "en": ("The forum opened today.", "4 words"),
    "hi": ("हिन्दी में समाचार", "3 words"),
}


def test_an_imported_article_is_counted_as_the_codebook_says(location: Location, tmp_path: Path):
    where = ["--archive", str(location.directory)]
    if location.database_url:
        where += ["--database", location.database_url]
    source = tmp_path / "articles.jsonl"
    rows = [
        {"url": f"https://{language}.example/1", "title": "T", "text": text, "language": language}
        for language, (text, _) in ARTICLES.items()
    ]
    source.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    folder, page = tmp_path / "set", tmp_path / "report.html"
    for command in (
        ["import", str(source)],
        ["export", "articles", "-o", str(folder)],
        ["report", "--with-text", "-o", str(page)],
    ):
        done = CliRunner().invoke(cli, [*command, *where])
        assert done.exit_code == 0, done.output
    lines = (folder / "articles.jsonl").read_text("utf-8").splitlines()
    exported = [json.loads(line) for line in lines]
    assert {row["language"]: row["word_count"] for row in exported} == {
        language: int(length.split()[0]) for language, (_, length) in ARTICLES.items()
    }
    codebook = (folder / "codebook.md").read_text("utf-8")
    assert "in scripts without spaces every character counts as one" in codebook
    shown = page.read_text("utf-8")
    for _, length in ARTICLES.values():
        assert f"{length}" in shown


# --- one definition ------------------------------------------------------------------------------

_BLOCKS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Scripts without spaces, Hangul, and surrogates."""
_RANGE = re.compile(f"[{_BLOCKS}\ud800-\udfff]-[{_BLOCKS}\ud800-\udfff]|\x0e-\x1f")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2}))")
_ONE = re.compile(f"[{_BLOCKS}\ud800-\udfff]")


def definitions(source: str) -> Iterator[str]:
    """Ranges of those scripts or of unstorable characters: in patterns, as bounds of a comparison, as numbers."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = _ESCAPE.sub(
                lambda code: chr(int("".join(filter(None, code.groups())), 16)), node.value
            )
            yield from (f"line {node.lineno}: {found!a}" for found in _RANGE.findall(text))
        if isinstance(node, ast.Compare):
            for part in (node.left, *node.comparators):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    is_bound = any(
                        isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops
                    )
                    if is_bound and len(part.value) == 1 and _ONE.match(part.value):
                        yield f"line {node.lineno}: {part.value!a}"
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_code = token.type == tokenize.NUMBER and re.fullmatch(
            "0[xX][0-9a-fA-F]{4}", token.string
        )
        if is_code and _ONE.match(chr(int(token.string, 16))):
            yield f"line {token.start[0]}: {token.string}"


@pytest.mark.parametrize(
    "source",
    [
        'A = "[\\u4e00-\\u9fff]"',
        'A = r"x[\\u3040-\\u30ff]"',
        'A = "[一-龥]"',
        'A = rf"{b}[\\u0e00-\\u0e7f]"',
        'A = "\\ud800" <= b',
        'A = "[\\x00-\\x08\\x0e-\\x1f]"',
        "A = range(0x3041, 0x3097)",
        'A = b[0] >= "\\u2e80"',
    ],
)
def test_a_second_definition_would_be_seen(source: str):
    assert list(definitions(source))


@pytest.mark.parametrize("source", ['A = "一月|二月"', 'A = "—-–"', "A = 0x4000", 'A = "[À-Þ]"'])
def test_words_of_those_languages_are_no_definition(source: str):
    assert not list(definitions(source.replace("0x4000", "16384")))


def test_no_other_module_says_which_characters_a_script_has():
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "crawler").rglob("*.py")]
    others = [path for path in files if path.name != "words.py" or path.parent.name == "report"]
    assert len(files) - len(others) == 1
    found = {
        str(path.relative_to(ROOT)): list(definitions(path.read_text("utf-8"))) for path in others
    }
    assert {path: lines for path, lines in found.items() if lines} == {}

"""Search finds the same on both engines, counts, pages and says in one line what it cannot read."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.documents import full_text
from aidivide_archive.archive.queries import Facet, Filters, Order, Reader, Search
from aidivide_archive.archive.queries import searching as searching_module
from aidivide_archive.archive.queries.query_language import MAX_DEPTH, Phrase, fts5, parse, tsquery
from aidivide_archive.archive.queries.snippets import marked, snippet
from aidivide_archive.archive.storage import migrate
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.exceptions import ArchiveError, ConfigError
from aidivide_archive.model import (
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    TimeValue,
    UrlState,
)
from aidivide_archive.similarity import sign
from aidivide_archive.urls import url_id
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location

TEXTS = {
    "accents": ("L’état de l'été", "Le café d'Orléans a fermé. São Paulo não é cão; naïve Œuvre."),
    "german": ("Straße und Maße", "Die Straße ist breit, STRASSENBAHN und Fußgänger."),
    "chinese": ("智能鸿沟论坛", "弥合智能鸿沟论坛周日举行，联合国和AI时代的代表出席。"),
    "spaced": ("上海", "智 能 鸿 沟，人工\n智能。"),
    "kana": ("カタカナのニュース", "ｶﾀｶﾅ と ひらがな、그리고 한국어 기사."),
    "symbols": (
        "C++ & R&D",
        "Mail ann.lee@news.example or https://news.example/a-b?c=1, 3.5% of $1,000.",
    ),
    "hyphens": (
        "Low-income countries",
        "The low-income and middle income states don't agree; U.S. e-mail.",
    ),
    "hindi": ("हिन्दी समाचार", "भारत में कृत्रिम बुद्धिमत्ता मंच"),
    "quote": ('It\'s "quoted"', "He said 'it' \\ and: \"so\" | & ! ( ) * ^ {x} <-> ~"),
    "empty title": ("", "only a text here, forum forum forum"),
    "title only": ("Forum of the words", "nothing to see"),
    "thai": ("ข่าวไทย", "รัฐมนตรีหารือเรื่องปัญญาประดิษฐ์ ปี ๒๕๖๘"),
    "lao": ("ຂ່າວລາວ", "ລັດຖະມົນຕີປຶກສາຫາລືເລື່ອງປັນຍາປະດິດ"),
    "khmer": ("ព័ត៌មាន", "រដ្ឋមន្ត្រី\u200bពិភាក្សា\u200bអំពី\u200bបញ្ញាសិប្បនិម្មិត។"),
    "burmese": ("သတင်း", "ဝန်ကြီးများသည်ဉာဏ်ရည်တုအကြောင်းဆွေးနွေးကြသည်။"),
    "joined": (
        "မ",
        "un\u00adpro\u00adblematisch, क\u094d\u200dष, マーク・トウェインと人々, می\u200cخواهم",
    ),
    "wide": ("ＷＩＤＥ ＬＥＴＴＥＲＳ", "ﬁne ﬂow ½ ² Ⅷ"),
}


def address(name: str) -> str:
    return f"https://texts.example/{name.replace(' ', '-')}"


def document(name: str, title: str, text: str, number: int = 0) -> Document:
    start = datetime(2025, 7, 1, tzinfo=UTC) + timedelta(days=number)
    published = TimeValue(
        start=start, end=start + timedelta(minutes=1), raw="", offset_minutes=0, precision="minute"
    )
    metadata = Metadata(title=title or None, published=published, language="en")
    return Document(
        url_id=url_id(address(name)),
        url=address(name),
        outcome=Outcome(state=UrlState.DONE, reason=Reason.IMPORTED),
        finished_at=datetime(2025, 8, 1, tzinfo=UTC),
        extraction=Extraction(
            version="test/1", page_kind=PageKind.ARTICLE, text=text, metadata=metadata
        ),
        signature=sign(text),
    )


def store(location: Location, documents: list[Document]) -> None:
    with Archive(location) as archive:
        archive.begin("import", filled.profile())
        archive.store_imported(documents).result()
        archive.finish("finished")


@pytest.fixture(scope="module", params=ENGINES)
def texts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    with new_location(request.param, tmp_path_factory.mktemp("texts")) as where:
        made = [document(name, *both, number) for number, (name, both) in enumerate(TEXTS.items())]
        store(where, made)
        with Reader(where) as reader:
            yield reader


@pytest.fixture(scope="module", params=ENGINES)
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as where:
        filled.fill(where)
        with Reader(where) as opened:
            yield opened


def found(reader: Reader, query: str) -> set[str]:
    names = {url_id(address(name)): name for name in TEXTS}
    return {names[number] for number in reader.select_ids(query)}


# --- what is found -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("etat", {"accents"}),
        ("ÉTAT", {"accents"}),
        ("cafe orleans", {"accents"}),
        ("d'Orléans", {"accents"}),
        ("cao", {"accents"}),
        ("strasse", {"german"}),
        ("Straße", {"german"}),
        ("strass*", {"german"}),
        ("fußg*", {"german"}),
        ("鸿沟", {"chinese", "spaced"}),
        ("智能鸿沟", {"chinese", "spaced"}),
        ("能鸿", {"chinese", "spaced"}),
        ("鸿沟论坛", {"chinese"}),
        ("沟", {"chinese", "spaced"}),
        ("论", {"chinese"}),
        ("联合国", {"chinese"}),
        ("AI时代", {"chinese"}),
        ("国和AI", {"chinese"}),
        ("和AI时", {"chinese"}),
        ("国AI", set()),
        ("沟鸿", set()),
        ("人工智能", {"spaced"}),
        ("海智", set()),  # no phrase reaches from the title into the text
        ("カタカナ", {"kana"}),
        ("ひら", {"kana"}),
        ("한국", {"kana"}),
        ("ann.lee@news.example", {"symbols"}),
        ("lee", {"symbols"}),
        ("https://news.example/a-b?c=1", {"symbols"}),
        ("news.example/a", {"symbols"}),
        ("3.5", {"symbols"}),
        ("5.3", set()),
        ("1,000", {"symbols"}),
        ("c++", {"symbols"}),
        ("low-income", {"hyphens"}),
        ('"low income"', {"hyphens"}),
        ("don't", {"hyphens"}),
        ("don’t", {"hyphens"}),
        ("U.S.", {"hyphens"}),
        ("e-mail", {"hyphens"}),
        ("middle-income", {"hyphens"}),
        ("कृत्रिम", {"hindi"}),
        ("बुद्धि*", {"hindi"}),
        ("कृ", set()),
        ("ปัญญา", {"thai"}),
        ("ปี ๒๕๖๘", {"thai"}),
        ("ປັນຍາ", {"lao"}),
        ("ປຶກສາ ປະດິດ", {"lao"}),
        ("ປຶກສາ ປະທານ", set()),
        ("បញ្ញា", {"khmer"}),
        ("អំពីបញ្ញា", {"khmer"}),  # over a zero-width space
        ("ဉာဏ်ရည်တု", {"burmese"}),
        ("title:သတင်း", {"burmese"}),
        ("unproblematisch", {"joined"}),
        ("un\u00adproblematisch", {"joined"}),
        ("क्ष", {"joined"}),
        ("マーク・トウェイン", {"joined"}),
        ("マークトウェイン", {"joined"}),
        ("人々", {"joined"}),
        ("خواهم", {"joined"}),  # what follows a non-joiner is found by itself
        ("it AND quoted", {"quote"}),
        ("wide", {"wide"}),
        ("fine flow", {"wide"}),
        ("viii", {"wide"}),
        ("forum", {"empty title", "title only"}),
        ("title:forum", {"title only"}),
        ("forum -title:forum", {"empty title"}),
        ('title:"low income"', {"hyphens"}),
        ('title:"middle income"', set()),
        ("title:(forum OR wide) words", {"title only"}),
        ("title:鸿沟", {"chinese"}),
        ("title:智", {"chinese"}),
        ("title:lett*", {"wide"}),
        ("wide OR forum -text", {"wide", "title only"}),
        ("(wide OR forum) -text", {"wide", "title only"}),
        ("(wide OR forum) NOT (text OR flow)", {"title only"}),
        ("forum NOT NOT words", {"title only"}),
        ("straße OR 鸿沟 OR hindi OR भारत", {"german", "chinese", "spaced", "hindi"}),
        ("and or not", set()),
        ("“low income”", {"hyphens"}),
        ("（wide）", {"wide"}),
        ("wide – ! letters", {"wide"}),
        ('"low inc"*', {"hyphens"}),
        ("foo:bar", set()),
    ],
)
def test_both_engines_find_what_a_reader_would(texts: Reader, query: str, names: set[str]):
    assert found(texts, query) == names


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('"shared models', "at character 1: this quotation mark has no second one"),
        ("a b (c d", "at character 5: this ( has no )"),
        ("wide) more", "at character 5: this ) has no ("),
        ("a OR", "at character 3: OR needs a word after it"),
        ("OR a", "at character 1: OR needs a word on both sides"),
        ("a AND", "at character 3: AND needs"),
        ("a AND OR b", "at character 3: AND needs"),
        ("a NOT", "at character 3: NOT needs a word after it"),
        ("-wide", "at character 1: nothing but excluded words"),
        ("a OR -b", "at character 6: nothing but excluded words"),
        ("()", "holds no word"),
        ("a ()", "at character 4: nothing stands between"),
        ("wi*de", "at character 3: a * stands at the end"),
        ("a*", "at least 2 letters"),
        ("outlet:Meridian", "at character 1: only title: can be asked for"),
        ("", "holds no word"),
        ("!?", "holds no word"),
        ("x" * 2000, "at most 1000 characters"),
        ("a " * 65, "65 words and phrases; 64 are allowed"),
        ("(" * 30 + "a" + ")" * 30, f"at character {MAX_DEPTH + 1}: more than"),
        ("title:", "needs a word after it"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_the_place(query: str, words: str):
    if query == "title:":
        query = "a title:!"
    with pytest.raises(ConfigError) as caught:
        parse(query)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


HOSTILE_QUERIES = (
    "'",
    "NEAR(a b)",
    "x* ^x",
    "{title} : y",
    "-- ; DROP TABLE articles",
    "a\x00b",
    "\ud800 a",
    "a & b | !c <-> d",
    "a' | 'b",
    "a':A",
    "\\' a",
    "%s :words",
    "a\u202eb",
    "·",
    "\U0001f600 a\u0301",
)


@pytest.mark.parametrize("query", HOSTILE_QUERIES)
def test_no_text_is_handed_to_the_engine_as_it_is(texts: Reader, query: str):
    try:
        texts.search(Search(query=query))
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    query=st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            ["a", "wide", "鸿沟", "沟", "(", ")", "OR", "AND", "NOT", "-", '"', "title:", "lo*"]
        )
    ).map(" ".join)
)
def test_any_text_is_found_or_refused(texts: Reader, query: str):
    try:
        texts.search(Search(query=query))
    except ArchiveError as error:
        assert type(error) is ConfigError  # noqa: PT017


# --- the index -----------------------------------------------------------------------------------


def test_every_part_of_a_chinese_text_is_found(texts: Reader):
    """A word of any length from one character on, wherever it begins."""
    text = "弥合智能鸿沟论坛周日举行"
    for length in range(1, len(text) + 1):
        for start in range(len(text) - length + 1):
            assert "chinese" in found(texts, text[start : start + length])


def test_what_is_indexed_of_endless_texts_is_the_same_on_both_engines(location: Location):
    chance = random.Random(1)
    many = " ".join(["model"] * 400 + ["late", "model", "here"])
    astral = "".join(chr(0x10300 + chance.randrange(28)) for _ in range(200_000))
    store(
        location,
        [
            document("many", "model " * 300, many),
            document("long", "", " ".join(f"w{number}" for number in range(20_000))),
            document(
                "astral", astral[:1000], " ".join(astral[i : i + 60] for i in range(0, 160_000, 61))
            ),
            document("one word", "x", "y" * 1_000_000),
        ],
    )
    with Reader(location) as reader:
        assert len(reader.select_ids('"late model"')) == 0  # beyond the places that are kept
        assert len(reader.select_ids("late here")) == 1
        assert len(reader.select_ids("title:model")) == 1
        assert len(reader.select_ids("w15999")) == 1
        assert len(reader.select_ids("w16000")) == 0
        assert len(reader.select_ids(astral[:60])) == 1
        assert len(reader.select_ids("y" * 80)) == 1


def test_a_changed_text_is_found_by_its_new_words_only(location: Location):
    filled.fill(location)
    with Archive(location) as archive:

        def change(connection: sa.Connection) -> None:
            number = url_id(filled.CHINESE)
            old = full_text.indexed(connection, [number])
            full_text.write(connection, [(number, "新标题", "全新的文字")], gone=old)

        archive.submit(change).result()
    with Reader(location) as reader:
        assert reader.select_ids("鸿沟") == ()
        assert reader.select_ids("全新的文字") == (url_id(filled.CHINESE),)
        assert reader.select_ids("title:新标题") == (url_id(filled.CHINESE),)


def test_an_upgrade_builds_the_index_again(location: Location):
    filled.fill(location)
    engine = write_engine(location)
    with engine.begin() as connection:
        migrate.downgrade(connection, "0001")
        migrate.upgrade(connection)
    engine.dispose()
    with Reader(location) as reader:
        assert reader.select_ids("智能鸿沟") == (url_id(filled.CHINESE),)
        assert integrity(reader) == []


def test_the_index_of_a_new_archive_keeps_words_alone_and_uncompressed(location: Location):
    with Archive(location) as archive:
        look = {
            "sqlite": "SELECT sql FROM sqlite_master WHERE name = 'full_text'",
            "postgresql": "SELECT attstorage::text FROM pg_attribute "
            "WHERE attrelid = 'full_text'::regclass AND attname = 'words'",
        }
        dialect = "sqlite" if location.is_sqlite else "postgresql"
        shown = archive.submit(lambda c: c.scalar(sa.text(look[dialect]))).result()
    sqlite = "CREATE VIRTUAL TABLE full_text USING fts5(title, text, content='', tokenize='ascii')"
    assert shown == (sqlite if location.is_sqlite else "e")  # e: kept uncompressed, for ranking


def test_words_are_cut_and_folded():
    assert full_text.indexed_words("L'Été, low-income!") == ["l", "ete", "low", "income"]
    assert full_text.indexed_words("AI时代来") == ["ai", "时代", "代来", "来"]
    assert full_text.indexed_words("_a_ b²") == ["a", "b2"]


def test_the_two_engines_are_asked_the_same():
    assert tsquery(parse("a -title:ee* 智")) == "(('a') & ('智':*) & !('ee':*A))"
    assert fts5(parse("a -title:ee* 智")) == '(("a" AND "智"*) NOT ((title : "ee"*)))'


# --- pages, counts, facets -----------------------------------------------------------------------


@pytest.fixture(scope="module", params=ENGINES)
def many(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    with new_location(request.param, tmp_path_factory.mktemp("many")) as where:
        made = [
            document(f"n{n}", f"Number {n}", f"word {'again ' * (n % 7)} number{n}", n % 20)
            for n in range(60)
        ]
        store(where, made)
        with Reader(where) as reader:
            yield reader


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("limit", [1, 7, 60, 100])
def test_pages_hold_every_hit_once_and_in_one_order(many: Reader, order: Order, limit: int):
    whole = many.search(Search(query="word", order=order, limit=1000))
    assert (whole.total, whole.is_capped, whole.next) == (60, False, None)
    ids, after = [], None
    while True:
        page = many.search(Search(query="word", order=order, limit=limit, after=after))
        ids += [row["id"] for row in page.hits]
        assert page.total == 60
        if page.next is None:
            break
        after = page.next
    assert ids == [row["id"] for row in whole.hits]
    assert len(set(ids)) == 60


def test_dates_order_the_hits(many: Reader):
    for order, reverse in ((Order.NEWEST, True), (Order.OLDEST, False)):
        hits = many.search(Search(query="word", order=order, limit=60)).hits
        days = [str(row["published_at"]) for row in hits]
        assert days == sorted(days, reverse=reverse)


def test_a_word_in_the_title_counts_more(texts: Reader):
    hits = texts.search(Search(query="forum")).hits
    assert hits[0]["url"] in {address("title only"), address("empty title")}
    assert len(hits) == 2


@pytest.mark.parametrize("key", ["", "x", "W10", "bnVsbA", "é", "a" * 5000, "WyJyIiwxLDJd!"])
def test_a_key_that_no_page_printed_is_refused(many: Reader, key: str):
    with pytest.raises(ConfigError, match="no key of a page"):
        many.search(Search(query="word", after=key))


def test_a_key_of_another_order_is_refused(many: Reader):
    first = many.search(Search(query="word", order=Order.NEWEST, limit=1))
    with pytest.raises(ConfigError, match="belongs to another order"):
        many.search(Search(query="word", order=Order.OLDEST, after=first.next))


def test_many_hits_are_counted_to_a_cap(many: Reader, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(searching_module, "CAP", 25)
    for order in Order:
        answer = many.search(Search(query="word", order=order, facets=(Facet.MONTH,)))
        assert (answer.total, answer.is_capped) == (25, True)
        assert sum(count for _, count in answer.facets["month"]) == 25
    newest = many.search(Search(query="word", order=Order.NEWEST, limit=3))
    assert {str(row["published_at"])[:10] for row in newest.hits} == {"2025-07-20"}


def test_without_words_filters_choose_and_the_newest_stand_first(reader: Reader):
    answer = reader.search(Search(filters=Filters(languages=("en",))))
    urls = [row["url"] for row in answer.hits]
    assert urls == [filled.COPY, filled.FIRST, filled.HOSTILE]  # unknown dates last
    with pytest.raises(ConfigError, match="no relevance"):
        reader.search(Search(order=Order.RELEVANCE))


def test_one_article_a_story_is_the_origin_when_it_is_a_hit(reader: Reader):
    both = Search(query="telescopes")
    assert reader.search(both).total == 2
    unique = reader.search(Search(query="telescopes", unique=True))
    assert [row["url"] for row in unique.hits] == [filled.FIRST]
    assert unique.total == 1
    copies = reader.search(Search(query='"second paper"', unique=True))
    assert [row["url"] for row in copies.hits] == [filled.COPY]


def test_facets_count_the_hits(reader: Reader):
    answer = reader.search(Search(filters=Filters(sources=("feed",)), facets=tuple(Facet)))
    assert {name: dict(values) for name, values in answer.facets.items()} == {
        "outlet": {"One Daily": 1, "Two Wire": 1, None: 2},
        "country": {"GB": 1, "FR": 1, None: 2},
        "language": {"en": 3, "zh": 1},
        "day": {"2025-07-27": 2, "2025-07-28": 1, None: 1},
        "month": {"2025-07": 3, None: 1},
        "role": {"origin": 3, "edited_copy": 1},
    } | {"role": dict(answer.facets["role"])}
    assert sum(dict(answer.facets["role"]).values()) == 4


def test_a_hit_says_where_it_stands_and_marks_the_words(reader: Reader):
    (hit,) = reader.search(Search(query="ministers title:harbour")).hits
    assert hit["outlet"] == "One Daily"
    assert hit["country"] == "GB"
    assert hit["role"] == "origin"
    (hit,) = reader.search(
        Search(query="Laboratories", filters=Filters(sites=("one.example",)))
    ).hits
    shown, marks = str(hit["snippet"]), hit["snippet_marks"]
    assert isinstance(marks, list)
    assert [shown[start:end] for start, end in marks] == ["laboratories"]
    assert shown.startswith("…")


def test_both_engines_answer_alike(tmp_path: Path):
    answers = []
    for engine in ENGINES:
        (tmp_path / engine).mkdir()
        with new_location(engine, tmp_path / engine) as where:
            filled.fill(where)
            with Reader(where) as opened:
                asked = Search(query="telescopes OR 鸿沟 OR carrots", order=Order.OLDEST)
                answer = opened.search(asked)
                answers.append(json.dumps([answer.hits, answer.total], ensure_ascii=False))
    assert answers[0] == answers[1]


# --- snippets ------------------------------------------------------------------------------------


def shown(text: str, *asked: Phrase) -> str:
    return marked(*snippet(text, asked), "[", "]")


def test_a_snippet_shows_the_line_with_the_most_of_what_was_asked():
    text = "alpha " * 100 + "the\nneedle here " + "omega " * 100 + "needle alone"
    line = shown(text, Phrase(("here",)), Phrase(("needle",)))
    assert "the [needle] [here]" in line
    assert line.startswith("…")
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("text", "phrase", "line"),
    [
        ("L’État, c’est moi", Phrase(("etat",)), "L’[État], c’est moi"),
        ("Die Straße hier", Phrase(("strasse",)), "Die [Straße] hier"),
        ("die ﬁne Straße hier", Phrase(("hier",)), "die ﬁne Straße [hier]"),
        ("弥合智能鸿沟论坛", Phrase(tuple("智能鸿沟")), "弥合[智能鸿沟]论坛"),
        ("low-income states", Phrase(("low", "income")), "[low-income] states"),
        ("developing develops", Phrase(("develop",), is_prefix=True), "[developing] [develops]"),
        ("redevelop", Phrase(("develop",)), "redevelop"),
        ("e\u0301te\u0301 ete", Phrase(("ete",)), "[été] [ete]"),
        ("a\n\n b\tc", Phrase(("b",)), "a [b] c"),
        ("nothing", Phrase(("absent",)), "nothing"),
        ("", Phrase(("absent",)), ""),
        ("the title has it", Phrase(("title",), in_title=True), "the title has it"),
    ],
)
def test_the_words_found_are_marked_as_they_are_written(text: str, phrase: Phrase, line: str):
    assert shown(text, phrase) == line


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=400), word=st.text(min_size=1, max_size=5))
def test_marks_lie_inside_the_snippet_and_apart(text: str, word: str):
    words = full_text.single_words(word)
    asked = [Phrase(tuple(words))] if words else []
    line, marks = snippet(text, asked)
    assert "\n" not in line
    places = [place for mark in marks for place in mark]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(line) for start, end in marks)

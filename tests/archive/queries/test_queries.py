import inspect
import json
import re
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.queries import (
    ARTICLE_FIELDS,
    LEDGER_FIELDS,
    MATCH_FIELDS,
    STORY_FIELDS,
    Reader,
    Row,
    Search,
)
from aidivide_archive.archive.queries.details import story
from aidivide_archive.archive.queries.listings import iter_matches
from aidivide_archive.archive.queries.overview import status
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.archive.storage.moments import instant, iso, iso_again
from aidivide_archive.archive.upkeep.integrity import integrity, plain_damages
from aidivide_archive.exceptions import ConfigError, MissingArchiveError, SchemaVersionError
from aidivide_archive.urls import article_id, story_id, url_id
from aidivide_archive.warc.records import read_capture
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location


@pytest.fixture(scope="module", params=ENGINES)
def filled_location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    """One filled archive an engine for all tests here; they leave it as it is."""
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as where:
        filled.fill(where)
        yield where


@pytest.fixture
def reader(filled_location: Location) -> Iterator[Reader]:
    with Reader(filled_location) as opened:
        yield opened


@contextmanager
def changed(location: Location, *statements: sa.Executable) -> Iterator[sa.Connection]:
    """A connection that sees the archive with a change, which is rolled back at the end."""
    engine = write_engine(location)
    with engine.connect() as connection, connection.begin() as transaction:
        for statement in statements:
            connection.execute(statement)
        yield connection
        transaction.rollback()
    engine.dispose()


def by_url(rows: Iterator[Row]) -> dict[object, Row]:
    return {row["url"]: row for row in rows}


# --- rows ----------------------------------------------------------------------------------------


def test_article_rows_have_the_contracts_fields_in_order(reader: Reader):
    found = list(reader.articles())
    assert [tuple(row) for row in found] == [ARTICLE_FIELDS] * 4
    first = by_url(reader.articles())[filled.FIRST]
    file, offset = first.pop("warc_file"), first.pop("warc_offset")
    assert first == {
        "id": article_id(url_id(filled.FIRST)),
        "url": filled.FIRST,
        "canonical_url": filled.FIRST,
        "site": "one.example",
        "outlet": "One Daily",
        "country": "GB",
        "title": "Ministers meet in the harbour",
        "authors": ["Ann Lee", "José Díaz"],
        "published_at": "2025-07-27T02:00:00Z",
        "published_from": "2025-07-27T02:00:00Z",
        "published_to": "2025-07-27T02:00:01Z",
        "published_source": "json-ld",
        "modified_at": "2025-07-27T04:00:00Z",
        "language": "en",
        "section": "World",
        "description": "What was said.",
        "image_url": "https://one.example/i.jpg",
        "image_caption": "The harbour",
        "word_count": 200,
        "text": filled.TEXT,
        "text_sha256": first["text_sha256"],
        "relevance_score": 12.0,
        "relevance_decision": "keep",
        "story_id": story_id(min(url_id(filled.FIRST), url_id(filled.COPY))),
        "role": "origin",
        "captured_at": "2025-07-28T12:30:15Z",
        "event": filled.EVENT,
        "withheld": None,
        "published_day": "2025-07-27",
        "access": "open",
        "complete": True,
        "credits": ["Meridian Wire"],
        "tags": ["talks", "schools"],
        "dateline": "HARBOUR CITY",
        "image_credit": "Li Wen",
    }
    path = reader.location.warc_directory / str(file)
    assert isinstance(offset, int)
    assert read_capture(path, offset).body == b"<p>1"


def test_a_day_is_an_interval_and_never_midnight(reader: Reader):
    copy = by_url(reader.articles())[filled.COPY]
    assert copy["published_at"] is None
    assert copy["published_from"] == "2025-07-28T00:00:00Z"
    assert copy["published_to"] == "2025-07-29T00:00:00Z"
    assert copy["modified_at"] is None  # known to the day only


def test_what_is_unknown_is_none(reader: Reader):
    hostile = by_url(reader.articles())[filled.HOSTILE]
    unknown = ("canonical_url", "outlet", "published_from", "published_to", "warc_file", "section")
    assert [hostile[name] for name in unknown] == [None] * len(unknown)
    assert (hostile["authors"], hostile["credits"], hostile["tags"]) == ([], [], [])
    nobody_saw = ("published_day", "access", "complete", "dateline", "image_credit")
    assert [hostile[name] for name in nobody_saw] == [None] * len(nobody_saw)


def test_articles_are_ordered_by_publication_unknown_last(reader: Reader):
    order = [filled.FIRST, filled.CHINESE, filled.COPY, filled.HOSTILE]
    assert [row["url"] for row in reader.articles()] == order


def test_an_article_is_shown_with_an_event_that_did_not_refuse_it(reader: Reader):
    found = by_url(reader.articles())
    assert found[filled.FIRST]["event"] == filled.EVENT  # other-event refused it
    assert found[filled.HOSTILE]["event"] == "other-event"
    assert found[filled.HOSTILE]["relevance_score"] == 9.0


def test_one_event_shows_what_it_kept_with_its_own_score(reader: Reader):
    assert set(by_url(reader.articles(event="other-event"))) == {filled.HOSTILE}
    kept = {filled.FIRST, filled.COPY, filled.CHINESE}
    assert set(by_url(reader.articles(event=filled.EVENT))) == kept
    with pytest.raises(ConfigError, match="there are: harbour-talks"):
        list(reader.articles(event="unheard-of"))


def test_a_subdomain_has_the_outlet_of_its_profile_entry(reader: Reader):
    assert by_url(reader.articles())[filled.COPY]["outlet"] == "Two Wire"


def test_matches_name_the_smaller_url_first(reader: Reader):
    (match,) = reader.matches()
    assert tuple(match) == MATCH_FIELDS
    assert (match["a_url"], match["b_url"]) == (filled.COPY, filled.FIRST)
    assert match["relation"] == "copy"
    assert match["a_id"] == article_id(url_id(filled.COPY))
    assert isinstance(match["reasons"], list)


def test_template_news_is_a_match_only_when_everything_is_asked_for(filled_location: Location):
    with changed(filled_location, filled.template_match()) as connection:
        seen = [row["relation"] for row in iter_matches(connection, everything=False)]
        everything = [row["relation"] for row in iter_matches(connection, everything=True)]
    assert seen == ["copy"]
    assert sorted(map(str, everything)) == ["copy", "template"]


def test_story_rows_are_one_a_member_with_the_origin_first(reader: Reader):
    rows = list(reader.stories())
    assert [tuple(row) for row in rows] == [STORY_FIELDS] * 2
    assert (rows[0]["url"], rows[0]["role"]) == (filled.FIRST, "origin")
    assert rows[1]["url"] == filled.COPY
    assert rows[1]["hours_after_origin"] is not None
    assert len(list(reader.stories(all=True))) == 4


def test_the_ledger_says_of_every_url_why(reader: Reader):
    rows = list(reader.ledger())
    assert [tuple(row) for row in rows] == [LEDGER_FIELDS] * len(rows)
    assert [row["url"] for row in rows] == sorted(str(row["url"]) for row in rows)
    found = by_url(iter(rows))
    assert found[filled.REFUSED]["reason"] == "irrelevant"
    assert found[filled.WAITING]["state"] == "queued"
    assert found[filled.FEED]["kind"] == "feed"


_OWN = dict.fromkeys(("warc_file", "warc_offset"))  # names and record ids are drawn by lot


def test_both_engines_give_the_same_rows(reader: Reader, tmp_path: Path):
    other = "sqlite" if not reader.location.is_sqlite else "postgresql"
    with new_location(other, tmp_path) as where:
        filled.fill(where)
        with Reader(where) as second:
            assert _exported(second) == _exported(reader)


def _exported(reader: Reader) -> str:
    articles = [row | _OWN for row in reader.articles()]
    return json.dumps((articles, *map(list, (reader.matches(), reader.stories(), reader.ledger()))))


def test_rows_stream_in_constant_memory(sqlite_location: Location):
    """Texts of 12 MB in all pass through with less than 4 MB held."""
    with Archive(sqlite_location) as archive:
        archive.begin("import")

        def work(connection: sa.Connection) -> None:
            _many(connection, count=600, text="word " * 4_000)

        archive.submit(work).result()
    with Reader(sqlite_location) as reader:
        next(reader.articles())
        tracemalloc.start()
        count = sum(1 for _ in reader.articles())
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 600
    # one batch of 200 texts of 20 KB is 4 MB, and the next is read while it is still held
    assert held < 9_000_000


def _many(connection: sa.Connection, *, count: int, text: str) -> None:
    now = datetime(2025, 7, 28, tzinfo=UTC)
    shared = {"site": "many.example", "url": "https://many.example/"}
    for number in range(1, count + 1):
        connection.execute(
            sa.insert(schema.urls).values(
                id=number,
                url_key=str(number),
                host="many.example",
                kind="page",
                state="done",
                reason="imported",
                first_seen_at=now,
                **shared,
            )
        )
        connection.execute(
            sa.insert(schema.extractions).values(
                id=number,
                url_id=number,
                version="1",
                extracted_at=now,
                page_kind="article",
                text=text,
                text_sha256="0",
                word_count=1,
                fields={},
                encoding="utf-8",
                mode="",
            )
        )
        connection.execute(
            sa.insert(schema.articles).values(
                id=number,
                extraction_id=number,
                revision=1,
                word_count=1,
                text_sha256="0",
                captured_at=now,
                **shared,
            )
        )


def test_a_reader_sees_one_snapshot(location: Location):
    filled.fill(location)
    with Reader(location) as reader:
        before = len(list(reader.ledger()))
        with Archive(location) as archive:
            archive.begin("import")
            archive.submit(lambda c: c.execute(sa.delete(schema.story_members))).result()
        assert len(list(reader.stories(all=True))) == 4
        assert len(list(reader.ledger())) == before
    with Reader(location) as reader:
        assert list(reader.stories(all=True)) == []


# --- times ---------------------------------------------------------------------------------------


def test_times_are_utc_to_the_second():
    east = timezone(timedelta(hours=8))
    assert iso(datetime(2025, 7, 28, 8, 0, 0, 999_999, tzinfo=east)) == "2025-07-28T00:00:00Z"
    assert iso(None) is None
    assert iso_again("2025-07-28T08:00:00+08:00") == "2025-07-28T00:00:00Z"
    assert iso_again("2025-07-28T08:00:00") == "2025-07-28T08:00:00Z"
    assert [iso_again("yesterday"), iso_again(None), iso_again(3)] == [None, None, None]


@pytest.mark.parametrize(("hours", "known"), [(0, True), (1, True), (23, False), (25, False)])
def test_only_an_interval_shorter_than_a_day_is_an_instant(hours: int, known: bool):
    start = datetime(2025, 7, 28, tzinfo=UTC)
    assert (instant(start, start + timedelta(hours=hours)) is not None) is known
    assert instant(None, start) is None


# --- one thing -----------------------------------------------------------------------------------


def test_an_article_comes_with_all_that_is_known_of_it(reader: Reader):
    for reference in (
        filled.FIRST,
        article_id(url_id(filled.FIRST)),
        "http://www.one.example/talks/",
    ):
        found = reader.article(reference)
        assert found is not None
        assert found.article == by_url(reader.articles())[filled.FIRST]
    assert [row["source"] for row in found.claims] == ["json-ld", "meta"]
    assert [row["event_id"] for row in found.relevance] == [filled.EVENT, "other-event"]
    assert found.relevance[0]["groups"] == [
        {"group": "talks", "words": ["harbour talks"], "place": "lead", "points": 12.0}
    ]
    assert [row["number"] for row in found.revisions] == [1]
    assert found.captures[0]["captured_at"] == "2025-07-28T12:30:15Z"
    assert found.discoveries[0]["channel"] == "feed"
    assert found.discoveries[0]["hint"] == {"title": "As the feed says", "published_raw": "27 July"}
    assert [row["outcome"] for row in found.visits] == ["new", "irrelevant"]
    assert found.cuts == ({"position": 3, "text": "Share this page", "reason": "phrase:share"},)
    assert found.ledger["detail"] == "last visit: irrelevant"


def test_a_refused_page_has_its_judgement_and_no_article(reader: Reader):
    found = reader.article(filled.REFUSED)
    assert found is not None
    assert found.article is None
    assert found.cuts == ()
    assert found.relevance[0]["title"] == "A football match"


def test_what_was_never_seen_is_none(reader: Reader):
    assert reader.article("https://never.example/") is None
    assert reader.article("a-000000000000") is None
    assert reader.story("s-000000000000") is None
    assert reader.story(filled.REFUSED) is None


@pytest.mark.parametrize("text", ["", "x", "a-12", "https://", "s-0123456789ab", "a" * 5000])
def test_what_is_no_reference_is_said(reader: Reader, text: str):
    with pytest.raises(ConfigError):
        reader.article(text)


def test_a_story_answers_to_its_id_and_to_its_articles(reader: Reader):
    number = min(url_id(filled.FIRST), url_id(filled.COPY))
    for reference in (story_id(number), filled.FIRST, filled.COPY, article_id(number)):
        found = reader.story(reference)
        assert found is not None
        assert found.id == story_id(number)
        assert [row["url"] for row in found.members] == [filled.FIRST, filled.COPY]
        assert [row["outlet"] for row in found.members] == ["One Daily", "Two Wire"]
        assert [row["relation"] for row in found.matches] == ["copy"]


def test_a_merged_story_answers_to_its_former_id(filled_location: Location):
    former, current = 1, min(url_id(filled.FIRST), url_id(filled.COPY))
    alias = sa.insert(schema.story_aliases).values(id=former, story_id=current)
    with changed(filled_location, alias) as connection:
        found = story(connection, former)
    assert found is not None
    assert (found.id, found.former_id) == (story_id(current), story_id(former))


# --- overviews -----------------------------------------------------------------------------------


def test_status_counts_every_url_once(reader: Reader):
    found = reader.status()
    assert found.urls == 7 == sum(int(str(row["count"])) for row in found.states)
    assert (found.articles, found.review, found.stories, found.unsettled) == (4, 1, 1, 0)
    assert found.waiting == 1
    assert found.captures == 2
    assert found.events == (filled.EVENT, "other-event")
    assert found.last_crawl is not None
    assert found.last_crawl["finish_reason"] == "finished"
    json.dumps([{one.name: getattr(found, one.name) for one in fields(found)}])


def test_articles_without_a_story_are_unsettled(filled_location: Location):
    with changed(filled_location, sa.delete(schema.story_members)) as connection:
        assert status(connection).unsettled == 4


def test_an_empty_archive_answers_everything(location: Location):
    Archive(location).close()
    with Reader(location) as reader:
        assert [list(rows) for rows in (reader.articles(), reader.matches(), reader.ledger())] == [
            [],
            [],
            [],
        ]
        assert reader.status().last_crawl is None
        assert reader.search(Search(query="anything")).hits == ()
        assert integrity(reader) == []
        assert reader.events() == {}
        assert reader.profile_json("x") is None


def test_the_story_list_has_the_largest_first(reader: Reader):
    (only,) = reader.story_list()
    assert only["articles"] == 2
    assert only["origin_outlet"] == "One Daily"
    everything = reader.story_list(all=True)
    assert [row["articles"] for row in everything] == [2, 1, 1]
    assert reader.story_list(limit=1, all=True) == everything[:1]


def test_profiles_can_be_read_back(reader: Reader):
    assert reader.events() == {
        filled.EVENT: "Talks in the harbour",
        "other-event": "Talks in the harbour",
    }
    assert reader.profile_json(filled.EVENT) == filled.profile().to_json()


# --- integrity -----------------------------------------------------------------------------------


def damage(location: Location, statement: sa.Executable) -> set[str]:
    with changed(location, statement) as connection:
        return {damage.check for damage in plain_damages(connection, location.warc_directory)}


def test_a_sound_archive_has_no_findings(reader: Reader):
    assert integrity(reader) == []


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        (sa.delete(schema.signatures), "no_signature"),
        (sa.delete(schema.revisions), "no_revision"),
        (sa.delete(schema.story_members), "no_story"),
        (sa.update(schema.articles).values(text_sha256="0"), "text_digest"),
        (sa.update(schema.urls).values(state="queued"), "not_done"),
        (sa.update(schema.stories).values(size=9), "story_members"),
        (sa.update(schema.warc_files).values(committed_bytes=10**9), "warc_short"),
        (
            sa.update(schema.warc_files)
            .values(name="gone.warc.gz")
            .where(schema.warc_files.c.id == 1),
            "warc_missing",
        ),
        (sa.update(schema.captures).values(warc_offset=10**9), "warc_uncommitted"),
        (sa.text(f"DELETE FROM {FULL_TEXT_TABLE}"), "no_full_text"),
        (
            sa.update(schema.urls)
            .values(state="done", reason="kept")
            .where(schema.urls.c.url == filled.WAITING),
            "no_article",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damage_is_found(filled_location: Location, statement: sa.Executable, check: str):
    if check == "no_full_text" and filled_location.is_sqlite:
        statement = sa.text(
            f"INSERT INTO {FULL_TEXT_TABLE}({FULL_TEXT_TABLE}) VALUES ('delete-all')"
        )
    assert check in damage(filled_location, statement)


def test_a_match_in_the_wrong_order_is_found(filled_location: Location):
    swap = sa.update(schema.matches).values(a_id=schema.matches.c.b_id, b_id=schema.matches.c.a_id)
    assert "match_order" in damage(filled_location, swap)


def test_many_findings_of_one_kind_are_counted(sqlite_location: Location):
    with Archive(sqlite_location) as archive:
        archive.submit(lambda c: _many(c, count=30, text="x")).result()
    with Reader(sqlite_location) as reader:
        found = [one for one in integrity(reader) if one.check == "no_story"]
    assert len(found) == 21
    assert found[-1].detail == "and 10 more"


# --- reading only --------------------------------------------------------------------------------


def test_reading_nothing_creates_nothing(nowhere: Location):
    with pytest.raises(MissingArchiveError), Reader(nowhere):
        pass
    assert not nowhere.directory.exists()


def test_a_newer_archive_is_refused_in_words(location: Location):
    newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
    with Archive(location) as archive:
        archive.submit(lambda c: c.execute(newer)).result()
    with pytest.raises(SchemaVersionError, match="newer version"), Reader(location):
        pass


def test_only_this_package_and_the_write_side_speak_sql():
    """CLI and exporters ask the Reader; they never see a table."""
    package = Path(inspect.getfile(Reader)).parents[2]
    for folder in ("cli", "export"):
        for path in sorted((package / folder).glob("*.py")):
            text = path.read_text("utf-8")
            assert not re.search(
                r"aidivide_archive\.schema|aidivide_archive import schema", text
            ), path

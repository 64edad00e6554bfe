"""Filters narrow every question in the same way, on both engines."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Filters, Reader
from aidivide_archive.archive.queries.filters import moment
from aidivide_archive.archive.storage import migrate
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.urls import article_id, story_id, url_id
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location

FIRST, COPY, CHINESE, HOSTILE = filled.FIRST, filled.COPY, filled.CHINESE, filled.HOSTILE
ALL = {FIRST, COPY, CHINESE, HOSTILE}


@pytest.fixture(scope="module", params=ENGINES)
def filled_location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as where:
        filled.fill(where)
        yield where


@pytest.fixture
def reader(filled_location: Location) -> Iterator[Reader]:
    with Reader(filled_location) as opened:
        yield opened


def day(number: int) -> datetime:
    return datetime(2025, 7, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("filters", "urls"),
    [
        (Filters(), ALL),
        (Filters(outlets=("one daily",)), {FIRST}),
        (Filters(outlets=("One Daily", "TWO  WIRE")), {FIRST, COPY}),
        (Filters(sites=("Two.Example",)), {COPY}),
        (Filters(countries=("fr",)), {COPY}),
        (Filters(languages=("zh-Hant",)), {CHINESE}),
        (Filters(languages=("EN",)), {FIRST, COPY, HOSTILE}),
        (Filters(since=day(28)), {COPY}),
        (Filters(until=day(28)), {FIRST, CHINESE}),
        (Filters(since=datetime(2025, 7, 28, 23, tzinfo=UTC)), {COPY}),  # any part of its day
        (Filters(since=day(29)), set()),
        (Filters(stories=(story_id(min(url_id(FIRST), url_id(COPY))),)), {FIRST, COPY}),
        (Filters(stories=(article_id(url_id(COPY)),)), {FIRST, COPY}),
        (Filters(stories=(CHINESE,)), {CHINESE}),
        (Filters(roles=("origin",)), {FIRST, CHINESE, HOSTILE}),
        (Filters(roles=("Origin",), sites=("one.example",)), {FIRST}),
        (Filters(relevance=("review",)), {CHINESE}),
        (Filters(relevance=("keep",)), {FIRST, COPY, HOSTILE}),
        (Filters(min_score=9), {FIRST, COPY, HOSTILE}),
        (Filters(min_score=9, event=filled.EVENT), {FIRST, COPY}),
        (Filters(event="other-event"), {HOSTILE}),
        (Filters(sources=("feed",)), ALL),
        (Filters(sources=("sitemap",)), set()),
        (Filters(sources=("link", FIRST)), set()),
    ],
)
def test_a_filter_finds_its_articles(reader: Reader, filters: Filters, urls: set[str]):
    found = reader.select_ids(None, filters)
    assert set(found) == {url_id(url) for url in urls}
    assert list(found) == sorted(found)
    assert {row["url"] for row in reader.articles(filters=filters)} == urls


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (Filters(outlets=("One Dayly",)), "no article of the outlet 'One Dayly'; did you mean"),
        (Filters(outlets=("zzzz",)), "there are: One Daily, Two Wire"),
        (Filters(countries=("XX",)), "there are: FR, GB"),
        (Filters(stories=("s-000000000000",)), "see `aidivide stories`"),
        (Filters(stories=("nonsense",)), "nonsense"),
        (Filters(roles=("thief",)), "there are: origin, copy"),
        (Filters(relevance=("reject",)), "there are: keep, review"),
        (Filters(sources=("rumour",)), "give a URL, or one of seed, feed"),
        (Filters(sources=("https://never.example/",)), "never seen"),
        (Filters(event="unheard-of"), f"there are: {filled.EVENT}, other-event"),
    ],
)
def test_a_value_that_nothing_can_have_is_one_clear_line(
    reader: Reader, filters: Filters, words: str
):
    with pytest.raises(ConfigError) as caught:
        reader.select_ids(None, filters)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2025-07", False, "2025-07-01T00:00:00+00:00"),
        ("2025-12", True, "2026-01-01T00:00:00+00:00"),
        ("2025-07-28", False, "2025-07-28T00:00:00+00:00"),
        ("2025-07-28", True, "2025-07-29T00:00:00+00:00"),
        ("2025-07-28T09:30+08:00", True, "2025-07-28T01:30:00+00:00"),
        ("2025-07-28 09:30", False, "2025-07-28T09:30:00+00:00"),
    ],
)
def test_a_date_is_utc_and_its_end_is_the_last_instant_of_it(text: str, end: bool, expected: str):
    assert moment(text, end=end).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13", "2025-02-30", "0001-01-01T00:00+14:00", "9999-12-31"]
)
def test_what_is_no_date_is_said(text: str):
    with pytest.raises(ConfigError, match="is no date"):
        moment(text, end=True)


# --- the outlets that SQL joins ------------------------------------------------------------------


def outlet_rows(connection: sa.Connection) -> dict[str, tuple[str | None, str | None]]:
    rows = connection.execute(sa.select(schema.outlets))
    return {row.host: (row.name, row.country) for row in rows}


def test_every_host_of_an_article_has_its_outlet(filled_location: Location):
    engine = write_engine(filled_location)
    with engine.connect() as connection:
        found = outlet_rows(connection)
        hosts = set(connection.scalars(sa.select(schema.articles.c.host)))
    engine.dispose()
    assert found.keys() == hosts
    assert found["one.example"] == ("One Daily", "GB")
    assert found["news.two.example"] == ("Two Wire", "FR")
    assert found["three.example"] == (None, None)


def test_a_profile_that_renames_an_outlet_renames_its_articles(location: Location):
    filled.fill(location)
    renamed = filled.profile()
    source = renamed.sources[0].model_copy(update={"name": "One Weekly", "country": "IE"})
    renamed = renamed.model_copy(update={"sources": (source, *renamed.sources[1:])})
    with Archive(location) as archive:
        archive.begin("crawl", renamed)
        found = archive.submit(outlet_rows).result()
    assert found["one.example"] == ("One Weekly", "IE")
    assert found["news.two.example"] == ("Two Wire", "FR")


def test_an_archive_of_the_first_schema_gets_hosts_and_outlets(location: Location):
    filled.fill(location)
    engine = write_engine(location)
    with engine.begin() as connection:
        before = outlet_rows(connection)
        migrate.downgrade(connection, "0001")
        migrate.upgrade(connection)
        assert outlet_rows(connection) == before
    engine.dispose()

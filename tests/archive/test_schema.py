import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, StatementError

from aidivide_archive import model
from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.archive.storage.types import JsonValue, OneOf, UtcTime

SQLITE, POSTGRESQL = sqlite.dialect(), postgresql.dialect()
offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
times = st.datetimes(timezones=offsets).filter(lambda moment: 1 < moment.year < 9999)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcé中 ", min_size=1), inner),
    max_leaves=12,
)


@pytest.fixture
def connection(location: Location) -> Iterator[sa.Connection]:
    """The tables of the metadata, without migrations, in an open transaction."""
    engine = write_engine(location)
    with engine.begin() as opened:
        schema.metadata.create_all(opened)
        yield opened
    engine.dispose()


# --- types ---------------------------------------------------------------------------------------


@given(times)
def test_a_time_comes_back_from_sqlite_as_the_same_instant(moment: datetime):
    column = UtcTime()
    stored = column.process_bind_param(moment, SQLITE)
    assert column.process_result_value(stored, SQLITE) == moment


@given(times, times)
def test_times_sort_as_text_on_sqlite(one: datetime, other: datetime):
    column = UtcTime()
    texts = [column.process_bind_param(moment, SQLITE) for moment in (one, other)]
    assert {len(text) for text in texts} == {27}
    assert (texts[0] < texts[1]) == (one < other)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
def test_a_time_without_zone_is_refused(dialect: sa.Dialect):
    with pytest.raises(ValueError, match="zone"):
        UtcTime().process_bind_param(datetime(2025, 7, 27, 9), dialect)  # noqa: DTZ001


@given(json_values)
def test_json_comes_back_from_sqlite_equal_and_has_one_form(value: object):
    column = JsonValue()
    stored = column.process_bind_param(value, SQLITE)
    assert column.process_result_value(stored, SQLITE) == value
    if isinstance(value, dict):
        turned = dict(reversed(value.items()))
        assert column.process_bind_param(turned, SQLITE) == stored


def test_values_come_back_equal_from_either_engine(connection: sa.Connection):
    moment = datetime(2025, 7, 27, 17, 30, 0, 123456, timezone(timedelta(hours=8)))
    software = {"b": [1, None, True, 0.5], "a": {"ключ": "弥合 “é”"}}
    connection.execute(
        sa.insert(schema.crawls).values(
            kind="crawl", owner="o", started_at=moment, software=software, stats=None
        )
    )
    row = connection.execute(sa.select(schema.crawls)).one()
    assert (row.started_at, row.started_at.tzinfo) == (moment, UTC)
    assert row.software == software
    assert json.dumps(row.software, sort_keys=True) == json.dumps(software, sort_keys=True)
    assert (row.stats, row.finished_at) == (None, None)


# --- what the tables refuse ----------------------------------------------------------------------


def url_row(number: int = 1, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": number,
        "url": f"https://news.example/{number}",
        "url_key": f"news.example/{number}",
        "host": "news.example",
        "site": "news.example",
        "kind": "page",
        "state": "queued",
        "first_seen_at": datetime(2025, 7, 27, tzinfo=UTC),
    }
    return row | changes


def test_large_ids_are_kept(connection: sa.Connection):
    largest = 2**48 - 1
    connection.execute(sa.insert(schema.urls).values(url_row(largest)))
    assert connection.scalars(sa.select(schema.urls.c.id)).all() == [largest]


@pytest.mark.parametrize(("column", "value"), [("state", "lost"), ("kind", "film")])
def test_an_unknown_state_or_kind_is_refused(connection: sa.Connection, column: str, value: str):
    with pytest.raises(StatementError, match=value):
        connection.execute(sa.insert(schema.urls).values(url_row(**{column: value})))
    with pytest.raises(StatementError, match=value):
        connection.execute(sa.update(schema.urls).values({column: value}))
    connection.rollback()


def test_a_row_that_points_at_nothing_is_refused(connection: sa.Connection):
    rows = {"url_id": 1, "event_id": "e", "score": 1.0, "decision": "keep", "reason": "kept"}
    rows |= {"groups": [], "version": "1", "judged_at": datetime(2025, 7, 27, tzinfo=UTC)}
    with pytest.raises(IntegrityError):
        connection.execute(sa.insert(schema.relevance).values(rows))
    connection.rollback()


def test_every_enum_of_the_model_that_rows_hold_is_checked_when_it_is_bound(
    connection: sa.Connection,
):
    """Each column of an enum takes every member, and neither another word nor a member's name."""
    checked = {
        (table.name, column.name): column.type.values
        for table in schema.metadata.tables.values()
        for column in table.c
        if isinstance(column.type, OneOf)
    }
    assert checked == {
        ("crawls", "kind"): model.RunKind,
        ("urls", "state"): model.UrlState,
        ("urls", "kind"): model.UrlKind,
        ("discoveries", "channel"): model.Channel,
        ("captures", "completeness"): model.Completeness,
        ("extractions", "page_kind"): model.PageKind,
        ("relevance", "decision"): model.RelevanceDecision,
        ("matches", "relation"): model.Relation,
        ("judgements", "verdict"): model.Verdict,
        ("story_members", "role"): model.Role,
    }
    for values in checked.values():
        for member in values:
            assert connection.scalar(sa.select(sa.literal(member, OneOf(values)))) == member.value
        with pytest.raises(StatementError):
            connection.scalar(sa.select(sa.literal("nothing", OneOf(values))))


# --- what is documented --------------------------------------------------------------------------


def test_every_table_and_column_says_what_it_holds():
    for table in schema.metadata.tables.values():
        assert table.comment, table.name
        for column in table.c:
            assert column.comment, f"{table.name}.{column.name}"


def test_constraints_have_names_that_both_engines_keep():
    for table in schema.metadata.tables.values():
        for item in [*table.constraints, *table.indexes]:
            assert item.name, table.name
            assert len(str(item.name)) <= 63, item.name  # PostgreSQL cuts longer ones


def test_only_the_owner_can_read_an_archive(sqlite_location: Location):
    with Archive(sqlite_location):
        modes = {
            path.name: path.stat().st_mode & 0o777 for path in sqlite_location.directory.iterdir()
        }
        folder = sqlite_location.directory.stat().st_mode & 0o777
    assert folder == 0o700
    assert modes.pop("warc") == 0o700
    assert modes.keys() >= {"archive.db", "writer.lock"}
    assert set(modes.values()) == {0o600}

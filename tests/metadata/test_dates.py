from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.metadata.dates import (
    Clock,
    iter_times,
    parse_time,
    url_times,
    zone_named,
)

FETCHED = datetime(2026, 1, 1, tzinfo=UTC)
CLOCK = Clock(latest=FETCHED + timedelta(days=2))
BEIJING = Clock(zone=zone_named("Asia/Shanghai"), latest=FETCHED)


@pytest.mark.parametrize(
    ("raw", "start", "precision", "offset"),
    [
        ("2025-07-28T16:57:13+08:00", "2025-07-28T08:57:13+00:00", "second", 480),
        ("2025-07-28T16:57:13.123Z", "2025-07-28T16:57:13+00:00", "second", 0),
        ("2025/07/28 16:57", "2025-07-28T16:57:00+00:00", "minute", None),
        ("2025-07-28", "2025-07-28T00:00:00+00:00", "day", None),
        ("2025-07-28T00:00:00Z", "2025-07-28T00:00:00+00:00", "day", 0),
        ("20250728T165713Z", "2025-07-28T16:57:13+00:00", "second", 0),
        ("Mon, 28 Jul 2025 16:57:13 GMT", "2025-07-28T16:57:13+00:00", "second", 0),
        ("July 28, 2025 4:57 pm EDT", "2025-07-28T20:57:00+00:00", "minute", -240),
        ("08:04, September 05, 2023", "2023-09-05T08:04:00+00:00", "minute", None),
        ("28. Juli 2025, 16:57 Uhr", "2025-07-28T16:57:00+00:00", "minute", None),
        ("28 de julio de 2025", "2025-07-28T00:00:00+00:00", "day", None),
        ("28 июля 2025 г.", "2025-07-28T00:00:00+00:00", "day", None),
        ("28 juillet 2025 à 10h30", "2025-07-28T10:30:00+00:00", "minute", None),
        ("发布时间：2025年7月28日 下午4:57", "2025-07-28T16:57:00+00:00", "minute", None),
        ("28.07.2025", "2025-07-28T00:00:00+00:00", "day", None),
        ("1753693033", "2025-07-28T08:57:13+00:00", "second", 0),
    ],
)
def test_parse_time_reads_what_is_written(
    raw: str, start: str, precision: str, offset: int | None
) -> None:
    value = parse_time(raw, CLOCK)
    assert value is not None
    assert (value.start.isoformat(), value.precision, value.offset_minutes) == (
        start,
        precision,
        offset,
    )


@pytest.mark.parametrize(
    "raw",
    [
        "2025-13-45", "2025-02-30", "2025-00-10", "31 June 2025", "2025-07-28T25:10:00Z",
        "1970-01-01", "0001-01-01T00:00:00Z", "2099-01-01", "9999-12-31T23:59:59-12:00",
        "yesterday", "2 hours ago", "gestern", "昨天", "Sunday", "last week", "1 month ago",
        "03/04/2025", "July 2025", "2025", "", "n/a", "12:30", "45 Juli 2025", "2025-1-32",
        "2025-02-29", "2100-02-29", "29 February 2023", "2025-04-31T10:00:00Z", "2025-W30-1", "0",
        "-1", "253402300800", "99999999999999999999", "2025-07-28T24:61:00Z", "20251345",
        "2025年13月1日", "2025年2月30日", "32 мая 2025", "0000-00-00", "00/00/0000", "1994-12-30",
        "tomorrow", "مساء أمس", "il y a 2 heures",
    ],
)  # fmt: skip
@pytest.mark.fault("F23")
def test_parse_time_gives_none_rather_than_a_guess(raw: str) -> None:
    assert parse_time(raw, CLOCK) is None


def test_a_day_is_24_hours_in_the_zone_of_the_source() -> None:
    value = parse_time("2025-07-28", BEIJING)
    assert value is not None
    assert value.start == datetime(2025, 7, 27, 16, tzinfo=UTC)
    assert value.end - value.start == timedelta(hours=24)
    assert value.offset_minutes is None


def test_the_order_of_a_numeric_date_is_the_callers_knowledge() -> None:
    british, american = Clock(day_first=True), Clock(day_first=False)
    first, second = parse_time("03/04/2025", british), parse_time("03/04/2025", american)
    assert first is not None
    assert second is not None
    assert (first.start.month, second.start.month) == (4, 3)


def test_a_china_daily_id_holds_the_second_of_publication() -> None:
    url = "https://www.chinadaily.com.cn/a/202507/28/WS68873c39a310ad07b5d9a0f1.html"
    (value,) = url_times(url, BEIJING)
    assert value.start == datetime(2025, 7, 28, 9, 0, 41, tzinfo=UTC)
    assert value.precision == "second"


def test_an_id_that_disagrees_with_its_path_is_not_believed() -> None:
    url = "https://www.chinadaily.com.cn/a/202201/03/WS68873c39a310ad07b5d9a0f1.html"
    assert [(value.precision, str(value.local_day)) for value in url_times(url, CLOCK)] == [
        ("day", "2022-01-03")
    ]


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/2025/07/28/story", "2025-07-28"),
        ("/20250728/abc.html", "2025-07-28"),
        ("/news/2025-07-28/story", "2025-07-28"),
        ("/english/20250728/0123456789abcdef/c.html", "2025-07-28"),
        ("/2025/13/28/story", None),
        ("/2025/02/30/story", None),
        ("/story-123456789", None),
        ("/v/20259999", None),
    ],
)
def test_url_times_reads_days_in_paths(path: str, day: str | None) -> None:
    found = [str(value.local_day) for value in url_times(f"https://news.example{path}", CLOCK)]
    assert found == ([day] if day else [])


def test_local_day_is_the_day_as_the_source_writes_it() -> None:
    value = parse_time("2025-07-28T23:30:00-05:00", CLOCK)
    assert value is not None
    assert str(value.local_day) == "2025-07-28"


@given(st.text(max_size=120))
@settings(max_examples=300)
def test_no_text_makes_the_parser_raise_or_leave_its_bounds(text: str) -> None:
    for value in iter_times(text, CLOCK):
        assert value.start < value.end
        assert datetime(1994, 12, 31, tzinfo=UTC) <= value.start <= FETCHED + timedelta(days=2)


@given(st.text(alphabet="0123456789-/.: TZ+年月日", max_size=60))
@settings(max_examples=500)
def test_no_digits_make_the_parser_raise(text: str) -> None:
    parse_time(text, CLOCK)
    list(url_times("https://news.example/" + text, CLOCK))


SHANGHAI, AUCKLAND, NEW_YORK = map(
    ZoneInfo, ("Asia/Shanghai", "Pacific/Auckland", "America/New_York")
)


@pytest.mark.parametrize(
    ("raw", "zone", "day"),
    [
        ("2025-07-28", SHANGHAI, "2025-07-28"),  # begins on the 27th in UTC
        ("2025-07-28", NEW_YORK, "2025-07-28"),
        ("2025-01-28", AUCKLAND, "2025-01-28"),  # UTC+13 in summer
        ("2025-07-28T00:00:00Z", NEW_YORK, "2025-07-28"),  # a day, as content systems write it
        ("2025-07-28T06:30:00+08:00", UTC, "2025-07-28"),  # 22:30 of the 27th in UTC
        ("2025-07-28T06:30:00+08:00", NEW_YORK, "2025-07-28"),  # what the page states comes first
        ("2025-07-27T22:30:00Z", SHANGHAI, "2025-07-28"),  # UTC is the machine's, not the reader's
        ("2025-07-27T22:30:00Z", UTC, "2025-07-27"),
        ("2025-07-28 06:30", SHANGHAI, "2025-07-28"),
        ("2025-07-28T23:59:59-07:00", UTC, "2025-07-28"),
        ("1753655400", SHANGHAI, "2025-07-28"),  # 2025-07-27T22:30:00Z
    ],
)
def test_the_day_of_a_time_is_that_at_its_source(raw: str, zone: tzinfo, day: str):
    value = parse_time(raw, Clock(zone=zone))
    assert value is not None
    assert value.local_day == date.fromisoformat(day)

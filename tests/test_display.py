"""What people are shown of a row, wherever it is shown."""

from __future__ import annotations

from datetime import date

import pytest

from aidivide_archive.display import counted, day_beside_clock, day_of, delay, outlet_name


def published(at: str | None, start: str | None, end: str | None) -> dict[str, object]:
    return {"published_at": at, "published_from": start, "published_to": end}


def test_the_day_of_publication_is_that_of_the_publisher() -> None:
    row = published("2025-07-27T22:30:00Z", "2025-07-27T22:30:00Z", "2025-07-27T22:31:00Z")
    row = row | {"published_day": "2025-07-28"}  # half past six in Shanghai
    assert day_of(row) == date(2025, 7, 28)
    assert day_beside_clock(row) == date(2025, 7, 27)  # the clock is in UTC
    assert day_beside_clock(row | {"published_at": None}) == date(2025, 7, 28)
    assert day_of({}) is None
    assert day_beside_clock({}) is None


def test_an_outlet_without_a_name_is_shown_by_its_site() -> None:
    row = {"outlet": "The Quay", "site": "quay.example", "origin_outlet": None, "origin_site": "x"}
    assert outlet_name(row) == "The Quay"
    assert outlet_name(row | {"outlet": None}) == "quay.example"
    assert outlet_name(row, "origin_") == "x"


@pytest.mark.parametrize(
    ("hours", "words"),
    [(9.62, "+9.6 h"), (-0.5, "-0.5 h"), (0, "+0.0 h"), (95.9, "+95.9 h"), (100, "+4.2 days")],
)
def test_delays_are_hours_until_they_are_days(hours: float, words: str) -> None:
    assert delay(hours) == words
    assert delay(None) == ""


def test_numbers_come_with_their_word() -> None:
    assert [counted(number, "story", "stories") for number in (0, 1, 2000)] == [
        "0 stories",
        "1 story",
        "2000 stories",
    ]
    assert counted(2000, "article", form=",") == "2,000 articles"

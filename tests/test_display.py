"""What people are shown of a row, wherever it is shown."""

from __future__ import annotations

from datetime import date

import pytest

from aidivide_archive.display import counted, day_of, delay, outlet_name


def published(at: str | None, start: str | None, end: str | None) -> dict[str, object]:
    return {"published_at": at, "published_from": start, "published_to": end}


@pytest.mark.parametrize(
    ("row", "day"),
    [
        (
            published("2025-07-27T23:30:00Z", "2025-07-27T23:30:00Z", "2025-07-27T23:31:00Z"),
            date(2025, 7, 27),
        ),
        # the 28th in Shanghai, in Los Angeles, in London
        (published(None, "2025-07-27T16:00:00Z", "2025-07-28T16:00:00Z"), date(2025, 7, 28)),
        (published(None, "2025-07-28T07:00:00Z", "2025-07-29T07:00:00Z"), date(2025, 7, 28)),
        (published(None, "2025-07-27T23:00:00Z", "2025-07-28T23:00:00Z"), date(2025, 7, 28)),
        (published(None, "0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"), date(1, 1, 1)),
        (published(None, "2025-07-28T07:00:00Z", "2025-07-27T07:00:00Z"), None),
        (published(None, "2025-07-28T07:00:00Z", None), None),
        (published(None, None, None), None),
        ({}, None),
    ],
)
def test_the_day_of_publication_is_the_day_that_was_named(
    row: dict[str, object], day: date | None
) -> None:
    assert day_of(row) == day


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

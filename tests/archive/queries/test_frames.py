"""Rows as a DataFrame: one column a field, with the field's type."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from aidivide_archive.archive import Location
from aidivide_archive.archive.queries import Filters, Reader
from aidivide_archive.archive.queries.frames import dataframe
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.fields import SETS, Field, names
from tests.support import filled_archive


@pytest.fixture
def filled(location: Location) -> Location:
    filled_archive.fill(location)
    return location


def test_a_frame_has_the_rows_and_the_fields_of_its_set(filled: Location):
    with Reader(filled) as reader:
        rows = {
            "articles": list(reader.articles()),
            "matches": list(reader.matches(all=True)),
            "stories": list(reader.stories(all=True)),
            "ledger": list(reader.ledger()),
        }
        for what, fields in SETS.items():
            frame = reader.to_dataframe(what, all=what in ("matches", "stories"))
            assert tuple(frame.columns) == names(fields)
            key = fields[1].name
            assert frame[key].tolist() == [row[key] for row in rows[what]]


def test_filters_choose_as_they_do_for_rows(filled: Location):
    with Reader(filled) as reader:
        frame = reader.to_dataframe(filters=Filters(languages=("en",)), query="harbour")
        rows = reader.articles(filters=Filters(languages=("en",)), query="harbour")
        assert frame["id"].tolist() == [row["id"] for row in rows]
        assert reader.to_dataframe(event="other-event")["event"].unique().tolist() == [
            "other-event"
        ]


def test_values_have_the_types_of_their_fields():
    fields = tuple(
        Field(kind, kind)  # type: ignore[arg-type]
        for kind in ("text", "integer", "number", "boolean", "time", "day", "list")
    )
    full = {
        "text": "a",
        "integer": 2**60 + 1,
        "number": 0.5,
        "boolean": True,
        "time": "1066-10-14T09:00:00Z",
        "day": "1066-10-14",
        "list": ["x"],
    }
    frame = dataframe([full, dict.fromkeys(full)], fields)
    assert frame.loc[0, "integer"] == 2**60 + 1  # a float would round it
    assert frame.loc[0, "time"] == pd.Timestamp("1066-10-14T09:00:00Z")
    assert frame["time"].dt.tz is not None
    assert frame.loc[0, "day"] == pd.Timestamp("1066-10-14")
    assert frame.loc[0, "list"] == ["x"]
    assert frame.loc[1].isna().all()


def test_an_empty_set_has_its_columns_all_the_same(sqlite_location: Location):
    with Reader(sqlite_location) as reader:
        frame = reader.to_dataframe("matches")
    assert (len(frame), tuple(frame.columns)) == (0, names(SETS["matches"]))
    assert str(frame["jaccard"].dtype) == "Float64"


@pytest.mark.parametrize(
    ("what", "options", "words"),
    [
        ("article", {}, "there are: articles, matches"),
        ("ledger", {"query": "x"}, "choose among articles"),
        ("matches", {"event": "x"}, "choose among articles"),
        ("articles", {"all": True}, "all adds to"),
    ],
)
def test_what_means_nothing_is_refused(
    sqlite_location: Location, what: str, options: dict[str, object], words: str
):
    with Reader(sqlite_location) as reader, pytest.raises(ConfigError, match=words):
        reader.to_dataframe(what, **options)


def test_without_pandas_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match="pip install pandas"):
        dataframe([], ())

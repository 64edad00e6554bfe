"""Evidence as values: what is stored is what is read, and every kind has words."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.evidence import (
    Evidence,
    EvidenceKind,
    as_json_list,
    explained,
    from_json_list,
    worded,
)

VALUES: dict[str, st.SearchStrategy[object]] = {
    "int": st.integers(0, 10**9),
    "float": st.integers(-10_000, 10_000).map(lambda hundredths: hundredths / 100),
    "str": st.text(max_size=30),
}
TYPES = {field.name: str(field.type).split(" | ")[0] for field in fields(Evidence)}
"""int, float or str of each field that a kind may have."""


def of_kind(kind: EvidenceKind) -> st.SearchStrategy[Evidence]:
    values = {name: VALUES[TYPES[name]] for name in kind.fields}
    return st.fixed_dictionaries(values).map(lambda drawn: Evidence(kind=kind, **drawn))  # type: ignore[arg-type]


def example(kind: EvidenceKind, count: int = 7) -> Evidence:
    values = {"int": count, "float": -0.12, "str": "The Quay"}
    return Evidence(kind=kind, **{name: values[TYPES[name]] for name in kind.fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", EvidenceKind)
def test_what_is_stored_is_what_is_read(kind: EvidenceKind) -> None:
    @given(of_kind(kind))
    def round_trip(evidence: Evidence) -> None:
        stored = json.dumps(as_json_list([evidence]), sort_keys=True)
        assert from_json_list(json.loads(stored)) == (evidence,)
        assert (
            json.dumps(as_json_list(from_json_list(json.loads(stored))), sort_keys=True) == stored
        )

    round_trip()


@pytest.mark.parametrize("kind", EvidenceKind)
def test_every_kind_has_words_that_name_all_its_values(kind: EvidenceKind) -> None:
    evidence = example(kind)
    note = worded(evidence)
    shown = {"int": "7", "float": "-0.12", "str": "The Quay"}
    assert all(shown[TYPES[name]] in note for name in kind.fields)
    assert note == note.strip() != ""
    assert not {"{", "}"} & set(note + explained(evidence) + explained(example(kind, 1)))
    assert "None" not in note + explained(evidence)


def test_no_two_kinds_say_the_same() -> None:
    for words in (worded, explained):
        assert len({words(example(kind)) for kind in EvidenceKind}) == len(EvidenceKind)


def test_every_field_belongs_to_a_kind() -> None:
    assert {name for kind in EvidenceKind for name in kind.fields} | {"kind"} == TYPES.keys()


@pytest.mark.parametrize(
    ("evidence", "note", "clause"),
    [
        (
            Evidence(kind=EvidenceKind.SHARE_IN_ORIGIN, percent=81),
            "81% of it stands in the origin",
            "81 % of its text stands in the first article too",
        ),
        (
            Evidence(kind=EvidenceKind.NONE_EARLIER, count=1),
            "no dated article is surely earlier, 1 are later",
            "no dated article of this story is surely earlier; 1 is later",
        ),
        (
            Evidence(kind=EvidenceKind.NONE_EARLIER, count=0),
            "no dated article is surely earlier, 0 are later",
            "no dated article of this story is surely earlier; 0 are later",
        ),
        (
            Evidence(kind=EvidenceKind.SOME_EARLIER, count=1),
            "1 of the story's articles are earlier",
            "one article of this story came out earlier",
        ),
        (
            Evidence(kind=EvidenceKind.SOME_EARLIER, count=3),
            "3 of the story's articles are earlier",
            "3 articles of this story came out earlier",
        ),
        (
            Evidence(kind=EvidenceKind.CANDIDATE, rank=2, points=2.5),
            "candidate 2 for the origin, +2.50 points",
            "candidate 2 for the origin, +2.50 points",
        ),
        (
            Evidence(kind=EvidenceKind.CREDITS, name="{count} Wire 100%"),
            "credits {count} Wire 100%",
            "it names {count} Wire 100% as its source",
        ),
    ],
)
def test_notes_and_clauses(evidence: Evidence, note: str, clause: str) -> None:
    assert (worded(evidence), explained(evidence)) == (note, clause)


def test_evidence_that_lacks_a_value_is_not_stored() -> None:
    whole = Evidence(kind=EvidenceKind.SHARE_OF_ONE, percent=40, side="b")
    assert whole.as_json() == {"kind": "share_of_one", "percent": 40, "side": "b"}
    with pytest.raises(ValueError, match="share_of_one needs side"):
        replace(whole, side=None).as_json()


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("credits The Quay", "credits The Quay"),  # as versions before schema 7 stored it
        ({"kind": "from_the_future", "count": 3}, '{"count": 3, "kind": "from_the_future"}'),
        ({"kind": "credits"}, '{"kind": "credits"}'),
        ({"kind": ["credits"], "name": "x"}, '{"kind": ["credits"], "name": "x"}'),
        (None, "null"),
    ],
)
def test_what_is_no_evidence_is_shown_as_it_stands(stored: object, words: str) -> None:
    (evidence,) = from_json_list([stored])
    assert evidence.kind is EvidenceKind.EARLIER_WORDING
    assert worded(evidence) == explained(evidence) == words


def test_a_story_without_candidates_has_no_evidence() -> None:
    assert from_json_list(None) == ()
    assert as_json_list(None) is None

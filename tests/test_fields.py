"""What is shown is declared once: `fields` names it, and nothing else lists it again."""

import ast
import re
from collections.abc import Iterator

import pytest

from aidivide_archive.archive import queries
from aidivide_archive.archive.schema import metadata
from aidivide_archive.export.columns import SETS, codebook
from aidivide_archive.fields import (
    ARTICLES,
    COVERAGE,
    EXCERPT,
    HITS,
    LEDGER,
    LEFT_OUT,
    MATCHES,
    MEMBERS,
    STORIES,
    WEIGHT,
    Field,
    TableColumn,
    names,
)
from aidivide_archive.model import Relation, UrlState
from aidivide_archive.similarity import shingles
from tests.support.places import ROOT

SHAPES = (ARTICLES, MATCHES, STORIES, LEDGER, COVERAGE, MEMBERS, HITS)
EXTRAS = (WEIGHT, EXCERPT, LEFT_OUT)


@pytest.mark.parametrize("fields", SHAPES, ids=lambda fields: fields[-1].name)
def test_every_field_has_a_name_of_its_own_and_a_meaning(fields: tuple[Field, ...]):
    assert len(set(names(fields))) == len(fields)
    assert all(len(one.meaning) > 10 and one.meaning.endswith((".", "…")) for one in fields)


def test_the_extra_columns_of_exports_are_none_of_an_article():
    assert not set(names(EXTRAS)) & set(names(ARTICLES))
    assert all(len(one.meaning) > 10 for one in EXTRAS)


def test_a_field_that_is_stored_names_a_column_that_is_there():
    sources = {one.source for fields in SHAPES for one in fields}
    stored = [one for one in sources if isinstance(one, TableColumn)]
    assert len(stored) > 20
    for one in stored:
        assert one.column in metadata.tables[one.table].c, one


def test_rows_have_the_declared_fields_in_their_order():
    assert names(ARTICLES) == queries.ARTICLE_FIELDS
    assert names(MATCHES) == queries.MATCH_FIELDS
    assert names(STORIES) == queries.STORY_FIELDS
    assert names(LEDGER) == queries.LEDGER_FIELDS
    assert names(COVERAGE) == queries.COVERAGE_FIELDS
    assert names(MEMBERS) == queries.MEMBER_FIELDS
    assert tuple(SETS.values()) == (ARTICLES, MATCHES, STORIES, LEDGER)


def _literals() -> Iterator[tuple[str, list[str]]]:
    """Every tuple, list and set of texts that is written out outside of `fields/`."""
    for path in sorted((ROOT / "src" / "aidivide_archive").rglob("*.py")):
        if path.parent.name == "fields":
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                texts = [
                    one.value
                    for one in node.elts
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
                yield f"{path.relative_to(ROOT)}:{node.lineno}", texts


def test_no_list_of_the_fields_stands_anywhere_else():
    shapes = [set(names(fields)) for fields in SHAPES]
    literals = list(_literals())
    assert len(literals) > 200
    copies = [
        where
        for where, texts in literals
        if len(texts) >= 8 and any(len(shape & set(texts)) >= 8 for shape in shapes)
    ]
    assert copies == []


# --- words that could drift from what the program does -------------------------------------------


def test_the_codebook_says_of_how_much_text_a_shingle_is_made():
    """The numbers are read from the codebook and tried: one token less makes one shingle less."""
    book = codebook([("matches.csv", MATCHES)])
    found = re.search(r"a shingle is (\d+) words, or (\d+) characters", book)
    assert found is not None
    words, characters = map(int, found.groups())
    spoken = [
        "ministers",
        "promised",
        "computers",
        "libraries",
        "networks",
        "teachers",
        "buildings",
    ]
    written = "弥合智能鸿沟论坛"
    assert len(shingles(" ".join(spoken[:words]))) == 1
    assert len(shingles(" ".join(spoken[: words + 1]))) == 2
    assert len(shingles(written[:characters])) == 1
    assert len(shingles(written[: characters + 1])) == 2


def test_a_meaning_that_lists_values_lists_them_all():
    meanings = {one.name: one.meaning for one in (*MATCHES, *LEDGER)}
    assert all(one.value in meanings["relation"] for one in Relation)
    assert all(one.value in meanings["state"] for one in UrlState)

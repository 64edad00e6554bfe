"""What is shown is declared once: `fields` names it, and nothing else lists it again."""

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, queries
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.schema import metadata
from aidivide_archive.archive.sql.statements import ask
from aidivide_archive.archive.sql.views import are_current, views
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.export import export_rows, exporters
from aidivide_archive.export.columns import codebook
from aidivide_archive.fields import (
    ARTICLES,
    COVERAGE,
    EXCERPT,
    HITS,
    LEDGER,
    LEFT_OUT,
    MATCHES,
    MEMBERS,
    SETS,
    STORIES,
    WEIGHT,
    Field,
    TableColumn,
    by_name,
    names,
)
from aidivide_archive.ingest.imports import import_paths
from aidivide_archive.model import Relation, UrlState
from aidivide_archive.similarity import shingles
from tests.support import export_rows as export_rows_of
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


# --- everywhere it is shown ----------------------------------------------------------------------


def test_every_field_of_an_article_is_in_a_view_and_in_the_dictionary():
    in_views = {column.name: column.comment for view in views() for column in view.columns}
    document = (ROOT / "docs" / "data-dictionary.md").read_text("utf-8")
    for field in ARTICLES:
        assert field.name in in_views, field.name
        assert f"| `{field.name}` |" in document, field.name
    shown = {column.name: column.comment for column in views()[0].columns}
    assert shown["title"] == by_name(ARTICLES)["title"].description


PAGE = """<!doctype html><html lang="en"><head><title>{title}</title>
<meta property="article:published_time" content="{time}">
<meta name="keywords" content="harbour, schools"><link rel="canonical" href="{url}">
</head><body><article><h1>{title}</h1><p>{first}</p>{paragraphs}</article></body></html>"""
PARAGRAPHS = "".join(
    f"<p>Minister {name} said that {count} schools of the region would share {things} from {month} on, and that "
    "the talks in the harbour had gone better than anybody had expected in the spring.</p>"
    for name, count, things, month in (
        ("Abara", 12, "computers", "March"),
        ("Brandt", 31, "libraries", "April"),
        ("Castro", 47, "networks", "May"),
        ("Diallo", 58, "teachers", "June"),
    )
)
DATELINE = (
    "SHANGHAI, July 28 (Xinhua) -- Ministers met in the harbour on Monday to speak of schools."
)


def page(number: int, time: str, first: str) -> tuple[str, str]:
    url = f"https://news{number}.example/{number}"
    title = f"Ministers meet in harbour number {number}"
    return url, PAGE.format(title=title, time=time, url=url, first=first, paragraphs=PARAGRAPHS)


def test_an_import_shows_day_access_and_credits_as_a_person_reads_them(
    location: Location, tmp_path: Path
):
    """Right values written by hand, through import, rows, exports and view, on both engines."""
    pages = [
        page(1, "2025-07-28T06:30:00+08:00", DATELINE),
        page(2, "2025-07-27T22:30:00Z", "Ministers met in the harbour on Monday."),
    ]
    folder = tmp_path / "pages"
    folder.mkdir()
    lines = ["file,url"]
    for number, (url, html) in enumerate(pages, 1):
        (folder / f"{number}.html").write_text(html, "utf-8")
        lines.append(f"{number}.html,{url}")
    (folder / "urls.csv").write_text("\n".join(lines) + "\n", "utf-8")
    ready = tmp_path / "ready.jsonl"
    article = {"url": "https://ready.example/1", "title": "Ready", "text": "A ready text."}
    ready.write_text(json.dumps(article | {"published_at": "2025-07-29"}) + "\n", "utf-8")
    import_paths(location, [folder, ready], workers=1)
    with Reader(location) as reader:
        rows = {str(row["site"]): row for row in reader.articles()}
    wanted = ("published_day", "access", "complete", "credits", "tags", "dateline", "image_credit")
    found = {site: [row[name] for name in wanted] for site, row in rows.items()}
    tags = ["harbour", "schools"]
    assert found == {
        "news1.example": [
            *("2025-07-28", "open", True),
            *(["Xinhua"], tags, "SHANGHAI, July 28", None),
        ],
        "news2.example": ["2025-07-27", "open", True, [], tags, None, None],
        "ready.example": ["2025-07-29", None, None, [], [], None, None],
    }
    statement = f"SELECT {', '.join(wanted)} FROM v_articles WHERE site = 'news1.example'"
    answer = ask(location, statement, limit=5, timeout_seconds=20)
    assert answer.rows == (
        ("2025-07-28", "open", 1, "Xinhua", "harbour; schools", "SHANGHAI, July 28", None),
    )


@pytest.mark.parametrize("name", ["jsonl", "csv"])
def test_every_field_of_an_article_is_in_exports(name: str):
    stream = io.BytesIO()
    export_rows(exporters()[name], iter(export_rows_of.ROWS), ARTICLES, stream)
    first = stream.getvalue().decode("utf-8-sig").splitlines()[0]
    shown = list(json.loads(first)) if name == "jsonl" else first.split(",")
    assert tuple(shown) == names(ARTICLES)
    book = codebook([("articles.csv", ARTICLES)])
    assert all(f"| `{field.name}` |" in book for field in ARTICLES)


# --- views follow the program --------------------------------------------------------------------


def test_views_of_another_version_are_made_again_when_a_writer_opens(location: Location):
    with Archive(location):
        pass
    engine = write_engine(location)
    with engine.begin() as connection:
        assert are_current(connection)
        connection.exec_driver_sql("DROP VIEW v_articles")
        connection.exec_driver_sql("CREATE VIEW v_articles AS SELECT 1 AS old")
        if not location.is_sqlite:
            connection.exec_driver_sql("COMMENT ON TABLE alembic_version IS 'another version'")
        assert not are_current(connection)
    with Archive(location):
        pass
    with engine.begin() as connection:
        assert are_current(connection)
        assert "credits" in {
            column["name"] for column in sa.inspect(connection).get_columns("v_articles")
        }
    engine.dispose()

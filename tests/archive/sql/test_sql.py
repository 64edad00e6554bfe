"""SQL for people: views that say the same on both engines, and a door through which nothing but reading passes."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.sql import views
from aidivide_archive.archive.sql.dictionary import datasette_metadata, dictionary, markdown
from aidivide_archive.archive.sql.questions import QUESTIONS
from aidivide_archive.archive.sql.statements import Answer, ask
from aidivide_archive.archive.storage import migrate
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.exceptions import ArchiveError, ConfigError, StoreError
from aidivide_archive.fields import ARTICLES, Field
from aidivide_archive.urls import article_id, url_id
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location
from tests.support.demo_archive import DemoArchive, run
from tests.support.places import ROOT

VIEWS = [view.name for view in views.views()]


def put(location: Location, statement: str, limit: int = 1000, seconds: float = 20) -> Answer:
    return ask(location, statement, limit=limit, timeout_seconds=seconds)


@pytest.fixture(scope="module", params=ENGINES)
def where(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as location:
        filled.fill(location)
        yield location


# --- views ---------------------------------------------------------------------------------------


def both_answers(folder: Path, statements: list[str]) -> list[list[Answer]]:
    answers = []
    for engine in ENGINES:
        (folder / engine).mkdir()
        with new_location(engine, folder / engine) as location:
            filled.fill(location)
            answers.append([put(location, statement) for statement in statements])
    return answers


def test_every_view_says_the_same_on_both_engines(tmp_path: Path):
    own = {"warc_file", "warc_offset", "warc_length", "first_seen_at", "seen_at", "evidence"}
    statements = []
    for view in views.views():
        names = [column.name for column in view.columns if column.name not in own]
        statements.append(f"SELECT {', '.join(names)} FROM {view.name}")
    sqlite, postgresql = both_answers(tmp_path, statements)
    for name, one, other in zip(VIEWS, sqlite, postgresql, strict=True):
        assert one.columns == other.columns, name
        assert one.rows, name
        assert sorted(map(str, one.rows)) == sorted(map(str, other.rows)), name


def in_a_view(value: Any, field: Field) -> object:
    """A value of a row as views have it on both engines: lists joined, no list for an empty one, 1 and 0."""
    if field.type == "list":
        return "; ".join(value) or None
    return int(value) if field.type == "boolean" and value is not None else value


def test_articles_in_the_view_are_the_articles_of_an_export(where: Location):
    elsewhere = ("text", "warc_file", "warc_offset")  # v_texts, v_captures
    fields = [field for field in ARTICLES if field.name not in elsewhere]
    answer = put(where, f"SELECT {', '.join(field.name for field in fields)} FROM v_articles")
    with Reader(where) as reader:
        rows = [
            tuple(in_a_view(row[field.name], field) for field in fields)
            for row in reader.articles()
        ]
    assert sorted(map(str, answer.rows)) == sorted(map(str, rows))


def test_a_view_says_it_readably(where: Location):
    (row,) = put(where, f"SELECT * FROM v_articles WHERE url = '{filled.FIRST}'").rows
    found = dict(zip(put(where, "SELECT * FROM v_articles LIMIT 0").columns, row, strict=True))
    assert found["id"] == article_id(url_id(filled.FIRST))
    assert found["authors"] == "Ann Lee; José Díaz"
    assert found["published_day"] == "2025-07-27"
    days = "SELECT published_at, published_day FROM v_articles WHERE outlet = 'Two Wire'"
    assert put(where, days).rows == ((None, "2025-07-28"),)
    copied = "SELECT copy_outlet, origin_outlet, copy_url, origin_url FROM v_copies"
    assert put(where, copied).rows == (("Two Wire", "One Daily", filled.COPY, filled.FIRST),)


def test_views_go_and_come_with_their_migration(location: Location):
    engine = write_engine(location)
    with engine.begin() as connection:
        migrate.upgrade(connection)
        assert set(sa.inspect(connection).get_view_names()) == set(VIEWS)
        migrate.downgrade(connection, "0001")
        assert sa.inspect(connection).get_view_names() == []
        migrate.upgrade(connection)
        for view in views.views():
            columns = [column["name"] for column in sa.inspect(connection).get_columns(view.name)]
            assert columns == [column.name for column in view.columns]
    engine.dispose()


def test_postgresql_itself_can_say_what_a_column_of_a_view_holds(postgres_location: Location):
    with Archive(postgres_location):
        pass
    told = put(postgres_location, "SELECT col_description('v_copies'::regclass, 2)").rows
    assert told[0][0].startswith("Of the copy: `a-` and 12 hex digits")


# --- reading only --------------------------------------------------------------------------------

HOSTILE = [
    "DELETE FROM urls",
    "UPDATE articles SET title = 'x'",
    "INSERT INTO tombstones VALUES ('a', 'b', 'c')",
    "REPLACE INTO tombstones VALUES ('a', 'b', 'c')",
    "DROP TABLE articles",
    "DROP VIEW v_articles",
    "CREATE TABLE x (y integer)",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE TEMP VIEW x AS SELECT 1",
    "ALTER TABLE articles ADD COLUMN x text",
    "TRUNCATE articles",
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "PRAGMA writable_schema = 1",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA query_only = 0",
    "VACUUM INTO 'copy.db'",
    "VACUUM",
    "REINDEX",
    "ANALYZE",
    "BEGIN; DELETE FROM urls; COMMIT",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "SET TRANSACTION READ WRITE",
    "SET default_transaction_read_only = off",
    "COPY articles TO '/tmp/x'",
    "COPY articles TO PROGRAM 'sh'",
    "DO $$ BEGIN DELETE FROM urls; END $$",
    "CALL x()",
    "GRANT ALL ON articles TO public",
    "LOCK TABLE articles",
    "LISTEN x",
    "NOTIFY x",
    "",
    ";",
    "-- SELECT 1",
    "/* SELECT 1 */ DELETE FROM urls",
    "-- SELECT\nDELETE FROM urls",
    "SELECT 1; DELETE FROM urls",
    "SELECT 1; COMMIT; DELETE FROM urls",
    "SELECT 1;;SELECT 2",
    "WITH x AS (SELECT 1) DELETE FROM urls",
    "WITH x AS (SELECT 1) INSERT INTO tombstones SELECT 'a', 'b', 'c'",
    "WITH x AS (DELETE FROM urls RETURNING *) SELECT * FROM x",
    "EXPLAIN ANALYZE DELETE FROM urls",
    "SELECT * INTO x FROM urls",
    "SELECT load_extension('x.so')",
    "SELECT writefile('/tmp/x', 'y')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT \"pg_read_file\"('/etc/passwd')",
    "SELECT pg_read_binary_file /* x */ ('/etc/passwd')",
    "SELECT U&\"\\0070g_read_file\"('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT query_to_xml('DELETE FROM urls', true, true, '')",
    "SELECT * FROM ts_stat('SELECT pg_' || 'read_file(1)')",
    "SELECT pg_terminate_backend(pg_backend_pid())",
    "SELECT pg_advisory_lock(1)",
    "SELECT nextval('extractions_id_seq')",
    "SELECT 1 FROM urls FOR UPDATE",
    "INSERT INTO full_text (full_text) VALUES ('delete-all')",
    "SELECT 'x\0y'",
    "SELECT '\ud800'",
    "SELECT " + "1 + " * 60_000 + "1",
]


@pytest.mark.fault("S07")
@pytest.mark.parametrize("statement", HOSTILE, ids=lambda statement: statement[:50])
def test_what_is_not_reading_is_refused_in_one_line(
    where: Location, statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    before = put(where, "SELECT count(*) FROM urls").rows
    with pytest.raises(ConfigError) as caught:
        put(where, statement)
    assert "\n" not in str(caught.value)
    assert put(where, "SELECT count(*) FROM urls").rows == before
    assert list(tmp_path.iterdir()) == []


ENDLESS = {
    "sqlite": [
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < 0",
    ],
    "postgresql": [
        "SELECT count(*) FROM generate_series(1, 1000000000) a, generate_series(1, 1000) b",
        "SELECT pg_sleep(100)",
    ],
}


@pytest.mark.fault("S07")
def test_a_statement_that_does_not_end_is_stopped(where: Location):
    for statement in ENDLESS["sqlite" if where.is_sqlite else "postgresql"]:
        started = time.monotonic()
        with pytest.raises(StoreError, match=r"stopped after 0\.3 s"):
            put(where, statement, seconds=0.3)
        assert time.monotonic() - started < 60  # not the 100 s of the sleep


@pytest.mark.fault("S07")
def test_endless_rows_end_at_the_limit(where: Location):
    statement = (
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
        if where.is_sqlite
        else "SELECT generate_series(1, 100000000)"
    )
    answer = put(where, statement, limit=5)
    assert answer.rows == ((1,), (2,), (3,), (4,), (5,))
    assert answer.is_cut


@pytest.mark.fault("S07")
def test_a_value_that_fills_the_memory_is_refused(sqlite_location: Location):
    with Archive(sqlite_location):
        pass
    with pytest.raises(ConfigError, match="too big"):
        put(sqlite_location, "SELECT hex(zeroblob(1000000000))")


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT 1", ((1,),)),
        ("  select 1 ; ", ((1,),)),
        ("-- a comment\nSELECT 1 -- another", ((1,),)),
        ("VALUES (1, 'a;b')", ((1, "a;b"),)),
        ("SELECT (1)", ((1,),)),
        ("WITH x AS (SELECT 2 AS y) SELECT y FROM x", ((2,),)),
        ("SELECT 'DELETE FROM urls; %s :x'", (("DELETE FROM urls; %s :x",),)),
        ("SELECT NULL", ((None,),)),
        ("SELECT count(*) FROM v_ledger WHERE url LIKE '%talks'", ((2,),)),
        ("SELECT id FROM v_articles WHERE 1 = 0", ()),
    ],
)
def test_reading_works(where: Location, statement: str, rows: object):
    assert put(where, statement).rows == rows


def test_columns_of_one_name_are_told_apart(where: Location):
    assert put(where, "SELECT 1 AS a, 2 AS a, 3 AS b").columns == ("a", "a_2", "b")


def test_a_mistake_names_the_command_that_helps(where: Location):
    with pytest.raises(ConfigError, match="aidivide schema") as caught:
        put(where, "SELECT nothing_such FROM v_articles")
    assert "nothing_such" in str(caught.value)


def test_sql_of_no_archive_makes_none(tmp_path: Path):
    with pytest.raises(ArchiveError, match="no archive"):
        put(Location(tmp_path / "none"), "SELECT 1")
    assert list(tmp_path.iterdir()) == []


# --- questions, dictionary, Datasette ------------------------------------------------------------


def test_twelve_questions_give_the_same_on_both_engines(tmp_path: Path):
    assert len(QUESTIONS) == 12
    sqlite, postgresql = both_answers(
        tmp_path, [one.sql for one in QUESTIONS if "warc_" not in one.sql]
    )
    for one, other in zip(sqlite, postgresql, strict=True):
        assert (one.columns, one.rows) == (other.columns, other.rows)


def test_every_question_is_in_the_readme_and_the_guide_as_it_is_run():
    guide = (ROOT / "docs" / "sql.md").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for one in QUESTIONS:
        assert one.sql in guide, one.name
        assert f"-- {one.words}\n{one.sql};" in readme, one.name


def test_the_dictionary_names_everything_and_the_document_is_the_same():
    found = {relation.name: relation for relation in dictionary()}
    assert found.keys() == {*schema.metadata.tables, *VIEWS, FULL_TEXT_TABLE}
    for relation in found.values():
        assert relation.comment
        assert all(column.comment for column in relation.columns)
    document = (ROOT / "docs" / "data-dictionary.md").read_text("utf-8")
    assert document.strip() == markdown().strip(), "run: aidivide schema --markdown"


@pytest.fixture(scope="module")
def demo(demo_archive: DemoArchive) -> Path:
    return demo_archive.folder


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)
def test_a_question_has_an_answer_in_the_demo_archive(demo: Path, question: Any):
    answer = put(Location(demo), question.sql)
    assert answer.rows
    if question.name == "who-copied-whom":
        assert ("The Hudson Ledger", "Meridian Wire") in {row[:2] for row in answer.rows}
    if question.name == "first-outlet-per-story":
        assert len(answer.rows) == 4


@pytest.fixture(scope="module")
def demo_on_postgresql(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    folder = tmp_path_factory.mktemp("demo")
    with new_location("postgresql", folder) as location:
        assert location.database_url
        where = ("--archive", str(location.directory), "--database", location.database_url)
        run(folder, *where, "merge", str(demo))
        yield location


@pytest.mark.slow
def test_the_questions_have_the_same_answers_on_postgresql(
    demo: Path, demo_on_postgresql: Location
):
    for question in QUESTIONS:
        one, other = (put(where, question.sql) for where in (Location(demo), demo_on_postgresql))
        assert one.rows
        assert in_any_order(one.rows) == in_any_order(other.rows), question.name


def in_any_order(rows: tuple[tuple[object, ...], ...]) -> list[list[str]]:
    return sorted([str(value) for value in row] for row in rows)


COLUMNS_PAGE = "/archive/v_copies"
ARTICLES_PAGE = "/archive/v_articles.json?_shape=objects"
PAGES = [
    "/archive.json",
    ARTICLES_PAGE,
    COLUMNS_PAGE,
    *(f"/archive/{one.name}.json" for one in QUESTIONS),
]
ASK_DATASETTE = """
import asyncio, json, sys
from datasette.app import Datasette

async def pages(archive, metadata, paths):
    served = Datasette([], immutables=[archive], metadata=metadata, settings={"suggest_facets": False})
    await served.invoke_startup()
    answers = [await served.client.get(path) for path in paths]
    return {path: (answer.status_code, answer.text) for path, answer in zip(paths, answers)}

print(json.dumps(asyncio.run(pages(*json.load(sys.stdin)))))
"""


@pytest.fixture(scope="module")
def in_datasette(demo: Path) -> dict[str, str]:
    """What Datasette answers, by path; in a process of its own, which may warn."""
    question = json.dumps([str(demo / "archive.db"), datasette_metadata("Demo"), PAGES])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK_DATASETTE],
        input=question, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1000:]
    answers = json.loads(done.stdout)
    assert {path: status for path, (status, _) in answers.items()} == dict.fromkeys(PAGES, 200)
    return {path: text for path, (_, text) in answers.items()}


@pytest.mark.slow
def test_datasette_opens_the_archive_with_descriptions_facets_and_queries(
    in_datasette: dict[str, str],
):
    database = json.loads(in_datasette["/archive.json"])
    shown = [one["name"] for one in database["tables"] if not one["hidden"]]
    assert shown == []  # tables are below the views
    assert {one["name"] for one in database["views"]} == set(VIEWS)
    assert {one["name"] for one in database["queries"]} == {one.name for one in QUESTIONS}
    articles = json.loads(in_datasette[ARTICLES_PAGE])
    facets = articles["facet_results"]
    assert set(facets) == {"outlet", "country", "language", "role"}
    assert all(one["results"] for one in facets.values())  # a facet that timed out has none
    assert "Meridian Wire" in {one["value"] for one in facets["outlet"]["results"]}
    assert len(articles["rows"]) == 24
    for question in QUESTIONS:
        assert json.loads(in_datasette[f"/archive/{question.name}.json"])["rows"], question.name


@pytest.mark.slow
def test_datasette_shows_what_a_column_holds(in_datasette: dict[str, str]):
    page = in_datasette[COLUMNS_PAGE]
    assert "Who copied whom" in page
    assert "shingles that stand in the origin" in page
    assert "hour" in page


def test_the_file_itself_refuses_no_reader_that_knows_sqlite(sqlite_location: Location):
    """The views use nothing that only our connection has."""
    filled.fill(sqlite_location)
    with sqlite3.connect(f"file:{sqlite_location.database_path}?mode=ro", uri=True) as connection:
        for name in VIEWS:
            assert connection.execute(f"SELECT * FROM {name} LIMIT 1").fetchall()
    connection.close()

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.queries import Reader, Selection
from aidivide_archive.archive.storage import migrate
from aidivide_archive.archive.storage.engine import (
    REVISION,
    current_revision,
    read_engine,
    write_engine,
)
from aidivide_archive.archive.upkeep.row_damages import row_damages
from aidivide_archive.exceptions import (
    ArchiveError,
    MissingArchiveError,
    SchemaVersionError,
    StoreError,
)
from aidivide_archive.ingest.imports import ArticleRecord, article_document

FOREIGN = ("alembic_version", FULL_TEXT_TABLE, "sqlite_")


@pytest.fixture
def engine(nowhere: Location) -> Iterator[sa.Engine]:
    made = write_engine(nowhere)
    yield made
    made.dispose()


def described(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    """Everything that the engine knows of our tables, in a form that compares."""
    look = sa.inspect(connection)
    names = [name for name in look.get_table_names() if not name.startswith(FOREIGN)]
    found = {
        name: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"], c.get("comment"))
                for c in look.get_columns(name)
            ],
            "primary key": look.get_pk_constraint(name),
            "foreign keys": _sorted(look.get_foreign_keys(name)),
            "unique": _sorted(look.get_unique_constraints(name)),
            "indexes": [comparable(index) for index in _sorted(look.get_indexes(name))],
            "checks": _sorted(look.get_check_constraints(name)),
        }
        for name in names
    }
    if connection.dialect.name == "sqlite":  # what the inspector does not tell
        for name, without_rowid, strict in connection.exec_driver_sql(
            "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
        ):
            if name in found:
                found[name]["options"] = (without_rowid, strict)
        for table, statement in connection.exec_driver_sql(
            "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
        ):
            found[table].setdefault("index statements", []).append(" ".join(statement.split()))
    return found


def _sorted(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: str(item["name"]))


def comparable(index: Any) -> dict[str, str]:
    """The condition of a partial index comes as a clause, which compares by identity."""
    options = {name: str(value) for name, value in index.pop("dialect_options", {}).items()}
    return {name: str(value) for name, value in (index | options).items()}


def table_names(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())


# --- the migrations and the metadata are one schema ----------------------------------------------


def test_the_migrated_database_is_what_the_metadata_says(engine: sa.Engine):
    with engine.begin() as connection:
        migrate.upgrade(connection)
        migrated = described(connection)
        migrate.downgrade(connection, "base")
        schema.metadata.create_all(connection)
        created = described(connection)
    assert migrated.keys() == set(schema.metadata.tables)
    assert migrated == created


@pytest.mark.parametrize(
    "change",
    [
        lambda urls: urls.append_constraint(sa.CheckConstraint("attempts >= 0", name="counted")),
        lambda urls: urls.append_constraint(sa.UniqueConstraint(urls.c.url_key)),
        lambda urls: urls.append_column(sa.Column("note", sa.Text())),
        lambda urls: urls.append_constraint(
            sa.ForeignKeyConstraint([urls.c.leased_by], ["crawls.id"])
        ),
    ],
    ids=["check", "unique", "column", "foreign key"],
)
def test_a_change_of_the_metadata_without_migration_is_noticed(
    engine: sa.Engine, change: Callable[[sa.Table], None]
):
    changed = sa.MetaData(naming_convention=schema.metadata.naming_convention)
    for table in schema.metadata.tables.values():
        table.to_metadata(changed)
    urls = changed.tables["urls"]
    change(urls)
    with engine.begin() as connection:
        migrate.upgrade(connection)
        migrated = described(connection)
        migrate.downgrade(connection, "base")
        changed.create_all(connection)
        created = described(connection)
    assert [name for name in created if created[name] != migrated[name]] == ["urls"]


# --- up and down ---------------------------------------------------------------------------------


def test_an_empty_database_gets_every_table_and_the_full_text_index(engine: sa.Engine):
    with engine.begin() as connection:
        assert current_revision(connection) is None
        migrate.upgrade(connection)
        assert current_revision(connection) == REVISION
        assert table_names(connection) >= {*schema.metadata.tables, FULL_TEXT_TABLE}


def test_down_leaves_nothing_and_up_gives_the_same_again(engine: sa.Engine):
    with engine.begin() as connection:
        migrate.upgrade(connection)
        first = described(connection)
        migrate.downgrade(connection, "base")
        assert table_names(connection) - {"alembic_version", "sqlite_sequence"} == set()
    with engine.begin() as connection:
        migrate.upgrade(connection)
        assert described(connection) == first


def test_upgrading_twice_changes_nothing(engine: sa.Engine):
    for _ in range(2):
        with engine.begin() as connection:
            migrate.upgrade(connection)
            assert current_revision(connection) == REVISION


def test_a_migration_that_fails_leaves_nothing_behind(
    nowhere: Location, monkeypatch: pytest.MonkeyPatch
):
    whole = migrate.upgrade

    def upgrade(connection: sa.Connection) -> None:
        whole(connection)
        connection.exec_driver_sql("CREATE TABLE broken (nonsense")

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "upgrade", upgrade)
        with pytest.raises(StoreError, match="cannot open the archive"):
            Archive(nowhere)
    engine = write_engine(nowhere)
    with engine.begin() as connection:
        assert table_names(connection) == set()
    engine.dispose()
    with Archive(nowhere) as archive:  # and the next start makes it whole
        assert archive.failure is None


def test_two_that_open_a_new_postgresql_archive_at_once_both_succeed(postgres_nowhere: Location):
    problems: list[BaseException] = []
    gate = threading.Barrier(3)

    def start() -> None:
        gate.wait()
        try:
            with Archive(postgres_nowhere):
                pass
        except ArchiveError as error:
            problems.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_the_lists_of_enums_go_and_come_back_with_rows_and_indexes_untouched(engine: sa.Engine):
    row = {
        "id": 7,
        "url": "https://news.example/7",
        "url_key": "news.example/7",
        "host": "news.example",
        "site": "news.example",
        "kind": "page",
        "state": "queued",
        "first_seen_at": datetime(2025, 7, 27, tzinfo=UTC),
    }
    with engine.begin() as connection:
        migrate.upgrade(connection)
        migrate.downgrade(connection, "0005")
        listed = described(connection)["urls"]
        assert {check["name"] for check in listed["checks"]} == {
            "ck_urls_kind_known",
            "ck_urls_state_known",
        }
        connection.execute(sa.insert(schema.urls).values(row))
    film = sa.text("UPDATE urls SET kind = 'film' WHERE id = 7")
    with engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(film)
    with engine.begin() as connection:
        migrate.upgrade(connection)
        assert described(connection)["urls"] == listed | {"checks": []}
        connection.execute(film)
    with engine.connect() as connection:  # a new one reads the statements again
        stored = connection.execute(sa.select(schema.urls)).one()
        assert (stored.url, stored.kind, stored.first_seen_at) == (
            row["url"],
            "film",
            row["first_seen_at"],
        )
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA writable_schema").scalar_one() == 0


# --- other versions ------------------------------------------------------------------------------


def at_revision(location: Location, revision: str) -> None:
    with Archive(location) as archive:
        archive.submit(
            lambda c: c.execute(
                sa.text("UPDATE alembic_version SET version_num = :v"), {"v": revision}
            )
        ).result()


def test_lengths_are_counted_and_texts_indexed_again_by_the_one_rule(location: Location):
    texts = {"ko": "장관들이 격차를 논의했다.", "lo": "ລັດຖະມົນຕີປຶກສາ", "en": "Three plain words"}
    counts = {"ko": 3, "lo": 15, "en": 3}
    with Archive(location) as archive:
        archive.begin("import", None)
        records = [
            ArticleRecord(url=f"https://{name}.example/1", title="T", text=text, language=name)
            for name, text in texts.items()
        ]
        now = datetime(2025, 8, 1, tzinfo=UTC)
        archive.store_imported([article_document(record, None, now) for record in records]).result()
        archive.finish("finished")
    engine = write_engine(location)
    with engine.begin() as connection:
        migrate.downgrade(connection, "0007")
        connection.exec_driver_sql("UPDATE extractions SET word_count = 99")
        connection.exec_driver_sql("UPDATE articles SET word_count = 99")
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("INSERT INTO full_text (full_text) VALUES ('delete-all')")
        else:
            connection.exec_driver_sql("DELETE FROM full_text")
        migrate.upgrade(connection)
    engine.dispose()
    with Reader(location) as reader:
        rows = reader.rows(reader.select(Selection()))
        assert {row["language"]: row["word_count"] for row in rows} == counts
        assert len(reader.select_ids("ປຶກສາ")) == 1
        assert len(reader.select_ids("격차")) == 1
        damages = reader.ask(lambda c: list(row_damages(c, location.warc_directory)))
        assert {damage.check for damage in damages} & {"text_digest", "article"} == set()


@pytest.mark.parametrize("opener", [Archive, read_engine])
def test_an_archive_of_a_newer_version_is_refused_with_both_versions(
    location: Location, opener: Any
):
    at_revision(location, "9999")
    with pytest.raises(SchemaVersionError) as caught:
        opener(location)
    message = str(caught.value)
    assert "9999" in message
    assert REVISION in message
    assert "\n" not in message
    assert "update aidivide-archive" in message


@pytest.mark.parametrize("opener", [Archive, read_engine])
def test_an_archive_of_an_older_version_names_the_command_that_helps(
    location: Location, opener: Any
):
    at_revision(location, "0000")
    with pytest.raises(SchemaVersionError, match="aidivide db upgrade"):
        opener(location)


def test_a_refused_archive_can_be_opened_again_later(location: Location):
    at_revision(location, "9999")
    with pytest.raises(SchemaVersionError):
        Archive(location)
    engine = write_engine(location)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :v"), {"v": REVISION})
    engine.dispose()
    with Archive(location) as archive:
        assert archive.failure is None


def test_reading_where_nothing_is_creates_nothing(nowhere: Location):
    with pytest.raises(MissingArchiveError, match="crawl or import"):
        read_engine(nowhere)
    assert not nowhere.directory.exists()


# --- where the migrations lie --------------------------------------------------------------------


def test_the_migrations_are_found_inside_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "site-packages" / "aidivide_archive"
    (package / "migrations").mkdir(parents=True)
    (package / "migrations" / "env.py").touch()
    monkeypatch.setattr(migrate, "__file__", str(package / "archive" / "storage" / "migrate.py"))
    assert migrate.migrations_directory() == package / "migrations"


def test_the_migrations_are_found_at_the_top_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "src" / "aidivide_archive"
    package.mkdir(parents=True)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "env.py").touch()
    monkeypatch.setattr(migrate, "__file__", str(package / "archive" / "storage" / "migrate.py"))
    assert migrate.migrations_directory() == tmp_path / "migrations"


def test_missing_migrations_are_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(migrate, "__file__", str(tmp_path / "a" / "b" / "c" / "d" / "migrate.py"))
    with pytest.raises(StoreError, match="install aidivide-archive again"):
        migrate.migrations_directory()

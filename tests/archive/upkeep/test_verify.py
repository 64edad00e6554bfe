"""`aidivide verify` finds what was planted, names it, and finds nothing in a sound archive."""

import hashlib
import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.upkeep.integrity import Damage
from aidivide_archive.archive.upkeep.record_damages import record_damages
from aidivide_archive.archive.upkeep.row_damages import row_damages
from aidivide_archive.cli.program import cli
from aidivide_archive.ingest.verify import verify
from aidivide_archive.warc.members import Member, iter_members
from tests.support import small_archive
from tests.support.small_archive import capture, import_pages, rows_of, store

SITES = ("one", "two", "three", "four")


def fill(location: Location) -> None:
    """Twenty-four pages of four sites, among them copies, a site's template, and a withheld page."""
    footer = "Subscribe to the evening letter of this paper and never miss a story again."
    pages = {}
    for number in range(24):
        site = SITES[number % 4]
        seed = 100 + (number - number % 6 if number % 6 < 3 else number)  # triples of copies
        more = [footer] if site == "one" else []
        pages[f"https://www.{site}.example/a/{number}"] = small_archive.page(seed, *more)
    import_pages(location, pages)
    reserved = {"X-Robots-Tag": "noarchive"}
    with Archive(location) as archive:
        archive.begin("import", warc=True)
        store(archive, capture("https://five.example/r", small_archive.page(7), **reserved))
        changed = small_archive.page(100, "One more sentence stands at the beginning of it now.")
        store(archive, capture("https://www.one.example/a/0", changed, minutes=90))
        archive.settle().result()
        archive.finish("finished")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Location:
    made = Location(tmp_path_factory.mktemp("sound") / "archive")
    fill(made)
    return made


def damages(location: Location) -> list[Damage]:
    """All but reading pages again."""
    engine = read_engine(location)
    with engine.connect() as connection:
        found = [*row_damages(connection, location.warc_directory)]
        found += record_damages(connection, location.warc_directory)
    engine.dispose()
    return found


def test_a_sound_archive_has_no_damage(location: Location):
    fill(location)
    assert list(verify(location, workers=1)) == []
    assert list(verify(location, sample=5, workers=1)) == []


# --- planted -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """A damage, and words of which one must stand in what is found."""

    name: str
    told: tuple[str, ...]


@contextmanager
def database(location: Location) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(location.database_path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        yield connection
        connection.commit()


def members(location: Location) -> list[tuple[Path, Member]]:
    return [
        (path, member)
        for path in sorted(location.warc_directory.iterdir())
        for member in iter_members(path)
    ]


def flip(location: Location, number: int, draw: random.Random) -> Planted:
    """One byte of one record, anywhere in it: gzip header, data, checksum."""
    found = members(location)
    path, member = found[number % len(found)]
    place = member.offset + draw.randrange(member.length)
    raw = bytearray(path.read_bytes())
    raw[place] ^= draw.choice((0xFF, 0x55, 0x80, 0x10))
    path.write_bytes(raw)
    return Planted(f"byte {place} of {path.name}", (member.url or path.name, path.name))


# name → (SELECT of victims: what is told, then the keys), statement
ROWS: dict[str, tuple[str, str]] = {
    "text": ("SELECT u.url, e.id FROM extractions e JOIN urls u ON u.id = e.url_id WHERE e.text <> ''",
             "UPDATE extractions SET text = 'x' || substr(text, 2) WHERE id = ?"),
    "digest of a text": ("SELECT u.url, e.id FROM extractions e JOIN urls u ON u.id = e.url_id WHERE e.text <> ''",
                         "UPDATE extractions SET text_sha256 = replace(replace(text_sha256, '0', 'f'), 'a', '0') WHERE id = ?"),
    "digest of a body": ("SELECT u.url, c.id FROM captures c JOIN urls u ON u.id = c.url_id",
                         "UPDATE captures SET payload_sha256 = replace(replace(payload_sha256, '0', 'f'), 'a', '0') WHERE id = ?"),
    "offset": ("SELECT u.url, c.id FROM captures c JOIN urls u ON u.id = c.url_id",
               "UPDATE captures SET warc_offset = warc_offset + 1 WHERE id = ?"),
    "length": ("SELECT u.url, c.id FROM captures c JOIN urls u ON u.id = c.url_id",
               "UPDATE captures SET warc_length = warc_length - 1 WHERE id = ?"),
    "status": ("SELECT u.url, c.id FROM captures c JOIN urls u ON u.id = c.url_id",
               "UPDATE captures SET status = 203 WHERE id = ?"),
    "capture row gone": ("SELECT u.url, c.id FROM captures c JOIN urls u ON u.id = c.url_id",
                         "DELETE FROM captures WHERE id = ?"),
    "extraction gone": ("SELECT printf('a-%012x', a.id), a.extraction_id FROM articles a",
                        "DELETE FROM extractions WHERE id = ?"),
    "signature": ("SELECT printf('a-%012x', article_id), article_id FROM signatures WHERE shingle_count > 0",
                  "UPDATE signatures SET hashvalues = zeroblob(512) WHERE article_id = ?"),
    "signature gone": ("SELECT printf('a-%012x', article_id), article_id FROM signatures",
                       "DELETE FROM signatures WHERE article_id = ?"),
    "bands": ("SELECT printf('a-%012x', article_id), article_id FROM bands GROUP BY article_id",
              "DELETE FROM bands WHERE band = 3 AND article_id = ?"),
    "sketch": ("SELECT printf('a-%012x', article_id), article_id FROM sketch GROUP BY article_id",
               "UPDATE sketch SET hash = hash + 1 WHERE article_id = ?"),
    "match": ("SELECT printf('a-%012x', a_id), a_id FROM matches", "UPDATE matches SET jaccard = 0.123 WHERE a_id = ?"),
    "match gone": ("SELECT printf('a-%012x', a_id), a_id FROM matches", "DELETE FROM matches WHERE a_id = ?"),
    "role": ("SELECT printf('a-%012x', article_id), article_id FROM story_members",
             "UPDATE story_members SET role = 'update' WHERE article_id = ?"),
    "title": ("SELECT printf('a-%012x', id), id FROM articles", "UPDATE articles SET title = 'Another' WHERE id = ?"),
    "revision": ("SELECT printf('a-%012x', article_id), article_id FROM revisions",
                 "UPDATE revisions SET text_sha256 = 'nothing' WHERE article_id = ?"),
    "URL": ("SELECT url || 'x', id FROM urls", "UPDATE urls SET url = url || 'x' WHERE id = ?"),
    "full text gone": ("SELECT printf('a-%012x', a.id), a.id FROM articles a", "index"),
}  # fmt: skip


def plant_row(location: Location, name: str, number: int) -> Planted:
    victims, statement = ROWS[name]
    with database(location) as connection:
        found = connection.execute(victims).fetchall()
        told, *keys = found[number % len(found)]
        if statement == "index":
            title, text = connection.execute(
                "SELECT e.title, e.text FROM articles a JOIN extractions e ON e.id = a.extraction_id WHERE a.id = ?",
                keys,
            ).fetchone()
            connection.execute(
                "INSERT INTO full_text (full_text, rowid, title, text) VALUES ('delete', ?, ?, ?)",
                (*keys, title, text),
            )
        else:
            connection.execute(statement, keys)
    return Planted(f"{name} of {told}", (told,))


def truncate(location: Location, number: int) -> Planted:
    path = min(location.warc_directory.iterdir())
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) - 1 - number])
    return Planted(f"{path.name} cut by {number + 1}", (path.name,))


def remove_record(location: Location, number: int) -> Planted:
    """A whole record is taken out of the file; the others move up."""
    found = [(path, one) for path, one in members(location) if one.kind == "response"]
    path, member = found[number % len(found)]
    raw = path.read_bytes()
    path.write_bytes(raw[: member.offset] + raw[member.offset + member.length :])
    return Planted(f"record at {member.offset}", (member.url,))


def plants() -> list[Callable[[Location], Planted]]:
    draw = random.Random(20250727)
    chosen: list[Callable[[Location], Planted]] = []
    for _ in range(44):
        number, seed = draw.randrange(1000), draw.random()
        chosen.append(lambda where, n=number, s=seed: flip(where, n, random.Random(s)))
    twice = [*ROWS, *ROWS, "text", "digest of a body", "offset", "signature"]
    pairs = [(name, draw.randrange(1000)) for name in twice]
    chosen += [partial(plant_row, name=name, number=number) for name, number in pairs]
    chosen += [lambda where, n=n: truncate(where, n) for n in (0, 5, 300, 900)]
    chosen += [lambda where, n=n: remove_record(where, n) for n in draw.sample(range(1000), 10)]
    return chosen[:100]


def test_there_are_a_hundred_damages_to_find():
    assert len(plants()) == 100


@pytest.mark.slow  # a hundred archives are checked
@pytest.mark.parametrize("part", range(10))
def test_every_planted_damage_is_found_and_named(part: int, sound: Location, tmp_path: Path):
    missed = []
    for number, plant in enumerate(plants()[part::10]):
        where = Location(tmp_path / str(number))
        shutil.copytree(sound.directory, where.directory)
        planted = plant(where)
        found = damages(where)
        told = [f"{one.subject} {one.detail}" for one in found]
        if not any(word in line for word in planted.told for line in told):
            missed.append((planted, told))
    assert missed == []


COLUMNS_OF_ENUMS = (
    *(
        ("urls", "state"),
        ("urls", "kind"),
        ("discoveries", "channel"),
        ("captures", "completeness"),
    ),
    *(("extractions", "page_kind"), ("matches", "relation")),
    ("story_members", "role"),
)


@pytest.mark.parametrize(("table", "column"), COLUMNS_OF_ENUMS)
def test_a_word_that_is_no_value_of_its_enum_is_found(
    sound: Location, tmp_path: Path, table: str, column: str
):
    where = Location(tmp_path / "copy")
    shutil.copytree(sound.directory, where.directory)
    with database(where) as connection:
        changed = connection.execute(f"UPDATE {table} SET {column} = 'film'").rowcount
    assert changed > 0
    lines = [f"{one.check} {one.subject} {one.detail}" for one in damages(where)]
    assert any(
        line.startswith(f"unknown_value {table} row") and f"{column} 'film'" in line
        for line in lines
    ), lines


def test_a_text_that_its_stages_would_not_give_today_is_drift(sound: Location, tmp_path: Path):
    """Text and digest were changed together: only reading the bytes again shows it."""
    where = Location(tmp_path / "archive")
    shutil.copytree(sound.directory, where.directory)
    url = "https://www.two.example/a/5"
    with Archive(where) as archive:

        def forge(connection: sa.Connection) -> None:
            table = schema.extractions
            known = sa.select(table.c.id, table.c.text).join_from(
                table, schema.urls, schema.urls.c.id == table.c.url_id
            )
            row = connection.execute(known.where(schema.urls.c.url == url)).one()
            text = row.text.replace("a", "e")
            values = {"text": text, "text_sha256": hashlib.sha256(text.encode()).hexdigest()}
            connection.execute(sa.update(table).where(table.c.id == row.id).values(values))

        archive.submit(forge).result()
    found = [one.subject for one in verify(where, workers=1) if one.check == "extraction_drift"]
    assert found == [url]


def test_the_torn_tail_of_a_killed_run_is_no_damage(sound: Location, tmp_path: Path):
    where = Location(tmp_path / "archive")
    shutil.copytree(sound.directory, where.directory)
    with Archive(where) as archive:
        archive.begin("import", warc=True)
        archive.write_capture(capture("https://six.example/", small_archive.page(9)))
    name = rows_of(where, schema.warc_files)[-1]["name"]
    path = where.warc_directory / name
    path.write_bytes(path.read_bytes()[:-20])
    assert damages(where) == []


def run(location: Location, *words: str) -> Any:
    return CliRunner().invoke(cli, ["--archive", str(location.directory), "verify", *words])


def test_the_command_says_sound_or_lists_each_damage(sound: Location, tmp_path: Path):
    good = run(sound, "--sample", "3")
    assert (good.exit_code, good.stdout) == (0, "")
    assert "is sound in 3 captures" in good.stderr
    where = Location(tmp_path / "archive")
    shutil.copytree(sound.directory, where.directory)
    planted = plant_row(where, "digest of a body", 3)
    bad = run(where, "--json")
    assert bad.exit_code == 1
    assert "1 damage found" in bad.stderr
    [item] = json.loads(bad.stdout)["items"]
    assert (item["check"], item["subject"]) == ("record_row", planted.told[0])
    assert "merge" in item["advice"]

"""Ask 200 fixed questions of an archive of many generated articles, on SQLite and PostgreSQL, and time each.

    python -m benchmarks.searching --articles 100000
    python -m benchmarks.searching --articles 100000 --database postgresql://…/an_empty_database

The articles are those of `scale.py`: three languages, one of them written like Chinese, words by Zipf's law. They are
stored by `Archive.store_imported`, as `aidivide import` does, but not signed and not settled, which has nothing to do
with searching and takes most of an import's time; instead every tenth article is put into the story of the one before.
The questions: one to three words, OR, NOT, phrases, prefixes, titles, Chinese words; every third with filters, every
fourth with facets; each finds something, and at most 5 % of the archive. Broad questions are timed apart.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Facet, Filters, Reader, Search
from aidivide_archive.config import load_profile
from aidivide_archive.model import (
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    TimeValue,
    UrlState,
)
from aidivide_archive.urls import url_id
from benchmarks.scale import articles as generated

QUESTIONS = 200
MOST_HITS = 0.05
"""Share of the archive that a question may find."""
ROUNDS = 3
_BATCH = 200
_NOW = datetime(2025, 12, 31, tzinfo=UTC)
_PROFILE = """
schema = 1
[event]
id = "searching"
title = "Searching"
"""
_SOURCE = """
[[source]]
name = "Outlet {0}"
domain = "site{0}.example"
country = "{1}"
"""


# --- filling -------------------------------------------------------------------------------------


def fill(location: Location, count: int, seed: int) -> None:
    with Archive(location) as archive:
        archive.begin("import", _profile())
        batch: list[Document] = []
        ids: list[int] = []
        for one in generated(count, seed):
            batch.append(_document(one))
            ids.append(batch[-1].url_id)
            if len(batch) == _BATCH:
                archive.store_imported(batch).result()
                batch = []
        if batch:
            archive.store_imported(batch).result()
        archive.submit(lambda c: _stories(c, ids)).result()
        archive.finish("finished")
    if location.database_url:
        _analyse(location.database_url)


def _profile() -> Any:
    countries = ("GB", "FR", "CN", "BR", "IN")
    sources = "".join(_SOURCE.format(n, countries[n % len(countries)]) for n in range(400))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "searching.toml"
        path.write_text(_PROFILE + sources, "utf-8")
        return load_profile(str(path))


def _document(one: dict[str, str]) -> Document:
    start = datetime.fromisoformat(one["published_at"])
    published = TimeValue(
        start=start,
        end=start + timedelta(minutes=1),
        raw=one["published_at"],
        offset_minutes=0,
        precision="minute",
    )
    metadata = Metadata(title=one["title"], language=one["language"], published=published)
    return Document(
        url_id=url_id(one["url"]),
        url=one["url"],
        outcome=Outcome(state=UrlState.DONE, reason=Reason.IMPORTED),
        finished_at=_NOW,
        extraction=Extraction(
            version="benchmark", page_kind=PageKind.ARTICLE, text=one["text"], metadata=metadata
        ),
    )


def _stories(connection: sa.Connection, ids: Sequence[int]) -> None:
    stories, members = [], []
    for place, number in enumerate(ids):
        if place % 10 == 9:
            continue
        group = [number, *ids[place + 1 : place + 2]] if place % 10 == 8 else [number]
        smallest = min(group)
        stories.append({"id": smallest, "origin_id": number, "size": len(group)})
        members += [
            {
                "article_id": one,
                "story_id": smallest,
                "role": "origin" if one == number else "copy",
                "confidence": 1.0,
                "reasons": ["made by the benchmark"],
            }
            for one in group
        ]
    for table, rows in ((schema.stories, stories), (schema.story_members, members)):
        rows.sort(key=lambda row: tuple(map(str, row.values())))
        for start in range(0, len(rows), 1000):
            connection.execute(sa.insert(table), rows[start : start + 1000])


def _analyse(url: str) -> None:
    """What autovacuum does within minutes: statistics, and the index's list of new entries."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


# --- questions -----------------------------------------------------------------------------------


def questions(reader: Reader, count: int, seed: int) -> list[Search]:
    """Fixed by the seed; each finds something, and at most `MOST_HITS` of the archive."""
    chance = random.Random(seed)
    texts = list(_sample(count, seed))
    kinds = _kinds(chance)
    found: list[Search] = []
    while len(found) < QUESTIONS:
        number = len(found)
        kind = kinds[number % len(kinds)]
        query = kind(chance.choice(texts))
        if not query:
            continue
        filters = _filters(chance) if number % 3 == 0 else Filters()
        facets = tuple(Facet) if number % 4 == 0 else ()
        asked = Search(query=query, filters=filters, facets=facets)
        if 1 <= reader.search(asked).total <= count * MOST_HITS:
            found.append(asked)
    return found


def _sample(count: int, seed: int) -> Iterator[dict[str, str]]:
    for number, one in enumerate(generated(min(count, 2_000), seed)):
        if number % 5 == 0:
            yield one


def _kinds(chance: random.Random) -> list[Callable[[dict[str, str]], str | None]]:
    def words(one: dict[str, str], many: int) -> list[str]:
        found = re.findall(r"\w{3,}", one["text"])
        return [chance.choice(found) for _ in range(many)]

    def spaced(make: Callable[[dict[str, str]], str]) -> Callable[[dict[str, str]], str | None]:
        return lambda one: None if one["language"] == "zh" else make(one)

    def phrase(one: dict[str, str]) -> str:
        found = re.findall(r"\w+(?: \w+){2}", one["text"])
        return f'"{chance.choice(found)}"'

    def chinese(length: int) -> Callable[[dict[str, str]], str | None]:
        def make(one: dict[str, str]) -> str | None:
            if one["language"] != "zh":
                return None
            found = re.findall(f"[\u4e00-\u9fff]{{{length}}}", one["text"])
            return str(chance.choice(found))

        return make

    return [
        spaced(lambda one: words(one, 1)[0]),
        spaced(lambda one: " ".join(words(one, 2))),
        chinese(2),
        spaced(lambda one: " ".join(words(one, 3))),
        spaced(phrase),
        chinese(2),
        spaced(lambda one: "{} OR {}".format(*words(one, 2))),
        spaced(lambda one: "{} -{}".format(*words(one, 2))),
        chinese(4),
        spaced(lambda one: f"{words(one, 1)[0][:6]}*"),
        spaced(lambda one: "title:" + re.findall(r"\w+", one["title"])[0]),
        chinese(3),
    ]


def _filters(chance: random.Random) -> Filters:
    day = datetime(2025, chance.randint(1, 6), 1, tzinfo=UTC)
    made = (
        Filters(since=day, until=day + timedelta(days=180)),
        Filters(languages=("en", "zh")),
        Filters(countries=(chance.choice(("GB", "FR", "CN")),)),
        Filters(roles=("origin",)),
    )
    return chance.choice(made)


# --- measuring -----------------------------------------------------------------------------------


def timed(reader: Reader, asked: Search) -> tuple[float, float]:
    """Milliseconds by the clock, and of this process's CPU (PostgreSQL's work is in neither's difference)."""
    start, busy = time.perf_counter(), time.process_time()
    reader.search(asked)
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - busy)


def quantiles(values: Sequence[float]) -> str:
    ordered = sorted(values)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return f"median {ordered[len(ordered) // 2]:.1f} ms, p95 {p95:.1f} ms, slowest {ordered[-1]:.1f} ms"


def measure(name: str, reader: Reader, asked: Sequence[Search]) -> None:
    """Median of `ROUNDS` for each question; then quantiles over the questions."""
    rounds = [[timed(reader, one) for _ in range(ROUNDS)] for one in asked]
    for place, what in enumerate(("wall", "CPU of the client")):
        taken = [sorted(one[place] for one in each)[ROUNDS // 2] for each in rounds]
        print(f"{name}: {len(asked)} questions, {what}: {quantiles(taken)}", flush=True)


def broad(name: str, reader: Reader, count: int, seed: int) -> None:
    """The most frequent words, in every order, with and without facets and stories."""
    text = " ".join(one["text"] for one in _sample(count, seed) if one["language"] == "en")
    counts: dict[str, int] = {}
    for word in re.findall(r"\w+", text.lower()):
        counts[word] = counts.get(word, 0) + 1
    common = sorted(counts, key=lambda word: (-counts[word], word))[:3]
    slowest = 0.0
    for query in (
        common[0],
        " ".join(common),
        " OR ".join(common),
        f"{common[0][:2]}*",
        "一 OR 人",
    ):
        for asked in (
            Search(query=query),
            Search(query=query, facets=tuple(Facet)),
            replace(Search(query=query), unique=True, filters=Filters(since=_NOW.replace(month=3))),
        ):
            slowest = max(slowest, sorted(timed(reader, asked)[0] for _ in range(ROUNDS))[1])
    found = reader.search(Search(query=common[0]))
    total = f"{found.total:,}{'+' if found.is_capped else ''}"
    print(f"{name}: broad questions (the first finds {total}): slowest {slowest:.0f} ms")


def chinese_words(name: str, reader: Reader, count: int, seed: int) -> None:
    """Every word of two characters of a sample of articles finds its article."""
    looked = missed = 0
    for one in _sample(count, seed):
        if one["language"] != "zh" or looked > 2_000:
            continue
        number = url_id(one["url"])
        for word in sorted({*re.findall("(?=([\u4e00-\u9fff]{2}))", one["text"])})[:100]:
            looked += 1
            missed += number not in reader.select_ids(word)
    print(f"{name}: {looked} Chinese words of two characters looked for, {missed} not found")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default=None, help="PostgreSQL URL of an empty database")
    parser.add_argument("--keep", type=Path, default=None, help="keep, or use, the archives here")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="searching-"))
    locations = {"SQLite": Location(folder / "sqlite")}
    if options.database:
        locations["PostgreSQL"] = Location(folder / "postgresql", options.database)
    try:
        for name, location in locations.items():
            if not location.directory.exists():
                start = time.monotonic()
                fill(location, options.articles, options.seed)
                print(f"{name}: filled in {time.monotonic() - start:.0f} s", flush=True)
        report(locations, options.articles, options.seed)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def report(locations: dict[str, Location], count: int, seed: int) -> None:
    with Reader(locations["SQLite"]) as reader:
        asked = questions(reader, count, seed)
        found = [reader.select_ids(one.query, one.filters) for one in asked]
    hits = sorted(map(len, found))
    print(f"hits: median {hits[len(hits) // 2]}, most {hits[-1]} of {count}", flush=True)
    for name, location in locations.items():
        with Reader(location) as reader:
            same = sum(
                reader.select_ids(one.query, one.filters) == ids
                for one, ids in zip(asked, found, strict=True)
            )
            print(f"{name}: the same hits as SQLite for {same} of {len(asked)}", flush=True)
            measure(name, reader, asked)
            broad(name, reader, count, seed)
            chinese_words(name, reader, count, seed)


if __name__ == "__main__":
    main()

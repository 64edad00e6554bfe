"""The copy graph in SQL: what settling makes of articles, in whatever order they came."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.documents import matching
from aidivide_archive.archive.storage import migrate, versions
from aidivide_archive.archive.storage.engine import REVISION, write_engine
from aidivide_archive.exceptions import SchemaVersionError
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.model import (
    Channel,
    Discovery,
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    TimeValue,
    UrlKind,
    UrlState,
    Verdict,
)
from aidivide_archive.similarity import sign
from aidivide_archive.similarity.candidates import SignedTexts, candidate_pairs

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
SYLLABLES = "ka lo mi ren ta vos un pel dra sho bi nem".split()  # noqa: SIM905


def sentences(seed: int, count: int = 30) -> list[str]:
    """Sentences of invented words: texts of two seeds share next to nothing."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=4)) for _ in range(400)]
    return [" ".join(draw.choices(words, k=11)).capitalize() + "." for _ in range(count)]


@dataclass(frozen=True)
class Page:
    name: str
    text: str
    hour: int = 0

    @property
    def found(self) -> Discovery:
        return discovery(
            f"https://{self.name}.example/story", kind=UrlKind.PAGE, channel=Channel.SEED
        )


def page(name: str, *parts: Sequence[str], hour: int = 0) -> Page:
    return Page(name, "\n".join(line for part in parts for line in part), hour)


ONE, TWO, THREE = sentences(1), sentences(2), sentences(3)
PAGES = [
    page("wire", ONE, hour=0),
    page("copy", ONE, hour=3),
    page("edited", sentences(11, 3), ONE[:-2], hour=5),
    page("other", TWO, hour=1),
    page("reprint", TWO, hour=9),
    page("excerpt", sentences(12, 6), THREE[:9], hour=8),
    page("whole", THREE, hour=2),
    *(page(f"own{n}", sentences(20 + n), hour=n) for n in range(8)),
]


def document(one: Page) -> Document:
    start = NOW + timedelta(hours=one.hour)
    published = TimeValue(
        start=start, end=start + timedelta(minutes=1), raw="", offset_minutes=0, precision="minute"
    )
    return Document(
        url_id=one.found.id,
        url=one.found.url,
        outcome=Outcome(state=UrlState.DONE, reason=Reason.KEPT),
        finished_at=NOW,
        extraction=Extraction(
            version="1",
            page_kind=PageKind.ARTICLE,
            text=one.text,
            metadata=Metadata(title=one.name, published=published),
        ),
        signature=sign(one.text),
    )


def store(archive: Archive, pages: Sequence[Page]) -> None:
    archive.discover([one.found for one in pages]).result()
    for future in [archive.commit(document(one)) for one in pages]:
        future.result()


def table(archive: Archive, name: sa.Table) -> list[dict[str, Any]]:
    statement = sa.select(name).order_by(*name.primary_key.columns)
    return archive.submit(lambda c: [dict(row) for row in c.execute(statement).mappings()]).result()


def graph(archive: Archive) -> list[list[dict[str, Any]]]:
    names = (schema.matches, schema.stories, schema.story_members, schema.story_aliases)
    return [table(archive, name) for name in names]


def groups(archive: Archive) -> set[frozenset[str]]:
    """Stories of two or more, as names of pages."""
    names = {one.found.id: one.name for one in PAGES}
    by_story: dict[int, set[str]] = {}
    for row in table(archive, schema.story_members):
        by_story.setdefault(row["story_id"], set()).add(names[row["article_id"]])
    return {frozenset(members) for members in by_story.values() if len(members) > 1}


def judge(archive: Archive, one: str, other: str, verdict: Verdict) -> None:
    by_name = {page.name: page.found for page in PAGES}
    a, b = sorted((by_name[one], by_name[other]), key=lambda found: found.url)
    archive.submit(
        lambda c: c.execute(
            sa.insert(schema.judgements).values(
                a_id=a.id, b_id=b.id, verdict=verdict, judged_at=NOW
            )
        )
    ).result()


@pytest.fixture
def filled(archive: Archive) -> Archive:
    archive.begin("import")
    store(archive, PAGES)
    archive.settle().result()
    return archive


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    """What all orders and engines must come to."""
    with Archive(Location(tmp_path_factory.mktemp("reference"))) as archive:
        archive.begin("import")
        store(archive, PAGES)
        archive.settle().result()
        return graph(archive)


# --- one result ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_of_arrival_gives_the_same_graph(
    archive: Archive, reference: list[list[dict[str, Any]]], seed: int
):
    pages = random.Random(seed).sample(PAGES, len(PAGES))
    archive.begin("import")
    store(archive, pages)
    archive.settle().result()
    assert graph(archive) == reference


def test_settling_in_between_changes_nothing_in_the_end(
    archive: Archive, reference: list[list[dict[str, Any]]]
):
    archive.begin("import")
    for start in range(0, len(PAGES), 4):
        store(archive, PAGES[::-1][start : start + 4])
        archive.settle().result()
    *found, aliases = graph(archive)
    assert found == reference[:3]
    stories = {row["id"] for row in found[1]}
    assert {row["story_id"] for row in aliases} <= stories
    assert not {row["id"] for row in aliases} & stories


def test_a_batch_of_ready_articles_gives_the_same_graph(
    archive: Archive, reference: list[list[dict[str, Any]]]
):
    archive.begin("import")
    archive.store_imported([document(one) for one in PAGES]).result()
    archive.settle().result()
    assert graph(archive) == reference


def test_what_many_sites_print_again_and_again_holds_nothing_together(archive: Archive):
    notice = sentences(99, 6)
    pages = [
        page(
            f"page{n}.site{site}",
            sentences(100 + 2 * site + n, 8),
            notice,
            sentences(200 + 2 * site + n, 2),
        )
        for site in range(4)
        for n in range(2)
    ]
    archive.begin("import")
    store(archive, pages[::2])  # one page of each site: nothing tells a notice from a text
    archive.settle().result()
    assert len(table(archive, schema.matches)) == 6
    store(archive, pages[1::2])
    archive.settle().result()
    assert table(archive, schema.matches) == []
    assert {row["size"] for row in table(archive, schema.stories)} == {1}


def test_two_articles_over_one_disclaimer_are_no_copies(archive: Archive):
    disclaimer = sentences(99, 7)
    both = [page(f"page{n}.site", sentences(100 + n, 9), disclaimer) for n in range(2)]
    archive.begin("import")
    store(archive, both)
    archive.settle().result()
    assert table(archive, schema.matches) == []


def test_settling_again_writes_nothing(filled: Archive):
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    before = graph(filled)
    sa.event.listen(filled._engine, "before_cursor_execute", note)
    filled.settle().result()
    sa.event.remove(filled._engine, "before_cursor_execute", note)
    assert statements
    written = [one for one in statements if one.startswith(("INSERT", "UPDATE"))]
    assert written == []
    assert graph(filled) == before


def test_an_archive_of_the_version_without_candidates_settles_to_the_same(
    filled: Archive, location: Location, reference: list[list[dict[str, Any]]]
):
    filled.close()
    engine = write_engine(location)
    with engine.begin() as connection:
        migrate.downgrade(connection, "0004")
    engine.dispose()
    with pytest.raises(SchemaVersionError, match="aidivide db upgrade"):
        Archive(location)
    assert versions.upgrade(location) == ("0004", REVISION)
    with Archive(location) as archive:
        archive.begin("rebuild")
        assert {row["origin_rank"] for row in table(archive, schema.story_members)} == {None}
        archive.settle().result()
        assert graph(archive) == reference


# --- what is found -------------------------------------------------------------------------------


def test_copies_edited_copies_and_excerpts_are_stories(filled: Archive):
    assert groups(filled) == {
        frozenset({"wire", "copy", "edited"}),
        frozenset({"other", "reprint"}),
        frozenset({"whole", "excerpt"}),
    }


def test_every_article_is_in_exactly_one_story_named_by_its_smallest_member(filled: Archive):
    members = table(filled, schema.story_members)
    assert {row["article_id"] for row in members} == {one.found.id for one in PAGES}
    stories = {row["id"]: row for row in table(filled, schema.stories)}
    for number, story in stories.items():
        own = [row["article_id"] for row in members if row["story_id"] == number]
        assert (min(own), len(own)) == (number, story["size"])
        assert story["origin_id"] in own


def test_the_smaller_url_stands_first_and_direction_follows(filled: Archive):
    urls = {one.found.id: one.found.url for one in PAGES}
    rows = table(filled, schema.matches)
    assert all(urls[row["a_id"]] < urls[row["b_id"]] for row in rows)
    (excerpt,) = (row for row in rows if row["relation"] == "excerpt")
    assert (urls[excerpt["a_id"]], excerpt["contains"]) == ("https://excerpt.example/story", "b")


def test_the_first_to_publish_is_the_origin(filled: Archive):
    names = {one.found.id: one.name for one in PAGES}
    origins = {names[row["origin_id"]] for row in table(filled, schema.stories) if row["size"] > 1}
    assert origins == {"wire", "other", "whole"}


def test_a_provisional_match_is_there_before_settling(archive: Archive):
    archive.begin("import")
    store(archive, PAGES[:2])
    (row,) = table(archive, schema.matches)
    assert (row["relation"], row["decided_by"]) == ("copy", "machine")


def test_the_rows_of_the_indexes_name_the_pairs_that_the_arrays_do(filled: Archive):
    """Asking for one article after the other and for all at once come to the same pairs."""
    signatures = {one.found.id: sign(one.text) for one in PAGES}
    signed = sorted(signatures.items(), key=lambda item: item[0])

    def by_rows(connection: sa.Connection) -> set[tuple[int, int]]:
        return {
            (min(number, other), max(number, other))
            for number, signature in signed
            for other in matching.candidates_of(connection, number, signature)
        }

    arrays = SignedTexts.of([signature for _, signature in signed])
    places = candidate_pairs(arrays, [""] * len(signed), {}, np.empty(0, dtype=np.uint64))
    expected = {(signed[a][0], signed[b][0]) for a, b in places.tolist()}
    assert len(expected) >= 5
    assert filled.submit(by_rows).result() == expected


# --- judgements and aliases ----------------------------------------------------------------------


def test_a_person_beats_the_machine_in_both_directions(filled: Archive):
    judge(filled, "other", "reprint", Verdict.DIFFERENT)
    judge(filled, "own1", "own2", Verdict.SAME)
    judge(filled, "wire", "copy", Verdict.UNSURE)
    filled.settle().result()
    assert groups(filled) == {
        frozenset({"wire", "copy", "edited"}),
        frozenset({"own1", "own2"}),
        frozenset({"whole", "excerpt"}),
    }


def test_a_merged_story_answers_by_its_former_id_until_it_is_back(filled: Archive):
    one, other = (next(p.found.id for p in PAGES if p.name == name) for name in ("own1", "own2"))
    judge(filled, "own1", "own2", Verdict.SAME)
    filled.settle().result()
    smaller, larger = sorted((one, other))
    assert table(filled, schema.story_aliases) == [{"id": larger, "story_id": smaller}]
    filled.submit(lambda c: c.execute(sa.delete(schema.judgements))).result()
    filled.settle().result()
    assert table(filled, schema.story_aliases) == []


def test_an_alias_follows_its_story_into_another(filled: Archive):
    names = ("own1", "own2", "own3")
    ids = sorted((p.found.id, p.name) for p in PAGES if p.name in names)
    (low, low_name), (middle, middle_name), (high, high_name) = ids
    judge(filled, middle_name, high_name, Verdict.SAME)
    filled.settle().result()
    judge(filled, low_name, middle_name, Verdict.SAME)
    judge(filled, low_name, high_name, Verdict.SAME)
    filled.settle().result()
    aliases = {row["id"]: row["story_id"] for row in table(filled, schema.story_aliases)}
    assert aliases == {middle: low, high: low}


def test_a_signature_of_another_version_is_made_again(filled: Archive):
    before = table(filled, schema.signatures)
    filled.submit(
        lambda c: c.execute(sa.update(schema.signatures).values(version="0", hashvalues=b""))
    ).result()
    filled.settle().result()
    assert table(filled, schema.signatures) == before


def test_an_empty_archive_settles(archive: Archive):
    archive.begin("import")
    found = archive.settle().result()
    assert (found.articles, found.matches, found.stories) == (0, 0, 0)

"""Why an article has its place in its story, as the commands, the exports, SQL and the report show it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from lxml import html

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.sql.statements import ask
from aidivide_archive.archive.storage.engine import write_engine
from aidivide_archive.cli import cli
from aidivide_archive.evidence import Evidence, EvidenceKind, as_json_list, worded
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.model import (
    Channel,
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    TimeValue,
    UrlKind,
    UrlState,
)
from aidivide_archive.report import gather, render
from aidivide_archive.similarity import sign
from tests.support.archives import ENGINES, new_location
from tests.support.small_archive import sentences

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
WHOLE = sentences(70)
EXCERPT = WHOLE[:5] + sentences(71, 2)
PAGES: dict[str, tuple[int, list[str], tuple[str, ...]]] = {
    "harbour-times.example": (0, WHOLE, ()),
    "gulf-courier.example": (5, WHOLE, ()),  # names nobody, and is named
    "nook.example": (9, WHOLE, ("The Harbour Times",)),
    "diario.example": (10, WHOLE, ("Gulf Courier", "Pocket Post")),
    "pocket-post.example": (7, EXCERPT, ("The Harbour Times",)),  # names, and is named
}
"""Site → hours after the first, text, credits."""


def url_of(site: str) -> str:
    return f"https://www.{site}/bridge"


def document(site: str) -> Document:
    hours, lines, wires = PAGES[site]
    start = NOW + timedelta(hours=hours)
    end = start + timedelta(minutes=1)
    page = discovery(url_of(site), kind=UrlKind.PAGE, channel=Channel.SEED)
    text = "\n".join(lines)
    published = TimeValue(start=start, end=end, raw="", offset_minutes=0, precision="minute")
    return Document(
        url_id=page.id,
        url=page.url,
        outcome=Outcome(state=UrlState.DONE, reason=Reason.KEPT),
        finished_at=NOW,
        extraction=Extraction(
            version="1",
            page_kind=PageKind.ARTICLE,
            text=text,
            metadata=Metadata(title=f"The bridge, by {site}", published=published, credits=wires),
        ),
        signature=sign(text),
    )


def fill(location: Location) -> None:
    with Archive(location) as archive:
        archive.begin("crawl")
        pages = [discovery(url_of(one), kind=UrlKind.PAGE, channel=Channel.SEED) for one in PAGES]
        archive.discover(pages).result()
        for site in PAGES:
            archive.commit(document(site)).result()
        archive.settle().result()
        archive.finish("finished")


@pytest.fixture(scope="module", params=ENGINES)
def where(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    with new_location(request.param, tmp_path_factory.mktemp("credits")) as location:
        fill(location)
        yield location


@pytest.fixture
def own(location: Location) -> Location:
    """An archive that a test may change."""
    fill(location)
    return location


def run(location: Location, *arguments: str) -> Result:
    named = ["--archive", str(location.directory)]
    if location.database_url:
        named += ["--database", location.database_url]
    done = CliRunner().invoke(cli, [*arguments, *named])
    assert done.exit_code == 0, done.output
    return done


def item(location: Location, *arguments: str) -> dict[str, Any]:
    (found,) = json.loads(run(location, *arguments, "--json").stdout)["items"]
    assert isinstance(found, dict)
    return found


def report_cells(location: Location) -> dict[str, dict[str, str]]:
    """Of each site that has a place in the report's story, the words of its row by column."""
    with Reader(location) as reader:
        page = html.fromstring(render(gather(reader)))
    rows = {}
    for row in page.xpath("//tr[td[contains(@class, 'why')]]"):
        cells = [" ".join(cell.text_content().split()) for cell in row.xpath("./td | ./th")]
        site = next(site for site in PAGES if any(site in cell for cell in cells))
        rows[site] = {"all": " | ".join(cells), "why": cells[-1]}
    return rows


def write(location: Location, *statements: sa.Executable) -> None:
    engine = write_engine(location)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


# --- whoever names no source is not called credited ----------------------------------------------


def test_the_report_calls_a_copy_credited_only_when_it_names_a_source(where: Location) -> None:
    rows = report_cells(where)
    assert "copy, no credit found" in rows["gulf-courier.example"]["all"]
    assert "the other articles name it as their source" in rows["gulf-courier.example"]["why"]
    assert "excerpt, credited" in rows["pocket-post.example"]["all"]
    assert "it names The Harbour Times as its source" in rows["pocket-post.example"]["why"]
    assert "wire copy, credited" in rows["nook.example"]["all"]


def test_the_command_says_who_credits_and_who_is_credited(where: Location) -> None:
    found = item(where, "story", url_of("gulf-courier.example"))
    by_site = {row["site"]: row for row in found["members"]}
    assert by_site["gulf-courier.example"]["role"] == "copy"
    kinds = {site: {one["kind"] for one in row["evidence"]} for site, row in by_site.items()}
    assert "credits" not in kinds["gulf-courier.example"]
    assert "credited_by_others" in kinds["gulf-courier.example"]
    assert {"credits", "credited_by_others"} <= kinds["pocket-post.example"]
    for row in (*found["members"], *found["candidates"]):
        assert [worded(Evidence.from_json(one)) for one in row["evidence"]] == row["reasons"]
    shown = run(where, "story", found["id"]).stdout
    line = next(one for one in shown.splitlines() if "gulf-courier.example" in one)
    assert "credited as the source by the story's articles" in line
    assert "; credits " not in line


def test_exports_and_sql_say_the_same_sentences(where: Location) -> None:
    exported = {
        row["url"]: row["reasons"]
        for row in map(json.loads, run(where, "export", "stories").stdout.splitlines())
    }
    assert exported.keys() == {url_of(site) for site in PAGES}
    answer = ask(
        where, "SELECT copy_url, reasons FROM v_copies", limit=100, timeout_seconds=20
    ).rows
    assert len(answer) == len(PAGES) - 1
    for url, reasons in answer:
        assert reasons == "; ".join(exported[url])
    (match, *_) = map(json.loads, run(where, "export", "matches").stdout.splitlines())
    assert re.fullmatch(r"shared \d+ shingles", match["reasons"][0])
    assert "evidence" not in match


def example(kind: EvidenceKind) -> Evidence:
    values: dict[str, Any] = {"count": 7, "total": 9, "percent": 40, "rank": 2, "side": "a"}
    values |= {"points": -0.5, "name": "{rank} O'Hara; 100% \\ ü", "other_name": "%s"}
    values |= {"text": "it's 5% of {all}"}
    return Evidence(kind=kind, **{name: values[name] for name in kind.fields})


def test_the_views_word_every_kind_as_the_program_does(own: Location) -> None:
    evidence = [example(kind) for kind in EvidenceKind]
    evidence += [Evidence(kind=EvidenceKind.CANDIDATE, rank=3, points=p) for p in (0.0, 12.25)]
    write(
        own,
        sa.update(schema.story_members).values(reasons=as_json_list(evidence)),
        sa.update(schema.matches).values(reasons=[{"kind": "newer"}, "a; sentence's 5%"]),
    )
    notes = "; ".join(map(worded, evidence))
    for view, words in (("v_copies", notes), ("v_matches", "newer; a; sentence's 5%")):
        question = f"SELECT DISTINCT reasons FROM {view}"
        assert list(ask(own, question, limit=9, timeout_seconds=20).rows) == [(words,)]


# --- rows of the version that stored sentences ---------------------------------------------------


def sentences_only(location: Location) -> None:
    """What the former version stored of the same archive."""
    engine = write_engine(location)
    with engine.begin() as connection:
        for table in (schema.story_members, schema.matches):
            for row in connection.execute(sa.select(table)).mappings().all():
                values = {
                    name: [worded(Evidence.from_json(one)) for one in row[name]]
                    for name in ("reasons", "origin_reasons")
                    if row.get(name) is not None
                }
                same = [table.c[one.name] == row[one.name] for one in table.primary_key]
                connection.execute(sa.update(table).where(*same).values(**values))
    engine.dispose()


def rows_of(location: Location) -> list[dict[str, Any]]:
    engine = write_engine(location)
    with engine.begin() as connection:
        found = [
            dict(row)
            for table in (schema.story_members, schema.matches)
            for row in connection.execute(
                sa.select(table).order_by(*table.primary_key.columns)
            ).mappings()
        ]
    engine.dispose()
    return found


def test_stored_sentences_are_shown_as_they_are_until_they_are_settled(own: Location) -> None:
    before = rows_of(own)
    shown = run(own, "story", url_of("nook.example")).stdout
    exports = [run(own, "export", name).stdout for name in ("stories", "matches")]
    sentences_only(own)
    assert run(own, "story", url_of("nook.example")).stdout == shown
    assert [run(own, "export", name).stdout for name in ("stories", "matches")] == exports
    row = report_cells(own)["gulf-courier.example"]
    assert "credited as the source by the story's articles" in row["why"]
    assert "copy, " not in row["all"]  # whether it names a source cannot be told from a sentence
    assert rows_of(own) != before
    run(own, "copies", "rebuild")
    assert rows_of(own) == before


def test_an_archive_of_stored_sentences_can_be_merged(own: Location, tmp_path: Path) -> None:
    expected = rows_of(own)
    sentences_only(own)
    target = Location(tmp_path / "target")
    Archive(target).close()
    database = ("--other-database", own.database_url) if own.database_url else ()
    run(target, "merge", str(own.directory), *database)
    assert rows_of(target) == expected

"""What a site repeats: learnt when a run settles, cut from the texts shown, never a revision."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.documents.captures import iter_pages
from aidivide_archive.archive.documents.derived import base_version, is_derived
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.settling.templates import line_hash
from aidivide_archive.archive.upkeep.judging import store_line_rule
from aidivide_archive.cli import cli
from aidivide_archive.decode.blocks import line_key
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.model import (
    Capture,
    CaptureRecord,
    Channel,
    Claim,
    Completeness,
    Cut,
    Discovery,
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    Stored,
    UrlKind,
    UrlState,
)
from aidivide_archive.similarity import sign
from aidivide_archive.urls import line_id

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
LINE = "Our reporters can be reached at the harbour desk until noon."
OTHER = "The harbour desk prints letters on the last page."
SYLLABLES = "ka lo mi ren ta vos un pel dra sho bi nem".split()  # noqa: SIM905


def sentences(seed: int, count: int = 12) -> list[str]:
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=4)) for _ in range(400)]
    return [" ".join(draw.choices(words, k=11)).capitalize() + "." for _ in range(count)]


def found(name: str, site: str = "news.example") -> Discovery:
    return discovery(f"https://{site}/{name}", kind=UrlKind.PAGE, channel=Channel.SEED)


def document(
    name: str, lines: Sequence[str], *, site: str = "news.example", **changes: Any
) -> Document:
    text = "\n".join(lines)
    url = found(name, site)
    extraction = Extraction(
        version="1",
        page_kind=PageKind.ARTICLE,
        text=text,
        metadata=Metadata(
            title=name,
            authors=("A. Author",),
            claims=(Claim(field="author", value="A. Author", source="meta", confidence=0.9),),
        ),
        cuts=(Cut(text="Share", reason="phrase:share", position=1),),
    )
    return Document(
        url_id=url.id,
        url=url.url,
        outcome=Outcome(state=UrlState.DONE, reason=Reason.KEPT),
        finished_at=NOW,
        extraction=replace(extraction, **changes),
        signature=sign(text),
    )


def own(number: int, *, line: str = LINE) -> Document:
    return document(f"own{number}", [*sentences(number), line])


PAGES = [own(number) for number in range(4)]


def store(archive: Archive, documents: Sequence[Document]) -> list[Stored]:
    urls = [discovery(one.url, kind=UrlKind.PAGE, channel=Channel.SEED) for one in documents]
    archive.discover(urls).result()
    return [future.result() for future in [archive.commit(one) for one in documents]]


def table(archive: Archive, name: sa.Table) -> list[dict[str, Any]]:
    statement = sa.select(name).order_by(*name.primary_key.columns)
    return archive.submit(lambda c: [dict(row) for row in c.execute(statement).mappings()]).result()


def texts(archive: Archive) -> dict[str, str]:
    """Texts shown, by headline; they agree with every row that hangs on them."""
    found = {}
    for one in table(archive, schema.articles):
        (row,) = [
            row for row in table(archive, schema.extractions) if row["id"] == one["extraction_id"]
        ]
        assert (one["text_sha256"], one["word_count"]) == (row["text_sha256"], row["word_count"])
        (signature,) = [
            row for row in table(archive, schema.signatures) if row["article_id"] == one["id"]
        ]
        assert signature["hashvalues"] == sign(row["text"]).hashvalues
        found[one["title"]] = row["text"]
    return found


def state(archive: Archive) -> list[list[dict[str, Any]]]:
    """Everything that follows from the set of documents; numbers of rows do not."""
    shown = {row["id"]: row for row in table(archive, schema.extractions)}
    articles = [
        {**row, "extraction_id": shown[row["extraction_id"]] | {"id": 0}}
        for row in table(archive, schema.articles)
    ]
    versions = sorted((row["url_id"], row["version"]) for row in shown.values())
    names = (schema.clutter_rules, schema.signatures, schema.bands, schema.matches, schema.stories)
    return [articles, [{"versions": versions}], *(table(archive, name) for name in names)]


def hits(archive: Archive, words: str) -> int:
    with Reader(archive.location) as reader:
        return len(reader.select_ids(words))


def rules(archive: Archive) -> dict[str, tuple[str, int]]:
    return {
        row["sample"]: (row["status"], row["pages"]) for row in table(archive, schema.clutter_rules)
    }


def decide(archive: Archive, reference: str, *, is_clutter: bool) -> None:
    archive.submit(
        lambda c: store_line_rule(c, "news.example", reference, is_clutter=is_clutter)
    ).result()
    archive.settle().result()


@pytest.fixture
def filled(archive: Archive) -> Archive:
    archive.begin("import")
    store(archive, PAGES)
    archive.settle().result()
    return archive


# --- learning ------------------------------------------------------------------------------------


def test_what_three_articles_of_a_site_repeat_is_cut_from_all_of_them(archive: Archive):
    archive.begin("import")
    store(archive, PAGES[:2])
    archive.settle().result()
    assert rules(archive) == {}
    assert hits(archive, "reporters") == 2
    store(archive, PAGES[2:])
    archive.settle().result()
    assert rules(archive) == {LINE: ("learned", 4)}
    assert texts(archive) == {f"own{n}": "\n".join(sentences(n)) for n in range(4)}
    assert hits(archive, "reporters") == 0
    assert hits(archive, '"' + " ".join(sentences(0)[0].split()[:3]).rstrip(".") + '"') == 1


def test_a_cut_by_template_is_an_extraction_of_its_own_and_no_revision(filled: Archive):
    extractions = table(filled, schema.extractions)
    assert len(extractions) == 8
    assert {row["number"] for row in table(filled, schema.revisions)} == {1}
    bases = {row["id"]: row for row in extractions if not is_derived(row["version"])}
    assert {row["extraction_id"] for row in table(filled, schema.revisions)} == set(bases)
    assert all(LINE in row["text"] for row in bases.values())
    for row in extractions:
        if is_derived(row["version"]):
            assert base_version(row["version"]) == "1"
            assert row["fields"] == {"authors": ["A. Author"]}
            share, template = row["cuts"]
            assert share == {"position": 1, "text": "Share", "reason": "phrase:share"}
            # the extractor gave 14 lines: the last is the template's
            assert template == {"position": 13, "text": LINE, "reason": "template"}
    assert len(table(filled, schema.claims)) == 8


def test_an_imported_batch_is_treated_alike(archive: Archive):
    archive.begin("import")
    archive.store_imported(PAGES).result()
    archive.settle().result()
    assert rules(archive) == {LINE: ("learned", 4)}
    assert all(LINE not in text for text in texts(archive).values())
    before = state(archive)
    assert archive.store_imported(PAGES).result() == [Stored.UNCHANGED] * 4
    archive.settle().result()
    assert state(archive) == before


def test_settling_again_writes_nothing(filled: Archive):
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    sa.event.listen(filled._engine, "before_cursor_execute", note)
    filled.settle().result()
    sa.event.remove(filled._engine, "before_cursor_execute", note)
    assert statements
    assert [one for one in statements if one.startswith(("INSERT", "UPDATE"))] == []


@pytest.mark.parametrize("seed", [1, 2])
def test_order_of_arrival_and_settling_in_between_do_not_matter(
    archive: Archive, tmp_path: Path, seed: int
):
    copies = [
        document(f"copy{n}", [*sentences(50)[n:], OTHER], site=f"www{n}.news.example")
        for n in range(3)
    ]
    both = [document(f"both{n}", [*sentences(60 + n), LINE, OTHER]) for n in range(3)]
    pages = [*PAGES, *copies, *both]
    archive.begin("import")
    for one in random.Random(seed).sample(pages, len(pages)):
        store(archive, [one])
        archive.settle().result()
    with Archive(Location(tmp_path / "at once")) as other:
        other.begin("import")
        store(other, pages)
        other.settle().result()
        assert state(other) == state(archive)
        assert rules(other) == {LINE: ("learned", 7), OTHER: ("learned", 4)}


def test_copies_of_one_text_are_no_template_of_their_site(archive: Archive):
    archive.begin("import")
    story = sentences(9)
    pages = [document(f"copy{n}", [*story[: 9 + n], *sentences(70 + n, 3)]) for n in range(5)]
    store(archive, [*pages, *(document(f"same{n}", story) for n in range(5))])
    archive.settle().result()
    assert rules(archive) == {}


def test_other_sites_do_not_count(archive: Archive):
    archive.begin("import")
    store(archive, [document(f"x{n}", [*sentences(n), LINE], site=f"{n}.test") for n in range(5)])
    archive.settle().result()
    assert rules(archive) == {}


def test_a_text_of_which_it_would_take_more_than_a_quarter_stays_whole(filled: Archive):
    store(filled, [document("short", [sentences(80, 1)[0], LINE])])
    filled.settle().result()
    assert rules(filled) == {LINE: ("learned", 5)}
    assert texts(filled)["short"] == f"{sentences(80, 1)[0]}\n{LINE}"


# --- later visits --------------------------------------------------------------------------------


def test_lines_that_short_pages_keep_make_no_copies_of_them(archive: Archive, location: Location):
    notice = sentences(90, 6)
    long = [document(f"long{n}", [*sentences(n, 30), *notice]) for n in range(3)]
    short = [document(f"short{n}", [*sentences(10 + n, 7), *notice]) for n in range(2)]
    archive.begin("import")
    store(archive, [*long, *short])
    archive.settle().result()
    shown = texts(archive)
    assert all(notice[0] in shown[f"short{n}"] for n in range(2))
    assert not any(notice[0] in shown[f"long{n}"] for n in range(3))
    assert table(archive, schema.matches) == []
    shown_pair = aidivide(location, "compare", *(found(f"short{n}").url for n in range(2)))
    assert re.search("^relation +no match$", shown_pair, re.MULTILINE)


def test_a_page_without_change_is_unchanged_after_its_template_was_cut(filled: Archive):
    before = state(filled)
    assert store(filled, PAGES) == [Stored.UNCHANGED] * 4
    filled.settle().result()
    assert state(filled) == before


def test_a_change_is_a_revision_and_loses_its_template_too(filled: Archive):
    new = document("own0", [*sentences(90), LINE])
    assert store(filled, [new]) == [Stored.REVISED]
    filled.settle().result()
    assert texts(filled)["own0"] == "\n".join(sentences(90))
    revisions = [row["number"] for row in table(filled, schema.revisions)]
    assert sorted(revisions) == [1, 1, 1, 1, 2]
    derived = [row for row in table(filled, schema.extractions) if is_derived(row["version"])]
    assert len(derived) == 4
    assert store(filled, [new]) == [Stored.UNCHANGED]
    assert hits(filled, "reporters") == 0


def test_a_template_that_is_gone_comes_back_into_the_texts(filled: Archive):
    changed = [document(f"own{n}", sentences(n)) for n in (0, 1)]
    assert store(filled, changed) == [Stored.REVISED] * 2
    filled.settle().result()
    assert rules(filled) == {}
    assert texts(filled)["own2"] == "\n".join([*sentences(2), LINE])
    assert not [row for row in table(filled, schema.extractions) if is_derived(row["version"])]
    assert hits(filled, "reporters") == 2


# --- reading again -------------------------------------------------------------------------------


def captured(archive: Archive, one: Document) -> Document:
    capture = Capture(url=one.url, captured_at=NOW, status=200, headers=(), body=b"<p>x</p>")
    record = CaptureRecord(
        captured_at=NOW,
        status=200,
        content_type="text/html",
        payload_sha256="0" * 64,
        payload_bytes=8,
        completeness=Completeness.COMPLETE,
        position=archive.write_capture(capture),
    )
    return replace(one, capture=record)


def test_reading_again_gives_the_same_rows(archive: Archive):
    archive.begin("crawl", warc=True)
    store(archive, [captured(archive, one) for one in PAGES])
    archive.settle().result()
    before = state(archive)
    for capture in table(archive, schema.captures):
        (one,) = [one for one in PAGES if one.url_id == capture["url_id"]]
        assert archive.store_again(one, capture["id"]) is Stored.UNCHANGED
    archive.settle().result()
    assert state(archive) == before


def test_a_newer_version_replaces_the_base_and_the_template_is_cut_again(archive: Archive):
    archive.begin("crawl", warc=True)
    store(archive, [captured(archive, one) for one in PAGES])
    archive.settle().result()
    for capture in table(archive, schema.captures):
        (one,) = [one for one in PAGES if one.url_id == capture["url_id"]]
        assert one.extraction is not None
        newer = replace(one, extraction=replace(one.extraction, version="2"))
        assert archive.store_again(newer, capture["id"]) is Stored.REEXTRACTED
    archive.settle().result()
    assert all(LINE not in text for text in texts(archive).values())
    versions = sorted(row["version"] for row in table(archive, schema.extractions))
    assert versions[:8] == ["1"] * 4 + ["2"] * 4
    assert [base_version(version) for version in versions[8:]] == ["2"] * 4


def test_a_text_without_template_is_as_stale_as_its_base(archive: Archive):
    archive.begin("crawl", warc=True)
    store(archive, [captured(archive, one) for one in PAGES])
    archive.settle().result()

    def stale(version: str) -> int:
        def is_stale(host: str, shown: str | None, judged: str | None) -> bool:
            assert host == "news.example"
            return (shown, judged) != (version, "1")

        return archive.submit(lambda c: len([*iter_pages(c, "e", is_stale=is_stale)])).result()

    archive.submit(lambda c: _judge_all(c, "1")).result()
    assert (stale("1"), stale("2")) == (0, 4)


def _judge_all(connection: sa.Connection, version: str) -> None:
    """Have every article judged for one event."""
    ids = connection.scalars(sa.select(schema.articles.c.id)).all()
    connection.execute(
        sa.insert(schema.events).values(
            id="e", title="E", profile="{}", profile_sha256="0", updated_at=NOW
        )
    )
    connection.execute(sa.update(schema.crawls).values(event_id="e"))
    connection.execute(
        sa.insert(schema.relevance),
        [
            {
                "url_id": number, "event_id": "e", "score": 1, "decision": "keep",
                "reason": "kept", "groups": [], "version": version, "judged_at": NOW,
            }
            for number in ids
        ],
    )  # fmt: skip


# --- a person's word -----------------------------------------------------------------------------


def test_an_undone_rule_is_kept_and_obeyed(filled: Archive):
    decide(filled, LINE.upper(), is_clutter=False)
    assert rules(filled) == {LINE: ("undone", 4)}
    assert all(LINE in text for text in texts(filled).values())
    assert not [row for row in table(filled, schema.extractions) if is_derived(row["version"])]
    store(filled, [own(5)])
    filled.settle().result()
    assert rules(filled) == {LINE: ("undone", 5)}
    decide(filled, line_id(line_hash(line_key(LINE))), is_clutter=True)
    assert rules(filled) == {LINE: ("added", 5)}
    assert all(LINE not in text for text in texts(filled).values())


def test_an_added_line_is_cut_wherever_it_stands(filled: Archive):
    one = document("once", [*sentences(95), OTHER])
    store(filled, [one])
    decide(filled, OTHER, is_clutter=True)
    assert rules(filled) == {LINE: ("learned", 4), OTHER: ("added", 1)}
    assert texts(filled)["once"] == "\n".join(sentences(95))
    assert store(filled, [one]) == [Stored.UNCHANGED]


def test_what_is_no_line_is_refused(filled: Archive):
    for reference in ("l-000000000000", " … "):
        with pytest.raises(ConfigError):
            decide(filled, reference, is_clutter=False)
    assert rules(filled) == {LINE: ("learned", 4)}


# --- the command ---------------------------------------------------------------------------------


def aidivide(location: Location, *arguments: str, code: int = 0) -> str:
    database = ["--database", location.database_url] if location.database_url else []
    where = ["--archive", str(location.directory), *database]
    result = CliRunner().invoke(cli, [*arguments, *where])
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_lists_undoes_and_adds(location: Location):
    with Archive(location) as archive:
        archive.begin("import")
        store(archive, PAGES)
        archive.settle().result()
    number = line_id(line_hash(line_key(LINE)))
    shown = aidivide(location, "clutter", "www.news.example")
    assert f"{number}\t4\tlearned\t{LINE}" in shown
    assert f"13\ttemplate\t{LINE}" in aidivide(location, "show", PAGES[0].url, "--clutter")
    assert f"never cut from news.example: {LINE}" in aidivide(
        location, "clutter", PAGES[0].url, "--undo", number
    )
    assert "template" not in aidivide(location, "show", PAGES[0].url, "--clutter")
    found = aidivide(location, "clutter", "news.example", "--add", LINE, "--json")
    assert '"status": "added"' in found
    aidivide(location, "doctor", "--integrity")
    for wrong in (("none.example",), ("news.example", "--undo", "a", "--add", "b")):
        assert "error: " in aidivide(location, "clutter", *wrong, code=2)

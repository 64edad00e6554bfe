import random
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.documents.full_text import FULL_TEXT_TABLE
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.exceptions import (
    ArchiveError,
    ArchiveLockedError,
    MissingArchiveError,
    StoreError,
)
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.model import (
    Capture,
    CaptureRecord,
    Channel,
    Claim,
    Completeness,
    Document,
    Extraction,
    Hint,
    LeasedUrl,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    Relevance,
    RelevanceDecision,
    Stored,
    TimeValue,
    UrlKind,
    UrlState,
)
from aidivide_archive.similarity import sign
from aidivide_archive.warc.records import read_capture

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
WORDS = [
    "river",
    "bridge",
    "forum",
    "model",
    "market",
    "harvest",
    "signal",
    "teacher",
    "engine",
    "border",
    "archive",
    "lantern",
]
URL = "https://news.example/a"
KEPT = Outcome(state=UrlState.DONE, reason=Reason.KEPT)


def text_of(seed: int, count: int = 120) -> str:
    chosen = random.Random(seed)
    return "\n".join(
        " ".join(chosen.choices(WORDS, k=12)).capitalize() + "." for _ in range(count // 12)
    )


def extraction(text: str, *, title: str = "A title", version: str = "1") -> Extraction:
    published = TimeValue(
        start=NOW, end=NOW + timedelta(days=1), raw="28 July", offset_minutes=None, precision="day"
    )
    claim = Claim(
        field="published", value="2025-07-28", source="meta", confidence=0.9, time=published
    )
    return Extraction(
        version=version,
        page_kind=PageKind.ARTICLE,
        text=text,
        metadata=Metadata(
            title=title, published=published, authors=("A. Author",), claims=(claim,)
        ),
    )


def article(leased: LeasedUrl, text: str, **changes: Any) -> Document:
    document = Document(
        url_id=leased.id,
        url=leased.url,
        outcome=KEPT,
        finished_at=NOW,
        extraction=extraction(text),
        signature=sign(text),
    )
    return replace(document, **changes)


def queue(archive: Archive, *urls: str, kind: UrlKind = UrlKind.PAGE) -> list[LeasedUrl]:
    """Enter URLs and lease them."""
    found = [discovery(url, kind=kind, channel=Channel.SEED) for url in urls]
    archive.discover(found).result()
    ids = [item.id for item in found]
    archive.submit(
        lambda c: c.execute(
            sa.update(schema.urls)
            .where(schema.urls.c.id.in_(ids))
            .values(state="queued", due_at=NOW, leased_by=None)
        )
    ).result()
    leased = archive.lease(limit=1000, per_host=1000, pages_per_host=10_000).result().urls
    by_id = {one.id: one for one in leased}
    return [by_id[number] for number in ids]


def rows(archive: Archive, table: sa.Table) -> list[dict[str, Any]]:
    statement = sa.select(table).order_by(*table.primary_key.columns)
    return archive.submit(lambda c: [dict(row) for row in c.execute(statement).mappings()]).result()


def row(archive: Archive, table: sa.Table) -> dict[str, Any]:
    (only,) = rows(archive, table)
    return only


def counts(location: Location) -> dict[str, int]:
    engine = read_engine(location)
    with engine.connect() as connection:
        found = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for name, table in schema.metadata.tables.items()
        }
    engine.dispose()
    return found


def found_by_words(archive: Archive, words: str) -> int:
    def work(connection: sa.Connection) -> int:
        name = FULL_TEXT_TABLE
        if connection.dialect.name == "sqlite":
            statement = f"SELECT count(*) FROM {name} WHERE {name} MATCH :words"
        else:
            statement = (
                f"SELECT count(*) FROM {name} WHERE words @@ plainto_tsquery('simple', :words)"
            )
        return connection.scalar(sa.text(statement), {"words": words}) or 0

    return archive.submit(work).result()


# --- a document is one transaction ---------------------------------------------------------------


def test_a_document_is_stored_with_its_capture_links_and_acknowledgement(archive: Archive):
    archive.begin("crawl", warc=True)
    (leased,) = queue(archive, URL)
    capture = Capture(
        url=leased.url,
        captured_at=NOW,
        status=200,
        headers=(("Content-Type", "text/html"),),
        body=b"<p>as fetched</p>",
        ip_address="127.0.0.1",
    )
    position = archive.write_capture(capture)
    record = CaptureRecord(
        captured_at=NOW,
        status=200,
        content_type="text/html",
        payload_sha256="0" * 64,
        payload_bytes=len(capture.body),
        completeness=Completeness.COMPLETE,
        position=position,
        robots={"verdict": "allowed", "rule": ""},
    )
    hint = Hint(title="Next", published_raw="Mon")
    link = discovery(
        "https://news.example/b", kind=UrlKind.PAGE, channel=Channel.LINK, depth=1, hint=hint,
        from_id=leased.id,
    )  # fmt: skip
    text = text_of(1)
    stored = archive.commit(article(leased, text, capture=record, discoveries=(link,))).result()

    assert stored is Stored.NEW
    ledger = {one["id"]: one for one in rows(archive, schema.urls)}
    assert (ledger[leased.id]["state"], ledger[leased.id]["reason"]) == ("done", "kept")
    assert ledger[leased.id]["due_at"] is None
    assert (ledger[link.id]["state"], ledger[link.id]["depth"]) == ("queued", 1)
    found = next(one for one in rows(archive, schema.discoveries) if one["url_id"] == link.id)
    assert (found["from_id"], found["channel"]) == (leased.id, "link")
    assert found["hint"] == {"title": "Next", "published_raw": "Mon"}
    kept = row(archive, schema.extractions)
    assert (kept["text"], kept["capture_id"]) == (text, row(archive, schema.captures)["id"])
    assert kept["fields"]["authors"] == ["A. Author"]
    assert row(archive, schema.claims)["time_from"] == NOW
    assert row(archive, schema.articles)["word_count"] == 120
    assert row(archive, schema.observations)["outcome"] == "new"
    file = row(archive, schema.warc_files)
    assert file["committed_bytes"] == position.offset + position.length
    read = read_capture(archive.location.warc_directory / file["name"], position.offset)
    assert read.body == capture.body
    assert found_by_words(archive, WORDS[0]) == 1


def test_a_failure_at_any_statement_leaves_nothing_of_the_document(location: Location):
    """The n-th statement fails, for every n; then the same document is stored whole."""
    text = text_of(1)
    links = tuple(
        discovery(f"https://news.example/{n}", kind=UrlKind.PAGE, channel=Channel.LINK)
        for n in range(3)
    )
    number = 0
    failed = True
    while failed:
        number += 1
        with Archive(location) as archive:
            archive.begin("crawl")
            (leased,) = queue(archive, URL)
            before = counts(location)
            _fail_at(archive, number)
            try:
                archive.commit(article(leased, text, discoveries=links)).result()
                failed = False
            except StoreError:
                assert counts(location) == before
                with pytest.raises(StoreError):
                    archive.submit(lambda c: None).result()
    assert number > 10  # statements of one document
    after = counts(location)
    assert (after["articles"], after["urls"], after["signatures"]) == (1, 4, 1)


def _fail_at(archive: Archive, number: int) -> None:
    is_sqlite = archive.location.is_sqlite
    kind = sqlite3.OperationalError if is_sqlite else psycopg.errors.DiskFull
    seen = 0

    @event.listens_for(archive._engine, "before_cursor_execute")
    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal seen
        seen += not statement.startswith("BEGIN")
        if seen == number:
            raise OperationalError(statement, {}, kind("disk I/O error"))


def test_a_document_that_a_column_refuses_fails_alone(archive: Archive):
    archive.begin("crawl")
    good, bad, last = queue(archive, *(f"{URL}{n}" for n in range(3)))
    futures = [
        archive.commit(article(good, text_of(1))),
        archive.commit(article(bad, "a lone \ud800 surrogate", signature=None)),
        archive.commit(article(last, text_of(2))),
    ]
    assert futures[0].result() is Stored.NEW
    with pytest.raises(ArchiveError, match="a row was refused"):
        futures[1].result()
    assert futures[2].result() is Stored.NEW
    states = {one["id"]: one["state"] for one in rows(archive, schema.urls)}
    assert states == {good.id: "done", bad.id: "leased", last.id: "done"}


def test_a_rejected_page_keeps_its_judgement_and_no_text(archive: Archive):
    archive.submit(
        lambda c: c.execute(
            sa.insert(schema.events).values(
                id="e", title="E", profile="{}", profile_sha256="0", updated_at=NOW
            )
        )
    ).result()
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    judged = Relevance(
        event_id="e",
        version="1",
        score=1.5,
        decision=RelevanceDecision.REJECT,
        reason=Reason.IRRELEVANT,
    )
    outcome = Outcome(state=UrlState.REJECTED, reason=Reason.IRRELEVANT)
    document = article(leased, "", outcome=outcome, relevance=judged, signature=None)
    assert archive.commit(document).result() is Stored.NOT_ARTICLE
    kept = row(archive, schema.relevance)
    assert (kept["title"], kept["published_from"], kept["score"]) == ("A title", NOW, 1.5)
    assert rows(archive, schema.articles) == rows(archive, schema.extractions) == []
    assert row(archive, schema.urls)["reason"] == "irrelevant"


# --- visits --------------------------------------------------------------------------------------

CONTENT = (
    "articles", "revisions", "extractions", "claims", "signatures", "bands", "sketch", "matches",
    "urls",
)  # fmt: skip


def test_the_same_document_again_adds_no_content(archive: Archive):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    link = discovery(f"{URL}/b", kind=UrlKind.PAGE, channel=Channel.LINK, from_id=leased.id)
    document = article(leased, text_of(1), discoveries=(link,))
    assert archive.commit(document).result() is Stored.NEW
    before = counts(archive.location)
    assert archive.commit(document).result() is Stored.UNCHANGED
    after = counts(archive.location)
    assert {name: after[name] for name in CONTENT} == {name: before[name] for name in CONTENT}
    assert after["discoveries"] == before["discoveries"]
    assert [one["outcome"] for one in rows(archive, schema.observations)] == ["new", "unchanged"]


def test_a_changed_text_is_a_revision_and_the_old_one_stays(archive: Archive):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    old, new = "Windmill " + text_of(1), "Lighthouse " + text_of(2)
    archive.commit(article(leased, old)).result()
    later = NOW + timedelta(days=1)
    again = article(leased, new, finished_at=later)
    assert archive.commit(again).result() is Stored.REVISED
    assert [one["number"] for one in rows(archive, schema.revisions)] == [1, 2]
    assert [one["text"] for one in rows(archive, schema.extractions)] == [old, new]
    shown = row(archive, schema.articles)
    assert (shown["revision"], shown["captured_at"]) == (2, NOW)
    assert len(rows(archive, schema.signatures)) == 1
    assert (found_by_words(archive, "windmill"), found_by_words(archive, "lighthouse")) == (0, 1)


def test_a_changed_title_is_a_revision(archive: Archive):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    archive.commit(article(leased, text_of(1))).result()
    other = article(leased, text_of(1), extraction=extraction(text_of(1), title="Corrected"))
    assert archive.commit(other).result() is Stored.REVISED
    assert row(archive, schema.articles)["title"] == "Corrected"


def test_another_extractor_makes_no_revision(archive: Archive):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    archive.commit(article(leased, text_of(1))).result()
    other = article(leased, text_of(2), extraction=extraction(text_of(2), version="2"))
    assert archive.commit(other).result() is Stored.UNVERIFIED
    assert len(rows(archive, schema.revisions)) == len(rows(archive, schema.extractions)) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(state=UrlState.REJECTED, reason=Reason.GONE, detail="HTTP 404"),
        Outcome(state=UrlState.REJECTED, reason=Reason.PAYWALL),
        Outcome(state=UrlState.REJECTED, reason=Reason.SOFT_404),
        Outcome(state=UrlState.REJECTED, reason=Reason.ROBOTS_DENIED),
        Outcome(state=UrlState.REJECTED, reason=Reason.REDIRECTED),
        Outcome(state=UrlState.DEAD, reason=Reason.TIMEOUT),
    ],
    ids=lambda outcome: outcome.reason.value,
)
def test_a_later_visit_that_fails_never_takes_the_article(archive: Archive, outcome: Outcome):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    archive.commit(article(leased, text_of(1))).result()
    before = rows(archive, schema.articles)
    (leased,) = queue(archive, URL)
    stored = archive.commit(
        article(leased, "", outcome=outcome, extraction=None, signature=None)
    ).result()
    assert stored is Stored.NOT_ARTICLE
    assert rows(archive, schema.articles) == before
    ledger = row(archive, schema.urls)
    assert (ledger["state"], ledger["reason"], ledger["due_at"]) == ("done", "kept", None)
    assert outcome.reason in ledger["detail"]
    assert rows(archive, schema.observations)[-1]["outcome"] == outcome.reason


def test_an_article_for_review_stays_for_review_when_its_page_goes(archive: Archive):
    archive.submit(
        lambda c: c.execute(
            sa.insert(schema.events).values(
                id="e", title="E", profile="{}", profile_sha256="0", updated_at=NOW
            )
        )
    ).result()
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    judged = Relevance(
        event_id="e", version="1", score=4, decision=RelevanceDecision.REVIEW, reason=Reason.REVIEW
    )
    review = Outcome(state=UrlState.DONE, reason=Reason.REVIEW)
    archive.commit(article(leased, text_of(1), outcome=review, relevance=judged)).result()
    (leased,) = queue(archive, URL)
    gone = Outcome(state=UrlState.REJECTED, reason=Reason.GONE)
    archive.commit(article(leased, "", outcome=gone, extraction=None, signature=None)).result()
    assert row(archive, schema.urls)["reason"] == "review"


# --- several processes ---------------------------------------------------------------------------


def test_a_second_sqlite_writer_is_refused_in_one_line(sqlite_location: Location):
    with Archive(sqlite_location) as first:
        with pytest.raises(ArchiveLockedError) as caught:
            Archive(sqlite_location)
        first.begin("crawl")  # and the first goes on
    message = str(caught.value)
    assert "\n" not in message
    assert "--wait" in message
    assert any(word.strip("(),").isdigit() for word in message.split())  # the pid
    with Archive(sqlite_location) as third:
        assert third.failure is None


def test_a_writer_that_waits_starts_when_the_first_ends(sqlite_location: Location):
    order: list[str] = []
    first = Archive(sqlite_location)

    def second() -> None:
        with Archive(sqlite_location, wait=True):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(0.2)
    order.append("first ends")
    first.close()
    thread.join(10)
    assert order == ["first ends", "second"]


def test_a_reader_sees_what_is_committed_while_writing_goes_on(archive: Archive):
    archive.begin("crawl")
    leased = queue(archive, *(f"{URL}{n}" for n in range(2)))
    archive.commit(article(leased[0], text_of(0))).result()
    reader = read_engine(archive.location)
    uncommitted, go = threading.Event(), threading.Event()

    def unfinished(connection: sa.Connection) -> None:
        connection.execute(
            sa.insert(schema.tombstones).values(target="x", purged_at=NOW, reason=None)
        )
        uncommitted.set()
        assert go.wait(10)

    held = archive.submit(unfinished)
    assert uncommitted.wait(10)
    count = sa.select(sa.func.count())
    with reader.connect() as connection:
        assert connection.scalar(count.select_from(schema.articles)) == 1
        assert connection.scalar(count.select_from(schema.tombstones)) == 0
        go.set()
        held.result(10)
        assert archive.commit(article(leased[1], text_of(1))).result(10) is Stored.NEW
    with reader.connect() as connection:
        assert connection.scalar(count.select_from(schema.articles)) == 2
        assert connection.scalar(count.select_from(schema.tombstones)) == 1
    reader.dispose()


def test_a_reader_cannot_write(archive: Archive):
    reader = read_engine(archive.location)
    with reader.connect() as connection, pytest.raises(DBAPIError, match=r"(?i)read.?only"):
        connection.execute(sa.insert(schema.tombstones).values(target="x", purged_at=NOW))
    reader.dispose()


def test_two_postgresql_writers_store_at_once(postgres_location: Location):
    """Both discover the same links and store articles that match each other."""
    shared = [
        discovery(f"https://shared.example/{n}", kind=UrlKind.PAGE, channel=Channel.LINK, depth=1)
        for n in range(40)
    ]
    problems: list[BaseException] = []
    gate = threading.Barrier(2)

    def crawl(name: str) -> None:
        try:
            with Archive(postgres_location) as archive:
                archive.begin("crawl")
                found = [
                    discovery(
                        f"https://{name}.example/{n}", kind=UrlKind.PAGE, channel=Channel.SEED
                    )
                    for n in range(20)
                ]
                archive.discover(found).result()
                gate.wait(10)
                futures = []
                for n, one in enumerate(found):
                    links = tuple(random.Random(f"{name}{n}").sample(shared, 20))
                    leased = LeasedUrl(
                        id=one.id, url=one.url, host=one.host, kind=one.kind,
                        depth=0, redirects=0, attempts=0,
                    )  # fmt: skip
                    futures.append(archive.commit(article(leased, text_of(n), discoveries=links)))
                for future in futures:
                    assert future.result(30) is Stored.NEW
                archive.finish("finished")
        except Exception as error:  # noqa: BLE001  # shown by the assertion
            problems.append(error)

    threads = [threading.Thread(target=crawl, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    after = counts(postgres_location)
    assert after["articles"] == 40
    assert after["urls"] == 80


# --- runs ----------------------------------------------------------------------------------------


def test_a_run_leaves_its_row_and_gives_back_what_it_held(archive: Archive):
    archive.begin("crawl")
    queue(archive, URL)
    archive.finish("shutdown", {"done": 0})
    ended = row(archive, schema.crawls)
    assert (ended["finish_reason"], ended["stats"]) == ("shutdown", {"done": 0})
    assert ended["finished_at"] >= ended["started_at"]
    assert ended["software"].keys() >= {"aidivide-archive", "trafilatura"}
    ledger = row(archive, schema.urls)
    assert (ledger["state"], ledger["leased_by"]) == ("queued", None)
    assert row(archive, schema.hosts)["owner"] is None


def test_the_next_run_takes_over_what_a_stopped_process_held(location: Location):
    with Archive(location) as archive:  # closes its connections without finishing its run
        archive.begin("crawl")
        queue(archive, URL)
    with Archive(location) as archive:
        archive.begin("crawl")
        first, second = rows(archive, schema.crawls)
        assert (first["finish_reason"], second["finish_reason"]) == ("killed", None)
        assert row(archive, schema.urls)["state"] == "queued"
        leased = archive.lease(limit=10, per_host=10, pages_per_host=10).result().urls
    assert [one.url for one in leased] == [URL]


def test_articles_are_queued_for_a_revisit_and_other_pages_are_not(archive: Archive):
    archive.begin("crawl")
    kept, rejected = queue(archive, URL, f"{URL}2")
    archive.commit(article(kept, text_of(1))).result()
    gone = Outcome(state=UrlState.REJECTED, reason=Reason.GONE)
    archive.commit(article(rejected, "", outcome=gone, extraction=None, signature=None)).result()
    archive.requeue_articles().result()
    states = {one["id"]: one["state"] for one in rows(archive, schema.urls)}
    assert states == {kept.id: "queued", rejected.id: "rejected"}


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Any):
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(StoreError, match="cannot create the archive"):
        Archive(Location(blocker / "archive"))


def test_a_server_out_of_reach_is_one_clear_line(tmp_path: Any):
    with pytest.raises(StoreError) as caught:
        Archive(Location(tmp_path, "postgresql+psycopg://who:secret@127.0.0.1:9/nothing"))
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_reading_a_database_without_archive_is_one_clear_line(postgres_nowhere: Location):
    with pytest.raises(MissingArchiveError, match="holds no archive"):
        read_engine(postgres_nowhere)


# --- budgets and takedowns -----------------------------------------------------------------------


@pytest.mark.parametrize(("ended", "budget"), [("finished", 0), ("shutdown", 1)])
def test_budgets_begin_anew_unless_the_crawl_before_was_broken_off(
    archive: Archive, ended: str, budget: int
):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    archive.commit(article(leased, text_of(1))).result()
    assert row(archive, schema.hosts)["pages_fetched"] == 1
    archive.finish(ended)
    archive.begin("crawl")
    assert row(archive, schema.hosts)["pages_fetched"] == budget


def test_what_robots_txt_denies_costs_its_host_no_budget(archive: Archive):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    denied = Outcome(state=UrlState.REJECTED, reason=Reason.ROBOTS_DENIED)
    archive.commit(article(leased, "", outcome=denied, extraction=None, signature=None)).result()
    assert row(archive, schema.hosts)["pages_fetched"] == 0


def test_a_failed_revisit_is_tried_again_before_the_article_is_left_as_it_is(archive: Archive):
    archive.begin("crawl")
    (leased,) = queue(archive, URL)
    archive.commit(article(leased, text_of(1))).result()
    failure = Outcome(state=UrlState.FAILED, reason=Reason.TIMEOUT)
    states = []
    for _ in range(3):
        (leased,) = queue(archive, URL)
        archive.commit(
            article(leased, "", outcome=failure, extraction=None, signature=None)
        ).result()
        states.append(row(archive, schema.urls)["state"])
    assert states == ["failed", "failed", "done"]
    assert len(rows(archive, schema.articles)) == 1


def test_a_purged_url_does_not_come_back_by_an_import(archive: Archive):
    archive.begin("import")
    found = discovery(URL, kind=UrlKind.PAGE, channel=Channel.IMPORT)
    archive.submit(
        lambda c: c.execute(
            sa.insert(schema.tombstones).values(target=found.url_key, purged_at=NOW)
        )
    ).result()
    (leased,) = [
        LeasedUrl(
            id=found.id,
            url=found.url,
            host=found.host,
            kind=found.kind,
            depth=0,
            redirects=0,
            attempts=0,
        )
    ]
    ready = article(leased, text_of(1))
    assert archive.store_imported([ready]).result() == [Stored.NOT_ARTICLE]
    assert archive.commit_new(found, ready).result() is Stored.NOT_ARTICLE
    assert rows(archive, schema.articles) == []
    assert row(archive, schema.urls)["reason"] == "purged"

"""What was captured elsewhere comes in, and can be read again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.cli.importing import import_
from aidivide_archive.exceptions import ImportDataError
from aidivide_archive.ingest import ImportKind
from aidivide_archive.ingest.admission import as_leased, foreign
from aidivide_archive.ingest.composing import store_foreign
from aidivide_archive.ingest.imports import ImportSummary, import_paths, kind_of
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.ingest.reprocess import ReprocessSummary, reprocess
from aidivide_archive.ingest.verify import verify
from aidivide_archive.model import Capture, Outcome, Reason, Stored, UrlState
from aidivide_archive.warc.records import WarcWriter, read_capture
from tests.support.small_archive import page, rows_of

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)


def captured(number: int, body: bytes, *, minutes: int = 0) -> Capture:
    return Capture(
        url=f"https://news.example/{number}",
        captured_at=NOW + timedelta(minutes=minutes),
        status=200,
        headers=(("Content-Type", "text/html"),),
        body=body,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pages of no event, and a line without a page."""
    folder = tmp_path / "pages"
    folder.mkdir()
    lines = ["file,url"]
    for number in (1, 2):
        (folder / f"{number}.html").write_bytes(page(number))
        lines.append(f"{number}.html,https://news.example/{number}")
    lines.append("missing.html,https://news.example/3")
    (folder / "urls.csv").write_text("\n".join(lines) + "\n")
    return folder


def states(location: Location) -> set[tuple[str, str]]:
    return {(row["state"], row["reason"]) for row in rows_of(location, schema.urls)}


def test_pages_of_no_event_are_judged_neither_by_the_import_nor_when_read_again(
    location: Location, folder: Path
):
    imported = import_paths(location, str(folder), workers=1)
    assert imported == ImportSummary(new=2, failed=1, errors=imported.errors)
    assert "urls.csv: line 4: there is no file 'missing.html'" in imported.errors[0]
    assert reprocess(location) == ReprocessSummary(read=2, unchanged=2)
    assert states(location) == {("done", "imported")}
    assert rows_of(location, schema.relevance) == []
    assert list(verify(location, workers=1)) == []


def test_archive_and_paths_may_be_strings_and_paths_one_or_many(
    sqlite_location: Location, folder: Path
):
    assert import_paths(str(sqlite_location.directory), folder, workers=1).new == 2
    assert import_paths(sqlite_location.directory, [folder, str(folder)], workers=1).unchanged == 4
    assert reprocess(str(sqlite_location.directory), stale=True).read == 0
    assert list(verify(str(sqlite_location.directory), workers=1)) == []
    with pytest.raises(ImportDataError, match="no such file"):
        import_paths(sqlite_location, f"{folder}-of-nobody.warc")


def test_two_captures_of_a_url_become_revisions_in_the_order_of_the_file(
    location: Location, tmp_path: Path
):
    """The first one takes the longest to read."""
    writer = WarcWriter(tmp_path, "both.warc.gz", software="a test")
    slow = page(3).replace(b"</body>", b"<p>And more.</p>" * 4_000 + b"</body>")
    for minutes, body in enumerate((slow, page(1), page(2))):
        writer.write(captured(1, body, minutes=minutes))
    writer.close()
    summary = import_paths(location, tmp_path / "both.warc.gz", workers=2)
    assert (summary.new, summary.revised) == (1, 2)
    revisions = sorted(rows_of(location, schema.revisions), key=lambda row: row["number"])
    moments = [row["seen_at"].replace(tzinfo=UTC) for row in revisions]
    assert moments == [NOW + timedelta(minutes=minutes) for minutes in range(3)]


def test_a_foreign_capture_is_stored_with_its_url(location: Location):
    capture = captured(7, b"<p>Hello</p>")
    entry = foreign(capture.url)
    outcome = Outcome(state=UrlState.REJECTED, reason=Reason.EMPTY)
    with Archive(location) as archive:
        archive.begin("import", warc=True)
        kept = Reading(outcome=outcome)
        assert store_foreign(archive, entry, capture, kept).result() is Stored.NOT_ARTICLE
        withheld = replace(kept, withheld="noarchive")
        store_foreign(archive, entry, capture, withheld).result()
        archive.finish("finished")
    assert states(location) == {("rejected", "empty")}
    (row,) = rows_of(location, schema.urls)
    assert (row["id"], row["url"]) == (as_leased(entry).id, capture.url)
    first, second = sorted(rows_of(location, schema.captures), key=lambda row: row["warc_offset"])
    (file,) = rows_of(location, schema.warc_files)
    bodies = [
        read_capture(location.warc_directory / file["name"], row["warc_offset"]).body
        for row in (first, second)
    ]
    assert bodies == [capture.body, b""]
    assert first["payload_sha256"] == second["payload_sha256"]


def test_kinds_of_import_are_those_of_the_command_and_of_the_message(tmp_path: Path):
    (option,) = (one for one in import_.params if one.name == "kind")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == [kind.value for kind in ImportKind]
    with pytest.raises(ImportDataError, match="add --kind warc, --kind html or --kind articles"):
        kind_of(tmp_path / "x.bin")

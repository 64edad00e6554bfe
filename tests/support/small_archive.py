"""A small archive of real captures, read by the real stages in this process; for purge, verify and merge."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.ingest.admission import as_leased, foreign
from aidivide_archive.ingest.composing import store_foreign
from aidivide_archive.ingest.reading import read
from aidivide_archive.ingest.service import import_profile, unjudged
from aidivide_archive.model import Capture
from aidivide_archive.warc.records import read_capture
from tests.support.texts import sentences

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)


def page(seed: int, *more: str, title: str | None = None) -> bytes:
    """A page whose text is decided by the seed; `more`: sentences that come first."""
    paragraphs = "".join(f"<p>{line}</p>" for line in (*more, *sentences(seed)))
    headline = title or f"News number {seed} of the week"
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{headline}</title></head>'
        f"<body><article><h1>{headline}</h1>{paragraphs}</article></body></html>"
    ).encode()


def capture(url: str, body: bytes, *, minutes: int = 0, **headers: str) -> Capture:
    return Capture(
        url=url,
        captured_at=NOW + timedelta(minutes=minutes),
        status=200,
        headers=(("Content-Type", "text/html"), *headers.items()),
        body=body,
    )


def store(archive: Archive, taken: Capture) -> None:
    """As an import does it, without its worker processes."""
    entry = foreign(taken.url)
    reading = unjudged(read(taken, as_leased(entry), import_profile()))
    store_foreign(archive, entry, taken, reading, now=taken.captured_at).result()


def import_pages(location: Location, pages: Mapping[str, bytes], *, minutes: int = 0) -> None:
    """One run with a WARC file of its own; `minutes` after noon is when the pages were captured."""
    with Archive(location) as archive:
        archive.begin("import", warc=True)
        for number, (url, body) in enumerate(pages.items()):
            store(archive, capture(url, body, minutes=minutes + number))
        archive.settle().result()
        archive.finish("finished")


def rows_of(location: Location, table: sa.Table) -> list[dict[str, Any]]:
    engine = read_engine(location)
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
    engine.dispose()
    return found


def assert_sound(location: Location) -> None:
    """Every row holds, every capture is where its row says, and no WARC file is there without a row."""
    with Reader(location) as reader:
        assert integrity(reader) == []
    files = {row["id"]: row["name"] for row in rows_of(location, schema.warc_files)}
    urls = {row["id"]: row["url"] for row in rows_of(location, schema.urls)}
    for row in rows_of(location, schema.captures):
        path: Path = location.warc_directory / files[row["warc_file_id"]]
        assert read_capture(path, row["warc_offset"]).url == urls[row["url_id"]]
    assert {path.name for path in location.warc_directory.iterdir()} == set(files.values())

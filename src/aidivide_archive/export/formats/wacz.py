"""WACZ 1.1.1: captures with an index and a list of pages in one zip file, for ReplayWeb.page."""

from __future__ import annotations

import hashlib
import heapq
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import IO, BinaryIO
from urllib.parse import urlsplit

from aidivide_archive.export.formats.jsonl import json_line
from aidivide_archive.export.formats.warc import Exchange, exchanges, head
from aidivide_archive.export.registry import ARTICLES_ONLY, Context, Row, exporter
from aidivide_archive.export.target import zip_entry
from aidivide_archive.export.texts import one_line
from aidivide_archive.fields import Field

_WARC = "archive/data.warc.gz"
_INDEX = "indexes/index.cdx"
_PAGES = "pages/pages.jsonl"
_CHUNK_LINES = 20_000
"""Lines of the index sorted in memory at a time."""
_COPY = 1 << 16


@exporter(
    "wacz",
    suffix=".wacz",
    summary="the captures as one file that ReplayWeb.page opens",
    sets=ARTICLES_ONLY,
    seeks=True,
    whole_pages=True,
)
def write_wacz(
    rows: Iterable[Row],
    columns: Sequence[Field],  # noqa: ARG001  # the records are what they are
    stream: BinaryIO,
    context: Context,
) -> int:
    """Counts captures, as `write_warc`."""
    with zipfile.ZipFile(stream, "w") as package, ExitStack() as stack:
        pages = stack.enter_context(tempfile.TemporaryFile())
        lines = _Sorted(stack)
        resources = [
            _add(package, _WARC, _records(rows, context, lines, pages), stored=True),
            _add(package, _INDEX, iter(lines), stored=True),
        ]
        count = lines.count
        pages.seek(0)
        resources.append(_add(package, _PAGES, iter(lambda: pages.read(_COPY), b"")))
        _add_description(package, resources, context)
    return count


def _records(
    rows: Iterable[Row], context: Context, lines: _Sorted, pages: IO[bytes]
) -> Iterator[bytes]:
    """The bytes of the WARC file; index and pages are filled on the way."""
    first = {"format": "json-pages-1.0", "id": "pages", "title": one_line(context.title)}
    pages.write(json_line(first).encode())
    opening = head(context)
    offset = len(opening)
    yield opening
    for one in exchanges(rows, context):
        lines.add(_index_line(one, offset))
        pages.write(json_line(_page(one)).encode())
        offset += len(one.response) + len(one.request)
        yield one.response
        yield one.request


def _page(one: Exchange) -> dict[str, str]:
    captured = one.capture.captured_at.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    title = one_line(one.row.get("title"))
    page = {"id": str(one.row["id"]), "url": one.capture.url, "ts": captured, "title": title}
    return {name: value for name, value in page.items() if value}


def _index_line(one: Exchange, offset: int) -> bytes:
    capture = one.capture
    mime = (capture.header("content-type") or "unk").partition(";")[0].strip().lower()
    fields = {
        "url": capture.url,
        "mime": mime or "unk",
        "status": str(capture.status),
        "digest": f"sha256:{hashlib.sha256(capture.body).hexdigest()}",
        "length": str(len(one.response)),
        "offset": str(offset),
        "filename": _WARC.rpartition("/")[2],
    }
    moment = capture.captured_at.strftime("%Y%m%d%H%M%S").rjust(14, "0")
    return f"{surt(capture.url)} {moment} {json_line(fields)}".encode()


def surt(url: str) -> str:
    """The address in the order of an index: "com,example)/path?query", lower case, parameters sorted."""
    parts = urlsplit(url)
    host = ",".join(reversed((parts.hostname or "").removeprefix("www.").split(".")))
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    return f"{host}{port}){parts.path or '/'}{'?' + query if query else ''}".lower()


class _Sorted:
    """Lines in the order of their bytes, sorted on disk: an index grows with the number of captures."""

    def __init__(self, stack: ExitStack) -> None:
        self.count = 0
        self._stack = stack
        self._lines: list[bytes] = []
        self._chunks: list[IO[bytes]] = []

    def add(self, line: bytes) -> None:
        self.count += 1
        self._lines.append(line)
        if len(self._lines) >= _CHUNK_LINES:
            chunk = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # the stack closes it
            chunk.writelines(sorted(self._lines))
            self._lines = []
            chunk.seek(0)
            self._chunks.append(chunk)

    def __iter__(self) -> Iterator[bytes]:
        return heapq.merge(*self._chunks, sorted(self._lines))


def _add(
    package: zipfile.ZipFile, path: str, content: Iterable[bytes], *, stored: bool = False
) -> dict[str, str | int]:
    """Write an entry and describe it as a resource of the data package."""
    digest = hashlib.sha256()
    size = 0
    with package.open(zip_entry(path, stored=stored), "w", force_zip64=True) as entry:
        for part in content:
            entry.write(part)
            digest.update(part)
            size += len(part)
    name = path.rpartition("/")[2]
    return {"name": name, "path": path, "hash": f"sha256:{digest.hexdigest()}", "bytes": size}


def _add_description(
    package: zipfile.ZipFile, resources: Sequence[dict[str, str | int]], context: Context
) -> None:
    description: dict[str, object] = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "title": one_line(context.title),
        "software": context.software,
        "resources": list(resources),
    }
    if context.made_at:
        description["created"] = context.made_at
    described = _add(package, "datapackage.json", [json_line(description).encode()])
    digest = {"path": described["path"], "hash": described["hash"]}
    _add(package, "datapackage-digest.json", [json_line(digest).encode()])

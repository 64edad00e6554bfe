"""Raw captures in WARC 1.1 files (ISO 28500:2017): written, read back, found by offset.

Every record is a gzip member of its own, so that a row can point at it. Bodies are kept as fetched, before
Content-Encoding is undone. Scrapy normalises header names and undoes the transfer encoding; the file says so.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from fastwarc.stream_io import GzipReader
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from isal import igzip

from aidivide_archive.exceptions import ImportDataError, StoreError
from aidivide_archive.model import Capture, Completeness, WarcPosition

GZIP_LEVEL = 2
"""Of igzip (0 to 3): a thirteenth of the time of zlib's level 6, for files a sixth larger (decision 11)."""
_READ = 1 << 16
# Describe the transfer, not the payload; a replayed record with them would be undone twice.
_HOP_HEADERS = frozenset({"transfer-encoding", "connection", "keep-alive", "content-length"})
_DIGEST_HEADER = "WARC-Payload-Digest"
_COMPLETENESS_HEADER = "WARC-Truncated"  # WARC 1.1 §5.13: the record does not hold the whole block
_WITHHELD = "unspecified"  # the word for what is neither length, time nor disconnect


class WarcWriter:
    """Appends request and response pairs to one file of one run. Safe to call from two threads."""

    def __init__(self, directory: Path, name: str, *, software: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._dirty = True
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = directory / name
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        self._file = os.fdopen(handle, "ab")
        self._append(_warcinfo(name, software))

    def write(self, capture: Capture) -> WarcPosition:
        """Append a capture; the returned position is that of its response record. Durable after `sync`."""
        payload_digest = capture.withheld_sha256 or hashlib.sha256(capture.body).hexdigest()
        response_id = f"<urn:uuid:{uuid.uuid4()}>"
        response = _record(WarcRecordType.response, capture, response_id, _http_response(capture))
        response.headers[_DIGEST_HEADER] = f"sha256:{payload_digest}"
        if capture.withheld_sha256 is not None:
            response.headers[_COMPLETENESS_HEADER] = _WITHHELD
        elif capture.completeness is not Completeness.COMPLETE:
            response.headers[_COMPLETENESS_HEADER] = "disconnect"
        if capture.ip_address:
            response.headers["WARC-IP-Address"] = capture.ip_address
        request = _record(
            WarcRecordType.request, capture, f"<urn:uuid:{uuid.uuid4()}>", _http_request(capture)
        )
        request.headers["WARC-Concurrent-To"] = response_id
        response_bytes, request_bytes = _member(response), _member(request)
        with self._lock:
            offset = self._append(response_bytes)
            self._append(request_bytes)
        return WarcPosition(file=self.name, offset=offset, length=len(response_bytes))

    def sync(self) -> None:
        """Make what was written durable. Raises OSError."""
        with self._lock:
            if self._dirty:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._dirty = False

    def close(self) -> None:
        """Raises OSError; what was synced before stays."""
        try:
            self.sync()
        finally:
            with suppress(OSError):  # it tries to write the rest once more
                self._file.close()

    def _append(self, member: bytes) -> int:
        offset = self._file.tell()
        self._file.write(member)
        self._dirty = True
        return offset


@dataclass(frozen=True, slots=True)
class StoredCapture:
    """A capture read back, and where it was found."""

    capture: Capture
    offset: int


def read_capture(path: Path, offset: int) -> Capture:
    """The response record at a byte offset. Raises StoreError when there is none, or its digest is wrong."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            for record in _records(file):
                capture = _capture(record)
                if capture.completeness is Completeness.TRUNCATED:
                    raise StoreError(f"{path.name} at {offset}: the body does not match its digest")
                return capture
    except (OSError, ValueError) as error:
        raise StoreError(f"{path.name} at {offset}: cannot be read: {error}") from None
    raise StoreError(f"{path.name} at {offset}: there is no response record")


def copy_exchange(path: Path, offset: int) -> tuple[bytes, bytes]:
    """The response record at an offset and the request record that belongs to it, as they lie in the file.

    Each is a gzip member; the request is empty when the next record is none of this response. Raises StoreError.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            response, head = _copy_member(file)
            request, next_head = _copy_member(file)
    except (OSError, zlib.error) as error:
        raise StoreError(f"{path.name} at {offset}: cannot be read: {error}") from None
    if not response:
        raise StoreError(f"{path.name} at {offset}: there is no whole record")
    record_id = _header_of(head, b"WARC-Record-ID")
    belongs = record_id and _header_of(next_head, b"WARC-Concurrent-To") == record_id
    return response, request if belongs else b""


def _copy_member(file: io.BufferedIOBase) -> tuple[bytes, bytes]:
    """A whole gzip member from here on and the first bytes of its content; empty when there is none."""
    inflate = zlib.decompressobj(wbits=31)
    start = file.tell()
    head = b""
    size = 0
    while not inflate.eof:
        data = file.read(_READ)
        if not data:
            return b"", b""
        content = inflate.decompress(data)
        head = (head + content)[:_READ] if len(head) < _READ else head
        size += len(data)
    size -= len(inflate.unused_data)
    file.seek(start)
    return file.read(size), head


def _header_of(head: bytes, name: bytes) -> bytes | None:
    for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == name.lower():
            return value.strip()
    return None


def file_head(title: str, software: str, made_at: str | None) -> bytes:
    """A warcinfo record for a file of copied records: the same words give the same bytes."""
    fields = {"software": software, "format": "WARC File Format 1.1", "description": title}
    content = "".join(f"{key}: {_one_line(value)}\r\n" for key, value in fields.items())
    record = WarcRecord()
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{made_at} {content}")
    record.init_headers(WarcRecordType.warcinfo, f"uuid:{number}".encode())
    record.headers["WARC-Date"] = made_at or "1970-01-01T00:00:00Z"
    record.headers["Content-Type"] = "application/warc-fields"
    record.set_bytes_content(content.encode("utf-8", "replace"))
    return _member(record)


def iter_captures(path: Path) -> Iterator[StoredCapture]:
    """All HTTP responses of a WARC file (gzip or plain), in order; a torn tail ends the walk.

    Raises ImportDataError when the file cannot be opened or holds no WARC record at all.
    """
    found = False
    try:
        with path.open("rb") as file:
            head = file.peek(8)[:8]
            if not head.startswith((b"\x1f\x8b", b"WARC/")):
                raise ImportDataError(f"{path}: is no WARC file")
            for record in _records(file):
                found = True
                yield StoredCapture(_capture(record), record.stream_pos)
    except OSError as error:
        if not found:
            raise ImportDataError(f"{path}: cannot be read: {error.strerror or error}") from None


def _records(file: io.BufferedIOBase) -> Iterable[WarcRecord]:
    head = file.read(2)
    file.seek(-len(head), os.SEEK_CUR)
    stream = GzipReader(file) if head == b"\x1f\x8b" else file
    return ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True)


def _capture(record: WarcRecord) -> Capture:
    http = record.http_headers
    headers = tuple((str(name), str(value)) for name, value in http) if http else ()
    status = int(http.status_code or 0) if http else 0
    body = record.reader.read()
    completeness = Completeness.COMPLETE
    withheld = None
    if record.headers.get(_COMPLETENESS_HEADER) == _WITHHELD and not body:
        withheld = _digest(record)
    elif record.headers.get(_COMPLETENESS_HEADER):
        completeness = Completeness.PARTIAL
    elif not status or _digest(record) not in (None, hashlib.sha256(body).hexdigest()):
        completeness = Completeness.TRUNCATED  # the tail of a file whose writer was killed
    return Capture(
        url=(record.headers.get("WARC-Target-URI") or "").strip("<>"),
        captured_at=_warc_date(record.headers.get("WARC-Date") or ""),
        status=status,
        headers=headers,
        body=body,
        ip_address=record.headers.get("WARC-IP-Address"),
        completeness=completeness,
        withheld_sha256=withheld,
    )


def _digest(record: WarcRecord) -> str | None:
    text = record.headers.get(_DIGEST_HEADER) or ""
    return text.removeprefix("sha256:") if text.startswith("sha256:") else None


def _warc_date(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _record(kind: WarcRecordType, capture: Capture, record_id: str, content: bytes) -> WarcRecord:
    record = WarcRecord()
    record.init_headers(kind, record_id.strip("<>").removeprefix("urn:").encode())
    record.headers["WARC-Date"] = _timestamp(capture.captured_at)
    record.headers["WARC-Target-URI"] = capture.url
    role = "response" if kind == WarcRecordType.response else "request"
    record.headers["Content-Type"] = f"application/http; msgtype={role}"
    record.set_bytes_content(content)
    return record


def _warcinfo(name: str, software: str) -> bytes:
    fields = {
        "software": software,
        "format": "WARC File Format 1.1",
        "description": "headers normalised by Scrapy: names re-cased, transfer encoding undone",
    }
    content = "".join(f"{key}: {value}\r\n" for key, value in fields.items()).encode()
    record = WarcRecord()
    record.init_headers(WarcRecordType.warcinfo)
    record.headers["WARC-Filename"] = name
    record.headers["Content-Type"] = "application/warc-fields"
    record.set_bytes_content(content)
    return _member(record)


def _http_response(capture: Capture) -> bytes:
    try:
        phrase = HTTPStatus(capture.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {capture.status} {phrase}"]
    lines += _header_lines(one for one in capture.headers if one[0].lower() not in _HOP_HEADERS)
    lines.append(f"Content-Length: {len(capture.body)}")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + capture.body


def _http_request(capture: Capture) -> bytes:
    target = "/" + capture.url.split("://", 1)[-1].partition("/")[2]
    lines = [f"GET {target} HTTP/1.1"]
    lines += _header_lines(capture.request_headers)
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"


def _header_lines(headers: Iterable[tuple[str, str]]) -> list[str]:
    """A header without a name is left out: readers take its line for the end of the head."""
    pairs = ((_one_line(name), _one_line(value)) for name, value in headers)
    return [f"{name}: {value}" for name, value in pairs if name]


def _one_line(value: str) -> str:
    return " ".join(value.split("\n")).replace("\r", "").strip()


def _member(record: WarcRecord) -> bytes:
    buffer = io.BytesIO()
    record.write(buffer)
    return igzip.compress(buffer.getvalue(), GZIP_LEVEL, mtime=0)


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

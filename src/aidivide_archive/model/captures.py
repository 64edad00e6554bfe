"""HTTP exchanges as fetched, and where their bytes lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Completeness(StrEnum):
    """Whether the body arrived whole, as far as HTTP and the encodings can tell."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One HTTP exchange at one instant (WARC 1.1 "capture event"), as fetched."""

    url: str
    """The requested URL."""
    captured_at: datetime
    status: int
    """HTTP status code; 0 for a capture that has no HTTP response (imported file)."""
    headers: tuple[tuple[str, str], ...]
    """Response headers in order, latin-1 decoded; names as received."""
    body: bytes = field(repr=False)
    """Payload before Content-Encoding is undone."""
    request_headers: tuple[tuple[str, str], ...] = ()
    ip_address: str | None = None
    completeness: Completeness = Completeness.COMPLETE
    withheld_sha256: str | None = None
    """SHA-256 of a body that is left out because its rights are reserved; `body` is empty then."""

    def header(self, name: str) -> str | None:
        """First value of a header, by case-insensitive name; None when absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsCopy:
    """What one origin last gave for /robots.txt; never an answer that means "unreachable"."""

    status: int
    body: bytes = field(repr=False)
    """At most 500 KiB, Content-Encoding undone."""
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcPosition:
    """Where a response record lies: file name, byte offset and length of its gzip member."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRecord:
    """What the database keeps of a capture, and where its bytes are."""

    captured_at: datetime
    status: int
    content_type: str | None
    payload_sha256: str
    payload_bytes: int
    completeness: Completeness
    position: WarcPosition
    ip_address: str | None = None
    robots: dict[str, str] | None = None
    """Verdict and rule line that allowed the fetch; None when robots.txt was not asked."""
    rights: dict[str, Any] | None = None
    """`statements`: source and value of each, as found with this capture; `withheld`: why the text is not kept."""

"""The door: what a capture is decides who reads it; what may be kept of it is decided last."""

from __future__ import annotations

from dataclasses import replace

from aidivide_archive.config import Profile
from aidivide_archive.decode import decompress
from aidivide_archive.exceptions import ExtractionError
from aidivide_archive.ingest.reading.extracting import extract_page, rights_of_page
from aidivide_archive.ingest.reading.listings import is_listing, read_hub, read_listing
from aidivide_archive.ingest.reading.pages import is_html, read_page
from aidivide_archive.ingest.reading.status import judge_status
from aidivide_archive.ingest.reading.values import Reading, rejected
from aidivide_archive.ingest.reading.withholding import under_rights
from aidivide_archive.model import (
    Capture,
    Completeness,
    LeasedUrl,
    Outcome,
    Reason,
    UrlKind,
    UrlState,
)
from aidivide_archive.rights import Statement, header_statements


def read(
    capture: Capture,
    leased: LeasedUrl,
    profile: Profile,
    site_statements: tuple[Statement, ...] = (),
) -> Reading:
    """Read a capture as what its URL is expected to be. Every end is an `Outcome`; raises nothing for any bytes.

    `site_statements`: what the site's tdmrep.json says about this URL.
    """
    reading = judge_status(capture, leased, profile) or _read_body(capture, leased, profile)
    of_response = (*header_statements(capture.headers), *site_statements)
    return under_rights(reading, of_response, capture, leased, profile)


def _read_body(capture: Capture, leased: LeasedUrl, profile: Profile) -> Reading:
    """The reading of an answer that came with a good status."""
    limit = profile.limits.body_bytes
    plain = decompress(capture.body, capture.header("content-encoding"), max_bytes=limit)
    if plain.too_large:
        return rejected(Reason.TOO_LARGE, f"more than {limit} bytes")
    if {plain.completeness, capture.completeness} != {Completeness.COMPLETE}:
        return Reading(outcome=Outcome(state=UrlState.FAILED, reason=Reason.INCOMPLETE))
    if not plain.body.strip():
        return rejected(Reason.EMPTY)
    try:
        return _read_plain(plain.body, capture, leased, profile)
    except ExtractionError as error:
        return rejected(Reason.MALFORMED, str(error))


def _read_plain(body: bytes, capture: Capture, leased: LeasedUrl, profile: Profile) -> Reading:
    """`body`: of the capture, its Content-Encoding undone. Raises ExtractionError for a broken listing."""
    content_type = capture.header("content-type")
    if is_listing(body, content_type, leased.kind):
        return read_listing(body, content_type, leased, profile)
    if not is_html(body, content_type):
        return rejected(Reason.NOT_HTML, (content_type or "")[:100] or None)
    page = extract_page(body, capture, leased, profile)
    read_it = read_hub if leased.kind is UrlKind.HUB else read_page
    return replace(read_it(page, leased, profile), statements=rights_of_page(page.extraction))

"""What a worker does with one response: bytes and profile in, judgement and values out. Pure.

Runs in a worker process under limits (`workers`); the parsed tree never leaves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from aidivide_archive.config import Profile
from aidivide_archive.decode import decompress
from aidivide_archive.exceptions import ExtractionError
from aidivide_archive.extract import Extracted, extract, version_with
from aidivide_archive.feeds import looks_like_feed, parse_feed
from aidivide_archive.ingest import admission
from aidivide_archive.model import (
    Completeness,
    Discovery,
    Extraction,
    Hint,
    LeasedUrl,
    Link,
    Metadata,
    Outcome,
    Reason,
    Relevance,
    RelevanceDecision,
    Signature,
    UrlKind,
    UrlState,
)
from aidivide_archive.relevance import judge, version_under
from aidivide_archive.rights import Statement, product_token, reserved, withheld_reason
from aidivide_archive.robots import retry_after_seconds
from aidivide_archive.similarity import sign
from aidivide_archive.sitemaps import parse_sitemap
from aidivide_archive.traps import fingerprint

_USERINFO = re.compile(r"(?<=//)[^/?#]*@")
_HTML_TYPES = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What reading needs of a capture."""

    status: int
    body: bytes = field(repr=False)
    """As fetched, before Content-Encoding is undone."""
    content_type: str | None
    content_encoding: str | None
    location: str | None
    retry_after: str | None
    captured_at: datetime
    completeness: Completeness = Completeness.COMPLETE
    statements: tuple[Statement, ...] = ()
    """On rights, by the response's headers and the site's tdmrep.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything one response gave."""

    outcome: Outcome
    extraction: Extraction | None = None
    relevance: Relevance | None = None
    signature: Signature | None = None
    discoveries: tuple[Discovery, ...] = ()
    statements: tuple[Statement, ...] = ()
    """On rights: those of the response, then those of the page."""
    withheld: str | None = None
    """Why text and body are not kept; None: they are."""
    fingerprint: int | None = None
    """Of the text, for the budgets of URL patterns; None when there is none."""


def extraction_version(profile: Profile, host: str) -> str:
    """The version of the extractions that this program makes of a host's pages under a profile."""
    source = profile.source_for(host)
    if source is None:
        return version_with()
    return version_with(
        prune=source.prune,
        body=source.body,
        site_timezone=source.timezone,
        default_language=source.language,
    )


def judgement_version(profile: Profile, extraction: str) -> str:
    """The version of a judgement of a text made by a version of the extraction."""
    return f"{version_under(profile)}/{extraction}"


def read(response: Response, leased: LeasedUrl, profile: Profile) -> Reading:
    """Read one response as what its URL is expected to be. Every end is an `Outcome`."""
    found = _read(response, leased, profile)
    if not found.statements:  # no page was read
        found = _with_rights(found, response.statements, response, leased, profile)
    return found


def _with_rights(
    found: Reading,
    statements: tuple[Statement, ...],
    response: Response,
    leased: LeasedUrl,
    profile: Profile,
) -> Reading:
    """The reading with what its page states on rights, and without the text where the profile keeps none."""
    reason = None
    if leased.kind is UrlKind.PAGE and 200 <= (response.status or 200) < 300:
        agent = product_token(profile.politeness.user_agent)
        if profile.rights.reserved == "metadata":
            stated = reserved(statements, agent=agent)
            reason = withheld_reason(stated, captured_at=response.captured_at)
        if reason is None and not profile.rights.keep_full_text:
            reason = "keep_full_text = false (profile)"
    if reason is None:
        return replace(found, statements=statements)
    outcome = found.outcome
    if outcome.state is UrlState.DONE:
        outcome = replace(outcome, detail=f"text withheld: {reason}"[:500])
    return replace(
        found,
        outcome=outcome,
        signature=sign("") if found.signature else None,
        statements=statements,
        withheld=reason,
    )


def _read(response: Response, leased: LeasedUrl, profile: Profile) -> Reading:
    ended = _status_outcome(response)
    if ended is not None:
        if 300 <= response.status < 400:
            return _redirect(response, leased, profile)
        return Reading(outcome=ended)
    plain = decompress(
        response.body, response.content_encoding, max_bytes=profile.limits.body_bytes
    )
    if plain.too_large:
        limit = profile.limits.body_bytes
        return _rejected(Reason.TOO_LARGE, f"more than {limit} bytes")
    if {plain.completeness, response.completeness} != {Completeness.COMPLETE}:
        return Reading(outcome=Outcome(state=UrlState.FAILED, reason=Reason.INCOMPLETE))
    if not plain.body.strip():
        return _rejected(Reason.EMPTY)
    try:
        return _read_body(plain.body, response, leased, profile)
    except ExtractionError as error:
        return _rejected(Reason.MALFORMED, str(error))


def _status_outcome(response: Response) -> Outcome | None:
    """What the HTTP status alone decides; None for a body worth reading. 0: a file without HTTP."""
    status = response.status
    if status == 0 or 200 <= status < 300:
        return None
    wait = retry_after_seconds(response.retry_after or "", response.captured_at)
    if status == 429:
        reason = Reason.RATE_LIMITED
    elif status in (404, 410):
        return Outcome(state=UrlState.REJECTED, reason=Reason.GONE, detail=f"HTTP {status}")
    elif status >= 500 or status == 408:
        reason = Reason.SERVER_ERROR
    else:
        return Outcome(state=UrlState.REJECTED, reason=Reason.HTTP_DENIED, detail=f"HTTP {status}")
    return Outcome(
        state=UrlState.FAILED, reason=reason, detail=f"HTTP {status}", retry_after_seconds=wait
    )


def _redirect(response: Response, leased: LeasedUrl, profile: Profile) -> Reading:
    location = response.location
    if not location:
        return _rejected(Reason.ERROR_PAGE, f"HTTP {response.status} without a Location")
    target = admission.of_redirect(profile, leased, location)
    if target is None:
        return _rejected(Reason.OFFSITE, f"redirects to {_USERINFO.sub('', location)[:200]}")
    return replace(_rejected(Reason.REDIRECTED, target.url), discoveries=(target,))


def _read_body(body: bytes, response: Response, leased: LeasedUrl, profile: Profile) -> Reading:
    if leased.kind is UrlKind.SITEMAP:
        sitemap = parse_sitemap(body, leased.url)
        return _listing((*sitemap.sitemaps, *sitemap.pages), leased, profile)
    if leased.kind is UrlKind.FEED or looks_like_feed(body, response.content_type):
        return _listing(parse_feed(body, leased.url, response.content_type).items, leased, profile)
    if not _is_html(body, response.content_type):
        return _rejected(Reason.NOT_HTML, (response.content_type or "")[:100] or None)
    source = profile.source_for(leased.host)
    found = extract(
        body,
        url=leased.url,
        content_type=response.content_type,
        fetched_at=response.captured_at,
        hint=_merged(leased),
        site_timezone=source.timezone if source else None,
        default_language=source.language if source else None,
        status=response.status,
        prune=source.prune if source else (),
        body=source.body if source else (),
    )
    links = admission.of_document(profile, leased, found.links, limit=profile.limits.links_per_page)
    stated = tuple(
        Statement(claim.source, claim.value)
        for claim in found.extraction.metadata.claims
        if claim.field == "rights"
    )
    return _with_rights(
        _judged(found, links, leased, profile),
        (*response.statements, *stated),
        response,
        leased,
        profile,
    )


def _listing(links: tuple[Link, ...], leased: LeasedUrl, profile: Profile) -> Reading:
    found = admission.of_document(profile, leased, links, limit=len(links))
    outcome = Outcome(
        state=UrlState.DONE,
        reason=Reason.READ,
        detail=f"{len(found)} of {len(links)} entries taken",
    )
    return Reading(outcome=outcome, discoveries=found)


def _judged(
    found: Extracted, links: tuple[Discovery, ...], leased: LeasedUrl, profile: Profile
) -> Reading:
    extraction = found.extraction
    if leased.kind is UrlKind.HUB:
        outcome = Outcome(
            state=UrlState.DONE, reason=Reason.READ, detail=f"{len(links)} links taken"
        )
        return Reading(outcome=outcome, discoveries=links)
    if (no_article := extraction.page_kind.reason) is not None:
        return replace(_rejected(no_article), discoveries=links)
    judged = judge(
        profile,
        title=extraction.metadata.title,
        text=extraction.text,
        published=extraction.metadata.published,
        language=extraction.metadata.language,
    )
    judged = replace(judged, version=judgement_version(profile, extraction.version))
    is_rejected = judged.decision is RelevanceDecision.REJECT
    if (part := extraction.part) is not None and (part.first_url or not is_rejected):
        links = (*admission.of_part(profile, leased, part), *links)
    if is_rejected:
        # the words of the event may stand on the first page alone: the text of a later one is kept
        is_later = part is not None and part.first_url is not None
        return Reading(
            outcome=Outcome(state=UrlState.REJECTED, reason=judged.reason),
            extraction=extraction if is_later else _ledger_part(extraction),
            relevance=judged,
            discoveries=links,
            fingerprint=fingerprint(extraction.text),
        )
    return Reading(
        outcome=Outcome(state=UrlState.DONE, reason=judged.reason),
        fingerprint=fingerprint(extraction.text),
        extraction=extraction,
        relevance=judged,
        signature=sign(extraction.text),
        discoveries=links,
    )


def _ledger_part(extraction: Extraction) -> Extraction:
    """A rejected page keeps title and date; its text stays in the capture."""
    metadata = extraction.metadata
    return replace(
        extraction,
        text="",
        cuts=(),
        part=None,
        metadata=Metadata(title=metadata.title, published=metadata.published),
    )


def _merged(leased: LeasedUrl) -> Hint | None:
    """One hint of several: the first that says something about a field, feeds before sitemaps."""
    if not leased.hints:
        return None
    values = {
        one.name: next((v for _, hint in leased.hints if (v := getattr(hint, one.name))), None)
        for one in fields(Hint)
    }
    return Hint(**values)


def _is_html(body: bytes, content_type: str | None) -> bool:
    """Whether to parse as HTML: a type that may be, or none, or bytes that begin like markup."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    head = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"%pdf", b"\x89png", b"\xff\xd8", b"gif8", b"pk\x03\x04")):
        return False
    return (
        not media_type
        or media_type in _HTML_TYPES
        or head.startswith((b"<!doctype html", b"<html"))
    )


def _rejected(reason: Reason, detail: str | None = None) -> Reading:
    return Reading(outcome=Outcome(state=UrlState.REJECTED, reason=reason, detail=detail))

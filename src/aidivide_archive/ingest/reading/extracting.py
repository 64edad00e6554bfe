"""A page's extraction under the settings of its source, and the version that names both."""

from __future__ import annotations

from dataclasses import fields
from typing import TypedDict

from aidivide_archive.config import Profile
from aidivide_archive.extract import Extracted, extract, version_with
from aidivide_archive.model import Capture, Extraction, Hint, LeasedUrl
from aidivide_archive.rights import Statement


class _SourceSettings(TypedDict, total=False):
    """What a profile's source says of its pages; absent for hosts of no source."""

    prune: tuple[str, ...]
    body: tuple[str, ...]
    site_timezone: str | None
    default_language: str | None


def _source_settings(profile: Profile, host: str) -> _SourceSettings:
    source = profile.source_for(host)
    if source is None:
        return {}
    return {
        "prune": source.prune,
        "body": source.body,
        "site_timezone": source.timezone,
        "default_language": source.language,
    }


def extraction_version(profile: Profile, host: str) -> str:
    """The version of the extractions that this program makes of a host's pages under a profile."""
    return version_with(**_source_settings(profile, host))


def extract_page(body: bytes, capture: Capture, leased: LeasedUrl, profile: Profile) -> Extracted:
    """`body`: of the capture, its Content-Encoding undone."""
    return extract(
        body,
        url=leased.url,
        content_type=capture.header("content-type"),
        fetched_at=capture.captured_at,
        hint=_merged(leased),
        status=capture.status,
        **_source_settings(profile, leased.host),
    )


def rights_of_page(extraction: Extraction) -> tuple[Statement, ...]:
    """What the page itself states on rights."""
    return tuple(
        Statement(claim.source, claim.value)
        for claim in extraction.metadata.claims
        if claim.field == "rights"
    )


def _merged(leased: LeasedUrl) -> Hint | None:
    """One hint of several: the first that says something about a field, feeds before sitemaps."""
    if not leased.hints:
        return None
    values = {
        field.name: next(
            (value for _, hint in leased.hints if (value := getattr(hint, field.name))), None
        )
        for field in fields(Hint)
    }
    return Hint(**values)

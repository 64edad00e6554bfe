"""What an HTTP status alone decides."""

from __future__ import annotations

import re
from dataclasses import replace

from aidivide_archive.config import Profile
from aidivide_archive.ingest import admission
from aidivide_archive.ingest.reading.values import Reading, rejected
from aidivide_archive.model import Capture, LeasedUrl, Outcome, Reason, UrlState
from aidivide_archive.robots import retry_after_seconds

_USERINFO = re.compile(r"(?<=//)[^/?#]*@")


def judge_status(capture: Capture, leased: LeasedUrl, profile: Profile) -> Reading | None:
    """The end of a capture by its status; None for a body worth reading. 0: a file without HTTP."""
    status = capture.status
    if status == 0 or 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return _redirect(capture, leased, profile)
    if status in (404, 410):
        return rejected(Reason.GONE, f"HTTP {status}")
    if status == 429:
        return _failed(capture, Reason.RATE_LIMITED)
    if status >= 500 or status == 408:
        return _failed(capture, Reason.SERVER_ERROR)
    return rejected(Reason.HTTP_DENIED, f"HTTP {status}")


def _failed(capture: Capture, reason: Reason) -> Reading:
    """To be tried again, not before the time the server asks for."""
    outcome = Outcome(
        state=UrlState.FAILED,
        reason=reason,
        detail=f"HTTP {capture.status}",
        retry_after_seconds=retry_after_seconds(
            capture.header("retry-after") or "", capture.captured_at
        ),
    )
    return Reading(outcome=outcome)


def _redirect(capture: Capture, leased: LeasedUrl, profile: Profile) -> Reading:
    location = capture.header("location")
    if not location:
        return rejected(Reason.ERROR_PAGE, f"HTTP {capture.status} without a Location")
    target = admission.of_redirect(profile, leased, location)
    if target is None:
        return rejected(Reason.OFFSITE, f"redirects to {_USERINFO.sub('', location)[:200]}")
    return replace(rejected(Reason.REDIRECTED, target.url), discoveries=(target,))

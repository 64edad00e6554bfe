"""Whether the text and the body of a page may be kept, by what its response, its site and it itself state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aidivide_archive.config import Profile
from aidivide_archive.ingest.reading.values import Reading
from aidivide_archive.model import Capture, LeasedUrl, UrlKind, UrlState
from aidivide_archive.rights import Statement, product_token, reserved, withheld_reason
from aidivide_archive.similarity import sign

_MAX_DETAIL = 500


def under_rights(
    reading: Reading,
    of_response: Sequence[Statement],
    capture: Capture,
    leased: LeasedUrl,
    profile: Profile,
) -> Reading:
    """The reading with all statements on rights, and without a signature where the profile keeps no text.

    The text itself stays in it, to be measured before it is dropped (`service.document`).
    """
    statements = (*of_response, *reading.statements)
    reason = _reason(statements, capture, leased, profile)
    if reason is None:
        return replace(reading, statements=statements)
    outcome = reading.outcome
    if outcome.state is UrlState.DONE:
        outcome = replace(outcome, detail=f"text withheld: {reason}"[:_MAX_DETAIL])
    return replace(
        reading,
        outcome=outcome,
        signature=sign("") if reading.signature else None,
        statements=statements,
        withheld=reason,
    )


def _reason(
    statements: Sequence[Statement], capture: Capture, leased: LeasedUrl, profile: Profile
) -> str | None:
    """Why only metadata is kept of a page that came; None: all of it may be."""
    if leased.kind is not UrlKind.PAGE or not 200 <= (capture.status or 200) < 300:
        return None
    if profile.rights.reserved == "metadata":
        agent = product_token(profile.politeness.user_agent)
        stated = reserved(statements, agent=agent)
        if (reason := withheld_reason(stated, captured_at=capture.captured_at)) is not None:
            return reason
    return None if profile.rights.keep_full_text else "keep_full_text = false (profile)"

"""What reading gives."""

from __future__ import annotations

from dataclasses import dataclass

from aidivide_archive.model import (
    Discovery,
    Extraction,
    Outcome,
    Reason,
    Relevance,
    Signature,
    UrlState,
)
from aidivide_archive.rights import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything one capture gave."""

    outcome: Outcome
    extraction: Extraction | None = None
    relevance: Relevance | None = None
    signature: Signature | None = None
    discoveries: tuple[Discovery, ...] = ()
    statements: tuple[Statement, ...] = ()
    """On rights: those of response and site, then those of the page."""
    withheld: str | None = None
    """Why text and body are not kept; None: they are."""
    fingerprint: int | None = None
    """Of the text, for the budgets of URL patterns; None when there is none."""


def rejected(reason: Reason, detail: str | None = None) -> Reading:
    return Reading(outcome=Outcome(state=UrlState.REJECTED, reason=reason, detail=detail))

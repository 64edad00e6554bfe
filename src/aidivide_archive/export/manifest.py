"""The account of an export: what was asked, what is in it, and why the rest is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aidivide_archive.exceptions import ExportError
from aidivide_archive.export.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Counts of one export: kept + dropped = total, or `check` fails."""

    total: int
    """Everything considered: URLs of the ledger for articles, rows for other sets."""
    dropped: Mapping[str, int]
    """What the selection left out, by reason."""
    left_out: Counter[str] = field(default_factory=Counter)
    """What the format could not take, by reason; filled while writing."""

    def reasons(self) -> dict[str, int]:
        """Everything that is not in the set, by reason, sorted."""
        return dict(sorted((Counter(dict(self.dropped)) + self.left_out).items()))

    def check(self, kept: int) -> None:
        """Raise ExportError unless every row is accounted for."""
        dropped = sum(self.reasons().values())
        if kept + dropped != self.total:
            raise ExportError(
                f"the export does not add up: {kept} kept + {dropped} dropped is not {self.total}; "
                "nothing was written. Run `aidivide doctor --integrity`"
            )

    def counts(self, kept: int) -> dict[str, Any]:
        return {"kept": kept, "dropped": self.reasons(), "total": self.total}


def manifest(
    request: Request,
    format_name: str,
    account: Account,
    written: int,
    *,
    title: str,
    software: str,
    provenance: Mapping[str, Any],
) -> dict[str, Any]:
    """All of the manifest but its list of files."""
    return {
        "schema": 1,
        "title": title,
        "set": request.what,
        "format": format_name,
        "created": provenance.get("changed_at"),
        **request.in_manifest(),
        "software": software,
        "archive": dict(provenance),
        "counts": account.counts(written),
    }

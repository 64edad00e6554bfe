"""The fields of a ledger row."""

from __future__ import annotations

from aidivide_archive.fields.declaring import Field, TableColumn, Values, listed
from aidivide_archive.model import UrlKind


def _url(name: str, meaning: str, values: Values = "many") -> Field:
    return Field(name, "text", meaning, source=TableColumn("urls", name), values=values)


LEDGER: tuple[Field, ...] = (
    _url("url", "Every address ever seen."),
    _url("state", "queued, leased, done, rejected, failed (will be tried again) or dead.", "few"),
    _url("reason", "Why it is there: see the documentation of the ledger.", "few"),
    _url("detail", "The reason in words, where the slug is not enough."),
    _url("kind", f"What the address was expected to be: {listed(UrlKind)}.", "few"),
)
"""The ledger row."""

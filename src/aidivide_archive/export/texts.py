"""Foreign text made fit for a format: what XML, spreadsheets and line formats cannot hold becomes U+FFFD."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# C0 but tab and line feeds, C1, surrogates and the two non-characters: no XML 1.0 and no YAML holds them all.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Embeddings, overrides and isolates make a line read as another one (CVE-2021-42574); marks (U+200E, U+200F) stay.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile("\\s+")  # of any kind: NEL, U+2028 and U+2029 end lines for some readers


def without_surrogates(value: Any) -> Any:
    """A text, or the texts of a list, as UTF-8 can hold them."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    return [without_surrogates(one) for one in value] if isinstance(value, list) else value


def printable(text: str) -> str:
    """Text that XML can hold; tabs and line ends stay."""
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub("\ufffd", text)


def undirected(text: str) -> str:
    """Printable text in which nothing turns the direction of what stands beside it."""
    return (
        text if text.isascii() and text.isprintable() else _DIRECTION.sub("\ufffd", printable(text))
    )


def one_line(text: object) -> str:
    """A value as one line without direction overrides; "" for None."""
    if text is None:
        return ""
    return undirected(_SPACE.sub(" ", str(text)).strip())


def line_of(row: Mapping[str, Any], name: str) -> str:
    """`one_line` of a field; "" when the row has none."""
    return one_line(row.get(name))

"""Foreign text made fit for a format: what XML, spreadsheets and line formats cannot hold becomes U+FFFD."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aidivide_archive.words import undirected, without_surrogates

_SPACE = re.compile("\\s+")  # of any kind: NEL, U+2028 and U+2029 end lines for some readers


def encodable(value: Any) -> Any:
    """A text, or the texts of a list, as UTF-8 can hold them."""
    if isinstance(value, str):
        return without_surrogates(value)
    return [encodable(item) for item in value] if isinstance(value, list) else value


def one_line(text: object) -> str:
    """A value as one line without direction overrides; "" for None."""
    if text is None:
        return ""
    return undirected(_SPACE.sub(" ", str(text)).strip())


def line_of(row: Mapping[str, Any], name: str) -> str:
    """`one_line` of a field; "" when the row has none."""
    return one_line(row.get(name))

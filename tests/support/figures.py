"""Figures of the fault matrix: a line each in the file that `AIDIVIDE_FIGURES` names (docs/reliability.md)."""

from __future__ import annotations

import os
from pathlib import Path


def figure(row: str, holds: str, measured: str) -> None:
    """Note `row | what holds | test | figure`; nothing without the variable."""
    file = os.environ.get("AIDIVIDE_FIGURES")
    test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]
    if file:
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(f"{row} | {holds} | {test} | {measured}\n")

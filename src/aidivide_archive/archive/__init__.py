"""The archive: the only SQL, and the writer thread that everything is written through.

`Archive` and `Run` are loaded when first asked for: commands that only read need neither the stages nor numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from aidivide_archive.archive.storage.location import Location

if TYPE_CHECKING:
    from aidivide_archive.archive.ledger.runs import Run
    from aidivide_archive.archive.store import Archive

__all__ = ["Archive", "Location", "Run"]

_HOMES = {"Archive": "store", "Run": "ledger.runs"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

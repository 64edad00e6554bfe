"""Which formats there are, and which of them a name or a file's suffix means."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import BinaryIO, Protocol, TypeAlias

from aidivide_archive.exceptions import ConfigError

Row: TypeAlias = Mapping[str, object]
"""Field → str, int, float, bool, None, or lists and dicts of them."""


class Write(Protocol):
    """Writes rows to a binary stream, which stays open; returns how many there were."""

    def __call__(
        self, rows: Iterable[Row], columns: Sequence[str], stream: BinaryIO, *, raw: bool
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format."""

    name: str
    suffix: str
    """With the dot, lower case."""
    summary: str
    """One line for people."""
    write: Write


_known: dict[str, Exporter] = {}


def exporter(name: str, *, suffix: str, summary: str) -> Callable[[Write], Write]:
    """Register a function as the writer of a format."""

    def register(write: Write) -> Write:
        _known[name] = Exporter(name, suffix, summary, write)
        return write

    return register


@lru_cache(maxsize=1)
def exporters() -> Mapping[str, Exporter]:
    """Every format by its name, sorted; every module of this package is looked at."""
    package = importlib.import_module("aidivide_archive.export")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_known.items()))


def exporter_for(name: str | None, file_name: str | None = None) -> Exporter:
    """The format of that name, else of the file's suffix, else JSONL. Raises ConfigError."""
    known = exporters()
    if name is not None:
        if name in known:
            return known[name]
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
        raise ConfigError(f"no export format {name!r}; {hint}")
    if file_name is None:
        return known["jsonl"]
    found = [one for one in known.values() if file_name.lower().endswith(one.suffix)]
    if found:
        return max(found, key=lambda one: len(one.suffix))
    suffixes = ", ".join(one.suffix for one in known.values())
    raise ConfigError(
        f"{file_name}: the name does not say the format; end it in one of {suffixes}, or add --format"
    )

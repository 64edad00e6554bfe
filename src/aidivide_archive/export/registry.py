"""Which formats there are, and which of them a name or a file's suffix means.

A format is one module in `formats` with one decorated function. There are two kinds: `exporter` writes a stream,
`folder_exporter` writes many files into a `Folder`, which may be a directory or a zip file. How a target comes to be
(temporary names, compression, modes) is `target`'s work, the same for all.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

from aidivide_archive.exceptions import ConfigError
from aidivide_archive.fields import Field

Row: TypeAlias = Mapping[str, Any]
"""Field → str, int, float, bool, None, or lists and dicts of them."""

ANY_SET: tuple[str, ...] = ()
ARTICLES_ONLY = ("articles",)
COMPRESSIONS = (".gz", ".zst")
UNREADABLE = "capture_unreadable"
"""Slug in `Context.left_out` for a row whose capture is damaged: the export is finished, but part of it failed."""
OWNERS = "The texts belong to their publishers."
"""What holds for every set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a writer may want to know beside the rows."""

    raw: bool = False
    """For programs: no guard against formulas, no byte order mark."""
    title: str = "News coverage"
    """Of the set, in words."""
    what: str = "articles"
    made_at: str | None = None
    """When the archive last changed, ISO 8601 in UTC: never the clock, so that the bytes are the same again."""
    software: str = "aidivide-archive"
    rights: str = OWNERS
    """What a reader may do with the set, in one or two sentences."""
    warc_directory: Path | None = None
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that the writer could not take, by reason slug."""


class Folder(Protocol):
    """A directory or a zip file under construction. Names are relative, with "/"."""

    def file(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A new file; several may be open at once."""


class WriteStream(Protocol):
    """Writes rows to a binary stream, which stays open; returns how many it wrote."""

    def __call__(
        self, rows: Iterable[Row], columns: Sequence[Field], target: BinaryIO, context: Context, /
    ) -> int: ...


class WriteFolder(Protocol):
    """Writes rows to files of a folder; returns how many rows it wrote."""

    def __call__(
        self, rows: Iterable[Row], columns: Sequence[Field], target: Folder, context: Context, /
    ) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One format."""

    name: str
    suffix: str
    """With the dot, lower case; of a folder format that of its zip file."""
    summary: str
    """One line for people."""
    sets: tuple[str, ...]
    """What it can hold; empty: any set."""
    write_stream: WriteStream | None = None
    write_folder: WriteFolder | None = None
    compressible: bool = False
    """Whether ".gz" or ".zst" may follow the suffix."""
    seeks: bool = False
    """Whether the stream must be able to seek."""
    whole_pages: bool = False
    """Whether it holds pages as they were fetched, texts included: there is none for sharing."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Every ending of a file name that means this format."""
        more = COMPRESSIONS if self.compressible else ()
        return (self.suffix, *(self.suffix + compression for compression in more))

    @property
    def is_folder(self) -> bool:
        return self.write_folder is not None

    @property
    def writer(self) -> WriteStream | WriteFolder:
        writer = self.write_folder or self.write_stream
        assert writer is not None
        return writer

    def check(self, what: str, *, for_sharing: bool = False) -> None:
        """Raise ConfigError when the format cannot hold the set, or must not when it is passed on."""
        if self.sets and what not in self.sets:
            raise ConfigError(f"the format {self.name} is for {', '.join(self.sets)}, not {what}")
        if for_sharing and self.whole_pages:
            raise ConfigError(f"{self.name} holds whole pages: there is none for sharing")


_known: dict[str, Exporter] = {}


def exporter(
    name: str,
    *,
    suffix: str,
    summary: str,
    sets: tuple[str, ...] = ANY_SET,
    compressible: bool = False,
    seeks: bool = False,
    whole_pages: bool = False,
) -> Callable[[WriteStream], WriteStream]:
    """Register a function as the writer of a format that is one file; the arguments are those of `Exporter`."""

    def register(write: WriteStream) -> WriteStream:
        _known[name] = Exporter(
            name=name,
            suffix=suffix,
            summary=summary,
            sets=sets,
            write_stream=write,
            compressible=compressible,
            seeks=seeks,
            whole_pages=whole_pages,
        )
        return write

    return register


def folder_exporter(
    name: str,
    *,
    suffix: str,
    summary: str,
    sets: tuple[str, ...] = ARTICLES_ONLY,
    whole_pages: bool = False,
) -> Callable[[WriteFolder], WriteFolder]:
    """Register a function as the writer of a format that is a folder; `suffix`: of the folder as one zip file."""

    def register(write: WriteFolder) -> WriteFolder:
        _known[name] = Exporter(
            name=name,
            suffix=suffix,
            summary=summary,
            sets=sets,
            write_folder=write,
            whole_pages=whole_pages,
        )
        return write

    return register


@lru_cache(maxsize=1)
def exporters() -> Mapping[str, Exporter]:
    """Every format by its name, sorted; every module of `formats` is looked at."""
    package = importlib.import_module("aidivide_archive.export.formats")
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
    fitting = [
        (len(suffix), name)
        for name, exporter in known.items()
        for suffix in exporter.suffixes
        if file_name.lower().endswith(suffix)
    ]
    if fitting:
        _, longest = max(fitting)
        return known[longest]
    suffixes = ", ".join(exporter.suffix for exporter in known.values())
    raise ConfigError(
        f"{file_name}: the name does not say the format; end it in one of {suffixes}, or add --format"
    )

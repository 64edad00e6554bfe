"""What reaches the screen: safe against hostile text, plain when piped, JSON when asked for."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Protocol

import click

from aidivide_archive.display import day_of
from aidivide_archive.words import CONTROLS, DIRECTION_MARKS, OVERRIDES, SURROGATES

if TYPE_CHECKING:
    from rich.console import Console

_BLANK = re.compile("[ \t\n\r\v\f]+")
# On a screen the plain direction marks go as well: terminals differ in what they make of them.
_UNSAFE = re.compile(f"[{CONTROLS}{SURROGATES}{OVERRIDES}{DIRECTION_MARKS}]")


def safe(text: object, *, lines: bool = False) -> str:
    """Text that cannot drive a terminal: controls, escapes, direction marks and surrogates become U+FFFD.

    White space of any kind becomes one blank; with `lines`, line ends stay.
    """
    words = str(text)
    if lines:
        return "\n".join(safe(line) for line in words.splitlines())
    return " ".join(_UNSAFE.sub("\ufffd", _BLANK.sub(" ", words)).split())


def say(text: str = "") -> None:
    """A line of the result. `text` is ours, or has gone through `safe`."""
    click.echo(_fitting(text, sys.stdout))


def say_prose(text: str, *, first: str = "", indent: int = 0) -> None:
    """Running text: wrapped between words on a terminal, under `indent` blanks; one line when piped.

    `first` stands before the text in the first line. Words longer than a line (addresses, scripts without
    spaces) are left whole: the terminal breaks them, and they can be copied in one piece.
    """
    for line in _wrapped(first, text, indent, is_terminal()):
        say(line)


def _wrapped(first: str, text: str, indent: int, on_terminal: bool) -> Iterator[str]:
    if not on_terminal:
        yield first + text
        return
    width = shutil.get_terminal_size().columns
    line, used, empty = first, _cells(first), True
    for word in text.split(" "):
        cells = _cells(word)
        if not empty and used + 1 + cells > width:
            yield line
            line, used, empty = " " * indent, indent, True
        line += word if empty else " " + word
        used, empty = used + cells + (not empty), False
    yield line


def _cells(text: str) -> int:
    """Columns that a text takes: two for wide characters, as of Chinese."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def note(text: str) -> None:
    """A line about the work: stderr; wrapped between words on a terminal."""
    for line in _wrapped("", text, 2, sys.stderr.isatty()):
        click.echo(_fitting(line, sys.stderr), err=True)


def _fitting(text: str, stream: object) -> str:
    """What the stream's encoding cannot hold becomes "?": no locale is a reason to fail."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def say_json(items: Iterable[object], *, more: Mapping[str, object] | None = None) -> None:
    """The machine form of every command's result; `more`: what is true of all items, such as their total."""
    from aidivide_archive.export.formats.jsonl import json_line

    binary_stdout().write(json_line({"schema": 1, "items": list(items), **(more or {})}).encode())


def binary_stdout() -> BinaryIO:
    """Where bytes go that are UTF-8 whatever the locale is."""
    sys.stdout.flush()
    return sys.stdout.buffer


def is_terminal() -> bool:
    return sys.stdout.isatty()


def say_fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Label and value, one a line; unknown values are left out."""
    known = [(label, safe(value)) for label, value in pairs if value not in (None, "", ())]
    width = max((len(label) for label, _ in known), default=0)
    for label, value in known:
        say_prose(value, first=f"{label:<{width}}  ", indent=width + 2)


def say_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """A table on a terminal; tab-separated with a header when piped.

    `right`: columns of numbers. `whole`: columns that are never cut (ids to copy).
    """
    cells = [[one_line(value) for value in row] for row in rows]
    if not is_terminal():
        for line in [list(columns), *cells]:
            say("\t".join(line))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="fold",  # a cut address or a cut Chinese title is of no use
            no_wrap=name in whole or name in right,
        )
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    _console().print(table)


def _console() -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, markup=False, soft_wrap=False)


def one_line(value: object) -> str:
    """Any value as safe text; lists are joined with "; ", None is empty."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return safe("; ".join(str(one) for one in value))
    return safe(value)


def shown_time(row: Mapping[str, object]) -> str:
    """Publication as people read it: minute in UTC, or the day when only that is known; "" for unknown."""
    moment = row.get("published_at")
    if isinstance(moment, str):
        return moment[:16].replace("T", " ")
    day = day_of(row)
    return "" if day is None else day.isoformat()


def say_heading(text: str) -> None:
    """A line that stands out on a terminal."""
    plain = not is_terminal() or os.environ.get("TERM") == "dumb"
    say(text if plain else click.style(text, bold=True))


def percent(share: object) -> str:
    return f"{share:.0%}" if isinstance(share, float | int) else ""


class Step(Protocol):
    """Moves a counter to a number; with `total`, which a bar takes, the number that ends it."""

    def __call__(self, count: int, total: int | None = None, /) -> None: ...


@contextmanager
def counting(label: str, *, bar: bool = False) -> Iterator[Step | None]:
    """A counter on stderr while work goes on, as a bar when asked; None, and silence, without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    done = (
        (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        if bar
        else (TextColumn("{task.description} {task.completed}"),)
    )
    console = Console(stderr=True, no_color=True)  # yellow is lost on white
    with Progress(
        SpinnerColumn(), *done, TimeElapsedColumn(), console=console, transient=True
    ) as progress:
        task = progress.add_task(label, total=None)
        yield lambda count, total=None: progress.update(task, completed=count, total=total)

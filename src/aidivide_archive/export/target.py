"""Where an export goes: a stream, a file that appears whole or not at all, or a file in a folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from aidivide_archive.exceptions import ExportError
from aidivide_archive.export.registry import Exporter, Row


def file_in(path: Path, kind: str, exporter: Exporter) -> Path:
    """The file to write: `path` itself, or `kind` with the format's suffix inside the folder it is."""
    return path / f"{kind}{exporter.suffix}" if path.is_dir() else path


def export_rows(
    exporter: Exporter,
    rows: Iterable[Row],
    columns: Sequence[str],
    target: Path | BinaryIO,
    *,
    raw: bool = False,
) -> int:
    """Write the rows and return how many there were. Raises ExportError; a half-written file never stays."""
    if isinstance(target, Path):
        with whole_file(target) as stream:
            return exporter.write(rows, columns, stream, raw=raw)
    return exporter.write(rows, columns, target, raw=raw)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when everything was written."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        _remove(part)
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from None
    except BaseException:
        _remove(part)
        raise


def _remove(part: Path) -> None:
    with suppress(OSError):  # the reason it was not made is told already
        part.unlink(missing_ok=True)

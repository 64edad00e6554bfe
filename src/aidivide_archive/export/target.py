"""Where an export goes: a stream, or a file or folder that appears whole or not at all, readable by its owner only."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias, cast

from aidivide_archive.exceptions import ConfigError, ExportError
from aidivide_archive.export.columns import as_fields
from aidivide_archive.export.formats.jsonl import json_line
from aidivide_archive.export.registry import Context, Exporter, Folder, Row
from aidivide_archive.fields import Field

MANIFEST = "manifest.json"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The oldest that zip knows: a clock would make other bytes of the same archive."""
_GZIP_LEVEL = 6
_ZSTD_LEVEL = 6
_IN_MEMORY = 1 << 20
_COPY = 1 << 16
_BUFFER = 1 << 18
"""Of a single file: Python's own 8 KB hold two articles, and a tenth of an export's time went to writing."""

Finish: TypeAlias = Callable[[int, "ListedFolder | None"], None]
"""Takes the number of rows and, for formats that are folders, the folder."""


def export_rows(
    exporter: Exporter,
    rows: Iterable[Row],
    columns: Sequence[str | Field],
    target: Path | BinaryIO,
    *,
    raw: bool = False,
    context: Context | None = None,
    finish: Finish | None = None,
) -> int:
    """Write the rows and return how many there were. Raises ExportError; a half-written file never stays.

    `raw` counts only without a context. A path that ends in ".zip" makes a zip file of a folder format. `finish` is
    called when all rows are written and before the target appears: what it raises leaves nothing behind.
    """
    context = context or Context(raw=raw)
    wanted = as_fields(columns)
    if exporter.write_folder is not None:
        with open_folder(target) as folder:
            count = exporter.write_folder(rows, wanted, folder, context)
            if finish is not None:
                finish(count, folder)
        return count
    assert exporter.write_stream is not None
    with _seekable(target, seeks=exporter.seeks) as stream:
        name = target.name if isinstance(target, Path) and exporter.compressible else ""
        with _compressed(stream, name) as inner:
            count = exporter.write_stream(rows, wanted, inner, context)
        if finish is not None:
            finish(count, None)
    return count


@contextmanager
def open_folder(target: Path | BinaryIO) -> Iterator[ListedFolder]:
    """A folder that appears whole or not at all: a directory, or a zip file for a ".zip" or a stream."""
    if isinstance(target, Path) and target.suffix.lower() != ".zip":
        with whole_folder(target) as folder:
            yield folder
    else:
        with _seekable(target, seeks=True) as stream, zip_folder(stream) as zipped:
            yield zipped


# --- one file ------------------------------------------------------------------------------------


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when everything was written."""
    part = _beside(path)
    try:
        with _new_file(part, buffer=_BUFFER) as stream:
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


@contextmanager
def _seekable(target: Path | BinaryIO, *, seeks: bool) -> Iterator[BinaryIO]:
    """The target as a stream; by way of a temporary file when the format must seek and a pipe cannot."""
    if isinstance(target, Path):
        with whole_file(target) as stream:
            yield stream
    elif not seeks or (target.seekable() and target.tell() == 0):
        yield target
    else:
        with tempfile.TemporaryFile() as spool:
            yield spool
            spool.seek(0)
            shutil.copyfileobj(spool, target, _COPY)


@contextmanager
def _compressed(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """What is written to it arrives compressed as the file's name says; the same bytes each time."""
    if name.lower().endswith(".gz"):
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, stream, mtime=0) as inner:
            yield cast("BinaryIO", inner)
    elif name.lower().endswith(".zst"):
        import zstandard

        compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
        with compressor.stream_writer(stream, closefd=False) as written:
            yield cast("BinaryIO", written)
    else:
        yield stream


def _new_file(path: Path, *, buffer: int = -1) -> BinaryIO:
    """0600 from the first byte on; never through a symbolic link."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    return os.fdopen(descriptor, "wb", buffer)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def _remove(part: Path) -> None:
    with suppress(OSError):  # why it was not made is already reported
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


# --- folders -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """A file of a folder."""

    name: str
    size: int
    sha256: str


class _Files:
    """Names, sizes and digests of what was written, on disk: a set may have a file for each article."""

    def __init__(self) -> None:
        self._listed = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # `close` closes it
        self._open: set[str] = set()

    def claim(self, name: str) -> None:
        parts = name.split("/")
        if any(one in ("", ".", "..") for one in parts) or "\\" in name or name in self._open:
            raise ExportError(f"cannot write a file named {name!r}")
        self._open.add(name)

    def add(self, name: str, size: int, sha256: str) -> None:
        self._open.discard(name)
        self._listed.seek(0, os.SEEK_END)
        self._listed.write(f"{sha256} {size} {name}\n".encode())

    def __iter__(self) -> Iterator[Written]:
        place = 0
        while True:
            self._listed.seek(place)
            line = self._listed.readline()
            if not line:
                return
            place += len(line)
            sha256, size, name = line.decode().rstrip("\n").split(" ", 2)
            yield Written(name, int(size), sha256)

    def close(self) -> None:
        self._listed.close()


class _Digested(io.RawIOBase):
    """Passes bytes on and counts and digests them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # type: ignore[arg-type]  # any buffer, as pyarrow hands over
        self._digest.update(view)
        self._stream.write(view)
        self.size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.size


class ListedFolder(Folder):
    """A folder that knows what was written to it."""

    def __init__(self) -> None:
        self._files = _Files()

    def files(self) -> Iterator[Written]:
        """In the order in which they were finished."""
        return iter(self._files)

    def close(self) -> None:
        self._files.close()


class Directory(ListedFolder):
    """A directory under construction."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        self._files.claim(name)
        path = self._path / name
        path.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
        with _new_file(path) as stream:
            digested = _Digested(stream)
            yield cast("BinaryIO", digested)
        self._files.add(name, digested.size, digested.sha256)

    def sync(self) -> None:
        """Make every file durable; afterwards, because then most is on the disk already."""
        for one in self.files():
            handle = os.open(self._path / one.name, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


class Zipped(ListedFolder):
    """A zip file under construction: fixed times, so that the bytes are the same again."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__()
        self._archive = archive

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        self._files.claim(name)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:  # a zip takes one file at a time
            digested = _Digested(spool)
            yield cast("BinaryIO", digested)
            spool.seek(0)
            with self._archive.open(zip_entry(name), "w", force_zip64=True) as entry:
                shutil.copyfileobj(spool, entry, _COPY)
        self._files.add(name, digested.size, digested.sha256)


def zip_entry(name: str, *, stored: bool = False) -> zipfile.ZipInfo:
    """An entry with a fixed time, readable by its owner only."""
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o100600 << 16
    return entry


@contextmanager
def zip_folder(stream: BinaryIO) -> Iterator[Zipped]:
    """A zip file in the stream, which must be able to seek."""
    with zipfile.ZipFile(stream, "w") as archive:
        folder = Zipped(archive)
        try:
            yield folder
        finally:
            folder.close()


@contextmanager
def whole_folder(path: Path) -> Iterator[Directory]:
    """A folder beside `path` that takes its place when everything was written.

    An empty folder or an earlier export may stand there; of the latter every file must be one that the export
    wrote. Raises ConfigError for anything else: a person's files are never deleted.
    """
    check_replaceable(path)
    part = _beside(Path(os.path.abspath(path)))  # noqa: PTH100  # resolve() would follow a link
    folder = Directory(part)
    try:
        part.mkdir(mode=0o700)
        yield folder
        folder.sync()
        _swap(part, path)
    except OSError as error:
        _remove(part)
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from None
    except BaseException:
        _remove(part)
        raise
    finally:
        folder.close()


def check_replaceable(path: Path) -> None:
    """Raise ConfigError unless `path` is absent, an empty folder, or an export without anything else in it."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise ConfigError(f"{path} is no folder: name another one")
    if not path.is_dir() or not any(path.iterdir()):
        return
    known = _listed_in(path)
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        if not found.is_dir() and name not in known:
            raise ConfigError(
                f"{path} holds files that no export wrote ({name}): name an empty or a new folder"
            )


def _listed_in(path: Path) -> set[str]:
    """The files of an earlier export, by its manifest; empty when there is none."""
    try:
        manifest = json.loads((path / MANIFEST).read_text("utf-8"))
        return {MANIFEST, *(str(one["path"]) for one in manifest["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _swap(part: Path, path: Path) -> None:
    """Put a finished folder in its place; the old one is gone only when the new one is there."""
    if path.is_dir() and any(path.iterdir()):
        old = _beside(Path(os.path.abspath(path)))  # noqa: PTH100
        path.rename(old)
        try:
            part.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old)
    else:
        part.rename(path)  # takes the place of an empty folder
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_manifest(folder: ListedFolder, manifest: Row) -> None:
    """The manifest as the last file, its list of files one a line and never in memory."""
    with folder.file(MANIFEST) as stream:
        stream.write(spread(manifest, end=',\n  "files": [\n').encode())
        separator = ""
        for one in folder.files():
            line = json_line({"path": one.name, "bytes": one.size, "sha256": one.sha256}).strip()
            stream.write(f"{separator}    {line}".encode())
            separator = ",\n"
        stream.write(b"\n  ]\n}\n")


def spread(manifest: Row, end: str = "\n}\n") -> str:
    """A JSON object with one key a line."""
    lines = [
        f"  {json_line(key).strip()}: {json_line(value).strip()}" for key, value in manifest.items()
    ]
    return "{\n" + ",\n".join(lines) + end

"""The records of a WARC file one by one, each a gzip member: walked, checked, copied as they are.

`warc` reads what a record says; this module says whether its bytes are whole, and where the next one begins when
they are not. Memory: one record at a time.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"\x1f\x8b\x08"
_HEAD_BYTES = 10
_CHUNK = 1 << 16
MAX_RECORD_BYTES = 1 << 29
"""A larger record is taken for damage: bodies are bounded by the profile (16 MiB by default)."""
_REWRITTEN = re.compile(r"-p[0-9a-f]{8}$")
_FLAGS_AND_TIME = b"\x00" * 6  # and the level, which is not stated
_SYSTEMS = (b"\x03", b"\xff")  # Unix, unknown: what our writer's library puts there


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One record of a file, or a stretch of bytes that is none."""

    offset: int
    length: int
    kind: str = ""
    """WARC-Type; "" where it cannot be read."""
    url: str = ""
    date: str = ""
    """WARC-Date, ISO 8601."""
    status: int = 0
    """Of the HTTP response."""
    payload_sha256: str = ""
    """Of the HTTP body that is there."""
    payload_bytes: int = 0
    stated_sha256: str = ""
    """As the record states it; differs from `payload_sha256` for a body that was withheld."""
    is_withheld: bool = False
    damage: str | None = None
    """What is wrong with the bytes; None: they are as they were written."""


def iter_members(path: Path) -> Iterator[Member]:
    """Every record in order; damaged stretches come as members with `damage`. Raises OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        offset = 0
        while offset < size:
            file.seek(offset)
            content, length, damage = _inflate(file)
            if damage is None:
                found = _described(content, offset, length)
                damage = found.damage
                yield found
                offset += length
                continue
            end = _next_start(file, offset + 1, size)
            partly = _described(content, offset, end - offset)
            yield Member(
                offset=offset,
                length=end - offset,
                kind=partly.kind,
                url=partly.url,
                damage=damage,
            )
            offset = end


def member_at(path: Path, offset: int) -> Member:
    """The record at a byte offset, or the damage that is there. Raises OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        content, length, damage = _inflate(file)
    found = _described(content, offset, length)
    return found if damage is None else replace(found, damage=damage)


def copy_members(
    source: Path, target: Path, keep: Callable[[Member], bool]
) -> dict[int, tuple[int, int]]:
    """Copy the records that `keep` takes, byte for byte, into a new file; durable when this returns.

    Returns new offset and length by old offset. Raises OSError, FileExistsError for a target that is there.
    """
    places: dict[int, tuple[int, int]] = {}
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as written, source.open("rb") as read:
        for member in iter_members(source):
            if keep(member):
                places[member.offset] = (written.tell(), member.length)
                read.seek(member.offset)
                written.write(read.read(member.length))
        written.flush()
        os.fsync(written.fileno())
    return places


def rewritten_name(path: Path, is_gone: Callable[[Member], bool]) -> str:
    """Name for a file without the records that are gone: its own when there are none, else with a digest of the rest.

    So it does not matter in which order, or in which archive, records were taken out. Raises OSError.
    """
    digest, dropped = hashlib.sha256(), False
    for member in iter_members(path):
        if is_gone(member):
            dropped = True
        elif member.damage is None:
            words = (member.kind, member.url, member.date, member.payload_sha256)
            digest.update(("\t".join(words) + "\n").encode())
    if not dropped:
        return path.name
    stem = _REWRITTEN.sub("", path.name.removesuffix(".warc.gz"))
    return f"{stem}-p{digest.hexdigest()[:8]}.warc.gz"


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _inflate(file: BinaryIO) -> tuple[bytes, int, str | None]:
    """The member at the file's position: content as far as it goes, length, and what is wrong with it."""
    start = file.tell()
    head = file.read(_HEAD_BYTES)
    if head[:3] != _MAGIC:
        return b"", 0, "no record begins here"
    odd = head[3:9] != _FLAGS_AND_TIME or head[9:] not in _SYSTEMS
    file.seek(start)
    engine = zlib.decompressobj(wbits=31)  # gzip: checks CRC-32 and length at the end
    parts: list[bytes] = []
    held = 0
    while not engine.eof:
        chunk = file.read(_CHUNK)
        if not chunk:
            return b"".join(parts), 0, "the record ends early"
        try:
            part = engine.decompress(chunk, MAX_RECORD_BYTES - held + 1)
        except zlib.error as error:
            return b"".join(parts), 0, f"the record's bytes are damaged ({error})"
        parts.append(part)
        held += len(part)
        if held > MAX_RECORD_BYTES:
            return b"", 0, "the record is too large"
    length = file.tell() - len(engine.unused_data) - start
    content = b"".join(parts)
    if odd:
        return content, length, "the record's gzip header is not as it was written"
    return content, length, None


def _next_start(file: BinaryIO, offset: int, size: int) -> int:
    """Where the next readable record begins; the file's end when there is none."""
    place = offset
    while place < size:
        file.seek(place)
        window = file.read(_CHUNK + len(_MAGIC))
        found = window.find(_MAGIC)
        if found < 0:
            place += _CHUNK
            continue
        place += found
        file.seek(place)
        engine = zlib.decompressobj(wbits=31)
        try:
            begins = engine.decompress(file.read(1024), 8)
        except zlib.error:
            begins = b""
        if begins.startswith(b"WARC/"):
            return place
        place += 1
    return size


def _described(content: bytes, offset: int, length: int) -> Member:
    head, separator, block = content.partition(b"\r\n\r\n")
    fields = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = value.strip().decode("utf-8", "replace")
    kind = fields.get(b"warc-type", "")
    damage = None
    if not head.startswith(b"WARC/1.") or not separator or not kind:
        damage = "is no WARC record"
    elif fields.get(b"content-length") != str(len(block) - 4) or block[-4:] != b"\r\n\r\n":
        damage = "the block is not as long as it says"
    payload = block[:-4].partition(b"\r\n\r\n")[2] if kind == "response" else b""
    digest = hashlib.sha256(payload).hexdigest()
    stated = fields.get(b"warc-payload-digest", "").removeprefix("sha256:")
    withheld = fields.get(b"warc-truncated") == "unspecified" and not payload
    if damage is None and kind == "response" and stated and digest != stated and not withheld:
        damage = "the body is not the one that its digest names"
    return Member(
        offset=offset,
        length=length,
        kind=kind,
        url=fields.get(b"warc-target-uri", "").strip("<>"),
        date=fields.get(b"warc-date", ""),
        status=_status(block) if kind == "response" else 0,
        payload_sha256=digest if kind == "response" else "",
        payload_bytes=len(payload),
        stated_sha256=stated,
        is_withheld=withheld,
        damage=damage,
    )


def _status(block: bytes) -> int:
    words = block[:40].split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

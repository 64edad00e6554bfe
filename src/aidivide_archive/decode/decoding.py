"""Bytes as fetched → text: undo Content-Encoding, then find the character encoding.

Both functions are total: any input gives a value, memory is bounded by the given limit, and what
could not be read in full says so. Nothing here knows HTML beyond the charset declaration.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import brotli
import zstandard

from aidivide_archive.decode import charsets
from aidivide_archive.model import Completeness
from aidivide_archive.words import KANA, character_class, storable, storable_bytes

MAX_NESTED_ENCODINGS = 3  # more than a proxy chain needs; RFC 9110 §8.4 sets no limit
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW = 2**23  # RFC 8878 §3.1.1.1.2 and RFC 9659: 8 MiB is what a client must offer
_INPUT_SLICE = 512  # compressed bytes per step: 512 bytes of zstd expand to 22 MB at most
_DECLARATION_BYTES = 4096  # WHATWG asks for 1024; real pages put long comments first

_META_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,400}?(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.+-]{2,40})""",
    re.IGNORECASE,
)
_HTTP_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_:.+-]{2,40})""", re.IGNORECASE)
_DECOMPOSED = re.compile(
    rf"[^\W\d_][\u0300-\u036f]+|[{character_class(KANA)}][\u3099\u309a]|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
)
"""A letter with combining marks, kana with a sound mark, conjoining Hangul."""
_COMBINING = re.compile("[\u0300-\u036f\u3099\u309a\u1161-\u1175]")
"""What each of them has in it."""
_NONCHARACTERS = {0xFFFE: None, 0xFFFF: None}

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decompressed:
    """A body after its Content-Encoding was undone."""

    body: bytes
    """At most `max_bytes` long."""
    completeness: Completeness
    """TRUNCATED: a compressed stream ended early; PARTIAL: it was damaged or used an encoding
    that cannot be undone. `body` then holds what came before the fault."""
    too_large: bool
    """The body would be longer than `max_bytes`, or was encoded too often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text and what decided its encoding."""

    text: str
    """As `words.storable`."""
    encoding: str
    """Lower-case WHATWG name ("utf-8", "gb18030", "windows-1251")."""
    source: str
    """"bom", "http", "meta", "utf-8" (valid as such, or plain ASCII) or "detector"."""


@dataclass(slots=True)
class _Step:
    """State of one decompression: collected output and how the stream ended."""

    output: bytearray
    completeness: Completeness = Completeness.COMPLETE
    too_large: bool = False


def decompress(body: bytes, content_encoding: str | None, *, max_bytes: int) -> Decompressed:
    """Undo a Content-Encoding header strictly: a stream without its end is never "complete".

    Bodies that do not begin like the encoding they are labelled with are passed through, because
    servers and archives label plain bodies as gzip. Output stops at `max_bytes`.
    """
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    names = [name for name in names if name and name not in {"identity", "none", "utf-8"}]
    if len(names) > MAX_NESTED_ENCODINGS:
        return Decompressed(body=b"", completeness=Completeness.PARTIAL, too_large=True)
    completeness, too_large = Completeness.COMPLETE, len(body) > max_bytes and not names
    for name in reversed(names):
        step = _undo(name, body, max_bytes)
        body = bytes(step.output)
        too_large = too_large or step.too_large
        if completeness is Completeness.COMPLETE:
            completeness = step.completeness
    return Decompressed(body=body[:max_bytes], completeness=completeness, too_large=too_large)


def _undo(name: str, body: bytes, limit: int) -> _Step:
    if not body:
        return _Step(bytearray())
    if name in {"gzip", "x-gzip"}:
        if not body.startswith(_GZIP_MAGIC):
            return _plain(body, limit)
        return _members(body, limit, _GZIP_MAGIC, lambda: zlib.decompressobj(wbits=31))
    if name == "deflate":
        # RFC 9110 means zlib; some servers send raw deflate
        is_zlib = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] * 256 + body[1]) % 31 == 0
        wbits = 15 if is_zlib else -15
        step = _members(body, limit, None, lambda: zlib.decompressobj(wbits=wbits))
        return step if step.output or is_zlib else _plain(body, limit)
    if name == "br":
        step = _unbrotli(body, limit)
        return step if step.output or not _looks_like_markup(body) else _plain(body, limit)
    if name == "zstd":
        return _unzstd(body, limit) if body.startswith(_ZSTD_MAGIC) else _plain(body, limit)
    step = _plain(body, limit)
    if not _looks_like_markup(body):  # "compress", "exi", "aes128gcm" …
        step.completeness = Completeness.PARTIAL
    return step


def _plain(body: bytes, limit: int) -> _Step:
    return _Step(bytearray(body[:limit]), too_large=len(body) > limit)


def _looks_like_markup(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf\t\r\n ")[:1] in {b"<", b"{", b"["}


def _members(
    body: bytes,
    limit: int,
    magic: bytes | None,
    new: Callable[[], zlib._Decompress],
) -> _Step:
    """Inflate one stream, or for gzip all members; bytes after the last one are ignored."""
    step, data = _Step(bytearray()), body
    while data:
        stream = new()
        try:
            step.output += stream.decompress(data, limit + 1 - len(step.output))
        except zlib.error:
            step.completeness = Completeness.PARTIAL
            return step
        if len(step.output) > limit:
            step.too_large = True
            return step
        if not stream.eof:
            step.completeness = Completeness.TRUNCATED
            return step
        data = stream.unused_data
        if magic is None or not data.startswith(magic):
            return step
    return step


def _unbrotli(body: bytes, limit: int) -> _Step:
    step, stream, data = _Step(bytearray()), brotli.Decompressor(), body
    try:
        while True:
            room = limit + 1 - len(step.output)
            chunk = stream.process(data, output_buffer_limit=room)
            step.output += chunk
            data = b""
            if len(step.output) > limit:
                step.too_large = True
                return step
            if stream.is_finished():
                return step
            if stream.can_accept_more_data():  # all input was taken, and the stream has not ended
                step.completeness = Completeness.TRUNCATED
                return step
            if not chunk:
                step.completeness = Completeness.PARTIAL
                return step
    except brotli.error:
        step.completeness = Completeness.PARTIAL
        return step


def _unzstd(body: bytes, limit: int) -> _Step:
    step, data = _Step(bytearray()), body
    while data.startswith(_ZSTD_MAGIC):
        stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        consumed = 0
        try:
            for piece in _slices(data):
                step.output += stream.decompress(piece)
                consumed += len(piece)
                if len(step.output) > limit:
                    step.too_large = True
                    return step
                if stream.eof:
                    break
        except zstandard.ZstdError:
            step.completeness = Completeness.PARTIAL
            return step
        if not stream.eof:
            step.completeness = Completeness.TRUNCATED
            return step
        data = data[consumed - len(stream.unused_data) :]
    return step


def _slices(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _INPUT_SLICE):
        yield data[start : start + _INPUT_SLICE]


def decode(
    body: bytes,
    *,
    content_type: str | None,
    url: str | None,
    language: str | None = None,
) -> Decoded:
    """Decode a text body: BOM, HTTP charset, meta charset, valid UTF-8, then a detector.

    A declared charset is believed when the bytes are plausible text in it; valid UTF-8 with
    several multi-byte characters beats a legacy label, which cannot be an accident. `language`
    (BCP 47) and the host of `url` only break ties between legacy charsets.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], name, "bom")
    if body.isascii() and b"\x1b$" not in body and b"\x1b(" not in body:
        return Decoded(text=storable(body.decode("ascii")), encoding="utf-8", source="utf-8")
    labels = _declared(body, content_type)
    utf8 = charsets.utf8_quality(body)
    legacy = any(not name.startswith("utf-") for _, name in labels)
    if utf8.is_certain or (utf8.faults == 0 and not legacy):
        source = next((where for where, name in labels if name == "utf-8"), "utf-8")
        return _decoded(body, "utf-8", source)
    guess = charsets.detect(body, declared=labels, url=url, language=language)
    if utf8.is_likely and guess.score < charsets.CERTAIN:
        source = next((where for where, name in labels if name == "utf-8"), "utf-8")
        return _decoded(body, "utf-8", source)
    return _decoded(body, guess.encoding, guess.source)


def _declared(body: bytes, content_type: str | None) -> tuple[tuple[str, str], ...]:
    """(source, encoding) of the HTTP and meta declarations that name a known charset."""
    declared: list[tuple[str, str]] = []
    if content_type and (match := _HTTP_CHARSET.search(content_type)):
        declared.append(("http", match[1]))
    if meta := _META_CHARSET.search(body, 0, _DECLARATION_BYTES):
        declared.append(("meta", meta[1].decode("ascii")))
    return tuple(
        (where, name)
        for where, label in declared
        if (name := charsets.known_name(label)) is not None
    )


def _decoded(body: bytes, encoding: str, source: str) -> Decoded:
    if encoding == "utf-8":
        # far faster on bytes than on text; valid UTF-8 holds no surrogates
        body = storable_bytes(body)
        text = body.decode("utf-8", errors="replace")
        return Decoded(
            text=text.translate(_NONCHARACTERS) if _has_noncharacter(body) else text,
            encoding=encoding,
            source=source,
        )
    text = body.decode(charsets.codec(encoding), errors="replace")
    return Decoded(text=storable(text), encoding=encoding, source=source)


def _has_noncharacter(body: bytes) -> bool:
    # one rare byte is looked for at the speed of memchr, three bytes far slower
    return b"\xef" in body and (b"\xef\xbf\xbe" in body or b"\xef\xbf\xbf" in body)


def composed(text: str) -> str:
    """A text with decomposed letters, kana and syllables put together, as NFC does.

    Letters that NFC would take apart (composition exclusions of Indic scripts, singletons) stay as
    published: they are what readers of those scripts type and search for.
    """
    if text.isascii() or not _COMBINING.search(text):
        return text
    return _DECOMPOSED.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)

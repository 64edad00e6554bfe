"""Body as fetched → text: Content-Encoding undone within a limit, then the character encoding."""

from aidivide_archive.decode.decoding import (
    Decoded,
    Decompressed,
    composed,
    decode,
    decompress,
)

__all__ = ["Decoded", "Decompressed", "composed", "decode", "decompress"]

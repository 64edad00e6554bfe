"""Two texts → what they share and how they are related; exact, no index."""

from aidivide_archive.copies.comparing import (
    COPIES_VERSION,
    Prepared,
    compare,
    mirrored,
    prepare,
)

__all__ = [
    "COPIES_VERSION",
    "Prepared",
    "compare",
    "mirrored",
    "prepare",
]

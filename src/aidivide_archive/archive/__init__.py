"""The archive: the only SQL beside `frontier`, and the writer thread that everything is written through."""

from aidivide_archive.archive.documents import Run
from aidivide_archive.archive.location import Location
from aidivide_archive.archive.store import Archive

__all__ = ["Archive", "Location", "Run"]

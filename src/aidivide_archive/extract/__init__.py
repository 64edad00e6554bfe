"""Capture body → clean text, metadata, page kind and links, from one parse.

`engine` is the only importer of trafilatura.
"""

from aidivide_archive.extract.engine import VERSION, Extracted, extract, version_with

__all__ = ["VERSION", "Extracted", "extract", "version_with"]

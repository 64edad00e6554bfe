"""What a worker does with one capture: bytes and profile in, judgement and values out. Pure.

One door, `read`; behind it a judge of the HTTP status, a reader of listings and a reader of pages.
It runs in a worker process under limits (`workers`); the parsed tree never leaves it.
"""

from aidivide_archive.ingest.reading.door import read
from aidivide_archive.ingest.reading.extracting import extraction_version
from aidivide_archive.ingest.reading.pages import judgement_version
from aidivide_archive.ingest.reading.values import Reading

__all__ = ["Reading", "extraction_version", "judgement_version", "read"]

"""Every failure the library raises. Judgements (rejected, unchanged …) are values, see `model`.

ArchiveError                     what happened, which input, what to do: one line
├─ ConfigError                   profile, option or environment invalid; exit code 2
│  └─ OptionsError               options of one call that mean nothing or do not go together
├─ MissingArchiveError           a reading command was pointed at nothing; exit code 2
├─ InvalidURLError               not a URL this archive can hold
├─ ExtractionError               the extractor failed on a capture; its bytes are kept
├─ ImportDataError               an input file or one of its records cannot be imported
├─ StoreError                    the database or the disk refused a write; nothing was acknowledged
│  ├─ SchemaVersionError         the database is not at this version's schema
│  └─ ArchiveLockedError         another process writes this SQLite archive
└─ ExportError                   an export could not be written
"""

from __future__ import annotations


class ArchiveError(Exception):
    """Base of all failures; its text is one line that a person can act on."""

    exit_code = 1


class ConfigError(ArchiveError):
    """An event profile, an option or an environment variable is invalid."""

    exit_code = 2


class OptionsError(ConfigError):
    """An option of a call means nothing, or does not go together with another; names them as the command does."""


class MissingArchiveError(ArchiveError):
    """A command that only reads was pointed at a place without an archive."""

    exit_code = 2


class InvalidURLError(ArchiveError, ValueError):
    """The text is no absolute http(s) URL, or one this archive refuses to hold."""


class ExtractionError(ArchiveError):
    """An extraction stage failed on a document; the caller records it and keeps the bytes."""


class ImportDataError(ArchiveError):
    """An input file, or one record of it, cannot be imported; names file and line."""


class StoreError(ArchiveError):
    """A write failed: disk full, connection lost, constraint broken. Nothing of it was kept."""


class SchemaVersionError(StoreError):
    """The database was made by another version; names the command that helps."""


class ArchiveLockedError(StoreError):
    """Another process is writing this SQLite archive."""


class ExportError(ArchiveError):
    """An export could not be produced or written."""

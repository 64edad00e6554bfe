"""The environment variables of this program, each declared once: the code that reads them, `aidivide doctor` and the
documents take them from here. Also the event of a crawl that names none.

Settings of the crawler (`AIDIVIDE_…` in `crawler/settings.py`) are Scrapy's business, not the environment's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from aidivide_archive.exceptions import ConfigError

DEFAULT_EVENT = "ai-divide-forum-2025"
"""The built-in event of a crawl that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable. Empty counts as not set."""

    name: str
    topic: str
    """What it sets, in a word or two."""
    meaning: str
    """One sentence for people."""
    default: str = ""
    """What holds without it, in words."""

    @property
    def text(self) -> str | None:
        """Its value now; None when it is not set."""
        return os.environ.get(self.name) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteVariable(Variable):
    """A number of bytes, in decimal digits."""

    default_bytes: int

    @property
    def in_effect(self) -> int:
        """The number in effect. Raises ConfigError."""
        text = self.text
        if text is None:
            return self.default_bytes
        if not (text.isascii() and text.isdigit()):
            raise ConfigError(f"{self.name}={text!r} is no number of bytes")
        return int(text)


ARCHIVE = Variable(
    name="AIDIVIDE_ARCHIVE",
    topic="archive",
    meaning="Directory of the archive, when `--archive` does not name one.",
    default="./archive",
)
DATABASE_URL = Variable(
    name="AIDIVIDE_DATABASE_URL",
    topic="database",
    meaning="PostgreSQL database that holds the rows, when `--database` does not name one.",
    default="SQLite in the directory of the archive",
)
MIN_FREE_BYTES = ByteVariable(
    name="AIDIVIDE_MIN_FREE_BYTES",
    topic="least free disk",
    meaning="A crawl hands out no URL with less than this free on the disk of the archive; 0: whatever is free.",
    default="1 GiB",
    default_bytes=1 << 30,
)
WAL_ALARM_BYTES = ByteVariable(
    name="AIDIVIDE_WAL_ALARM_BYTES",
    topic="longest log",
    meaning="SQLite's write-ahead log is reported when it is longer; it grows while a reader keeps its snapshot.",
    default="256 MiB",
    default_bytes=256 << 20,
)
CRASH_AT = Variable(
    name="AIDIVIDE_CRASH_AT",
    topic="crash point",
    meaning="Where the process is killed, for tests of the archive's safety; see `crash_points`.",
    default="nowhere",
)
VARIABLES: tuple[Variable, ...] = (ARCHIVE, DATABASE_URL, MIN_FREE_BYTES, WAL_ALARM_BYTES, CRASH_AT)
"""All of them, in the order of the documents."""

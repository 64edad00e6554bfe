"""Runs: every process that writes to an archive leaves a row of one kind."""

from __future__ import annotations

from enum import StrEnum


class RunKind(StrEnum):
    """What a run did."""

    CRAWL = "crawl"
    IMPORT = "import"
    REPROCESS = "reprocess"
    JUDGE = "judge"  # a person's judgement on a pair of articles
    CLUTTER = "clutter"  # a person's decision about a line of a site
    REBUILD = "rebuild"  # matches and stories computed again
    MERGE = "merge"
    PURGE = "purge"

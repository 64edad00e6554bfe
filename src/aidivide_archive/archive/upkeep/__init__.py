"""Rare works on an archive: merging, purging, verifying, judging."""

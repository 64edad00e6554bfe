"""Matches and judgements → stories, with roles and origin; a pure graph."""

from aidivide_archive.stories.building import (
    STORIES_VERSION,
    build_stories,
)

__all__ = [
    "STORIES_VERSION",
    "build_stories",
]

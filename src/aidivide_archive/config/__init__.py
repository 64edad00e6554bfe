"""The event profile: one TOML file that says what is archived, from where, and how politely.

Reads profile files and their source lists, nothing else; knows nothing of fetching or of SQL.
"""

from aidivide_archive.config.loading import builtin_events, load_profile
from aidivide_archive.config.profile import Profile
from aidivide_archive.config.reference import profile_reference, profile_schema
from aidivide_archive.config.sections import (
    Event,
    Exclude,
    Fetch,
    Group,
    Limits,
    NearMiss,
    Politeness,
    RelevanceRules,
    Rights,
    Source,
    SourceList,
    Window,
)

__all__ = [
    "Event",
    "Exclude",
    "Fetch",
    "Group",
    "Limits",
    "NearMiss",
    "Politeness",
    "Profile",
    "RelevanceRules",
    "Rights",
    "Source",
    "SourceList",
    "Window",
    "builtin_events",
    "load_profile",
    "profile_reference",
    "profile_schema",
]

"""The settings of the add-on: where to archive, and what for."""

from __future__ import annotations

from scrapy.settings import BaseSettings

from aidivide_archive.archive import Location
from aidivide_archive.config import Profile, load_profile
from aidivide_archive.environment import ARCHIVE, DATABASE_URL

EVENT = "AIDIVIDE_EVENT"


def is_archiving(settings: BaseSettings) -> bool:
    """Whether a setting, else the environment, names a directory. An empty setting switches archiving off."""
    return bool(_directory(settings))


def chosen_location(settings: BaseSettings) -> Location:
    """The settings named as the environment's variables, before these. Raises ConfigError."""
    return Location.resolve(_directory(settings), settings.get(DATABASE_URL.name))


def chosen_profile(settings: BaseSettings) -> Profile | None:
    """The profile that AIDIVIDE_EVENT names (a built-in event or a file); None: for no event. Raises ConfigError."""
    event = settings.get(EVENT)
    return load_profile(str(event)) if event else None


def _directory(settings: BaseSettings) -> str | None:
    directory = settings.get(ARCHIVE.name)
    return ARCHIVE.text if directory is None else str(directory)

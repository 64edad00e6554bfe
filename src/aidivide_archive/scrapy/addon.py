"""`ADDONS = {"aidivide_archive.scrapy.ArchiveAddon": 500}`: what another Scrapy project fetches goes into an archive."""

from __future__ import annotations

from scrapy.exceptions import NotConfigured
from scrapy.settings import BaseSettings

NEXT_TO_SPIDER = 950
"""Behind Scrapy's HttpErrorMiddleware (50): only what the spider's callback receives is archived."""


class ArchiveAddon:
    """Adds the two components that archive (docs/scrapy-addon.md); the project's own stay as they are."""

    def update_settings(self, settings: BaseSettings) -> None:
        # here: Scrapy loads the add-on for commands that crawl nothing as well
        from aidivide_archive.scrapy.capture import PRIORITY
        from aidivide_archive.scrapy.middlewares import ArchiveResponses, KeepExchange
        from aidivide_archive.scrapy.options import is_archiving

        if not is_archiving(settings):
            raise NotConfigured("AIDIVIDE_ARCHIVE names no directory, so nothing is archived")
        for setting, component, priority in (
            ("DOWNLOADER_MIDDLEWARES", KeepExchange, PRIORITY),
            ("SPIDER_MIDDLEWARES", ArchiveResponses, NEXT_TO_SPIDER),
        ):
            settings.setdefault_in_component_priority_dict(setting, component, priority)

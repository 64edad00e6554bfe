"""Archiving from Scrapy: the add-on for other people's projects, and what the crawler shares with it.

The one place of the library that knows Scrapy; nothing else of the library may import it. Inside this package
`import scrapy` means Scrapy itself, as everywhere.
"""

from aidivide_archive.scrapy.addon import ArchiveAddon

__all__ = ["ArchiveAddon"]

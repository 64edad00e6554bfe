"""`scrapy crawl coverage`: the coverage of an event, from feeds, sitemaps, hubs and seeds of its profile."""

from __future__ import annotations

from .base import ArchiveSpider


class CoverageSpider(ArchiveSpider):
    """Fetch what the profile's sources name and link to.

    Arguments: event (name or file of a profile), archive (directory), database (PostgreSQL URL),
    revisit (none: new pages only; all: fetch every archived page again), wait (1: wait for another writer).
    """

    name = "coverage"

"""What Scrapy writes about items: one line, without bodies."""

from __future__ import annotations

from typing import Any

from scrapy import Spider
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from twisted.python.failure import Failure


class QuietDrops(LogFormatter):
    """Documents are in the ledger with their reason: the log need not repeat them."""

    def scraped(
        self, item: Any, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        return {
            "level": 10,
            "msg": "%(url)s: %(state)s",
            "args": {"url": item.url, "state": item.outcome.reason},
        }

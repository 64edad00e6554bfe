"""What Scrapy logs about documents: one line each, without their texts."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Spider
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from twisted.python.failure import Failure

from aidivide_archive.model import Document


class DocumentLog(LogFormatter):
    """Scrapy's own lines hold the whole item; a document is in the ledger with its reason, and its text is long."""

    def scraped(
        self, item: Document, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        return _line(logging.DEBUG, item, str(item.outcome.reason))

    def dropped(
        self,
        item: Document,
        exception: BaseException,
        response: Response | Failure | None,
        spider: Spider,
    ) -> LogFormatterResult:
        return _line(logging.WARNING, item, str(exception))

    def item_error(
        self,
        item: Document,
        exception: BaseException,
        response: Response | Failure | None,
        spider: Spider,
    ) -> LogFormatterResult:
        """The traceback follows in the log."""
        return _line(logging.ERROR, item, f"{type(exception).__name__} while it was stored")


def _line(level: int, document: Document, what: str) -> LogFormatterResult:
    arguments: dict[str, Any] = {"url": document.url, "what": what}
    return {"level": level, "msg": "%(url)s: %(what)s", "args": arguments}

"""`scrapy crawl` with one-line errors and exit codes that tell the truth.

Scrapy's own command exits with 0 after a crawl in which everything failed.
"""

from __future__ import annotations

import argparse
import sys

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError

from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.model import UrlState
from crawler.session import Session
from crawler.spiders.base import ArchiveSpider, open_session


class Command(BaseRunSpiderCommand):
    requires_project = True

    def syntax(self) -> str:
        return "[options] <spider>"

    def short_desc(self) -> str:
        return "Crawl into the archive (0 done, 1 failed, 2 usage, 3 part failed, 130 interrupted)"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            raise UsageError("name one spider: scrapy crawl coverage")
        assert self.crawler_process is not None
        try:
            spider_class = self.crawler_process.spider_loader.load(args[0])
        except KeyError:
            names = ", ".join(self.crawler_process.spider_loader.list())
            self._fail(f"there is no spider {args[0]!r}; there are: {names}", 2)
            return
        if not issubclass(spider_class, ArchiveSpider):
            raise UsageError(f"{args[0]} is no spider of this project")
        try:
            session = open_session(**opts.spargs)
        except ArchiveError as error:
            self._fail(str(error), error.exit_code)
            return
        self.crawler_process.crawl(spider_class, session=session)
        self.crawler_process.start()
        self.exitcode = self._end(session)

    def _end(self, session: Session) -> int:
        if session.failure is not None:
            print(f"error: {session.failure}", file=sys.stderr)  # noqa: T201  # a command speaks
        elif session.finish_reason is None:
            print("error: the crawl did not start; see the log", file=sys.stderr)  # noqa: T201
        else:
            print(_summary(session), file=sys.stderr)  # noqa: T201
        return session.exit_code

    def _fail(self, message: str, code: int) -> None:
        print(f"error: {message}", file=sys.stderr)  # noqa: T201
        self.exitcode = code


def _summary(session: Session) -> str:
    """The end of a crawl in one line: what happened, what is safe, what to do next."""
    counts = session.counts
    kept = counts["reason/kept"] + counts["reason/review"]
    words = [
        f"{sum(counts[state] for state in UrlState)} URLs fetched",
        f"{kept} articles ({counts['stored/new']} new, {counts['stored/revised']} revised)",
        f"{counts[UrlState.REJECTED]} not taken",
    ]
    if counts[UrlState.FAILED] + counts[UrlState.DEAD]:
        words.append(f"{counts[UrlState.FAILED] + counts[UrlState.DEAD]} failures")
    if counts["sources_down"]:
        words.append(f"{counts['sources_down']} feeds, sitemaps or hubs could not be read")
    if session.left:
        words.append(f"{session.left} wait for the next run")
    where = f"aidivide status --archive {session.archive.location.directory}"
    if session.finish_reason == "shutdown":
        return f"stopped: {', '.join(words)}; all of it is safe, the same command goes on. See: {where}"
    return f"{session.finish_reason}: {', '.join(words)}. Next: {where}"

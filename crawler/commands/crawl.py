"""`scrapy crawl` with one-line errors and exit codes that tell the truth.

Scrapy's own command exits with 0 after a crawl in which everything failed.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import BaseRunSpiderCommand
from scrapy.crawler import AsyncCrawlerProcess, CrawlerProcess
from scrapy.exceptions import UsageError
from scrapy.utils.defer import deferred_from_coro

from aidivide_archive.display import counted
from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.ingest import PRELOAD
from aidivide_archive.model import Reason, UrlState
from aidivide_archive.workers import Starter

if TYPE_CHECKING:
    from ..session import Session

INTERRUPTED = 130
_GC_THRESHOLD = (20_000, 50, 100)
"""Python's 700, 10, 10 cost a crawl 6 % of its process's time."""


class Command(BaseRunSpiderCommand):
    requires_project = True

    def syntax(self) -> str:
        return "[options] <spider>"

    def short_desc(self) -> str:
        return "Crawl into the archive (0 done, 1 failed, 2 usage, 3 part failed, 130 interrupted)"

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Begin the workers' loading before Scrapy loads the spiders and all they need: half a second is saved."""
        super().process_options(args, opts)
        self._starter = Starter(PRELOAD)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        session = self._opened(args, opts)
        if session is None:
            self._starter.close()
            return
        gc.freeze()  # what is loaded by now stays; Python would look through all of it again and again
        gc.set_threshold(*_GC_THRESHOLD)
        self._interrupts = 0
        assert self.crawler_process is not None
        self.crawler_process.crawl(self._spider_class, session=session)
        self._listen_for_interrupts()
        self.crawler_process.start(install_signal_handlers=False)
        session.abandon()
        self.exitcode = self._end(session)

    def _opened(self, args: list[str], opts: argparse.Namespace) -> Session | None:
        """The session of the crawl that was asked for; None when it cannot begin: then the reason is printed."""
        from ..spiders.base import ArchiveSpider, open_session

        if len(args) != 1:
            raise UsageError("name one spider: scrapy crawl coverage")
        assert self.crawler_process is not None
        try:
            self._spider_class = self.crawler_process.spider_loader.load(args[0])
        except KeyError:
            names = ", ".join(self.crawler_process.spider_loader.list())
            self._fail(f"there is no spider {args[0]!r}; there are: {names}", 2)
            return None
        if not issubclass(self._spider_class, ArchiveSpider):
            raise UsageError(f"{args[0]} is no spider of this project")
        try:
            return open_session(self._starter, **opts.spargs)
        except ArchiveError as error:
            self._fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            _say("interrupted before the first request; the same command begins again")
            self.exitcode = INTERRUPTED
        return None

    def _listen_for_interrupts(self) -> None:
        """In place of Scrapy's handlers, which announce the stop in the log only."""
        from twisted.internet import reactor

        loop: Any = reactor

        def caught(_number: int, _frame: object) -> None:
            # nothing may be printed here: the interrupted code may be writing to the same stream
            loop.callFromThread(self._interrupted)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, caught)

    def _interrupted(self) -> None:
        """First: finish what is under way. Again: end now, as a killed crawl does."""
        from twisted.internet import reactor

        assert isinstance(self.crawler_process, AsyncCrawlerProcess | CrawlerProcess)
        loop: Any = reactor
        self._interrupts += 1
        if self._interrupts == 1:
            _say("stopping as soon as what is under way is stored; Ctrl-C again stops at once")
            deferred_from_coro(self.crawler_process.stop())
        elif self._interrupts == 2:
            loop.stop()

    def _end(self, session: Session) -> int:
        if session.failure is not None:
            _say(f"error: {session.failure}")
        elif session.finish_reason is not None:
            _say(_summary(session))
        elif self._interrupts:
            _say("stopped at once: what was stored is safe; the same command goes on")
            return INTERRUPTED
        else:
            _say("error: the crawl did not start; see the log")
        return session.exit_code

    def _fail(self, message: str, code: int) -> None:
        _say(f"error: {message}")
        self.exitcode = code


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201  # a command speaks


def _summary(session: Session) -> str:
    """The end of a crawl in one line: what happened, what is safe, what to do next."""
    counts = session.counts
    sources = counts[f"reason/{Reason.READ}"] + counts["sources_down"]
    pages = sum(counts[state] for state in UrlState) - sources
    kept = counts[f"reason/{Reason.KEPT}"] + counts[f"reason/{Reason.REVIEW}"]
    words = [
        f"{counted(pages, 'page')}, {counted(sources, 'feed, sitemap or hub', 'feeds, sitemaps and hubs')}",
        f"{kept} articles kept ({counts['stored/new']} new, {counts['stored/revised']} revised)",
        f"{counts[UrlState.REJECTED]} not taken",
    ]
    if not sources:
        words[0] = counted(pages, "page")
    if "stories" in counts:
        words.append(f"{counted(counts['stories'], 'story', 'stories')} of two or more")
    if counts[UrlState.FAILED] + counts[UrlState.DEAD]:
        words.append(f"{counts[UrlState.FAILED] + counts[UrlState.DEAD]} failed")
    if counts["sources_down"]:
        words.append(f"{counts['sources_down']} feeds, sitemaps or hubs could not be read")
    if session.left:
        words.append(f"{session.left} wait for the next run")
    account = ", ".join(words)
    if session.finish_reason == "shutdown":
        return f"stopped: {account}; all of it is safe, the same command goes on"
    where = _shown(session.archive.location.directory)
    return f"{session.finish_reason}: {account}. Next: {_program()} status --archive {where}"


def _program() -> str:
    """How to call the other commands from where the user stands."""
    beside = Path(sys.executable).with_name("aidivide")
    if shutil.which("aidivide") or not beside.exists():
        return "aidivide"
    return _shown(beside)


def _shown(path: Path) -> str:
    """A path as short as it can be from where the user stands; `aidivide crawl` moves this process elsewhere."""
    here = os.environ.get("PWD") or str(Path.cwd())
    try:
        return str(path.absolute().relative_to(here))
    except ValueError:
        return str(path)

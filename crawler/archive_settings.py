"""Scrapy settings of spiders that fill an archive (`spiders/base.py`), beside those of `settings.py`.

Every value that differs from Scrapy's default, with that default and the reason. Apart from the project's own
settings, so that `scrapy shell`, `scrapy fetch` and spiders without an archive have Scrapy as it is.

What depends on the event (delay, user agent, limits, addresses) comes from its profile: see `spiders/base.py`.
"""

from __future__ import annotations

from typing import Any

from aidivide_archive.scrapy.capture import PRIORITY

_here = __name__.rpartition(".")[0]

ARCHIVE_SETTINGS: dict[str, Any] = {
    # --- the queue and the acknowledgement are the archive's ---------------------------------------
    "SCHEDULER": f"{_here}.scheduler.FrontierScheduler",  # default Scheduler; JOBDIR loses a killed crawl
    "ITEM_PIPELINES": {f"{_here}.pipelines.ArchivePipeline": 500},
    "EXTENSIONS": {
        f"{_here}.extensions.SessionLifecycle": 0,
        f"{_here}.extensions.Progress": 10,
        "scrapy.extensions.logstats.LogStats": None,  # our progress says more
    },
    "LOG_FORMATTER": f"{_here}.log.DocumentLog",  # default LogFormatter; texts never in the log
    # --- fetching ----------------------------------------------------------------------------------
    "CONCURRENT_REQUESTS": 32,  # default 16; many hosts, few requests each
    "CONCURRENT_ITEMS": 1,  # default 100 tasks started for every response; ours gives one document
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 64_000_000,  # default 5 MB: too few pages in work for the pool
    "DOWNLOAD_DELAY": 0,  # default 1 in new projects; the delay is kept by the host gate
    "DOWNLOAD_TIMEOUT": 60,  # default 180; bounds the whole transfer
    "DOWNLOAD_FAIL_ON_DATALOSS": False,  # default True; a cut body is kept and judged, not thrown away
    "COOKIES_ENABLED": False,  # default True; a crawler has no session to keep
    "HTTPPROXY_ENABLED": False,  # default True; a proxy would bypass the address guard
    "REFERER_ENABLED": False,  # default True; requests come from the frontier, not from a page
    "COMPRESSION_ENABLED": False,  # default True; bodies are captured as fetched, a worker decompresses
    "RETRY_ENABLED": False,  # default True; retries go through the frontier, with their lease acknowledged
    "REDIRECT_ENABLED": False,  # default True; targets are URLs of their own: robots, guard and budget apply
    "METAREFRESH_ENABLED": False,  # default True; the same
    "ROBOTSTXT_OBEY": False,  # our own middleware obeys (Scrapy's leaks under concurrency)
    "HTTPERROR_ALLOW_ALL": True,  # default False; every status is an outcome
    "DEFAULT_REQUEST_HEADERS": {
        "Accept-Encoding": "gzip, deflate, br, zstd"  # set by the middleware that is switched off
    },
    "DOWNLOAD_HANDLERS": {  # default: also file, ftp, s3, data
        "http": f"{_here}.download.BoundedHandler",  # default http11's; heads bounded, overlong bodies seen
        "https": f"{_here}.download.BoundedHandler",
        "file": None,
        "ftp": None,
        "s3": None,
        "data": None,
    },
    "DOWNLOADER_MIDDLEWARES": {
        f"{_here}.middlewares.AddressGuard": 50,
        f"{_here}.robots.Robots": 100,
        f"{_here}.site_rights.SiteRights": 110,  # for what robots.txt allows, and for pages alone
        f"{_here}.host_gate.HostGate": 900,  # the last that may hold a request back
        f"{_here}.middlewares.CaptureResponse": PRIORITY,  # the innermost: bodies are still as fetched
        "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the profile decides what is allowed
        "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
        "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
        "scrapy.downloadermiddlewares.stats.DownloaderStats": None,  # bytes of heads that nobody asks for
    },
    "SPIDER_MIDDLEWARES": {
        "scrapy.spidermiddlewares.depth.DepthMiddleware": None,  # spiders yield no requests
        "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    },
}

"""Scrapy settings: every value that differs from Scrapy's default, with that default and the reason.

What depends on the event (delay, user agent, limits, addresses) comes from its profile: see `spiders/coverage.py`.
"""

from __future__ import annotations

BOT_NAME = "aidivide-archive"  # default "scrapybot"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
COMMANDS_MODULE = "crawler.commands"  # default ""; `crawl` with honest exit codes

# --- the queue and the acknowledgement are the archive's -----------------------------------------
SCHEDULER = "crawler.scheduler.FrontierScheduler"  # default Scheduler; JOBDIR loses a killed crawl
ITEM_PIPELINES = {"crawler.pipelines.ArchivePipeline": 500}
EXTENSIONS = {
    "crawler.extensions.CrawlLedger": 0,
    "crawler.extensions.Progress": 10,
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.logstats.LogStats": None,  # our progress says more
}

# --- no listening port while crawling ------------------------------------------------------------
TELNETCONSOLE_ENABLED = False  # default True; executes code, its password is in the log
REMOTE_CONTROL_ENABLED = False  # default True since 2.19; executes code sent over local HTTP

# --- fetching ------------------------------------------------------------------------------------
CONCURRENT_REQUESTS = 32  # default 16; many hosts, few requests each
CONCURRENT_ITEMS = 1  # default 100 tasks started for every response; ours gives one document
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 64_000_000  # default 5 MB: too few pages in work for the pool
DOWNLOAD_DELAY = 0  # default 1 in new projects; the delay is kept by crawler.politeness
DOWNLOAD_TIMEOUT = 60  # default 180; bounds the whole transfer
DOWNLOAD_FAIL_ON_DATALOSS = False  # default True; a cut body is kept and judged, not thrown away
DNS_TIMEOUT = 10  # default 60
COOKIES_ENABLED = False  # default True; a crawler has no session to keep
HTTPPROXY_ENABLED = (
    False  # default True; a proxy from the environment would bypass the address guard
)
REFERER_ENABLED = False  # default True; requests come from the frontier, not from a page
COMPRESSION_ENABLED = False  # default True; bodies are captured as fetched, a worker decompresses
RETRY_ENABLED = (
    False  # default True; retries go through the frontier, with their lease acknowledged
)
REDIRECT_ENABLED = (
    False  # default True; targets are URLs of their own: robots, guard and budget apply
)
METAREFRESH_ENABLED = False  # default True; the same
ROBOTSTXT_OBEY = False  # default False; our own middleware obeys (Scrapy's leaks under concurrency)
HTTPERROR_ALLOW_ALL = True  # default False; every status is an outcome
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "*",  # default "en"; outlets of every language
    "Accept-Encoding": "gzip, deflate, br, zstd",  # set by the middleware we switch off
}
DOWNLOAD_HANDLERS = {  # default: also file, ftp, s3, data
    "http": "crawler.download.BoundedHandler",  # default http11's; heads bounded, overlong bodies seen
    "https": "crawler.download.BoundedHandler",
    "file": None,
    "ftp": None,
    "s3": None,
    "data": None,
}
DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.AddressGuard": 50,
    "crawler.robots.Robots": 100,
    "crawler.site_rights.SiteRights": 110,  # for what robots.txt allows, and for pages alone
    "crawler.politeness.Politeness": 900,  # the last that may hold a request back
    "crawler.middlewares.CaptureResponse": 995,  # the innermost: bodies are still as fetched
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the profile decides what is allowed
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,  # bytes of heads that nobody asks for
}
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,  # spiders yield no requests
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
}

# --- output --------------------------------------------------------------------------------------
LOG_LEVEL = "WARNING"  # default "DEBUG"; the progress line and the closing summary are for people
LOG_FORMATTER = (
    "crawler.log.QuietDrops"  # default LogFormatter; bodies and passwords never in the log
)
FEED_EXPORT_ENCODING = "utf-8"  # default None (ASCII escapes in JSON)

# --- AIDIVIDE_*: settings of this project --------------------------------------------------------
AIDIVIDE_BUFFER = 64  # URLs leased ahead of the downloader
AIDIVIDE_HEARTBEAT_SECONDS = 30  # how often leases and hosts are renewed
AIDIVIDE_ROBOTS_SECONDS = 30  # how long one answer for robots.txt may take
AIDIVIDE_MAX_WAIT_SECONDS = 120  # a URL due later than this is left to the next run
AIDIVIDE_SPACE_WAIT_SECONDS = 600  # a disk without room for longer than this ends the crawl

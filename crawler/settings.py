"""Scrapy settings of the project: every value that differs from Scrapy's default, with that default and the reason.

Those of a crawl into an archive stand in `archive_settings.py`; `scrapy shell` and `scrapy fetch` do without them.
"""

from __future__ import annotations

_here = __name__.rpartition(".")[0]
"""`crawler` in a checkout, `aidivide_archive.crawler` in an installation."""

BOT_NAME = "aidivide-archive"  # default "scrapybot"
SPIDER_MODULES = [f"{_here}.spiders"]
NEWSPIDER_MODULE = f"{_here}.spiders"
COMMANDS_MODULE = f"{_here}.commands"  # default ""; `crawl` with honest exit codes

# --- no listening port while crawling ------------------------------------------------------------
TELNETCONSOLE_ENABLED = False  # default True; executes code, its password is in the log
REMOTE_CONTROL_ENABLED = False  # default True since 2.19; executes code sent over local HTTP
EXTENSIONS = {"scrapy.extensions.telnet.TelnetConsole": None}

# --- fetching ------------------------------------------------------------------------------------
ROBOTSTXT_OBEY = True  # default False; also for a page that is looked at by hand
DNS_TIMEOUT = 10  # default 60
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "*",  # default "en"; outlets of every language
}

# --- output --------------------------------------------------------------------------------------
LOG_LEVEL = "WARNING"  # default "DEBUG"; the progress line and the closing summary are for people
FEED_EXPORT_ENCODING = "utf-8"  # default None (ASCII escapes in JSON)

# --- AIDIVIDE_*: settings of this project --------------------------------------------------------
AIDIVIDE_BUFFER = 64  # URLs leased ahead of the downloader
AIDIVIDE_HEARTBEAT_SECONDS = 30  # how often leases and hosts are renewed
AIDIVIDE_ROBOTS_SECONDS = 30  # how long one answer for robots.txt may take
AIDIVIDE_MAX_WAIT_SECONDS = 120  # a URL due later than this is left to the next run
AIDIVIDE_SPACE_WAIT_SECONDS = 600  # a disk without room for longer than this ends the crawl

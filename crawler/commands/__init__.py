"""Commands for `scrapy`: `crawl`, with exit codes that say how the crawl ended."""

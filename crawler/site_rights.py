"""Asks each site once a run for its `/.well-known/tdmrep.json`; what it says goes with every page of the site."""

from __future__ import annotations

import asyncio
from typing import Self
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.crawler import Crawler

from aidivide_archive.model import UrlKind
from aidivide_archive.rights import MAX_TDMREP_BYTES, tdmrep_statements

from . import meta

TDMREP_REDIRECTS = 3
TDMREP_SECONDS = 30


class SiteRights:
    """One fetch per origin, shared by all requests that wait for it. No answer, and any but 200: no statement."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._files: dict[str, asyncio.Task[bytes]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        leased = request.meta.get(meta.LEASED)
        if leased is None or leased.kind is not UrlKind.PAGE:
            return
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._files:
            fetch = self._fetch(origin, request.meta[meta.DOWNLOAD_SLOT])
            self._files[origin] = asyncio.ensure_future(fetch)
        body = await asyncio.shield(self._files[origin])
        request.meta[meta.SITE_STATEMENTS] = tdmrep_statements(body, request.url)

    async def _fetch(self, origin: str, slot: str) -> bytes:
        url = f"{origin}/.well-known/tdmrep.json"
        for _ in range(TDMREP_REDIRECTS + 1):
            request = Request(
                url,
                priority=1000,
                # fetched like robots.txt: the address guard applies, robots.txt itself does not
                meta={
                    meta.IS_SITE_FILE: True,
                    meta.DOWNLOAD_SLOT: slot,
                    "download_timeout": TDMREP_SECONDS,
                    "download_maxsize": MAX_TDMREP_BYTES,
                },
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                dont_filter=True,
            )
            assert self._crawler.engine is not None
            try:
                response = await self._crawler.engine.download_async(request)
            except Exception:  # noqa: BLE001  # a site that does not answer has stated nothing
                return b""
            location = response.headers.get("Location")
            if not (300 <= response.status < 400 and location):
                return response.body if response.status == 200 else b""
            url = urljoin(url, location.decode("latin-1"))
        return b""

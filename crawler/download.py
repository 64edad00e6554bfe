"""Scrapy's HTTP handler, with two things it does not watch: the size of a response's head, and a body that is longer
than it was announced.
"""

from __future__ import annotations

from typing import Any

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.crawler import Crawler
from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, HTTP11ClientProtocol
from twisted.web.http import _DataLoss

MAX_HEAD_BYTES = 256 * 1024
"""Status line and headers; browsers stop at about as much (Chromium: 256 KiB)."""


class HeadTooLargeError(Exception):
    """A server sent more headers than are read."""


class _Overlong:
    """In place of a body decoder whose message went on behind its end."""

    def noMoreData(self) -> None:  # noqa: N802  # Twisted's interface
        raise _DataLoss("more came than was announced")


class BoundedProtocol(_LenientHTTP11ClientProtocol):
    """A connection that ends when a head is too large, and calls an overlong body incomplete."""

    _head_bytes = 0

    def request(self, request: Any) -> Any:
        self._head_bytes = 0
        return super().request(request)

    def dataReceived(self, bytes: bytes) -> None:  # noqa: A002, N802  # Twisted's names
        parser: Any = self._parser
        if parser is not None and parser.state in (STATUS, HEADER):
            self._head_bytes += len(bytes)
            if self._head_bytes > MAX_HEAD_BYTES and not _head_is_over(bytes, self._head_bytes):
                error = HeadTooLargeError(f"the headers are longer than {MAX_HEAD_BYTES} bytes")
                self._giveUp(Failure(error))  # type: ignore[no-untyped-call]
                return
        super().dataReceived(bytes)  # type: ignore[no-untyped-call]

    def _finishResponse_WAITING(self, rest: bytes) -> None:  # noqa: N802  # Twisted's names
        parser: Any = self._parser
        # some servers end a body with a line break of their own
        if rest.strip() and parser is not None and parser.bodyDecoder is not None:
            parser.bodyDecoder = _Overlong()
            current: Any = self._currentRequest
            current.persistent = False
        super()._finishResponse_WAITING(rest)

    _finishResponse_TRANSMITTING = _finishResponse_WAITING  # noqa: N815


def _head_is_over(data: bytes, received: int) -> bool:
    """Whether a head ended in the first bytes that arrived, with a large part of the body behind it."""
    return received == len(data) and (b"\r\n\r\n" in data[:MAX_HEAD_BYTES])


class _Factory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: IAddress | None) -> HTTP11ClientProtocol:  # noqa: N802
        return BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class BoundedHandler(HTTP11DownloadHandler):
    """For http and https."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _Factory  # noqa: SLF001  # as Scrapy's own handler does

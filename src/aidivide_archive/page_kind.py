"""What a page is: an article, or one of the things that only look like one. Pure judgement."""

from __future__ import annotations

from lxml.html import HtmlElement

from aidivide_archive.model import PageKind


def judge(tree: HtmlElement, text: str, *, title: str | None = None, status: int = 200) -> PageKind:
    """The kind of a page by its tree, its extracted text and its HTTP status (0: unknown)."""
    if status >= 400:
        return PageKind.ERROR_PAGE
    if not text.strip():
        return PageKind.EMPTY
    return PageKind.ARTICLE

"""What the log says of a document: where it came from and what became of it, never its text."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from scrapy import Spider
from scrapy.exceptions import DropItem
from scrapy.logformatter import LogFormatterResult

from aidivide_archive.model import (
    Document,
    Extraction,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    UrlState,
)
from crawler.log import DocumentLog

URL = "https://harbour.example/ferry"
TEXT = "The ferry left the harbour before dawn and came back empty."
SPIDER = cast("Spider", SimpleNamespace(name="coverage"))


def document() -> Document:
    metadata = Metadata(title="A ferry", authors=("Ada Quill",), description=TEXT)
    return Document(
        url_id=1,
        url=URL,
        outcome=Outcome(state=UrlState.DONE, reason=Reason.KEPT),
        finished_at=datetime.now(UTC),
        extraction=Extraction(
            version="1", page_kind=PageKind.ARTICLE, text=TEXT, metadata=metadata
        ),
    )


def formatted(result: LogFormatterResult) -> str:
    arguments: Any = result["args"]
    return result["msg"] % arguments


@pytest.mark.parametrize(
    ("result", "expected", "level"),
    [
        (DocumentLog().scraped(document(), None, SPIDER), f"{URL}: kept", 10),
        (
            DocumentLog().dropped(
                document(), DropItem("not stored: the disk is full"), None, SPIDER
            ),
            f"{URL}: not stored: the disk is full",
            30,
        ),
        (
            DocumentLog().item_error(document(), KeyError("harbour"), None, SPIDER),
            f"{URL}: KeyError while it was stored",
            40,
        ),
    ],
    ids=["scraped", "dropped", "error"],
)
def test_a_document_is_one_line_without_its_text(
    result: LogFormatterResult, expected: str, level: int
):
    assert formatted(result) == expected
    assert result["level"] == level

"""Article rows for the tests of exports: one of everything, and hostile ones."""

from __future__ import annotations

from typing import Any

from aidivide_archive.fields import ARTICLES

HOSTILE_TITLES = (
    '=HYPERLINK("http://evil.example","x")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><!-- x --><!DOCTYPE y>",
    "[x](javascript:alert(1)) ![y](data:text/html,z)",
    "../../etc/passwd",
    "CON",
    "NUL.txt",
    "C:\\Windows\\system32",
    "invoice\u202egnp.exe",
    "isolate \u2066\u2069 mark",
    "NUL \x00 ESC \x1b[31m CSI \x9b BEL \x07",
    "lone \ud800 surrogate",
    "line\nER  - \nTY  - BOOK",
    "line\u2028separator\x85next",
    "--- \nkey: value\n---",
    "{unbalanced } brace {",
    "50% & $5 #1 _under_ ~tilde^ \\input{x}",
    "@misc{evil, title={x}}",
    "' OR 1=1; DROP TABLE articles",
    'quotes " and \' and “those”',
    "#", "", " ",
)  # fmt: skip


def article(number: int, **values: Any) -> dict[str, Any]:
    """A row with every field of an article row."""
    identity = f"{number:012x}"
    row: dict[str, Any] = dict.fromkeys(column.name for column in ARTICLES)
    row |= {
        "id": f"a-{identity}",
        "url": f"https://one.example/news/{number}?a=1&b=x_y",
        "canonical_url": f"https://one.example/news/{number}",
        "site": "one.example",
        "outlet": "One Daily",
        "country": "GB",
        "title": f"Headline {number}",
        "authors": ["Ann Lee", "José Díaz"],
        "published_at": "2025-07-27T02:00:00Z",
        "published_from": "2025-07-27T02:00:00Z",
        "published_to": "2025-07-27T02:00:01Z",
        "published_source": "json-ld",
        "language": "en",
        "section": "World",
        "description": "What was said.",
        "word_count": 7,
        "text": f"First paragraph of {number}.\nSecond one: café, 弥合智能鸿沟.",
        "text_sha256": f"{number:064x}",
        "relevance_score": 12.5,
        "relevance_decision": "keep",
        "story_id": f"s-{identity}",
        "role": "origin",
        "captured_at": "2025-07-28T12:30:15Z",
        "event": "harbour-talks",
        "published_day": "2025-07-27",
        "access": "open",
        "complete": True,
        "credits": ["Meridian Wire"],
        "tags": ["talks", "schools"],
    }
    return row | values


ROWS = (
    article(1),
    article(
        2,
        title="弥合智能鸿沟",
        authors=["新华社"],
        language="zh",
        published_at=None,
        published_from="2025-07-27T16:00:00Z",
        published_to="2025-07-28T16:00:00Z",
        published_day="2025-07-28",
        complete=False,
    ),
    article(
        3,
        authors=[],
        outlet=None,
        published_from=None,
        published_to=None,
        published_at=None,
        published_day=None,
        access=None,
        complete=None,
    ),
)
HOSTILE = tuple(
    article(
        100 + number, title=title, outlet=title, authors=[title], section=title, text=f"{title}\nx"
    )
    for number, title in enumerate(HOSTILE_TITLES)
)

"""What a page states about its own use, in its own words: read from headers, metas and the site's tdmrep.json. Pure.

Read are the robots directives of page and response (`robots` meta, X-Robots-Tag), the TDM Reservation Protocol (W3C
community report of 2024: response header, meta, `/.well-known/tdmrep.json`) and licences. What the statements mean is
decided elsewhere (`rule`, `licences`), anew for each use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aidivide_archive.rights.directives import addresses_an_agent

MAX_STATEMENTS = 50
MAX_STATEMENT_CHARS = 500
MAX_TDMREP_BYTES = 256 * 1024
_MAX_TDMREP_RULES = 1000

TDM_RESERVATION = "tdm-reservation"
_TDM = (TDM_RESERVATION, "tdm-policy")
"""The two members of the TDM Reservation Protocol, named alike as header, meta and key of tdmrep.json."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about rights, in the words of the page."""

    source: str
    """Place and name: "header:x-robots-tag", "meta:robots", "meta:<agent>", "header:tdm-reservation",
    "meta:tdm-reservation", "well-known:tdm-reservation" (and "…tdm-policy"), "link:license", "header:license",
    "json-ld:license" …; "figure:license" for the licence of a picture; "text" for a line of the page's text, "meta" and
    "json-ld" for the rights line that its metadata shows."""
    value: str
    """As stated, on one line, at most MAX_STATEMENT_CHARS characters."""


# --- as a capture's row holds them ---------------------------------------------------------------


def as_stored(statements: Iterable[Statement], withheld: str | None) -> dict[str, Any] | None:
    """The value of `captures.rights`: what was stated, and why text and body were not kept; None: nothing of either."""
    listed = [{"source": one.source, "value": one.value} for one in statements]
    return {"statements": listed, "withheld": withheld} if listed or withheld else None


def from_stored(rights: Mapping[str, Any] | None) -> tuple[Statement, ...]:
    """The statements in a value of `captures.rights`."""
    listed = (rights or {}).get("statements", ())
    return tuple(Statement(one["source"], one["value"]) for one in listed)


# --- reading -------------------------------------------------------------------------------------


def header_statements(headers: Iterable[tuple[str, str]]) -> tuple[Statement, ...]:
    """The statements in response headers; every line of a repeated header counts."""
    statements = []
    for name, value in headers:
        lower = name.strip().lower()
        if lower in ("x-robots-tag", "license", *_TDM):
            statements.append(Statement(f"header:{lower}", value))
        elif lower == "link":
            statements += [Statement("header:license", url) for url in _licence_links(value)]
    return _bounded(statements)


def meta_statements(metas: Mapping[str, Sequence[str]]) -> tuple[Statement, ...]:
    """The statements in `<meta>` elements, by lower-case name: robots directives for anyone, TDM reservation.

    A name that is no known one counts as an agent's when its content consists of directives alone.
    """
    return _bounded(
        Statement(f"meta:{name}", value)
        for name, values in metas.items()
        for value in values
        if name in ("robots", *_TDM) or addresses_an_agent(name, value)
    )


def tdmrep_statements(body: bytes, url: str) -> tuple[Statement, ...]:
    """What a `/.well-known/tdmrep.json` says about a URL; nothing for a file that cannot be read.

    The first rule whose location matches the path decides, as in the protocol; `*` is any run of characters
    and a final `$` the end.
    """
    if len(body) > MAX_TDMREP_BYTES:
        return ()
    try:
        rules = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    for rule in rules[:_MAX_TDMREP_RULES] if isinstance(rules, list) else ():
        if isinstance(rule, dict) and _location_matches(rule.get("location"), path):
            return _bounded(
                Statement(f"well-known:{name}", str(rule[name]))
                for name in _TDM
                if isinstance(rule.get(name), str | int)
            )
    return ()


def _bounded(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Each statement once, on one line, the first fifty."""
    short = (
        Statement(one.source, " ".join(one.value.split())[:MAX_STATEMENT_CHARS])
        for one in statements
    )
    return tuple(dict.fromkeys(one for one in short if one.value))[:MAX_STATEMENTS]


def _licence_links(header: str) -> Iterator[str]:
    """Targets of rel=license in a Link header (RFC 8288); not those with an anchor, which speak of something else."""
    for target, parameters in re.findall(r"<([^<>]{1,2000})>([^<]{0,1000})", header):
        rel = re.search(r";\s*rel\s*=\s*\"?([^\";,]{1,200})", parameters, re.IGNORECASE)
        if rel is None or "license" not in rel[1].lower().split():
            continue
        if not re.search(r";\s*anchor\s*=", parameters, re.IGNORECASE):
            yield target


def _location_matches(location: object, path: str) -> bool:
    """Matching without backtracking: the pieces between the stars are looked for from left to right."""
    if not isinstance(location, str) or not location:
        return False
    pattern, anchored = (location[:-1], True) if location.endswith("$") else (location, False)
    pieces = pattern.split("*")
    if not path.startswith(pieces[0]):
        return False
    place = len(pieces[0])
    for piece in pieces[1:]:
        start = path.find(piece, place)
        if start < 0:
            return False
        place = start + len(piece)
    return not anchored or place == len(path) or (len(pieces) > 1 and path.endswith(pieces[-1]))

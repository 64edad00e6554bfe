"""What a page states about its own use, and what follows for keeping and passing on. Pure.

Read are the robots directives of page and response (`robots` meta, X-Robots-Tag), the TDM Reservation Protocol (W3C
community report of 2024: response header, meta, `/.well-known/tdmrep.json`) and licences. A statement is kept as it
stands; what it means is decided here, each time anew, so that another policy needs no second visit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

MAX_STATEMENTS = 50
MAX_STATEMENT_CHARS = 500
MAX_TDMREP_BYTES = 256 * 1024
_MAX_TDMREP_RULES = 1000

_PLAIN = frozenset(
    [
        "all",
        "none",
        "index",
        "noindex",
        "follow",
        "nofollow",
        "archive",
        "noarchive",
        "nocache",
        "snippet",
        "nosnippet",
        "imageindex",
        "noimageindex",
        "notranslate",
        "nositelinkssearchbox",
        "indexifembedded",
        "noodp",
        "noydir",
        "noai",
        "noimageai",
    ]
)
_WITH_VALUE = frozenset(
    ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"]
)
_AGENT = re.compile(r"[a-z0-9_*.-]{1,60}")
_OPEN_LICENCE = re.compile(
    r"creativecommons\.org/(?:licenses/by(?:-sa|-nc|-nc-sa)?/|publicdomain/)"
    r"|\bcc[ -]?(?:0\b|by(?:-(?:sa|nc|nc-sa))?\b(?!-nd|-nc-nd))"
    r"|\bpublic domain\b|open government licence|creative commons attribution(?! no-?derivatives)",
    re.IGNORECASE,
)
"""Licences under which anyone may pass the whole text on unchanged; those without derivatives are left out, because a
clean text is one."""
_NO_DERIVATIVES = re.compile(r"\bnd\b|-nd\b|no-?derivatives", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about rights, in the words of the page."""

    source: str
    """"header:x-robots-tag", "meta:robots", "meta:<agent>", "header:tdm-reservation", "meta:tdm-reservation",
    "well-known:tdm-reservation" (and "…tdm-policy"), "link:license", "header:license", "json-ld:license" …"""
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What the statements of one page forbid to one agent."""

    directives: frozenset[str] = frozenset()
    """Robots directives that hold for us, lower case, without values."""
    unavailable_after: datetime | None = None
    """The earliest one."""
    tdm_reserved: bool = False
    tdm_policy: str | None = None
    licences: tuple[str, ...] = ()
    reasons: tuple[str, ...] = field(default=())
    """The reservations in words, with their sources, sorted: "noarchive (header:x-robots-tag)"."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What of a text may be passed on to others."""

    text: bool
    excerpt: bool
    reason: str
    """One line: what allows the text, or what keeps it back."""


# --- reading -------------------------------------------------------------------------------------


def header_statements(headers: Iterable[tuple[str, str]]) -> tuple[Statement, ...]:
    """The statements in response headers; every line of a repeated header counts."""
    found = []
    for name, value in headers:
        lower = name.strip().lower()
        if lower in ("x-robots-tag", "tdm-reservation", "tdm-policy", "license"):
            found.append(Statement(f"header:{lower}", value))
        elif lower == "link":
            found += [Statement("header:license", url) for url in _licence_links(value)]
    return _bounded(found)


def meta_statements(metas: Mapping[str, Sequence[str]]) -> tuple[Statement, ...]:
    """The statements in `<meta>` elements, by lower-case name: robots directives for anyone, TDM reservation.

    A name that is no known one counts as an agent's when its content consists of directives alone.
    """
    found = [
        Statement(f"meta:{name}", value)
        for name, values in metas.items()
        for value in values
        if name in ("robots", "tdm-reservation", "tdm-policy")
        or (_AGENT.fullmatch(name) and _is_directives(value))
    ]
    return _bounded(found)


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
                for name in ("tdm-reservation", "tdm-policy")
                if isinstance(rule.get(name), str | int)
            )
    return ()


def _bounded(found: Iterable[Statement]) -> tuple[Statement, ...]:
    """Each statement once, on one line, the first fifty."""
    short = (
        Statement(one.source, " ".join(one.value.split())[:MAX_STATEMENT_CHARS]) for one in found
    )
    return tuple(dict.fromkeys(one for one in short if one.value))[:MAX_STATEMENTS]


def _licence_links(header: str) -> Iterator[str]:
    """Targets of rel=license in a Link header (RFC 8288)."""
    for target, parameters in re.findall(r"<([^<>]{1,2000})>([^<]{0,1000})", header):
        rel = re.search(r";\s*rel\s*=\s*\"?([^\";,]{1,200})", parameters, re.IGNORECASE)
        if rel and "license" in rel[1].lower().split():
            yield target


def _is_directives(content: str) -> bool:
    names = [part.partition(":")[0].strip().lower() for part in content.split(",")]
    return bool(names) and all(name in _PLAIN or name in _WITH_VALUE for name in names)


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
        found = path.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return not anchored or place == len(path) or (len(pieces) > 1 and path.endswith(pieces[-1]))


# --- meaning -------------------------------------------------------------------------------------


def product_token(user_agent: str) -> str:
    """The name by which sites address a crawler: what stands before the first slash or blank, lower case."""
    return re.split(r"[/\s]", user_agent.strip(), maxsplit=1)[0].lower()


def reserved(statements: Iterable[Statement], *, agent: str) -> Reserved:
    """Put together what holds for an agent (its product token). Contradictions: the stricter one holds.

    For TDM reservation the most specific technique decides: response header, then meta, then the site's file.
    """
    listed = list(statements)
    directives: dict[str, set[str]] = {}
    moments: list[datetime] = []
    for one in listed:
        for name, value in _directives_for(one, agent):
            if name == "unavailable_after":
                moment = _moment(value)
                if moment is not None:
                    moments.append(moment)
                    directives.setdefault(name, set()).add(one.source)
            elif name == "max-snippet" and value.strip() == "0":
                directives.setdefault("nosnippet", set()).add(one.source)
            elif name in _PLAIN:
                for each in _meant(name):
                    directives.setdefault(each, set()).add(one.source)
    tdm, policy = _tdm(listed)
    reasons = [
        f"{name} ({source})"
        for name, sources in directives.items()
        for source in sources
        if name.startswith("no") or name == "unavailable_after"
    ]
    if tdm is not None and tdm.value.strip() == "1":
        reasons.append(f"tdm-reservation ({tdm.source})")
    return Reserved(
        directives=frozenset(directives),
        unavailable_after=min(moments, default=None),
        tdm_reserved=tdm is not None and tdm.value.strip() == "1",
        tdm_policy=policy,
        licences=tuple(one.value for one in listed if _is_licence(one.source)),
        reasons=tuple(sorted(reasons)),
    )


def withheld_reason(found: Reserved, *, captured_at: datetime) -> str | None:
    """Why only metadata of a page is kept under the policy `reserved = "metadata"`; None: its text may be kept.

    `noarchive`, a TDM reservation and a passed `unavailable_after` speak of copies; `noindex`, `nosnippet`,
    `noai` and `noimageai` speak of showing and passing on, which `sharing` decides.
    """
    stated = [
        reason
        for reason in found.reasons
        if reason.startswith(("noarchive", "nocache", "tdm-reservation"))
    ]
    if found.unavailable_after is not None and found.unavailable_after <= captured_at:
        stated += [reason for reason in found.reasons if reason.startswith("unavailable_after")]
    return ", ".join(stated) or None


def sharing(statements: Iterable[Statement], *, agent: str, now: datetime) -> Sharing:
    """Whether the text of a page may be passed on to others, or an excerpt of it.

    The text: only under an open licence, and against no reservation. The excerpt (a quotation): unless the page
    asks for none, or is no longer to be shown.
    """
    found = reserved(statements, agent=agent)
    expired = found.unavailable_after is not None and found.unavailable_after <= now
    counting = [one for one in found.reasons if expired or not one.startswith("unavailable_after")]
    against = [one for one in counting if not one.startswith(("nofollow", "notranslate", "noodp"))]
    against = [one for one in against if not one.startswith(("noimage", "nositelinks", "noydir"))]
    excerpt = not expired and "nosnippet" not in found.directives
    if against:
        return Sharing(text=False, excerpt=excerpt, reason=f"reserved: {', '.join(against)}")
    licence = next((one for one in found.licences if is_open_licence(one)), None)
    if licence is not None:
        return Sharing(text=True, excerpt=True, reason=f"licence: {licence[:200]}")
    return Sharing(text=False, excerpt=excerpt, reason="no licence that allows it")


def is_open_licence(words: str) -> bool:
    """Whether a licence, by its address or its name, lets anyone pass a clean text on."""
    found = _OPEN_LICENCE.search(words)
    return found is not None and not _NO_DERIVATIVES.search(words[found.start() :][:60])


def _is_licence(source: str) -> bool:
    return source.partition(":")[2].lower() in ("license", "copyrightnotice", "dc.rights") or (
        source in ("meta", "json-ld")  # the page's chosen rights line
    )


def _meant(name: str) -> tuple[str, ...]:
    """`none` is short for two directives; `nocache` is another search engine's word for `noarchive`."""
    return {"none": ("noindex", "nofollow"), "nocache": ("noarchive",)}.get(name, (name,))


def _directives_for(statement: Statement, agent: str) -> Iterator[tuple[str, str]]:
    """(directive, value) of a robots statement as far as it is addressed to everyone or to the agent."""
    kind, _, name = statement.source.partition(":")
    if statement.source == "header:x-robots-tag":
        addressed = ""
        for head, value in _parts(statement.value):
            if head in _PLAIN or head in _WITH_VALUE:
                if addressed in ("", "*", agent):
                    yield head, value
            elif value and _AGENT.fullmatch(head):  # "agent: directive": until the next agent
                addressed = head
                inner, _, rest = value.partition(":")
                if addressed in ("*", agent):
                    yield inner.strip().lower(), rest
    elif kind == "meta" and name in ("robots", "*", agent):
        yield from _parts(statement.value)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each comma-separated directive; a date keeps its commas."""
    joined: list[str] = []
    for part in text.split(","):
        name = part.partition(":")[0].strip().lower()
        known = name in _PLAIN or name in _WITH_VALUE or (":" in part and not name[:1].isdigit())
        is_date_rest = joined and "unavailable_after" in joined[-1].lower() and not known
        if is_date_rest:
            joined[-1] += "," + part
        else:
            joined.append(part)
    for part in joined:
        name, _, value = part.partition(":")
        if name.strip():
            yield name.strip().lower(), value.strip()


def _moment(text: str) -> datetime | None:
    """A date as RFC 822, RFC 850 or ISO 8601 write it; without zone: UTC. None for anything else."""
    words = text.strip()
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        try:
            moment = parsedate_to_datetime(words)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _tdm(statements: Sequence[Statement]) -> tuple[Statement | None, str | None]:
    """The reservation that counts, and the policy given in the same place."""
    for kind in ("header", "meta", "well-known"):
        values = [
            one
            for one in statements
            if one.source == f"{kind}:tdm-reservation" and one.value.strip() in ("0", "1")
        ]
        if values:
            policy = (one.value for one in statements if one.source == f"{kind}:tdm-policy")
            return max(values, key=lambda one: one.value), next(policy, None)
    return None, None

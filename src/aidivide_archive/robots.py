"""robots.txt as RFC 9309 says it, and Retry-After: policy only, the fetching is elsewhere.

A parser of our own instead of Protego, because the verdict must name the rule line, unreachable
must mean "disallow", and size and time must be bounded. Where RFC 9309 and Google's published
tests differ (escaped unreserved characters), the more cautious reading holds: see `_Rule.matches`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from aidivide_archive.model import Reason

MAX_ROBOTS_BYTES = 500 * 1024
"""RFC 9309 §2.5: at least 500 KiB must be read; what follows is not."""
TTL_SECONDS = 24 * 3600.0
"""RFC 9309 §2.4: no longer than 24 hours."""
REFRESH_SECONDS = TTL_SECONDS / 2
"""Within one crawl: so that a copy is still good when the server then fails."""
UNAVAILABLE_TTL_SECONDS = 300.0
"""A disallow for want of an answer is soon asked again."""
MAX_RETRY_AFTER_SECONDS = 3600.0

_MAX_LINE_BYTES = 2083 * 8 - 1  # google/robotstxt kMaxLineLen
_MAX_SHOWN_CHARS = 200
_KEYS = {
    "user-agent": "agent",
    "useragent": "agent",
    "user agent": "agent",
    "allow": "allow",
    "disallow": "disallow",
    # misspellings that google/robotstxt accepts
    "dissallow": "disallow",
    "dissalow": "disallow",
    "disalow": "disallow",
    "diasllow": "disallow",
    "disallaw": "disallow",
    "sitemap": "sitemap",
    "site-map": "sitemap",
    "crawl-delay": "delay",
    "crawldelay": "delay",
}
_AGENT = re.compile(r"[A-Za-z_-]+")
_DELAY = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:(?://[^/?#]*)?|//[^/?#]*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SECONDS = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?")


class RobotsState(StrEnum):
    PARSED = "parsed"
    ABSENT = "absent"  # 4xx: everything is allowed
    UNREACHABLE = "unreachable"  # 5xx, 429, time-out: everything is disallowed for a while


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsVerdict:
    """Whether one URL may be fetched, and by which line."""

    allowed: bool
    reason: Reason | None = None
    """ROBOTS_DENIED or ROBOTS_UNAVAILABLE; None when allowed."""
    rule: str | None = None
    """The line that decided; None when no line matched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    allow: bool
    length: int
    """Octets of the pattern: the longest match decides."""
    line: str
    pieces: tuple[str, ...]
    """The pattern between its "*", Google's reading."""
    plain_pieces: tuple[str, ...]
    """The same with escaped unreserved characters decoded, the RFC's reading."""
    is_anchored: bool
    """The pattern ended in "$"."""

    def matches(self, path: str, plain_path: str) -> bool:
        """Google compares escapes as written, RFC 9309 §2.2.2 decodes unreserved characters first.

        A disallow counts in either reading, an allow only as written.
        """
        if _matches(self.pieces, path, self.is_anchored):
            return True
        return not self.allow and _matches(self.plain_pieces, plain_path, self.is_anchored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    agents: frozenset[str]
    rules: tuple[_Rule, ...]
    """The longest pattern first, of equal ones the allowing first."""
    crawl_delay: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsRules:
    """One robots.txt. To keep it in a database, keep the status and the body, and parse again."""

    state: RobotsState
    sitemaps: tuple[str, ...] = ()
    """As written, in order, each once."""
    groups: tuple[_Group, ...] = ()

    @property
    def rule_count(self) -> int:
        """Rules of all groups: what a verdict costs at most."""
        return sum(len(group.rules) for group in self.groups)

    def verdict(self, url: str, user_agent: str) -> RobotsVerdict:
        """Judge a URL as it would be fetched; `user_agent` is a product token or a whole header.

        Linear in the rules; a pattern with wildcards is linear in the URL.
        """
        if self.state is RobotsState.UNREACHABLE:
            return RobotsVerdict(allowed=False, reason=Reason.ROBOTS_UNAVAILABLE)
        path = _path(url)
        if path == "/robots.txt":
            return RobotsVerdict(allowed=True)
        plain_path = _decode_unreserved(path)
        decisive = (
            next((rule for rule in group.rules if rule.matches(path, plain_path)), None)
            for group in self._groups_for(user_agent)
        )
        candidates = (rule for rule in decisive if rule is not None)
        best = max(candidates, key=lambda rule: (rule.length, rule.allow), default=None)
        if best is None:
            return RobotsVerdict(allowed=True)
        reason = None if best.allow else Reason.ROBOTS_DENIED
        return RobotsVerdict(allowed=best.allow, reason=reason, rule=best.line)

    def crawl_delay(self, user_agent: str) -> float | None:
        """Seconds between requests that the site asks for (no part of RFC 9309), not capped."""
        delays = [
            group.crawl_delay
            for group in self._groups_for(user_agent)
            if group.crawl_delay is not None
        ]
        return max(delays, default=None)

    def _groups_for(self, user_agent: str) -> tuple[_Group, ...]:
        """All groups that name the agent, else all for "*" (RFC 9309 §2.2.1)."""
        token = user_agent.partition("/")[0].partition(" (")[0].strip().lower()
        named = tuple(group for group in self.groups if token in group.agents)
        return named or tuple(group for group in self.groups if "*" in group.agents)


def parse_robots(body: bytes, *, status: int) -> RobotsRules:
    """Rules from an answer to /robots.txt, redirects already followed; never fails.

    2xx is parsed; 429, 5xx and 0 (no answer) disallow everything for a while; every other status,
    a redirect left after five hops included, allows everything (RFC 9309 §2.3.1). Bodies that are
    no text rules at all (HTML, binary) have no rules and so allow everything.
    """
    if status < 200 or status == 429 or status >= 500:
        return RobotsRules(state=RobotsState.UNREACHABLE)
    if status >= 300:
        return RobotsRules(state=RobotsState.ABSENT)
    reader = _Reader()
    for line in _lines(body):
        reader.take(line)
    return reader.rules()


def effective_rules(
    fresh: RobotsRules, last_good: RobotsRules | None, last_good_age_seconds: float
) -> RobotsRules:
    """The rules to go by: while robots.txt is unreachable, a last good copy of at most a day."""
    if (
        fresh.state is RobotsState.UNREACHABLE
        and last_good is not None
        and last_good.state is not RobotsState.UNREACHABLE
        and last_good_age_seconds <= TTL_SECONDS
    ):
        return last_good
    return fresh


def retry_after_seconds(value: str, now: datetime) -> float | None:
    """Retry-After (RFC 9110 §10.2.3), seconds or HTTP date, as seconds in [0, 3600].

    `now` is aware. None means that the value cannot be read.
    """
    value = value.strip()
    if len(value) > 64 or not value.isascii():
        return None
    if _SECONDS.fullmatch(value):
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    try:
        when = parsedate_to_datetime(value)
        when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
        seconds = (when - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


# --- reading -------------------------------------------------------------------------------------


class _Reader:
    """Builds groups line by line: agents that follow one another share the rules after them."""

    def __init__(self) -> None:
        self.sitemaps: dict[str, None] = {}
        self.groups: list[_Group] = []
        self.agents: set[str] = set()
        self.rule_list: list[_Rule] = []
        self.delay: float | None = None
        self.seen_rule = False

    def take(self, line: str) -> None:
        key, value = _key_and_value(line)
        kind = _KEYS.get(key)
        if kind == "agent":
            self._take_agent(value)
        elif kind == "sitemap":
            if value:
                self.sitemaps[value] = None
        elif not self.agents:
            return  # rules in front of every group belong to nobody
        elif kind == "delay" and _DELAY.fullmatch(value):
            self.delay = max(float(value), self.delay or 0.0)
        elif kind in ("allow", "disallow"):
            self.seen_rule = True
            if value:  # an empty rule matches nothing
                self.rule_list.extend(_rules(kind == "allow", value, line.strip()))

    def rules(self) -> RobotsRules:
        self._end_group()
        return RobotsRules(
            state=RobotsState.PARSED, sitemaps=tuple(self.sitemaps), groups=tuple(self.groups)
        )

    def _take_agent(self, value: str) -> None:
        if self.seen_rule:
            self._end_group()
        token = _AGENT.match(value)
        if value.startswith("*") and (len(value) == 1 or value[1].isspace()):
            self.agents.add("*")
        elif token is not None:
            self.agents.add(token[0].lower())
        else:
            self.agents.add("")  # names nobody, but its rules are not another group's

    def _end_group(self) -> None:
        if self.agents:
            ordered = sorted(self.rule_list, key=lambda rule: (-rule.length, not rule.allow))
            self.groups.append(
                _Group(
                    agents=frozenset(self.agents - {""}),
                    rules=tuple(ordered),
                    crawl_delay=self.delay,
                )
            )
        self.agents, self.rule_list, self.delay, self.seen_rule = set(), [], None, False


def _lines(body: bytes) -> Iterator[str]:
    if body.startswith(b"\x1f\x8b"):
        try:
            body = zlib.decompressobj(wbits=31).decompress(body, MAX_ROBOTS_BYTES + 1)
        except zlib.error:
            return
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        body = body[: 2 * MAX_ROBOTS_BYTES].decode("utf-16", "replace").encode()
    is_cut = len(body) > MAX_ROBOTS_BYTES
    lines = re.split(rb"\r\n|\r|\n", body[:MAX_ROBOTS_BYTES].removeprefix(b"\xef\xbb\xbf"))
    if is_cut:
        del lines[-1]  # half a line can be a rule that nobody wrote
    for line in lines:
        yield line[:_MAX_LINE_BYTES].decode("utf-8", "surrogateescape")


def _key_and_value(line: str) -> tuple[str, str]:
    line = line.partition("#")[0].strip()
    key, colon, value = line.partition(":")
    if not colon:
        words = line.split()  # google/robotstxt: a forgotten colon is forgiven
        return (words[0].lower(), words[1]) if len(words) == 2 else ("", "")
    return key.strip().lower(), value.strip()


def _rules(allow: bool, pattern: str, line: str) -> Iterator[_Rule]:
    pattern = _normal(pattern)
    shown = line.encode("utf-8", "replace").decode()[:_MAX_SHOWN_CHARS]
    yield _rule(allow, pattern, shown)
    head, slash, name = pattern.rpartition("/")
    if allow and slash and name.startswith("index.htm"):
        # google/robotstxt: allowing a directory's index page allows the directory
        yield _rule(allow, f"{head}/$", shown)


def _rule(allow: bool, pattern: str, line: str) -> _Rule:
    is_anchored = pattern.endswith("$")
    body = pattern.removesuffix("$")
    return _Rule(
        allow=allow,
        length=len(pattern),
        line=line,
        pieces=tuple(body.split("*")),
        plain_pieces=tuple(_decode_unreserved(body).split("*")),
        is_anchored=is_anchored,
    )


# --- matching ------------------------------------------------------------------------------------


def _matches(pieces: tuple[str, ...], path: str, is_anchored: bool) -> bool:
    """Leftmost match of each piece in turn: one pass over the path, no backtracking."""
    first, *rest = pieces
    if not path.startswith(first):
        return False
    if not rest:
        return not is_anchored or len(path) == len(first)
    place = len(first)
    last = rest.pop() if is_anchored else ""
    for piece in rest:
        found = path.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return not is_anchored or (path.endswith(last) and len(path) - len(last) >= place)


def _path(url: str) -> str:
    """Path and query of a URL, normalised as rules are."""
    rest = url.partition("#")[0]
    origin = _ORIGIN.match(rest)
    rest = rest[origin.end() :] if origin else rest
    return _normal(rest if rest.startswith("/") else "/" + rest)


def _normal(text: str) -> str:
    """Escapes in upper case, bytes outside ASCII escaped (google/robotstxt)."""
    text = _ESCAPE.sub(lambda found: found[0].upper(), text)
    return _NOT_ASCII.sub(lambda found: _escape(found[0]), text)


def _escape(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def _decode_unreserved(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        byte = int(found[1], 16)
        return chr(byte) if byte in _UNRESERVED else found[0]

    return _ESCAPE.sub(plain, text) if "%" in text else text

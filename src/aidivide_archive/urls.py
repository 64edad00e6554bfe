"""URLs in three forms: canonical (fetchable), key (for comparison only), id (48 bits of the key).

`canonical_url` follows the WHATWG URL parser where browsers and RFC 3986 differ (backslashes,
spellings of IPv4 addresses), so that the guard, the frontier and the fetcher see one host.
Nothing here touches the network: the public suffix list is the copy inside tldextract.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import unquote

import idna
import tldextract

from aidivide_archive.exceptions import ConfigError, InvalidURLError
from aidivide_archive.words import CONTROLS

MAX_URL_CHARS = 2048
MAX_RAW_CHARS = 8192
"""A longer text is refused unread: nothing that shrinks to a real URL is longer."""

# Campaign, click and mail tags of advertising and analytics products. A name stands here only when
# it never selects content anywhere; `ref`, `from`, `source`, `level`, `id`, `sid` may and stay.
_TRACKING = re.compile(
    r"""
      utm_.* | _ga | _gl | gclid | gclsrc | dclid | gbraid | wbraid | gad_(?:source|campaignid)
    | srsltid | fbclid | fb_(?:action_ids|action_types|ref|source) | igsh | igshid | twclid
    | __twitter_impression | ref_src | ref_url | ttclid | li_fat_id | epik | msclkid | ocid
    | y[ms]?clid | _openstat | spm | pfrom | xtor | s_kwcid | ef_id | wt_(?:mc|zmc) | cmpid
    | at_(?:campaign|medium|custom[1-4]|link_id|link_origin|link_type|ptr_name)
    | ns_(?:campaign|linkname|mchannel|source) | mc_[ce]id | mkt_tok | vero_(?:id|conv)
    | ml_subscriber(?:_hash)? | oly_(?:anon|enc)_id | _hs(?:enc|mi) | __hs(?:fp|sc|tc)
    | hsctatracking | guccounter | guce_referrer(?:_sig)? | smid | smtyp | taid | tblci | obclid
    | dicbo | rb_clickid | _branch_match_id | jsessionid | phpsessid | aspsessionid.*
    | sessionid | session_id | cfid | cftoken
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid|sid|sessionid)=[^/;]*", re.IGNORECASE)
_PHPBB_SESSION = re.compile(r"sid=[0-9a-f]{32}", re.IGNORECASE)

_REFERENCE = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL
)
_HTTP = re.compile(r"\s*https?:", re.IGNORECASE)
_CONTROL = re.compile(f"[{CONTROLS}]")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_IPV4_PART = re.compile(r"0x[0-9a-f]*|[0-9]+")
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
# RFC 3986 §2.3 and §3.3: what may stand unescaped in a path; a query may hold "?" as well.
_NOT_IN_PATH = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]+")
_NOT_IN_QUERY = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/%?]+")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DEFAULT_PORT = {"http": 80, "https": 443}

_KEY_HOST_PREFIX = re.compile(r"(?:www\d?|m|amp)\.(?=[^.]+\.)")
_KEY_INDEX = re.compile(r"/(?:index\.(?:s?html?|php|aspx?|jsp)|default\.aspx?)$", re.IGNORECASE)
_BLOGGER_POST = re.compile(r"/\d{4}/\d{2}/[^/]+\.html$")
_ID = re.compile(r"[as]-([0-9a-f]{12})")
_LINE_ID = re.compile(r"l-([0-9a-f]{12})")


@lru_cache(maxsize=2048)
def canonical_url(raw: str, base: str | None = None) -> str:
    """Absolute, fetchable, normalised form; idempotent.

    Fragment, default port, dot segments, known tracking parameters and session ids go; every
    other parameter stays, in order. `base` is the URL that a relative reference is resolved
    against. Raises InvalidURLError for anything that is not http(s), has userinfo, control
    characters or no host, or is longer than MAX_URL_CHARS.
    """
    text = raw[: MAX_RAW_CHARS + 1].strip(" \t\r\n\f")
    if len(raw) > MAX_RAW_CHARS or _CONTROL.search(text):
        raise _invalid(raw, "is too long or holds control characters")
    scheme, authority, path, query = _resolve(raw, *_split(text), base)
    netloc = _netloc(raw, scheme, authority)
    try:
        path = _remove_dot_segments(_SESSION_PATH.sub("", _escape(path, _NOT_IN_PATH)))
        query = _clean_query(_escape(query or "", _NOT_IN_QUERY))
    except UnicodeEncodeError as error:
        raise _invalid(raw, "holds a lone surrogate") from error
    url = f"{scheme}://{netloc}{path}?{query}" if query else f"{scheme}://{netloc}{path}"
    if len(url) > MAX_URL_CHARS:
        raise _invalid(raw, f"is longer than {MAX_URL_CHARS} characters")
    return url


@lru_cache(maxsize=2048)
def url_key(url: str) -> str:
    """Comparison form: URLs of one page share it. Never shown, never fetched.

    Without scheme, leading www/m/amp labels, trailing slash, /amp, index pages; parameters sorted.
    Raises InvalidURLError as `canonical_url` does.
    """
    _, authority, path, query = _split(canonical_url(url))
    host = authority or ""
    while prefix := _KEY_HOST_PREFIX.match(host):
        host = host[prefix.end() :]
    path = _KEY_INDEX.sub("", path.rstrip("/")).rstrip("/")
    if path.endswith("/amp") and path != "/amp":
        path = path.removesuffix("/amp").rstrip("/")
    parameters = sorted(
        part
        for part in (query or "").replace("+", "%20").split("&")
        if part and not _is_presentation(part, path)
    )
    return f"{host}{path}?{'&'.join(parameters)}" if parameters else f"{host}{path}"


def url_id(url: str) -> int:
    """The first 48 bits of SHA-256 of the key: the same in every archive."""
    return int(hashlib.sha256(url_key(url).encode()).hexdigest()[:12], 16)


def article_id(number: int) -> str:
    return f"a-{number:012x}"


def story_id(number: int) -> str:
    return f"s-{number:012x}"


def parse_id(text: str) -> int:
    """The number of an article or story id ("a-…", "s-…"); raises ConfigError for other text."""
    found = _ID.fullmatch(text.strip().lower())
    if found is None:
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise ConfigError(f"{shown!r} is no id: expected a- or s- and 12 hexadecimal digits")
    return int(found[1], 16)


def line_id(number: int) -> str:
    return f"l-{number:012x}"


def parse_line_id(text: str) -> int | None:
    """The number of a site's repeated line ("l-…"); None for other text, which is the line itself."""
    found = _LINE_ID.fullmatch(text.strip().lower())
    return None if found is None else int(found[1], 16)


def host_of(url: str) -> str:
    """Host, with the port when it is not the scheme's default ("news.example:8080")."""
    return _split(canonical_url(url))[1] or ""


def site(url_or_host: str) -> str:
    """Registrable domain ("bbc.co.uk"): whose page it is, for counting and boilerplate.

    A bare address is its own site, with its port. A name under an unknown suffix (.example, .test)
    is cut to its last two labels; a public suffix itself stays. Raises InvalidURLError.
    """
    is_url = _HTTP.match(url_or_host) is not None
    return _site_of_host(host_of(url_or_host if is_url else f"http://{url_or_host}"))


@lru_cache(maxsize=4096)
def _site_of_host(netloc: str) -> str:
    host = netloc.partition(":")[0]
    if netloc.startswith("[") or literal_address(host) is not None:
        return netloc
    parts = _suffixes()(host)
    if parts.domain and parts.suffix:
        return f"{parts.domain}.{parts.suffix}"
    return host if parts.suffix else ".".join(host.split(".")[-2:])


@lru_cache(maxsize=1)
def _suffixes() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host spells out (decimal, hex, octal, short forms, [IPv6]); None for a name.

    Rules of the WHATWG host parser, which are those of inet_aton. Raises InvalidURLError for a
    host that ends in a number or bracket without being an address.
    """
    if host.startswith("["):
        try:
            address = IPv6Address(host.removeprefix("[").removesuffix("]"))
        except AddressValueError as error:
            raise _invalid(host, "is no IPv6 address") from error
        if address.scope_id is not None or not host.endswith("]"):
            raise _invalid(host, "is no IPv6 address without zone")
        return address
    labels = host.removesuffix(".").split(".")
    if not _IPV4_PART.fullmatch(labels[-1]):
        return None
    if len(labels) > 4 or not all(_IPV4_PART.fullmatch(label) for label in labels):
        raise _invalid(host, "ends in a number but is no IPv4 address")
    *head, last = (_ipv4_number(host, label) for label in labels)
    if any(number > 255 for number in head) or last >= 256 ** (4 - len(head)):
        raise _invalid(host, "ends in a number but is no IPv4 address")
    high = sum(number << (24 - 8 * place) for place, number in enumerate(head))
    return IPv4Address(high + last)


def _ipv4_number(host: str, label: str) -> int:
    try:
        if label.startswith("0x"):
            return int(label[2:] or "0", 16)
        return int(label, 8) if label.startswith("0") else int(label)
    except ValueError as error:
        raise _invalid(host, "ends in a number but is no IPv4 address") from error


def _invalid(raw: str, what: str) -> InvalidURLError:
    shown = raw.rpartition("@")[2]  # what stands in front of it may be a password
    shown = shown if len(shown) <= 80 else shown[:80] + "…"
    return InvalidURLError(f"URL {shown!a} {what}")


def _split(text: str) -> tuple[str, str | None, str, str | None]:
    """Scheme, authority, path, query of a reference (RFC 3986 appendix B)."""
    found = _REFERENCE.fullmatch(_forward_slashes(text) if "\\" in text else text)
    assert found is not None  # every text matches: all parts are optional
    scheme, authority, path, query = found.groups()
    return (scheme or "").lower(), authority, path, query


def _forward_slashes(text: str) -> str:
    """Backslashes before query and fragment are slashes to a browser, so they are to us."""
    end = re.search("[?#]|$", text)
    place = end.start() if end else len(text)
    return text[:place].replace("\\", "/") + text[place:]


def _resolve(
    raw: str,
    scheme: str,
    authority: str | None,
    path: str,
    query: str | None,
    base: str | None,
) -> tuple[str, str, str, str | None]:
    """RFC 3986 §5.2.2, with the dot segments still in place."""
    if scheme and scheme not in _DEFAULT_PORT:
        raise _invalid(raw, "is not http or https")
    if not scheme and base is None:
        raise _invalid(raw, "is not absolute")
    if scheme or base is None:
        if not authority:
            raise _invalid(raw, "has no host")
        return scheme, authority, path, query
    scheme, base_authority, base_path, base_query = _split(canonical_url(base))
    if authority is not None:
        return scheme, authority, path, query
    if not path:
        path, query = base_path, base_query if query is None else query
    elif not path.startswith("/"):
        path = base_path.rpartition("/")[0] + "/" + path
    return scheme, base_authority or "", path, query


def _netloc(raw: str, scheme: str, authority: str) -> str:
    if "@" in authority:
        raise _invalid(raw, "carries a user name or password")
    host, port = authority, ""
    if not authority.endswith("]"):
        before, colon, after = authority.rpartition(":")
        if colon:
            host, port = before, after
    host = _host(raw, host)
    if not port:
        return host
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise _invalid(raw, "has a port that is no number from 1 to 65535")
    return host if int(port) == _DEFAULT_PORT[scheme] else f"{host}:{int(port)}"


def _host(raw: str, host: str) -> str:
    """Lower case, IDNA 2008 (UTS 46 mapping), addresses in their one usual spelling."""
    if host.startswith("["):
        return _address_text(literal_address(host.lower()), host)
    if "%" in host:
        host = unquote(host)
    if not host.isascii():
        host = _idna(raw, host)
    host = host.lower().removesuffix(".")
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise _invalid(raw, "has no usable host name")
    return _address_text(literal_address(host), host)


def _address_text(address: IPv4Address | IPv6Address | None, name: str) -> str:
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        # Python 3.13 writes mapped addresses with dots, 3.11 without: the key must not depend on it
        text = f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}" if mapped else str(address)
        return f"[{text}]"
    return name if address is None else str(address)


def _idna(raw: str, host: str) -> str:
    if len(host) > 253:
        raise _invalid(raw, "has no usable host name")
    try:
        mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode("ascii")
            for label in mapped.split(".")
        )
    except UnicodeError as error:  # idna.IDNAError is one
        raise _invalid(raw, "has a host name that IDNA refuses") from error


def _escape(text: str, forbidden: re.Pattern[str]) -> str:
    """Upper-case escapes, unreserved characters plain, everything else as UTF-8 escapes."""
    if "%" in text:
        text = _ENCODED.sub(_normal_escape, _BARE_PERCENT.sub("%25", text))
    return forbidden.sub(lambda found: _escape_utf8(found[0]), text)


def _normal_escape(found: re.Match[str]) -> str:
    byte = int(found[1], 16)
    return chr(byte) if byte in _UNRESERVED else found[0].upper()


def _escape_utf8(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _remove_dot_segments(path: str) -> str:
    """RFC 3986 §5.2.4 for an absolute path; empty becomes "/"."""
    if "/." not in path:
        return path or "/"
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _clean_query(query: str) -> str:
    return "&".join(part for part in query.split("&") if part and not _is_tracking(part))


def _is_tracking(parameter: str) -> bool:
    if _TRACKING.fullmatch(parameter.partition("=")[0]):
        return True
    return _PHPBB_SESSION.fullmatch(parameter) is not None


def _is_presentation(parameter: str, path: str) -> bool:
    """Whether a parameter only selects the AMP or mobile form of the same page."""
    if parameter in ("amp", "amp=", "amp=1", "amp=true", "outputType=amp"):
        return True
    return parameter in ("m=0", "m=1") and _BLOGGER_POST.search(path) is not None

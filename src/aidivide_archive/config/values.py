"""Kinds of values in an event profile, checked when they are read; each error says what to write instead."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from aidivide_archive.config.phrases import parse_phrase


def normal_host(host: str) -> str:
    """Host as compared everywhere: lower case, A-labels, no trailing dot; "" when it has none.

    A port, if any, is kept.
    """
    name = host.strip().rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_HOST_PORT = re.compile(rf"({_HOST.pattern}|\[[0-9a-f:.]+\])(:[0-9]{{1,5}})?")
_LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


def _host_and_port(value: str) -> str:
    host = normal_host(value)
    if not _HOST_PORT.fullmatch(host):
        msg = f"{value!r} is no host name; write example.org or 127.0.0.1:8000, without http://"
        raise ValueError(msg)
    return host


def _host_only(value: str) -> str:
    host = normal_host(value)
    if not _HOST.fullmatch(host):
        msg = f"{value!r} is no host name; write it without scheme and port"
        raise ValueError(msg)
    return host


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        valid = False
    if not valid or re.search(r"[\s\x00-\x1f]", value):
        msg = f"{value!r} is no absolute http(s) address"
        raise ValueError(msg)
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        pass
    except KeyError:
        pass
    else:
        return value
    msg = f"{value!r} is no IANA time zone; write for example Asia/Shanghai or UTC"
    raise ValueError(msg)


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        msg = f"{value!r} is no valid regular expression: {error}"
        raise ValueError(msg) from error
    return value


def _xpath(value: str) -> str:
    from lxml import etree

    try:
        etree.XPath(value)
    except etree.XPathSyntaxError as error:
        msg = f"{value!r} is no valid XPath: {error}"
        raise ValueError(msg) from error
    return value


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        msg = f"{value!r} is no network in CIDR form, such as 127.0.0.0/8 ({error})"
        raise ValueError(msg) from error


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        msg = f"{value!r} is no IP address"
        raise ValueError(msg) from error


def _phrase(value: str) -> str:
    parse_phrase(value)
    return value


def _header_text(value: str) -> str:
    if not value.strip() or not value.isascii() or not value.isprintable():
        msg = "must be one line of printable ASCII, because it becomes an HTTP header"
        raise ValueError(msg)
    return value


Text = Annotated[str, Field(min_length=1)]
Host = Annotated[str, AfterValidator(_host_only)]
HostPort = Annotated[str, AfterValidator(_host_and_port)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Regex = Annotated[str, AfterValidator(_regex)]
XPath = Annotated[str, AfterValidator(_xpath)]
Network = Annotated[str, AfterValidator(_network)]
Address = Annotated[str, AfterValidator(_address)]
HeaderText = Annotated[str, AfterValidator(_header_text)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Language = Annotated[str, Field(pattern=_LANGUAGE)]
AnyLanguage = Annotated[str, Field(pattern=rf"^\*$|{_LANGUAGE}")]
Phrase = Annotated[str, AfterValidator(_phrase)]
PhrasesByLanguage = dict[AnyLanguage, tuple[Phrase, ...]]
Count = Annotated[int, Field(ge=1)]
Points = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]

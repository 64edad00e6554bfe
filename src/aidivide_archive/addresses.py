"""Which addresses the crawler may reach: the policy against server-side request forgery.

Two doors, both needed: `check_url` before a request is made (schemes, credentials, ports, names,
addresses spelled out in any way), `check_address` on what a name resolved to, at connect time
(DNS can answer differently the second time).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from aidivide_archive.exceptions import ConfigError, InvalidURLError
from aidivide_archive.urls import canonical_url, host_of, literal_address

ALLOWED_PORTS = frozenset((80, 443, 8080, 8443))

# IANA IPv4 and IPv6 special-purpose address registries, less what is globally reachable there;
# `ipaddress.is_global` differs between Python versions and calls some of these global.
# The slug of the first network that holds an address is the answer.
_REFUSED: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "unspecified"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.169.254/32", "metadata"),
    ("168.63.129.16/32", "metadata"),  # Azure's host agent, on a public address
    ("100.100.100.200/32", "metadata"),  # Alibaba Cloud
    ("192.0.0.192/32", "metadata"),  # Oracle Cloud
    ("169.254.0.0/16", "link-local"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("100.64.0.0/10", "private"),  # carrier-grade NAT, RFC 6598
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "reserved"),  # documentation, as the next two
    ("198.51.100.0/24", "reserved"),
    ("203.0.113.0/24", "reserved"),
    ("192.88.99.0/24", "embedded"),  # 6to4 relays, RFC 7526
    ("198.18.0.0/15", "reserved"),  # benchmarks, RFC 2544
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "embedded"),  # IPv4-compatible, RFC 4291 §2.5.5.1
    ("::ffff:0:0:0/96", "embedded"),  # IPv4-translated, RFC 2765
    ("64:ff9b::/96", "embedded"),  # NAT64, RFC 6052
    ("64:ff9b:1::/48", "embedded"),  # local NAT64, RFC 8215
    ("2001::/32", "embedded"),  # Teredo, RFC 4380
    ("2002::/16", "embedded"),  # 6to4, RFC 3056
    ("fd00:ec2::254/128", "metadata"),  # Amazon
    ("fd20:ce::254/128", "metadata"),  # Google Cloud
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),  # site-local, RFC 3879
    ("ff00::/8", "multicast"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "reserved"),  # documentation, as the next
    ("3fff::/20", "reserved"),
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # everything else of IPv6 is unassigned or special
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214 §6.1: an IPv4 address in the interface identifier

_LOCAL_SUFFIXES = (
    ".localhost",
    ".localdomain",
    ".local",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".home",
    ".lan",
    ".home.arpa",
)
_METADATA_NAMES = frozenset(
    (
        "metadata.google.internal",
        "metadata.tencentyun.com",
        "metadata.azure.com",
        "instance-data.ec2.internal",
    )
)
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.\-]*):")
_AUTHORITY = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.\-]*:[/\\]*([^/?#]*)")

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


def _networks() -> tuple[tuple[_Network, str], ...]:
    return tuple((ipaddress.ip_network(text), slug) for text, slug in _REFUSED)


_REFUSED_NETWORKS = _networks()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """What may be reached. Raises ConfigError when an entry is no network or address."""

    allow_private: tuple[str, ...] = ()
    """Networks ("127.0.0.0/8") that are open in spite of the rules, on every port."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Host names (lower case, without port) that the profile maps to an address."""
    _open: tuple[_Network, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        try:
            networks = tuple(
                ipaddress.ip_network(text, strict=False) for text in self.allow_private
            )
            for address in self.hosts.values():
                ipaddress.ip_address(address)
        except ValueError as error:
            raise ConfigError(f"[fetch] allow_private or hosts: {error}") from error
        object.__setattr__(self, "_open", networks)

    def check_url(self, url: str) -> str | None:
        """None when the URL may be requested, else why not, as a slug.

        "scheme", "userinfo", "malformed", "port", "name" (a local name), "metadata", or what
        `check_address` says of an address that the host spells out or the profile maps it to.
        """
        scheme = _SCHEME.match(url)
        if scheme is None or scheme[1].lower() not in ("http", "https"):
            return "scheme"
        authority = _AUTHORITY.match(url)
        if authority is not None and "@" in authority[1]:
            return "userinfo"
        if authority is not None and "\\" in authority[0]:
            return "malformed"  # parsers disagree about where such a host ends
        try:
            host, port = _host_and_port(url)
            address = literal_address(host)
        except InvalidURLError:
            return "malformed"
        if address is None and host in self.hosts:
            address = ipaddress.ip_address(self.hosts[host])
        if address is None:
            return _refused_name(host) or _refused_port(port)
        if self._is_open(_unmapped(address)):
            return None
        return self._refused_address(address) or _refused_port(port)

    def check_address(self, address: str) -> str | None:
        """None when a resolved address may be connected to, else why not, as a slug.

        "loopback", "private", "link-local", "metadata", "multicast", "reserved", "unspecified",
        "embedded" (an IPv4 address inside an IPv6 one), "malformed".
        """
        text, zone, _ = address.strip().removeprefix("[").removesuffix("]").partition("%")
        try:
            parsed = ipaddress.ip_address(text)
        except ValueError:
            return "malformed"
        return self._refused_address(parsed) or ("link-local" if zone else None)

    def _is_open(self, address: _Address) -> bool:
        return any(
            address.version == network.version and address in network for network in self._open
        )

    def _refused_address(self, address: _Address) -> str | None:
        address = _unmapped(address)
        if self._is_open(address):
            return None
        for network, slug in _REFUSED_NETWORKS:
            if address.version == network.version and address in network:
                return slug
        if isinstance(address, IPv6Address):
            if address not in _GLOBAL_UNICAST:
                return "reserved"
            if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
                return "embedded"
        return None if address.is_global else "reserved"


def _unmapped(address: _Address) -> _Address:
    """::ffff:a.b.c.d reaches a.b.c.d, so it is judged as that."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _host_and_port(url: str) -> tuple[str, int]:
    canonical = canonical_url(url)
    netloc = host_of(canonical)
    host, port = netloc, ""
    if not netloc.endswith("]"):
        before, colon, after = netloc.rpartition(":")
        if colon:
            host, port = before, after
    default = 443 if canonical.startswith("https:") else 80
    return host, int(port) if port else default


def _refused_port(port: int) -> str | None:
    return None if port in ALLOWED_PORTS else "port"


def _refused_name(host: str) -> str | None:
    if host in _METADATA_NAMES:
        return "metadata"
    if "." not in host or host.endswith(_LOCAL_SUFFIXES):
        return "name"  # a name without a dot is a neighbour's (localhost, intranet, metadata)
    return None

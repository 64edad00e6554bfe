"""`canonical_url` beside w3lib's `canonicalize_url`, on addresses put together by chance: they differ where it is meant."""

import random
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from w3lib.url import canonicalize_url

from aidivide_archive.urls import canonical_url, literal_address

SCHEMES = ("http", "https", "HTTP")
HOSTS = ("news.example", "News.Example", "bücher.example", "新华网.cn", "a-b.example", "news.example.",
         "[2001:db8::1]", "[2001:DB8:0:0::1]", "127.0.0.1", "0x7f.1", "2130706433")  # fmt: skip
PORTS = ("", "", "", ":80", ":443", ":8080", ":")
SEGMENTS = ("a", "B", "~", "%7euser", "%41", "%2f", "%e4%ba%ba", "%ff", "人工", "x y", "..", ".", "", "a;b=1", "a:b",
            "@me", "(1)", "it's", "100%", "%zz", "a+b", "a!b*", "é", "a|b", '"q"', "[x]", "{y}", "a,b", "$&=")  # fmt: skip
PARTS = ("a=1", "b=2", "a=", "c", "", "q=x+y", "q=x y", "q=%20", "utm_source=z", "q=人", "q=%e4", "x=a%2Bb", "x=%26",
         "y=1=2", "z=a/b?c", "w=%7e", "v='q'", "t=100%", "p[]=1", "u=a;b", "fbclid=1", "e=%3d")  # fmt: skip


def addresses(count: int, seed: int = 9) -> Iterator[str]:
    draw = random.Random(seed)
    for _ in range(count):
        path = "".join(f"/{draw.choice(SEGMENTS)}" for _ in range(draw.randint(0, 4)))
        parts = [draw.choice(PARTS) for _ in range(draw.randint(0, 4))]
        query = f"?{'&'.join(parts)}" if parts else ""
        host = f"{draw.choice(HOSTS)}{draw.choice(PORTS)}"
        yield f"{draw.choice(SCHEMES)}://{host}{path}{query}{draw.choice(('', '', '#top'))}"


def host_as_meant(scheme: str, netloc: str) -> str:
    """Default ports go, and so does the dot of the root; an address has one spelling."""
    default = {"http": ":80", "https": ":443"}[scheme]
    host, port = re.fullmatch(r"(\[.*\]|[^:]*)(:\d+)?", netloc).groups(default="")
    host = host.removesuffix(".")
    if not host.startswith("[") and (address := literal_address(host)) is not None:
        host = str(address)
    return host if port == default else host + port


def path_as_meant(path: str) -> str:
    """Brackets and bars are escaped in a path (RFC 3986), and a percent sign that begins no escape."""
    for character in "[]|":
        path = path.replace(character, f"%{ord(character):02X}")
    return re.sub(r"%(?![0-9A-F]{2})", "%25", path)


def parameters(query: str) -> list[tuple[str, str]]:
    """Names and values, in whatever way they are escaped; without those of advertising."""
    pairs = parse_qsl(query, keep_blank_values=True, encoding="latin-1")
    return [pair for pair in pairs if pair[0] not in ("utm_source", "fbclid")]


def test_the_two_agree_but_for_the_differences_that_are_meant() -> None:
    for raw in addresses(4_000):
        ours, theirs = urlsplit(canonical_url(raw)), urlsplit(canonicalize_url(raw))
        assert ours.scheme == theirs.scheme, raw
        assert ours.netloc == host_as_meant(theirs.scheme, theirs.netloc), raw
        assert ours.path == path_as_meant(theirs.path), raw
        assert sorted(parameters(ours.query)) == sorted(parameters(theirs.query)), raw
        assert ours.fragment == theirs.fragment == ""


def test_parameters_keep_the_order_in_which_they_were_written() -> None:
    for raw in addresses(1_000):
        written = [part for part in raw.partition("#")[0].partition("?")[2].split("&") if part]
        kept = [part for part in written if not part.startswith(("utm_source", "fbclid"))]
        names = [part.partition("=")[0] for part in urlsplit(canonical_url(raw)).query.split("&")]
        assert [name.replace("%5B%5D", "[]") for name in names if name] == [
            part.partition("=")[0] for part in kept
        ], raw


@pytest.mark.parametrize(
    ("raw", "ours", "theirs"),
    [
        # a server may tell pages apart by the order of parameters, by "c" and "c=", by " " and "+"
        ("http://a.example/?b=2&a=1", "http://a.example/?b=2&a=1", "http://a.example/?a=1&b=2"),
        ("http://a.example/?c", "http://a.example/?c", "http://a.example/?c="),
        ("http://a.example/?q=x y", "http://a.example/?q=x%20y", "http://a.example/?q=x+y"),
        ("http://a.example/?z=a/b;c", "http://a.example/?z=a/b;c", "http://a.example/?z=a%2Fb%3Bc"),
        ("http://a.example/?v='q'", "http://a.example/?v='q'", "http://a.example/?v=%27q%27"),
        # one page under two addresses: advertising, default port, root dot, spellings of an address
        ("http://a.example/?gclid=1", "http://a.example/", "http://a.example/?gclid=1"),
        ("http://a.example:80/", "http://a.example/", "http://a.example:80/"),
        ("http://a.example./", "http://a.example/", "http://a.example./"),
        ("http://0x7f.1/", "http://127.0.0.1/", "http://0x7f.1/"),
        # what RFC 3986 wants escaped
        ("http://a.example/[x]", "http://a.example/%5Bx%5D", "http://a.example/[x]"),
        ("http://a.example/100%", "http://a.example/100%25", "http://a.example/100%"),
    ],
)  # fmt: skip
def test_a_difference_that_is_meant(raw: str, ours: str, theirs: str) -> None:
    assert (canonical_url(raw), canonicalize_url(raw)) == (ours, theirs)

"""What the crawler must not reach: 30 spellings by 7 ways, rebinding, proxies, schemes, TLS (rows S01 to S04, S11, S12)."""

import datetime as dt
import ipaddress
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet.address import IPv4Address

from aidivide_archive.addresses import AddressPolicy
from aidivide_archive.archive import Location
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.ingest.admission import of_profile
from crawler.resolver import GuardedResolver
from tests.support import fault_pages as pages
from tests.support.fault_crawl import (
    WEB_PORT,
    Canary,
    Crawling,
    Ended,
    FakeResolver,
    Row,
    own_address,
)
from tests.support.faultd import Exchange, FaultServer

pytestmark = pytest.mark.slow  # one crawl for the whole module

PUBLIC, CONTROL, INNER = own_address(2), own_address(9), own_address(5)
"""Where the sites are, an inner address that the profile opens, and one that it does not."""
_NUMBER = int(ipaddress.IPv4Address(INNER))
_PARTS = INNER.split(".")
_HEX = f"{_NUMBER:08x}"
RESOLVED = ("inner.example", "both.example", "mapped.example", "rebinding.example")
SPELLINGS = (
    INNER,
    f"{_PARTS[0]}.{_PARTS[1]}.{_PARTS[3]}",
    str(_NUMBER),
    f"0x{_HEX}",
    f"0X{_HEX.upper()}",
    ".".join(f"0x{int(part):x}" for part in _PARTS),
    ".".join(f"0{int(part):o}" for part in _PARTS),
    f"0{_NUMBER:o}",
    f"0x7f.{_PARTS[1]}.0.0{int(_PARTS[3]):o}",
    f"{INNER}.",
    "".join(chr(ord(one) + 0xFEE0) if one.isdigit() else one for one in INNER),
    INNER.replace(".", "。"),
    "".join(f"%{ord(one):02x}" if one.isdigit() else one for one in INNER),
    f"[::ffff:{INNER}]",
    f"[::ffff:{_HEX[:4]}:{_HEX[4:]}]",
    f"[0:0:0:0:0:FFFF:{_HEX[:4]}:{_HEX[4:]}]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    f"[::{INNER}]",
    f"[64:ff9b::{INNER}]",
    f"[2002:{_HEX[:4]}:{_HEX[4:]}::]",
    "localhost",
    "LOCALHOST.",
    "sub.localhost",
    "0.0.0.0",
    "0",
    f"reader:secret@{INNER}",
    f"{PUBLIC}@{INNER}",
    f"public.example\\@{INNER}",
    *RESOLVED,
)
WAYS = ("start", "link", "redirect", "meta", "sitemap", "feed", "robots")
SCHEMES = ("file://{file}", "FILE:///{file}", "file:{file}", "ftp://public.example/a", "gopher://public.example/",
           "data:text/html,canary", "javascript:alert(1)", "blob:http://public.example/x",
           "view-source:http://public.example/", "s3://bucket/key")  # fmt: skip
SECRET = "the words of the canary file"


def inner_url(spelling: str, way: str) -> str:
    return f"http://{spelling}:{WEB_PORT}/{way}"


# --- certificates --------------------------------------------------------------------------------


@dataclass
class Authority:
    """A certificate authority of our own."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.certificate = self._sign(name, name, self.key, is_authority=True)
        self.path = self.folder / "authority.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str, *, self_signed: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        issuer = name if self_signed else self.certificate.subject
        made = self._sign(name, issuer, key, host=host, by=key if self_signed else self.key)
        path = self.folder / f"{host}-{self_signed}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(
        self,
        name: x509.Name,
        issuer: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        host: str | None = None,
        by: ec.EllipticCurvePrivateKey | None = None,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if host is not None:
            alternative = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(alternative, critical=False)
        return builder.sign(by or self.key, hashes.SHA256())


# --- one crawl that is tempted in every way ------------------------------------------------------


@dataclass
class Crawled:
    ended: Ended
    rows: dict[str, Row]
    inner: list[Canary]
    control: FaultServer
    proxy: Canary
    listening: set[str]
    server: FaultServer
    resolver: FakeResolver

    @property
    def touched(self) -> list[str]:
        return [one for canary in self.inner for one in canary.touched]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("reach")
    secret = folder / "canary.txt"
    secret.write_text(SECRET * 50)
    resolver = FakeResolver(folder / "resolver", {
        "inner.example": [INNER],
        "both.example": [[INNER, "::1"]],
        "mapped.example": [f"::ffff:{INNER}"],
        # the first look-up, for robots.txt, is public; every later one is not
        "rebinding.example": [PUBLIC, INNER],
    })  # fmt: skip
    with ExitStack() as stack:
        enter = stack.enter_context
        server = enter(FaultServer(addresses=(PUBLIC,), port=WEB_PORT))
        inner = [enter(Canary(INNER, WEB_PORT))]
        for address in ("127.0.0.1", "::1"):
            try:
                inner.append(enter(Canary(address, WEB_PORT)))
            except OSError:  # somebody else's port: the own address is watched all the same
                continue
        control = enter(FaultServer(addresses=(CONTROL,), port=WEB_PORT))
        proxy = enter(Canary(own_address(7)))
        authority = Authority(folder)
        tls = {
            "trusted.example": authority.context("trusted.example"),
            "wrong-name.example": authority.context("other.example"),
            "self-signed.example": authority.context("self-signed.example", self_signed=True),
        }
        through = f"http://{own_address(7)}:{proxy.port}"
        crawling = Crawling(
            server, Location(folder / "archive"), folder,
            allow_private=(f"{PUBLIC}/32", f"{CONTROL}/32", f"{own_address(20)}/30"),
            settings={"AIDIVIDE_MAX_WAIT_SECONDS": 8, "DOWNLOAD_TIMEOUT": 5, "AIDIVIDE_ROBOTS_SECONDS": 5},
            environment=resolver.environment() | {
                "SSL_CERT_FILE": str(authority.path), "http_proxy": through, "https_proxy": through,
                "HTTP_PROXY": through, "HTTPS_PROXY": through, "ALL_PROXY": through, "no_proxy": "",
            },
        )  # fmt: skip
        for place, (host, context) in enumerate(tls.items()):
            address = own_address(20 + place)
            secure = enter(FaultServer(context, 8443, (address,)))
            secure.hosts[host] = pages.article(900 + place)
            crawling.map(host, address=address)
            crawling.source(host, seeds=[f"https://{host}:8443/a"])
        tempt(crawling, server, str(secret))
        listening: set[str] = set()
        ended = crawling.crawl(watch=lambda process: listening.update(listeners(process.pid)))
        yield Crawled(ended, ended.rows(), inner, control, proxy, listening, server, resolver)


def tempt(crawling: Crawling, server: FaultServer, secret: str) -> None:
    """Name every inner address in every way that the profile cannot stop."""
    schemes = tuple(one.format(file=secret) for one in SCHEMES)

    def host(name: str, **named: Any) -> None:
        crawling.map(name, address=PUBLIC)
        crawling.source(name, **named)

    def urls(way: str) -> tuple[str, ...]:
        control = f"http://{CONTROL}:{WEB_PORT}/{way}"
        return (control, *(inner_url(one, way) for one in SPELLINGS), *schemes)

    # the inner hosts are sources themselves: only the guard stands between
    for name in (INNER, CONTROL, "localhost", "sub.localhost", *RESOLVED):
        crawling.source(name)
    accepted = [one for one in urls("start") if is_accepted_as_seed(one)]
    host("start.example", seeds=accepted)
    server.routes["link.example/"] = pages.hub(*urls("link"))
    host("link.example", hubs=[server.url("link.example")])
    meta = [f"/f/meta_refresh?seed={700 + n}&to={one}" for n, one in enumerate(urls("meta"))]
    host("meta.example", seeds=[server.url("meta.example", quoted(one)) for one in meta])
    moved = [f"/f/redirect?to={one}" for one in urls("redirect")]
    host("redirect.example", seeds=[server.url("redirect.example", quoted(one)) for one in moved])
    xml = [one.replace("&", "&amp;") for one in urls("sitemap")]
    server.routes["sitemap.example/map.xml"] = pages.urlset(tuple(xml))
    host("sitemap.example", sitemaps=[server.url("sitemap.example", "/map.xml")])
    server.routes["feed.example/feed.xml"] = pages.feed(urls("feed"))
    host("feed.example", feeds=[server.url("feed.example", "/feed.xml")])
    for place, url in enumerate(urls("robots")):
        name = f"robots{place}.example"
        host(name, seeds=[server.url(name, "/a")])
        server.routes[f"{name}/robots.txt"] = leading(url)
    server.routes["named.example/robots.txt"] = "".join(
        f"Sitemap: {one}\n" for one in urls("robots")
    )
    host("named.example", seeds=[server.url("named.example", "/a")])
    server.routes["rebinding.example/robots.txt"] = closing
    # off-site after a retry: a link of a hub answers 503 first, and then leads away
    server.routes["retry.example/"] = pages.hub("/f/status?code=503&fails=1", "/away")
    server.routes["retry.example/away"] = away
    crawling.map("offsite.example", address=PUBLIC)
    host("retry.example", hubs=[server.url("retry.example")])


def leading(to: str) -> Any:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(
            f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        await exchange.close()

    return answer


async def closing(exchange: Exchange) -> None:
    """No robots.txt, and no connection for the next request either."""
    await exchange.send(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await exchange.close()


async def away(exchange: Exchange) -> None:
    if exchange.count == 1:
        await exchange.reply(b"<p>later</p>", 503)
    else:
        await exchange.redirect(f"http://offsite.example:{WEB_PORT}/landed")


def quoted(path: str) -> str:
    """The target of a query, so that it arrives as it was written."""
    before, _, to = path.partition("to=")
    return before + "to=" + "".join(f"%{byte:02X}" for byte in to.encode())


def is_accepted_as_seed(url: str) -> bool:
    """Whether the profile takes it; one that it refuses is refused before anything starts."""
    source = {"name": "s", "domain": "s.example", "seeds": (url,)}
    values = {"schema": 1, "event": {"id": "faults", "title": "Faults"}, "source": (source,)}
    try:
        of_profile(Profile.model_validate(values))
    except (ValueError, ConfigError):
        return False
    return True


def listeners(pid: int) -> set[str]:
    """Listening TCP sockets of a process, as /proc shows them."""
    inodes: set[str] = set()
    with suppress(OSError):  # it may end while we look
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(str(one.readlink()).partition("[")[2].rstrip("]"))
    found: set[str] = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            fields = [line.split() for line in lines]
            found |= {one[1] for one in fields if one[3] == "0A" and one[9] in inodes}
    return found


# --- S01 -----------------------------------------------------------------------------------------


def test_there_are_30_spellings_and_7_ways():
    assert len(set(SPELLINGS)) >= 30
    assert len(WAYS) == 7


@pytest.mark.fault("S01", "S02")
def test_no_inner_address_is_reached_by_any_spelling_or_way(crawled: Crawled):
    assert crawled.touched == []


@pytest.mark.fault("S01")
@pytest.mark.parametrize("way", [one for one in WAYS if one != "meta"])
def test_the_canary_would_notice_each_way(crawled: Crawled, way: str):
    """An inner address that the profile opens is reached: so the others were refused, not overlooked.

    A refresh in a page's head is no way at all: its target is not followed.
    """
    assert crawled.control.asked(prefix=f"/{way}")


@pytest.mark.fault("S01")
def test_refusals_are_counted_and_have_their_reason(crawled: Crawled):
    refused = [row for row in crawled.rows.values() if row.reason == "address_refused"]
    assert len(refused) >= 20
    assert crawled.ended.stats()["addresses_refused"] >= len(refused)
    slugs = {(row.detail or "").partition(":")[0] for row in refused}
    assert {"loopback", "embedded", "name", "unspecified"} <= slugs


@pytest.mark.fault("S01")
def test_a_port_that_is_no_web_port_is_refused():
    assert AddressPolicy().check_url("http://news.example:22/") == "port"


# --- S02 -----------------------------------------------------------------------------------------


@pytest.mark.fault("S02")
def test_a_name_that_changes_its_address_is_not_followed(crawled: Crawled):
    """Its first answer was public, and was asked; any later one would be the canary's."""
    assert "rebinding.example" in {name for _, name in crawled.resolver.asked()}
    asked = crawled.server.asked("rebinding.example")
    assert asked
    assert {one.address for one in asked} == {PUBLIC}
    assert not [one for one in crawled.touched if "rebinding.example" in one]


@pytest.mark.fault("S02")
def test_every_look_up_is_judged_anew():
    answers = iter(["203.0.114.5", "127.0.0.1", "203.0.114.5"])

    class Original:
        def resolveHostName(self, receiver: Any, name: str, *_: Any) -> None:  # noqa: N802
            receiver.resolutionBegan(None)
            receiver.addressResolved(IPv4Address("TCP", next(answers), 80))
            receiver.resolutionComplete()

    class Receiver:
        def __init__(self) -> None:
            self.hosts: list[str] = []

        def resolutionBegan(self, _: object) -> None:  # noqa: N802
            pass

        def addressResolved(self, address: IPv4Address) -> None:  # noqa: N802
            self.hosts.append(address.host)

        def resolutionComplete(self) -> None:  # noqa: N802
            pass

    refused: dict[str, str] = {}
    resolver = GuardedResolver(Original(), AddressPolicy(), {}, refused)
    seen = []
    for _ in range(3):
        receiver: Any = Receiver()
        resolver.resolveHostName(receiver, "Rebinding.example", 80)
        seen.append(receiver.hosts)
    assert seen == [["203.0.114.5"], [], ["203.0.114.5"]]
    assert refused == {"rebinding.example": "loopback"}


@pytest.mark.fault("S02")
def test_proxies_of_the_environment_are_not_used(crawled: Crawled):
    assert crawled.proxy.touched == []


# --- S03, S04 ------------------------------------------------------------------------------------


@pytest.mark.fault("S03")
def test_other_schemes_are_neither_queued_nor_read(crawled: Crawled):
    assert {url.partition(":")[0] for url in crawled.rows} == {"http", "https"}
    folder = crawled.ended.location.directory
    command = ["zgrep", "-rlF", SECRET, str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.stdout == ""


@pytest.mark.fault("S03")
def test_a_redirect_to_a_file_is_refused_and_named(crawled: Crawled):
    details = [row.detail or "" for row in crawled.rows.values() if row.reason == "offsite"]
    assert [one for one in details if one.startswith("redirects to file:")]


@pytest.mark.fault("S04")
def test_a_retry_opens_no_way_off_the_sources(crawled: Crawled):
    assert len(crawled.server.asked("retry.example", "/away")) == 2
    assert not crawled.server.asked("offsite.example")
    row = crawled.rows[crawled.server.url("retry.example", "/away")]
    assert (row.state, row.reason) == ("rejected", "offsite")


# --- S11, S12 ------------------------------------------------------------------------------------


@pytest.mark.fault("S11")
@pytest.mark.parametrize("host", ["wrong-name.example", "self-signed.example"])
def test_a_bad_certificate_is_refused_and_recorded(crawled: Crawled, host: str):
    row = crawled.rows[f"https://{host}:8443/a"]
    assert row.state in ("failed", "dead")
    assert row.reason in ("tls", "robots_unavailable")
    assert re.search("certificate|VerificationError", row.detail or "")


@pytest.mark.fault("S11")
def test_a_good_certificate_is_accepted(crawled: Crawled):
    assert crawled.rows["https://trusted.example:8443/a"].state == "done"


@pytest.mark.fault("S12")
def test_no_port_listens_while_crawling(crawled: Crawled):
    assert crawled.listening == set()


@pytest.mark.fault("S12")
def test_a_listening_port_would_be_seen():
    with Canary():
        assert listeners(os.getpid())

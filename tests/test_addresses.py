import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.addresses import AddressPolicy
from aidivide_archive.exceptions import ConfigError, InvalidURLError
from aidivide_archive.urls import canonical_url

POLICY = AddressPolicy()
LOOPBACK = AddressPolicy(allow_private=("127.0.0.0/8", "::1"), hosts={"one.example": "127.0.0.2"})


@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("127.0.0.1", "loopback"),
        ("127.0.0.1.", "loopback"),
        ("127.1", "loopback"),
        ("127.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("2130706433", "loopback"),
        ("0x7f000001", "loopback"),
        ("0X7F.0.0.1", "loopback"),
        ("0x7f.0x0.0x0.0x1", "loopback"),
        ("0177.0.0.1", "loopback"),
        ("017700000001", "loopback"),
        ("0000177.0.0.01", "loopback"),
        ("１２７.０.０.１", "loopback"),
        ("127。0。0。1", "loopback"),
        ("①②⑦.0.0.1", "loopback"),
        ("%31%32%37.0.0.1", "loopback"),
        ("[::1]", "loopback"),
        ("[0:0:0:0:0:0:0:1]", "loopback"),
        ("[::ffff:127.0.0.1]", "loopback"),
        ("[::FFFF:7f00:1]", "loopback"),
        ("[::127.0.0.1]", "embedded"),
        ("[::ffff:0:127.0.0.1]", "embedded"),
        ("[64:ff9b::127.0.0.1]", "embedded"),
        ("[64:ff9b::7f00:1]", "embedded"),
        ("[64:ff9b:1::7f00:1]", "embedded"),
        ("[2002:7f00:1::]", "embedded"),
        ("[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "embedded"),
        ("[2620:0:1::5efe:7f00:1]", "embedded"),
        ("[fe80::1]", "link-local"),
        ("[fe80::1%25eth0]", "malformed"),
        ("[fec0::1]", "private"),
        ("[fd00::1]", "private"),
        ("[fd00:ec2::254]", "metadata"),
        ("[ff02::1]", "multicast"),
        ("[::]", "unspecified"),
        ("[100::1]", "reserved"),
        ("[2001:db8::1]", "reserved"),
        ("0", "unspecified"),
        ("0.0.0.0", "unspecified"),
        ("0x0", "unspecified"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("3232235777", "private"),
        ("0300.0250.1.1", "private"),
        ("100.64.0.1", "private"),
        ("169.254.1.1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("2852039166", "metadata"),
        ("[::ffff:169.254.169.254]", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("192.0.0.8", "reserved"),
        ("192.0.0.192", "metadata"),
        ("192.0.2.1", "reserved"),
        ("192.88.99.1", "embedded"),
        ("198.18.0.1", "reserved"),
        ("203.0.113.1", "reserved"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("256.0.0.1", "malformed"),
        ("4294967296", "malformed"),
        ("localhost", "name"),
        ("LOCALHOST", "name"),
        ("localhost.", "name"),
        ("ｌｏｃａｌｈｏｓｔ", "name"),
        ("a.localhost", "name"),
        ("localhost.localdomain", "name"),
        ("printer.local", "name"),
        ("db.internal", "name"),
        ("router.home.arpa", "name"),
        ("intranet", "name"),
        ("metadata", "name"),
        ("metadata.google.internal", "metadata"),
        ("metadata.tencentyun.com", "metadata"),
    ],
)
def test_check_url_refuses_every_spelling_of_a_place_inside(host: str, slug: str) -> None:
    assert POLICY.check_url(f"http://{host}/") == slug
    assert POLICY.check_url(f"https://{host}:8443/x?y#z") == slug


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("file:///etc/hostname", "scheme"),
        ("ftp://news.example/", "scheme"),
        ("data:text/html,x", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("s3://bucket/key", "scheme"),
        ("gopher://news.example/", "scheme"),
        ("//news.example/", "scheme"),
        ("news.example", "scheme"),
        ("", "scheme"),
        ("http://user@news.example/", "userinfo"),
        ("http://user:secret@127.0.0.1/", "userinfo"),
        ("http://news.example@127.0.0.1/", "userinfo"),
        ("http://news.example\\@127.0.0.1/", "userinfo"),
        ("http:\\\\127.0.0.1\\", "malformed"),
        ("http://127.0.0.1\\.news.example/", "malformed"),
        ("http://", "malformed"),
        ("http:///x", "malformed"),
        ("http://news.example:99999/", "malformed"),
        ("http://[::1", "malformed"),
        ("http://news.example/\x00", "malformed"),
        ("http://news.example/" + "a" * 9000, "malformed"),
        ("http://news.example:22/", "port"),
        ("http://news.example:6379/", "port"),
        ("http://8.8.8.8:8000/", "port"),
        ("http://[2606:4700::1111]:25/", "port"),
    ],
)
def test_check_url_refuses_schemes_credentials_ports_and_junk(url: str, slug: str) -> None:
    assert POLICY.check_url(url) == slug


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example/",
        "https://www.news.example:8443/a?b=http://127.0.0.1/",
        "http://news.example:8080/user@host",
        "http://8.8.8.8/",
        "http://[2606:4700:4700::1111]/",
        "http://[::ffff:8.8.8.8]/",
        "http://新华网.中国/",
        "http://local.example/",
        "http://10.0.0.1.news.example/",
    ],
)
def test_check_url_lets_public_urls_through(url: str) -> None:
    assert POLICY.check_url(url) is None


@pytest.mark.parametrize(
    ("address", "slug"),
    [
        ("8.8.8.8", None),
        ("2606:4700:4700::1111", None),
        ("::ffff:8.8.8.8", None),
        ("127.0.0.1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("64:ff9b::7f00:1", "embedded"),
        ("64:ff9b::808:808", "embedded"),
        ("2002:7f00:1::", "embedded"),
        ("::127.0.0.1", "embedded"),
        ("ff02::1", "multicast"),
        ("192.0.0.8", "reserved"),
        ("fe80::1%eth0", "link-local"),
        ("fe80::1", "link-local"),
        ("2606:4700::1%eth0", "link-local"),
        ("4000::1", "reserved"),
        ("169.254.169.254", "metadata"),
        ("news.example", "malformed"),
        ("", "malformed"),
        ("127.1", "malformed"),
    ],
)
def test_check_address_judges_what_dns_answered(address: str, slug: str | None) -> None:
    assert POLICY.check_address(address) == slug


def test_allow_private_opens_its_networks_on_every_port_and_nothing_else() -> None:
    assert LOOPBACK.check_url("http://127.0.0.1:31337/") is None
    assert LOOPBACK.check_url("http://[::ffff:127.0.0.1]:9/") is None
    assert LOOPBACK.check_url("http://[::1]:9/") is None
    assert LOOPBACK.check_address("127.0.0.3") is None
    assert LOOPBACK.check_url("http://10.0.0.1/") == "private"
    assert LOOPBACK.check_url("http://[64:ff9b::7f00:1]/") == "embedded"
    assert LOOPBACK.check_url("ftp://127.0.0.1/") == "scheme"
    assert LOOPBACK.check_url("http://u:p@127.0.0.1/") == "userinfo"
    assert LOOPBACK.check_url("http://news.example:31337/") == "port"


def test_mapped_host_is_judged_by_the_address_it_maps_to() -> None:
    assert LOOPBACK.check_url("http://one.example:31337/x") is None
    assert LOOPBACK.check_url("http://two.example:31337/x") == "port"
    closed = AddressPolicy(hosts={"one.example": "10.0.0.1"})
    assert closed.check_url("http://one.example/") == "private"


@pytest.mark.parametrize(
    "arguments", [{"allow_private": ("10.0.0.0/99",)}, {"hosts": {"a.example": "nowhere"}}]
)
def test_policy_refuses_what_is_no_address(arguments: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        AddressPolicy(**arguments)  # type: ignore[arg-type]


@given(st.text(max_size=60).map(lambda tail: "http://" + tail))
def test_verdict_is_the_same_for_a_url_and_its_canonical_form(url: str) -> None:
    verdict = POLICY.check_url(url)
    if verdict is None:
        assert POLICY.check_url(canonical_url(url)) is None
    elif verdict not in ("malformed", "userinfo"):
        assert POLICY.check_url(canonical_url(url)) == verdict


@given(
    st.ip_addresses(v=4), st.sampled_from(["::ffff:{:x}", "64:ff9b::{:x}", "2002:{:x}::", "::{:x}"])
)
def test_embedded_forms_are_never_more_open_than_the_address(address: object, form: str) -> None:
    number = int(address)  # type: ignore[call-overload]
    high_and_low = f"{number >> 16:x}:{number & 0xFFFF:x}"
    spelled = form.replace("{:x}", high_and_low)
    if POLICY.check_address(str(address)) is not None:
        assert POLICY.check_address(spelled) is not None


@given(st.text(max_size=40))
def test_no_text_is_an_error(text: str) -> None:
    assert isinstance(POLICY.check_address(text), str | None)
    try:
        canonical_url(text)
    except InvalidURLError:
        assert POLICY.check_url(text) is not None

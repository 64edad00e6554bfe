import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.exceptions import ConfigError, InvalidURLError
from aidivide_archive.urls import (
    MAX_URL_CHARS,
    article_id,
    canonical_url,
    host_of,
    literal_address,
    parse_id,
    site,
    story_id,
    url_id,
    url_key,
)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("HTTP://News.Example:80", "http://news.example/"),
        ("https://news.example:443/a", "https://news.example/a"),
        ("https://news.example:8443/a", "https://news.example:8443/a"),
        ("http://news.example:/a", "http://news.example/a"),
        ("http://news.example./a", "http://news.example/a"),
        (" http://news.example/a \n", "http://news.example/a"),
        ("http://news.example/a/../b/./c", "http://news.example/b/c"),
        ("http://news.example/../../a/..", "http://news.example/"),
        ("http://news.example/%2e%2e/a%2Fb", "http://news.example/a%2Fb"),
        ("http://news.example/%7euser/%e4%ba%ba", "http://news.example/~user/%E4%BA%BA"),
        (
            "http://news.example/人工 智能",
            "http://news.example/%E4%BA%BA%E5%B7%A5%20%E6%99%BA%E8%83%BD",
        ),
        (
            "http://news.example/a?q=人工 知能",
            "http://news.example/a?q=%E4%BA%BA%E5%B7%A5%20%E7%9F%A5%E8%83%BD",
        ),
        ("http://news.example/100%", "http://news.example/100%25"),
        ("http://news.example/a%ff", "http://news.example/a%FF"),
        ("http://news.example/a#top", "http://news.example/a"),
        ("http://news.example/a?#top", "http://news.example/a"),
        ("http://news.example/a?&&b=2&", "http://news.example/a?b=2"),
        ("http://news.example/a//b", "http://news.example/a//b"),
        ("http:\\\\news.example\\a?b=\\", "http://news.example/a?b=%5C"),
        ("http://Bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://新华网。中国/", "http://xn--xkrr14bows.xn--fiqs8s/"),
        ("http://my_site.news.example/", "http://my_site.news.example/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://[2001:DB8:0:0::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
        ("http://n%65ws.example/", "http://news.example/"),
    ],
)
def test_canonical_url_normalises(raw: str, canonical: str) -> None:
    assert canonical_url(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("/a?utm_source=x&UTM_Medium=y&id=3", "/a?id=3"),
        ("/a?fbclid=1&gclid=2&spm=3&pfrom=4", "/a"),
        ("/a?b=2&a=1&b=1", "/a?b=2&a=1&b=1"),
        ("/a?level=a1", "/a?level=a1"),  # selects another text on the site that uses it
        ("/?p=123", "/?p=123"),
        ("/a?m=0", "/a?m=0"),
        ("/article.php?sid=123", "/article.php?sid=123"),
        ("/t.php?t=4&sid=0123456789abcdef0123456789abcdef", "/t.php?t=4"),
        ("/a?ref=home&from=x&source=y", "/a?ref=home&from=x&source=y"),
        ("/a?12345", "/a?12345"),
        ("/a?PHPSESSID=abc&x=1", "/a?x=1"),
        ("/a;jsessionid=0A1B.node1?x=1", "/a?x=1"),
        ("/a;JSESSIONID=1/b;sid=2/c;v=3", "/a/b/c;v=3"),
        ("/a;js%65ssionid=1", "/a"),
        ("/spmx?spmx=1&xutm_source=2", "/spmx?spmx=1&xutm_source=2"),
    ],
)
def test_canonical_url_drops_known_trackers_and_sessions_only(raw: str, kept: str) -> None:
    assert canonical_url("http://news.example" + raw) == "http://news.example" + kept


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("x", "http://news.example/a/b/x"),
        ("./x", "http://news.example/a/b/x"),
        ("../x?y#z", "http://news.example/a/x?y"),
        ("/x", "http://news.example/x"),
        ("//other.example/x", "http://other.example/x"),
        ("\\\\other.example\\x", "http://other.example/x"),
        ("?q=2", "http://news.example/a/b/c?q=2"),
        ("#f", "http://news.example/a/b/c?q=1"),
        ("", "http://news.example/a/b/c?q=1"),
        ("12:30.html", "http://news.example/a/b/12:30.html"),
        ("https://other.example", "https://other.example/"),
    ],
)
def test_canonical_url_resolves_references(reference: str, target: str) -> None:
    assert canonical_url(reference, "http://news.example/a/b/c?q=1#f") == target


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "news.example/a",
        "/a",
        "ftp://news.example/",
        "file:///etc/hostname",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@news.example",
        "http:",
        "http://",
        "http:///a",
        "http:news.example",
        "http://:80/",
        "http://user:secret@news.example/",
        "http://@news.example/",
        "http://a b.example/",
        "http://a..example/",
        "http://-a.example/",
        "http://ex%00ample/",
        "http://news.example%2Fx/",
        "http://news.example:0/",
        "http://news.example:65536/",
        "http://news.example:８０/",
        "http://news.example:1e2/",
        "http://256.1.1.1/",
        "http://1.2.3.4.5/",
        "http://09.1.1.1/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "http://℀.example/",
        "http://news.example/a\nb",
        "http://news.example/a\x00",
        "http://news.example/a\x7f",
        "http://news.example/a\x85b",
        "http://news.example/\ud800",
        "http://\ud800.example/",
        "http://news.example/" + "a" * MAX_URL_CHARS,
        "http://news.example/" + "a" * 1_000_000,
        "http://news.example/" + "人" * 300,
    ],
)
def test_canonical_url_refuses(raw: str) -> None:
    with pytest.raises(InvalidURLError):
        canonical_url(raw)


def test_error_is_one_line_without_credentials() -> None:
    with pytest.raises(InvalidURLError) as caught:
        canonical_url("ftp://user:secret@news.example/a b")
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidURLError) as caught:
        canonical_url("ftp://news.example/\n\x1b[31m" + "x" * 500)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_long_fragments_and_trackers_do_not_count() -> None:
    raw = "http://news.example/a?utm_content=" + "x" * 3000 + "#:~:text=" + "y" * 3000
    assert canonical_url(raw) == "http://news.example/a"


ONE_PAGE = [
    "http://unido.example/news/slug",
    "https://unido.example/news/slug/",
    "https://www.unido.example/news/slug",
    "https://www2.unido.example/news/slug",
    "https://m.unido.example/news/slug",
    "https://amp.unido.example/news/slug",
    "http://unido.example:80/news/slug",
    "http://unido.example/news/slug/amp",
    "http://unido.example/news/slug/amp/",
    "http://unido.example/news/slug?amp=1",
    "http://unido.example/news/slug?utm_source=x",
    "http://unido.example/news/slug/index.html",
    "http://unido.example/news/slug/index.php#top",
    "http://unido.example/news/./slug",
    "http://unido.example/news/sl%75g",
]


@pytest.mark.parametrize("url", ONE_PAGE)
def test_url_key_is_one_for_the_spellings_of_a_page(url: str) -> None:
    assert url_key(url) == "unido.example/news/slug"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.example/slug", "http://a.example/slug-2"),
        ("http://a.example/x?level=a1", "http://a.example/x?level=b1"),
        ("http://a.example/x?id=1", "http://a.example/x"),
        ("http://a.example/Slug", "http://a.example/slug"),
        ("http://a.example/x", "http://a.example:8080/x"),
        ("http://a.example/x", "http://big5.a.example/x"),
        ("http://a.example/x", "http://test.a.example/x"),
        ("http://a.example/camp", "http://a.example/c"),
        ("http://a.example/a?m=1", "http://a.example/a?m=2"),
        ("http://a.example/a?m=1", "http://a.example/a"),
        (
            "http://a.example/page/202507/1339482.shtml",
            "http://a.example/page/202507/1339483.shtml",
        ),
        ("http://a.example/a%2Fb", "http://a.example/a/b"),
        ("http://m.com/x", "http://com/x"),
    ],
)
def test_url_key_keeps_different_pages_apart(one: str, other: str) -> None:
    assert url_key(one) != url_key(other)


def test_url_key_ignores_order_of_parameters_and_the_mobile_flag_of_blogger() -> None:
    assert url_key("http://a.example/x?b=2&a=1") == url_key("http://a.example/x?a=1&b=2")
    assert url_key("http://a.example/x?q=a+b") == url_key("http://a.example/x?q=a%20b")
    post = "http://a.example/2025/07/post.html"
    assert url_key(post + "?m=0") == url_key(post + "?m=1") == url_key(post)


def test_url_key_of_a_root_is_its_host() -> None:
    assert url_key("https://www.a.example/index.html") == url_key("http://a.example") == "a.example"
    assert url_key("http://www.gov.cn/") == "gov.cn"
    assert url_key("http://amp.dev/amp") == "amp.dev/amp"


def test_ids_are_the_first_48_bits_of_sha256_of_the_key() -> None:
    # printf 'news.example/a' | sha256sum
    assert article_id(url_id("https://www.news.example/a/")) == "a-a034b736288d"


def test_parse_id_reads_both_kinds() -> None:
    assert parse_id(article_id(255)) == parse_id(" S-0000000000FF ") == 255
    assert story_id(255) == "s-0000000000ff"


@pytest.mark.parametrize("text", ["", "a-", "a-123", "b-000000000001", "a-00000000000g", "a" * 99])
def test_parse_id_refuses_other_text(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_id(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://news.bbc.co.uk/1/hi", "bbc.co.uk"),
        ("english.www.gov.cn", "www.gov.cn"),
        ("http://en.people.cn:8080/", "people.cn"),
        ("https://someone.blogspot.com/", "blogspot.com"),
        ("http://one.outlet.example:8000/x", "outlet.example"),
        ("outlet.example", "outlet.example"),
        ("http://localhost:9/", "localhost"),
        ("http://127.0.0.1:8000/x", "127.0.0.1:8000"),
        ("127.0.0.1", "127.0.0.1"),
        ("http://[::1]:8000/", "[::1]:8000"),
        ("http://co.uk/", "co.uk"),
        ("WWW.News.Example", "news.example"),
        ("http://a.例子.中国/", "xn--fsqu00a.xn--fiqs8s"),
    ],
)
def test_site_is_the_registrable_domain(url: str, expected: str) -> None:
    assert site(url) == expected


def test_host_of_keeps_an_explicit_port() -> None:
    assert host_of("http://News.example:8080/x") == "news.example:8080"
    assert host_of("https://news.example:443/x") == "news.example"


def test_literal_address_is_none_for_names() -> None:
    assert literal_address("news.example") is None
    assert str(literal_address("0300.0250.1")) == "192.168.0.1"
    assert str(literal_address("[::1]")) == "::1"


# --- properties ----------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *("a", "b", "/", "//", ".", "..", "/../", "/./", "?", "&", "=", "#", ";", "+", " ", "%"),
        *(
            "%2e",
            "%2F",
            "%7E",
            "%zz",
            "%e4%ba%ba",
            "人",
            "é",
            "ß",
            "。",
            "１",
            "\\",
            "@",
            ":",
            "80",
        ),
        *("amp", "/amp", "index.html", "www.", "m.", "utm_a=1", "sid=1", ";jsessionid=2", "[", "]"),
        *(
            "\u200d",
            "\ud800",
            "\x00",
            "\x85",
            "|",
            '"',
            "<",
            "^",
            "*",
            "~",
            "_",
            "-",
            "0x7f",
            "127",
        ),
    ]
)
_TAILS = st.lists(_PIECES, max_size=12).map("".join)
_HOSTS = st.sampled_from(["news.example", "www.a.co.uk", "M.B.example:80", "[::1]:8", "1.2", ""])
_URLS = st.one_of(
    st.text(max_size=60),
    st.builds(
        lambda scheme, host, tail: f"{scheme}://{host}{tail}",
        st.sampled_from(["http", "HTTPS"]),
        _HOSTS,
        _TAILS,
    ),
)


def _canonical_or_none(raw: str, base: str | None = None) -> str | None:
    try:
        return canonical_url(raw, base)
    except InvalidURLError:
        return None


@given(_URLS)
def test_canonical_url_is_idempotent_and_plain_ascii(raw: str) -> None:
    once = _canonical_or_none(raw)
    if once is not None:
        assert canonical_url(once) == once
        assert once.isascii()
        assert once.isprintable()
        assert " " not in once
        assert url_key(once) == url_key(raw)
        assert 0 <= url_id(raw) < 2**48
        assert parse_id(article_id(url_id(raw))) == url_id(raw)
        assert site(once) in host_of(once)


@given(_TAILS, _URLS)
def test_resolving_gives_a_canonical_url_or_nothing(reference: str, base: str) -> None:
    target = _canonical_or_none(reference, base)
    if target is not None:
        assert canonical_url(target) == target
        assert canonical_url(target, base) == target

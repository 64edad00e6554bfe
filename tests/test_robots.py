import gzip
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.model import Reason
from aidivide_archive.robots import (
    MAX_ROBOTS_BYTES,
    RobotsState,
    RobotsVerdict,
    effective_rules,
    parse_robots,
    retry_after_seconds,
)

AGENT = "FooBot"


def is_allowed(robots: str | bytes, url: str, agent: str = AGENT) -> bool:
    body = robots.encode() if isinstance(robots, str) else robots
    return parse_robots(body, status=200).verdict(url, agent).allowed


# --- what Google publishes about its matcher (google/robotstxt), restated as facts ----------------


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        ("user-agent: FooBot\ndisallow: /\n", False),
        ("foo: FooBot\nbar: /\n", True),
        ("user-agent FooBot\ndisallow /\n", False),
        ("", True),
        ("USER-AGENT: FooBot\nALLOW: /x/\nDISALLOW: /\n", True),
        ("UsEr-AgEnT: FooBot\nAlLoW: /x/\nDiSaLlOw: /\n", True),
        ("user-agent: FooBot\ndissallow: /\n", False),
        ("allow: /foo/\nuser-agent: FooBot\ndisallow: /\n", False),
        ("disallow: /\nuser-agent: BarBot\ndisallow: /\n", True),
    ],
)
def test_lines_are_read_as_google_reads_them(robots: str, allowed: bool) -> None:
    assert is_allowed(robots, "http://foo.bar/x/y") is allowed


GROUPS = (
    "allow: /foo/bar/\n\n"
    "user-agent: FooBot\ndisallow: /\nallow: /x/\n"
    "user-agent: BarBot\ndisallow: /\nallow: /y/\n\n\n"
    "allow: /w/\nuser-agent: BazBot\n\n"
    "user-agent: FooBot\nallow: /z/\ndisallow: /\n"
)


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("FooBot", "/x/b", True),
        ("FooBot", "/z/d", True),
        ("FooBot", "/y/c", False),
        ("FooBot", "/foo/bar/", False),
        ("BarBot", "/y/c", True),
        ("BarBot", "/w/a", True),
        ("BarBot", "/z/d", False),
        ("BazBot", "/z/d", True),
        ("OtherBot", "/y/c", True),
    ],
)
def test_groups_of_one_agent_are_merged(agent: str, path: str, allowed: bool) -> None:
    assert is_allowed(GROUPS, "http://foo.bar" + path, agent) is allowed


@pytest.mark.parametrize("other", ["Sitemap: https://foo.bar/sitemap", "Unknown: x"])
def test_other_lines_do_not_end_a_list_of_agents(other: str) -> None:
    robots = f"User-agent: BarBot\n{other}\nUser-agent: *\nDisallow: /\n"
    assert not is_allowed(robots, "http://foo.bar/", "FooBot")
    assert not is_allowed(robots, "http://foo.bar/", "BarBot")


@pytest.mark.parametrize("spelled", ["FOO BAR", "foo bar", "FoO bAr", "Foo/2.0", "foo"])
def test_agents_compare_without_case_and_version(spelled: str) -> None:
    robots = f"User-Agent: {spelled}\nAllow: /x/\nDisallow: /\n"
    assert is_allowed(robots, "http://foo.bar/x/y", "Foo")
    assert is_allowed(robots, "http://foo.bar/x/y", "foo/0.1 (+https://foo.example/bot)")
    assert not is_allowed(robots, "http://foo.bar/a/b", "Foo")


def test_agent_token_ends_at_the_first_space_of_the_line_but_not_of_the_asker() -> None:
    robots = "User-Agent: *\nDisallow: /\nUser-Agent: Foo Bar\nAllow: /x/\nDisallow: /\n"
    assert is_allowed(robots, "http://foo.bar/x/y", "Foo")
    assert not is_allowed(robots, "http://foo.bar/x/y", "Foo Bar")


def test_star_is_only_for_agents_without_a_group() -> None:
    general = "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n"
    assert not is_allowed(general, "http://foo.bar/x/y", "FooBot")
    assert is_allowed(general, "http://foo.bar/x/y", "BarBot")
    assert is_allowed("user-agent: BarBot\ndisallow: /\n", "http://foo.bar/x/y", "QuxBot")
    assert not is_allowed("user-agent: * baz\ndisallow: /\n", "http://foo.bar/", "BarBot")


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("disallow: /x/page.html\nallow: /x/", "/x/page.html", False),
        ("allow: /x/page.html\ndisallow: /x/", "/x/page.html", True),
        ("allow: /x/page.html\ndisallow: /x/", "/x/", False),
        ("disallow: \nallow: ", "/x/page.html", True),
        ("disallow: /\nallow: /", "/x/page.html", True),
        ("disallow: /x\nallow: /x/", "/x", False),
        ("disallow: /x\nallow: /x/", "/x/", True),
        ("disallow: /x/page.html\nallow: /x/page.html", "/x/page.html", True),
        ("allow: /page\ndisallow: /*.html", "/page.html", False),
        ("allow: /page\ndisallow: /*.html", "/page", True),
        ("allow: /x/page.\ndisallow: /*.html", "/x/page.html", True),
        ("allow: /x/page.\ndisallow: /*.html", "/x/y.html", False),
        ("Disallow: /x/\n", "/X/y", True),
        ("Disallow: /X/\n", "/X/y", False),
        ("allow: /p\ndisallow: /", "/page", True),
        ("allow: /folder\ndisallow: /folder", "/folder/page", True),
        ("allow: /page\ndisallow: /*.htm", "/page.htm", False),
        ("allow: /$\ndisallow: /", "/", True),
        ("allow: /$\ndisallow: /", "/page.html", False),
        ("Disallow: x", "/x", True),
    ],
)
def test_longest_match_decides_and_allow_wins_a_tie(rules: str, path: str, allowed: bool) -> None:
    assert is_allowed(f"user-agent: FooBot\n{rules}\n", "http://foo.bar" + path) is allowed


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/fish", "/fish", True),
        ("/fish", "/fish.html", True),
        ("/fish", "/fishheads/yummy.html", True),
        ("/fish", "/fish.php?id=anything", True),
        ("/fish", "/Fish.asp", False),
        ("/fish", "/catfish", False),
        ("/fish", "/?id=fish", False),
        ("/fish*", "/fishheads", True),
        ("/fish*", "/catfish", False),
        ("/fish/", "/fish/salmon.htm", True),
        ("/fish/", "/fish", False),
        ("/fish/", "/fish.html", False),
        ("/*.php", "/folder/filename.php?parameters", True),
        ("/*.php", "/filename.php/", True),
        ("/*.php", "/windows.PHP", False),
        ("/*.php$", "/folder/filename.php", True),
        ("/*.php$", "/filename.php?parameters", False),
        ("/*.php$", "/filename.php5", False),
        ("/fish*.php", "/fishheads/catfish.php?parameters", True),
        ("/fish*.php", "/Fish.PHP", False),
        ("/*?*utm_", "/a?b=1&utm_source=c", True),
        ("/a*a$", "/a", False),
        ("/a*a$", "/aa", True),
        ("/a**b", "/a-b", True),
        ("*/private/", "/x/private/y", True),
        ("/a$b", "/a$b", True),
        ("/*$", "/anything", True),
        ("/fish$", "/fish", True),
        ("/fish$", "/fishes", False),
    ],
)
def test_wildcards_match_as_published(pattern: str, path: str, matches: bool) -> None:
    robots = f"user-agent: FooBot\ndisallow: /\nallow: {pattern}\n" + "allow: /robots.txt\n"
    rules = parse_robots(f"user-agent: FooBot\ndisallow: {pattern}\n".encode(), status=200)
    assert rules.verdict("http://foo.bar" + path, AGENT).allowed is not matches
    assert is_allowed(robots, "http://foo.bar" + path) is matches


def test_escapes_compare_in_upper_case_and_as_utf8() -> None:
    robots = "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar/ツ\n"
    assert is_allowed(robots, "http://foo.bar/foo/bar/%E3%83%84")
    assert is_allowed(robots, "http://foo.bar/foo/bar/ツ")
    lower = "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar/%e3%83%84\n"
    assert is_allowed(lower, "http://foo.bar/foo/bar/%E3%83%84")
    query = "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar?qux=taz&baz=http://foo.bar?tar&par\n"
    assert is_allowed(query, "http://foo.bar/foo/bar?qux=taz&baz=http://foo.bar?tar&par")


def test_escaped_unreserved_characters_are_read_the_cautious_way() -> None:
    allow = "User-agent: FooBot\nDisallow: /\nAllow: /foo/bar/%62%61%7A\n"
    assert not is_allowed(allow, "http://foo.bar/foo/bar/baz")  # Google's published example
    assert is_allowed(allow, "http://foo.bar/foo/bar/%62%61%7A")
    disallow = "User-agent: FooBot\nDisallow: /foo/bar/%62%61%7A\n"
    assert not is_allowed(disallow, "http://foo.bar/foo/bar/baz")  # RFC 9309 §2.2.2
    assert not is_allowed(disallow, "http://foo.bar/foo/bar/%62%61%7A")


def test_allowed_index_page_allows_its_directory() -> None:
    robots = "User-Agent: *\nAllow: /allowed-slash/index.html\nDisallow: /\n"
    assert is_allowed(robots, "http://foo.com/allowed-slash/")
    assert is_allowed(robots, "http://foo.com/allowed-slash/index.html")
    assert not is_allowed(robots, "http://foo.com/allowed-slash/index.htm")
    assert not is_allowed(robots, "http://foo.com/anyother-url")


def test_lines_are_cut_at_the_published_length() -> None:
    limit = 2083 * 8
    start = "/x/" + "a" * (limit - len("/x/") - len("disallow: ") - 1)
    robots = f"user-agent: FooBot\ndisallow: {start}/qux\n"
    assert is_allowed(robots, "http://foo.bar/fux")
    assert not is_allowed(robots, f"http://foo.bar{start}/fux")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_line_end_is_understood(end: str) -> None:
    lines = ["User-Agent: foo", "Allow: /some/path", "User-Agent: bar", "", "", "Disallow: /"]
    assert not is_allowed(end.join(lines), "http://foo.bar/x", "bar")
    assert is_allowed(end.join(lines), "http://foo.bar/x", "foo")


def test_sitemaps_are_listed_wherever_they_stand() -> None:
    robots = b"Sitemap: http://a.example/1\nUser-agent: x\nDisallow: /\nsitemap:/2 # c\nSitemap:\n"
    assert parse_robots(robots, status=200).sitemaps == ("http://a.example/1", "/2")


# --- bodies and statuses -------------------------------------------------------------------------

DENY = b"User-agent: *\nDisallow: /private\n"


@pytest.mark.parametrize(
    "body",
    [
        DENY,
        b"\xef\xbb\xbf" + DENY,
        b"\xff\xfe" + DENY.decode().encode("utf-16-le"),
        gzip.compress(DENY, mtime=0),
        DENY.replace(b"\n", b"\r"),
        b"\x00\xff\xfe\n" + DENY,
        DENY + b"# " + b"x" * 10_000_000,
        DENY.replace(b"Disallow: ", b"Disallow:"),
        b"  " + DENY.replace(b"Disallow: /private", b"\tDisallow :\t/private # why"),
    ],
)
def test_rules_are_found_in_odd_bodies(body: bytes) -> None:
    rules = parse_robots(body, status=200)
    assert not rules.verdict("http://a.example/private/x", AGENT).allowed
    assert rules.verdict("http://a.example/x", AGENT).allowed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><body>Not found: /</body></html>",
        bytes(range(256)) * 40,
        b"\x1f\x8bjunk",
    ],
)
def test_bodies_without_rules_allow_everything(body: bytes) -> None:
    assert parse_robots(body, status=200).verdict("http://a.example/x", AGENT).allowed


def test_what_follows_500_kib_is_not_read_and_half_a_line_is_no_rule() -> None:
    filler = b"# filler\n" * (MAX_ROBOTS_BYTES // 9 + 1)
    assert is_allowed(filler + DENY, "http://a.example/private")
    head = b"User-agent: *\n"
    cut = (
        head
        + b"#" * (MAX_ROBOTS_BYTES - len(head) - len(b"\nDisallow: /"))
        + b"\nDisallow: /private\n"
    )
    assert cut[:MAX_ROBOTS_BYTES].endswith(b"Disallow: /")
    assert is_allowed(cut, "http://a.example/x")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, RobotsState.PARSED),
        (204, RobotsState.PARSED),
        (301, RobotsState.ABSENT),  # more than five redirects
        (401, RobotsState.ABSENT),
        (403, RobotsState.ABSENT),
        (404, RobotsState.ABSENT),
        (410, RobotsState.ABSENT),
        (429, RobotsState.UNREACHABLE),
        (500, RobotsState.UNREACHABLE),
        (503, RobotsState.UNREACHABLE),
        (0, RobotsState.UNREACHABLE),  # time-out, connection refused
    ],
)
def test_status_decides_as_in_rfc_9309(status: int, state: RobotsState) -> None:
    rules = parse_robots(DENY, status=status)
    assert rules.state is state
    verdict = rules.verdict("http://a.example/x", AGENT)
    assert verdict.allowed is (state is not RobotsState.UNREACHABLE)
    assert verdict.reason is (Reason.ROBOTS_UNAVAILABLE if not verdict.allowed else None)


def test_verdict_names_the_line_that_decided() -> None:
    rules = parse_robots(b"User-agent: *\nDisallow: /a # no\nAllow: /a/b\n", status=200)
    assert rules.verdict("http://h.example/a/x", AGENT) == RobotsVerdict(
        allowed=False, reason=Reason.ROBOTS_DENIED, rule="Disallow: /a # no"
    )
    assert rules.verdict("http://h.example/a/b", AGENT) == RobotsVerdict(
        allowed=True, rule="Allow: /a/b"
    )
    assert rules.verdict("http://h.example/", AGENT) == RobotsVerdict(allowed=True)


def test_robots_txt_itself_is_always_allowed() -> None:
    assert is_allowed("User-agent: *\nDisallow: /\n", "http://a.example/robots.txt")


@pytest.mark.parametrize(
    "url", ["http://a.example", "http://a.example?x", "//a.example/", "/", "", "x"]
)
def test_any_url_has_a_path_to_judge(url: str) -> None:
    assert not is_allowed("User-agent: *\nDisallow: /\n", url)


def test_crawl_delay_is_that_of_the_own_group() -> None:
    body = b"User-agent: *\nCrawl-delay: 10\nDisallow:\nUser-agent: FooBot\ncrawl-delay: 2.5\nAllow: /\n"
    rules = parse_robots(body, status=200)
    assert rules.crawl_delay("FooBot") == 2.5
    assert rules.crawl_delay("BarBot") == 10
    assert (
        parse_robots(b"User-agent: *\nCrawl-delay: -1\nCrawl-delay: x\n", status=200).crawl_delay(
            AGENT
        )
        is None
    )
    assert parse_robots(b"", status=404).crawl_delay(AGENT) is None


def test_last_good_copy_serves_a_day_while_robots_is_unreachable() -> None:
    good, down = parse_robots(DENY, status=200), parse_robots(b"", status=503)
    assert effective_rules(down, good, 86400) is good
    assert effective_rules(down, good, 86401) is down
    assert effective_rules(down, None, 0) is down
    assert effective_rules(down, down, 0) is down
    absent = parse_robots(b"", status=404)
    assert effective_rules(absent, good, 0) is absent


def test_hostile_wildcards_take_linear_time() -> None:
    pattern = "/" + "*a" * 200 + "*b$"
    rules = parse_robots(f"User-agent: *\nDisallow: {pattern}\n".encode(), status=200)
    url = "http://h.example/" + "a" * 2000
    start = time.process_time()
    for _ in range(10):
        assert rules.verdict(url, AGENT).allowed
    assert (time.process_time() - start) / 10 < 0.01


def test_largest_body_is_read_in_bounded_time() -> None:
    body = b"User-agent: *\n" + b"Disallow: /*a*b*c\n" * (MAX_ROBOTS_BYTES // 18)
    start = time.process_time()
    rules = parse_robots(body, status=200)
    rules.verdict("http://h.example/" + "x" * 2000, AGENT)
    assert time.process_time() - start < 2


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_body_and_url_give_a_verdict(body: bytes, url: str) -> None:
    rules = parse_robots(b"User-agent: *\nDisallow: " + body, status=200)
    assert rules.verdict(url, AGENT).allowed in (True, False)


# --- Retry-After ---------------------------------------------------------------------------------

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("5", 5),
        (" 120 ", 120),
        ("1.5", 1.5),
        ("3600", 3600),
        ("86400", 3600),
        ("999999999999999999", 3600),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sunday, 01-Mar-26 12:00:30 GMT", 30),
        ("Sun Mar  1 12:00:30 2026", 30),
        ("Sun, 01 Mar 2026 14:00:30 +0200", 30),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1e3", None),
        ("٥", None),
        ("9" * 500, None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds
    elsewhere = NOW.astimezone(timezone(timedelta(hours=8)))
    assert retry_after_seconds(value, elsewhere) == seconds


@given(
    st.one_of(
        st.text(max_size=70),
        st.from_regex(
            r"[A-Za-z]{3}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4,6} [0-9:]{8} [A-Z+-]{1,4}[0-9]{0,5}",
            fullmatch=True,
        ),
    )
)
def test_retry_after_is_in_range_or_none(value: str) -> None:
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds <= 3600

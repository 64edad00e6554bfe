"""The event profile: loading, one-line errors, canonical JSON, hosts and links, the docs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.config import (
    Profile,
    builtin_events,
    load_profile,
    profile_reference,
    profile_schema,
)
from aidivide_archive.exceptions import ConfigError
from tests.support.places import ROOT

DOCS = ROOT / "docs" / "event-profile.md"
HEAD = 'schema = 1\n[event]\nid = "x"\ntitle = "X"\n'


def load(folder: Path, text: str) -> Profile:
    path = folder / "bad.toml"
    path.write_text(text, "utf-8")
    return load_profile(str(path))


def message(folder: Path, text: str) -> str:
    """The one line a wrong profile gives, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    line = str(caught.value)
    assert "\n" not in line
    return line.removeprefix(f"{folder}/")


def with_source(keys: str) -> str:
    return f'{HEAD}[[source]]\nname = "A"\ndomain = "a.example"\n{keys}\n'


# --- loading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", builtin_events())
def test_builtin_event_loads_and_carries_its_own_name(name: str) -> None:
    assert load_profile(name).event.id == name


def test_builtin_event_has_every_language_in_the_main_groups() -> None:
    profile = load_profile("ai-divide-forum-2025")
    by_name = {group.name: set(group.any) for group in profile.groups}
    for name in ("forum name", "forum on the divide", "topic", "conference", "centre"):
        assert by_name[name] >= {"en", "zh", "fr", "es", "pt"}, name


def test_builtin_event_names_its_window_and_main_sources() -> None:
    profile = load_profile("ai-divide-forum-2025")
    assert profile.window_utc == (
        datetime(2025, 7, 19, 16, tzinfo=UTC),
        datetime(2025, 12, 31, 16, tzinfo=UTC),
    )
    outlets = {source.domain for source in profile.sources}
    assert outlets >= {"chinadaily.com.cn", "yicaiglobal.com", "digitalphablet.com"}


def test_smallest_profile_has_the_documented_defaults(tmp_path: Path) -> None:
    profile = load(tmp_path, HEAD)
    assert (profile.groups, profile.sources, profile.window_utc) == ((), (), (None, None))
    assert profile.limits.max_depth == 2
    assert profile.limits.pages_per_host == 2000
    assert profile.limits.links_per_page == 1000
    assert profile.limits.body_bytes == 16 * 1024 * 1024
    assert profile.limits.document_seconds == 10
    assert profile.politeness.max_crawl_delay_seconds == 30
    assert profile.politeness.obey_robots
    assert profile.fetch.verify_tls


def test_dates_may_be_toml_dates_or_text(tmp_path: Path) -> None:
    toml = load(tmp_path, f"{HEAD}date = 2025-07-27\n")
    text = load(tmp_path, f'{HEAD}date = "2025-07-27"\n')
    assert toml == text
    assert toml.event.date == date(2025, 7, 27)


def test_profile_is_immutable(tmp_path: Path) -> None:
    profile = load(tmp_path, HEAD)
    with pytest.raises(ValueError, match="frozen"):
        profile.event.title = "Y"


def test_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert load_profile(str(tmp_path / "bom.toml")).event.id == "x"


def test_missing_profile_suggests_a_builtin_event() -> None:
    with pytest.raises(ConfigError, match="did you mean 'ai-divide-forum-2025'"):
        load_profile("ai-divide-forum-2052")


def test_missing_profile_lists_builtin_events_when_none_is_close() -> None:
    with pytest.raises(ConfigError, match=r"no such file.*built-in events: ai-divide-forum-2025"):
        load_profile("some/folder/zzz.toml")


def test_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(str(tmp_path))


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 5000])
def test_impossible_names_are_config_errors(name: str) -> None:
    with pytest.raises(ConfigError):
        load_profile(name)


# --- one line per mistake ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            f"{HEAD}organizers = []",
            "bad.toml: [event.organizers] unknown key; did you mean 'organisers'?",
        ),
        (f"{HEAD}[grup]", "bad.toml: [grup] unknown key; did you mean 'group'?"),
        (f"{HEAD}[zzz]", "bad.toml: [zzz] unknown key"),
        (
            with_source('feds = ["http://a.example/"]'),
            "bad.toml: [source #1.feds] unknown key; did you mean 'feeds'?",
        ),
        (
            f"{HEAD}[window]\nfrom = 2025-12-31\nto = 2025-07-20",
            'bad.toml: [window] "to" is before "from"',
        ),
        (
            f"{HEAD}[relevance]\nkeep = 1\nreview = 2",
            'bad.toml: [relevance] "keep" is less than "review"',
        ),
        ("schema = 1\n", "bad.toml: [event] is missing"),
        (
            HEAD.replace("schema = 1", "schema = 2"),
            "bad.toml: [schema] should be 1, not 2",
        ),
        (
            f"{HEAD}[limits]\nmax_depth = 'deep'",
            "bad.toml: [limits.max_depth] should be a valid integer, not 'deep'",
        ),
        (
            f"{HEAD}[politeness]\nobey_robots = 'no'",
            "bad.toml: [politeness.obey_robots] should be a valid boolean, not 'no'",
        ),
        (
            f"{HEAD}[politeness]\nconcurrent_per_host = 17",
            "bad.toml: [politeness.concurrent_per_host] should be less than or equal to 16, not 17",
        ),
        (
            f"{HEAD}timezone = 'Mars/Olympus'",
            "bad.toml: [event.timezone] 'Mars/Olympus' is no IANA time zone; "
            "write for example Asia/Shanghai or UTC",
        ),
        (
            f"{HEAD}timezone = '../../../etc/localtime'",
            "bad.toml: [event.timezone] '../../../etc/localtime' is no IANA time zone; "
            "write for example Asia/Shanghai or UTC",
        ),
        (
            with_source("allow = ['/a/', '(']"),
            "bad.toml: [source #1.allow #2] '(' is no valid regular expression: "
            "missing ), unterminated subpattern at position 0",
        ),
        (
            with_source("body = ['//div[']"),
            "bad.toml: [source #1.body #1] '//div[' is no valid XPath: Invalid expression",
        ),
        (
            with_source("feeds = ['/rss.xml']"),
            "bad.toml: [source #1.feeds #1] '/rss.xml' is no absolute http(s) address",
        ),
        (
            with_source("").replace("a.example", "https://a.example/"),
            "bad.toml: [source #1.domain] 'https://a.example/' is no host name; "
            "write example.org or 127.0.0.1:8000, without http://",
        ),
        (
            with_source("") + with_source("").removeprefix(HEAD),
            "bad.toml: [source.domain] 'a.example' stands there twice",
        ),
        (
            f"{HEAD}[[group]]\nname = 'a'\n",
            'bad.toml: [group #1] has no phrases; give "any" or "all"',
        ),
        (
            f"{HEAD}[[group]]\nname = 'a'\nany = {{ en = ['!'] }}\n",
            "bad.toml: [group #1.any.en #1] '!' has no words",
        ),
        (
            f"{HEAD}[relevance]\nrequired = [['nam']]\n[[group]]\nname = 'name'\nany.en = ['x']\n",
            "bad.toml: [relevance.required] no [[group]] is named 'nam'; did you mean 'name'?",
        ),
        (
            f"{HEAD}[fetch]\nallow_private = ['127.0.0.1/8']",
            "bad.toml: [fetch.allow_private #1] '127.0.0.1/8' is no network in CIDR form, such as "
            "127.0.0.0/8 (127.0.0.1/8 has host bits set)",
        ),
        (
            f"{HEAD}[fetch.hosts]\n'a.example' = 'localhost'",
            "bad.toml: [fetch.hosts.a.example] 'localhost' is no IP address",
        ),
        (
            f"{HEAD}[fetch.hosts]\n'a.example:80' = '127.0.0.1'",
            "bad.toml: [fetch.hosts.a.example:80] 'a.example:80' is no host name; "
            "write it without scheme and port",
        ),
        (
            f'{HEAD}[politeness]\nuser_agent = "a\\r\\nX-B: c"',
            "bad.toml: [politeness.user_agent] must be one line of printable ASCII, "
            "because it becomes an HTTP header",
        ),
        (f"{HEAD}date = nan", "bad.toml: [event.date] should be a valid date, not nan"),
        ("a = = 1", "bad.toml: not valid TOML: invalid value (at line 1, column 5)"),
        ("a = " + "[" * 100_000, "bad.toml: not valid TOML: nested too deeply"),
        (
            f"{HEAD}organizers = 1\nplaces = 2\n[windw]",
            "bad.toml: [event.organizers] unknown key; did you mean 'organisers'? (and 2 more)",
        ),
    ],
)
def test_mistake_is_one_line_with_file_and_key(tmp_path: Path, text: str, line: str) -> None:
    assert message(tmp_path, text) == line


def test_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b'schema = 1\n[event]\nid = "\xff"\n')
    with pytest.raises(ConfigError, match=r"not UTF-8 \(at line 3\)"):
        load_profile(str(tmp_path / "bad.toml"))


@given(content=st.binary(max_size=200))
def test_any_bytes_load_or_give_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_profile(str(path))
    assert "\n" not in str(caught.value)


# --- canonical JSON ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", builtin_events())
def test_json_round_trip_gives_the_same_profile(name: str) -> None:
    profile = load_profile(name)
    again = Profile.from_json(profile.to_json())
    assert again == profile
    assert again.to_json() == profile.to_json()
    assert again.sha256 == profile.sha256


def test_json_does_not_depend_on_the_order_of_keys_in_the_file(tmp_path: Path) -> None:
    one = load(tmp_path, "schema = 1\n[event]\nid = 'x'\ntitle = 'X'\n[limits]\nmax_depth = 1\n")
    two = load(tmp_path, "schema = 1\n[limits]\nmax_depth = 1\n[event]\ntitle = 'X'\nid = 'x'\n")
    assert one.sha256 == two.sha256
    assert one.sha256 != load(tmp_path, HEAD).sha256


def test_stored_json_that_is_damaged_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="stored event profile"):
        Profile.from_json("{")


def test_schema_describes_every_key_and_allows_no_other() -> None:
    schema = profile_schema()
    tables = [schema, *(t for t in schema["$defs"].values() if "properties" in t)]
    assert len(tables) > 12
    for table in tables:
        assert table["additionalProperties"] is False
        for name, key in table["properties"].items():
            assert key.get("description") or "$ref" in key, name
    assert set(schema["required"]) == {"schema", "event"}
    assert json.loads(json.dumps(schema)) == schema


# --- hosts and links -----------------------------------------------------------------------------


SITES = f"""{HEAD}
[[source]]
name = "Main"
domain = "news.example"
hosts = ["clone.test"]
seeds = ["https://www.news.example/about"]
feeds = ["https://feeds.elsewhere.example/main.xml"]
allow = ["^/a/[0-9]+", "^/b/"]
deny = ["^/b/video"]
[[source]]
name = "Part"
domain = "sport.news.example"
[[source]]
name = "Local"
domain = "127.0.0.1:8000"
[[source]]
name = "Umlaut"
domain = "bücher.example"
"""


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("news.example", "Main"),
        ("WWW.News.Example.", "Main"),
        ("www.news.example:8080", "Main"),
        ("xnews.example", None),
        ("example", None),
        ("live.sport.news.example", "Part"),
        ("m.clone.test", "Main"),
        ("127.0.0.1:8000", "Local"),
        ("127.0.0.1:8001", None),
        ("127.0.0.1", None),
        ("1.127.0.0.1:8000", None),
        ("bücher.example", "Umlaut"),
        ("www.xn--bcher-kva.example", "Umlaut"),
        ("", None),
        ("\ud800.example", None),
    ],
)
def test_host_belongs_to_the_source_with_the_longest_domain(
    tmp_path: Path, host: str, name: str | None
) -> None:
    source = load(tmp_path, SITES).source_for(host)
    assert (source.name if source else None) == name


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://www.news.example/a/12", True),
        ("https://www.news.example/a/x", False),
        ("https://www.news.example/x/a/12", False),
        ("https://www.news.example/?p=/a/12", False),  # the path only
        ("https://www.news.example/b/1", True),
        ("https://www.news.example/b/video/1", False),
        ("https://www.news.example/about", True),  # named as a seed
        ("https://feeds.elsewhere.example/main.xml", True),  # named as a feed
        ("https://feeds.elsewhere.example/other.xml", False),
        ("http://sport.news.example/anything", True),
        ("http://sport.news.example", True),
        ("http://127.0.0.1:8000/x", True),
        ("http://127.0.0.1:8001/x", False),
        ("ftp://sport.news.example/x", False),
        ("javascript:alert(1)", False),
        ("http://[::1/", False),
        ("http://sport.news.example:99999/", False),
        ("http://user@sport.news.example/x", True),
        ("http://sport.news.example@evil.test/x", False),
        ("", False),
    ],
)
def test_link_is_allowed_on_a_source_and_an_allowed_path(
    tmp_path: Path, url: str, allowed: bool
) -> None:
    assert load(tmp_path, SITES).allows(url) is allowed


def test_nothing_is_allowed_without_sources(tmp_path: Path) -> None:
    assert not load(tmp_path, HEAD).allows("https://news.example/")


@given(st.text())
def test_hosts_and_links_may_be_any_text(text: str) -> None:
    profile = load_profile("ai-divide-forum-2025")
    assert not profile.allows(text)
    assert not profile.allows(f"https://{text}.invalid/")
    assert profile.source_for(f"{text}.invalid") is None


# --- source lists --------------------------------------------------------------------------------


OPML = """<?xml version="1.0"?>
<opml version="2.0"><body>
  <outline text="World">
    <outline text="First" xmlUrl="https://feeds.first.example.co.uk/all.xml" htmlUrl="https://www.first.example.co.uk/" language="en-GB"/>
    <outline title="First sport" text="" xmlUrl="https://feeds.first.example.co.uk/sport.xml" htmlUrl="https://www.first.example.co.uk/sport"/>
    <outline text="Local" xmlUrl="http://127.0.0.1:8000/feed" language="unknown"/>
    <outline text="Mail" xmlUrl="mailto:someone"/>
    <outline text="Broken" xmlUrl="http://[::1"/>
  </outline>
</body></opml>
"""


def test_opml_gives_one_source_per_site(tmp_path: Path) -> None:
    (tmp_path / "list.opml").write_text(OPML, "utf-8")
    profile = load(tmp_path, f'{HEAD}[[source_list]]\nfile = "list.opml"\n')
    first, local = profile.sources
    assert (first.name, first.domain, first.language) == ("First", "example.co.uk", "en-gb")
    assert first.feeds == (
        "https://feeds.first.example.co.uk/all.xml",
        "https://feeds.first.example.co.uk/sport.xml",
    )
    assert first.hubs == (
        "https://www.first.example.co.uk/",
        "https://www.first.example.co.uk/sport",
    )
    assert (local.domain, local.language) == ("127.0.0.1:8000", None)


def test_csv_gives_sources_and_adds_to_those_of_the_profile(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        "domain,name,country,feeds,notes\n"
        'a.example,Other name,FR,"https://a.example/1 https://a.example/2",x\n'
        "\n"
        "b.example,,DE,,\n",
        "utf-8-sig",
    )
    text = with_source('feeds = ["https://a.example/1"]') + '[[source_list]]\nfile = "list.csv"\n'
    first, second = load(tmp_path, text).sources
    assert (first.name, first.country) == ("A", None)
    assert first.feeds == ("https://a.example/1", "https://a.example/2")
    assert (second.name, second.domain, second.country) == ("b.example", "b.example", "DE")


def test_profile_with_a_list_can_be_read_without_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("domain\nb.example\n", "utf-8")
    profile = load(tmp_path, f'{HEAD}[[source_list]]\nfile = "list.csv"\n')
    path.unlink()
    again = Profile.from_json(profile.to_json())
    assert again == profile
    assert [source.domain for source in again.sources] == ["b.example"]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("gone.opml", None, "cannot be read: No such file or directory"),
        ("list.txt", "a.example\n", '"list.txt" is neither .opml, .xml nor .csv'),
        ("list.opml", "<opml>", "list.opml: not valid XML: "),
        ("list.opml", "", "list.opml: not valid XML: "),
        (
            "list.opml",
            '<!DOCTYPE o [<!ENTITY e SYSTEM "bad.toml">]><o><outline text="&e;"/></o>',
            "not valid XML: Attribute references external entity",
        ),
        ("list.csv", "", 'list.csv: the first line names no column "domain"'),
        ("list.csv", "name\nA\n", 'list.csv: the first line names no column "domain"'),
        ("list.csv", "domain\na b\n", "list.csv line 2: [domain] 'a b' is no host name"),
        ("list.csv", "domain,country\na.example,France\n", "list.csv line 2: [country] "),
        ("list.csv", "name,domain\nA,\n", "list.csv line 2: [domain] "),
    ],
)
def test_wrong_list_is_one_line(tmp_path: Path, name: str, content: str | None, line: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    told = message(tmp_path, f'{HEAD}[[source_list]]\nfile = "{name}"\n')
    assert told.startswith("bad.toml: [source_list.file] ")
    assert line in told


# --- documentation -------------------------------------------------------------------------------


def test_reference_in_the_docs_is_up_to_date() -> None:
    marker = "## Reference\n\n"
    text = DOCS.read_text("utf-8")
    assert text.partition(marker)[2] == profile_reference(), (
        "run: python -c 'from aidivide_archive.config import profile_reference as r; print(r(), "
        'end="")\' and put it after "## Reference" in docs/event-profile.md'
    )


def test_example_in_the_docs_is_a_valid_profile(tmp_path: Path) -> None:
    text = DOCS.read_text("utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    profile = load(tmp_path, example)
    assert profile.groups
    assert profile.sources

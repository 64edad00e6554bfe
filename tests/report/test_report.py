"""The report: what it says is what the commands say, strangers' words stay words, and the same archive is the same bytes."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from aidivide_archive.archive import Archive, Location
from aidivide_archive.archive.queries import Filters, Reader
from aidivide_archive.cli import cli
from aidivide_archive.config import Profile
from aidivide_archive.evidence import Evidence, EvidenceKind
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.ingest.imports import import_paths
from aidivide_archive.model import Role
from aidivide_archive.report import Bounds, Report, gather, render
from aidivide_archive.report.changes import MAX_TEXT_CHARS, changes, weight
from aidivide_archive.report.heat_map import MAX_COLUMNS, heat_map
from aidivide_archive.report.page import _style
from aidivide_archive.report.places import country_name, language_name
from aidivide_archive.report.timeline import MAX_LANES, timeline
from aidivide_archive.report.visible import safe_href, visible
from aidivide_archive.report.words import (
    certainty,
    reason_words,
    role_words,
)
from tests.support import filled_archive as filled
from tests.support.archives import ENGINES, new_location
from tests.support.places import ROOT

PAYLOADS = (
    *("<script>pwned()</script>", "</title><script>pwned()</script>", "</style><script>pwned()"),
    *(
        "<img src=x onerror=pwned()>",
        "<svg onload=pwned()>",
        "<svg/onload=pwned()//",
        "<svg><script>",
    ),
    *('"><script>pwned()</script>', "'><img src=x onerror=pwned()>", '" onmouseover="pwned()'),
    *("' onfocus='pwned()' autofocus='", "` onerror=pwned() `", "<body onload=pwned()>", "<!--"),
    *("--><script>pwned()</script>", "]]><script>pwned()</script>", "<![CDATA[<script>pwned()]]>"),
    *(
        "<iframe src=javascript:pwned()>",
        "<iframe srcdoc='<script>pwned()</script>'>",
        "<object data=x>",
    ),
    *(
        "<embed src=javascript:pwned()>",
        "<base href=//evil.example/>",
        "<link rel=stylesheet href=//e>",
    ),
    *("<meta http-equiv=refresh content='0;url=//evil.example'>", "<form action=//evil.example>"),
    *(
        "<input autofocus onfocus=pwned()>",
        "<details open ontoggle=pwned()>",
        "<video onerror=pwned()>",
    ),
    *(
        "<marquee onstart=pwned()>",
        "<math><mi xlink:href='javascript:pwned()'>",
        "<a href=javascript:pwned()>",
    ),
    *("{{ 7*7 }}", "{% for x in y %}", "{{ report.__class__.__mro__ }}", "${7*7}", "#{7*7}", "{#"),
    *(
        "&lt;script&gt;pwned()&lt;/script&gt;",
        "&#60;script&#62;",
        "\\u003cscript\\u003e",
        "%3Cscript%3E",
    ),
    *(
        "＜script＞pwned()＜/script＞",
        "<scr\x00ipt>pwned()</scr\x00ipt>",
        "<SCRIPT SRC=//evil.example>",
    ),
    *(
        "<style>*{display:none}</style>",
        "<plaintext>",
        "<textarea>",
        "<template>",
        "<noscript><p title='",
    ),
    *(
        "\u202e<tpircs>",
        "\u2066<b>\u2069",
        "\x1b]0;owned\x07",
        "<bdo dir=rtl>",
        "</bdi></a></li></ol><h1>",
    ),
    *(
        "javascript:pwned()",
        "data:text/html,<script>pwned()</script>",
        '=HYPERLINK("//evil.example")',
    ),
)


def page(location: Location, **options: object) -> html.HtmlElement:
    return html.document_fromstring(render(report(location, **options)).decode())


def report(location: Location, **options: object) -> Report:
    with Reader(location) as reader:
        return gather(reader, **options)  # type: ignore[arg-type]


def text_of(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def imported(folder: Path, rows: list[dict[str, object]]) -> Location:
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "articles.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    location = Location(folder / "archive")
    import_paths(location, [source])
    return location


@pytest.fixture(scope="module", params=ENGINES)
def filled_location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Location]:
    with new_location(request.param, tmp_path_factory.mktemp("filled")) as where:
        filled.fill(where)
        yield where


@pytest.fixture(scope="module")
def hostile_location(tmp_path_factory: pytest.TempPathFactory) -> Location:
    """Two copies with each payload for title and author: headline, story, list and differences show it."""
    rows = [
        {
            "url": f"https://{site}.example/{number}",
            "title": payload,
            "authors": [payload],
            "text": f"{filled.TEXT.replace('harbour', f'harbour{number}')}\n{payload} in {site}",
            "published_at": f"2025-07-{27 + place}T10:00:00Z",
            "language": "en",
        }
        for number, payload in enumerate(PAYLOADS)
        for place, site in enumerate(("first", "second"))
    ]
    return imported(tmp_path_factory.mktemp("hostile"), rows)


# --- what it says --------------------------------------------------------------------------------


def test_every_number_is_the_number_of_the_command(filled_location: Location) -> None:
    with Reader(filled_location) as reader:
        status, listed = reader.status(), list(reader.articles())
        found = gather(reader)
    assert found.tally.articles == status.articles == len(found.articles) == len(listed)
    assert [row["id"] for row in found.articles] == [row["id"] for row in listed]
    assert found.story_count == status.stories == 1
    assert sum(part.total for part in found.ledger) == status.urls
    for row, whole in zip(found.articles, listed, strict=True):
        assert {name: row[name] for name in row.keys() & whole.keys()} == {
            name: whole[name] for name in row.keys() & whole.keys()
        }


def test_the_first_screen_says_who_was_first_and_who_copied(filled_location: Location) -> None:
    glance = page(filled_location).get_element_by_id("glance")
    words = text_of(glance)
    assert "4 outlets published 4 articles (27–28 July 2025). 1 story stands in more" in words
    first, then = (text_of(cell) for cell in glance.xpath(".//tbody/tr[1]/td[position() > 1]"))
    assert first.startswith("One Daily 27 July 2025, 02:00")
    assert then.startswith("Two Wire +34.0 h, 9")
    assert "no credit found" in then


def test_each_article_links_to_its_original_and_names_its_capture(
    filled_location: Location,
) -> None:
    with Reader(filled_location) as reader:
        listed = {str(row["id"]): row for row in reader.coverage(Filters())}
    items = page(filled_location).xpath('//section[@id="articles"]//li')
    assert {item.get("id") for item in items} == listed.keys()
    for item in items:
        row = listed[item.get("id")]
        assert item.xpath("./p/a/@href") == [row["url"]]
        words = text_of(item)
        if row["warc_file"] is None:
            assert "no capture" in words
        else:
            assert f"{row['warc_file']} at {row['warc_offset']:,}" in words
            assert str(row["payload_sha256"]) in words


def test_a_foreign_title_is_marked_with_its_language_and_keeps_its_direction(
    filled_location: Location,
) -> None:
    (title,) = page(filled_location).xpath('//section[@id="articles"]//bdi[@lang="zh"]')
    assert title.text == "智能论坛在港口举行"
    for link in page(filled_location).xpath('//section[@id="articles"]//li/p/a'):
        assert [child.tag for child in link] == ["bdi"]


def test_filters_narrow_the_report_and_it_says_so(filled_location: Location) -> None:
    only = Filters(outlets=("two wire",), since=datetime(2025, 7, 28, tzinfo=UTC))
    found = report(filled_location, filters=only)
    assert [row["url"] for row in found.articles] == [filled.COPY]
    (story,) = found.stories  # whole: its origin lies outside
    assert [row["url"] for row in story.members] == [filled.FIRST, filled.COPY]
    words = text_of(page(filled_location, filters=only).get_element_by_id("glance"))
    assert "narrowed to outlet: two wire; published from 28 July 2025, 00:00 UTC" in words
    assert report(filled_location, filters=Filters(languages=("zh",))).story_count == 0
    with pytest.raises(ConfigError, match="nothing was archived for the event 'x'"):
        report(filled_location, filters=Filters(event="x"))


def test_one_event_shows_its_title_and_two_are_counted(filled_location: Location) -> None:
    assert report(filled_location).title == "2 events"
    one = page(filled_location, filters=Filters(event=filled.EVENT))
    assert text_of(one.xpath("//h1")[0]) == "Talks in the harbour"


def test_an_empty_archive_gives_a_page(location: Location) -> None:
    with Archive(location):
        pass
    words = text_of(page(location))
    assert "holds no article yet" in words
    assert "All addresses 0" in words


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    rows = [
        {
            "url": f"https://{site}{number % 3}.example/{number}",
            "title": f"Title {number}",
            "text": filled.TEXT.replace("harbour", f"harbour{number}"),
            "published_at": f"2025-07-{10 + number}T0{place}:00:00Z",
        }
        for number in range(6)
        for place, site in enumerate(("a", "b", "c"))
    ]
    location = imported(tmp_path, rows)
    small = Bounds(articles=4, outlets=2, stories=2, members=2, compared=1)
    words = text_of(page(location, bounds=small))
    whole = report(location)
    assert whole.story_count > 2
    assert f"Shown are the 2 largest of {whole.story_count} stories" in words
    assert "The first 4 of 18 articles are listed" in words
    assert "The 2 largest of 9 outlets" in words
    assert " more; all: aidivide story s-" in words
    words = text_of(page(location, bounds=replace(small, members=3)))
    assert "1 of 2 copies are set beside" in words


def test_a_changed_article_is_shown_before_and_after(location: Location) -> None:
    filled.fill(location)
    with Archive(location) as archive:
        archive.begin("crawl", filled.profile(), warc=True)
        (leased,) = filled._queue(archive, filled.CHINESE)
        later = filled.extraction(
            "智能论坛在港口举行", filled.CHINESE_TEXT.replace("三十", "四十"), language="zh"
        )
        archive.commit(filled._article(leased, later)).result()
        archive.finish("finished")
    found = report(location)
    assert found.revised_count == 1
    ((before, after),) = [
        (hunk.left, hunk.right)
        for part in found.revised
        for one in part.comparisons
        for hunk in one.change.hunks
    ]
    assert "三" in [piece.text for piece in before if piece.kind == "cut"]
    assert "四" in [piece.text for piece in after if piece.kind == "added"]
    section = page(location).get_element_by_id("revised")
    assert "1 article was changed by its publisher" in text_of(section)
    assert section.xpath('.//del[text()="三"]')


def test_the_script_of_an_outlet_decides_the_glyphs(tmp_path: Path) -> None:
    from aidivide_archive.report.content import _script_languages, exact_language

    profile = Profile.from_json(
        json.dumps(
            {
                "schema": 1,
                "event": {"id": "x", "title": "x"},
                "source": [{"name": "港", "domain": "hk.example", "language": "zh-Hant"}],
            }
        )
    )
    languages = _script_languages([profile])
    for url, language, expected in (
        ("https://www.hk.example/1", "zh", "zh-Hant"),
        ("https://www.hk.example:8080/1", "zh", "zh-Hant"),
        ("https://www.hk.example/1", "en", "en"),
        ("https://cn.example/1", "zh", "zh"),
        ("https://cn.example/1", None, None),
    ):
        assert exact_language({"url": url, "language": language}, languages) == expected


# --- strangers' words ----------------------------------------------------------------------------


@pytest.mark.fault("S05")
def test_fifty_hostile_titles_stay_words(hostile_location: Location) -> None:
    for with_text in (False, True):
        found = page(hostile_location, with_text=with_text)
        assert found.xpath("//script|//iframe|//object|//embed|//base|//form|//img|//video") == []
        assert len(found.xpath("//style")) == len(found.xpath("//title[not(ancestor::svg)]")) == 1
        for element in found.iter():
            assert not [name for name in element.attrib if name.startswith("on") or name == "style"]
        for link in found.xpath("//@href"):
            assert re.match(r"https?://(first|second)\.example/|#|data:,$", link), link
        titles = {title.text for title in found.xpath('//section[@id="articles"]//li/p/a/bdi')}
        # control characters do not survive an import; the next tests show them
        kept = {payload for payload in PAYLOADS if not re.search(r"[\x00-\x1f]", payload)}
        assert len(kept) >= 50
        assert {visible(payload) for payload in kept} <= titles
        assert "49" not in titles


@pytest.mark.fault("S05")
def test_a_hostile_event_and_outlet_stay_words(tmp_path: Path) -> None:
    bad = "</title><script>pwned()</script>\u202e"
    location = Location(tmp_path / "archive")
    plain = filled.profile()
    event = plain.event.model_copy(
        update={
            "title": bad,
            "place": (bad,),
            "organisers": (bad,),
            "part_of": bad,
            "titles": {"zh": bad},
        }
    )
    sources = tuple(
        one.model_copy(update={"name": bad, "country": None}) for one in plain.sources[:1]
    )
    with Archive(location) as archive:
        archive.begin(
            "crawl", plain.model_copy(update={"event": event, "sources": sources}), warc=True
        )
        leased = filled._queue(archive, filled.FIRST)
        archive.commit(
            replace(
                filled._article(leased[0], filled._first()),
                relevance=filled.judged(filled.EVENT, filled.RelevanceDecision.KEEP, 9),
            )
        ).result()
        archive.settle().result()
        archive.finish("finished")
    found = page(location)
    assert found.xpath("//script") == []
    assert text_of(found.xpath("//h1")[0]) == "</title><script>pwned()</script>[U+202E]"
    assert "\u202e" not in html.tostring(found, encoding="unicode")


@pytest.mark.fault("S05")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u2066c\u2069", "a[U+202E]b[U+2066]c[U+2069]"),
        ("a\x00b\x1b[31m\x9b", "a[U+0000]b[U+001B][31m[U+009B]"),
        ("a\ud800b", "a\ufffdb"),
        (" a \n\t b\u2028c ", "a b c"),
        ("שלום\u200f", "שלום\u200f"),  # a mark that its script needs
        ("x" * 400, "x" * 300 + "…"),
        (None, ""),
    ],
)
def test_hidden_characters_are_shown(text: str | None, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.fault("S05")
@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc",
        ),
        *(
            "//evil.example",
            "/path",
            "",
            "http:",
            "http://",
            "https:///x",
            "blob:https://x",
            "ftp://x/",
        ),
        *(
            "java\nscript:alert(1)",
            " javascript:x",
            "http://a b/",
            "http://x/\u2028",
            "http://[::1",
            None,
        ),
    ],
)
def test_only_http_addresses_become_links(url: str | None) -> None:
    assert safe_href(url) is None


def test_http_addresses_become_links() -> None:
    for url in ("http://a.example/?q=<x>&y='", "https://[::1]:8080/", "https://例え.example/文"):
        assert safe_href(url) == url


def test_the_style_is_named_by_its_hash_and_nothing_else_is_allowed(
    filled_location: Location,
) -> None:
    found = page(filled_location)
    (policy,) = found.xpath('//meta[@http-equiv="Content-Security-Policy"]/@content')
    digest = base64.b64encode(hashlib.sha256(found.xpath("//style")[0].text.encode()).digest())
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest.decode()}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in _style()
    assert "@import" not in _style()


# --- the same bytes ------------------------------------------------------------------------------


def test_one_archive_gives_one_page_whatever_clock_locale_and_hash_seed(tmp_path: Path) -> None:
    location = Location(tmp_path / "archive")
    filled.fill(location)
    pages = set()
    for zone, seed in (("UTC", "0"), ("Pacific/Kiritimati", "1")):
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"}
        line = [
            sys.executable,
            "-m",
            "aidivide_archive",
            "report",
            "--archive",
            str(location.directory),
        ]
        done = subprocess.run(
            line, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60
        )
        pages.add(done.stdout)
    assert len(pages) == 1


def test_both_engines_give_the_same_page(
    sqlite_location: Location, postgres_location: Location
) -> None:
    pages = []
    for where in (sqlite_location, postgres_location):
        filled.fill(where)
        text = render(report(where)).decode()
        text = re.sub(
            r"\S+\.warc\.gz at [\d,]+", "WARC", text
        )  # the run's own time and random part
        pages.append(re.sub(r"(begun|ended|as of) [^.;<]*UTC", r"\1 TIME", text))
    assert pages[0] == pages[1]


# --- the command ---------------------------------------------------------------------------------


def test_the_command_writes_a_file_a_folder_or_stdout(
    filled_location: Location, tmp_path: Path
) -> None:
    where = ["--archive", str(filled_location.directory)]
    if filled_location.database_url:
        where += ["--database", filled_location.database_url]
    for arguments in (["-o", str(tmp_path / "x.html")], ["-o", str(tmp_path)], ["-o", "-"], []):
        done = CliRunner().invoke(cli, ["report", *where, *arguments])
        assert done.exit_code == 0, done.output
        if arguments in ([], ["-o", "-"]):
            assert done.stdout_bytes == (tmp_path / "x.html").read_bytes()
        else:
            assert "4 articles, 1 shared stories" in done.stderr or "1 shared story" in done.stderr
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "x.html").read_bytes()
    assert {one.name for one in tmp_path.iterdir()} == {"x.html", "report.html"}
    wrong = CliRunner().invoke(cli, ["report", *where, "--outlet", "Tow Wire"])
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "did you mean 'Two Wire'?" in wrong.stderr


# --- words ---------------------------------------------------------------------------------------


def test_every_role_has_words() -> None:
    assert all(role.words for role in Role)
    assert len({role.words for role in Role}) == len(Role)


def credited(name: str) -> Evidence:
    return Evidence(kind=EvidenceKind.CREDITS, name=name)


def test_a_rank_among_candidates_is_no_reason_for_readers() -> None:
    evidence = (
        Evidence(kind=EvidenceKind.SHARE_IN_ORIGIN, percent=81),
        Evidence(kind=EvidenceKind.CANDIDATE, rank=2, points=-0.12),
    )
    assert reason_words(evidence) == ("81 % of its text stands in the first article too",)


def test_an_outlet_that_credits_itself_credits_nobody() -> None:
    own = ("One Daily", "one.example")
    assert reason_words([credited("One Daily"), credited("ONE.example")], own) == ()
    assert role_words("copy", [credited("One Daily")], own) == "copy, no credit found"
    assert role_words("excerpt", [credited("Two Wire")], own) == "excerpt, credited"
    assert role_words("syndicated", [], own) == "wire copy, credited"
    assert role_words(None, []) == "not settled yet"
    assert [certainty(one) for one in (1.0, 0.5, 0.2, None)][:2] == ["clear", "likely"]


@pytest.mark.parametrize("kind", EvidenceKind)
def test_only_what_an_article_says_itself_is_a_credit(kind: EvidenceKind) -> None:
    words = {
        EvidenceKind.CREDITS: "copy, credited",
        EvidenceKind.CALLS_ORIGINAL: "copy, credited",
        EvidenceKind.EARLIER_WORDING: "copy",  # what the sentence says is not known
    }
    evidence = Evidence(kind=kind, name="Two Wire")
    assert role_words("copy", [evidence]) == words.get(kind, "copy, no credit found")


def test_places_have_names_and_unknown_codes_stay() -> None:
    assert (country_name("CI"), country_name("ZZ"), country_name(None)) == (
        "Côte d’Ivoire",
        "ZZ",
        "not known",
    )
    assert (language_name("zh-Hant"), language_name("tlh")) == ("Chinese", "tlh")


# --- pictures ------------------------------------------------------------------------------------

DAYS = st.dates(min_value=date.min, max_value=date.max)


@given(st.dictionaries(st.tuples(st.sampled_from("ab"), DAYS), st.integers(1, 9), min_size=1))
def test_every_dated_article_is_in_one_column_or_counted_as_outside(
    counts: dict[tuple[str, date], int],
) -> None:
    found = heat_map(counts, ["a", "b"])
    assert found is not None
    inside = sum(column.total for column in found.columns)
    assert inside + found.outside == sum(counts.values())
    assert sum(line.total for line in found.lines) == inside
    assert len(found.columns) <= MAX_COLUMNS
    assert len([one for one in found.columns if one.heading]) <= 8
    assert all(0 <= level <= 5 for line in found.lines for level in line.levels)


def test_one_wrong_date_does_not_blur_the_days() -> None:
    days = [date(2025, 7, 20) + timedelta(days=number % 10) for number in range(300)]
    counts: dict[tuple[str, date], int] = {}
    for day in [*days, date(1970, 1, 1)]:
        counts["a", day] = counts.get(("a", day), 0) + 1
    found = heat_map(counts, ["a"])
    assert found is not None
    assert (found.unit, len(found.columns), found.outside) == ("day", 10, 1)
    assert heat_map({}, []) is None


MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))  # noqa: DTZ001
SPANS = st.one_of(st.none(), st.tuples(MOMENTS, st.sampled_from((1, 86_400))))


@given(st.lists(SPANS, max_size=40))
def test_marks_lie_inside_the_picture(spans: list[tuple[datetime, int] | None]) -> None:
    members = [member(span) for span in spans]
    found = timeline(members)
    dated = [one for one in spans if one]
    if len(dated) < 2:
        assert found is None
        return
    assert found is not None
    assert len(found.lanes) == min(len(dated), MAX_LANES)
    assert found.left_out + found.undated + len(found.lanes) == len(members)
    for lane in found.lanes:
        start, middle, end = (float(one.rstrip("%")) for one in (lane.start, lane.middle, lane.end))
        assert 0 <= start <= middle <= end <= 100
    places = [float(tick.place.rstrip("%")) for tick in found.ticks]
    assert places == sorted(places)
    assert len(places) <= 7


def member(span: tuple[datetime, int] | None) -> dict[str, object]:
    row: dict[str, object] = {"role": "copy", "share_copied": 0.25}
    if span is None:
        return row | {"published_from": None, "published_to": None, "published_at": None}
    start = span[0].replace(tzinfo=UTC, microsecond=0)
    end = start + timedelta(seconds=span[1])
    return row | {
        "published_from": start.isoformat(),
        "published_to": end.isoformat(),
        "published_at": start.isoformat() if span[1] == 1 else None,
    }


# --- quoting -------------------------------------------------------------------------------------

WORDS = st.lists(st.sampled_from([*"abcdefgh", "7", "8", "鸿", "沟", ".", ",", "\n"]), max_size=80)


@given(WORDS, WORDS, st.integers(0, 12))
def test_no_more_is_quoted_than_may_be(first: list[str], second: list[str], words: int) -> None:
    found = changes(" ".join(first), " ".join(second), words)
    for side in ("left", "right"):
        pieces = itertools.chain.from_iterable(getattr(hunk, side) for hunk in found.hunks)
        assert sum(weight(one.text) for one in pieces if one.kind != "gap") <= words
    assert found.more >= 0


def test_a_changed_number_is_quoted_first() -> None:
    words = [
        f"w{number:03}x".translate(str.maketrans("0123456789", "abcdefghij"))
        for number in range(200)
    ]
    earlier = " ".join(["lede", *words, "20 countries", *words])
    later = " ".join(["opening", *words, "30 countries", *words])
    (hunk,) = changes(earlier, later, 8).hunks
    assert [one.text.strip() for one in hunk.left if one.kind == "cut"] == ["20"]
    assert [one.text.strip() for one in hunk.right if one.kind == "added"] == ["30"]
    assert changes(earlier, later, 8).more == 1
    assert changes(earlier, later, 0).hunks == ()


@given(WORDS, WORDS)
def test_whole_texts_stand_on_their_sides(first: list[str], second: list[str]) -> None:
    a, b = " ".join(first), " ".join(second)
    (hunk,) = changes(a, b, None).hunks
    assert "".join(one.text for one in hunk.left).split() == a.split()
    assert "".join(one.text for one in hunk.right).split() == b.split()


def test_an_endless_text_is_compared_up_to_a_bound() -> None:
    found = changes("a " * MAX_TEXT_CHARS, "b " * MAX_TEXT_CHARS, 40)
    assert found.cut == MAX_TEXT_CHARS / 2


def test_the_profile_says_how_much_is_quoted_and_whole_texts_only_on_request(
    filled_location: Location,
) -> None:
    assert report(filled_location).excerpt_words == 40
    bare = page(filled_location)
    assert "laboratories from December" not in text_of(bare)
    whole = page(filled_location, with_text=True)
    assert "laboratories from December" in text_of(whole)
    assert "keep it to yourself" in text_of(whole)


# --- contrast ------------------------------------------------------------------------------------


def themes() -> list[dict[str, str]]:
    """The colours of light, dark and print, by name."""
    found = re.findall(r":root\{(.*?)\}", _style(), re.DOTALL)
    return [dict(re.findall(r"--([a-z0-9]+):(#[0-9a-f]+)", block)) for block in found]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(one * 2 for one in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_and_marks_have_contrast_in_every_theme() -> None:
    """WCAG 2.2 AA: 4.5 for text, in pictures too, where no checker looks; 3 for marks."""
    assert len(themes()) == 3
    for colours in themes():
        pairs = [(name, "paper") for name in ("ink", "soft", "first", "credited", "taken", "other")]
        pairs += [("ink", name) for name in ("raised", "cut", "added")]
        pairs += [("dark", f"l{level}") for level in (1, 2, 3)]
        pairs += [("light", f"l{level}") for level in (4, 5)]
        for one, other in pairs:
            assert contrast(colours[one], colours[other]) >= 4.5, (one, other, colours[one])

"""What pages state about their own use: read, kept as evidence, obeyed (row L01 of the fault matrix)."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader, Search
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.archive.upkeep.integrity import integrity
from aidivide_archive.cli.program import cli
from aidivide_archive.config import Profile, load_profile
from aidivide_archive.ingest.admission import as_leased, foreign
from aidivide_archive.ingest.composing import store_foreign
from aidivide_archive.ingest.reading import read
from aidivide_archive.model import Capture, LeasedUrl, UrlKind
from aidivide_archive.rights import (
    FORBIDS,
    Statement,
    Use,
    as_stored,
    from_stored,
    header_statements,
    is_open_licence,
    reserved,
    sharing,
    tdmrep_statements,
)
from aidivide_archive.urls import url_id
from aidivide_archive.warc.records import read_capture
from tests.support.places import ROOT

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
URL = "https://www.news.example/paid/a"
AGENT = "aidivide-archive"
CANARY = "The pelican of the ministry counted nineteen lanterns"
TEXT = " ".join(f"{CANARY} in hall number {n} before the talks began." for n in range(30))
CC_BY = "https://creativecommons.org/licenses/by/4.0/"
LICENCE = f'<link rel="license" href="{CC_BY}">'
PROFILE = """
schema = 1
[event]
id = "all"
title = "Everything"
[[source]]
name = "News"
domain = "news.example"
seeds = ["https://www.news.example/paid/a"]
"""


def page(head: str = "", foot: str = "") -> bytes:
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>A forum met</title>{head}</head><body>'
        f"<article><h1>A forum met</h1><p>{TEXT}</p></article>{foot}</body></html>"
    ).encode()


def capture(
    head: str = "", headers: tuple[tuple[str, str], ...] = (), url: str = URL, foot: str = ""
) -> Capture:
    return Capture(
        url=url,
        captured_at=NOW,
        status=200,
        headers=(("Content-Type", "text/html"), *headers),
        body=page(head, foot),
    )


def meta(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{content}">'


def tag(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple(("X-Robots-Tag", value) for value in values)


def tdmrep(location: str, reservation: int) -> bytes:
    return json.dumps([{"location": location, "tdm-reservation": reservation}]).encode()


# headers, head, tdmrep.json → why the text is not kept (None: kept), may the text be shared, may an excerpt
Case = tuple[tuple[tuple[str, str], ...], str, bytes, str | None, bool, bool]
NO, YES = False, True
CASES: dict[str, Case] = {
    "nothing stated": ((), "", b"", None, NO, YES),
    "all": (tag("all"), meta("robots", "all"), b"", None, NO, YES),
    "noarchive, header": (tag("noarchive"), "", b"", "noarchive (header:x-robots-tag)", NO, YES),
    "noarchive, meta": ((), meta("ROBOTS", "NoArchive"), b"", "noarchive (meta:robots)", NO, YES),
    "nocache is the same": ((), meta("robots", "nocache"), b"", "noarchive (meta:robots)", NO, YES),
    "for another agent, header": (tag("otherbot: noarchive, noai"), "", b"", None, NO, YES),
    "for another agent, meta": ((), meta("otherbot", "noarchive"), b"", None, NO, YES),
    "for us, header": (tag(f"{AGENT}: noarchive"), "", b"", "noarchive (header:x-robots-tag)", NO, YES),
    "for us, meta": ((), meta(AGENT, "noarchive"), b"", f"noarchive (meta:{AGENT})", NO, YES),
    "the second of two headers": (tag("noindex", "noarchive"), "", b"", "noarchive (header:x-robots-tag)", NO, YES),
    "two agents in one header": (tag(f"otherbot: noindex, {AGENT}: noarchive"), "", b"", "noarchive (header:x-robots-tag)", NO, YES),
    "noindex": ((), meta("robots", "noindex") + f'<link rel="license" href="{CC_BY}">', b"", None, NO, YES),
    "none": (tag("none"), f'<link rel="license" href="{CC_BY}">', b"", None, NO, YES),
    "nosnippet": ((), meta("robots", "nosnippet"), b"", None, NO, NO),
    "max-snippet: 0": (tag("max-snippet: 0"), "", b"", None, NO, NO),
    "noai": ((), meta("robots", "noai, noimageai") + f'<link rel="license" href="{CC_BY}">', b"", None, NO, YES),
    "noimageai speaks of images": ((), meta("robots", "noimageai") + f'<link rel="license" href="{CC_BY}">', b"", None, YES, YES),
    "unavailable after, passed": (tag("unavailable_after: Friday, 25-Jul-2025 15:00:00 GMT"), "", b"", "unavailable_after (header:x-robots-tag)", NO, NO),
    "unavailable after, to come": (tag("unavailable_after: 25 Jul 2099 15:00:00 GMT"), f'<link rel="license" href="{CC_BY}">', b"", None, YES, YES),
    "tdm reserved, header": ((("TDM-Reservation", "1"), ("TDM-Policy", "https://news.example/p.json")), "", b"", "tdm-reservation (header:tdm-reservation)", NO, YES),
    "tdm header beats meta": ((("tdm-reservation", "0"),), meta("tdm-reservation", "1"), b"", None, NO, YES),
    "tdm meta beats the site's file": ((), meta("tdm-reservation", "0"), tdmrep("/*", 1), None, NO, YES),
    "tdm by the site's file": ((), "", tdmrep("/paid/*", 1), "tdm-reservation (well-known:tdm-reservation)", NO, YES),
    "an open licence": ((("Link", f'<{CC_BY}>; rel="license"'),), "", b"", None, YES, YES),
    "a licence against changes": ((), '<link rel="license" href="https://creativecommons.org/licenses/by-nd/4.0/">', b"", None, NO, YES),
    "a licence in JSON-LD": ((), f'<script type="application/ld+json">{{"@type":"NewsArticle","headline":"A forum met","license":"{CC_BY}"}}</script>', b"", None, YES, YES),
    "dc.rights": ((), meta("dc.rights", "© 2025 News. All rights reserved"), b"", None, NO, YES),
    "noai for us by name": ((), meta(AGENT, "noai") + LICENCE, b"", None, NO, YES),
    "noarchive for another agent, licence": (tag("otherbot: noarchive"), LICENCE, b"", None, YES, YES),
    "nosnippet, licence": (tag("nosnippet"), LICENCE, b"", None, NO, NO),
    "unavailable after, passed, licence": (tag("unavailable_after: 2025-07-25"), LICENCE, b"", "unavailable_after (header:x-robots-tag)", NO, NO),
    "tdm 0, licence": ((("tdm-reservation", "0"),), LICENCE, b"", None, YES, YES),
    "tdm 1, licence": ((("tdm-reservation", "1"),), LICENCE, b"", "tdm-reservation (header:tdm-reservation)", NO, YES),
    "directives without commas": ((), meta("robots", "index; noarchive") + LICENCE, b"", "noarchive (meta:robots)", NO, YES),
    "directives with blanks": ((), meta("robots", "noai follow") + LICENCE, b"", None, NO, YES),
    "a licence of something else, header": ((("Link", f'<{CC_BY}>; rel="license"; anchor="#photo"'),), "", b"", None, NO, YES),
    "two licences, one against changes": ((), LICENCE + '<link rel="license" href="https://creativecommons.org/licenses/by-nd/4.0/">', b"", None, NO, YES),
    "a licence, and all rights reserved": ((), LICENCE + meta("dc.rights", "© 2025 News. All rights reserved"), b"", None, NO, YES),
    "dcterms.license": ((), meta("dcterms.license", CC_BY), b"", None, YES, YES),
    "the licence of another article": ((), f'<script type="application/ld+json">[{{"@type":"NewsArticle","headline":"A forum met"}},{{"@type":"NewsArticle","url":"https://other.example/b","license":"{CC_BY}"}}]</script>', b"", None, NO, YES),
}  # fmt: skip

# what stands below the article → may the text be shared
LINES: dict[str, tuple[str, bool]] = {
    "a reserved page with a licensed photograph": (f"<footer><p>© The Quay. All rights reserved. Photo: J. Roe, {CC_BY}</p></footer>", NO),
    "a licensed photograph": (f"<footer><p>© The Quay. Photo: J. Roe, {CC_BY}</p></footer>", NO),
    "a licensed photograph in Chinese": (f"<footer><p>© 港口日报 图片来源：某某，{CC_BY}</p></footer>", NO),
    "a link in a figure": (f'<figure><img src="a.jpg"><figcaption>The lock, <a rel="license" href="{CC_BY}">CC BY</a></figcaption></figure>', NO),
    "a link in a picture's credit": (f'<p>Photo by Jo Roe, <a rel="license" href="{CC_BY}">CC BY 4.0</a></p>', NO),
    "a link at the foot": (f'<footer><p>This work is under a <a rel="license" href="{CC_BY}">licence</a></p></footer>', YES),
    "a line that licenses the text": ("<footer><p>This article is licensed under a Creative Commons Attribution 4.0 licence.</p></footer>", YES),
    "a line that licenses the site": ("<footer><p>Except where otherwise noted, content on this site is available under CC BY-SA 4.0.</p></footer>", YES),
    "a line that licenses comments": ("<footer><p>© The Quay. User contributions licensed under CC BY-SA 4.0.</p></footer>", NO),
    "a line that licenses the theme": ("<footer><p>© The Quay. Website theme licensed under CC BY 4.0.</p></footer>", NO),
    "a line that says no": ("<footer><p>© The Quay. This text is not licensed under CC BY.</p></footer>", NO),
    "a licence without a subject": ("<footer><p>© CC BY 4.0</p></footer>", NO),
    "an owner alone": ("<footer><p>© 2025 The Quay</p></footer>", NO),
}  # fmt: skip


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_of(PROFILE, tmp_path_factory.mktemp("profile"))


def profile_of(text: str, folder: Path) -> Profile:
    path = folder / "event.toml"
    path.write_text(text)
    return load_profile(str(path))


def leased(url: str = URL) -> LeasedUrl:
    return LeasedUrl(
        id=url_id(url),
        url=url,
        host="www.news.example",
        kind=UrlKind.PAGE,
        depth=0,
        redirects=0,
        attempts=0,
    )


@pytest.mark.fault("L01")
@pytest.mark.parametrize("name", CASES)
def test_a_statement_on_rights_is_evidence_and_decides(name: str, profile: Profile):
    headers, head, site_file, withheld, may_share, may_quote = CASES[name]
    taken = capture(head, headers)
    stated = tdmrep_statements(site_file, URL)
    found = read(taken, leased(), profile, stated)
    assert found.withheld == withheld
    shared = sharing(found.statements, agent=AGENT, now=NOW)
    assert (shared.text, shared.excerpt) == (may_share, may_quote), found.statements
    evidence = {one.source for one in found.statements}
    assert all(f"header:{key.lower()}" in evidence for key, _ in headers if key != "Link")
    assert not stated or set(stated) <= set(found.statements)
    assert (b"<meta" not in page(head)) or any(one.startswith("meta:") for one in evidence)


@pytest.mark.fault("L01")
@pytest.mark.parametrize("name", LINES)
def test_a_licence_counts_when_it_is_one_of_the_text(name: str, profile: Profile):
    foot, may_share = LINES[name]
    found = read(capture(foot=foot), leased(), profile)
    assert found.statements
    shared = sharing(found.statements, agent=AGENT, now=NOW)
    assert (shared.text, shared.excerpt) == (may_share, True), found.statements


def test_at_least_the_24_cases_of_the_matrix_are_shown():
    assert len(CASES) >= 24


def test_the_text_is_kept_when_the_profile_says_so(tmp_path: Path):
    text = profile_of(PROFILE + '[rights]\nreserved = "text"\n', tmp_path)
    found = read(capture(headers=tag("noarchive")), leased(), text)
    assert found.withheld is None
    assert found.extraction is not None
    assert CANARY in found.extraction.text
    assert not sharing(found.statements, agent=AGENT, now=NOW).text


def test_a_profile_that_keeps_no_full_texts_keeps_none(tmp_path: Path):
    none = profile_of(PROFILE + "[rights]\nkeep_full_text = false\n", tmp_path)
    assert read(capture(), leased(), none).withheld == "keep_full_text = false (profile)"


# --- in the archive ------------------------------------------------------------------------------


def store(
    archive: Archive, taken: Capture, profile: Profile, stated: tuple[Statement, ...] = ()
) -> None:
    """As the crawler and the import do it; `stated`: by the site's tdmrep.json."""
    entry = foreign(taken.url)
    reading = read(taken, as_leased(entry), profile, stated)
    store_foreign(archive, entry, taken, reading, now=NOW).result()


@pytest.fixture
def reserved_page(location: Location, profile: Profile) -> Location:
    with Archive(location) as archive:
        archive.begin("import", profile, warc=True)
        store(archive, capture(headers=tag("noarchive")), profile)
        store(archive, capture(url="https://www.news.example/free"), profile)
        archive.settle().result()
        archive.finish("finished")
    return location


def everything_in(location: Location) -> str:
    """All rows of all tables as text."""
    engine = read_engine(location)
    with engine.connect() as connection:
        tables = schema.metadata.sorted_tables
        found = [tuple(row) for table in tables for row in connection.execute(sa.select(table))]
    engine.dispose()
    return repr(found)


@pytest.mark.fault("L01")
def test_of_a_reserved_page_metadata_and_digests_stay_and_no_text_anywhere(reserved_page: Location):
    with Reader(reserved_page) as reader:
        [article] = [row for row in reader.articles() if row["url"] == URL]
        [ledger] = [row for row in reader.ledger() if row["url"] == URL]
        found = reader.article(URL)
        assert integrity(reader) == []
        assert [row["url"] for row in reader.search(Search(query="lanterns")).hits] == [
            "https://www.news.example/free"
        ]
        assert reader.search(Search(query="forum")).total == 2  # its title is found
    assert found is not None
    assert article["text"] == ""
    assert article["withheld"] == "noarchive (header:x-robots-tag)"
    assert article["title"] == "A forum met"
    assert article["word_count"]
    assert ledger["detail"] == "text withheld: noarchive (header:x-robots-tag)"
    rights: Any = found.captures[0]["rights"]
    assert rights["statements"] == [{"source": "header:x-robots-tag", "value": "noarchive"}]
    position = found.captures[0]
    path = reserved_page.warc_directory / str(position["warc_file"])
    kept = read_capture(path, int(str(position["warc_offset"])))
    assert kept.body == b""
    assert kept.header("x-robots-tag") == "noarchive"
    assert kept.withheld_sha256 == position["payload_sha256"]
    assert kept.withheld_sha256 == hashlib.sha256(page()).hexdigest()
    assert (
        everything_in(reserved_page).count("nineteen lanterns in hall number 7 ") == 1
    )  # the free one


def test_show_and_the_export_say_why_there_is_no_text(reserved_page: Location):
    where = options(reserved_page)
    shown = CliRunner().invoke(cli, [*where, "show", URL], catch_exceptions=False)
    assert "text withheld  noarchive (header:x-robots-tag)" in shown.output
    exported = CliRunner().invoke(cli, [*where, "export", "articles"], catch_exceptions=False)
    rows = [json.loads(line) for line in exported.stdout.splitlines()]
    assert Counter(row["withheld"] for row in rows) == {
        None: 1,
        "noarchive (header:x-robots-tag)": 1,
    }


def test_reading_again_leaves_a_withheld_text_as_it_is(reserved_page: Location):
    from aidivide_archive.ingest.reprocess import reprocess

    before = everything_in(reserved_page).count("withheld")
    summary = reprocess(reserved_page)
    assert (summary.read, summary.failed) == (1, 0)
    assert everything_in(reserved_page).count("withheld") == before


# --- for sharing: the same cases through the command ---------------------------------------------


def host_of(number: int) -> str:
    return f"case-{number}.example"


def options(where: Location) -> list[str]:
    return [
        *("--archive", str(where.directory)),
        *(("--database", where.database_url) if where.database_url else ()),
    ]


def exported_for_sharing(where: Location) -> dict[str, dict[str, Any]]:
    """Rows of `export articles --for sharing` by URL."""
    line = [*options(where), "export", "articles", "--for", "sharing"]
    done = CliRunner().invoke(cli, line, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["url"]: row for row in rows}


def archive_of_cases(where: Location, folder: Path, rights: str) -> None:
    profile = profile_of(PROFILE + rights, folder)
    with Archive(where) as archive:
        archive.begin("import", profile, warc=True)
        for number, (headers, head, site_file, *_) in enumerate(CASES.values()):
            url = f"https://{host_of(number)}/paid/a"
            store(archive, capture(head, headers, url), profile, tdmrep_statements(site_file, url))
        for number, (foot, _) in enumerate(LINES.values(), start=len(CASES)):
            url = f"https://{host_of(number)}/paid/a"
            store(archive, capture(url=url, foot=foot), profile)
        archive.settle().result()
        archive.finish("finished")


@pytest.mark.fault("L01")
@pytest.mark.parametrize("reserved_pages", ["text", "metadata"])
def test_the_export_for_sharing_passes_on_what_the_rule_allows(
    reserved_pages: str, location: Location, tmp_path: Path
):
    archive_of_cases(location, tmp_path, f'[rights]\nreserved = "{reserved_pages}"\n')
    rows = exported_for_sharing(location)
    expected = {
        name: (withheld, text, quote) for name, (*_, withheld, text, quote) in CASES.items()
    }
    expected |= {name: (None, may_share, True) for name, (_, may_share) in LINES.items()}
    assert len(rows) == len(expected)
    for number, (name, (withheld, may_share, may_quote)) in enumerate(expected.items()):
        row = rows[f"https://{host_of(number)}/paid/a"]
        is_held = withheld is None or reserved_pages == "text"
        assert (row["text"] is not None) == (is_held and may_share), name
        assert (row["excerpt"] is not None) == (is_held and may_quote), name
        passed_on = json.dumps({**row, "url": None})
        assert (CANARY in passed_on) == (is_held and may_quote), name
        assert (row["text_left_out"] is None) == (row["text"] is not None), name
        if not is_held:
            assert row["text_left_out"] == "no_text"


@pytest.mark.fault("L01")
def test_a_term_is_over_by_the_archives_time_and_not_by_the_clock(
    location: Location, tmp_path: Path
):
    """So that the same archive gives the same bytes on any day."""
    profile = profile_of(PROFILE, tmp_path)
    with Archive(location) as archive:
        archive.begin("import", profile, warc=True)
        store(archive, capture(LICENCE, tag("unavailable_after: 2025-08-10")), profile)
        archive.settle().result()
        archive.finish("finished")
    shown = {}
    for day in (9, 11):
        ended = datetime(2025, 8, day, tzinfo=UTC)
        set_end_of_run(location, ended)
        row = exported_for_sharing(location)[URL]
        shown[day] = (row["text"] is not None, row["excerpt"] is not None, row["text_left_out"])
    assert shown == {9: (True, True, None), 11: (False, False, "rights_reserved")}


def set_end_of_run(where: Location, moment: datetime) -> None:
    address = where.database_url or f"sqlite:///{where.database_path}"
    engine = sa.create_engine(address)
    with engine.begin() as connection:
        connection.execute(sa.update(schema.crawls).values(finished_at=moment))
    engine.dispose()


def test_each_event_is_addressed_by_its_own_name(location: Location, tmp_path: Path):
    named = PROFILE + '[politeness]\nuser_agent = "Harbour-Bot/2.1"\n'
    profile = profile_of(named, tmp_path)
    own, other = "https://a.example/own", "https://b.example/other"
    with Archive(location) as archive:
        archive.begin("import", profile, warc=True)
        store(archive, capture(LICENCE + meta("harbour-bot", "noai"), url=own), profile)
        store(archive, capture(LICENCE + meta(AGENT, "noai"), url=other), profile)
        archive.settle().result()
        archive.finish("finished")
    rows = exported_for_sharing(location)
    assert rows[own]["text_left_out"] == "rights_reserved"
    assert rows[other]["text_left_out"] is None


# --- the rule ------------------------------------------------------------------------------------


def test_the_table_of_the_document_is_the_rule():
    """docs/rights.md has a row for each reservation, with a cross for each use that it forbids."""
    document = (ROOT / "docs" / "rights.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_-]+)`[^|]*\| (.)? \| (.)? \| (.)? \|$", document, re.MULTILINE)
    stated = {
        name: {
            use
            for use, cross in zip((Use.KEEP, Use.SHARE, Use.QUOTE), crosses, strict=True)
            if cross == "✗"
        }
        for name, *crosses in rows
    }
    assert stated == {name: set(uses) for name, uses in FORBIDS.items()}


@pytest.mark.parametrize(
    ("words", "limit", "may_quote"),
    [
        ("max-snippet: 50", 50, YES),
        ("max-snippet:-1", None, YES),
        ("max-snippet: 0", None, NO),
        ("max-snippet: many", None, YES),
        ("max-snippet: 90, max-snippet: 30", 30, YES),
        ("otherbot: max-snippet: 5", None, YES),
    ],
)
def test_a_page_may_bound_how_much_of_it_is_quoted(words: str, limit: int | None, may_quote: bool):
    stated = header_statements([("X-Robots-Tag", words)])
    shared = sharing(stated, agent=AGENT, now=NOW)
    assert (shared.max_excerpt_chars, shared.excerpt) == (limit, may_quote)
    licensed = sharing([*stated, Statement("link:license", CC_BY)], agent=AGENT, now=NOW)
    assert licensed.text == may_quote  # the licence is the more specific word
    assert licensed.max_excerpt_chars is None


def test_a_permission_beats_a_missing_licence_and_no_reservation():
    assert sharing((), agent=AGENT, now=NOW, permitted=True).text
    for directive in FORBIDS:
        words = {"unavailable_after": f"unavailable_after: {NOW:%Y-%m-%d}"}.get(
            directive, directive
        )
        stated = [Statement("meta:robots", words)]
        if directive == "tdm-reservation":
            stated = [Statement("meta:tdm-reservation", "1")]
        shared = sharing(stated, agent=AGENT, now=NOW, permitted=True)
        assert not shared.text, directive
        assert [one.directive for one in shared.reservations] == [directive]


def test_what_is_stored_with_a_capture_reads_back():
    stated = (Statement("header:x-robots-tag", "noai"), Statement("link:license", CC_BY))
    stored = as_stored(stated, "noarchive (meta:robots)")
    assert from_stored(json.loads(json.dumps(stored))) == stated
    assert as_stored((), None) is None
    assert from_stored(None) == ()
    assert from_stored(as_stored((), "keep_full_text = false (profile)")) == ()


# --- parsing -------------------------------------------------------------------------------------


def test_a_rule_of_tdmrep_json_is_chosen_by_its_location():
    body = json.dumps(
        [
            {"location": "/free/*", "tdm-reservation": 0},
            {"location": "*.html$", "tdm-reservation": 1, "tdm-policy": "https://x.example/p"},
            {"location": "/", "tdm-reservation": 1},
        ]
    ).encode()

    def says(path: str) -> list[str]:
        return [one.value for one in tdmrep_statements(body, f"https://x.example{path}")]

    assert says("/free/a") == ["0"]
    assert says("/a/b.html") == ["1", "https://x.example/p"]
    assert says("/other") == ["1"]
    assert tdmrep_statements(b'[{"location": "/only"}]', "https://x.example/a") == ()
    for broken in (b"", b"{", b"null", b"[1, [], {}]", b"[" * 100_000, b"\xff" * 9):
        assert tdmrep_statements(broken, "https://x.example/a") == ()


@pytest.mark.parametrize(
    ("words", "is_open"),
    [
        (CC_BY, True),
        ("https://creativecommons.org/publicdomain/zero/1.0/", True),
        ("CC BY-SA 4.0", True),
        ("Creative Commons Attribution 4.0", True),
        ("CC BY-NC-ND 3.0", False),
        ("Creative Commons Attribution-NoDerivatives", False),
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/", False),
        ("All rights reserved", False),
        ("https://news.example/licence", False),
    ],
)
def test_open_licences_are_known_by_address_and_by_name(words: str, is_open: bool):
    assert is_open_licence(words) is is_open


@given(st.lists(st.text(max_size=60), max_size=6), st.binary(max_size=80))
def test_any_statement_has_a_meaning_and_none_fails(values: list[str], body: bytes):
    stated = header_statements([("X-Robots-Tag", value) for value in values])
    stated += tdmrep_statements(body, URL)
    found = reserved([*stated, *(Statement("meta:robots", value) for value in values)], agent=AGENT)
    assert {one.directive for one in found.reservations} <= set(FORBIDS)
    shared = sharing(stated, agent=AGENT, now=NOW)
    assert not shared.text  # no licence
    assert set(shared.reservations) <= set(found.reservations)


# --- a crawl -------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    asked: Counter[str]

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        bodies = {"/.well-known/tdmrep.json": tdmrep("/paid/*", 1)}
        bodies |= {path: page() for path in ("/paid/a", "/paid/b", "/free/a")}
        body = bodies.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[tuple[int, Counter[str]]]:
    asked: Counter[str] = Counter()
    handler = type("SiteHandler", (Handler,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


@pytest.mark.slow  # a crawl in a process of its own
@pytest.mark.fault("L01")
def test_a_site_is_asked_once_for_its_reservations_and_they_hold_for_its_pages(
    site: tuple[int, Counter[str]], tmp_path: Path
):
    port, asked = site
    places = [f"http://www.news.example:{port}{path}" for path in ("/paid/a", "/paid/b", "/free/a")]
    event = tmp_path / "event.toml"
    event.write_text(
        PROFILE.replace('["https://www.news.example/paid/a"]', json.dumps(places))
        + "[politeness]\ndelay_seconds = 0\nconcurrent_per_host = 8\n"
        + '[fetch]\nallow_private = ["127.0.0.0/8"]\n[fetch.hosts]\n"www.news.example" = "127.0.0.1"\n'
    )
    where = Location(tmp_path / "archive")
    command = [sys.executable, "-m", "scrapy", "crawl", "coverage", "-a", f"event={event}"]
    done = subprocess.run(
        [*command, "-a", f"archive={where.directory}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    assert done.returncode == 0, done.stderr
    assert asked["/.well-known/tdmrep.json"] == 1
    with Reader(where) as reader:
        found = {str(row["url"]): row for row in reader.articles()}
        assert integrity(reader) == []
    reason = "tdm-reservation (well-known:tdm-reservation)"
    assert [found[place]["withheld"] for place in places] == [reason, reason, None]
    assert [CANARY in str(found[place]["text"]) for place in places] == [False, False, True]

"""What pages state about their own use: read, kept as evidence, obeyed (row L01 of the fault matrix)."""

import hashlib
import json
import os
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
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.ingest.reading import read
from aidivide_archive.ingest.service import document, kept_capture, response_of
from aidivide_archive.model import Capture, Channel, LeasedUrl, UrlKind
from aidivide_archive.rights import (
    Statement,
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


def page(head: str = "") -> bytes:
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>A forum met</title>{head}</head><body>'
        f"<article><h1>A forum met</h1><p>{TEXT}</p></article></body></html>"
    ).encode()


def capture(head: str = "", headers: tuple[tuple[str, str], ...] = (), url: str = URL) -> Capture:
    return Capture(
        url=url,
        captured_at=NOW,
        status=200,
        headers=(("Content-Type", "text/html"), *headers),
        body=page(head),
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
    found = read(response_of(taken, stated), leased(), profile)
    assert found.withheld == withheld
    shared = sharing(found.statements, agent=AGENT, now=NOW)
    assert (shared.text, shared.excerpt) == (may_share, may_quote), shared.reason
    evidence = {one.source for one in found.statements}
    assert all(f"header:{key.lower()}" in evidence for key, _ in headers if key != "Link")
    assert not stated or set(stated) <= set(found.statements)
    assert (b"<meta" not in page(head)) or any(one.startswith("meta:") for one in evidence)


def test_at_least_the_24_cases_of_the_matrix_are_shown():
    assert len(CASES) >= 24


def test_the_text_is_kept_when_the_profile_says_so(tmp_path: Path):
    text = profile_of(PROFILE + '[rights]\nreserved = "text"\n', tmp_path)
    found = read(response_of(capture(headers=tag("noarchive"))), leased(), text)
    assert found.withheld is None
    assert found.extraction is not None
    assert CANARY in found.extraction.text
    assert not sharing(found.statements, agent=AGENT, now=NOW).text


def test_a_profile_that_keeps_no_full_texts_keeps_none(tmp_path: Path):
    none = profile_of(PROFILE + "[rights]\nkeep_full_text = false\n", tmp_path)
    assert (
        read(response_of(capture()), leased(), none).withheld == "keep_full_text = false (profile)"
    )


# --- in the archive ------------------------------------------------------------------------------


def store(archive: Archive, taken: Capture, profile: Profile) -> None:
    """As the crawler and the import do it."""
    found = read(response_of(taken), leased(taken.url), profile)
    position = archive.write_capture(kept_capture(taken, found))
    made = document(leased(taken.url), found, capture=taken, position=position, now=NOW)
    entered = discovery(taken.url, kind=UrlKind.PAGE, channel=Channel.SEED)
    archive.commit_new(entered, made).result()


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
    options = ["--archive", str(reserved_page.directory)]
    options += ["--database", reserved_page.database_url] if reserved_page.database_url else []
    shown = CliRunner().invoke(cli, [*options, "show", URL], catch_exceptions=False)
    assert "text withheld  noarchive (header:x-robots-tag)" in shown.output
    exported = CliRunner().invoke(cli, [*options, "export", "articles"], catch_exceptions=False)
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
    assert all("(" in reason for reason in found.reasons)
    assert sharing(stated, agent=AGENT, now=NOW).reason


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

"""Pages that are made to break, stall or empty a reader: each costs itself only, and says what became of it."""

from __future__ import annotations

import os
import signal
import socket
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.queries import Reader
from aidivide_archive.decode import decompress
from aidivide_archive.extract import extract
from aidivide_archive.extract.engine import MAX_PLAIN_LINES, MAX_TAGS, parse_html, plain_lines
from aidivide_archive.ingest import service
from aidivide_archive.ingest.admission import as_leased, discovery, foreign
from aidivide_archive.ingest.composing import compose, store_foreign
from aidivide_archive.ingest.reading import Reading, read
from aidivide_archive.ingest.service import import_profile
from aidivide_archive.model import (
    Capture,
    Channel,
    LeasedUrl,
    Reason,
    UrlKind,
    UrlState,
)
from aidivide_archive.rights import Statement
from aidivide_archive.similarity import sign
from aidivide_archive.similarity.normalise import disguised_word_count
from tests.support import fault_pages
from tests.support.archives import ENGINES, new_location

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
URL = "https://news.example/story"
SENTENCES = fault_pages.sentences(7)


def leased(url: str = URL, kind: UrlKind = UrlKind.PAGE) -> LeasedUrl:
    return as_leased(discovery(url, kind=kind, channel=Channel.SEED))


def response(body: bytes, encoding: str | None = None, kind: str = "text/html") -> Capture:
    headers = [("Content-Type", kind)] + ([("Content-Encoding", encoding)] if encoding else [])
    return Capture(url=URL, captured_at=NOW, status=200, headers=tuple(headers), body=body)


# --- documents that break their worker -----------------------------------------------------------

_read = service._read


def breaking_read(
    capture: Capture, at: LeasedUrl, site_statements: tuple[Statement, ...]
) -> Reading:
    """What the workers of these tests do: break as the page asks, else read it."""
    if capture.body == b"segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if capture.body == b"exit":
        os._exit(3)
    if capture.body == b"hang":
        time.sleep(600)
    return _read(capture, at, site_statements)


@pytest.mark.fault("F16")
def test_poison_is_dead_with_its_bytes_kept_and_good_pages_are_articles(
    location: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "_read", breaking_read)
    profile = import_profile()
    limits = profile.limits.model_copy(update={"document_seconds": 1.0})
    bodies = {
        f"https://news.example/{n}": fault_pages.article(n) if n % 2 else body
        for n, body in enumerate((b"segv", b"", b"exit", b"", b"hang", b""))
    }
    ingest = service.Ingest(profile.model_copy(update={"limits": limits}), workers=1)
    try:
        with Archive(location) as archive:
            archive.begin("import", profile, warc=True)
            captures = {
                url: Capture(url=url, captured_at=NOW, status=200, headers=(), body=body)
                for url, body in bodies.items()
            }
            waiting = {url: ingest.read(leased(url), capture) for url, capture in captures.items()}
            for url, future in waiting.items():
                reading = future.result(120)
                store_foreign(archive, foreign(url), captures[url], reading).result()
            ends = archive.submit(
                lambda c: c.execute(
                    sa.select(
                        schema.urls.c.url,
                        schema.urls.c.state,
                        schema.urls.c.reason,
                        schema.captures.c.payload_bytes,
                    ).join_from(schema.urls, schema.captures)
                ).all()
            ).result()
    finally:
        ingest.close()
    assert {row.url: (row.state, row.reason, row.payload_bytes) for row in ends} == {
        url: (UrlState.DONE, Reason.KEPT, len(body))
        if len(body) > 10
        else (UrlState.DEAD, Reason.POISON, len(body))
        for url, body in bodies.items()
    }


# --- bombs ---------------------------------------------------------------------------------------

NESTED = ("gzip, gzip", "br, gzip", "zstd, gzip")


@pytest.mark.fault("F17")
@pytest.mark.parametrize("encoding", [*fault_pages.CODECS, *NESTED])
def test_a_bomb_is_too_large_and_never_unpacked_past_the_limit(encoding: str):
    first, *more = encoding.split(", ")
    body = fault_pages.bomb(first, 64)
    for name in more:
        body = fault_pages.CODECS[name](body)
    limit = 1_000_000
    unpacked = decompress(body, encoding, max_bytes=limit)
    assert unpacked.too_large
    assert len(unpacked.body) <= limit
    found = read(response(body, encoding), leased(), import_profile())
    assert (found.outcome.state, found.outcome.reason) == (UrlState.REJECTED, Reason.TOO_LARGE)


# --- pages that cost processor time --------------------------------------------------------------

WITHOUT_ARTICLE = ("link_paragraphs", "links", "long_line")


def with_article(shape: str, size: int) -> bytes:
    page = fault_pages.poison(shape, size)
    if shape not in WITHOUT_ARTICLE:
        return page
    text = f"<article><p>{' '.join(SENTENCES)}</p></article>".encode()
    return page.replace(b"<body>", b"<body>" + text)


@pytest.mark.fault("F18")
@pytest.mark.parametrize("shape", fault_pages.POISON_SHAPES)
@pytest.mark.parametrize("size", [300, 30_000])
def test_a_page_of_any_shape_keeps_its_text(shape: str, size: int):
    """None is empty in silence: what trafilatura cannot take is plain text, and its mode says so."""
    found = extract(with_article(shape, size), url=URL, content_type="text/html").extraction
    assert SENTENCES[0] in found.text
    assert SENTENCES[-1] in found.text
    assert found.metadata.title == "Poison"


@pytest.mark.fault("F18")
@pytest.mark.parametrize("shape", ["deep", "deep_tables", "links", "tag_names", "unclosed"])
def test_a_page_past_the_limits_says_that_its_text_is_plain(shape: str):
    found = extract(with_article(shape, 30_000), url=URL, content_type="text/html")
    assert found.extraction.mode == "plain"


@pytest.mark.fault("F18")
def test_a_hundred_thousand_links_are_a_thousand():
    found = extract(with_article("links", 100_000), url=URL, content_type="text/html")
    assert len(found.links) == 1000
    assert SENTENCES[0] in found.extraction.text


@pytest.mark.fault("F18")
def test_only_so_many_tags_are_parsed_and_so_many_lines_read():
    page = "<p>word word " * (MAX_TAGS + 1000)
    assert len(plain_lines(page)) == MAX_PLAIN_LINES
    found = extract(page.encode(), url=URL, content_type="text/html").extraction
    assert found.mode == "plain"
    assert 0 < found.text.count("\n") < MAX_PLAIN_LINES
    tree, _ = parse_html("<p>word " * 10)
    assert tree is not None


@pytest.mark.fault("F18")
def test_markup_that_is_never_closed_is_scanned_once():
    """Each open script, comment or template once had the rest of the page searched for its end."""
    page = f"<p>{SENTENCES[0]}</p>" + "<script>x <template>y <!-- z " * 60_000
    assert plain_lines(page) == [SENTENCES[0]]


# --- XML -----------------------------------------------------------------------------------------

WAYS = {
    "sitemap": UrlKind.SITEMAP,
    "feed": UrlKind.FEED,
    "page": UrlKind.PAGE,
    "sitemap as a page": UrlKind.PAGE,
    "feed as a page": UrlKind.PAGE,
    "page as a feed": UrlKind.FEED,
}


@pytest.mark.fault("F20")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("attack", fault_pages.XML_ATTACKS)
def test_entities_and_document_types_have_no_power(way: str, attack: str, tmp_path: Path):
    secret = tmp_path / "canary"
    secret.write_text("the canary sings")
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.01)
        probe = f"http://127.0.0.1:{canary.getsockname()[1]}/x.dtd"
        head, reference = fault_pages.doctype(attack, str(secret) if attack == "file" else probe)
        good = "https://news.example/good"
        kind = way.split(maxsplit=1)[0]
        if kind == "sitemap":
            body = fault_pages.urlset((good, f"{good}{reference}"), head=head)
        elif kind == "feed":
            body = fault_pages.feed((good,), head=head, title=f"A story {reference}")
        else:
            body = head.encode() + fault_pages.html(f"<p>{reference} {' '.join(SENTENCES)}</p>")
        content_type = "text/html" if kind == "page" else "application/xml"
        found = read(response(body, kind=content_type), leased(kind=WAYS[way]), import_profile())
        with pytest.raises(TimeoutError):
            canary.accept()
    told = repr(found)
    assert "the canary sings" not in told
    assert len(told) < 500_000
    if way == "page":
        assert found.extraction is not None
        assert SENTENCES[0] in found.extraction.text


# --- characters ----------------------------------------------------------------------------------

HOSTILE = ["\x00", "\ud800", "\x0b", "\x85", "\u202e", "\u200b", "\ufffe", "\ufeff", "\U0010ffff"]
_TEXT = st.text(alphabet=st.one_of(st.characters(), st.sampled_from(HOSTILE)), max_size=80)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory):
    """One archive on each engine."""
    places = [new_location(engine, tmp_path_factory.mktemp(engine)) for engine in ENGINES]
    with places[0] as first, places[1] as second, Archive(first) as one, Archive(second) as two:
        for archive in (one, two):
            archive.begin("import", import_profile())
        yield {first: one, second: two}


@pytest.mark.fault("F22")
@settings(max_examples=25, deadline=None, derandomize=True)
@given(_TEXT, _TEXT)
@example("".join(HOSTILE), "".join(HOSTILE))
@example("word " * 20_000, "word " * 1_000)
def test_any_text_is_stored_alike_on_both_engines(
    both: dict[Location, Archive], text: str, title: str
):
    """Through the gate of extraction, then the same on SQLite and PostgreSQL, and back unchanged."""
    safe = " ".join(SENTENCES)
    page = f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{safe} {text}</p>"
    found = read(response(page.encode("utf-8", "surrogatepass")), leased(), import_profile())
    if found.extraction is None or found.outcome.state is not UrlState.DONE:
        return
    stored = set()
    for location, archive in both.items():
        url = f"https://news.example/{sha256(page.encode(errors='surrogatepass')).hexdigest()}"
        entered = discovery(url, kind=UrlKind.PAGE, channel=Channel.SEED)
        archive.commit_new(entered, compose(archive, leased(url), found, now=NOW)).result()
        with Reader(location) as reader:
            article = next(row for row in reader.articles() if row["url"] == url)
        stored.add((article["title"], article["text"]))
    assert stored == {(found.extraction.metadata.title, found.extraction.text)}


# --- copies in disguise --------------------------------------------------------------------------

COPY = "The engineer measured the river lights and the committee opened an archive of old bridges."
CYRILLIC = str.maketrans("aeopcx", "аеорсх")
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
MATHEMATICAL = {ord("a") + n: 0x1D41A + n for n in range(26)}
DISGUISES = {
    "zero width space": COPY.replace("e", "e\u200b"),
    "zero width joiner": COPY.replace("a", "a\u200d"),
    "zero width non-joiner": COPY.replace("t", "t\u200c"),
    "word joiner": COPY.replace("i", "i\u2060"),
    "byte order mark": COPY.replace("o", "o\ufeff"),
    "soft hyphen": COPY.replace("n", "n\u00ad"),
    "right to left mark": COPY.replace("r", "r\u200f"),
    "bidi embedding": f"\u202a{COPY}\u202c",
    "bidi isolate": f"\u2066{COPY}\u2069",
    "upper case": COPY.upper(),
    "title case": COPY.title(),
    "swapped case": COPY.swapcase(),
    "full width": COPY.translate(FULL_WIDTH),
    "mathematical letters": COPY.translate(MATHEMATICAL),
    "ligature": COPY.replace("fi", "\ufb01"),
    "no-break spaces": COPY.replace(" ", "\u00a0"),
    "ideographic spaces": COPY.replace(" ", "\u3000"),
    "double spaces": COPY.replace(" ", "  \t"),
    "look-alike letters": COPY.translate(CYRILLIC),
    "look-alike letters, a few": COPY.replace("o", "\u043e"),
}


@pytest.mark.fault("F27")
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_copy_has_the_signature_of_its_original(disguise: str):
    copy = DISGUISES[disguise]
    assert copy != COPY or disguise == "ligature"
    assert sign(copy).hashvalues == sign(COPY).hashvalues
    assert bool(disguised_word_count(copy)) == disguise.startswith("look-alike")

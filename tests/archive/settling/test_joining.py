"""The pages of one article become one article when a run settles, whatever came first."""

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aidivide_archive.archive import Archive, Location, schema
from aidivide_archive.archive.documents.derived import is_derived
from aidivide_archive.config import Profile, load_profile
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.ingest.composing import compose
from aidivide_archive.ingest.reading import Reading, read
from aidivide_archive.ingest.reprocess import reprocess
from aidivide_archive.model import Capture, Channel, LeasedUrl, Stored, UrlKind, UrlState
from aidivide_archive.similarity import sign
from aidivide_archive.urls import url_id

NOW = datetime(2025, 7, 28, 12, tzinfo=UTC)
HOME = "https://news.example"
STORY = f"{HOME}/news/night-ferry"
TITLE = "The night ferry comes back to the outer islands"
PROFILE = """
schema = 1
[event]
id = "ferry"
title = "The ferry"
[limits]
max_depth = 1
[[source]]
name = "News"
domain = "news.example"
allow = ["^/news/[a-z-]+$"]
seeds = ["https://news.example/news/night-ferry"]
"""
JUDGED = (
    PROFILE
    + """
[relevance]
keep = 6
review = 3
[[group]]
name = "whales"
weight = 6
[group.any]
en = ["whale"]
"""
)
WORDS = "harbour crew lamp rope tide gull mast anchor storm island cabin wave deck oar net".split()  # noqa: SIM905


def paragraphs(seed: int, count: int = 4) -> list[str]:
    draw = random.Random(seed)
    return [
        f"{' '.join(draw.choices(WORDS, k=28)).capitalize()} on day {seed}{number}."
        for number in range(count)
    ]


def html(
    lines: Sequence[str], *, title: str = TITLE, links: str = "", head: str = "", root: str = ""
) -> bytes:
    text = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f"<!DOCTYPE html><html lang='en' {root}><head><title>{title}</title>{head}</head><body>"
        f"<article><h1>{title}</h1>{text}</article><div class='pages'>{links}</div></body></html>"
    ).encode()


def numbered(*numbers: int, to: str = "/news/night-ferry") -> str:
    return " ".join(f'<a href="{to}{f"/{n}" if n > 1 else ""}">{n}</a>' for n in numbers)


def three_pages() -> dict[str, bytes]:
    return {
        STORY: html(paragraphs(1), links=numbered(2, 3)),
        f"{STORY}/2": html(paragraphs(2), links=numbered(1, 3)),
        f"{STORY}/3": html(paragraphs(3), links=numbered(1, 2)),
    }


def profile_of(folder: Path, text: str = PROFILE) -> Profile:
    path = folder / "event.toml"
    path.write_text(text)
    return load_profile(str(path))


def reading(
    profile: Profile, url: str, body: bytes, *, status: int = 200, at: datetime = NOW
) -> tuple[LeasedUrl, Capture, Reading]:
    entered = discovery(url, kind=UrlKind.PAGE, channel=Channel.SEED)
    leased = LeasedUrl(
        id=entered.id, url=entered.url, host=entered.host, kind=UrlKind.PAGE,
        depth=1, redirects=0, attempts=0,
    )  # fmt: skip
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    capture = Capture(url=entered.url, captured_at=at, status=status, headers=headers, body=body)
    return leased, capture, read(capture, leased, profile)


def visit(
    archive: Archive,
    profile: Profile,
    pages: Mapping[str, bytes],
    *,
    status: int = 200,
    at: datetime = NOW,
    settle: bool = False,
) -> list[Stored]:
    stored = []
    for url, body in pages.items():
        leased, capture, found = reading(profile, url, body, status=status, at=at)
        item = discovery(url, kind=UrlKind.PAGE, channel=Channel.SEED)
        archive.discover([item]).result()
        one = compose(archive, leased, found, capture, now=at)
        # what it leads to is looked at elsewhere
        stored.append(archive.commit(replace(one, discoveries=())).result())
        if settle:
            archive.settle().result()
    archive.settle().result()
    return stored


def rows(archive: Archive, table: sa.Table) -> list[dict[str, Any]]:
    statement = sa.select(table).order_by(*table.primary_key.columns)
    return archive.submit(lambda c: [dict(row) for row in c.execute(statement).mappings()]).result()


def texts(archive: Archive) -> dict[str, str]:
    """Texts shown, by address; what hangs on them agrees."""
    shown = {row["id"]: row for row in rows(archive, schema.extractions)}
    signed = {row["article_id"]: row for row in rows(archive, schema.signatures)}
    articles = rows(archive, schema.articles)
    assert {row["id"] for row in articles} == signed.keys()
    for one in articles:
        row = shown[one["extraction_id"]]
        assert (one["text_sha256"], one["word_count"]) == (row["text_sha256"], row["word_count"])
        assert signed[one["id"]]["hashvalues"] == sign(row["text"]).hashvalues
    return {one["url"]: shown[one["extraction_id"]]["text"] for one in articles}


def ledger(archive: Archive) -> dict[str, tuple[str, str, str | None]]:
    return {
        row["url"]: (row["state"], row["reason"], row["detail"])
        for row in rows(archive, schema.urls)
    }


def state(archive: Archive) -> list[Any]:
    """All that follows from the set of captures; numbers of rows and times of work do not."""
    shown = {row["id"]: row for row in rows(archive, schema.extractions)}
    plain = ("text", "version", "title", "cuts", "fields", "part")
    articles = [
        {**row, "extraction_id": [shown[row["extraction_id"]][name] for name in plain]}
        for row in rows(archive, schema.articles)
    ]
    held = sorted((row["url_id"], row["version"], row["text_sha256"]) for row in shown.values())
    stated = sorted(
        (row["field"], row["value"], shown[row["extraction_id"]]["url_id"])
        for row in rows(archive, schema.claims)
    )
    revised = [(row["article_id"], row["number"]) for row in rows(archive, schema.revisions)]
    others = (schema.signatures, schema.bands, schema.matches, schema.stories, schema.story_members)
    return [
        articles,
        held,
        stated,
        revised,
        ledger(archive),
        *(rows(archive, one) for one in others),
    ]


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return profile_of(tmp_path)


@pytest.fixture
def crawl(archive: Archive, profile: Profile) -> Archive:
    archive.begin("crawl", profile, warc=True)
    return archive


WHOLE = "\n".join([*paragraphs(1), *paragraphs(2), *paragraphs(3)])


def test_the_pages_of_one_article_are_one_article_in_their_order(crawl: Archive, profile: Profile):
    visit(crawl, profile, dict(reversed(three_pages().items())))
    assert texts(crawl) == {STORY: WHOLE}
    assert ledger(crawl) == {
        STORY: ("done", "kept", None),
        f"{STORY}/2": ("rejected", "continuation", f"page 2 of {STORY}"),
        f"{STORY}/3": ("rejected", "continuation", f"page 3 of {STORY}"),
    }
    assert [row["number"] for row in rows(crawl, schema.revisions)] == [1]
    pages = [row["value"] for row in rows(crawl, schema.claims) if row["field"] == "page"]
    assert pages == list(three_pages())


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_neither_order_nor_settling_in_between_matters(
    order: tuple[int, ...], profile: Profile, tmp_path: Path
):
    pages = list(three_pages().items())
    found = []
    for name, settle, chosen in (("a", True, order), ("b", False, (0, 1, 2))):
        with Archive(Location(tmp_path / name)) as archive:
            archive.begin("crawl", profile, warc=True)
            visit(archive, profile, dict(pages[n] for n in chosen), settle=settle)
            found.append(state(archive))
    assert found[0] == found[1]


def test_settling_again_and_visiting_again_change_nothing(crawl: Archive, profile: Profile):
    visit(crawl, profile, three_pages())
    before = state(crawl)
    crawl.settle().result()
    assert state(crawl) == before
    later = NOW + timedelta(days=1)
    assert Stored.NEW not in visit(crawl, profile, three_pages(), at=later)
    assert state(crawl)[0] == before[0]
    assert ledger(crawl)[f"{STORY}/2"] == ("rejected", "continuation", f"page 2 of {STORY}")


def test_reading_again_offline_gives_the_same(location: Location, profile: Profile):
    with Archive(location) as archive:
        archive.begin("crawl", profile, warc=True)
        visit(archive, profile, three_pages())
        before = state(archive)
    summary = reprocess(location)
    assert (summary.read, summary.failed) == (3, 0)
    with Archive(location) as archive:
        assert state(archive) == before


def test_a_missing_page_is_said_and_comes_in_later(crawl: Archive, profile: Profile):
    pages = three_pages()
    second = {f"{STORY}/2": pages.pop(f"{STORY}/2")}
    visit(crawl, profile, pages)
    assert texts(crawl) == {STORY: "\n".join([*paragraphs(1), *paragraphs(3)])}
    stated = [row for row in rows(crawl, schema.claims) if row["field"] == "missing page"]
    assert [row["value"] for row in stated] == ["2"]
    visit(crawl, profile, second)
    assert texts(crawl) == {STORY: WHOLE}
    assert not [row for row in rows(crawl, schema.claims) if row["field"] == "missing page"]
    derived = [row for row in rows(crawl, schema.extractions) if is_derived(row["version"])]
    assert len(derived) == 1


def test_a_change_of_a_later_page_comes_into_the_article(crawl: Archive, profile: Profile):
    visit(crawl, profile, three_pages())
    changed = {f"{STORY}/2": html(paragraphs(9), links=numbered(1, 3))}
    visit(crawl, profile, changed, at=NOW + timedelta(days=1))
    wanted = [*paragraphs(1), *paragraphs(9), *paragraphs(3)]
    assert texts(crawl) == {STORY: "\n".join(wanted)}


def test_a_page_that_is_gone_later_stays_in_the_article(crawl: Archive, profile: Profile):
    visit(crawl, profile, three_pages())
    gone = {f"{STORY}/2": b"<html><body>gone</body></html>"}
    visit(crawl, profile, gone, status=404, at=NOW + timedelta(days=1))
    assert texts(crawl) == {STORY: WHOLE}


def test_a_later_page_without_the_events_words_is_joined_all_the_same(
    archive: Archive, tmp_path: Path
):
    profile = profile_of(tmp_path, JUDGED)
    archive.begin("crawl", profile, warc=True)
    pages = {STORY: html(["A whale was seen.", *paragraphs(1)], links=numbered(2))}
    pages[f"{STORY}/2"] = html(paragraphs(2), links=numbered(1))
    visit(archive, profile, dict(reversed(pages.items())))
    wanted = ["A whale was seen.", *paragraphs(1), *paragraphs(2)]
    assert texts(archive) == {STORY: "\n".join(wanted)}


def test_a_later_page_without_its_first_is_what_it_is_by_itself(crawl: Archive, profile: Profile):
    visit(crawl, profile, {f"{STORY}/2": three_pages()[f"{STORY}/2"]})
    assert texts(crawl) == {f"{STORY}/2": "\n".join(paragraphs(2))}
    assert ledger(crawl)[f"{STORY}/2"] == ("done", "kept", None)


@pytest.mark.parametrize(
    "second",
    [
        {f"{STORY}/2": html(paragraphs(2), title="Another story altogether", links=numbered(1))},
        {"https://other.example/news/night-ferry/2": html(paragraphs(2), links=numbered(1))},
        {f"{STORY}-2": html(paragraphs(2), head=f'<link rel="prev" href="{STORY}">')},
        {f"{STORY}/2": html(paragraphs(2))},
        {f"{STORY}/51": html(paragraphs(2), links=numbered(1))},
    ],
    ids=["title", "site", "slug with a number", "no label", "too many pages"],
)
def test_what_does_not_fit_stays_an_article_of_its_own(
    crawl: Archive, profile: Profile, second: dict[str, bytes]
):
    visit(crawl, profile, {STORY: html(paragraphs(1), links=numbered(2, 51)), **second})
    assert texts(crawl)[STORY] == "\n".join(paragraphs(1))
    assert len(texts(crawl)) == 2


def test_pages_that_point_at_one_another_in_a_circle_end(crawl: Archive, profile: Profile):
    """Hostile: every page calls the other one its first, and itself the next."""
    pages = {
        f"{STORY}/2": html(
            paragraphs(1), links=numbered(1, 2, 3), head=f'<link rel="canonical" href="{STORY}/3">'
        ),
        f"{STORY}/3": html(
            paragraphs(2), links=numbered(1, 2, 3), head=f'<link rel="canonical" href="{STORY}/2">'
        ),
        STORY: html(
            paragraphs(3), links=numbered(2, 3), head=f'<link rel="canonical" href="{STORY}/2">'
        ),
    }
    visit(crawl, profile, pages)
    before = state(crawl)
    crawl.settle().result()
    assert state(crawl) == before


def test_a_chain_without_end_gives_the_first_fifty_pages(crawl: Archive, profile: Profile):
    pages = {STORY: html(paragraphs(1), links=numbered(*range(2, 60)))}
    for number in (2, 49, 50, 51, 399):
        links = numbered(1, number - 1, number + 1)
        pages[f"{STORY}/{number}"] = html(paragraphs(number), links=links)
    visit(crawl, profile, pages)
    wanted = [line for n in (1, 2, 49, 50) for line in paragraphs(n)]
    assert texts(crawl)[STORY] == "\n".join(wanted)
    missing = [row for row in rows(crawl, schema.claims) if row["field"] == "missing page"]
    assert len(missing) == 46


def test_the_page_with_all_of_them_is_preferred(crawl: Archive, profile: Profile):
    every = [*paragraphs(1), *paragraphs(2), *paragraphs(3)]
    all_link = f'<a href="{STORY}?page=all">View all</a>'
    pages = three_pages()
    pages[STORY] = html(paragraphs(1), links=numbered(2, 3) + all_link)
    pages[f"{STORY}?page=all"] = html(
        [*every, "And a word at the end of it all."],
        head=f'<link rel="canonical" href="{STORY}">',
        links=numbered(1, 2),
    )
    visit(crawl, profile, dict(reversed(pages.items())))
    assert texts(crawl) == {STORY: "\n".join([*every, "And a word at the end of it all."])}
    detail = ("rejected", "continuation", f"all pages of {STORY}")
    assert ledger(crawl)[f"{STORY}?page=all"] == detail


def test_lines_that_every_page_repeats_stand_once(crawl: Archive, profile: Profile):
    line = "The standfirst of this story stands on every one of its pages."
    pages = {
        STORY: html([line, *paragraphs(1)], links=numbered(2)),
        f"{STORY}/2": html([line, *paragraphs(2)], links=numbered(1)),
    }
    visit(crawl, profile, pages)
    assert texts(crawl)[STORY].split("\n") == [line, *paragraphs(1), *paragraphs(2)]


def test_what_a_site_repeats_is_cut_from_a_joined_article_too(crawl: Archive, profile: Profile):
    line = "Our reporters can be reached at the harbour desk until noon."
    others = {
        f"{HOME}/news/{name}": html([*paragraphs(seed), line], title=f"A report on {name}")
        for seed, name in enumerate(("ropes", "nets"), start=20)
    }
    pages = {
        STORY: html([*paragraphs(1), line], links=numbered(2)),
        f"{STORY}/2": html(paragraphs(2), links=numbered(1)),
    }
    visit(crawl, profile, {**others, **pages})
    assert texts(crawl)[STORY] == "\n".join([*paragraphs(1), *paragraphs(2)])


# --- AMP -----------------------------------------------------------------------------------------


def amp_of(url: str, seed: int = 1) -> bytes:
    return html(paragraphs(seed), head=f'<link rel="canonical" href="{url}">', root="amp")


def test_the_amp_form_gives_way_to_the_page_itself(crawl: Archive, profile: Profile):
    amp = f"{HOME}/amp/news/night-ferry"
    for pages in ({amp: amp_of(STORY)}, {STORY: html(paragraphs(1))}):
        visit(crawl, profile, pages)
    assert texts(crawl) == {STORY: "\n".join(paragraphs(1))}
    assert ledger(crawl)[amp] == ("rejected", "amp", f"AMP form of {STORY}")


def test_an_amp_form_reached_alone_is_an_article(crawl: Archive, profile: Profile):
    amp = f"{HOME}/amp/news/night-ferry"
    visit(crawl, profile, {amp: amp_of(STORY)})
    assert texts(crawl) == {amp: "\n".join(paragraphs(1))}


def test_an_amp_form_at_the_address_of_the_page_is_that_page(crawl: Archive, profile: Profile):
    visit(crawl, profile, {STORY: html(paragraphs(1)), f"{STORY}/amp": amp_of(STORY)})
    assert texts(crawl) == {STORY: "\n".join(paragraphs(1))}
    assert url_id(f"{STORY}/amp") == url_id(STORY)


def test_an_amp_form_of_another_story_stays(crawl: Archive, profile: Profile):
    amp = f"{HOME}/amp/news/night-ferry"
    visit(crawl, profile, {amp: amp_of(STORY), STORY: html(paragraphs(3), title="Other news")})
    assert len(texts(crawl)) == 2


# --- discovery -----------------------------------------------------------------------------------


def test_the_pages_of_a_kept_article_are_queued_whatever_the_rules_for_links(profile: Profile):
    _, _, first = reading(profile, STORY, three_pages()[STORY])
    assert [(one.url, one.depth) for one in first.discoveries] == [(f"{STORY}/2", 1)]
    _, _, second = reading(profile, f"{STORY}/2", three_pages()[f"{STORY}/2"])
    assert {one.url for one in second.discoveries} == {STORY, f"{STORY}/3"}


def test_the_pages_of_a_page_that_is_not_wanted_are_not(tmp_path: Path):
    _, _, found = reading(profile_of(tmp_path, JUDGED), STORY, three_pages()[STORY])
    assert found.outcome.state is UrlState.REJECTED
    assert found.discoveries == ()


def test_no_page_past_the_fiftieth_is_queued(profile: Profile):
    url = f"{STORY}/50"
    _, _, found = reading(profile, url, html(paragraphs(1), links=numbered(1, 49, 51)))
    assert [one.url for one in found.discoveries] == [STORY]


def test_the_other_pages_of_another_site_are_not_queued(tmp_path: Path, profile: Profile):
    url = "https://other.example/news/night-ferry"
    _, _, found = reading(profile, url, three_pages()[STORY])
    assert found.discoveries == ()


# --- staleness -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reread"),
    [
        (lambda text: text, 0),
        (lambda text: text.replace("seeds = [", 'prune = ["//aside"]\nseeds = ['), 3),
        (lambda text: text.replace("seeds = [", 'timezone = "Asia/Shanghai"\nseeds = ['), 3),
        (lambda text: text.replace("keep = 6", "keep = 5"), 3),
        (lambda text: f'{text}[[source]]\nname = "Other"\ndomain = "other.example"\n', 0),
    ],
    ids=["nothing", "path", "zone", "relevance", "another source"],
)
def test_stale_is_what_would_be_read_differently(
    sqlite_location: Location, tmp_path: Path, changed: Callable[[str], str], reread: int
):
    profile = profile_of(tmp_path, JUDGED)
    whale = "A whale was seen."
    pages = {
        STORY: html([whale, *paragraphs(1)], links=numbered(2)),
        f"{STORY}/2": html([whale, *paragraphs(2)], links=numbered(1)),
        f"{HOME}/news/other": html(paragraphs(3), title="Not about it"),
    }
    with Archive(sqlite_location) as archive:
        archive.begin("crawl", profile, warc=True)
        visit(archive, profile, pages)
    assert reprocess(sqlite_location, stale=True).read == 0
    with Archive(sqlite_location) as archive:
        archive.begin("crawl", profile_of(tmp_path, changed(JUDGED)))
    assert reprocess(sqlite_location, stale=True).read == reread
    assert reprocess(sqlite_location, stale=True).read == 0


# --- relevance of what settling changed ----------------------------------------------------------


def judgements(archive: Archive) -> dict[str, tuple[str, float]]:
    names = {row["id"]: row["url"] for row in rows(archive, schema.urls)}
    return {
        names[row["url_id"]]: (row["decision"], row["score"])
        for row in rows(archive, schema.relevance)
    }


def test_words_that_only_a_sites_template_has_keep_no_article_for_good(
    archive: Archive, tmp_path: Path
):
    profile = profile_of(tmp_path, JUDGED)
    archive.begin("crawl", profile, warc=True)
    line = "Our whale desk can be reached at the harbour office until noon."
    pages = {
        f"{HOME}/news/{name}": html([*paragraphs(seed, 9), line], title=f"A report on {name}")
        for seed, name in enumerate(("ropes", "nets", "masts"), start=20)
    }
    seen = {f"{HOME}/news/seen": html(["A whale was seen.", *paragraphs(8, 9), line])}
    visit(archive, profile, {**pages, **seen})
    found = judgements(archive)
    assert {found[url] for url in pages} == {("review", 0.0)}
    assert found[f"{HOME}/news/seen"] == ("keep", 12.0)
    assert ledger(archive)[f"{HOME}/news/ropes"][:2] == ("done", "review")
    before = state(archive), found
    archive.settle().result()
    assert (state(archive), judgements(archive)) == before
    visit(archive, profile, pages, at=NOW + timedelta(days=1))
    assert judgements(archive) == found
    assert ledger(archive)[f"{HOME}/news/ropes"][:2] == ("done", "review")


def test_the_words_of_later_pages_count_for_the_article(archive: Archive, tmp_path: Path):
    kraken = '[[group]]\nname = "kraken"\nweight = 3\n[group.any]\nen = ["kraken"]\n'
    profile = profile_of(tmp_path, JUDGED.replace("keep = 6", "keep = 14") + kraken)
    archive.begin("crawl", profile, warc=True)
    visit(archive, profile, {STORY: html(["A whale was seen.", *paragraphs(1)], links=numbered(2))})
    assert judgements(archive)[STORY] == ("review", 12.0)
    second = html(["A kraken, too.", *paragraphs(2)], links=numbered(1))
    visit(archive, profile, {f"{STORY}/2": second})
    assert judgements(archive)[STORY] == ("keep", 18.0)
    assert ledger(archive)[STORY][:2] == ("done", "kept")

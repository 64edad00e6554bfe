from __future__ import annotations

import gzip
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import pytest

from aidivide_archive.config import Profile, load_profile
from aidivide_archive.copies import compare, prepare
from aidivide_archive.demo.content import Article, Outlet, read_article
from aidivide_archive.demo.newsroom import Newsroom, NewsroomServer
from aidivide_archive.demo.pages import render_article
from aidivide_archive.demo.profile import profile_text
from aidivide_archive.demo.truth import (
    PlannedStory,
    planned_truth,
    truth_tables,
    with_tables,
)
from aidivide_archive.feeds import parse_feed
from aidivide_archive.model import Reason, Relation, Role, TimeValue
from aidivide_archive.relevance import judge
from aidivide_archive.sitemaps import parse_sitemap
from tests.support.places import ROOT

PORT = 8765
NEWSROOM = Newsroom(PORT)
TRUTH = planned_truth()
ARTICLES = {article.key: article for outlet in NEWSROOM.outlets for article in outlet.articles}
OUTLETS = {article.key: outlet for outlet in NEWSROOM.outlets for article in outlet.articles}
PREPARED = {key: prepare(ARTICLES[key].text) for key in TRUTH.articles}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href and not href.startswith("#"):
            self.found.append(href)


def links_of(key: str) -> set[str]:
    """Absolute addresses that a listing or page leads to."""
    page = NEWSROOM.page(key)
    outlet = next(outlet for outlet in NEWSROOM.outlets if outlet.host == page.host)
    body = gzip.decompress(page.body) if page.path.endswith(".gz") else page.body
    if page.kind in {"hub", "article"}:
        parser = _Links()
        parser.feed(body.decode(outlet.charset))
        return {urljoin(NEWSROOM.url(key), href) for href in parser.found}
    tree = ET.fromstring(body)
    names = [element for element in tree.iter() if element.tag.split("}")[-1] in {"loc", "link"}]
    return {element.text or element.get("href", "") for element in names}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    path = tmp_path_factory.mktemp("profile") / "event.toml"
    path.write_text(profile_text(PORT), encoding="utf-8")
    return load_profile(str(path))


@pytest.fixture
def server() -> Iterator[tuple[NewsroomServer, StringIO]]:
    log = StringIO()
    with NewsroomServer(0, log) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running, log
        running.shutdown()
        thread.join()


def get(port: int, host: str, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={"Host": host, **named})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


# --- the plan and the content agree --------------------------------------------------------------


def test_plan_names_every_page_exactly_once() -> None:
    assert sorted(TRUTH.reasons) == sorted(ARTICLES)  # a page named twice is refused


def test_newsroom_has_eight_outlets_and_about_sixty_pages() -> None:
    assert len(NEWSROOM.outlets) == 8
    assert all(outlet.host.endswith(".example") for outlet in NEWSROOM.outlets)
    assert 55 <= len(ARTICLES) <= 70


def test_kept_pages_cover_the_forum_in_four_languages() -> None:
    languages = {OUTLETS[key].language.split("-")[0] for key in TRUTH.articles}
    assert languages == {"en", "zh", "fr", "pt"}


def test_wire_story_stands_in_four_outlets_and_the_agency_is_first() -> None:
    wire = TRUTH.stories[0]
    assert len({OUTLETS[member.page].key for member in wire.members}) == 4
    assert OUTLETS[wire.origin].kind == "agency"


@pytest.mark.parametrize("story", TRUTH.stories, ids=lambda story: story.name)
def test_origin_is_published_before_every_other_member(story: PlannedStory) -> None:
    first = ARTICLES[story.origin].published
    assert all(ARTICLES[member.page].published > first for member in story.members[1:])


@pytest.mark.parametrize("story", TRUTH.stories, ids=lambda story: story.name)
def test_members_share_with_their_origin_what_the_plan_says(story: PlannedStory) -> None:
    for member in story.members[1:]:
        assert member.share is not None
        found = compare(PREPARED[member.page], PREPARED[story.origin])
        low, high = member.share
        assert low <= found.containment_a <= high, member.page
        if member.role is Role.EXCERPT:
            assert found.relation is Relation.EXCERPT
            assert found.contains == "b"
        else:
            assert found.relation is Relation.COPY
            assert min(found.containment_a, found.containment_b) >= 0.4


def test_roundup_holds_a_passage_of_each_of_its_parts_and_is_mostly_its_own() -> None:
    ((roundup, parts),) = TRUTH.roundups.items()
    for part in parts:
        found = compare(PREPARED[part], PREPARED[roundup])
        assert 0.27 <= found.containment_a <= 0.5
        assert found.containment_b < 0.4
        assert found.longest_passage_words >= 40
    assert compare(PREPARED[parts[0]], PREPARED[parts[1]]).relation is None


def test_templates_share_their_form_and_are_no_copies() -> None:
    for first, second in TRUTH.templates:
        found = compare(PREPARED[first], PREPARED[second])
        assert found.relation is Relation.TEMPLATE
        assert found.jaccard < 0.4


def test_all_other_pages_share_next_to_nothing() -> None:
    together = [{member.page for member in story.members} for story in TRUTH.stories]
    together += [set(pair) for pair in TRUTH.templates]
    for first, second in itertools.combinations(TRUTH.articles, 2):
        if {first, second} & TRUTH.roundups.keys():
            continue
        if any({first, second} <= pages for pages in together):
            continue
        found = compare(PREPARED[first], PREPARED[second])
        assert max(found.containment_a, found.containment_b) <= 0.16, (first, second)


def test_refused_pages_share_nothing_with_the_archive() -> None:
    refused = set(ARTICLES) - set(TRUTH.articles)
    for key in refused:
        page = prepare(ARTICLES[key].text)
        for other in PREPARED.values():
            assert compare(page, other).relation is None, key


def test_chinese_copy_is_in_traditional_characters() -> None:
    story = next(story for story in TRUTH.stories if story.origin.startswith("xinzhou"))
    simplified, traditional = (ARTICLES[member.page].text for member in story.members)
    common = len(set(simplified) & set(traditional)) / len(set(simplified))
    assert "論壇" in traditional
    assert "论坛" in simplified
    assert common < 0.75


def test_articles_have_a_realistic_length() -> None:
    for key in TRUTH.articles:
        text = ARTICLES[key].text
        is_chinese = OUTLETS[key].language.startswith("zh")
        words = len(text) / 1.6 if is_chinese else len(text.split())
        assert 120 <= words <= 620, key


def test_every_page_says_that_it_is_fiction() -> None:
    for page in NEWSROOM.pages:
        if page.kind in {"article", "hub"}:
            assert b"invented outlets, invented reports" in page.body


# --- the profile ---------------------------------------------------------------------------------


def published(article: Article, outlet: Outlet) -> TimeValue:
    start = article.published.astimezone(UTC)
    length = timedelta(days=1) if outlet.date_only else timedelta(minutes=1)
    return TimeValue(
        start=start, end=start + length, raw="", offset_minutes=None, precision="minute"
    )


def test_profile_reaches_every_outlet_on_loopback_only(profile: Profile) -> None:
    assert profile.fetch.allow_private == ("127.0.0.0/8",)
    assert profile.fetch.hosts == {outlet.host: "127.0.0.1" for outlet in NEWSROOM.outlets}
    assert profile.politeness.delay_seconds == 0
    assert profile.politeness.obey_robots


def test_profile_describes_the_outlets_as_they_are(profile: Profile) -> None:
    for outlet in NEWSROOM.outlets:
        source = profile.source_for(outlet.host)
        assert source is not None
        assert (source.name, source.country, source.timezone, source.kind) == (
            outlet.name,
            outlet.country,
            outlet.timezone,
            outlet.kind,
        )


def test_profile_addresses_are_listings_of_the_newsroom(profile: Profile) -> None:
    by_url = {NEWSROOM.url(page.key): page.kind for page in NEWSROOM.pages}
    for source in profile.sources:
        assert {by_url[url] for url in source.hubs} <= {"hub"}
        assert {by_url[url] for url in source.feeds} <= {"rss", "atom"}
        assert {by_url[url] for url in source.sitemaps} <= {"sitemap", "sitemap_index"}


def test_an_outlet_without_feed_or_sitemap_is_reached_through_its_fronts(profile: Profile) -> None:
    bare = [source for source in profile.sources if not (source.feeds or source.sitemaps)]
    assert [source.name for source in bare] == ["Eastgate Daily"]
    assert bare[0].hubs


def test_every_page_can_be_found_from_the_profile(profile: Profile) -> None:
    keys = {NEWSROOM.url(page.key): page.key for page in NEWSROOM.pages}
    reached: set[str] = set()
    waiting = [
        url for source in profile.sources for url in source.hubs + source.feeds + source.sitemaps
    ]
    while waiting:
        url = waiting.pop()
        if url in reached or url not in keys:
            reached.add(url)
            continue
        reached.add(url)
        if NEWSROOM.page(keys[url]).kind != "article":
            waiting += links_of(keys[url])
    missing = set(keys) - reached
    assert {urlsplit(url).path for url in missing} == {"/robots.txt"}
    for outlet, path in TRUTH.addresses:
        host = next(each.host for each in NEWSROOM.outlets if each.key == outlet)
        assert f"http://{host}:{PORT}{path}" in reached


@pytest.mark.parametrize("key", sorted(TRUTH.reasons))
def test_relevance_is_as_planned(key: str, profile: Profile) -> None:
    article, outlet = ARTICLES[key], OUTLETS[key]
    judged = judge(
        profile,
        title=article.title,
        text=article.text,
        published=published(article, outlet),
        language=outlet.language,
    )
    planned = TRUTH.reasons[key]
    if planned in {Reason.ROBOTS_DENIED, Reason.COOKIE_WALL, Reason.SOFT_404}:
        assert not article.raw or judged.reason is Reason.IRRELEVANT
    else:
        assert judged.reason is planned


def test_links_lead_to_pages_or_planned_addresses_only() -> None:
    hosts = {outlet.key: outlet.host for outlet in NEWSROOM.outlets}
    known = {NEWSROOM.url(page.key) for page in NEWSROOM.pages}
    known |= {f"http://{hosts[outlet]}:{PORT}{path}" for outlet, path in TRUTH.addresses}
    for page in NEWSROOM.pages:
        if page.kind != "robots":
            assert links_of(page.key) <= known, page.key


def test_listings_are_read_in_full_by_the_library() -> None:
    articles = {NEWSROOM.url(key) for key in ARTICLES}
    for page in NEWSROOM.pages:
        url = NEWSROOM.url(page.key)
        if page.kind in {"rss", "atom"}:
            feed = parse_feed(page.body, url, page.content_type)
            items = {item.url for item in feed.items}
            assert items == {link for link in links_of(page.key) if link in articles}
            assert all(item.hint and item.hint.published_raw for item in feed.items)
        elif "sitemap" in page.kind:
            packed = page.path.endswith(".gz")
            sitemap = parse_sitemap(gzip.decompress(page.body) if packed else page.body, url)
            assert {link.url for link in sitemap.pages + sitemap.sitemaps} == links_of(page.key)


# --- robots.txt ----------------------------------------------------------------------------------


def robots(outlet: Outlet) -> RobotFileParser:
    parser = RobotFileParser()
    answer = NEWSROOM.response(outlet.host, "/robots.txt")
    parser.parse(answer.body.decode().splitlines() if answer.status == 200 else [])
    return parser


def test_robots_forbids_exactly_the_planned_pages() -> None:
    forbidden = {
        key
        for key in ARTICLES
        if not robots(OUTLETS[key]).can_fetch("aidivide-archive-demo", NEWSROOM.url(key))
    }
    assert forbidden == set(TRUTH.never_requested)


def test_forbidden_pages_are_linked_to_from_what_the_crawler_reads() -> None:
    for key in TRUTH.never_requested:
        leading = [
            page.key
            for page in NEWSROOM.pages
            if page.kind == "hub" and NEWSROOM.url(key) in links_of(page.key)
        ]
        assert leading, key


def test_forbidden_pages_would_be_kept_if_they_were_read(profile: Profile) -> None:
    essay = ARTICLES["hudson/inside-the-chip-race"]
    judged = judge(profile, title=essay.title, text=essay.text, published=None, language="en")
    assert judged.reason is Reason.KEPT


# --- what the pages look like --------------------------------------------------------------------


def test_object_ids_of_the_daily_hold_the_publication_second() -> None:
    daily = next(outlet for outlet in NEWSROOM.outlets if outlet.key == "eastgate")
    for article in daily.articles:
        found = re.fullmatch(
            r"/a/(\d{6})/(\d\d)/WS([0-9a-f]{24})\.html", daily.article_path(article)
        )
        assert found is not None
        second = datetime.fromtimestamp(int(found[3][:8], 16), UTC)
        assert second == article.published
        assert f"{article.published:%Y%m%d}" == found[1] + found[2]


@pytest.mark.parametrize(
    "phrase",
    [
        "Global Edition",
        "Share - WeChat",
        "BACK TO THE TOP",
        "Copyright 1995 - ",
        "License for publishing multimedia online",
        "Registration Number",
        "FOLLOW US",
        "[Photo provided to Eastgate Daily]",
    ],
)
def test_daily_has_the_clutter_of_its_kind(phrase: str) -> None:
    assert phrase.encode() in NEWSROOM.page("eastgate/shanghai-pledge").body


@pytest.mark.parametrize(
    "phrase",
    [
        "No Result",
        "View All Result",
        "Reading Time: 5 mins read",
        "A A",
        "ADVERTISEMENT",
        "Select Language:",
        "Add us on Perplexity",
        "jeg_author_desc",
        "Related <strong>Posts",
        "Next Post",
        "© 2025 Gadget Sonar",
    ],
)
def test_magazine_has_the_clutter_of_its_theme(phrase: str) -> None:
    assert phrase.encode() in NEWSROOM.page("gadgetsonar/developing-nations-ai-tools").body


def test_chinese_daily_is_gb18030_and_says_so_in_the_page_only() -> None:
    page = NEWSROOM.page("xinzhou/luntan-minhang")
    assert "charset" not in page.content_type
    assert b"charset=gb18030" in page.body
    assert "弥合人工智能鸿沟" in page.body.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        page.body.decode("utf-8")


def test_modification_times_of_the_american_paper_conflict() -> None:
    body = NEWSROOM.page("hudson/what-poorer-countries-want").body.decode()
    meta = re.search(r'article:modified_time" content="([^"]+)"', body)
    json_ld = re.search(r'"dateModified": "([^"]+)"', body)
    assert meta is not None
    assert json_ld is not None
    assert meta[1] != json_ld[1]


def test_json_ld_is_valid_where_it_is_given() -> None:
    found = 0
    for page in NEWSROOM.pages:
        for block in re.findall(rb'(?s)ld\+json">\s*(.*?)\s*</script>', page.body):
            assert json.loads(block)["@context"] == "https://schema.org"
            found += 1
    assert found > 30


def test_html_of_a_title_cannot_break_the_page() -> None:
    article = read_article(
        "meridian",
        "hostile",
        '+++\ntitle = "</script><b>\\"x\\""\npublished = 2025-07-27T00:00:00Z\n'
        'section = "technology"\n+++\n<i>&amp;</i>\n',
    )
    outlet = next(outlet for outlet in NEWSROOM.outlets if outlet.key == "meridian")
    page = render_article(outlet, article, "http://x.example")
    assert "<b>" not in page
    assert "<i>" not in page
    assert page.count("</script>") == 1


@pytest.mark.parametrize("document", ["no head", "+++\ntitle = 'x'\n"])
def test_article_without_a_head_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match=r"meridian/x\.md: no TOML"):
        read_article("meridian", "x", document)


def test_article_without_an_offset_is_refused() -> None:
    document = "+++\ntitle = 'x'\nsection = 'y'\npublished = 2025-07-27T00:00:00\n+++\ntext\n"
    with pytest.raises(ValueError, match="needs an offset"):
        read_article("meridian", "x", document)


# --- answers -------------------------------------------------------------------------------------


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert Newsroom(PORT).pages == NEWSROOM.pages


def test_rendering_does_not_depend_on_hash_seed_or_time_zone() -> None:
    program = (
        "import hashlib; from aidivide_archive.demo.newsroom import Newsroom;"
        f"print(hashlib.sha256(b''.join(p.body for p in Newsroom({PORT}).pages)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Pacific/Auckland"))
    }
    assert len(digests) == 1


def test_unknown_host_is_misdirected_and_unknown_path_not_found() -> None:
    assert NEWSROOM.response("elsewhere.example", "/").status == 421
    assert NEWSROOM.response("www.meridianwire.example", "/nothing").status == 404
    assert NEWSROOM.response("www.eastgatedaily.example", "/robots.txt").status == 404


def test_addresses_without_a_page_answer_as_planned() -> None:
    hosts = {outlet.key: outlet.host for outlet in NEWSROOM.outlets}
    status = {Reason.GONE: 404, Reason.REDIRECTED: 301}
    for (outlet, path), reason in TRUTH.addresses.items():
        assert NEWSROOM.response(hosts[outlet], path).status == status[reason]


def test_old_address_redirects_to_its_article() -> None:
    answer = NEWSROOM.response("www.gadgetsonar.example", "/?p=41877")
    assert dict(answer.headers)["Location"] == NEWSROOM.url("gadgetsonar/what-is-the-ai-divide")


def test_soft_404_and_consent_wall_answer_200() -> None:
    for key in ("diario/artigo-perdido", "courrier/consentement"):
        page = NEWSROOM.page(key)
        assert NEWSROOM.response(page.host, page.path).status == 200


def test_host_is_matched_without_port_and_case() -> None:
    page = NEWSROOM.page("meridian/forum-shared-models")
    assert NEWSROOM.response(f"WWW.MeridianWire.example:{PORT}", page.path).body == page.body


def test_gzip_is_given_to_clients_that_take_it_only() -> None:
    page = NEWSROOM.page("meridian/forum-shared-models")
    plain = NEWSROOM.response(page.host, page.path)
    packed = NEWSROOM.response(page.host, page.path, {"Accept-Encoding": "gzip, deflate"})
    assert plain.body == page.body
    assert dict(packed.headers)["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == page.body
    assert dict(plain.headers)["ETag"] != dict(packed.headers)["ETag"]


def test_known_etag_is_answered_with_304_and_another_with_200() -> None:
    page = NEWSROOM.page("hudson/ferry-pier")
    tag = dict(NEWSROOM.response(page.host, page.path).headers)["ETag"]
    known = NEWSROOM.response(page.host, page.path, {"If-None-Match": tag})
    assert (known.status, known.body) == (304, b"")
    assert NEWSROOM.response(page.host, page.path, {"If-None-Match": '"x"'}).status == 200


def test_last_modified_is_the_time_the_article_was_changed() -> None:
    page = NEWSROOM.page("hudson/emerging-nations-share-factory-ai")
    headers = dict(NEWSROOM.response(page.host, page.path).headers)
    assert headers["Last-Modified"] == "Sun, 27 Jul 2025 21:05:00 GMT"


# --- the server ----------------------------------------------------------------------------------


def test_server_answers_by_host_header_and_logs_each_request(
    server: tuple[NewsroomServer, StringIO],
) -> None:
    running, log = server
    port = running.newsroom.port
    page = running.newsroom.page("xinzhou/luntan-minhang")
    answer, body = get(port, f"{page.host}:{port}", page.path)
    assert (answer.status, body) == (200, page.body)
    answer, body = get(
        port, "www.meridianwire.example", "/sitemap-index.xml", Accept_Encoding="gzip"
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert f":{port}/news-sitemap.xml".encode() in gzip.decompress(body)
    assert get(port, "www.meridianwire.example", "/nothing")[0].status == 404
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["host"], line["path"], line["status"]) for line in lines] == [
        (page.host, page.path, 200),
        ("www.meridianwire.example", "/sitemap-index.xml", 200),
        ("www.meridianwire.example", "/nothing", 404),
    ]
    assert all(datetime.fromisoformat(line["time"]).tzinfo for line in lines)


def test_server_keeps_a_connection_for_the_next_request(
    server: tuple[NewsroomServer, StringIO],
) -> None:
    port = server[0].newsroom.port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for method in ("GET", "HEAD", "GET"):
        connection.request(method, "/rss.xml", headers={"Host": "www.diariodoatlantico.example"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert bool(answer.read()) is (method == "GET")
    connection.close()


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "aidivide_archive.demo.newsroom", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_command_prints_its_port_serves_and_stops_quietly_on_ctrl_c(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with start("--port", "0", "--log", str(log)) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert get(port, "www.gangwanshibao.example", "/rss/all.xml")[0].status == 200
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert json.loads(log.read_text())["path"] == "/rss/all.xml"


def test_command_ends_when_its_time_is_over() -> None:
    with start("--seconds", "0.2") as process:
        assert process.wait(timeout=10) == 0


def test_command_ends_with_the_process_that_started_it() -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'aidivide_archive.demo.newsroom'],"
        " stdout=subprocess.PIPE)\n"
        "print(int(child.stdout.readline()), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=10, check=True
    )
    # stderr is inherited by the newsroom, so that `run` has waited for its end
    port = int(done.stdout)
    with pytest.raises(ConnectionRefusedError):
        get(port, "www.meridianwire.example", "/")


def test_command_says_in_one_line_that_a_port_is_taken(
    server: tuple[NewsroomServer, StringIO],
) -> None:
    with start("--port", str(server[0].newsroom.port)) as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert errors.startswith("newsroom: cannot serve: ")
    assert errors.count("\n") == 1


# --- docs/demo.md --------------------------------------------------------------------------------


def test_page_about_the_demo_shows_the_plan_as_it_is() -> None:
    page = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    assert page == with_tables(page, truth_tables(Newsroom(0)))


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="planned truth: begin"):
        with_tables("# Demo\n", "tables")

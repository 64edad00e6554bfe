from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest

from aidivide_archive.extract import extract
from aidivide_archive.model import PageKind
from tests.support.places import DATA

STUBS = tomllib.loads((DATA / "pages" / "stubs.toml").read_text("utf-8"))
CASES = [(language, kind) for language, pages in STUBS.items() for kind in pages]
ARTICLE_KINDS = {PageKind.ARTICLE, PageKind.LIVE_BLOG}


def paragraphs(lines: list[str]) -> str:
    return f"<h1>{lines[0]}</h1>" + "".join(f"<p>{line}</p>" for line in lines[1:])


def hub(lines: list[str]) -> str:
    cards = (lines[number % 2].format(n=number + 2) for number in range(40))
    return (
        "<ul>"
        + "".join(f'<li><a href="/{n}">{card}</a></li>' for n, card in enumerate(cards))
        + "</ul>"
    )


def gallery(lines: list[str]) -> str:
    return "".join(
        f'<figure><img src="/{number}.jpg"><figcaption>{lines[number % len(lines)]}</figcaption></figure>'
        for number in range(9)
    )


MARKUP: dict[str, Callable[[list[str]], str]] = {
    "hub": hub,
    "gallery": gallery,
    "empty": lambda lines: f'<header><a href="/">{lines[0]}</a></header><main></main>',
    "script_shell": lambda lines: (
        f'<noscript>{lines[0]}</noscript><div id="root"></div><script src="/a.js"></script>'
    ),
    "video": lambda lines: f'<video src="/film.mp4"></video><p>{lines[0]}</p>',
}


def stub_page(language: str, kind: str) -> bytes:
    page = STUBS[language][kind]
    body = MARKUP.get(kind, paragraphs)(page["lines"])
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{page['title']}</title></head><body>"
        f'<nav><a href="/a">1</a> <a href="/b">2</a></nav>{body}</body></html>'
    )
    return html.encode()


@pytest.mark.fault("F24")
def test_there_are_sixty_stub_pages_in_six_languages() -> None:
    assert len(STUBS) == 6
    assert len(CASES) >= 60


@pytest.mark.fault("F24")
@pytest.mark.parametrize(("language", "kind"), CASES)
def test_a_stub_page_is_rejected_with_its_reason(language: str, kind: str) -> None:
    document = extract(stub_page(language, kind), url=f"https://port.example/{language}/{kind}")
    assert document.extraction.page_kind.value == kind


ABOUT_COOKIES = (
    "The port authority has fined a ferry operator for setting advertising cookies before "
    "travellers could accept all or reject all of them. Its partners had no legitimate interest, "
    "the ruling says, and the consent box hid the privacy settings behind three clicks. "
    "The operator said on Friday that it would pay and would redesign the page. A lawyer for the "
    "passengers called the ruling overdue. Similar cases are waiting in four other harbours, and "
    "the ministry plans a guide for small firms that cannot afford a lawyer of their own. "
)
REPORTS = {
    "about cookies": ("Ferry operator fined over cookies", ABOUT_COOKIES * 2),
    "about captchas": (
        "Why the captcha is dying",
        "Programs now solve a captcha faster than people do, a study of two thousand sites says. "
        "Its authors asked volunteers to prove that they are not a robot and counted the seconds. "
        "Most gave up after the third picture of a traffic light. Banks are already looking for "
        "other ways to tell customers from machines, among them small payments and signed devices. "
        "Blind users have complained about the tests for twenty years, and courts begin to listen.",
    ),
    "short": (
        "Bridge closed for a night",
        "The chain bridge will be closed from ten on Monday evening until five the next morning. "
        "Workers will replace two bearings under the western span. Trams end at the market, and "
        "buses go round by the tunnel. The city asks drivers to leave more time for the trip.",
    ),
    "short with a subscription box": (
        "Sixteen pilots sworn in",
        "Sixteen new harbour pilots were sworn in on Wednesday. Four of them are women, more than "
        "ever before. They will spend two years on tugs before they may guide tankers through the "
        "narrows. The mayor gave each of them a compass that once belonged to a retired colleague. "
        "The next course begins in autumn.</p><p>Subscribe to continue reading our newsletter",
    ),
    "Chinese": (
        "跨江大桥夜间封闭施工",
        "跨江大桥将于周一晚十点至次日清晨五点封闭。工人将更换西侧桥墩下的两个支座。"
        "有轨电车在市场站折返，公交车改走隧道。市政部门提醒司机预留更多时间。"
        "施工期间行人仍可使用东侧步道，救护车不受影响。工程预计在天亮前完工，届时交通恢复正常。",
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_stays_an_article_whatever_it_is_about(name: str) -> None:
    title, text = REPORTS[name]
    html = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    kind = extract(html.encode(), url="https://port.example/story").extraction.page_kind
    assert kind is PageKind.ARTICLE


def test_a_page_with_an_error_status_is_an_error_page() -> None:
    title, text = REPORTS["short"]
    html = f"<html><body><h1>{title}</h1><p>{text * 5}</p></body></html>".encode()
    kind = extract(html, url="https://port.example/story", status=500).extraction.page_kind
    assert kind is PageKind.ERROR_PAGE


def test_a_live_blog_is_stated_by_its_type() -> None:
    _, text = REPORTS["about cookies"]
    html = (
        '<html><head><script type="application/ld+json">{"@type": "LiveBlogPosting", '
        f'"headline": "Storm: live"}}</script></head><body><h1>Storm: live</h1><p>{text}</p></body>'
    ).encode()
    kind = extract(html, url="https://port.example/live/storm").extraction.page_kind
    assert kind is PageKind.LIVE_BLOG
    assert kind in ARTICLE_KINDS

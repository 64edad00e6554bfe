"""The report in a real browser: no error, nothing runs, nothing sticks out, and no serious finding of axe."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidivide_archive.archive import Location
from aidivide_archive.archive.queries import Reader
from aidivide_archive.report import gather, render
from tests.report.test_report import PAYLOADS, imported
from tests.support import filled_archive as filled

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SERIOUS = {"serious", "critical"}
VIEWS = [(width, scheme) for width in (1280, 360) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (Debian: apt install chromium)")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a story, a Chinese title, a hostile title, captures and a waiting page."""
    folder = tmp_path_factory.mktemp("browser")
    filled.fill(Location(folder / "archive"))
    return written(Location(folder / "archive"), folder / "report.html")


def written(location: Location, path: Path) -> Path:
    with Reader(location) as reader:
        path.write_bytes(render(gather(reader)))
    return path


def opened(
    browser: Any, path: Path, width: int, scheme: str, **options: Any
) -> tuple[Any, list[str]]:
    """A page with every part unfolded, and what the browser had to say."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, **options
    )
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return page, [one for one in said if one not in (path.as_uri(), "data:,")]


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_it_opens_without_a_word_and_nothing_sticks_out(
    browser: Any, report_file: Path, width: int, scheme: str
) -> None:
    page, said = opened(browser, report_file, width, scheme)
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("svg[role=img]").count() >= 2
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(25, 23, 20)" if scheme == "dark" else "rgb(251, 249, 244)")
    page.context.close()


@pytest.mark.slow
@pytest.mark.fault("S05")
def test_no_hostile_title_runs_anything(browser: Any, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"url": f"https://a.example/{number}", "title": payload, "text": f"{payload} {filled.SOUP}"}
        for number, payload in enumerate(PAYLOADS)
    ]
    path = written(imported(tmp_path, rows), tmp_path / "report.html")
    page, said = opened(browser, path, 1280, "light")
    assert said == []
    assert page.evaluate("document.scripts.length") == 0
    assert page.locator("#articles li").count() == len(PAYLOADS)
    page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_axe_finds_nothing_serious(
    browser: Any, report_file: Path, width: int, scheme: str
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    # the page's own policy would refuse the checker's script
    page, _ = opened(browser, report_file, width, scheme, bypass_csp=True)
    assert findings(axe, page) == {}
    page.evaluate("document.querySelector('h1').style.color = '#999'")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert findings(axe, page).keys() >= {"html-has-lang"}  # the checker does look
    page.context.close()


def findings(axe: Any, page: Any) -> dict[str, str]:
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return {one["id"]: one["nodes"][0]["html"] for one in found if one["impact"] in SERIOUS}

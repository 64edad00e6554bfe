"""Golden pages: every folder of tests/data/pages is a page of our own wording, and all that must come out of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from lxml.html import document_fromstring

from aidivide_archive.extract import engine, extract
from aidivide_archive.extract.site_rules import BUILT_IN, NO_RULE, SiteRule, rule_for
from aidivide_archive.model import TimeValue
from tests.support.places import DATA

GOLDEN = sorted(path for path in (DATA / "pages").iterdir() if path.is_dir())


def in_utc(time: TimeValue | None) -> str | None:
    return None if time is None else time.start.isoformat()


def shown(folder: Path) -> dict[str, Any]:
    """What the stages make of a golden page, in the words of its article.json."""
    golden = json.loads((folder / "article.json").read_text("utf-8"))
    extraction = extract((folder / "page.html").read_bytes(), url=golden["url"]).extraction
    metadata = extraction.metadata
    rights = golden["rights_contains"]
    return {
        "url": golden["url"],
        "page_kind": extraction.page_kind.value,
        "title": metadata.title,
        "authors": list(metadata.authors),
        "published": in_utc(metadata.published),
        "published_source": metadata.published_source,
        "precision": metadata.published and metadata.published.precision,
        "modified": in_utc(metadata.modified),
        "language": metadata.language,
        "canonical_url": metadata.canonical_url,
        "section": metadata.section,
        "dateline": metadata.dateline,
        "credits": list(metadata.credits),
        "image_caption": metadata.image_caption,
        "image_credit": metadata.image_credit,
        "rights_contains": rights if rights in (metadata.rights or "") else metadata.rights,
        "text": extraction.text.split("\n"),
    }


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_golden_page_gives_its_text_and_metadata(folder: Path) -> None:
    assert shown(folder) == json.loads((folder / "article.json").read_text("utf-8"))


def rules_of_golden_pages() -> dict[str, Path]:
    """Golden pages by the name of the built-in rule that holds for them."""
    pages = {}
    for folder in GOLDEN:
        url = json.loads((folder / "article.json").read_text("utf-8"))["url"]
        rule = rule_for(url, document_fromstring((folder / "page.html").read_bytes()))
        pages[rule.name] = folder
    return pages


@pytest.mark.parametrize(
    "rule", [rule for rule in BUILT_IN if rule.body or rule.prune], ids=lambda rule: rule.name
)
def test_a_built_in_rule_with_paths_has_a_golden_page_that_needs_it(
    rule: SiteRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = rules_of_golden_pages().get(rule.name)
    assert folder is not None, f"no folder in tests/data/pages holds a page of {rule.name}"
    ruled = shown(folder)
    monkeypatch.setattr(engine, "rule_for", lambda *_: NO_RULE)
    assert shown(folder)["text"] != ruled["text"], f"{folder.name} comes out the same without"


def test_no_two_rules_have_one_name() -> None:
    assert len({rule.name for rule in BUILT_IN}) == len(BUILT_IN)


def test_a_wrong_line_of_a_golden_page_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "another"
    shutil.copytree(GOLDEN[0], folder)
    golden = json.loads((folder / "article.json").read_text("utf-8"))
    assert shown(folder) == golden
    for field in golden.keys() - {"url"}:
        assert shown(folder) != golden | {field: "wrong"}, field

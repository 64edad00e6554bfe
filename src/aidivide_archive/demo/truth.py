"""What a right archive of the demo newsroom holds: stories, roles, first publishers, refusals.

`planned_truth` reads truth.toml; `python -m aidivide_archive.demo.truth docs/demo.md` writes its
tables between the marks of that page.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from aidivide_archive.demo.newsroom import Newsroom
from aidivide_archive.model import Reason, Role

MARKS = ("<!-- planned truth: begin -->", "<!-- planned truth: end -->")
LISTING_REASON = Reason.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMember:
    """One page of a story."""

    page: str
    """Key of the page, "outlet/slug"."""
    role: Role
    share: tuple[float, float] | None
    """Least and greatest share of the page's word 3-grams that stand in the origin, in [0, 1]; in
    Chinese of its characters' 3-grams. None for the origin."""
    how: str
    """What the outlet did to the text; empty for the origin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStory:
    """Pages that are one text; the first member is the origin."""

    name: str
    members: tuple[PlannedMember, ...]

    @property
    def origin(self) -> str:
        """Key of the page that had the text first."""
        return self.members[0].page


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTruth:
    """The whole plan."""

    stories: tuple[PlannedStory, ...]
    """Stories of several pages; every other article of the archive is a story of its own."""
    roundups: Mapping[str, tuple[str, ...]]
    """Page → pages of which it holds passages."""
    templates: tuple[tuple[str, str], ...]
    """Pairs of formula news that are no copies."""
    reasons: Mapping[str, Reason]
    """Every article page → the reason its address ends with in the ledger."""
    addresses: Mapping[tuple[str, str], Reason]
    """(outlet, path) that is linked to but has no page → the reason."""

    @property
    def never_requested(self) -> tuple[str, ...]:
        """Pages that robots.txt forbids."""
        return tuple(
            page for page, reason in self.reasons.items() if reason is Reason.ROBOTS_DENIED
        )

    @property
    def articles(self) -> tuple[str, ...]:
        """Pages that become articles of the archive."""
        stored = {Reason.KEPT, Reason.REVIEW}
        return tuple(page for page, reason in self.reasons.items() if reason in stored)


# --- truth.toml as it is written -----------------------------------------------------------------


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _MemberEntry(_Entry):
    page: str
    role: Role
    share: tuple[float, float]
    how: str


class _StoryEntry(_Entry):
    name: str
    origin: str
    member: tuple[_MemberEntry, ...]


class _Articles(_Entry):
    alone: tuple[str, ...] = ()
    templates: tuple[tuple[str, str], ...]


class _RoundupEntry(_Entry):
    page: str
    parts_of: tuple[str, ...]


class _AddressEntry(_Entry):
    outlet: str
    path: str
    reason: Reason


class _Plan(_Entry):
    story: tuple[_StoryEntry, ...]
    kept: _Articles
    review: _Articles
    roundup: tuple[_RoundupEntry, ...]
    rejected: dict[Reason, tuple[str, ...]]
    address: tuple[_AddressEntry, ...]


def planned_truth() -> PlannedTruth:
    """Read the plan. Raises ValueError when a page stands in it twice."""
    source = files("aidivide_archive.demo") / "truth.toml"
    plan = _Plan.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    reasons: dict[str, Reason] = {}
    for page, reason in _reasons(plan):
        if page in reasons:
            raise ValueError(f"truth.toml: {page} stands there twice")
        reasons[page] = reason
    return PlannedTruth(
        stories=tuple(_story(entry) for entry in plan.story),
        roundups={entry.page: entry.parts_of for entry in plan.roundup},
        templates=plan.kept.templates + plan.review.templates,
        reasons=reasons,
        addresses={(entry.outlet, entry.path): entry.reason for entry in plan.address},
    )


def _reasons(plan: _Plan) -> Iterator[tuple[str, Reason]]:
    for story in plan.story:
        yield story.origin, Reason.KEPT
        for member in story.member:
            yield member.page, Reason.KEPT
    for roundup in plan.roundup:
        yield roundup.page, Reason.KEPT
    for articles, reason in ((plan.kept, Reason.KEPT), (plan.review, Reason.REVIEW)):
        for page in (*articles.alone, *chain.from_iterable(articles.templates)):
            yield page, reason
    for reason, pages in plan.rejected.items():
        for page in pages:
            yield page, reason


def _story(entry: _StoryEntry) -> PlannedStory:
    origin = PlannedMember(page=entry.origin, role=Role.ORIGIN, share=None, how="")
    copies = tuple(
        PlannedMember(page=member.page, role=member.role, share=member.share, how=member.how)
        for member in entry.member
    )
    return PlannedStory(name=entry.name, members=(origin, *copies))


# --- the tables of docs/demo.md ------------------------------------------------------------------


def truth_tables(newsroom: Newsroom) -> str:
    """The plan as Markdown: stories, other articles, refusals, outlets."""
    truth = planned_truth()
    return "\n\n".join(
        (
            "### Stories of several pages\n\n" + _story_table(truth, newsroom),
            "### Articles that are a story of their own\n\n" + _single_table(truth, newsroom),
            "### Addresses that do not become articles\n\n" + _refusal_table(truth, newsroom),
            "### Outlets\n\n" + _outlet_table(truth, newsroom),
        )
    )


def _story_table(truth: PlannedTruth, newsroom: Newsroom) -> str:
    published = _published(newsroom)
    rows = []
    for story in truth.stories:
        for member in story.members:
            share = "" if member.share is None else "–".join(f"{s:.0%}" for s in member.share)
            rows.append(
                (
                    story.name if member.role is Role.ORIGIN else "",
                    _page(member.page),
                    member.role.value,
                    published[member.page],
                    share,
                    member.how,
                )
            )
    return _table(("story", "page", "role", "published", "share copied", "what was done"), rows)


def _single_table(truth: PlannedTruth, newsroom: Newsroom) -> str:
    in_story = {member.page for story in truth.stories for member in story.members}
    twins = {page: other for pair in truth.templates for page, other in (pair, pair[::-1])}
    published = _published(newsroom)
    rows = []
    for page in truth.articles:
        if page in in_story:
            continue
        remark = "independent report"
        if page in truth.roundups:
            remark = "roundup with passages of " + ", ".join(map(_page, truth.roundups[page]))
        elif page in twins:
            remark = f"same template as {_page(twins[page])}, another story"
        rows.append((_page(page), truth.reasons[page].value, published[page], remark))
    return _table(("page", "ledger", "published", "remark"), rows)


def _refusal_table(truth: PlannedTruth, newsroom: Newsroom) -> str:
    by_reason: dict[Reason, list[str]] = {}
    for page, reason in truth.reasons.items():
        if page not in truth.articles:
            by_reason.setdefault(reason, []).append(_page(page))
    hosts = {outlet.key: outlet.host for outlet in newsroom.outlets}
    for (outlet, path), reason in truth.addresses.items():
        by_reason.setdefault(reason, []).append(f"`{hosts[outlet]}{path}`")
    listings = [page for page in newsroom.pages if page.kind not in {"article", "robots"}]
    rows = [
        (reason.value, str(len(pages)), ", ".join(pages)) for reason, pages in by_reason.items()
    ]
    rows.append((LISTING_REASON.value, str(len(listings)), "section fronts, feeds and sitemaps"))
    return _table(("reason", "addresses", "pages"), rows)


def _outlet_table(truth: PlannedTruth, newsroom: Newsroom) -> str:
    rows = []
    for outlet in newsroom.outlets:
        kinds = sorted({listing.kind.replace("_", " ") for listing in outlet.listings})
        stored = sum(article.key in truth.articles for article in outlet.articles)
        rows.append(
            (
                f"`{outlet.key}`",
                outlet.name,
                outlet.host,
                outlet.language,
                f"{len(outlet.articles)} ({stored})",
                ", ".join(kinds),
            )
        )
    return _table(("key", "outlet", "host", "language", "pages (articles)", "found through"), rows)


def _published(newsroom: Newsroom) -> dict[str, str]:
    """Key → publication time as the outlet states it."""
    return {
        article.key: article.published.date().isoformat()
        if outlet.date_only
        else article.published.isoformat(sep=" ", timespec="minutes")
        for outlet in newsroom.outlets
        for article in outlet.articles
    }


def _page(key: str) -> str:
    return f"`{key}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def with_tables(document: str, tables: str) -> str:
    """A Markdown text with the tables between its marks; raises ValueError without marks."""
    before, begin, rest = document.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not (begin and end):
        raise ValueError(f"no {MARKS[0]} … {MARKS[1]}")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


def main(arguments: list[str]) -> int:
    """Rewrite the tables of the page whose path is the only argument."""
    path = Path(arguments[0])
    document = path.read_text(encoding="utf-8")
    path.write_text(with_tables(document, truth_tables(Newsroom(port=0))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Commands that look into the archive: status, stories, story, show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.framework import State, command, json_option, pass_state
from aidivide_archive.cli.terminal import (
    is_terminal,
    note,
    one_line,
    percent,
    safe,
    say,
    say_fields,
    say_json,
    say_prose,
    say_table,
    shown_time,
)
from aidivide_archive.display import counted, outlet_name
from aidivide_archive.exceptions import ArchiveError

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import ArticleDetail, Row, Status, StoryDetail


@command("status", place=50, example="aidivide status --archive archive")
@json_option
@pass_state
def status(state: State, as_json: bool) -> None:
    """Say what the archive holds, and what became of every URL."""
    from aidivide_archive.archive.queries import Reader

    location = state.location()
    with Reader(location) as reader:
        found = reader.status()
    if as_json:
        say_json([asdict(found)])
    else:
        _say_status(found, location.shown())


@command("stories", place=70, example="aidivide stories --limit 10")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--all", "everything", is_flag=True, help="Stories of one article as well.")
@json_option
@pass_state
def stories(state: State, limit: int, everything: bool, as_json: bool) -> None:
    """List the stories, the largest first, and who had each first."""
    from aidivide_archive.archive.queries import Reader

    with Reader(state.location()) as reader:
        found = reader.story_list(limit=limit, all=everything)
    if as_json:
        say_json(found)
    else:
        _say_stories(found)


@command("story", place=80, example="aidivide story s-0123456789ab")
@click.argument("story_id", metavar="ID_OR_URL")
@json_option
@pass_state
def story(state: State, story_id: str, as_json: bool) -> None:
    """Show a story: who had it first, who copied how much of it."""
    from aidivide_archive.archive.queries import Reader

    with Reader(state.location()) as reader:
        detail = reader.story(story_id)
    if detail is None:
        raise ArchiveError(f"{story_id} is in no story here: see `aidivide stories`")
    if as_json:
        say_json([asdict(detail)])
    else:
        _say_story(detail)


@command("show", place=90, example="aidivide show a-0123456789ab --clutter")
@click.argument("reference", metavar="ID_OR_URL")
@click.option("--clutter", is_flag=True, help="Show what was cut from the text, and why.")
@json_option
@pass_state
def show(state: State, reference: str, clutter: bool, as_json: bool) -> None:
    """Show all that is known of one URL, its text included."""
    from aidivide_archive.archive.queries import Reader

    with Reader(state.location()) as reader:
        detail = reader.article(reference)
    if detail is None:
        raise ArchiveError(f"{reference} was never seen by this archive: try `aidivide search`")
    if as_json:
        say_json([asdict(detail)])
    else:
        _say_document(detail, clutter=clutter)


SHOWN_WAYS = 5
"""Discoveries of a page that are listed one by one; a page of a menu has hundreds."""


# --- status --------------------------------------------------------------------------------------


def _say_status(found: Status, where: str) -> None:
    last = found.last_crawl
    run = None
    if last is not None:
        end = last["finish_reason"] or "still running, or killed"
        run = f"{last['kind']} {last['id']}, started {last['started_at']}: {end}"
    settled = "" if not found.unsettled else f"; {found.unsettled} not yet compared"
    matches = counted(found.matches, "match", "matches")
    review = f" ({found.review} to review)" if found.review else ""
    say_fields(
        (
            ("archive", where),
            ("events", ", ".join(found.events)),
            ("last run", run),
            ("articles", f"{found.articles}{review}"),
            ("stories", f"{found.stories} of two or more, {matches}{settled}"),
            ("captures", f"{found.captures} ({found.captured_bytes / 1e6:.1f} MB)"),
            ("URLs", f"{found.urls} seen, {found.waiting} waiting"),
        )
    )
    if found.states:
        say()
        rows = [
            [row[name] for name in ("state", "reason", "kind", "count")] for row in found.states
        ]
        say_table(("state", "reason", "kind", "count"), rows, right=("count",))
    if found.unsettled:
        note("next: `aidivide copies rebuild` puts every article into its story")
    elif found.waiting:
        note("next: crawl again to fetch what waits")


# --- stories --------------------------------------------------------------------------------------


def _say_stories(found: list[Row]) -> None:
    if not found:
        note("no story of two or more articles yet; --all lists the single ones")
        return
    columns = ("story", "articles", "published", "first", "title")
    rows = [
        (
            row["story_id"],
            row["articles"],
            shown_time(row),
            outlet_name(row, "origin_"),
            row["title"],
        )
        for row in found
    ]
    say_table(columns, rows, right=("articles",), whole=("story", "published"))


_STORY_WHOLE = ("article", "role", "copied", "published")


def _say_story(found: StoryDetail) -> None:
    if found.former_id:
        note(f"{found.former_id} went into {found.id}")
    origin = next((row for row in found.members if row["role"] == "origin"), found.members[0])
    count = len(found.members)
    say_fields(
        (
            ("story", found.id),
            ("title", origin["title"]),
            ("articles", count),
            ("first", f"{outlet_name(origin)}, {shown_time(origin) or 'undated'}"),
        )
    )
    say()
    columns = ["article", "role", "copied", "published", "outlet", "title", "why"]
    rows = [
        (
            row["article_id"],
            row["role"],
            percent(row["share_copied"]),
            shown_time(row),
            outlet_name(row),
            row["title"],
            row["reasons"],
        )
        for row in found.members
    ]
    if is_terminal():
        # titles and reasons need the whole width
        say_table(columns[:-2], [row[:-2] for row in rows], right=("copied",), whole=_STORY_WHOLE)
        for row in rows:
            say()
            say_prose(one_line(row[-2]), first=f"{row[0]}  ", indent=16)
            say_prose(one_line(row[-1]), first=" " * 16, indent=16)
    else:
        say_table(columns, rows)
    _say_candidates(found)


def _say_candidates(found: StoryDetail) -> None:
    """Tell who may have had the story first, the likeliest first, with the evidence."""
    if not found.candidates:
        if len(found.members) > 1:
            note("next: `aidivide copies rebuild` ranks the candidates for the origin")
        return
    sites = {row["article_id"]: row["site"] for row in found.members}
    columns = ("origin", "points", "article", "outlet", "evidence")
    rows = [
        (
            row["rank"],
            f"{row['points']:+.2f}",
            row["article_id"],
            row["outlet"] or sites[row["article_id"]],
            row["reasons"],
        )
        for row in found.candidates
    ]
    say()
    if not is_terminal():
        say_table(columns, rows)
        return
    say_table(columns[:-1], [row[:-1] for row in rows], right=("points",), whole=columns[:3])
    for row in rows:
        if row[-1]:
            say()
            say_prose(one_line(row[-1]), first=f"{row[2]}  ", indent=16)


# --- one document --------------------------------------------------------------------------------


def _say_document(found: ArticleDetail, *, clutter: bool) -> None:
    article, ledger = found.article, found.ledger
    if article is None:
        title = next((row["title"] for row in found.relevance if row["title"]), None)
        reason = ledger["reason"] or "not fetched yet"
        say_fields(
            (
                ("title", title),
                ("url", ledger["url"]),
                ("id", ledger["id"]),
                ("state", f"{ledger['state']}: {reason}"),
                ("detail", ledger["detail"]),
            )
        )
    else:
        _say_article(article, ledger)
    _say_relevance(found.relevance)
    _say_ways(found)
    if article is not None:
        _say_claims(found.claims)
        if clutter:
            _say_cuts(found.cuts)
        say()
        for line in safe(article["text"], lines=True).split("\n"):
            say_prose(line)


def _say_article(article: Row, ledger: Row) -> None:
    outlet = outlet_name(article)
    authors = article["authors"]
    role = f"{article['role']} in {article['story_id']}" if article["story_id"] else None
    published = shown_time(article)
    say_fields(
        (
            ("title", article["title"]),
            ("url", article["url"]),
            ("canonical", article["canonical_url"]),
            ("id", article["id"]),
            ("outlet", f"{outlet} ({article['country']})" if article["country"] else outlet),
            ("authors", ", ".join(map(str, authors)) if isinstance(authors, list) else None),
            ("published", f"{published} ({article['published_source']})" if published else None),
            ("modified", article["modified_at"]),
            ("language", article["language"]),
            ("words", article["word_count"]),
            ("text withheld", article["withheld"]),
            ("story", role),
            ("state", f"{ledger['state']}: {ledger['reason']}"),
            ("detail", ledger["detail"]),
            ("captured", article["captured_at"]),
            ("WARC", _warc(article)),
        )
    )


def _warc(row: Mapping[str, object]) -> str | None:
    return f"{row['warc_file']} at {row['warc_offset']}" if row["warc_file"] else None


def _say_relevance(judged: Iterable[Row]) -> None:
    for row in judged:
        say()
        say(safe(f"{row['decision']} for {row['event_id']}: {_points(row['score'])} points"))
        say_evidence(row["groups"])


def say_evidence(groups: object) -> None:
    """The matched groups of a judgement: points, name, place, words."""
    for group in groups if isinstance(groups, list | tuple) else ():
        words = ", ".join(map(str, group["words"]))
        what = safe(f"{group['group']}, {group['place']}: {words}")
        say_prose(what, first=f"{_points(group['points']):>6}  ", indent=8)


def _points(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else ""


def _say_ways(found: ArticleDetail) -> None:
    say()
    for row in found.discoveries[:SHOWN_WAYS]:
        where = row["from_url"] or "the profile"
        say_prose(safe(f"found {row['seen_at']} by {row['channel']} in {where}"), indent=2)
    if len(found.discoveries) > SHOWN_WAYS:
        say(f"found in {len(found.discoveries) - SHOWN_WAYS} more places (--json lists them)")
    for row in found.captures:
        say_prose(
            safe(f"captured {row['captured_at']}: HTTP {row['status']}, {_warc(row)}"), indent=2
        )
    for row in found.visits:
        detail = f" ({row['detail']})" if row["detail"] else ""
        say_prose(safe(f"visit {row['observed_at']}: {row['outcome']}{detail}"), indent=2)
    for row in found.revisions:
        say(safe(f"revision {row['number']}, {row['seen_at']}: {row['word_count']} words"))


def _say_claims(claims: Iterable[Row]) -> None:
    rows = [
        (
            "✓" if row["chosen"] else "",
            row["field"],
            str(row["value"]).replace("+00:00", "Z"),
            row["source"],
            row["confidence"],
        )
        for row in claims
    ]
    if rows:
        say()
        say_table(("shown", "field", "value", "source", "confidence"), rows, right=("confidence",))


def _say_cuts(cuts: Iterable[Row]) -> None:
    rows = [(row["position"], row["reason"], row["text"]) for row in cuts]
    say()
    if rows:
        say_table(("line", "reason", "cut"), rows, right=("line",))
    else:
        say("nothing was cut from the text")

"""`aidivide event`: profiles of events, and why a document belongs to one."""

from __future__ import annotations

import json
import re
import unicodedata
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aidivide_archive.cli.framework import CommandGroup, State, command, json_option, pass_state
from aidivide_archive.cli.reading import say_evidence
from aidivide_archive.cli.terminal import note, safe, say, say_fields, say_json, say_table
from aidivide_archive.exceptions import ArchiveError, ConfigError, MissingArchiveError

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import ArticleDetail, Row
    from aidivide_archive.config import Profile
    from aidivide_archive.model import TimeValue


event = CommandGroup(
    "event", place=190, help="Write and check event profiles; ask why a page was kept."
)


@command("new", example="aidivide event new cop-30-belem", exits=(0, 1, 2))
@click.argument("name")
@click.option("--title", help="Title of the event; without it: NAME.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.")
def new(name: str, title: str | None, output: Path | None) -> None:
    """Write a commented profile of a new event, to be edited."""
    event_id = slug(name)
    if not event_id:
        raise ConfigError(
            f"{safe(name)!r}: name the event in Latin letters or digits; --title takes any words"
        )
    path = output or Path(f"{event_id}.toml")
    _write_new(path, template(event_id, title or name))
    note(f"wrote {path}")
    note(f"next: edit it, then `aidivide event check {path}` and `aidivide crawl --event {path}`")


@command("check", example="aidivide event check ai-divide-forum-2025", exits=(0, 2))
@click.argument("name", metavar="NAME_OR_FILE")
@json_option
def check(name: str, as_json: bool) -> None:
    """Check a profile, and sum up what it says."""
    from aidivide_archive.config import load_profile

    profile = load_profile(name)
    if as_json:
        say_json([json.loads(profile.to_json())])
    else:
        _say_profile(profile)


@command(
    "explain",
    example="aidivide event explain a-0123456789ab --event ai-divide-forum-2025",
)
@click.argument("reference", metavar="ID_OR_URL")
@click.option(
    "--event", "name", metavar="NAME_OR_FILE", help="Judge the stored text by this profile now."
)
@json_option
@pass_state
def explain(state: State, reference: str, name: str | None, as_json: bool) -> None:
    """Say why a page was kept or not: groups, words, places, points."""
    from aidivide_archive.archive.queries import Reader

    with Reader(state.location()) as reader:
        detail = reader.article(reference)
    if detail is None:
        raise ArchiveError(f"{reference} was never seen by this archive: try `aidivide search`")
    judged = detail.relevance if name is None else (_judged_now(detail, name),)
    if as_json:
        say_json(judged)
    else:
        _say_judgements(detail, judged)


@command("list", example="aidivide event list")
@json_option
@pass_state
def list_(state: State, as_json: bool) -> None:
    """List the built-in events and those of the archive."""
    from aidivide_archive.config import builtin_events, load_profile

    rows: list[Row] = [
        {"event": name, "title": load_profile(name).event.title, "where": "built in"}
        for name in builtin_events()
    ]
    rows += _archived_events(state)
    if as_json:
        say_json(rows)
    else:
        say_table(("event", "where", "title"), [(r["event"], r["where"], r["title"]) for r in rows])


@command("schema", example="aidivide event schema", exits=(0, 2))
def schema() -> None:
    """Print the JSON Schema of a profile, for editors."""
    from aidivide_archive.config import profile_schema

    say(json.dumps(profile_schema(), ensure_ascii=False, indent=2))


for _one in (new, check, explain, list_, schema):
    event.add_command(_one)


# --- new -----------------------------------------------------------------------------------------


def slug(name: str) -> str:
    """An event id of any words: "COP 30, Belém" → "cop-30-belem"; "" when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:80].strip("-")


def template(event_id: str, title: str) -> str:
    """The commented profile; valid as it is."""
    text = files("aidivide_archive").joinpath("cli", "event_template.toml").read_text("utf-8")
    # a JSON string is a TOML basic string, when it holds no lone surrogate
    quoted = json.dumps(safe(title), ensure_ascii=False)
    return text.replace('"EVENT-ID"', f'"{event_id}"').replace('"EVENT TITLE"', quoted)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} exists already: name another one with -o") from None
    except OSError as error:
        raise ArchiveError(f"cannot write {path}: {error.strerror}") from None


# --- check and list ------------------------------------------------------------------------------


def _say_profile(profile: Profile) -> None:
    first, last = profile.window.first_day, profile.window.last_day
    window = f"{first or '…'} to {last or '…'}" if first or last else "no limit"
    rules = profile.relevance
    fetched = sum(len(tuple(source.addresses())) for source in profile.sources)
    judged = f"keep from {rules.keep:g} points, review from {rules.review:g}"
    say_fields(
        (
            ("event", profile.event.id),
            ("title", profile.event.title),
            ("window", window),
            ("relevance", judged if profile.groups else "no groups: every page is kept"),
            ("groups", ", ".join(f"{one.name} ({one.weight:g})" for one in profile.groups)),
            ("sources", f"{len(profile.sources)} outlets with {fetched} places to start from"),
            ("contact", profile.politeness.contact or "none: say who you are in [politeness]"),
        )
    )
    if not fetched:
        note("no seeds, hubs, feeds or sitemaps yet: a crawl would fetch nothing")
    note("the profile is valid")


def _archived_events(state: State) -> list[Row]:
    from aidivide_archive.archive.queries import Reader

    try:
        with Reader(state.location()) as reader:
            found = reader.events()
    except MissingArchiveError:
        return []
    return [{"event": name, "title": title, "where": "archive"} for name, title in found.items()]


# --- explain -------------------------------------------------------------------------------------


def _judged_now(found: ArticleDetail, name: str) -> Row:
    """The judgement of the stored text by a profile; nothing is written. Raises ConfigError, ArchiveError."""
    from aidivide_archive.config import load_profile
    from aidivide_archive.relevance import judge

    profile = load_profile(name)
    article = found.article
    if article is None:
        raise ArchiveError(
            f"{found.ledger['url']} is no article, so there is no text to judge; without --event "
            "its stored judgement is shown"
        )
    title, language = article["title"], article["language"]
    judged = judge(
        profile,
        title=None if title is None else str(title),
        text=str(article["text"]),
        published=_published(article),
        language=None if language is None else str(language),
    )
    return {
        "event_id": judged.event_id,
        "score": judged.score,
        "decision": judged.decision.value,
        "reason": judged.reason.value,
        "groups": [
            {"group": one.group, "words": list(one.words), "place": one.place, "points": one.points}
            for one in judged.groups
        ],
        "version": judged.version,
    }


def _published(article: Row) -> TimeValue | None:
    from datetime import datetime

    from aidivide_archive.model import TimeValue

    start, end = article["published_from"], article["published_to"]
    if not isinstance(start, str) or not isinstance(end, str):
        return None
    return TimeValue(
        start=datetime.fromisoformat(start),
        end=datetime.fromisoformat(end),
        raw="",
        offset_minutes=None,
        precision="second",
    )


def _say_judgements(found: ArticleDetail, judged: tuple[Row, ...]) -> None:
    ledger = found.ledger
    say_fields(
        (
            ("url", ledger["url"]),
            ("state", f"{ledger['state']}: {ledger['reason'] or 'not fetched yet'}"),
            ("detail", ledger["detail"]),
        )
    )
    if not judged:
        note(
            "it was not judged for any event: ready articles are kept as they are, and what was refused earlier never came so far"
        )
    for row in judged:
        say()
        score = row["score"]
        points = f"{score:g}" if isinstance(score, int | float) else ""
        say(safe(f"{row['decision']} for {row['event_id']} ({row['reason']}): {points} points"))
        say_evidence(row["groups"])
        if not row["groups"]:
            say("      no group of the profile matched")

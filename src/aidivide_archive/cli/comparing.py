"""Commands that show why articles belong together: compare two, list the matches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
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
    say_table,
)
from aidivide_archive.display import outlet_name
from aidivide_archive.exceptions import ArchiveError, ConfigError

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import Reader, Row
    from aidivide_archive.copies.differences import Stretch
    from aidivide_archive.copies.passages import Passage

_NUMBERS = (
    "jaccard",
    "containment_a",
    "containment_b",
    "containment_a_outside_quotes",
    "containment_b_outside_quotes",
)
_MARKS = {"cut": ("[-", "-]", "red"), "added": ("{+", "+}", "green")}
"""Marks of GNU wdiff for pipes; colours on a terminal."""


@command(
    "compare", place=160, example="aidivide compare a-0123456789ab a-ba9876543210", exits=(0, 1, 2)
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@json_option
@pass_state
def compare(state: State, first: str, second: str, as_json: bool) -> None:
    """Set two articles (ids or URLs) side by side: shared passages, additions, cuts."""
    from aidivide_archive.archive.queries import Reader
    from aidivide_archive.copies.differences import differences
    from aidivide_archive.copies.passages import passages

    with Reader(state.location()) as reader:
        a, b = sorted((_article(reader, first), _article(reader, second)), key=_by_url)
        if a["id"] == b["id"]:
            raise ConfigError("these are the same article: name two")
        match = _stored(reader, a, b) or _computed(a, b)
    shared = passages(str(a["text"]), str(b["text"]))
    changes = differences(str(a["text"]), str(b["text"]))
    if as_json:
        say_json([_item(a, match, shared, changes)])
    else:
        _say_comparison(a, b, match, shared, changes)


@command("matches", place=150, example="aidivide matches a-0123456789ab", exits=(0, 1, 2))
@click.argument("reference", metavar="[ID_OR_URL]", required=False)
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--all", "everything", is_flag=True, help="Template news as well, which is no copy.")
@json_option
@pass_state
def matches(
    state: State, reference: str | None, limit: int | None, everything: bool, as_json: bool
) -> None:
    """List the pairs of articles that share text, or those of one article, and why."""
    from aidivide_archive.archive.queries import Reader

    with Reader(state.location()) as reader:
        if reference is not None:
            _article(reader, reference)
        found = list(reader.matches(all=everything, of=reference, limit=limit))
    if as_json:
        say_json(found)
    else:
        _say_matches(found)


# --- what is known of a pair ---------------------------------------------------------------------


def _article(reader: Reader, reference: str) -> Row:
    detail = reader.article(reference)
    if detail is None or detail.article is None:
        raise ArchiveError(f"{reference} is no article of this archive: try `aidivide search`")
    return detail.article


def _by_url(article: Row) -> tuple[str, str]:
    return str(article["url"]), str(article["id"])


def _stored(reader: Reader, a: Row, b: Row) -> Row | None:
    """The match of the copy graph: it knows what the sites print on every page."""
    found = list(reader.matches(all=True, of=str(a["id"])))
    return next((row for row in found if b["id"] in (row["a_id"], row["b_id"])), None)


def _computed(a: Row, b: Row) -> Row:
    """The same numbers for a pair that is no match of the graph."""
    from aidivide_archive.copies import compare as compare_texts
    from aidivide_archive.copies import prepare
    from aidivide_archive.evidence import Evidence, EvidenceKind, worded

    comparison = compare_texts(prepare(str(a["text"])), prepare(str(b["text"])))
    if comparison.relation is not None and a["story_id"] and b["story_id"]:
        # The graph knows what the sites print on every page, these two texts do not.
        counted = Evidence(kind=EvidenceKind.BOILERPLATE_COUNTED)
        evidence = (*comparison.evidence, counted)
        comparison = replace(comparison, relation=None, contains=None, evidence=evidence)
    values = asdict(comparison)
    del values["evidence"]
    ends = {"a_url": a["url"], "b_url": b["url"], "a_id": a["id"], "b_id": b["id"]}
    reasons = [worded(part) for part in comparison.evidence]
    return ends | values | {"reasons": reasons, "decided_by": "machine"}


# --- shown ---------------------------------------------------------------------------------------


def _item(
    a: Row, match: Row, shared: Iterable[Passage], changes: Iterable[Stretch]
) -> dict[str, object]:
    text = str(a["text"])
    return match | {
        "passages": [asdict(one) | {"text": text[one.a_start : one.a_end]} for one in shared],
        "differences": [asdict(one) for one in changes],
    }


def _say_comparison(
    a: Row, b: Row, match: Row, shared: tuple[Passage, ...], changes: tuple[Stretch, ...]
) -> None:
    relation = match["relation"] or "no match"
    holds = f", {match['contains']} contains the other" if match["contains"] else ""
    pairs = [("a", _named(a)), ("b", _named(b)), ("relation", f"{relation}{holds}")]
    pairs += [(name.replace("_", " "), percent(match[name])) for name in _NUMBERS]
    pairs += [
        ("longest passage", f"{match['longest_passage_words']} words"),
        ("decided by", str(match["decided_by"])),
        ("why", one_line(match["reasons"])),
    ]
    say_fields(pairs)
    if shared:
        say()
        text = str(a["text"])
        rows = [(one.word_count, text[one.a_start : one.a_end]) for one in shared]
        say_table(("words", "shared passage"), rows, right=("words",))
    say()
    say("".join(_marked(one) for one in changes))


def _named(article: Row) -> str:
    return f"{article['title'] or article['url']} ({outlet_name(article)}, {article['id']})"


def _marked(stretch: Stretch) -> str:
    """A stretch between marks; its last line break stays outside."""
    words = safe(stretch.text.rstrip("\n"), lines=True)
    tail = " " if stretch.text.endswith((" ", "\t")) else ""
    end = "\n" * (len(stretch.text) - len(stretch.text.rstrip("\n")))
    if stretch.kind == "same" or not words:
        return words + tail + end
    begins, ends, colour = _MARKS[stretch.kind]
    if is_terminal():
        shown = click.style(words, fg=colour, strikethrough=stretch.kind == "cut")
    else:
        shown = f"{begins}{words}{ends}"
    return shown + tail + end


def _say_matches(found: list[Row]) -> None:
    if not found:
        note("no matches; `aidivide stories --all` lists every article's story")
        return
    columns = ("relation", "a in b", "b in a", "longest", "a", "b", "why")
    rows = [
        (
            f"{row['relation']} ({row['contains']} contains)"
            if row["contains"]
            else row["relation"],
            percent(row["containment_a"]),
            percent(row["containment_b"]),
            row["longest_passage_words"],
            row["a_id"] if is_terminal() else row["a_url"],
            row["b_id"] if is_terminal() else row["b_url"],
            row["reasons"],
        )
        for row in found
    ]
    say_table(columns, rows, right=("a in b", "b in a", "longest"), whole=("a", "b"))

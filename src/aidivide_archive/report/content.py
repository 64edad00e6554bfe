"""What stands in a report, gathered from the archive: bounded lists, each with the number of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

from aidivide_archive.archive.queries import Filters, Reader, Row, SharedStory, Status
from aidivide_archive.config import Profile, Rights
from aidivide_archive.display import day_beside_clock, outlet_name
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.model import Reason, Role, UrlState
from aidivide_archive.report.changes import Change, changes
from aidivide_archive.report.heat_map import HeatMap, heat_map
from aidivide_archive.report.tallies import OutletTally, Tally
from aidivide_archive.report.timeline import Timeline, timeline
from aidivide_archive.report.words import filter_words, ledger_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a report shows, so that it opens on a phone whatever the archive holds."""

    articles: int = 2_500
    outlets: int = 30
    stories: int = 50
    members: int = 40
    """Of one story."""
    compared: int = 3
    """Copies of one story that are set beside the first article."""
    revised: int = 30
    versions: int = 4
    """Of one revised article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Two texts side by side."""

    later: Row
    """The copy, or the newer version."""
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPart:
    """One story with its picture and its differences."""

    id: str
    size: int
    origin: Row
    members: tuple[Row, ...]
    timeline: Timeline | None
    comparisons: tuple[SideBySide, ...]
    comparable: int
    """Copies that could be set beside the first article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedPart:
    """An article and what its publisher changed from version to version."""

    article: Row
    comparisons: tuple[SideBySide, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPart:
    """One group of addresses: what became of them, in words, with counts."""

    title: str
    lines: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    event: Profile | None
    """None for an archive of ready articles, or of several events."""
    title: str
    chosen: tuple[str, ...]
    """What the report is narrowed to, in words; empty: nothing."""
    status: Status
    tally: Tally
    ledger: tuple[LedgerPart, ...]
    pages: int
    """Addresses that are no feed, sitemap or section page."""
    refused: int
    heat: HeatMap | None
    outlets: tuple[OutletTally, ...]
    stories: tuple[StoryPart, ...]
    story_count: int
    revised: tuple[RevisedPart, ...]
    revised_count: int
    articles: tuple[Row, ...]
    """By publication, undated last."""
    languages: Mapping[str, str] = field(default_factory=dict)
    """Script-exact language of a host's outlet (zh-Hant), by host: which glyphs a browser takes."""
    outlet_languages: Mapping[str, str] = field(default_factory=dict)
    """Language of an outlet whose name is not ASCII, by name."""
    excerpt_words: int | None
    """None: whole texts are shown."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Whole texts of the listed articles, by id; empty unless asked for."""


def gather(
    reader: Reader,
    *,
    filters: Filters | None = None,
    with_text: bool = False,
    bounds: Bounds | None = None,
) -> Report:
    """Everything a report shows of the chosen articles. Raises ConfigError for a bad filter."""
    bounds, filters = bounds or Bounds(), filters or Filters()
    profiles = _profiles(reader, filters.event)
    shown = next(iter(profiles.values())) if len(profiles) == 1 else None
    words = None if with_text else _excerpt_words(profiles.values())
    languages = _script_languages(profiles.values())
    tally, articles = _articles(reader, filters, bounds)
    outlets = tally.largest_outlets()[: bounds.outlets]
    story_count, stories = reader.shared_stories(
        filters, limit=bounds.stories, members=bounds.members
    )
    revised_count, revised = _revised(reader, filters, words, bounds)
    status = reader.status()
    return Report(
        event=shown,
        title=shown.event.title if shown else _title(reader, filters.event),
        chosen=filter_words(filters),
        status=status,
        tally=tally,
        ledger=_ledger(status.states),
        pages=_sum(row for row in status.states if row["kind"] == "page"),
        refused=_sum(row for row in status.states if row["state"] == UrlState.REJECTED),
        heat=heat_map(tally.days, [outlet.name for outlet in outlets]),
        outlets=tuple(outlets),
        stories=_stories(reader, stories, words, bounds),
        story_count=story_count,
        revised=revised,
        revised_count=revised_count,
        articles=articles,
        languages=languages,
        outlet_languages=_outlet_languages(articles, languages),
        excerpt_words=words,
        texts=reader.texts([str(row["id"]) for row in articles]) if with_text else {},
    )


# --- the event -----------------------------------------------------------------------------------


def _profiles(reader: Reader, event: str | None) -> dict[str, Profile]:
    known = reader.events()
    profiles = {}
    for name in known if event is None else known.keys() & {event}:
        text = reader.profile_json(name)
        try:
            profiles[name] = Profile.from_json(text or "")
        except ConfigError:  # stored by a version with other keys: its articles are still readable
            continue
    return profiles


def _title(reader: Reader, event: str | None) -> str:
    known = reader.events()
    if event is not None:
        return known.get(event, event)
    return f"{len(known)} events" if known else "Imported articles"


def _excerpt_words(profiles: Iterable[Profile]) -> int:
    """The strictest of all: the differences of one pair may belong to two events. Without any, a profile's default."""
    return min(
        (profile.rights.excerpt_words for profile in profiles), default=Rights().excerpt_words
    )


def _script_languages(profiles: Iterable[Profile]) -> dict[str, str]:
    return {
        host: source.language
        for profile in profiles
        for source in profile.sources
        if source.language and "-" in source.language
        for host in (source.domain, *source.hosts)
    }


def exact_language(row: Mapping[str, object], languages: Mapping[str, str]) -> str | None:
    """The article's language with the script of its outlet when that is the same language."""
    language = row["language"]
    if not isinstance(language, str) or not language:
        return None
    host = urlsplit(str(row["url"])).netloc.lower()
    labels = host.split(".")
    for start in range(len(labels)):
        suffix = ".".join(labels[start:])
        for name in (suffix, suffix.partition(":")[0]):
            exact = languages.get(name)
            if exact is not None:
                return exact if exact.lower().startswith(f"{language.lower()}-") else language
    return language


def _outlet_languages(articles: Iterable[Row], languages: Mapping[str, str]) -> dict[str, str]:
    by_name: dict[str, str] = {}
    for row in articles:
        name = outlet_name(row)
        if not name.isascii() and (language := exact_language(row, languages)):
            by_name.setdefault(name, language)
    return by_name


# --- articles, ledger ----------------------------------------------------------------------------


def _articles(reader: Reader, filters: Filters, bounds: Bounds) -> tuple[Tally, tuple[Row, ...]]:
    tally = Tally()
    listed: list[Row] = []
    for row in reader.coverage(filters):
        tally.add(row)
        if len(listed) < bounds.articles:
            listed.append(row)
    return tally, tuple(listed)


_LEDGER_GROUPS = (
    ("Became articles", (UrlState.DONE,), lambda reason: reason != Reason.READ),
    ("Read to find articles", (UrlState.DONE,), lambda reason: reason == Reason.READ),
    ("Not taken", (UrlState.REJECTED,), lambda _: True),
    ("Could not be fetched or read", (UrlState.DEAD,), lambda _: True),
    (
        "Still to be fetched",
        (UrlState.QUEUED, UrlState.LEASED, UrlState.FAILED),
        lambda _: True,
    ),
)


def _ledger(states: Iterable[Row]) -> tuple[LedgerPart, ...]:
    """Every address in exactly one group; groups without any are left out."""
    rows = list(states)
    parts = []
    for title, wanted, fits in _LEDGER_GROUPS:
        counts: dict[str, int] = {}
        for row in rows:
            if row["state"] in wanted and fits(row["reason"]):
                words = ledger_words(row["reason"])
                counts[words] = counts.get(words, 0) + _int(row["count"])
        if counts:
            lines = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            parts.append(LedgerPart(title=title, lines=tuple(lines)))
    return tuple(parts)


def _sum(rows: Iterable[Row]) -> int:
    return sum(_int(row["count"]) for row in rows)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


# --- stories, revisions --------------------------------------------------------------------------


def _stories(
    reader: Reader, shared: Sequence[SharedStory], words: int | None, bounds: Bounds
) -> tuple[StoryPart, ...]:
    parts = []
    for story in shared:
        origin, rest = story.members[0], story.members[1:]
        chosen = _worth_comparing(rest)
        texts = reader.texts([str(row["id"]) for row in (origin, *chosen[: bounds.compared])])
        earlier = texts.get(str(origin["id"]), "")
        parts.append(
            StoryPart(
                id=story.id,
                size=story.size,
                origin=origin,
                members=story.members,
                timeline=timeline(story.members),
                comparisons=tuple(
                    SideBySide(
                        later=row, change=changes(earlier, texts.get(str(row["id"]), ""), words)
                    )
                    for row in chosen[: bounds.compared]
                ),
                comparable=len(chosen),
            )
        )
    return tuple(parts)


def _worth_comparing(rows: Sequence[Row]) -> list[Row]:
    """Those of other outlets first; each has text in common with the origin itself."""
    related = [row for row in rows if row["share_copied"] and row["role"] != Role.ROUNDUP]
    return sorted(related, key=lambda row: row["role"] == Role.UPDATE)


def _revised(
    reader: Reader, filters: Filters, words: int | None, bounds: Bounds
) -> tuple[int, tuple[RevisedPart, ...]]:
    count, revised = reader.revised_articles(
        filters, limit=bounds.revised, versions=bounds.versions
    )
    return count, tuple(
        RevisedPart(
            article=changed.article,
            comparisons=tuple(
                SideBySide(
                    later=later,
                    change=changes(str(earlier["text"]), str(later["text"]), words),
                )
                for earlier, later in zip(changed.revisions, changed.revisions[1:], strict=False)
            ),
        )
        for changed in revised
    )


# --- sums for the first screen -------------------------------------------------------------------


def days(report: Report) -> tuple[date | None, date | None]:
    return report.tally.first_day(), report.tally.last_day()


def articles_by_day(articles: Sequence[Row]) -> list[tuple[date | None, list[Row]]]:
    """Articles under their day, in order; those without a date last."""
    groups: dict[date | None, list[Row]] = {}
    for row in articles:
        groups.setdefault(day_beside_clock(row), []).append(row)
    return sorted(groups.items(), key=lambda pair: (pair[0] is None, pair[0] or date.min))

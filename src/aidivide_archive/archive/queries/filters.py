"""Which articles a question is about: one value, and its conditions in SQL.

The conditions speak of `articles` alone (everything else is in sub-queries), so any statement over it can take them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, TypeAlias

import sqlalchemy as sa

from aidivide_archive.archive.schema import (
    articles,
    discoveries,
    events,
    outlets,
    relevance,
    stories,
    story_aliases,
    story_members,
    urls,
)
from aidivide_archive.exceptions import ConfigError, InvalidURLError
from aidivide_archive.model import Channel, RelevanceDecision, Role
from aidivide_archive.urls import parse_id, url_id

Condition: TypeAlias = sa.ColumnElement[bool]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_NONE = sa.literal(value=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Every field narrows; several values of one field are alternatives. Empty: all articles."""

    outlets: tuple[str, ...] = ()
    """Names as in the profile, any case."""
    sites: tuple[str, ...] = ()
    """Registrable domains."""
    countries: tuple[str, ...] = ()
    """Of the outlet: ISO 3166-1 alpha-2, any case."""
    languages: tuple[str, ...] = ()
    """Of the text: BCP 47; only the primary subtag counts."""
    since: datetime | None = None
    """Published at that moment or later, as far as is known: a day counts when any part of it does."""
    until: datetime | None = None
    """Published before that moment, as far as is known."""
    stories: tuple[str, ...] = ()
    """Ids, also former ones, or ids or URLs of a member."""
    roles: tuple[str, ...] = ()
    relevance: tuple[str, ...] = ()
    """Decisions: keep, review. Of `event`, or of any."""
    min_score: float | None = None
    """Points of relevance, for `event` or for any."""
    sources: tuple[str, ...] = ()
    """What discovered it: a channel (feed, sitemap …) or the URL of a feed, sitemap, hub or page."""
    event: str | None = None
    """Kept, or to be reviewed, for this event."""

    def is_empty(self) -> bool:
        return self == Filters()


def moment(text: str, *, end: bool = False) -> datetime:
    """A month, day or time as people write it, in UTC unless it names a zone; `end`: of that month or day.

    Raises ConfigError.
    """
    value = text.strip()
    try:
        if _MONTH.fullmatch(value):
            start = datetime.fromisoformat(f"{value}-01")
            after = (start + timedelta(days=32)).replace(day=1)
        elif _DAY.fullmatch(value):
            start = datetime.fromisoformat(value)
            after = start + timedelta(days=1)
        else:
            start = after = datetime.fromisoformat(value)
        found = after if end else start
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{text!r} is no date: write 2025-07, 2025-07-28 or 2025-07-28T09:30+08:00"
        ) from None


def conditions(connection: sa.Connection, filters: Filters) -> tuple[Condition, ...]:
    """What a row of `articles` must meet. Raises ConfigError for a value the archive does not know."""
    makers: tuple[tuple[object, Callable[[], Condition]], ...] = (
        (filters.outlets, lambda: _outlets(connection, filters.outlets)),
        (filters.countries, lambda: _countries(connection, filters.countries)),
        (filters.sites, lambda: articles.c.site.in_(_lower(filters.sites))),
        (filters.languages, lambda: _languages(filters.languages)),
        (filters.since, lambda: articles.c.published_to > filters.since),
        (filters.until, lambda: articles.c.published_from < filters.until),
        (filters.stories, lambda: _stories(connection, filters.stories)),
        (filters.roles, lambda: _roles(filters.roles)),
        (_judged(filters), lambda: _relevance(connection, filters)),
        (filters.sources, lambda: _sources(connection, filters.sources)),
    )
    return tuple(make() for value, make in makers if value)


def _judged(filters: Filters) -> bool:
    return bool(filters.relevance or filters.event) or filters.min_score is not None


def _lower(values: Iterable[str]) -> list[str]:
    return sorted({value.strip().lower() for value in values})


# --- outlets -------------------------------------------------------------------------------------


def _hosts(
    connection: sa.Connection, column: sa.Column[Any], wanted: Iterable[str], what: str
) -> Condition:
    """Articles of the hosts whose outlet has one of the values in the column."""
    hosts: dict[str, list[str]] = {}
    shown: dict[str, str] = {}
    for row in connection.execute(sa.select(outlets.c.host, column.label("value"))):
        if row.value is not None:
            hosts.setdefault(row.value.casefold(), []).append(row.host)
            shown[row.value.casefold()] = row.value
    found: set[str] = set()
    for value in wanted:
        key = " ".join(value.split()).casefold()
        if key not in hosts:
            raise ConfigError(_unknown(what, value, key, shown))
        found.update(hosts[key])
    return articles.c.host.in_(sorted(found))


def _unknown(what: str, value: str, key: str, shown: dict[str, str]) -> str:
    close = get_close_matches(key, shown, n=1, cutoff=0.5)
    known = sorted(shown.values())
    if close:
        hint = f"did you mean {shown[close[0]]!r}?"
    elif known:
        hint = f"there are: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}"
    else:
        hint = "no article here has one"
    return f"no article of the {what} {value!r}; {hint}"


def _outlets(connection: sa.Connection, names: Iterable[str]) -> Condition:
    return _hosts(connection, outlets.c.name, names, "outlet")


def _countries(connection: sa.Connection, codes: Iterable[str]) -> Condition:
    return _hosts(connection, outlets.c.country, codes, "country")


# --- text, story, judgement ----------------------------------------------------------------------


def _languages(codes: Iterable[str]) -> Condition:
    primary = {code.replace("_", "-").partition("-")[0] for code in _lower(codes)}
    return articles.c.language.in_(sorted(primary))


def _roles(names: Iterable[str]) -> Condition:
    wanted = _lower(names)
    _known("role", wanted, [role.value for role in Role])
    mine = story_members.alias()
    return sa.exists().where(mine.c.article_id == articles.c.id, mine.c.role.in_(wanted))


def _known(what: str, values: Iterable[str], known: list[str]) -> None:
    for value in values:
        if value not in known:
            raise ConfigError(f"no {what} {value!r}; there are: {', '.join(known)}")


def _stories(connection: sa.Connection, references: Iterable[str]) -> Condition:
    numbers = {_story(connection, reference) for reference in references}
    mine = story_members.alias()
    return articles.c.id.in_(sa.select(mine.c.article_id).where(mine.c.story_id.in_(numbers)))


def _story(connection: sa.Connection, reference: str) -> int:
    number = _number(reference)
    for statement in (
        sa.select(stories.c.id).where(stories.c.id == number),
        sa.select(story_aliases.c.story_id).where(story_aliases.c.id == number),
        sa.select(story_members.c.story_id).where(story_members.c.article_id == number),
    ):
        found = connection.scalar(statement)
        if found is not None:
            return int(found)
    raise ConfigError(f"no story {reference!r} here: see `aidivide stories`")


def _number(reference: str) -> int:
    if reference.strip().lower().startswith(("http://", "https://")):
        try:
            return url_id(reference.strip())
        except InvalidURLError as error:
            raise ConfigError(str(error)) from None
    return parse_id(reference.strip())


def _relevance(connection: sa.Connection, filters: Filters) -> Condition:
    mine = relevance.alias()
    wanted: list[Condition] = [mine.c.url_id == articles.c.id]
    if filters.event is not None:
        ids = sorted(connection.scalars(sa.select(events.c.id)))
        if filters.event not in ids:
            names = ", ".join(ids) or "none"
            raise ConfigError(
                f"nothing was archived for the event {filters.event!r}; there are: {names}"
            )
        wanted.append(mine.c.event_id == filters.event)
    decisions = _lower(filters.relevance)
    _known("decision", decisions, [RelevanceDecision.KEEP.value, RelevanceDecision.REVIEW.value])
    if decisions:
        wanted.append(mine.c.decision.in_(decisions))
    else:
        wanted.append(mine.c.decision != RelevanceDecision.REJECT.value)
    if filters.min_score is not None:
        wanted.append(mine.c.score >= filters.min_score)
    return sa.exists().where(*wanted)


def _sources(connection: sa.Connection, names: Iterable[str]) -> Condition:
    channels, documents = [], []
    for name in names:
        if name.strip().lower() in set(Channel):
            channels.append(name.strip().lower())
        else:
            documents.append(_source(connection, name))
    mine = discoveries.alias()
    either = sa.or_(
        mine.c.channel.in_(channels) if channels else _NONE,
        mine.c.from_id.in_(documents) if documents else _NONE,
    )
    return sa.exists().where(mine.c.url_id == articles.c.id, either)


def _source(connection: sa.Connection, name: str) -> int:
    channels = ", ".join(Channel)
    if not name.strip().lower().startswith(("http://", "https://")):
        raise ConfigError(f"no source {name!r}: give a URL, or one of {channels}")
    number = _number(name)
    if connection.scalar(sa.select(urls.c.id).where(urls.c.id == number)) is None:
        raise ConfigError(f"{name} was never seen by this archive")
    return number

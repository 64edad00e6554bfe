"""Which articles a set holds: one event's or all, every one or one a story, and what was left out and why."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.documents.outlets import Outlets
from aidivide_archive.archive.queries.filters import Filters
from aidivide_archive.archive.queries.searching import matching
from aidivide_archive.archive.schema import articles, story_members, urls
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.model import Role

FILTERED = "filtered"
DUPLICATE = "duplicate"


class Prefer(StrEnum):
    """Which article stands for its story."""

    ORIGIN = "origin"
    EARLIEST = "earliest"
    LONGEST = "longest"
    OUTLETS = "outlets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is asked for."""

    query: str | None = None
    """Words as `search` takes them; None: no condition."""
    filters: Filters = field(default_factory=Filters)
    """Its `event` is also the one whose score is shown."""
    unique: bool = False
    """One article a story, chosen among those that the filters leave."""
    prefer: Prefer = Prefer.ORIGIN
    outlets: tuple[str, ...] = ()
    """Prefer.OUTLETS: names of the profile or domains, the best first; then as Prefer.ORIGIN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The articles chosen, in the order of publication: 24 bytes each, whatever their texts weigh."""

    selection: Selection
    ids: array[int] = field(repr=False)
    words: array[int] = field(repr=False)
    """Words of each text; to bound what is read at a time."""
    sizes: array[int] = field(repr=False)
    """Articles of each one's story among those that the filters leave."""
    total: int
    """URLs of the ledger."""
    dropped: Mapping[str, int]
    """The URLs that are not in the set, by reason: `filtered` and `duplicate` for articles, else the ledger's reason,
    else its state. len(ids) + all of them = total."""

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, rows: int, words: int) -> Iterator[range]:
        """Places of `ids` in runs of at most so many rows and about so many words."""
        start = held = 0
        for place, count in enumerate(self.words):
            if place > start and (place - start == rows or held + count > words):
                yield range(start, place)
                start, held = place, 0
            held += count
        if start < len(self.ids):
            yield range(start, len(self.ids))


def select(connection: sa.Connection, selection: Selection) -> Selected:
    """Choose and order the articles. Raises ConfigError for outlets that the archive does not know."""
    conditions = matching(connection, selection.query, selection.filters)
    candidates = _candidates(conditions).subquery("candidates")
    story = candidates.c.story
    columns: list[Any] = [candidates, sa.func.count().over(partition_by=story).label("size")]
    if selection.unique:
        best = _preference(connection, selection, candidates)
        columns.append(sa.func.row_number().over(partition_by=story, order_by=best).label("place"))
    ranked = sa.select(*columns).subquery("ranked")
    statement = sa.select(ranked.c.id, ranked.c.word_count, ranked.c.size).order_by(
        ranked.c.published_from.asc().nulls_last(), ranked.c.id
    )
    if selection.unique:
        statement = statement.where(ranked.c.place == 1)
    ids, words, sizes = array("q"), array("q"), array("q")
    for number, count, size in connection.execute(statement, execution_options={"yield_per": 5000}):
        ids.append(number)
        words.append(count)
        sizes.append(size)
    counts = _counts(connection, conditions, candidates if selection.unique else None)
    dropped = {reason: count for reason, count in sorted(counts.items()) if count}
    total = int(connection.scalar(sa.select(sa.func.count()).select_from(urls)) or 0)
    return Selected(
        selection=selection, ids=ids, words=words, sizes=sizes, total=total, dropped=dropped
    )


def _candidates(conditions: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Id, story and what preferences look at of every article that the filters leave."""
    return (
        sa.select(
            articles.c.id,
            sa.func.coalesce(story_members.c.story_id, articles.c.id).label("story"),
            story_members.c.role,
            articles.c.published_from,
            articles.c.word_count,
            articles.c.host,
        )
        .select_from(articles)
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
        .where(*conditions)
    )


def _preference(
    connection: sa.Connection, selection: Selection, of: sa.Subquery
) -> list[sa.ColumnElement[Any]]:
    """The order in which articles of a story are taken; the last term makes it total."""
    origin = sa.case((of.c.role == Role.ORIGIN.value, 0), else_=1)
    earliest = of.c.published_from.asc().nulls_last()
    if selection.prefer is Prefer.EARLIEST:
        return [earliest, origin, of.c.id]
    if selection.prefer is Prefer.LONGEST:
        return [of.c.word_count.desc(), origin, earliest, of.c.id]
    if selection.prefer is Prefer.OUTLETS:
        return [_outlet_rank(connection, selection, of), origin, earliest, of.c.id]
    return [origin, earliest, of.c.id]


def _outlet_rank(
    connection: sa.Connection, selection: Selection, of: sa.Subquery
) -> sa.ColumnElement[int]:
    named = Outlets(connection)
    wanted = [one.strip().casefold() for one in selection.outlets]
    places: dict[str, int] = {}
    for host, site in connection.execute(sa.select(articles.c.host, articles.c.site).distinct()):
        name = (named.of(selection.filters.event, host)[0] or "").casefold()
        found = [place for place, one in enumerate(wanted) if one in (name, site, host)]
        if found:
            places[host] = found[0]
    for place, one in enumerate(selection.outlets):
        if place not in places.values():
            raise ConfigError(
                f"no article of an outlet {one!r}; name it as the profile does, or by its domain"
            )
    ranks = [(of.c.host == host, place) for host, place in sorted(places.items())]
    return sa.case(*ranks, else_=len(wanted))


def _counts(
    connection: sa.Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    unique_among: sa.Subquery | None,
) -> dict[str, int]:
    """Each URL outside the set once, counted by questions of their own: `kept` is no part of them."""
    why = sa.func.coalesce(urls.c.reason, urls.c.state)
    statement = (
        sa.select(why, sa.func.count())
        .select_from(urls)
        .outerjoin(articles, articles.c.id == urls.c.id)
        .where(articles.c.id.is_(None))
        .group_by(why)
    )
    counts = {str(reason): int(count) for reason, count in connection.execute(statement)}
    if conditions:
        # a condition on an unknown value is neither true nor false
        met = sa.func.coalesce(sa.and_(*conditions), sa.false())
        outside = sa.select(sa.func.count()).select_from(articles).where(sa.not_(met))
        counts[FILTERED] = int(connection.scalar(outside) or 0)
    if unique_among is not None:
        more = sa.func.count() - sa.func.count(unique_among.c.story.distinct())
        counts[DUPLICATE] = int(connection.scalar(sa.select(more).select_from(unique_among)) or 0)
    return counts

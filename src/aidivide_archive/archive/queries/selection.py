"""Which articles a set holds: one event's or all, every one or one a story, and what was left out and why."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.queries.rows import Outlets
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.model import RelevanceDecision, Role
from aidivide_archive.schema import articles, relevance, story_members, urls

NOT_OF_EVENT = "not_of_event"
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

    event: str | None = None
    """Only articles that this event kept, with its score; None: all."""
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
    """The URLs that are not in the set, by reason: `not_of_event`, `filtered`, `duplicate` for articles, else the
    ledger's reason, else its state. len(ids) + all of them = total."""

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
    candidates = _candidates(connection, selection).subquery("candidates")
    story = candidates.c.story
    columns = [candidates, sa.func.count().over(partition_by=story).label("size")]
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
    counts = _counts(connection, selection, candidates)
    dropped = {reason: count for reason, count in sorted(counts.items()) if count}
    total = int(connection.scalar(sa.select(sa.func.count()).select_from(urls)) or 0)
    return Selected(
        selection=selection, ids=ids, words=words, sizes=sizes, total=total, dropped=dropped
    )


def _candidates(connection: sa.Connection, selection: Selection) -> sa.Select[Any]:  # noqa: ARG001
    """Id, story and what preferences look at of every article that the filters leave."""
    statement = (
        sa.select(
            articles.c.id,
            sa.func.coalesce(story_members.c.story_id, articles.c.id).label("story"),
            story_members.c.role,
            articles.c.published_from,
            articles.c.word_count,
            articles.c.site,
            urls.c.host,
        )
        .select_from(articles)
        .join(urls, urls.c.id == articles.c.id)
        .outerjoin(story_members, story_members.c.article_id == articles.c.id)
    )
    if selection.event is not None:
        statement = statement.where(articles.c.id.in_(_kept_for(selection.event)))
    return statement


def _kept_for(event: str) -> sa.Select[Any]:
    return sa.select(relevance.c.url_id).where(
        relevance.c.event_id == event, relevance.c.decision != RelevanceDecision.REJECT.value
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
    outlets = Outlets(connection)
    wanted = [one.strip().casefold() for one in selection.outlets]
    places: dict[str, int] = {}
    statement = (
        sa.select(urls.c.host, articles.c.site)
        .join_from(articles, urls, urls.c.id == articles.c.id)
        .distinct()
    )
    for host, site in connection.execute(statement):
        name = (outlets.of(selection.event, host)[0] or "").casefold()
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
    connection: sa.Connection, selection: Selection, candidates: sa.Subquery
) -> dict[str, int]:
    """Each URL outside the set once, counted by questions of their own, not by subtraction."""
    why = sa.func.coalesce(urls.c.reason, urls.c.state)
    statement = (
        sa.select(why, sa.func.count())
        .select_from(urls)
        .outerjoin(articles, articles.c.id == urls.c.id)
        .where(articles.c.id.is_(None))
        .group_by(why)
    )
    counts: dict[str, int] = {
        str(reason): int(count) for reason, count in connection.execute(statement)
    }
    remaining = sa.select(sa.func.count()).select_from(articles)
    if selection.event is not None:
        outside = remaining.where(articles.c.id.not_in(_kept_for(selection.event)))
        counts[NOT_OF_EVENT] = int(connection.scalar(outside) or 0)
    if selection.unique:
        stories = sa.select(sa.func.count() - sa.func.count(candidates.c.story.distinct()))
        counts[DUPLICATE] = int(connection.scalar(stories.select_from(candidates)) or 0)
    return counts

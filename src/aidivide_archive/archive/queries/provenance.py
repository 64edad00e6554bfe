"""What an export says about the archive it comes from: when it last changed, what made it, how many rows there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aidivide_archive.archive.schema import (
    crawls,
    events,
    extractions,
    matches,
    relevance,
    signatures,
    stories,
    story_members,
    urls,
)
from aidivide_archive.archive.storage.engine import REVISION
from aidivide_archive.archive.storage.moments import iso
from aidivide_archive.model import Relation, RunKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where rows come from; nothing of it depends on the clock or the machine."""

    changed_at: str | None
    """End of the last run, else its start; None before the first. A rebuild does not count: it brings nothing new."""
    schema: str
    software: Mapping[str, tuple[str, ...]]
    """Versions of the programs that wrote, by name."""
    stages: Mapping[str, tuple[str, ...]]
    """Versions of the stages that rows were made by, by stage."""
    events: Mapping[str, Mapping[str, str]]
    """`title, profile_sha256` of each event, by id."""


def provenance(connection: sa.Connection, *, stages: bool = True) -> Provenance:
    """`stages` takes a look at every row; without it they are empty."""
    software: dict[str, set[str]] = {}
    for versions in connection.scalars(sa.select(crawls.c.software)):
        for name, version in (versions or {}).items():
            software.setdefault(name, set()).add(str(version))
    last = sa.select(
        sa.func.max(sa.func.coalesce(crawls.c.finished_at, crawls.c.started_at))
    ).where(crawls.c.kind != RunKind.REBUILD)
    columns = {
        "extraction": extractions.c.version,
        "relevance": relevance.c.version,
        "signature": signatures.c.version,
        "match": matches.c.version,
    }
    return Provenance(
        changed_at=iso(connection.scalar(last)),
        schema=REVISION,
        software={name: tuple(sorted(found)) for name, found in sorted(software.items())},
        stages={name: _versions(connection, column) for name, column in columns.items() if stages},
        events={
            row.id: {"title": row.title, "profile_sha256": row.profile_sha256}
            for row in connection.execute(sa.select(events).order_by(events.c.id))
        },
    )


def _versions(connection: sa.Connection, column: sa.Column[Any]) -> tuple[str, ...]:
    return tuple(sorted(connection.scalars(sa.select(column).distinct())))


def totals(
    connection: sa.Connection, what: str, *, everything: bool
) -> tuple[int, Mapping[str, int]]:
    """Rows of matches, stories or ledger that there are, and those a list leaves out, by reason."""
    if what == "matches":
        total = _count(connection, sa.select(sa.func.count()).select_from(matches))
        of_relation = sa.select(sa.func.count()).select_from(matches)
        dropped = {
            relation.value: _count(connection, of_relation.where(matches.c.relation == relation))
            for relation in Relation
            if not (everything or relation.is_listed)
        }
    elif what == "stories":
        total = _count(connection, sa.select(sa.func.count()).select_from(story_members))
        alone = (
            sa.select(sa.func.count())
            .join_from(story_members, stories, stories.c.id == story_members.c.story_id)
            .where(stories.c.size == 1)
        )
        dropped = {} if everything else {"story_of_one": _count(connection, alone)}
    else:
        total = _count(connection, sa.select(sa.func.count()).select_from(urls))
        dropped = {}
    return total, {reason: count for reason, count in dropped.items() if count}


def _count(connection: sa.Connection, statement: sa.Select[int]) -> int:
    return int(connection.scalar(statement) or 0)

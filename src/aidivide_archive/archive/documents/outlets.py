"""The outlet of every host that has articles, by the stored profiles, as rows that SQL can join.

The same answers as `Outlets` gives without an event.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import sqlalchemy as sa

from aidivide_archive.archive.schema import articles, events, outlets
from aidivide_archive.archive.storage.changed_rows import delete_absent, upsert_changed
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import ConfigError


def name_hosts(connection: sa.Connection, hosts: Iterable[str]) -> None:
    """Enter the hosts that have no row yet."""
    wanted = sorted(set(hosts))
    known = connection.scalars(sa.select(outlets.c.host).where(outlets.c.host.in_(wanted)))
    missing = sorted(set(wanted) - set(known))
    if missing:
        statement = upsert(connection, outlets).on_conflict_do_nothing()
        connection.execute(statement, _rows(connection, missing))


def refresh(connection: sa.Connection) -> None:
    """Name every host again, after a profile changed; writes only what differs."""
    hosts = sorted(connection.scalars(sa.select(articles.c.host).distinct()))
    wanted = {(row["host"],): row for row in _rows(connection, hosts)}
    present = {(row.host,): dict(row._mapping) for row in connection.execute(sa.select(outlets))}  # noqa: SLF001  # SQLAlchemy's public name
    delete_absent(connection, outlets, ("host",), wanted, present)
    upsert_changed(connection, outlets, ("host",), wanted, present)


def _rows(connection: sa.Connection, hosts: list[str]) -> list[dict[str, str | None]]:
    named = Outlets(connection)
    outlet_of = {host: named.of(None, host) for host in hosts}
    return [
        {"host": host, "name": name, "country": country}
        for host, (name, country) in outlet_of.items()
    ]


class Outlets:
    """What the stored profiles call the outlet of a host."""

    def __init__(self, connection: sa.Connection) -> None:
        rows = connection.execute(sa.select(events.c.id, events.c.profile))
        self._profiles = {row.id: _profile(row.profile) for row in rows}
        self._known: dict[tuple[str | None, str], tuple[str | None, str | None]] = {}

    def of(self, event_id: str | None, host: str) -> tuple[str | None, str | None]:
        """Name and country by the event's profile, else by any other event's, smallest id first."""
        key = (event_id, host)
        if key not in self._known:
            self._known[key] = self._find(event_id, host)
        return self._known[key]

    def _find(self, event_id: str | None, host: str) -> tuple[str | None, str | None]:
        for name in sorted(self._profiles, key=lambda event: (event != event_id, event)):
            profile = self._profiles[name]
            source = profile.source_for(host) if profile else None
            if source is not None:
                return source.name, source.country
        return None, None


@lru_cache(
    maxsize=8
)  # a crawl names new hosts in every transaction; reading a large profile takes 10 ms
def _profile(text: str) -> Profile | None:
    try:
        return Profile.from_json(text)
    except ConfigError:  # stored by a version with other keys: its rows are still readable
        return None

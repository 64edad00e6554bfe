"""The outlet of every host that has articles, by the stored profiles, as rows that SQL can join.

The same answers as `queries.rows.Outlets` gives without an event.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from aidivide_archive.archive.differences import delete_absent, upsert_changed
from aidivide_archive.archive.queries.rows import Outlets
from aidivide_archive.schema import articles, outlets, upsert


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
    found = {host: named.of(None, host) for host in hosts}
    return [
        {"host": host, "name": name, "country": country} for host, (name, country) in found.items()
    ]

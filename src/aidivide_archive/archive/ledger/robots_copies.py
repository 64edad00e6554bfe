"""The last good robots.txt of each origin, kept for the times when its server does not answer."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.archive.schema import hosts
from aidivide_archive.model import (
    RobotsCopy,
)


@dataclass(frozen=True, slots=True)
class OriginRobots:
    """What the robots.txt of one origin said."""

    host: str
    scheme: str
    copy: RobotsCopy
    crawl_delay: float | None
    """Seconds that it asks of this crawler; None: it asks for none."""


def store_robots(connection: sa.Connection, origins: Sequence[OriginRobots]) -> None:
    """Keep the robots.txt of origins, for the times when their servers do not answer; the last of one counts."""
    by_host: dict[str, list[OriginRobots]] = {}
    for origin in origins:
        by_host.setdefault(origin.host, []).append(origin)
    names = sorted(by_host)
    known = connection.execute(
        sa.select(hosts.c.host, hosts.c.robots).where(hosts.c.host.in_(names))
    )
    held = {row.host: row.robots or {} for row in known}
    connection.execute(
        sa.update(hosts)
        .where(hosts.c.host == sa.bindparam("name"))
        .values(robots=sa.bindparam("copies"), crawl_delay_seconds=sa.bindparam("delay")),
        [
            {
                "name": name,
                "copies": held.get(name, {})
                | {origin.scheme: _kept(origin.copy) for origin in by_host[name]},
                "delay": by_host[name][-1].crawl_delay,
            }
            for name in names
        ],
    )


def _kept(copy: RobotsCopy) -> dict[str, object]:
    return {
        "status": copy.status,
        "fetched_at": copy.fetched_at.isoformat(),
        "sha256": hashlib.sha256(copy.body).hexdigest(),
        # bytes of any kind, NUL included, in a JSON text
        "body": base64.b64encode(zlib.compress(copy.body, 6)).decode("ascii"),
    }


def robots_of(connection: sa.Connection, host: str, scheme: str) -> RobotsCopy | None:
    """The last good robots.txt of an origin, of any age; None when there is none."""
    known = connection.scalar(sa.select(hosts.c.robots).where(hosts.c.host == host)) or {}
    stored = known.get(scheme)
    if stored is None:
        return None
    return RobotsCopy(
        status=stored["status"],
        body=zlib.decompress(base64.b64decode(stored["body"])),
        fetched_at=datetime.fromisoformat(stored["fetched_at"]),
    )

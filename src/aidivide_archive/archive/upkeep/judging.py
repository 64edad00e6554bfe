"""A person's judgements, on pairs of articles and on lines of a site: used whenever the archive is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.archive.schema import clutter_rules, judgements, urls
from aidivide_archive.archive.settling.templates import ADDED, UNDONE, VERSION, line_hash
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.decode.blocks import line_key
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.model import Verdict
from aidivide_archive.urls import parse_line_id


def store_judgement(
    connection: sa.Connection,
    numbers: tuple[int, int],
    verdict: Verdict,
    *,
    note: str | None,
    now: datetime,
) -> None:
    """Write or replace the judgement on two documents of the ledger; the smaller URL is `a`."""
    rows = connection.execute(sa.select(urls.c.url, urls.c.id).where(urls.c.id.in_(numbers)))
    (_, a_id), (_, b_id) = sorted((row.url, row.id) for row in rows)
    values = {"verdict": verdict.value, "judged_at": now, "note": note}
    connection.execute(
        upsert(connection, judgements)
        .values(a_id=a_id, b_id=b_id, **values)
        .on_conflict_do_update(index_elements=["a_id", "b_id"], set_=values)
    )


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A line of a site, as decisions know it."""

    hash: int
    """`templates.line_hash` of its key."""
    text: str


def site_line(connection: sa.Connection, site: str, reference: str) -> SiteLine:
    """The line of a site that a reference means: a rule's id ("l-…"), or the line itself. Raises ConfigError."""
    number = parse_line_id(reference)
    line = " ".join(reference.split())
    is_id = number is not None
    if number is None:
        if not line_key(line):
            raise ConfigError(f"{reference!r} has no letter or digit: such lines are never cut")
        number = line_hash(line_key(line))
    known = connection.scalar(
        sa.select(clutter_rules.c.sample).where(
            clutter_rules.c.site == site, clutter_rules.c.line_hash == number
        )
    )
    if known is None and is_id:
        raise ConfigError(f"{reference} is no line of {site}: see `aidivide clutter {site}`")
    return SiteLine(number, str(known or line))


def store_line_rule(
    connection: sa.Connection, site: str, reference: str, *, is_clutter: bool
) -> str:
    """Have a line of a site always cut, or never; returns the line. `reference` as in `site_line`. Raises ConfigError."""
    line = site_line(connection, site, reference)
    status = ADDED if is_clutter else UNDONE
    connection.execute(
        upsert(connection, clutter_rules)
        .values(
            site=site,
            line_hash=line.hash,
            sample=line.text,
            pages=0,  # settling counts them
            status=status,
            version=VERSION,
        )
        .on_conflict_do_update(index_elements=["site", "line_hash"], set_={"status": status})
    )
    return line.text

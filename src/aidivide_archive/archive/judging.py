"""A person's judgement on a pair of articles: stored here, used whenever the archive is settled."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.model import Verdict
from aidivide_archive.schema import judgements, upsert, urls


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

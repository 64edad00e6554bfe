"""The event that a run is for: its profile and its outlets, kept in the archive."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from aidivide_archive.archive.documents import outlets
from aidivide_archive.archive.schema import events, sources
from aidivide_archive.archive.storage.dialects import upsert
from aidivide_archive.config import Profile


def store_event(connection: sa.Connection, profile: Profile, now: datetime) -> None:
    """Enter the profile, or the newer form of it; hosts get the names that it gives their outlets."""
    values = {
        "title": profile.event.title,
        "profile": profile.to_json(),
        "profile_sha256": profile.sha256,
        "updated_at": now,
    }
    connection.execute(
        upsert(connection, events)
        .values(id=profile.event.id, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
    for source in sorted(profile.sources, key=lambda outlet: outlet.domain):
        fields = {
            "name": source.name,
            "country": source.country,
            "language": source.language,
            "kind": source.kind,
        }
        connection.execute(
            upsert(connection, sources)
            .values(event_id=profile.event.id, domain=source.domain, **fields)
            .on_conflict_do_update(index_elements=["event_id", "domain"], set_=fields)
        )
    outlets.refresh(connection)

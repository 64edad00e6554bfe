"""What a purge takes away: one page or a whole site, and everything in the archive that is of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from aidivide_archive.archive.schema import articles, captures, discoveries, urls, warc_files
from aidivide_archive.archive.storage.chunks import chunks
from aidivide_archive.exceptions import ConfigError, InvalidURLError
from aidivide_archive.urls import canonical_url, site, url_id, url_key


@dataclass(frozen=True, slots=True)
class Target:
    """What is purged: one URL, or every URL of a site."""

    tombstone: str
    """URL key, or registrable domain."""
    is_site: bool
    url_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgePlan:
    """What a purge takes away."""

    target: str
    urls: int
    articles: int
    captures: int
    warc_files: tuple[str, ...]
    """Files that are rewritten."""
    named_by: tuple[str, ...]
    """Feeds, hubs and pages of the archive that name what is purged, and stay: their raw bytes may hold its title."""


def target_of(text: str) -> Target:
    """A URL (with scheme) or a registrable domain. Raises ConfigError."""
    words = text.strip()
    try:
        if "://" in words:
            url = canonical_url(words)
            if url_key(url) == site(url):
                raise ConfigError(
                    f"{words} is a front page, whose address stands for its whole site: "
                    f"name {site(url)} to purge all of it"
                )
            return Target(url_key(url), is_site=False, url_id=url_id(url))
        name = site(words)
    except InvalidURLError as error:
        raise ConfigError(str(error)) from None
    if name != words.lower().rstrip(".") or "/" in words:
        raise ConfigError(
            f"{words} is no whole site: name {name} to purge all of it, or a URL with its scheme"
        )
    return Target(name, is_site=True)


def plan(connection: sa.Connection, target: Target) -> PurgePlan:
    """What `purge` would take away."""
    ids = ids_of(connection, target)
    named_by: set[str] = set()
    counts = {"articles": 0, "captures": 0}
    for chunk in chunks(ids):
        naming = sa.select(urls.c.url).join_from(
            discoveries, urls, urls.c.id == discoveries.c.from_id
        )
        named_by |= set(
            connection.scalars(
                naming.where(discoveries.c.url_id.in_(chunk))
                .where(discoveries.c.from_id.not_in(chunk))
                .distinct()
            )
        )
        for table, column in ((articles, articles.c.id), (captures, captures.c.url_id)):
            count = sa.select(sa.func.count()).select_from(table).where(column.in_(chunk))
            counts[table.name] += connection.scalar(count) or 0
    own = set(_urls_of(connection, ids))
    return PurgePlan(
        target=target.tombstone,
        urls=len(ids),
        warc_files=tuple(name for _, name in files_of(connection, ids)),
        named_by=tuple(sorted(named_by - own)),
        **counts,
    )


def is_of(url: str, target: Target) -> bool:
    """Whether a URL falls under the target; "" (a record about the file itself) does not."""
    if not url:
        return False
    try:
        return (site(url) if target.is_site else url_key(canonical_url(url))) == target.tombstone
    except InvalidURLError:
        return False


def ids_of(connection: sa.Connection, target: Target) -> list[int]:
    condition = urls.c.site == target.tombstone
    if not target.is_site:
        condition = sa.and_(urls.c.id == target.url_id, urls.c.url_key == target.tombstone)
    return list(connection.scalars(sa.select(urls.c.id).where(condition).order_by(urls.c.id)))


def _urls_of(connection: sa.Connection, ids: Sequence[int]) -> list[str]:
    return [
        url
        for chunk in chunks(ids)
        for url in connection.scalars(sa.select(urls.c.url).where(urls.c.id.in_(chunk)))
    ]


def files_of(connection: sa.Connection, ids: Sequence[int]) -> list[tuple[int, str]]:
    """WARC files that hold a capture of the URLs, by number."""
    names: dict[int, str] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            sa.select(warc_files.c.id, warc_files.c.name)
            .join_from(warc_files, captures, captures.c.warc_file_id == warc_files.c.id)
            .where(captures.c.url_id.in_(chunk))
            .distinct()
        )
        names.update((row.id, row.name) for row in rows)
    return sorted(names.items())


def offsets_in(connection: sa.Connection, file_id: int) -> dict[int, int]:
    """URL id by offset, of every capture in a file."""
    rows = connection.execute(
        sa.select(captures.c.warc_offset, captures.c.url_id).where(
            captures.c.warc_file_id == file_id
        )
    )
    return {row.warc_offset: row.url_id for row in rows}

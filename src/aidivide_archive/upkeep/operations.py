"""What changes an archive as a whole: judge, decide_line, rebuild_copies, merge, purge. Each is one run with its row.

All take the archive as a `Location` or a directory (as `--archive` takes one). They raise MissingArchiveError or
SchemaVersionError for what is no archive of this version, ArchiveLockedError when another process writes to it (with
`wait` they wait for that one instead), ConfigError for an argument that means nothing there, StoreError when writing
fails. What a killed or failed operation left undone is finished, or undone, by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from aidivide_archive.archive import Archive
from aidivide_archive.archive.queries import Reader
from aidivide_archive.archive.settling.settlement import Settled
from aidivide_archive.archive.storage import versions
from aidivide_archive.archive.storage.location import Location, Place
from aidivide_archive.archive.upkeep import merging, purging
from aidivide_archive.archive.upkeep.judging import site_line, store_judgement, store_line_rule
from aidivide_archive.archive.upkeep.merging import Merged
from aidivide_archive.archive.upkeep.purge_plan import PurgePlan, plan, target_of
from aidivide_archive.exceptions import ArchiveError, ConfigError
from aidivide_archive.model import RunKind, Verdict
from aidivide_archive.urls import article_id, parse_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A judgement that was stored, and the copy graph since."""

    articles: tuple[str, str]
    """Ids, in the order they were named."""
    verdict: Verdict
    settled: Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDecision:
    """A decision about a line that was stored, and the copy graph since."""

    site: str
    line: str
    is_clutter: bool
    """True: always cut from the site's texts; False: never."""
    settled: Settled


def judge(
    archive: Place,
    first: str,
    second: str,
    verdict: Verdict | str,
    *,
    note: str | None = None,
    wait: bool = False,
) -> Judged:
    """Decide whether two articles (ids or URLs) are one text: "same", "different" or "unsure".

    A later judgement on the pair replaces an earlier one. Raises ArchiveError for what is no article, ConfigError
    for two names of one article or an unknown verdict.
    """
    chosen = _verdict(verdict)
    location = Location.at(archive)
    with Reader(location) as reader:
        pair = _article_number(reader, first), _article_number(reader, second)
    if pair[0] == pair[1]:
        raise ConfigError("these are the same article: name two")
    with _opened(location, RunKind.JUDGE, wait=wait) as opened:
        now = datetime.now(UTC)
        opened.submit(lambda c: store_judgement(c, pair, chosen, note=note, now=now)).result()
        settled = _settle_and_finish(opened)
    return Judged(
        articles=(article_id(pair[0]), article_id(pair[1])), verdict=chosen, settled=settled
    )


def decide_line(
    archive: Place, site: str, line: str, *, is_clutter: bool, wait: bool = False
) -> LineDecision:
    """Have a line of a site's pages always cut from its texts, or never, whatever is learnt.

    `site`: a registrable domain or any URL of it. `line`: the line, or its id ("l-…") from `Reader.clutter`.
    Raises ConfigError for a site without articles, an id the site does not have, a line without letter or digit.
    """
    location = Location.at(archive)
    with Reader(location) as reader:
        name, _ = reader.clutter(site)
        reader.ask(lambda c: site_line(c, name, line))  # refuses before a run begins
    with _opened(location, RunKind.CLUTTER, wait=wait) as opened:
        text = opened.submit(
            lambda c: store_line_rule(c, name, line, is_clutter=is_clutter)
        ).result()
        settled = _settle_and_finish(opened)
    return LineDecision(site=name, line=text, is_clutter=is_clutter, settled=settled)


def rebuild_copies(archive: Place, *, wait: bool = False) -> Settled:
    """Compute matches and stories of the whole archive again, from its texts and judgements."""
    location = Location.at(archive)
    versions.check(location)
    with _opened(location, RunKind.REBUILD, wait=wait) as opened:
        return _settle_and_finish(opened)


def merge(archive: Place, other: Place, *, wait: bool = False) -> Merged:
    """Bring the articles, captures and judgements of another archive into this one, which is made when it is missing.

    `other` is only read. As a directory it means that directory alone: rows in PostgreSQL take a `Location`.
    Raises StoreError when `other` is damaged or is this archive; then nothing was merged.
    """
    location = Location.at(archive)
    source = other if isinstance(other, Location) else Location(other)
    versions.check(source)
    with _opened(location, RunKind.MERGE, wait=wait) as opened:
        merged = merging.merge(opened, source)
        counts = {name: value for name, value in asdict(merged).items() if name != "settled"}
        opened.finish("finished", counts)
    return merged


def plan_purge(archive: Place, what: str) -> PurgePlan:
    """What `purge` would take away; changes nothing. Raises ConfigError for what is neither URL nor domain."""
    target = target_of(what)
    with Reader(archive) as reader:
        return reader.ask(lambda connection: plan(connection, target))


def purge(archive: Place, what: str, *, reason: str | None = None, wait: bool = False) -> PurgePlan:
    """Delete a page (its URL) or a site (its domain) for good: rows, index, raw records. It is never fetched again.

    `reason` is kept with the tombstone. Cannot be undone. Raises ConfigError for what is neither URL nor domain.
    """
    target = target_of(what)
    location = Location.at(archive)
    versions.check(location)
    with _opened(location, RunKind.PURGE, wait=wait) as opened:
        purged = purging.purge(opened, target, reason=reason, now=datetime.now(UTC))
        opened.finish("finished", {"urls": purged.urls, "captures": purged.captures})
    return purged


# --- inside --------------------------------------------------------------------------------------


@contextmanager
def _opened(location: Location, kind: RunKind, *, wait: bool) -> Iterator[Archive]:
    """The archive with a run that has begun; its end is the caller's to write."""
    with Archive(location, wait=wait) as archive:
        archive.begin(kind)
        yield archive


def _settle_and_finish(archive: Archive) -> Settled:
    settled = archive.settle().result()
    archive.finish("finished", asdict(settled))
    return settled


def _verdict(verdict: Verdict | str) -> Verdict:
    try:
        return Verdict(verdict)
    except ValueError:
        raise ConfigError(f"no verdict {verdict!r}; there are: {', '.join(Verdict)}") from None


def _article_number(reader: Reader, reference: str) -> int:
    document = reader.article(reference)
    if document is None or document.article is None:
        raise ArchiveError(f"{reference} is no article of this archive: try `aidivide search`")
    return parse_id(str(document.article["id"]))

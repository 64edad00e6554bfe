"""Where an export goes and which rows it holds: decided before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from aidivide_archive.archive.queries import Reader, Selected
from aidivide_archive.archive.queries.selection import DUPLICATE, FILTERED
from aidivide_archive.config import Profile
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.export.registry import Exporter, Row, exporter_for
from aidivide_archive.export.request import ARTICLES, Request
from aidivide_archive.export.sharing import Policy, shared, shared_columns
from aidivide_archive.fields import SETS, WEIGHT, Field

DATA_SET = "data set"
"""The name of the folder that stands beside the names of formats."""


# --- where to ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Destination:
    """A place and the form that a set takes there."""

    target: Path | BinaryIO
    """A file or folder, or an open binary stream, which stays open."""
    exporter: Exporter | None
    """None: the data-set folder, with stories, matches and codebook."""

    @property
    def is_folder(self) -> bool:
        """Whether many files are made, in a directory or a zip file."""
        return self.exporter is None or self.exporter.is_folder

    @property
    def format(self) -> str:
        return DATA_SET if self.exporter is None else self.exporter.name


def destination_of(
    target: str | Path | BinaryIO, format_name: str | None, request: Request
) -> Destination:
    """What a target and a format mean together. Raises ConfigError.

    A stream takes JSON Lines when no format is named. Articles for a folder (an existing one, a name that ends in "/" or
    has no suffix) or a plain ".zip" are the data set; every other path says the format by its suffix, and an
    existing folder takes a file named after the set.
    """
    if not isinstance(target, str | Path):
        exporter = exporter_for(format_name)
        exporter.check(request.what, for_sharing=request.for_sharing)
        return Destination(target, exporter)
    path = Path(target)
    if request.what == ARTICLES and format_name is None and _is_data_set(target, path):
        return Destination(path, None)
    exporter = exporter_for(format_name, None if path.is_dir() else path.name)
    exporter.check(request.what, for_sharing=request.for_sharing)
    if path.is_dir() and not exporter.is_folder:
        path /= f"{request.what}{exporter.suffix}"
    return Destination(path, exporter)


def _is_data_set(named: str | Path, path: Path) -> bool:
    if path.is_dir() or str(named).endswith("/"):
        return True
    if path.suffix.lower() == ".zip":
        return not Path(path.stem).suffix  # a second suffix is a format's
    return not (path.suffix or path.exists())


# --- which rows ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSet:
    """Rows to write, and the account of those that are left out."""

    rows: Callable[[], Iterator[Row]]
    """Begins anew each time."""
    columns: Sequence[Field]
    size: int
    """How many rows there are."""
    total: int
    """Everything considered: URLs of the ledger for articles, rows for other sets."""
    dropped: Mapping[str, int]
    """What the choice leaves out, by reason; size + all of them = total."""
    own_reasons: Collection[str]
    """Reasons in `dropped` of rows of this kind; the others are of pages that are no articles."""


def rows_of(reader: Reader, request: Request) -> RowSet:
    """Choose the rows. Raises ConfigError for filters and outlets that the archive does not know."""
    if request.what == ARTICLES:
        return _articles(reader, request)
    total, dropped = reader.totals(request.what, all=request.everything)
    sources: dict[str, Callable[[], Iterator[Row]]] = {
        "matches": lambda: reader.matches(all=request.everything),
        "stories": lambda: reader.stories(all=request.everything),
        "ledger": reader.ledger,
    }
    return RowSet(
        rows=sources[request.what],
        columns=SETS[request.what],
        size=total - sum(dropped.values()),
        total=total,
        dropped=dict(dropped),
        own_reasons=tuple(dropped),
    )


def _articles(reader: Reader, request: Request) -> RowSet:
    selected = reader.select(request.selection())
    columns = (*SETS[ARTICLES], WEIGHT) if request.weights else SETS[ARTICLES]
    policies = _policies(reader) if request.for_sharing else None
    return RowSet(
        rows=lambda: _article_rows(reader, selected, policies, weights=request.weights),
        columns=columns if policies is None else shared_columns(columns),
        size=len(selected),
        total=selected.total,
        dropped=dict(selected.dropped),
        own_reasons=(FILTERED, DUPLICATE),
    )


def _article_rows(
    reader: Reader,
    selected: Selected,
    policies: Mapping[str | None, Policy] | None,
    *,
    weights: bool,
) -> Iterator[Row]:
    """`policies`: by event, for sharing; None: for own use."""
    for place, row in enumerate(reader.rows(selected, rights=policies is not None)):
        if weights:
            row["weight"] = 1 / selected.sizes[place]
        if policies is None:
            yield row
        else:
            event = row["event"]
            yield shared(row, policies[event if isinstance(event, str) else None])


def _policies(reader: Reader) -> dict[str | None, Policy]:
    """The policy of each event's profile; None: for articles of no event, the strictest."""
    changed_at = reader.provenance(stages=False).changed_at
    as_of = Policy().as_of if changed_at is None else datetime.fromisoformat(changed_at)
    strictest = Policy(as_of=as_of)
    policies: dict[str | None, Policy] = {None: strictest}
    for event in reader.events():
        profile = reader.profile_json(event)
        try:
            policies[event] = Policy.of(Profile.from_json(profile or ""), as_of=as_of)
        except ConfigError:  # stored by a version with other keys
            policies[event] = strictest
    return policies

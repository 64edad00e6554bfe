"""`export_set`: the whole of `aidivide export` as a function."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from aidivide_archive.archive.queries import Filters, Provenance, Reader
from aidivide_archive.archive.storage.location import Place
from aidivide_archive.exceptions import OptionsError
from aidivide_archive.export.dataset import DataSetRows, write_dataset
from aidivide_archive.export.manifest import Account, manifest
from aidivide_archive.export.plan import Destination, RowSet, destination_of, rows_of
from aidivide_archive.export.registry import UNREADABLE, Context, Row
from aidivide_archive.export.request import Purpose, Request
from aidivide_archive.export.target import (
    ListedFolder,
    export_rows,
    open_folder,
    spread,
    whole_file,
    write_manifest,
)

Progress = Callable[[int, int], None]
"""Takes the rows written so far and those in all; a data set writes each article twice."""
_STEP = 256
"""Rows between two calls of `Progress`: drawing a bar takes longer than a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What became of an export: written + all that is dropped or left out = total."""

    what: str
    format: str
    """Name of the format, or "data set"."""
    target: Path | None
    """The file or folder that was made; None: a stream."""
    written: int
    """Rows in the set; captures for WARC and WACZ."""
    total: int
    """Everything considered: URLs of the ledger for articles, rows for other sets."""
    dropped: Mapping[str, int]
    """What the choice left out, by reason: `filtered`, `duplicate`, and for articles the ledger's reasons."""
    left_out: Mapping[str, int]
    """Rows that the format could not take, by reason: `no_capture`, `capture_unreadable`."""
    set_aside: Mapping[str, int]
    """Of both, what are rows of this kind at all, by reason, sorted; pages that are no articles are not among them."""

    @property
    def unreadable(self) -> int:
        """Rows whose captures are damaged: the export is finished, but part of it failed."""
        return self.left_out.get(UNREADABLE, 0)


def export_set(
    archive: Place,
    what: str,
    target: str | Path | BinaryIO,
    *,
    format: str | None = None,  # noqa: A002  # the option's name
    query: str | None = None,
    filters: Filters | None = None,
    dedup: str = "all",
    prefer: str | None = None,
    weights: bool = False,
    purpose: str = "own",
    all: bool = False,  # noqa: A002  # the option's name
    raw: bool = False,
    manifest: str | Path | None = None,
    progress: Progress | None = None,
) -> ExportSummary:
    """Write `what` ("articles", "matches", "stories" or "ledger") of an archive, as `aidivide export` does, byte for byte.

    `archive`: its location, or its directory, and AIDIVIDE_DATABASE_URL counts as for the command.
    `target`: a file (format by its suffix), a folder or a name without suffix (articles: the data set), or an open binary
    stream (JSON Lines, unless `format` names another). It appears whole or not at all.
    `query`, `filters`, `dedup` ("all" or "unique"), `prefer` ("origin", "earliest", "longest", "outlets:NAME,NAME") and
    `weights` choose among articles; `all` adds template matches and stories of one article.
    `purpose`: "own" or "sharing", which leaves out the texts that may not be passed on (docs/rights.md).
    `raw`: CSV for programs. `manifest`: where the account of a single file is written.

    Raises ConfigError (OptionsError) for options that mean nothing or do not go together, MissingArchiveError,
    SchemaVersionError and StoreError for the archive, ExportError when the target cannot be written.
    """
    request = Request(
        what=what,
        query=query,
        filters=filters or Filters(),
        dedup=dedup,
        prefer=prefer,
        weights=weights,
        purpose=purpose,
        everything=all,
    )
    request.check()
    destination = destination_of(target, format, request)
    if destination.exporter is None and manifest is not None:
        raise OptionsError("--manifest is for single files: a data set has its own")
    account_file = None if manifest is None else Path(manifest)
    with Reader(archive) as reader:
        row_set = rows_of(reader, request)
        job = _Job(reader, request, destination, row_set, account_file, raw=raw)
        return job.write(progress)


class _Job:
    """One export under way: the rows are chosen, the target is known."""

    def __init__(
        self,
        reader: Reader,
        request: Request,
        destination: Destination,
        row_set: RowSet,
        account_file: Path | None,
        *,
        raw: bool,
    ) -> None:
        self._reader = reader
        self._request = request
        self._destination = destination
        self._row_set = row_set
        self._account_file = account_file
        has_account = destination.is_folder or account_file is not None
        self._provenance = reader.provenance(stages=has_account)
        self._context = _context(reader, request, self._provenance, raw=raw)
        self._account = Account(
            total=row_set.total, dropped=row_set.dropped, left_out=self._context.left_out
        )

    def write(self, progress: Progress | None) -> ExportSummary:
        exporter, target = self._destination.exporter, self._destination.target
        passes = 2 if exporter is None else 1
        counter = _Counter(progress, passes * self._row_set.size)
        if exporter is None:
            with open_folder(target) as folder:
                written = write_dataset(folder, self._data_set(counter), self._context)
                self._finish(written, folder)
        else:
            rows = counter.watch(self._row_set.rows())
            columns, finish = self._row_set.columns, self._finish
            written = export_rows(
                exporter, rows, columns, target, context=self._context, finish=finish
            )
        return self._summary(written)

    def _data_set(self, counter: _Counter) -> DataSetRows:
        return DataSetRows(
            articles=lambda: counter.watch(self._row_set.rows()),
            columns=self._row_set.columns,
            stories=self._reader.stories,
            matches=self._reader.matches,
        )

    def _finish(self, written: int, folder: ListedFolder | None) -> None:
        """Check the account, and write it: into a folder, or beside a file when asked."""
        self._account.check(written)
        content = manifest(
            self._request,
            self._destination.format,
            self._account,
            written,
            title=self._context.title,
            software=self._context.software,
            provenance=asdict(self._provenance),
        )
        if folder is not None:
            write_manifest(folder, content)
        if self._account_file is not None:
            with whole_file(self._account_file) as stream:
                stream.write(spread(content).encode())

    def _summary(self, written: int) -> ExportSummary:
        left_out = dict(sorted(self._context.left_out.items()))
        own = {*self._row_set.own_reasons, *left_out}
        target = self._destination.target
        return ExportSummary(
            what=self._request.what,
            format=self._destination.format,
            target=target if isinstance(target, Path) else None,
            written=written,
            total=self._row_set.total,
            dropped=dict(self._row_set.dropped),
            left_out=left_out,
            set_aside=_only(self._account.reasons(), own),
        )


def _only(reasons: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    return {name: count for name, count in reasons.items() if name in names}


def _context(reader: Reader, request: Request, provenance: Provenance, *, raw: bool) -> Context:
    titles = {name: event["title"] for name, event in provenance.events.items()}
    only = next(iter(titles.values())) if len(titles) == 1 else Context().title
    return Context(
        raw=raw,
        title=titles.get(request.filters.event or "", only),
        what=request.what,
        made_at=provenance.changed_at,
        software=f"aidivide-archive {version('aidivide-archive')}",
        rights=Purpose(request.purpose).notice,
        # no format reaches the pages themselves when they are to be passed on
        warc_directory=None if request.for_sharing else reader.location.warc_directory,
    )


class _Counter:
    """Counts rows over all passes, and tells."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def watch(self, rows: Iterator[Row]) -> Iterator[Row]:
        if self._progress is None:
            yield from rows
            return
        for row in rows:
            yield row
            self._done += 1
            if self._done % _STEP == 0:
                self._progress(self._done, self._total)

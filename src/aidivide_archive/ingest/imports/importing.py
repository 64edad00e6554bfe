"""The import itself: read every source, store what it gives, settle the copy graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from os import PathLike
from pathlib import Path

from aidivide_archive.archive import Archive
from aidivide_archive.archive.storage.location import Place
from aidivide_archive.config import Profile, load_profile
from aidivide_archive.exceptions import ConfigError, ImportDataError, InvalidURLError
from aidivide_archive.ingest import ImportKind
from aidivide_archive.ingest.admission import as_leased, foreign
from aidivide_archive.ingest.composing import store_foreign
from aidivide_archive.ingest.imports import records
from aidivide_archive.ingest.imports.sources import (
    Unusable,
    html_captures,
    kind_of,
    line_batches,
    warc_captures,
)
from aidivide_archive.ingest.imports.tally import ImportSummary, Tally
from aidivide_archive.ingest.service import Ingest
from aidivide_archive.ingest.streaming import in_order, readings
from aidivide_archive.model import Capture, Discovery, Document, LeasedUrl, Stored, UrlState
from aidivide_archive.workers import WorkerPool

BATCH = 200
"""Ready articles that a worker reads at a time."""
STORED_AT_ONCE = 2_000
"""Ready articles in one transaction, at least: fewer syncs, and fewer segments of the full-text index to merge."""
_BATCH_SECONDS = 300
"""Longer than BATCH of the longest articles take."""


def import_paths(
    archive: Place,
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    *,
    kind: ImportKind | str | None = None,
    event: str | None = None,
    judge_articles: bool = False,
    wait_for_writer: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportSummary:
    """Import files and folders, then settle the copy graph. Raises ArchiveError before anything is written.

    `archive`: its location, or its directory. `paths`: one or many. `kind`: what they hold; None: what their names say.
    Without `event`, pages are kept whatever they are about. Ready articles are judged only with `judge_articles`. A
    record that cannot be imported is an error of the summary; the others go in. `progress` is called with the number of
    documents so far.
    """
    chosen = None if kind is None else _kind(kind)
    sources = [(path, chosen or kind_of(path)) for path in _each(paths)]
    for path, _ in sources:
        if not path.exists():
            raise ImportDataError(f"{path}: there is no such file or folder")
    profile = load_profile(event) if event else None
    if judge_articles and profile is None:
        raise ImportDataError("judging needs an event: name one with --event")
    tally = Tally(progress)
    has_captures = any(kind is not ImportKind.ARTICLES for _, kind in sources)
    with Archive(archive, wait=wait_for_writer) as opened:
        opened.begin("import", profile, warc=has_captures)
        for path, kind_here in sources:
            if kind_here is ImportKind.ARTICLES:
                judged_by = profile if judge_articles else None
                _import_articles(opened, path, judged_by, workers, tally)
            else:
                is_warc = kind_here is ImportKind.WARC
                captures = warc_captures(path) if is_warc else html_captures(path)
                _import_captures(opened, captures, profile, workers, tally)
        opened.settle().result()
        opened.finish("finished", dict(tally.counts))
    return tally.summary()


def _kind(kind: ImportKind | str) -> ImportKind:
    try:
        return ImportKind(kind)
    except ValueError:
        raise ConfigError(f"no kind {kind!r}; there are: {', '.join(ImportKind)}") from None


def _each(paths: str | PathLike[str] | Iterable[str | PathLike[str]]) -> Iterator[Path]:
    if isinstance(paths, str | PathLike):
        paths = (paths,)
    return map(Path, paths)


# --- captures: WARC files and folders ------------------------------------------------------------


def _import_captures(
    archive: Archive,
    captures: Iterable[tuple[str, Capture | Unusable]],
    profile: Profile | None,
    workers: int | None,
    tally: Tally,
) -> None:
    ingest = Ingest(profile, workers=workers)
    try:
        for (entry, capture), reading in readings(ingest, _entered(captures, tally)):
            stored = store_foreign(archive, entry, capture, reading).result()
            tally.stored(stored, reading.outcome)
    finally:
        ingest.close()


def _entered(
    captures: Iterable[tuple[str, Capture | Unusable]], tally: Tally
) -> Iterator[tuple[tuple[Discovery, Capture], LeasedUrl, Capture]]:
    """Captures with the ledger entries of their URLs; what has none is counted as failed."""
    for where, capture in captures:
        if isinstance(capture, Unusable):
            tally.failed(f"{where}: {capture.why}")
            continue
        try:
            entry = foreign(capture.url)
        except InvalidURLError as error:
            tally.failed(f"{where}: {error}")
            continue
        yield (entry, capture), as_leased(entry), capture


# --- ready articles ------------------------------------------------------------------------------


def _import_articles(
    archive: Archive,
    path: Path,
    profile: Profile | None,
    workers: int | None,
    tally: Tally,
) -> None:
    pool: WorkerPool[..., list[Document | Unusable]] = WorkerPool(
        records.documents,
        start=records.start,
        argument=profile.to_json() if profile else "",
        preload=(records.__name__,),
        count=workers,
        seconds=_BATCH_SECONDS,
    )
    store = _ArticleStore(archive, tally)
    with pool:
        begun = ((None, pool.submit(batch, str(path))) for batch in line_batches(path, BATCH))
        for _, ready in in_order(begun):
            store.add(ready)
        store.finish()


class _ArticleStore:
    """Gathers ready articles into large transactions; one is written while the next one is gathered."""

    def __init__(self, archive: Archive, tally: Tally) -> None:
        self._archive = archive
        self._tally = tally
        self._gathered: list[Document] = []
        self._written: tuple[list[Document], Future[list[Stored]]] | None = None

    def add(self, ready: Iterable[Document | Unusable]) -> None:
        for article in ready:
            if isinstance(article, Unusable):
                self._tally.failed(article.why)
            elif article.outcome.state is UrlState.DONE:
                self._gathered.append(article)
            else:
                self._reject(article)
        if len(self._gathered) >= STORED_AT_ONCE:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._await()

    def _flush(self) -> None:
        self._await()
        if self._gathered:
            self._written = self._gathered, self._archive.store_imported(self._gathered)
            self._gathered = []

    def _await(self) -> None:
        if self._written is not None:
            articles, future = self._written
            for stored, article in zip(future.result(), articles, strict=True):
                self._tally.stored(stored, article.outcome)
            self._written = None

    def _reject(self, article: Document) -> None:
        self._flush()  # in the order of the file: a later line with the same URL counts
        stored = self._archive.commit_new(foreign(article.url), article).result()
        self._tally.stored(stored, article.outcome)

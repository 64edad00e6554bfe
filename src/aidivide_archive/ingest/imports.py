"""Bring in what was not crawled here: ready articles (JSONL), WARC files, folders of HTML."""

from __future__ import annotations

import csv
import gzip
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aidivide_archive.archive import Archive, Location
from aidivide_archive.config import Profile, load_profile
from aidivide_archive.exceptions import ArchiveError, ImportDataError, InvalidURLError
from aidivide_archive.ingest.admission import discovery
from aidivide_archive.ingest.reading import Reading
from aidivide_archive.ingest.reprocess import import_profile
from aidivide_archive.ingest.service import Ingest, document, kept_capture
from aidivide_archive.model import (
    Capture,
    Channel,
    Claim,
    Discovery,
    Document,
    Extraction,
    LeasedUrl,
    Metadata,
    Outcome,
    PageKind,
    Reason,
    RelevanceDecision,
    Stored,
    TimeValue,
    UrlKind,
    UrlState,
)
from aidivide_archive.relevance import judge
from aidivide_archive.similarity import load_permutations, sign
from aidivide_archive.urls import canonical_url, url_id
from aidivide_archive.warc.records import iter_captures
from aidivide_archive.words import storable
from aidivide_archive.workers import WorkerPool

BATCH = 200
"""Ready articles that a worker reads at a time."""
STORED_AT_ONCE = 2_000
"""Ready articles in one transaction, at least: fewer syncs, and fewer segments of the full-text index to merge."""
_IN_FLIGHT = 16
_MAX_ERRORS = 100
IMPORT_VERSION = "import/1"


class ImportKind(StrEnum):
    WARC = "warc"
    HTML = "html"
    ARTICLES = "articles"


class ArticleRecord(BaseModel):
    """One ready article: a line of a JSONL file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Address of the article; its id is made from it.")
    title: str = Field(description="Headline.")
    text: str = Field(description="Clean text, paragraphs separated by newlines.")
    published_at: str | None = Field(
        default=None,
        description="ISO 8601 time with offset (without one: UTC), or a day: then a 24 h interval.",
    )
    modified_at: str | None = Field(default=None, description="ISO 8601, as published_at.")
    authors: tuple[str, ...] = Field(default=(), description="People.")
    language: str | None = Field(default=None, description="BCP 47.")
    site: str | None = Field(
        default=None, description="Accepted for convenience; the site is taken from the URL."
    )


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did, in documents."""

    new: int = 0
    unchanged: int = 0
    revised: int = 0
    rejected: int = 0
    failed: int = 0
    errors: tuple[str, ...] = ()
    """One line each: file, line and what is wrong; the first hundred."""


@dataclass
class _Tally:
    progress: Callable[[int], None] | None
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    total: int = 0

    def add(self, name: str, error: str | None = None) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        if error is not None and len(self.errors) < _MAX_ERRORS:
            self.errors.append(error)
        self.total += 1
        if self.progress is not None:
            self.progress(self.total)

    def stored(self, stored: Stored, outcome: Outcome) -> None:
        if stored is Stored.NOT_ARTICLE:
            self.add("failed" if outcome.state in (UrlState.FAILED, UrlState.DEAD) else "rejected")
        else:
            self.add({Stored.NEW: "new", Stored.REVISED: "revised"}.get(stored, "unchanged"))

    def summary(self) -> ImportSummary:
        return ImportSummary(**self.counts, errors=tuple(self.errors))


def article_schema() -> dict[str, Any]:
    """JSON Schema of one line of an articles file."""
    return ArticleRecord.model_json_schema()


def import_paths(
    location: Location,
    paths: Iterable[Path],
    *,
    kind: ImportKind | None = None,
    event: str | None = None,
    judge_articles: bool = False,
    wait_for_writer: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportSummary:
    """Import files and folders, then settle the copy graph. Raises ArchiveError before anything is written.

    Without `event`, pages are kept whatever they are about. Ready articles are judged only with `judge_articles`.
    A record that cannot be imported is an error of the summary; the others go in.
    """
    sources = [(path, kind or kind_of(path)) for path in paths]
    for path, _ in sources:
        if not path.exists():
            raise ImportDataError(f"{path}: there is no such file or folder")
    profile = load_profile(event) if event else None
    if judge_articles and profile is None:
        raise ImportDataError("judging needs an event: name one with --event")
    tally = _Tally(progress)
    captures = any(one is not ImportKind.ARTICLES for _, one in sources)
    with Archive(location, wait=wait_for_writer) as archive:
        archive.begin("import", profile, warc=captures)
        for path, one in sources:
            if one is ImportKind.ARTICLES:
                judged_by = profile if judge_articles else None
                _import_articles(archive, path, judged_by, workers, tally)
            else:
                found = _warc_captures(path) if one is ImportKind.WARC else _html_captures(path)
                _import_captures(archive, found, profile, workers, tally)
        archive.settle().result()
        archive.finish("finished", dict(tally.counts))
    return tally.summary()


def kind_of(path: Path) -> ImportKind:
    """What a path holds, by its name. Raises ImportDataError when the name does not say."""
    name = path.name.lower()
    if path.is_dir():
        return ImportKind.HTML
    if name.endswith((".warc", ".warc.gz")):
        return ImportKind.WARC
    if name.endswith((".jsonl", ".jsonl.gz", ".ndjson")):
        return ImportKind.ARTICLES
    raise ImportDataError(
        f"{path}: the name does not say what it holds; add --kind warc, --kind html or --kind articles"
    )


# --- captures: WARC files and folders ------------------------------------------------------------


def _warc_captures(path: Path) -> Iterator[tuple[str, Capture | str]]:
    for number, stored in enumerate(iter_captures(path), 1):
        where = f"{path}: record {number}"
        if stored.capture.withheld_sha256 is not None:
            yield where, "has no body: the archive that wrote it withheld it, for the page's rights"
        else:
            yield where, stored.capture


def _html_captures(path: Path) -> Iterator[tuple[str, Capture | str]]:
    """Files named by `urls.csv` (columns file, url; optionally content_type, captured_at) in a folder."""
    index = path / "urls.csv"
    if not index.is_file():
        raise ImportDataError(
            f"{path}: a folder of pages needs a urls.csv with the columns file and url"
        )
    root = path.resolve()
    with index.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not {"file", "url"} <= set(rows.fieldnames or ()):
            raise ImportDataError(f"{index}: needs the columns file and url")
        for number, row in enumerate(rows, 2):
            yield f"{index}: line {number}", _html_capture(root, row)


def _html_capture(root: Path, row: dict[str, str | None]) -> Capture | str:
    file = (root / (row.get("file") or "")).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        return f"there is no file {row.get('file')!r} in the folder"
    try:
        body = file.read_bytes()
        if file.suffix == ".gz":
            body = gzip.decompress(body)
        moment = row.get("captured_at") or ""
        captured_at = (
            datetime.fromisoformat(moment)
            if moment
            else datetime.fromtimestamp(file.stat().st_mtime, UTC)
        )
    except (OSError, EOFError, ValueError) as error:
        return str(error)
    content_type = row.get("content_type") or "text/html"
    return Capture(
        url=row.get("url") or "",
        captured_at=captured_at if captured_at.tzinfo else captured_at.replace(tzinfo=UTC),
        status=200,
        headers=(("Content-Type", content_type),),
        body=body,
    )


def _import_captures(
    archive: Archive,
    found: Iterator[tuple[str, Capture | str]],
    profile: Profile | None,
    workers: int | None,
    tally: _Tally,
) -> None:
    ingest = Ingest(profile or import_profile(), workers=workers)
    waiting: dict[Future[Reading], tuple[Discovery, LeasedUrl, Capture]] = {}
    try:
        for where, capture in found:
            entered = _entry(where, capture, tally)
            if entered is None or isinstance(capture, str):
                continue
            leased = _as_leased(entered)
            waiting[ingest.read(leased, capture)] = (entered, leased, capture)
            if len(waiting) >= _IN_FLIGHT:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    _store_capture(archive, future.result(), *waiting.pop(future), profile, tally)
        for future in list(waiting):
            _store_capture(archive, future.result(), *waiting[future], profile, tally)
    finally:
        ingest.close()


def _entry(where: str, capture: Capture | str, tally: _Tally) -> Discovery | None:
    if isinstance(capture, str):
        tally.add("failed", f"{where}: {capture}")
        return None
    try:
        return discovery(capture.url, kind=UrlKind.PAGE, channel=Channel.IMPORT)
    except InvalidURLError as error:
        tally.add("failed", f"{where}: {error}")
        return None


def _as_leased(entered: Discovery) -> LeasedUrl:
    return LeasedUrl(
        id=entered.id,
        url=entered.url,
        host=entered.host,
        kind=entered.kind,
        depth=0,
        redirects=0,
        attempts=0,
    )


def _store_capture(
    archive: Archive,
    found: Reading,
    entered: Discovery,
    leased: LeasedUrl,
    capture: Capture,
    profile: Profile | None,
    tally: _Tally,
) -> None:
    position = archive.write_capture(kept_capture(capture, found))
    if profile is None:  # for no event: nothing was judged
        reason = found.outcome.reason
        if found.outcome.state is UrlState.DONE:
            reason = Reason.IMPORTED
        found = replace(found, relevance=None, outcome=replace(found.outcome, reason=reason))
    ready = document(leased, found, capture=capture, position=position)
    tally.stored(archive.commit_new(entered, ready).result(), found.outcome)


# --- ready articles ------------------------------------------------------------------------------


def _import_articles(
    archive: Archive,
    path: Path,
    profile: Profile | None,
    workers: int | None,
    tally: _Tally,
) -> None:
    pool: WorkerPool[..., list[Document | str]] = WorkerPool(
        _documents,
        start=_start,
        argument=profile.to_json() if profile else "",
        preload=("aidivide_archive.ingest.imports",),
        count=workers,
        seconds=300,
    )
    waiting: deque[Future[list[Document | str]]] = deque()
    store = _ArticleStore(archive, tally)
    with pool:
        for batch in _batches(path):
            waiting.append(pool.submit(batch, str(path)))
            if len(waiting) >= _IN_FLIGHT:
                store.add(waiting.popleft().result())
        while waiting:
            store.add(waiting.popleft().result())
        store.finish()


class _ArticleStore:
    """Gathers ready articles into large transactions; one is written while the next one is gathered."""

    def __init__(self, archive: Archive, tally: _Tally) -> None:
        self._archive = archive
        self._tally = tally
        self._gathered: list[Document] = []
        self._written: tuple[list[Document], Future[list[Stored]]] | None = None

    def add(self, ready: list[Document | str]) -> None:
        for one in ready:
            if isinstance(one, str):
                self._tally.add("failed", one)
            elif one.outcome.state is UrlState.DONE:
                self._gathered.append(one)
            else:
                self._reject(one)
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
            for stored, one in zip(future.result(), articles, strict=True):
                self._tally.stored(stored, one.outcome)
            self._written = None

    def _reject(self, one: Document) -> None:
        self._flush()  # in the order of the file: a later line with the same URL counts
        entered = discovery(one.url, kind=UrlKind.PAGE, channel=Channel.IMPORT)
        self._tally.stored(self._archive.commit_new(entered, one).result(), one.outcome)


def _batches(path: Path) -> Iterator[list[tuple[int, str]]]:
    """Numbered lines, `BATCH` at a time."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8") as lines
        ):
            numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
            while batch := list(islice(numbered, BATCH)):
                yield batch
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise ImportDataError(f"{path}: cannot be read: {error}") from None


# --- inside a worker -----------------------------------------------------------------------------

_profile: Profile | None = None


def _start(profile_json: str) -> None:
    global _profile
    load_permutations()
    _profile = Profile.from_json(profile_json) if profile_json else None


def _documents(lines: list[tuple[int, str]], path: str) -> list[Document | str]:
    """Documents of a batch of lines; a str is the error of a line that cannot be imported."""
    now = datetime.now(UTC)
    ready: list[Document | str] = []
    for number, line in lines:
        try:
            ready.append(article_document(ArticleRecord.model_validate_json(line), _profile, now))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            ready.append(f"{path}: line {number}: {where + ': ' if where else ''}{first['msg']}")
        except (ArchiveError, ValueError) as error:
            ready.append(f"{path}: line {number}: {error}")
    return ready


def article_document(record: ArticleRecord, profile: Profile | None, now: datetime) -> Document:
    """Make the document of a ready article; judged only with a profile. Raises ValueError on a bad time."""
    url = canonical_url(record.url)
    text = _clean(record.text)
    metadata = _metadata(record)
    extraction = Extraction(
        version=IMPORT_VERSION,
        page_kind=PageKind.ARTICLE,
        text=text,
        metadata=metadata,
        encoding_source="import",
        mode="import",
    )
    outcome = Outcome(state=UrlState.DONE, reason=Reason.IMPORTED)
    judged = None
    if profile is not None:
        judged = judge(
            profile,
            title=metadata.title,
            text=text,
            published=metadata.published,
            language=metadata.language,
        )
        rejected = judged.decision is RelevanceDecision.REJECT
        state = UrlState.REJECTED if rejected else UrlState.DONE
        outcome = Outcome(state=state, reason=judged.reason)
    return Document(
        url_id=url_id(url),
        url=url,
        outcome=outcome,
        finished_at=now,
        extraction=extraction,
        relevance=judged,
        signature=sign(text),
    )


def _metadata(record: ArticleRecord) -> Metadata:
    published = _time(record.published_at)
    modified = _time(record.modified_at)
    claims = [
        Claim(
            field=name,
            value=time.start.isoformat(),
            source="import",
            confidence=1.0,
            chosen=True,
            time=time,
        )
        for name, time in (("published", published), ("modified", modified))
        if time is not None
    ]
    return Metadata(
        title=_clean(record.title) or None,
        authors=tuple(_clean(name) for name in record.authors),
        published=published,
        published_source="import" if published else None,
        modified=modified,
        language=record.language,
        claims=tuple(claims),
    )


def _time(raw: str | None) -> TimeValue | None:
    """An interval of a day, or of a second. Raises ValueError."""
    if not raw:
        return None
    if len(raw) == len("2025-07-27"):
        day = date.fromisoformat(raw)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        length, offset, precision = timedelta(days=1), None, "day"
    else:
        moment = datetime.fromisoformat(raw)
        shift = moment.utcoffset()
        offset = None if shift is None else int(shift.total_seconds() // 60)
        start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        length, precision = timedelta(seconds=1), "second"
    return TimeValue(
        start=start, end=start + length, raw=raw, offset_minutes=offset, precision=precision
    )


def _clean(text: str) -> str:
    """A storable text with line feeds only, and none round it."""
    return storable(text).replace("\r\n", "\n").strip()

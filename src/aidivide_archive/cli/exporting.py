"""`aidivide export`: rows to a stream, a file, a folder, or the data-set folder."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from aidivide_archive.cli.filtering import filter_options
from aidivide_archive.cli.framework import State, command, pass_state
from aidivide_archive.cli.terminal import binary_stdout, counted, counting, note
from aidivide_archive.exceptions import ConfigError

if TYPE_CHECKING:
    from aidivide_archive.archive.queries import Filters, Provenance, Reader, Selected
    from aidivide_archive.export.columns import Column
    from aidivide_archive.export.manifest import Account, Request
    from aidivide_archive.export.registry import Context, Exporter, Row
    from aidivide_archive.export.sharing import Policy
    from aidivide_archive.export.target import Finish, ListedFolder

KINDS = ("articles", "matches", "stories", "ledger")
SHARING = "sharing"
_SET_ASIDE = ("filtered", "duplicate", "template", "story_of_one")
_UNREADABLE = "capture_unreadable"
_TICK = 256
"""Rows between two steps of the bar: drawing it takes longer than a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    kind: str
    format_name: str | None
    output: str | None
    query: str | None
    filters: Filters
    dedup: str
    prefer: str | None
    weights: bool
    purpose: str
    everything: bool
    raw: bool
    manifest: Path | None


@command("export", example="aidivide export articles -o articles.csv", exits=(0, 1, 2, 3))
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--format",
    "format_name",
    metavar="NAME",
    help="bibtex, csl, csv, huggingface, jsonl (default), markdown, parquet, ris, tei, text, wacz, warc, xlsx.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="File (format by its suffix), or folder: the data set. Without it, or -: stdout.",
)
@click.option("-q", "--query", metavar="WORDS", help="Only articles that `search` finds.")
@filter_options
@click.option(
    "--dedup",
    type=click.Choice(("all", "unique")),
    default="all",
    show_default=True,
    help="All, labelled with story and role, or one a story.",
)
@click.option(
    "--prefer",
    metavar="WHICH",
    help="Of a story: origin (default), earliest, longest, or outlets:NAME,NAME.",
)
@click.option("--weights", is_flag=True, help="A column that sums to 1 in each story.")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(("own", SHARING)),
    default="own",
    show_default=True,
    help="For sharing: texts that may not be passed on are left out.",
)
@click.option("--all", "everything", is_flag=True, help="Template matches, stories of one article.")
@click.option("--raw", is_flag=True, help="CSV for programs: no guard against formulas, no BOM.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the account of a single file here.",
)
@pass_state
def export(state: State, /, **values: object) -> None:
    """Write articles, matches, stories or the ledger to a file or folder."""
    from aidivide_archive.archive.queries import Reader

    options = Options(**values)  # type: ignore[arg-type]  # click checked them
    _check(options)
    where = _destination(options)
    with Reader(state.location()) as reader:
        set_ = _articles(reader, options) if options.kind == "articles" else _rows(reader, options)
        left_out = _write(reader, options, where, set_)
    if left_out[_UNREADABLE]:
        raise click.exceptions.Exit(3)


def _check(options: Options) -> None:
    from aidivide_archive.archive.queries import Filters

    if options.kind != "articles" and (
        options.query or options.filters != Filters() or options.dedup != "all" or options.weights
    ):
        only = "--event and the other filters" if options.filters != Filters() else "these options"
        raise click.UsageError(f"{only} are for articles: other sets span the archive")
    if options.kind != "articles" and options.purpose == SHARING:
        raise click.UsageError("--for sharing is for articles: the other sets hold no texts")
    if options.prefer is not None and options.dedup != "unique":
        raise click.UsageError("--prefer chooses among copies: add --dedup unique")
    _preference(options.prefer)
    if options.weights and options.dedup == "unique":
        raise click.UsageError("--weights is for --dedup all: one article a story weighs 1")


# --- where to ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Destination:
    exporter: Exporter | None
    """None: the data-set folder."""
    target: Path | None
    """None: stdout."""

    @property
    def is_folder(self) -> bool:
        return self.exporter is None or self.exporter.is_folder


def _destination(options: Options) -> _Destination:
    """What the output and the format mean together. Raises ConfigError, UsageError."""
    from aidivide_archive.export.registry import exporter_for

    if options.output in (None, "-"):
        exporter = exporter_for(options.format_name)
        exporter.check(options.kind)
        if sys.stdout.isatty() and not exporter.compressible:
            raise click.UsageError(f"{exporter.name} is no text: name a file with -o")
        return _Destination(exporter, None)
    named = str(options.output)
    path = Path(named)
    is_set = options.kind == "articles" and options.format_name is None
    if is_set and (_is_folder_name(named) or _is_plain_zip(path)):
        _check_set(options)
        return _Destination(None, path)
    named_by = None if path.is_dir() else path.name
    exporter = exporter_for(options.format_name, named_by)
    exporter.check(options.kind)
    _check_sharing(options, exporter)
    if path.is_dir() and not exporter.is_folder:
        path /= f"{options.kind}{exporter.suffix}"
    return _Destination(exporter, path)


def _is_folder_name(named: str) -> bool:
    path = Path(named)
    return path.is_dir() or named.endswith("/") or not (path.suffix or path.exists())


def _is_plain_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and not Path(path.stem).suffix


def _check_set(options: Options) -> None:
    if options.manifest is not None:
        raise click.UsageError("--manifest is for single files: a data set has its own")


def _check_sharing(options: Options, exporter: Exporter) -> None:
    if options.purpose == SHARING and exporter.name in ("warc", "wacz"):
        raise ConfigError(f"{exporter.name} holds whole pages: there is none for sharing")


# --- what ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """Rows to write; `rows()` begins anew each time."""

    rows: Callable[[], Iterator[Row]]
    columns: Sequence[Column]
    size: int
    total: int
    dropped: dict[str, int]


def _rows(reader: Reader, options: Options) -> _Set:
    from aidivide_archive.export.columns import SETS

    total, dropped = reader.totals(options.kind, all=options.everything)
    sources: dict[str, Callable[[], Iterator[Row]]] = {
        "matches": lambda: reader.matches(all=options.everything),
        "stories": lambda: reader.stories(all=options.everything),
        "ledger": reader.ledger,
    }
    return _Set(
        rows=sources[options.kind],
        columns=SETS[options.kind],
        size=total - sum(dropped.values()),
        total=total,
        dropped=dict(dropped),
    )


def _articles(reader: Reader, options: Options) -> _Set:
    from aidivide_archive.archive.queries import Prefer, Selection
    from aidivide_archive.export.columns import ARTICLES, WEIGHT
    from aidivide_archive.export.sharing import shared_columns

    prefer, outlets = _preference(options.prefer)
    selected = reader.select(
        Selection(
            query=options.query,
            filters=options.filters,
            unique=options.dedup == "unique",
            prefer=Prefer(prefer),
            outlets=outlets,
        )
    )
    columns = (*ARTICLES, WEIGHT) if options.weights else ARTICLES
    sharing = options.purpose == SHARING
    policies = _policies(reader) if sharing else {}
    return _Set(
        rows=lambda: _article_rows(reader, selected, options, policies),
        columns=shared_columns(columns) if sharing else columns,
        size=len(selected),
        total=selected.total,
        dropped=dict(selected.dropped),
    )


def _preference(text: str | None) -> tuple[str, tuple[str, ...]]:
    name, _, listed = (text or "origin").partition(":")
    outlets = tuple(one.strip() for one in listed.split(",") if one.strip())
    if name not in ("origin", "earliest", "longest", "outlets") or (name == "outlets") != bool(
        outlets
    ):
        raise click.UsageError(
            f"--prefer {text!r}: write origin, earliest, longest, or outlets:NAME,NAME"
        )
    return name, outlets


def _policies(reader: Reader) -> dict[str | None, Policy]:
    """The policy of each event's profile; None: for articles of no event, the strictest."""
    from aidivide_archive.config import Profile
    from aidivide_archive.export.sharing import Policy

    changed_at = reader.provenance(stages=False).changed_at
    as_of = Policy().as_of if changed_at is None else datetime.fromisoformat(changed_at)
    policies: dict[str | None, Policy] = {None: Policy(as_of=as_of)}
    for event in reader.events():
        profile = reader.profile_json(event)
        try:
            policies[event] = Policy.of(Profile.from_json(profile or ""), as_of=as_of)
        except ConfigError:  # stored by a version with other keys
            policies[event] = policies[None]
    return policies


def _article_rows(
    reader: Reader, selected: Selected, options: Options, policies: dict[str | None, Policy]
) -> Iterator[Row]:
    from aidivide_archive.export.sharing import shared

    sharing = options.purpose == SHARING
    for place, row in enumerate(reader.rows(selected, rights=sharing)):
        if options.weights:
            row["weight"] = 1 / selected.sizes[place]
        event = row["event"]
        yield shared(row, policies[event if isinstance(event, str) else None]) if sharing else row


# --- writing -------------------------------------------------------------------------------------


def _write(reader: Reader, options: Options, where: _Destination, set_: _Set) -> Counter[str]:
    """Write the set and say so; returns what the format could not take, by reason."""
    from aidivide_archive.export.manifest import Account
    from aidivide_archive.export.target import export_rows, open_folder

    listed = where.is_folder or options.manifest is not None
    provenance = reader.provenance(stages=listed)
    context = _context(reader, options, provenance)
    account = Account(total=set_.total, dropped=set_.dropped, left_out=context.left_out)
    finish = _finish(options, where, account, context, provenance)
    passes = 2 if where.exporter is None else 1
    with counting("writing:", passes * set_.size) as progress:
        quiet = progress is None or (where.target is None and sys.stdout.isatty())
        ticker = _Ticker(None if quiet else progress)
        if where.exporter is None:
            assert where.target is not None
            with open_folder(where.target) as folder:
                count = _write_dataset(reader, set_, folder, context, ticker)
                finish(count, folder)
        else:
            stream: Path | BinaryIO = binary_stdout() if where.target is None else where.target
            rows = ticker.watch(set_.rows())
            count = export_rows(
                where.exporter, rows, set_.columns, stream, context=context, finish=finish
            )
    if where.target is not None:
        note(f"{count} {options.kind} written to {where.target}{_aside(account)}")
    return context.left_out


def _write_dataset(
    reader: Reader, set_: _Set, folder: ListedFolder, context: Context, ticker: _Ticker
) -> int:
    from aidivide_archive.export.dataset import Source, write_dataset

    source = Source(
        articles=lambda: ticker.watch(set_.rows()),
        columns=set_.columns,
        stories=reader.stories,
        matches=reader.matches,
    )
    return write_dataset(folder, source, context)


def _finish(
    options: Options,
    where: _Destination,
    account: Account,
    context: Context,
    provenance: Provenance,
) -> Finish:
    """Check the account, and write it: into a folder, or beside a file when asked."""
    from aidivide_archive.export.manifest import manifest
    from aidivide_archive.export.target import spread, whole_file, write_manifest

    def finish(count: int, folder: ListedFolder | None) -> None:
        account.check(count)
        found = manifest(
            _request(options, where),
            account,
            count,
            title=context.title,
            software=context.software,
            provenance=asdict(provenance),
        )
        if folder is not None:
            write_manifest(folder, found)
        if options.manifest is not None:
            with whole_file(options.manifest) as stream:
                stream.write(spread(found).encode())

    return finish


def _request(options: Options, where: _Destination) -> Request:
    from aidivide_archive.export.manifest import Request

    filters = {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in asdict(options.filters).items()
        if value not in (None, ())
    }
    prefer, outlets = _preference(options.prefer)
    return Request(
        what=options.kind,
        format="data set" if where.exporter is None else where.exporter.name,
        query=options.query,
        filters=filters,
        dedup=options.dedup,
        prefer=prefer,
        outlets=outlets,
        weights=options.weights,
        purpose="sharing" if options.purpose == SHARING else "own use",
    )


def _context(reader: Reader, options: Options, provenance: Provenance) -> Context:
    from importlib.metadata import version

    from aidivide_archive.export.registry import Context

    titles = {name: one["title"] for name, one in provenance.events.items()}
    only = next(iter(titles.values())) if len(titles) == 1 else "News coverage"
    return Context(
        raw=options.raw,
        title=titles.get(options.filters.event or "", only),
        what=options.kind,
        made_at=provenance.changed_at,
        software=f"aidivide-archive {version('aidivide-archive')}",
        rights=_RIGHTS[options.purpose],
        warc_directory=reader.location.warc_directory,
    )


_RIGHTS = {
    "own": "The texts belong to their publishers. This set is for the use of whoever made it; for passing on, make "
    "one with --for sharing.",
    SHARING: "The texts belong to their publishers. Those that may not be passed on are left out: link, digest and "
    "an excerpt stand for them, and `aidivide rehydrate` rebuilds them from one's own archive.",
}


def _aside(account: Account) -> str:
    """What of the set's own rows is not in the file; pages that are no articles are in the manifest alone."""
    reasons = account.reasons()
    told = {
        name: count
        for name, count in reasons.items()
        if name in _SET_ASIDE or name in account.left_out
    }
    if not told:
        return ""
    listed = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in told.items())
    return f"; {counted(sum(told.values()), 'row')} left out: {listed}"


class _Ticker:
    """Moves the bar, over all passes."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._progress = progress
        self._done = 0

    def watch(self, rows: Iterator[Row]) -> Iterator[Row]:
        if self._progress is None:
            yield from rows
            return
        for row in rows:
            yield row
            self._done += 1
            if self._done % _TICK == 0:
                self._progress(self._done)

"""A data-set folder as the Hugging Face Hub and its libraries read it: Parquet and a data-set card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from aidivide_archive.export.columns import codebook
from aidivide_archive.export.formats.jsonl import json_line
from aidivide_archive.export.formats.markdown import escaped
from aidivide_archive.export.formats.parquet import write_parquet
from aidivide_archive.export.registry import Context, Folder, Row, folder_exporter
from aidivide_archive.export.texts import one_line
from aidivide_archive.fields import Field

_SHARD_ROWS = 100_000
"""About 200 MB of compressed news; the Hub wants files under 500 MB or so."""


@folder_exporter(
    "huggingface", suffix=".hf.zip", summary="Parquet and a data-set card, for the Hugging Face Hub"
)
def write_huggingface(
    rows: Iterable[Row], columns: Sequence[Field], folder: Folder, context: Context
) -> int:
    """`data/articles-00000.parquet` … and `README.md`. Raises ConfigError without pyarrow."""
    languages: set[str] = set()
    count = 0
    watched = _watched(rows, languages)
    for number, shard in enumerate(_shards(watched)):
        with folder.file(f"data/{context.what}-{number:05}.parquet") as stream:
            count += write_parquet(shard, columns, stream, context)
    with folder.file("README.md") as stream:
        stream.write(card(columns, context, count, languages).encode())
    return count


def _watched(rows: Iterable[Row], languages: set[str]) -> Iterator[Row]:
    for row in rows:
        if row.get("language"):
            languages.add(row["language"])
        yield row


def _shards(rows: Iterator[Row]) -> Iterator[Iterator[Row]]:
    """Runs of rows; at least one, which may be empty."""
    first: Row | None = next(rows, None)
    if first is None:
        yield iter(())
    while first is not None:
        yield chain((first,), islice(rows, _SHARD_ROWS - 1))
        first = next(rows, None)


_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(columns: Sequence[Field], context: Context, count: int, languages: set[str]) -> str:
    """The data-set card: YAML for the Hub, then prose and the codebook."""
    size = next((name for limit, name in _SIZES if count < limit), "1M<n<10M")
    known = sorted(one for one in languages if one.isascii() and one.isalpha() and len(one) < 4)
    lines = [
        "---",
        f"pretty_name: {json_line(one_line(context.title)).strip()}",
        "license: other",
        "license_name: rights-of-the-publishers",
        *(["language:", *(f"- {json_line(one).strip()}" for one in known)] if known else []),
        "task_categories:",
        "- text-classification",
        f'size_categories:\n- "{size}"',
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: data/{context.what}-*.parquet",
        "---",
        "",
        f"# {escaped(one_line(context.title))}",
        "",
        f"{count} {context.what}, exported by {context.software}."
        + (f" State of the archive: {context.made_at}." if context.made_at else ""),
        "",
        context.rights,
        "",
    ]
    return "\n".join(lines) + "\n" + codebook([(f"data/{context.what}-*.parquet", columns)])

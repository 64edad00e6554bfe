"""Parquet with types from the codebook: for DuckDB, polars, pandas and Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from aidivide_archive.exceptions import ConfigError
from aidivide_archive.export.registry import Context, Row, exporter
from aidivide_archive.export.texts import encodable
from aidivide_archive.fields import Field

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS = 10_000
"""A row group is what a reader skips or takes whole."""
_GROUP_CHARS = 4 << 20
"""Texts are large: a group ends here at the latest, so that memory stays flat."""
_BATCH_ROWS = 250


@exporter("parquet", suffix=".parquet", summary="typed columns, for DuckDB, polars, pandas, Spark")
def write_parquet(
    rows: Iterable[Row],
    columns: Sequence[Field],
    stream: BinaryIO,
    context: Context,  # noqa: ARG001  # the types say it all
) -> int:
    """zstd, times as timestamps in UTC, lists as lists. Raises ConfigError without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise ConfigError(
            "Parquet needs pyarrow: pip install 'aidivide-archive[parquet]'"
        ) from None
    schema = arrow_schema(columns)
    options: dict[str, Any] = {
        "compression": "zstd",
        "use_dictionary": [c.name for c in columns if c.values == "few"],
        "write_statistics": [c.name for c in columns if c.values != "prose"],
    }
    count = 0
    with pq.ParquetWriter(pa.PythonFile(stream, "w"), schema, **options) as writer:
        for group in _groups(rows, columns, schema):
            writer.write_table(group, row_group_size=group.num_rows)
            pa.default_memory_pool().release_unused()  # else it keeps what the largest group took
            count += group.num_rows
        if count == 0:
            writer.write_table(schema.empty_table())
    return count


def arrow_schema(columns: Sequence[Field]) -> pa.Schema:
    """The columns' types in Arrow, their meanings as metadata."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("us", "UTC"),
        "day": pa.date32(),
        "list": pa.list_(pa.string()),
    }
    return pa.schema(
        [pa.field(c.name, types[c.type], metadata={"meaning": c.meaning}) for c in columns]
    )


def _groups(rows: Iterable[Row], columns: Sequence[Field], schema: pa.Schema) -> Iterator[pa.Table]:
    import pyarrow as pa

    batches: list[pa.RecordBatch] = []
    held = chars = 0
    for some in _batched(rows):
        batches.append(_batch(some, columns, schema))
        held += len(some)
        chars += sum(len(row.get("text") or "") for row in some)
        if held >= _GROUP_ROWS or chars >= _GROUP_CHARS:
            yield pa.Table.from_batches(batches, schema)
            batches, held, chars = [], 0, 0
    if batches:
        yield pa.Table.from_batches(batches, schema)


def _batched(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    chars = 0
    for row in rows:
        batch.append(row)
        chars += len(row.get("text") or "")
        if len(batch) >= _BATCH_ROWS or chars >= _GROUP_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _batch(rows: Sequence[Row], columns: Sequence[Field], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    arrays = []
    for column, field in zip(columns, schema, strict=True):
        values = [row.get(column.name) for row in rows]
        if column.type in ("time", "day"):
            arrays.append(pa.array(values, pa.string()).cast(field.type))
            continue
        try:
            arrays.append(pa.array(values, field.type))
        except UnicodeEncodeError:
            arrays.append(pa.array([encodable(value) for value in values], field.type))
    return pa.record_batch(arrays, schema)

"""Rows as a pandas DataFrame, with the types that their fields declare; pandas is loaded when one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aidivide_archive.archive.queries.rows import Row
from aidivide_archive.exceptions import ConfigError
from aidivide_archive.fields import Field

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {
    "integer": "Int64",
    "number": "Float64",
    "boolean": "boolean",
    "time": "datetime64[us, UTC]",
    "day": "datetime64[s]",
}
"""What pandas calls the types; the others stay Python values: str, list."""


def dataframe(rows: Iterable[Row], fields: Sequence[Field]) -> pd.DataFrame:
    """One column a field, in their order, all in memory; unknown is NA (NaT in times).

    Times are UTC to the microsecond, which holds every year that a page may claim. Raises ConfigError without pandas.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise ConfigError("a DataFrame needs pandas: pip install pandas") from None
    values: dict[str, list[Any]] = {field.name: [] for field in fields}
    for row in rows:
        for name, column in values.items():
            column.append(row[name])
    return pd.DataFrame({field.name: _series(values[field.name], field) for field in fields})


def _series(values: list[Any], field: Field) -> pd.Series[Any]:
    import pandas as pd

    if field.type in ("time", "day"):
        values = [None if value is None else datetime.fromisoformat(value) for value in values]
    return pd.Series(values, dtype=_DTYPES.get(field.type, object))

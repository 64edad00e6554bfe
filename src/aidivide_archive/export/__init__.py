"""Rows to files: one module a format in `formats`. Exporters take rows and a target; they never query.

The package can be called, as `export_set`: `aidivide_archive.export` is this package and the function of the command's
name, and an import binds the first whatever the second is.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aidivide_archive.export.registry import (
    Context,
    Exporter,
    Row,
    exporter,
    exporter_for,
    exporters,
    folder_exporter,
)
from aidivide_archive.export.target import export_rows
from aidivide_archive.fields import Field

if TYPE_CHECKING:
    from aidivide_archive.export.run import ExportSummary

__all__ = [
    "Context",
    "Exporter",
    "Field",
    "Row",
    "export_rows",
    "exporter",
    "exporter_for",
    "exporters",
    "folder_exporter",
]


class _Callable(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> ExportSummary:
        from aidivide_archive.export.run import export_set

        return export_set(*arguments, **options)


sys.modules[__name__].__class__ = _Callable

"""Rows to files: one module a format in `formats`. Exporters take rows and a target; they never query."""

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

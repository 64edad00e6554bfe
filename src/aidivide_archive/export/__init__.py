"""Rows to files: one module a format. Exporters take rows and a binary stream; they never query.

A new format is one module in this package with one function decorated by `exporter`.
"""

from aidivide_archive.export.registry import (
    Exporter,
    Row,
    exporter,
    exporter_for,
    exporters,
)
from aidivide_archive.export.target import export_rows

__all__ = ["Exporter", "Row", "export_rows", "exporter", "exporter_for", "exporters"]

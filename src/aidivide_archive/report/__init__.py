"""The report: one self-contained HTML page of an archive, for people who open one file.

`gather` asks the `Reader`, `render` writes the page. Neither knows SQL, the clock or the network: the same archive
gives the same bytes.
"""

from aidivide_archive.report.content import Bounds, Report, gather
from aidivide_archive.report.page import render

__all__ = ["Bounds", "Report", "gather", "render"]

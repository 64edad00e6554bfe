"""Archive, deduplicate and query the news coverage of one event: everything that the `aidivide` commands do, in Python.

    from aidivide_archive import Reader

    with Reader("archive") as reader:
        for article in reader.articles(query="shared models"):
            print(article["published_at"], article["outlet"], article["title"])

`docs/python.md` shows the rest. Nothing is loaded before it is asked for: importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aidivide_archive.archive import Archive, Location
    from aidivide_archive.archive.queries import (
        Facet,
        Filters,
        Order,
        Prefer,
        Reader,
        Search,
        Selection,
    )
    from aidivide_archive.archive.queries.filters import moment
    from aidivide_archive.archive.sql.statements import ask as ask_sql
    from aidivide_archive.archive.storage.versions import upgrade
    from aidivide_archive.archive.upkeep.integrity import Damage
    from aidivide_archive.config import Profile, builtin_events, load_profile
    from aidivide_archive.exceptions import ArchiveError, ConfigError
    from aidivide_archive.export.run import export_set as export
    from aidivide_archive.ingest.imports import ImportKind, import_paths
    from aidivide_archive.ingest.reprocess import reprocess
    from aidivide_archive.ingest.verify import verify
    from aidivide_archive.model import Verdict
    from aidivide_archive.upkeep.checkup import checkup
    from aidivide_archive.upkeep.operations import (
        decide_line,
        judge,
        merge,
        plan_purge,
        purge,
        rebuild_copies,
    )

    __version__: str

__all__ = [
    "Archive",
    "ArchiveError",
    "ConfigError",
    "Damage",
    "Facet",
    "Filters",
    "ImportKind",
    "Location",
    "Order",
    "Prefer",
    "Profile",
    "Reader",
    "Search",
    "Selection",
    "Verdict",
    "__version__",
    "ask_sql",
    "builtin_events",
    "checkup",
    "decide_line",
    "export",
    "import_paths",
    "judge",
    "load_profile",
    "merge",
    "moment",
    "plan_purge",
    "purge",
    "rebuild_copies",
    "reprocess",
    "upgrade",
    "verify",
]

_HOMES = {
    "archive": ("Archive", "Location"),
    "archive.queries": ("Facet", "Filters", "Order", "Prefer", "Reader", "Search", "Selection"),
    "archive.queries.filters": ("moment",),
    "archive.storage.versions": ("upgrade",),
    "archive.upkeep.integrity": ("Damage",),
    "config": ("Profile", "builtin_events", "load_profile"),
    "exceptions": ("ArchiveError", "ConfigError"),
    "ingest.imports": ("ImportKind", "import_paths"),
    "ingest.reprocess": ("reprocess",),
    "ingest.verify": ("verify",),
    "model": ("Verdict",),
    "upkeep.checkup": ("checkup",),
    "upkeep.operations": (
        *("decide_line", "judge", "merge", "plan_purge", "purge", "rebuild_copies"),
    ),
}
"""Names by the module they come from."""
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _MODULE_OF:
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    if name == "ask_sql":
        return import_module(f"{__name__}.archive.sql.statements").ask
    if name == "export":  # the package, which can be called: see there
        return import_module(f"{__name__}.export")
    if name == "__version__":
        return import_module("importlib.metadata").version("aidivide-archive")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Named places where a test has this process killed; without `AIDIVIDE_CRASH_AT` they cost one empty call.

`AIDIVIDE_CRASH_AT=NAME[:COUNT][+MILLISECONDS]`: SIGKILL when NAME is passed for the COUNT-th time (1 when left out),
at once or, with `+`, so many milliseconds later, while the work goes on.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable

from aidivide_archive.environment import CRASH_AT

NAMES = (
    "in_migration",  # tables made, their transaction open
    "in_begin",  # a run's row written, its transaction open
    "in_lease",  # URLs handed out, transaction open
    "after_fetch",  # response received, nothing written
    "after_extract",  # WARC record written, document read
    "in_document",  # rows of a document written, not its acknowledgement
    "in_import_batch",  # rows of a batch of ready articles written, transaction open
    "before_sync",  # rows written, WARC file not yet durable
    "before_commit",  # WARC file durable, COMMIT not yet sent
    "after_commit",  # committed, nobody notified
    "in_settle",  # templates written, matches and stories not
    "after_settle",  # settled and committed
    "in_finish",  # the run's row closed, transaction open
    "during_checkpoint",  # SQLite copies its write-ahead log into the database
    "at_close",  # everything written, the writer's lock still held
)
_FORM = re.compile(r"(?P<name>\w+)(?::(?P<count>\d+))?(?:\+(?P<pause>\d+))?")


def _kill(pause: float = 0.0) -> None:
    time.sleep(pause)
    os.kill(os.getpid(), signal.SIGKILL)


def armed(text: str) -> Callable[[str], None]:
    """The function behind `crash_point` for a value of the variable. Raises ValueError."""
    form = _FORM.fullmatch(text)
    if form is None or form["name"] not in NAMES:
        raise ValueError(f"{CRASH_AT.name}={text!r}: names one of {', '.join(NAMES)}")
    wanted, left = form["name"], int(form["count"] or 1)

    def passed(name: str) -> None:
        nonlocal left
        if name != wanted:
            return
        left -= 1
        if left:
            return
        if form["pause"] is None:
            _kill()
        else:
            threading.Thread(target=_kill, args=(int(form["pause"]) / 1000,), daemon=True).start()

    return passed


_passed: Callable[[str], None] | None = None


def arm(text: str | None) -> None:
    """Have the process killed at one point, or at none. Raises ValueError."""
    global _passed
    _passed = armed(text) if text else None


def crash_point(name: str) -> None:
    """Pass a named place."""
    if _passed is not None:
        _passed(name)


arm(CRASH_AT.text)

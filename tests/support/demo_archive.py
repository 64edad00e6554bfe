"""The demo archive, made once for all tests of a run, whichever process asks for it first."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

NAME = "demo-archive"
"""As in the documents, where a reader runs `aidivide demo` in an empty folder."""


@dataclass(frozen=True)
class DemoArchive:
    folder: Path
    """Not to be written to, nor anything beside it: other tests read it at the same time."""
    printed: str
    """What `aidivide demo` printed on stdout."""

    def copy(self, to: Path) -> Path:
        """A copy that may be changed, in `to`, below its usual name."""
        return shutil.copytree(self.folder, to / NAME)


def run(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "aidivide_archive", *arguments]
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AIDIVIDE_")}
    return subprocess.run(
        line, cwd=where, env=mine, capture_output=True, text=True, check=True, timeout=300
    )


def demo_archive(tmp_path_factory: pytest.TempPathFactory, worker: str) -> DemoArchive:
    """`worker` is xdist's name of this process: the folder for all of them is one higher."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker == "master" else base.parent) / "demo"
    folder.mkdir(mode=0o700, exist_ok=True)
    printed = folder / "printed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            shutil.rmtree(folder / NAME, ignore_errors=True)  # of a process that was stopped
            output = run(folder, "demo").stdout
            printed.write_text(output, "utf-8")
    return DemoArchive(folder / NAME, printed.read_text("utf-8"))

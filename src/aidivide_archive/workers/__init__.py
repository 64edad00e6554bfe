"""Killable worker processes: a document that hangs, crashes or eats memory costs only itself."""

from aidivide_archive.workers.pool import TRIES, Starter, WorkerFailure, WorkerPool
from aidivide_archive.workers.starter import MEMORY_LIMIT_BYTES

__all__ = ["MEMORY_LIMIT_BYTES", "TRIES", "Starter", "WorkerFailure", "WorkerPool"]

"""Compose the stages: from a capture to a document that the archive stores in one transaction."""

PRELOAD = ("aidivide_archive.ingest.service",)
"""What a `workers.Starter` loads for `service.Ingest`: named here, so that a command can begin one before it loads
anything itself."""

"""Compose the stages: from a capture to a document that the archive stores in one transaction."""

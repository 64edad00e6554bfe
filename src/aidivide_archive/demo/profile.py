"""The demo's event profile, for the port the newsroom listens on."""

from __future__ import annotations

from importlib.resources import files


def profile_text(port: int) -> str:
    """TOML of the demo's profile with every address at `port`."""
    template = (files("aidivide_archive.demo") / "event.toml").read_text(encoding="utf-8")
    comment, schema, profile = template.partition("schema = 1\n")
    return comment + schema + profile.replace("{port}", str(port))

"""The tables of docs/architecture.md, made from the import contracts and the first sentence of each room.

`python -m tests.support.layers` writes them into the document.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

from tests.support.places import ROOT

DOCUMENT = ROOT / "docs" / "architecture.md"
MARKED = re.compile(r"(<!-- layers of (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def contracts() -> dict[str, list[str]]:
    """Layers from the highest to the lowest by the package that they divide; `a | b` do not know each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return {one["containers"][0]: one["layers"] for one in found if one["type"] == "layers"}


def _source(package: str, name: str) -> Path:
    parts = [*package.split("."), name]
    top = ROOT if parts[0] == "crawler" else ROOT / "src"
    folder = top.joinpath(*parts)
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def summary(path: Path) -> str:
    """The first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=\w[.])\s", paragraph)[0].rstrip(".")


def table(package: str) -> str:
    layers = contracts()[package]
    lines = ["| floor | room | what is in it |", "|---|---|---|"]
    for floor, layer in zip(range(len(layers), 0, -1), layers, strict=True):
        for name in layer.split(" | "):
            path = _source(package, name)
            shown = f"{name}/" if path.name == "__init__.py" else name
            lines.append(f"| {floor} | `{shown}` | {summary(path)} |")
    return "\n".join(lines) + "\n"


def with_tables(document: str) -> str:
    return MARKED.sub(lambda found: f"{found[1]}{table(found[2])}{found[3]}", document)


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text("utf-8")), "utf-8")

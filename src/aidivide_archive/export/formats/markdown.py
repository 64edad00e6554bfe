"""A Markdown note for each article, its fields as front matter: for Obsidian and other note keepers.

The values of the front matter are JSON, which YAML reads as the same values: no text becomes a date, a number or a key.
The body is the text with every sign escaped that Markdown or HTML would act on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from aidivide_archive.export.formats.jsonl import json_line
from aidivide_archive.export.registry import Context, Folder, Row, folder_exporter
from aidivide_archive.fields import Field
from aidivide_archive.words import undirected

_IN_BODY = ("title", "text", "excerpt")
_ACTIVE = re.compile(r"[\\`*_\[\]<>&~|$^]")
_LINE_START = re.compile(r"^(\s*)(?:([#+\-=:>])|(\d{1,9})([.)]))")
# What YAML 1.1 cannot hold as it is, beside what `undirected` replaced; JSON's escape is YAML's as well.
_NOT_IN_YAML = re.compile("[\ufeff\x85\u2028\u2029]")


@folder_exporter("markdown", suffix=".md.zip", summary="a note with front matter for each article")
def write_markdown(
    rows: Iterable[Row],
    columns: Sequence[Field],
    folder: Folder,
    context: Context,  # noqa: ARG001  # nothing more to say
) -> int:
    """`articles/ID.md`, named by ids alone."""
    fields = [column.name for column in columns if column.name not in ("text", "excerpt")]
    count = 0
    for row in rows:
        with folder.file(f"articles/{row['id']}.md") as stream:
            stream.write(note(row, fields).encode())
        count += 1
    return count


def note(row: Row, fields: Sequence[str]) -> str:
    """One article: front matter, headline, paragraphs."""
    lines = ["---"]
    for name in fields:
        value = row.get(name)
        if value not in (None, []):
            lines.append(f"{name}: {yaml_value(value)}")
    lines.append("---")
    body = [f"# {escaped(' '.join(undirected(str(row.get('title') or row['id'])).split()))}"]
    text = row.get("text") or row.get("excerpt") or ""
    body += [paragraph(line) for line in undirected(text).splitlines() if line.strip()]
    return "\n".join(lines) + "\n\n" + "\n\n".join(body) + "\n"


def yaml_value(value: object) -> str:
    """A value as JSON that every YAML reader takes for the same value."""
    text = json_line(_clean(value)).strip()
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return undirected(value)
    return [_clean(one) for one in value] if isinstance(value, list) else value


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no links."""
    return _ACTIVE.sub(lambda found: "&amp;" if found[0] == "&" else f"\\{found[0]}", text)


def paragraph(line: str) -> str:
    """A line as a paragraph: no heading, list, quotation or code block."""
    text = escaped(line.strip())
    return _LINE_START.sub(_as_text, text)


def _as_text(found: re.Match[str]) -> str:
    _, sign, number, dot = found.groups()
    return f"\\{sign}" if sign else f"{number}\\{dot}"

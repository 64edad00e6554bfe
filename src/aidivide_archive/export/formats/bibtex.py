"""BibTeX: the citation form of LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from aidivide_archive.export.citation import citation
from aidivide_archive.export.registry import ARTICLES_ONLY, Context, Row, exporter
from aidivide_archive.fields import Field

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_TEX = re.compile(r"[\\{}&%$#_~^]")
_NOT_IN_URL = re.compile(r"[\\{}\s]")


@exporter(
    "bibtex",
    suffix=".bib",
    summary="citations as BibTeX, for LaTeX",
    sets=ARTICLES_ONLY,
    compressible=True,
)
def write_bibtex(
    rows: Iterable[Row],
    columns: Sequence[Field],  # noqa: ARG001  # citations have fields of their own
    stream: BinaryIO,
    context: Context,  # noqa: ARG001
) -> int:
    from bibtexparser import writer
    from bibtexparser.library import Library
    from bibtexparser.model import Entry
    from bibtexparser.model import Field as EntryField

    count = 0
    for row in rows:
        fields = [EntryField(name, f"{{{value}}}") for name, value in entry_fields(row).items()]
        entry = Entry("misc", str(row["id"]), fields)
        stream.write((writer.write(Library([entry])) + "\n").encode())
        count += 1
    return count


def entry_fields(row: Row) -> dict[str, str]:
    """Fields of BibTeX and BibLaTeX, escaped; the address stays as it is: LaTeX sets it verbatim."""
    cited = citation(row)
    day = cited.published.isoformat() if cited.published else ""
    fields = {
        "title": f"{{{tex(cited.title)}}}" if cited.title else "",  # inner braces: capitals stay
        "author": " and ".join(f"{{{tex(name)}}}" for name in cited.authors if name),
        "howpublished": tex(cited.publication),
        "year": day[:4],
        "month": day[5:7].lstrip("0"),
        "date": day,
        "url": url(cited.url),
        "urldate": cited.captured.isoformat() if cited.captured else "",
        "language": tex(cited.language),
        "note": tex(cited.provenance),
    }
    return {name: value for name, value in fields.items() if value}


def tex(text: str) -> str:
    """Text that TeX sets as it stands; braces are always balanced, also for readers that count \\{ as one."""
    balanced = text if text.count("{") == text.count("}") and _nested(text) else _unbraced(text)
    return _TEX.sub(lambda found: _SPECIAL[found[0]], balanced)


def _nested(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


def _unbraced(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def url(text: str) -> str:
    """An address without the signs that end a BibTeX value or begin a comment in it."""
    return _NOT_IN_URL.sub(lambda found: f"%{ord(found[0]):02X}", text)

"""TEI P5: one `teiCorpus` with a `TEI` for each article, for corpus tools and digital editions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from lxml import etree
from lxml.builder import ElementMaker

from aidivide_archive.export.citation import citation
from aidivide_archive.export.registry import ARTICLES_ONLY, Context, Row, exporter
from aidivide_archive.export.texts import one_line
from aidivide_archive.fields import Field
from aidivide_archive.words import printable

TEI = "http://www.tei-c.org/ns/1.0"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_E = ElementMaker(namespace=TEI, nsmap={None: TEI})


@exporter(
    "tei",
    suffix=".tei.xml",
    summary="TEI P5 corpus, for corpus tools",
    sets=ARTICLES_ONLY,
    compressible=True,
)
def write_tei(
    rows: Iterable[Row],
    columns: Sequence[Field],  # noqa: ARG001  # TEI has elements of its own
    stream: BinaryIO,
    context: Context,
) -> int:
    count = 0
    with etree.xmlfile(stream, encoding="utf-8") as file:
        file.write_declaration()
        with file.element(f"{{{TEI}}}teiCorpus", nsmap={None: TEI}):
            file.write("\n", _corpus_header(context), "\n")
            for row in rows:
                file.write(tei(row, context), "\n")
                count += 1
    stream.write(b"\n")
    return count


def _corpus_header(context: Context) -> etree._Element:
    made = f" State of the archive: {context.made_at}." if context.made_at else ""
    return _E.teiHeader(
        _E.fileDesc(
            _E.titleStmt(_E.title(one_line(context.title))),
            _E.publicationStmt(_E.publisher(one_line(context.software)), _availability(context)),
            _E.sourceDesc(_E.p(f"News articles from the web; each with its source.{made}")),
        ),
        _E.encodingDesc(
            _E.projectDesc(
                _E.p(
                    "Clean text of web pages, one p for each paragraph; navigation and what a site "
                    "repeats on its pages is cut."
                )
            )
        ),
    )


def _availability(context: Context) -> etree._Element:
    return _E.availability(_E.p(one_line(context.rights)), status="restricted")


def tei(row: Row, context: Context) -> etree._Element:
    """One article; `xml:id` is its id."""
    language = one_line(row.get("language")) or "und"
    cited = citation(row)
    title = cited.title or cited.key
    header = _E.teiHeader(
        _E.fileDesc(
            _E.titleStmt(_E.title(title), *map(_E.author, cited.authors)),
            _E.publicationStmt(
                _E.publisher(one_line(context.software)),
                _E.idno(cited.key, type="article"),
                _availability(context),
            ),
            _E.sourceDesc(_E.bibl(*_source(row))),
        ),
        _E.profileDesc(
            _E.langUsage(_E.language(ident=language)),
            *_classes(row),
        ),
    )
    text = printable(row.get("text") or row.get("excerpt") or "")
    paragraphs = [_E.p(line) for line in text.split("\n") if line.strip()] or [_E.p()]
    element = _E.TEI(header, _E.text(_E.body(_E.head(title), *paragraphs)))
    element.set(f"{_XML}id", cited.key)
    element.set(f"{_XML}lang", language)
    return element


def _source(row: Row) -> Iterator[etree._Element]:
    cited = citation(row)
    yield _E.title(cited.title or cited.key)
    yield from map(_E.author, cited.authors)
    if cited.publication:
        yield _E.publisher(cited.publication)
    if cited.published:
        yield _E.date(when=row.get("published_at") or cited.published.isoformat())
    if cited.url:
        yield _E.idno(cited.url, type="URL")
    if cited.provenance:
        yield _E.note(cited.provenance, type="provenance")


def _classes(row: Row) -> Iterator[etree._Element]:
    names = ("section", "story_id", "role", "country", "text_left_out")
    known = [(name, one_line(row.get(name))) for name in names if row.get(name)]
    if known:
        yield _E.textClass(*(_E.classCode(value, scheme=f"#{name}") for name, value in known))

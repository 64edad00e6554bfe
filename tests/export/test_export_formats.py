"""Each format is read back by the tool that people open it with, and holds the same."""

import csv
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import bibtexparser
import duckdb
import frontmatter
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rispy
from lxml import etree
from markdown_it import MarkdownIt

from aidivide_archive.display import day_of
from aidivide_archive.export import Context, exporters
from aidivide_archive.export.formats.bibtex import tex
from aidivide_archive.export.formats.csl import csl_item
from aidivide_archive.export.formats.markdown import escaped, paragraph
from aidivide_archive.export.formats.parquet import arrow_schema
from aidivide_archive.export.formats.xlsx import CUT_MARK, MAX_CELL_UNITS, fitting
from aidivide_archive.export.target import export_rows
from aidivide_archive.export.texts import one_line
from aidivide_archive.fields import ARTICLES
from aidivide_archive.words import printable, undirected
from tests.support.export_rows import HOSTILE, HOSTILE_TITLES, ROWS, article

NAMES = [column.name for column in ARTICLES]
ALL = (*ROWS, *HOSTILE)


def write(name: str, path: Path, rows=ALL, **context: Any) -> Path:
    found = Context(made_at="2025-07-28T12:30:15Z", **context)
    assert export_rows(exporters()[name], iter(rows), ARTICLES, path, context=found) == len(rows)
    return path


def without_surrogates(value: Any) -> Any:
    if isinstance(value, list):
        return [without_surrogates(one) for one in value]
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value


def typed(row: dict[str, Any]) -> dict[str, Any]:
    """A row as typed columns hold it."""
    found = {name: without_surrogates(row[name]) for name in NAMES}
    for column in ARTICLES:
        if column.type == "time" and row[column.name]:
            found[column.name] = datetime.fromisoformat(row[column.name]).astimezone(UTC)
        if column.type == "day" and row[column.name]:
            found[column.name] = date.fromisoformat(row[column.name])
    return found


# --- JSON Lines, CSV -----------------------------------------------------------------------------


def test_jsonl_is_read_by_pandas_and_duckdb(tmp_path: Path):
    path = write("jsonl", tmp_path / "x.jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    assert lines == [{name: without_surrogates(row[name]) for name in NAMES} for row in ALL]
    frame = pd.read_json(path, lines=True, dtype=False)
    assert list(frame.columns) == NAMES
    assert frame["title"].tolist() == [without_surrogates(row["title"]) for row in ALL]
    found = duckdb.sql(f"SELECT id, text FROM read_json('{path}') ORDER BY id").fetchall()
    assert found == sorted((row["id"], without_surrogates(row["text"])) for row in ALL)


def test_raw_csv_is_read_by_pandas_and_duckdb(tmp_path: Path):
    path = write("csv", tmp_path / "x.csv", rows=ROWS, raw=True)
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    assert list(frame.columns) == NAMES
    assert frame["text"].tolist() == [row["text"] for row in ROWS]
    assert frame["authors"].tolist() == ["Ann Lee; José Díaz", "新华社", ""]
    found = duckdb.sql(f"SELECT id, title, word_count FROM read_csv('{path}')").fetchall()
    assert found == [(row["id"], row["title"], 7) for row in ROWS]


@pytest.mark.fault("S06")
def test_no_cell_of_a_csv_file_is_a_formula(tmp_path: Path):
    text = write("csv", tmp_path / "x.csv").read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == len(ALL) + 1
    for row in rows[1:]:
        assert len(row) == len(NAMES)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)
        assert not any("\u202e" in cell or "\x1b" in cell for cell in row)


# --- XLSX ----------------------------------------------------------------------------------------


@pytest.mark.fault("S06")
def test_xlsx_is_read_by_openpyxl_and_every_text_is_text(tmp_path: Path):
    path = write("xlsx", tmp_path / "x.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["articles"]
    header, *rows = book["articles"].iter_rows()
    assert [cell.value for cell in header] == NAMES
    assert len(rows) == len(ALL)
    for cells, row in zip(rows, ALL, strict=True):
        assert all(cell.data_type in ("s", "n", "b", "inlineStr") for cell in cells)
        assert not any(cell.hyperlink for cell in cells)
        found = dict(zip(NAMES, (cell.value for cell in cells), strict=True))
        assert found["word_count"] == 7
        assert found["relevance_score"] == 12.5
        assert found["published_from"] == row["published_from"]  # a text with its zone
        wanted = undirected(row["title"])
        # openpyxl reads a carriage return as XML does, and an empty text as nothing
        assert (found["title"] or "").replace("_x000D_", "\r") == wanted or not wanted.strip()


def test_a_workbook_is_the_same_at_another_time_and_names_its_own(tmp_path: Path):
    first = write("xlsx", tmp_path / "a.xlsx").read_bytes()
    assert write("xlsx", tmp_path / "b.xlsx").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert b"2025-07-28T12:30:15Z" in book.read("docProps/core.xml")


@pytest.mark.parametrize("sign", ["x", "弥", "😀"])
def test_a_text_too_long_for_a_cell_is_cut_and_says_so(sign: str, tmp_path: Path):
    units = len(sign.encode("utf-16-le")) // 2
    longest = sign * (MAX_CELL_UNITS // units)
    assert fitting(longest) == longest
    cut = fitting(longest + sign)
    assert cut.endswith(CUT_MARK)
    assert len(cut.encode("utf-16-le")) // 2 <= MAX_CELL_UNITS
    assert set(cut.removesuffix(CUT_MARK)) == {sign}
    path = write("xlsx", tmp_path / "x.xlsx", rows=(article(1, text=longest + sign),))
    sheet = openpyxl.load_workbook(path)["articles"]
    assert sheet.cell(2, NAMES.index("text") + 1).value == cut


# --- Parquet, Hugging Face -----------------------------------------------------------------------


def test_parquet_is_read_by_pandas_and_duckdb_with_its_types(tmp_path: Path):
    path = write("parquet", tmp_path / "x.parquet")
    table = pq.read_table(path)
    assert table.schema.equals(arrow_schema(ARTICLES))
    assert table.to_pylist() == [typed(row) for row in ALL]
    frame = pd.read_parquet(path)
    assert str(frame["published_from"].dtype) == "datetime64[us, UTC]"
    assert frame["text"].tolist() == [without_surrogates(row["text"]) for row in ALL]
    types = dict(
        duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'")
        .project("column_name, column_type")
        .fetchall()
    )
    assert types["published_from"] == "TIMESTAMP WITH TIME ZONE"
    assert types["authors"] == "VARCHAR[]"
    assert types["word_count"] == "BIGINT"


def test_parquet_ends_a_row_group_before_memory_grows(tmp_path: Path):
    rows = [article(number, text="x" * (1 << 20)) for number in range(60)]
    path = write("parquet", tmp_path / "x.parquet", rows=rows)
    groups = pq.ParquetFile(path).metadata
    assert groups.num_row_groups == 15
    assert groups.num_rows == 60


def test_a_hugging_face_folder_has_its_data_and_a_card_that_finds_them(tmp_path: Path):
    path = write("huggingface", tmp_path / "hf", title='Talks: "harbour" <b>\nlicense: mit')
    card = frontmatter.load(str(path / "README.md"))
    assert card["license"] == "other"
    assert card["language"] == ["en", "zh"]
    (config,) = card["configs"]
    assert config["data_files"] == [{"split": "train", "path": "data/articles-*.parquet"}]
    files = list((path / "data").glob("articles-*.parquet"))
    assert [one.name for one in files] == ["articles-00000.parquet"]
    assert pq.read_table(files[0]).num_rows == len(ALL)
    assert card["pretty_name"] == 'Talks: "harbour" <b> license: mit'
    assert "`published_from`" in card.content


# --- Markdown, text ------------------------------------------------------------------------------


@pytest.mark.fault("S05", "S10")
def test_markdown_notes_have_front_matter_and_a_harmless_body(tmp_path: Path):
    path = write("markdown", tmp_path / "notes")
    assert {one.name for one in (path / "articles").iterdir()} == {f"{row['id']}.md" for row in ALL}
    for row in ALL:
        text = (path / "articles" / f"{row['id']}.md").read_text("utf-8")
        note = frontmatter.loads(text)
        assert note["id"] == row["id"]
        assert note["title"] == undirected(row["title"])
        assert note.get("authors", []) == [undirected(one) for one in row["authors"]]
        assert note["word_count"] == 7
        assert note.get("published_at") == row["published_at"]  # text, not a date
        shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(note.content)
        tags = set(re.findall(r"<(/?\w+)", shown))
        assert tags <= {"h1", "/h1", "p", "/p"}, shown
        body = etree.fromstring(f"<x>{shown}</x>")
        paragraphs = ["".join(one.itertext()) for one in body.iter("p")]
        assert paragraphs == [
            one.strip() for one in undirected(row["text"]).splitlines() if one.strip()
        ]


@pytest.mark.parametrize(
    "line",
    [
        "# x",
        "- x",
        "+ x",
        "1. x",
        "2) x",
        "> x",
        "===",
        "---",
        "    x",
        "~~~",
        "|a|b|",
        "* * *",
        "<b>",
        "&lt;",
        "a  ",
    ],
)
def test_no_line_is_markup(line: str):
    shown = MarkdownIt("commonmark", {"html": True}).render(paragraph(line) + "\n")
    assert "".join(etree.fromstring(shown).itertext()) == line.strip()
    assert escaped("plain words, 3.5 %") == "plain words, 3.5 %"


@pytest.mark.fault("S10")
def test_a_text_folder_has_a_file_for_each_article_and_a_table(tmp_path: Path):
    path = write("text", tmp_path / "texts")
    with (path / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [row["id"] for row in ALL]
    for found, row in zip(rows, ALL, strict=True):
        assert re.fullmatch(r"texts/a-[0-9a-f]{12}\.txt", found["file"])
        text = (path / found["file"]).read_bytes().decode()
        assert text == printable(row["text"]) + "\n"
        assert "text" not in found
        assert not found["title"].startswith(("=", "+", "-", "@"))


# --- TEI -----------------------------------------------------------------------------------------

TEI = "{http://www.tei-c.org/ns/1.0}"
# The elements that the exporter writes, in the order and with the children that TEI P5 allows them.
RELAX_NG = """
<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="http://www.tei-c.org/ns/1.0"
         datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start><element name="teiCorpus"><ref name="corpusHeader"/><oneOrMore><ref name="TEI"/></oneOrMore></element></start>
  <define name="corpusHeader"><element name="teiHeader">
    <element name="fileDesc">
      <element name="titleStmt"><element name="title"><text/></element></element>
      <element name="publicationStmt"><element name="publisher"><text/></element><ref name="availability"/></element>
      <element name="sourceDesc"><element name="p"><text/></element></element>
    </element>
    <element name="encodingDesc"><element name="projectDesc"><element name="p"><text/></element></element></element>
  </element></define>
  <define name="availability"><element name="availability"><attribute name="status"><value>restricted</value></attribute>
    <element name="p"><text/></element></element></define>
  <define name="titled"><element name="title"><text/></element>
    <zeroOrMore><element name="author"><text/></element></zeroOrMore></define>
  <define name="TEI"><element name="TEI">
    <attribute name="id" ns="http://www.w3.org/XML/1998/namespace"><data type="ID"/></attribute>
    <attribute name="lang" ns="http://www.w3.org/XML/1998/namespace"><data type="language"/></attribute>
    <element name="teiHeader">
      <element name="fileDesc">
        <element name="titleStmt"><ref name="titled"/></element>
        <element name="publicationStmt"><element name="publisher"><text/></element>
          <element name="idno"><attribute name="type"/><text/></element><ref name="availability"/></element>
        <element name="sourceDesc"><element name="bibl"><ref name="titled"/>
          <optional><element name="publisher"><text/></element></optional>
          <optional><element name="date"><attribute name="when">
            <choice><data type="date"/><data type="dateTime"/></choice></attribute></element></optional>
          <optional><element name="idno"><attribute name="type"><value>URL</value></attribute><text/></element></optional>
          <optional><element name="note"><attribute name="type"/><text/></element></optional>
        </element></element>
      </element>
      <element name="profileDesc">
        <element name="langUsage"><element name="language"><attribute name="ident"><data type="language"/></attribute><empty/></element></element>
        <optional><element name="textClass"><oneOrMore><element name="classCode">
          <attribute name="scheme"><data type="anyURI"/></attribute><text/></element></oneOrMore></element></optional>
      </element>
    </element>
    <element name="text"><element name="body"><element name="head"><text/></element>
      <oneOrMore><element name="p"><text/></element></oneOrMore></element></element>
  </element></define>
</grammar>
"""


@pytest.mark.fault("S05")
def test_tei_is_valid_and_holds_every_paragraph(tmp_path: Path):
    path = write("tei", tmp_path / "x.tei.xml")
    tree = etree.parse(path)
    grammar = etree.RelaxNG(etree.fromstring(RELAX_NG))
    assert grammar.validate(tree), grammar.error_log
    texts = tree.getroot().findall(f"{TEI}TEI")
    ids = [one.get("{http://www.w3.org/XML/1998/namespace}id") for one in texts]
    assert ids == [row["id"] for row in ALL]
    assert len(set(ids)) == len(ids)
    for element, row in zip(texts, ALL, strict=True):
        title = element.findtext(f".//{TEI}titleStmt/{TEI}title")
        assert title == (one_line(row["title"]) or row["id"])
        paragraphs = [one.text for one in element.iterfind(f".//{TEI}body/{TEI}p")]
        wanted = printable(row["text"]).replace("\r", "\n").split("\n")
        assert [
            one for p in paragraphs for one in p.replace("\r", "\n").split("\n") if one.strip()
        ] == [one for one in wanted if one.strip()]
        assert element.findtext(f".//{TEI}idno[@type='URL']") == row["url"]


# --- citations -----------------------------------------------------------------------------------


def test_csl_holds_the_citation_and_the_capture(tmp_path: Path):
    row = article(7, warc_file="x.warc.gz", warc_offset=12)
    assert csl_item(row) == {
        "id": "a-000000000007",
        "type": "article-newspaper",
        "title": "Headline 7",
        "author": [{"literal": "Ann Lee"}, {"literal": "José Díaz"}],
        "container-title": "One Daily",
        "issued": {"date-parts": [[2025, 7, 27]]},
        "accessed": {"date-parts": [[2025, 7, 28]]},
        "URL": row["url"],
        "language": "en",
        "section": "World",
        "abstract": "What was said.",
        "archive_location": "x.warc.gz#12",
        "note": f"Captured 2025-07-28T12:30:15Z in x.warc.gz at byte 12; SHA-256 of the text {7:064x}",
        "custom": {
            "captured_at": "2025-07-28T12:30:15Z",
            "warc_file": "x.warc.gz",
            "warc_offset": 12,
            "text_sha256": f"{7:064x}",
            "story_id": "s-000000000007",
            "role": "origin",
        },
    }
    items = json.loads(write("csl", tmp_path / "x.csl.json").read_text("utf-8"))
    assert [one["id"] for one in items] == [row["id"] for row in ALL]
    assert items[2]["container-title"] == "one.example"
    assert "issued" not in items[2]


def test_a_day_without_time_is_cited_as_the_day_of_its_zone():
    assert day_of(ROWS[1]) == date(2025, 7, 28)  # of Shanghai, which begins on the 27th in UTC
    assert day_of(ROWS[2]) is None


def test_ris_is_read_by_rispy(tmp_path: Path):
    text = write("ris", tmp_path / "x.ris").read_text("utf-8")
    found = rispy.loads(text)
    assert len(found) == len(ALL) == text.count("TY  - NEWS")
    for reference, row in zip(found, ALL, strict=True):
        assert reference["type_of_reference"] == "NEWS"
        assert reference["id"] == row["id"]
        assert reference.get("title", "") == one_line(row["title"])
        assert reference.get("authors", []) == [one for one in map(one_line, row["authors"]) if one]
        assert reference["urls"] == [row["url"]]
        assert row["text_sha256"] in reference["notes"][0]
    assert found[0]["date"] == "2025/07/27"


def test_bibtex_is_read_by_bibtexparser(tmp_path: Path):
    path = write("bibtex", tmp_path / "x.bib")
    library = bibtexparser.parse_string(path.read_text("utf-8"))
    assert not library.failed_blocks
    assert [one.key for one in library.entries] == [row["id"] for row in ALL]
    for entry, row in zip(library.entries, ALL, strict=True):
        fields = {name: field.value for name, field in entry.fields_dict.items()}
        title = one_line(row["title"])
        assert fields.get("title", "") == (f"{{{tex(title)}}}" if title else "")
        assert fields["url"] == row["url"]  # as it is, "_" and "&" too
        assert row["text_sha256"] in fields["note"]
    assert library.entries[0].fields_dict["author"].value == "{Ann Lee} and {José Díaz}"
    assert library.entries[0].fields_dict["date"].value == "2025-07-27"


@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_no_title_is_a_command_of_tex_or_ends_its_value(title: str):
    text = tex(one_line(title))
    plain = re.sub(r"\\(?:text\w+\{\}|[{}&%$#_])", "", text)
    assert not re.search(r"[\\{}&%$#_~^]", plain)
    assert text.replace(r"\{", "").count("{") == text.replace(r"\}", "").count("}")

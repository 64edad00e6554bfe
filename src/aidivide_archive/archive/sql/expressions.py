"""Pieces of SQL that the engines write differently, and the rules that rows and views share."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter

from aidivide_archive.evidence import EvidenceKind
from aidivide_archive.model import Access, Completeness


@dataclass(frozen=True, slots=True)
class Sql:
    """What the engines write differently."""

    is_sqlite: bool

    def article_id(self, column: str, letter: str = "a") -> str:
        hexadecimal = (
            f"printf('%012x', {column})" if self.is_sqlite else f"lpad(to_hex({column}), 12, '0')"
        )
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE '{letter}-' || {hexadecimal} END"

    def story_id(self, column: str) -> str:
        return self.article_id(column, "s")

    def time(self, column: str) -> str:
        """ISO 8601 UTC to the second."""
        if self.is_sqlite:
            return f"substr({column}, 1, 19) || 'Z'"
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

    def instant(self, table: str) -> str:
        """The publication, when it is known to the hour or better."""
        start, end = f"{table}.published_from", f"{table}.published_to"
        short = (
            f"(julianday({end}) - julianday({start})) * 24 <= 1.00001"
            if self.is_sqlite
            else f"{end} - {start} <= interval '1 hour'"
        )
        return f"CASE WHEN {short} THEN {self.time(start)} END"

    def joined(self, column: str, key: str | None = None) -> str:
        """A JSON list of texts as "one; two"."""
        if self.is_sqlite:
            path = f", '$.{key}'" if key else ""
            return f"(SELECT group_concat(value, '; ') FROM json_each({column}{path}))"
        place = f"{column} -> '{key}'" if key else column
        return (
            "(SELECT string_agg(part, '; ' ORDER BY place) FROM "
            f"jsonb_array_elements_text({place}) WITH ORDINALITY AS parts (part, place))"
        )

    def worded(self, column: str) -> str:
        """A stored list of evidence as its notes, "one; two"; a text stands as it is."""
        notes = " ".join(
            f"WHEN '{kind.value}' THEN {self._note(kind.note)}" for kind in EvidenceKind
        )
        kind = self.text_of("value", "kind")
        one = f"CASE {kind} {notes} ELSE {kind} END"
        if self.is_sqlite:
            return (
                f"(SELECT group_concat(CASE WHEN type <> 'object' THEN value ELSE {one} END, '; ') "
                f"FROM json_each({column}))"
            )
        return (
            "(SELECT string_agg(CASE WHEN jsonb_typeof(value) <> 'object' THEN value #>> '{}' "
            f"ELSE {one} END, '; ' ORDER BY place) "
            f"FROM jsonb_array_elements({column}) WITH ORDINALITY AS parts (value, place))"
        )

    def _note(self, template: str) -> str:
        """What `evidence.worded` makes of a template, as an expression of the object `value`."""
        parts = []
        for words, field, form, _ in Formatter().parse(template):
            if words:
                parts.append("'" + words.replace("'", "''") + "'")
            if field:
                parts.append(self._signed(field) if form else f"({self.text_of('value', field)})")
        return " || ".join(parts)

    def _signed(self, key: str) -> str:
        """As `{:+.2f}`, the one format that a note has."""
        number = self.text_of("value", key)
        if self.is_sqlite:
            return f"printf('%+.2f', {number})"
        return f"to_char(CAST({number} AS numeric), 'FMSG999999990.00')"

    def text_of(self, column: str, key: str) -> str:
        return f"json_extract({column}, '$.{key}')" if self.is_sqlite else f"{column} ->> '{key}'"

    def as_text(self, column: str) -> str:
        return column if self.is_sqlite else f"CAST({column} AS text)"

    def smallest_event(self, more: str = "") -> str:
        collation = "" if self.is_sqlite else ' COLLATE "C"'
        return f"(SELECT min(event_id{collation}) FROM relevance WHERE url_id = articles.id{more})"

    def event(self) -> str:
        """The event an article is shown with: the smallest that did not reject it, else the smallest."""
        kept = self.smallest_event(" AND decision <> 'reject'")
        return f"coalesce({kept}, {self.smallest_event()})"

    def judged(self, column: str) -> str:
        return (
            f"(SELECT {column} FROM relevance "
            f"WHERE url_id = articles.id AND event_id = {self.event()})"
        )

    def rounded(self, column: str, digits: int) -> str:
        if self.is_sqlite:
            return f"round({column}, {digits})"
        return (
            f"round(CAST({column} AS numeric), {digits})"  # numeric: only that can be rounded again
        )

    def access(self) -> str:
        """`Access` of an article whose extraction is joined; teasers and paywalls are not distinguished yet."""
        withheld = self.text_of("extractions.fields", "withheld")
        return (
            f"CASE WHEN {withheld} IS NOT NULL THEN '{Access.WITHHELD}' "
            f"WHEN extractions.capture_id IS NOT NULL THEN '{Access.OPEN}' END"
        )

    def complete(self) -> str:
        """1 or 0 on both engines, of an article whose extraction and capture are joined."""
        withheld = self.text_of("extractions.fields", "withheld")
        missing = self.text_of("extractions.fields", "missing_pages")
        return (
            f"CASE WHEN extractions.capture_id IS NULL OR {withheld} IS NOT NULL THEN NULL "
            f"WHEN captures.completeness = '{Completeness.COMPLETE}' AND {missing} IS NULL "
            "THEN 1 ELSE 0 END"
        )

"""The views: readable names, ids and times for whoever asks in SQL; the same columns on both engines.

Every join is a look-up by a key; what is wide or costly is a sub-query, which only a question that names it pays. A migration that changes
a table below them calls `drop` first and `create` at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from string import Formatter
from typing import TypeAlias

import sqlalchemy as sa

from aidivide_archive.evidence import EvidenceKind
from aidivide_archive.model import Channel, Relation, UrlKind, UrlState


def one_of(values: Iterable[str]) -> str:
    """All that a column may hold, as "page, hub or feed"."""
    *others, last = values
    return f"{', '.join(others)} or {last}"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    name: str
    comment: str
    expression: str


@dataclass(frozen=True, slots=True)
class View:
    name: str
    comment: str
    columns: tuple[ViewColumn, ...]
    source: str
    """FROM and what follows."""

    def statement(self) -> str:
        listed = ", ".join(f"{one.expression} AS {one.name}" for one in self.columns)
        return f"CREATE VIEW {self.name} AS SELECT {listed} {self.source}"


Made: TypeAlias = list[tuple[str, str, str]]
"""Name, what it is, expression."""


@dataclass(frozen=True, slots=True)
class _Sql:
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

    def day(self, table: str) -> str:
        """The date of the middle of the interval: the day of a zone begins up to 14 hours off in UTC."""
        start, end = f"{table}.published_from", f"{table}.published_to"
        if self.is_sqlite:
            return f"date((julianday({start}) + julianday({end})) / 2)"
        return f"to_char(({start} + ({end} - {start}) / 2) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"

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


_FIELDS = "(SELECT fields FROM extractions WHERE extractions.id = articles.extraction_id)"
_ID = "Id of the article"
_OUTLET = "Outlet as the event profile names it; empty: in no profile"
_COUNTRY = "Country of the outlet, ISO 3166-1 alpha-2"
_PUBLISHED_AT = "Publication, UTC; empty when only the day, or nothing, is known"
_DAY = "Day of publication (UTC; of a day without time: that day)"
_ROLE = "Role in its story: origin, copy, edited_copy, syndicated, excerpt, roundup, update"
_SHARE = "Share of its text that stands in the origin, 0 to 1"
_HOURS = "Hours between the publication of the origin and its own"
_STORY = "Id of the story"


def _articles(sql: _Sql) -> View:
    columns: Made = [
        ("id", _ID, sql.article_id("articles.id")),
        ("url", "Address", "articles.url"),
        ("title", "Headline", "articles.title"),
        ("authors", "Authors, joined with ;", sql.joined(_FIELDS, "authors")),
        ("outlet", _OUTLET, "outlets.name"),
        ("country", _COUNTRY, "outlets.country"),
        ("site", "Registrable domain", "articles.site"),
        ("language", "Language of the text, BCP 47", "articles.language"),
        ("published_at", _PUBLISHED_AT, sql.instant("articles")),
        ("published_day", _DAY, sql.day("articles")),
        ("published_from", "Published not before, UTC", sql.time("articles.published_from")),
        ("published_to", "Published before, UTC", sql.time("articles.published_to")),
        ("published_source", "Where the publication time stands", "articles.published_source"),
        ("section", "Section of the outlet", sql.text_of(_FIELDS, "section")),
        (
            "word_count",
            "Words of the text; characters in scripts without spaces",
            "articles.word_count",
        ),
        ("story_id", _STORY, sql.story_id("story_members.story_id")),
        ("role", _ROLE, "story_members.role"),
        ("share_copied", _SHARE, sql.rounded("story_members.share_copied", 4)),
        ("hours_after_origin", _HOURS, sql.rounded("story_members.hours_after_origin", 2)),
        ("event", "Event it is shown with", sql.event()),
        ("relevance_score", "Points for that event", sql.judged("score")),
        ("relevance_decision", "keep or review", sql.judged("decision")),
        ("revision", "Number of the newest revision, from 1", "articles.revision"),
        ("captured_at", "First capture or import, UTC", sql.time("articles.captured_at")),
        ("text_sha256", "SHA-256 of the text", "articles.text_sha256"),
    ]
    # what only some questions name is a sub-query, which costs nothing unless it is named
    source = (
        "FROM articles LEFT JOIN outlets ON outlets.host = articles.host "
        "LEFT JOIN story_members ON story_members.article_id = articles.id"
    )
    return _view(
        "v_articles", "Every article with its outlet, time, story and relevance", columns, source
    )


def _texts(sql: _Sql) -> View:
    columns: Made = [
        ("id", _ID, sql.article_id("articles.id")),
        ("url", "Address", "articles.url"),
        ("title", "Headline", "articles.title"),
        ("text", "Clean text, one paragraph a line", "extractions.text"),
        ("description", "Summary by the outlet", sql.text_of("extractions.fields", "description")),
    ]
    source = "FROM articles JOIN extractions ON extractions.id = articles.extraction_id"
    return _view("v_texts", "The text of every article", columns, source)


def _stories(sql: _Sql) -> View:
    members = (
        "FROM story_members JOIN articles ON articles.id = story_members.article_id "
        "LEFT JOIN outlets ON outlets.host = articles.host WHERE story_members.story_id = stories.id"
    )
    columns: Made = [
        ("id", _STORY, sql.story_id("stories.id")),
        ("title", "Headline of the origin", "origin.title"),
        ("articles", "Number of articles", "stories.size"),
        (
            "outlets",
            "Number of outlets (or sites)",
            f"(SELECT count(DISTINCT coalesce(outlets.name, articles.site)) {members})",
        ),
        ("countries", "Number of countries", f"(SELECT count(DISTINCT outlets.country) {members})"),
        ("origin_id", "Article taken for the origin", sql.article_id("stories.origin_id")),
        ("origin_url", "Its address", "origin.url"),
        ("origin_outlet", "Its outlet", "outlets.name"),
        (
            "published_at",
            "Its publication, UTC; empty when not known to the hour",
            sql.instant("origin"),
        ),
        ("published_day", "Its day of publication", sql.day("origin")),
        (
            "last_published_day",
            "Day of the latest article with a time",
            f"(SELECT max({sql.day('articles')}) {members})",
        ),
    ]
    source = (
        "FROM stories JOIN articles AS origin ON origin.id = stories.origin_id "
        "LEFT JOIN outlets ON outlets.host = origin.host"
    )
    return _view("v_stories", "Every story; of one article as well", columns, source)


def _copies(sql: _Sql) -> View:
    columns: Made = [
        ("story_id", _STORY, sql.story_id("stories.id")),
        ("copy_id", "The article that copied", sql.article_id("mine.id")),
        ("copy_url", "Its address", "mine.url"),
        ("copy_title", "Its headline", "mine.title"),
        ("copy_outlet", "Its outlet", "mine_outlet.name"),
        ("copy_country", "Its outlet's country", "mine_outlet.country"),
        ("copy_published_at", _PUBLISHED_AT, sql.instant("mine")),
        ("copy_published_day", _DAY, sql.day("mine")),
        ("role", _ROLE, "story_members.role"),
        ("share_copied", _SHARE, sql.rounded("story_members.share_copied", 4)),
        ("hours_after_origin", _HOURS, sql.rounded("story_members.hours_after_origin", 2)),
        ("origin_id", "The article copied from", sql.article_id("origin.id")),
        ("origin_url", "Its address", "origin.url"),
        ("origin_title", "Its headline", "origin.title"),
        ("origin_outlet", "Its outlet", "origin_outlet.name"),
        ("origin_country", "Its outlet's country", "origin_outlet.country"),
        ("confidence", "In the role, 0 to 1", sql.rounded("story_members.confidence", 4)),
        ("reasons", "Why, joined with ;", sql.worded("story_members.reasons")),
    ]
    source = (
        "FROM story_members JOIN stories ON stories.id = story_members.story_id "
        "JOIN articles AS mine ON mine.id = story_members.article_id "
        "JOIN articles AS origin ON origin.id = stories.origin_id "
        "LEFT JOIN outlets AS mine_outlet ON mine_outlet.host = mine.host "
        "LEFT JOIN outlets AS origin_outlet ON origin_outlet.host = origin.host "
        "WHERE story_members.role <> 'origin'"
    )
    return _view(
        "v_copies", "Who copied whom: every article of a story but its origin", columns, source
    )


def _matches(sql: _Sql) -> View:
    columns: Made = [
        ("a_id", "Article with the smaller URL", sql.article_id("matches.a_id")),
        ("a_url", "Its address", "a.url"),
        ("a_outlet", "Its outlet", "a_outlet.name"),
        ("b_id", "The other article", sql.article_id("matches.b_id")),
        ("b_url", "Its address", "b.url"),
        ("b_outlet", "Its outlet", "b_outlet.name"),
        ("relation", one_of(Relation), "matches.relation"),
        ("contains", "a: a contains b; b: b contains a", "matches.contains"),
        ("jaccard", "Shared shingles / all shingles", sql.rounded("matches.jaccard", 4)),
        ("containment_a", "Share of a that stands in b", sql.rounded("matches.containment_a", 4)),
        ("containment_b", "Share of b that stands in a", sql.rounded("matches.containment_b", 4)),
        ("longest_passage_words", "Longest shared run of words", "matches.longest_passage_words"),
        ("decided_by", "machine or person", "matches.decided_by"),
        ("reasons", "Why, joined with ;", sql.worded("matches.reasons")),
    ]
    source = (
        "FROM matches JOIN articles AS a ON a.id = matches.a_id JOIN articles AS b ON b.id = matches.b_id "
        "LEFT JOIN outlets AS a_outlet ON a_outlet.host = a.host "
        "LEFT JOIN outlets AS b_outlet ON b_outlet.host = b.host"
    )
    return _view("v_matches", "Every compared pair that shares text", columns, source)


def _timeline(sql: _Sql) -> View:
    columns: Made = [
        ("published_day", _DAY, sql.day("articles")),
        ("published_at", _PUBLISHED_AT, sql.instant("articles")),
        ("outlet", _OUTLET, "outlets.name"),
        ("country", _COUNTRY, "outlets.country"),
        ("language", "Language of the text, BCP 47", "articles.language"),
        ("title", "Headline", "articles.title"),
        ("role", _ROLE, "story_members.role"),
        ("story_id", _STORY, sql.story_id("story_members.story_id")),
        ("story_articles", "Articles of that story", "stories.size"),
        ("article_id", _ID, sql.article_id("articles.id")),
        ("url", "Address", "articles.url"),
    ]
    source = (
        "FROM articles LEFT JOIN outlets ON outlets.host = articles.host "
        "LEFT JOIN story_members ON story_members.article_id = articles.id "
        "LEFT JOIN stories ON stories.id = story_members.story_id "
        "WHERE articles.published_from IS NOT NULL"
    )
    return _view(
        "v_timeline",
        "Publications whose time is known; order by published_day, published_at",
        columns,
        source,
    )


def _outlets(sql: _Sql) -> View:
    of_story = "stories.size > 1 AND story_members.role"
    columns: Made = [
        ("outlet", "Name in the profile, else the site", "coalesce(outlets.name, articles.site)"),
        ("country", _COUNTRY, "max(outlets.country)"),
        ("articles", "Number of articles", "count(*)"),
        (
            "first_with_story",
            "Stories of two or more of which it has the origin",
            f"sum(CASE WHEN {of_story} = 'origin' THEN 1 ELSE 0 END)",
        ),
        (
            "copies",
            "Its articles that are not the origin of their story",
            f"sum(CASE WHEN {of_story} <> 'origin' THEN 1 ELSE 0 END)",
        ),
        ("first_published", "Earliest publication, UTC", sql.time("min(articles.published_from)")),
        ("last_published", "Latest publication, UTC", sql.time("max(articles.published_from)")),
    ]
    source = (
        "FROM articles LEFT JOIN outlets ON outlets.host = articles.host "
        "LEFT JOIN story_members ON story_members.article_id = articles.id "
        "LEFT JOIN stories ON stories.id = story_members.story_id "
        "GROUP BY coalesce(outlets.name, articles.site)"
    )
    return _view("v_outlets", "Outlets with articles, and what they copied", columns, source)


def _captures(sql: _Sql) -> View:
    columns: Made = [
        ("article_id", "Id of the URL, as of its article", sql.article_id("captures.url_id")),
        ("url", "Address fetched", "urls.url"),
        ("captured_at", "When the response arrived, UTC", sql.time("captures.captured_at")),
        ("status", "HTTP status; 0 for an imported file", "captures.status"),
        ("content_type", "Content-Type as sent", "captures.content_type"),
        ("payload_bytes", "Length of the body as fetched", "captures.payload_bytes"),
        ("payload_sha256", "SHA-256 of the body as fetched", "captures.payload_sha256"),
        ("completeness", "Whether the body arrived whole", "captures.completeness"),
        ("warc_file", "File in the archive's warc directory", "warc_files.name"),
        ("warc_offset", "Byte offset of the response record", "captures.warc_offset"),
        ("warc_length", "Length of the response record in the file", "captures.warc_length"),
    ]
    source = (
        "FROM captures JOIN urls ON urls.id = captures.url_id "
        "JOIN warc_files ON warc_files.id = captures.warc_file_id"
    )
    return _view("v_captures", "HTTP exchanges and where their bytes lie", columns, source)


def _ledger(sql: _Sql) -> View:
    columns: Made = [
        ("id", "Id of the URL, as of its article", sql.article_id("urls.id")),
        ("url", "Address", "urls.url"),
        ("site", "Registrable domain", "urls.site"),
        ("kind", one_of(UrlKind), "urls.kind"),
        ("state", one_of(UrlState), "urls.state"),
        ("reason", "Why it is there (docs/ledger.md)", "urls.reason"),
        ("detail", "The reason in words", "urls.detail"),
        ("depth", "Links followed from a seed", "urls.depth"),
        ("attempts", "Failed fetches since the last success", "urls.attempts"),
        ("first_seen_at", "First discovery, UTC", sql.time("urls.first_seen_at")),
        ("finished_at", "Last terminal state, UTC", sql.time("urls.finished_at")),
    ]
    return _view("v_ledger", "Every URL seen, its state and why", columns, "FROM urls")


def _revisions(sql: _Sql) -> View:
    columns: Made = [
        ("article_id", _ID, sql.article_id("revisions.article_id")),
        ("url", "Address", "articles.url"),
        ("outlet", _OUTLET, "outlets.name"),
        ("number", "Number of the revision, from 1", "revisions.number"),
        ("seen_at", "First capture with this text, UTC", sql.time("revisions.seen_at")),
        ("title", "Headline then", "revisions.title"),
        ("text_sha256", "SHA-256 of the text then", "revisions.text_sha256"),
    ]
    source = (
        "FROM revisions JOIN articles ON articles.id = revisions.article_id "
        "LEFT JOIN outlets ON outlets.host = articles.host"
    )
    return _view("v_revisions", "Changes by the publishers", columns, source)


def _relevance(sql: _Sql) -> View:
    columns: Made = [
        ("article_id", "Id of the URL, as of its article", sql.article_id("relevance.url_id")),
        ("url", "Address", "urls.url"),
        ("event", "Event it was judged for", "relevance.event_id"),
        ("score", "Points", "relevance.score"),
        ("decision", "keep, review or reject", "relevance.decision"),
        ("reason", "Reason in the ledger", "relevance.reason"),
        ("title", "Headline, also of rejected pages", "relevance.title"),
        (
            "evidence",
            "Matched groups, words, places and points, as JSON",
            sql.as_text("relevance.groups"),
        ),
    ]
    source = "FROM relevance JOIN urls ON urls.id = relevance.url_id"
    return _view("v_relevance", "Why a document belongs to an event or not", columns, source)


def _discoveries(sql: _Sql) -> View:
    columns: Made = [
        ("article_id", "Id of the URL, as of its article", sql.article_id("discoveries.url_id")),
        ("url", "Address found", "found.url"),
        ("channel", one_of(Channel), "discoveries.channel"),
        ("from_url", "The document that named it; empty: the profile", "source.url"),
        ("event", "Event crawled for", "discoveries.event_id"),
        ("seen_at", "When, UTC", sql.time("discoveries.seen_at")),
    ]
    source = (
        "FROM discoveries JOIN urls AS found ON found.id = discoveries.url_id "
        "LEFT JOIN urls AS source ON source.id = discoveries.from_id"
    )
    return _view("v_discoveries", "How each URL came to our knowledge", columns, source)


def _view(name: str, comment: str, columns: Made, source: str) -> View:
    return View(name, comment, tuple(ViewColumn(*one) for one in columns), source)


_MAKERS: tuple[Callable[[_Sql], View], ...] = (
    *(_articles, _stories, _copies, _timeline, _outlets, _texts, _matches, _revisions),
    *(_relevance, _captures, _discoveries, _ledger),
)


def views(*, is_sqlite: bool = True) -> tuple[View, ...]:
    """The most asked for first."""
    sql = _Sql(is_sqlite)
    return tuple(make(sql) for make in _MAKERS)


def create(connection: sa.Connection) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    for view in views(is_sqlite=is_sqlite):
        if is_sqlite:
            connection.exec_driver_sql(view.statement())
        else:
            connection.exec_driver_sql(_literal(view.statement()))
            _comment(connection, "VIEW", view.name, view.comment)
            for column in view.columns:
                _comment(connection, "COLUMN", f"{view.name}.{column.name}", column.comment)


def _comment(connection: sa.Connection, kind: str, name: str, words: str) -> None:
    quoted = words.replace("'", "''")
    connection.exec_driver_sql(_literal(f"COMMENT ON {kind} {name} IS '{quoted}'"))


def _literal(statement: str) -> str:
    """A statement without parameters for psycopg, which takes % for the start of one."""
    return statement.replace("%", "%%")


def drop(connection: sa.Connection) -> None:
    for view in views():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view.name}")

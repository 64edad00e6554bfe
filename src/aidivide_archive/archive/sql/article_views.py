"""Views of articles: with everything that is shown of them, their texts, their days, their outlets, their versions."""

from __future__ import annotations

from aidivide_archive.archive.sql.building import View, ViewColumn, shown, view
from aidivide_archive.archive.sql.expressions import Sql
from aidivide_archive.fields import (
    ARTICLES,
    REVISION,
    STORIES,
    STORY_ARTICLES,
    ExtractedKey,
    Field,
    TableColumn,
    by_name,
)

ARTICLE = by_name(ARTICLES)
MEMBER = by_name(STORIES)
ARTICLE_ID = MEMBER["article_id"]

_EXTRACTION = "extractions WHERE extractions.id = articles.extraction_id"
_CAPTURE = (
    "extractions LEFT JOIN captures ON captures.id = extractions.capture_id "
    "WHERE extractions.id = articles.extraction_id"
)
_IN_OTHER_VIEWS = ("text", "warc_file", "warc_offset")
"""In `v_texts`, because whoever lists articles shall not read them all, and in `v_captures`."""


def articles(sql: Sql) -> View:
    """What only some questions name is a sub-query, which costs nothing unless it is named."""
    by_rule = {
        "id": sql.article_id("articles.id"),
        "outlet": "outlets.name",
        "country": "outlets.country",
        "published_at": sql.instant("articles"),
        "modified_at": _modified_at(sql),
        "relevance_score": sql.judged("score"),
        "relevance_decision": sql.judged("decision"),
        "story_id": sql.story_id("story_members.story_id"),
        "captured_at": sql.time(
            f"coalesce((SELECT captures.captured_at FROM {_CAPTURE}), articles.captured_at)"
        ),
        "event": sql.event(),
        "access": f"(SELECT {sql.access()} FROM {_EXTRACTION})",
        "complete": f"(SELECT {sql.complete()} FROM {_CAPTURE})",
    }
    columns = {
        field.name: shown(field, by_rule.get(field.name) or _expression(sql, field))
        for field in ARTICLES
        if field.name not in _IN_OTHER_VIEWS
    }
    own = (
        shown(MEMBER["share_copied"], sql.rounded("story_members.share_copied", 4)),
        shown(MEMBER["hours_after_origin"], sql.rounded("story_members.hours_after_origin", 2)),
        shown(REVISION, "articles.revision"),
    )
    source = (
        "FROM articles LEFT JOIN outlets ON outlets.host = articles.host "
        "LEFT JOIN story_members ON story_members.article_id = articles.id"
    )
    return view(
        "v_articles",
        "Every article with its outlet, time, story and relevance",
        (*columns.values(), *own),
        source,
    )


def _expression(sql: Sql, field: Field) -> str:
    """A field as it is stored; lists are joined, times cut to the second."""
    source = field.source
    if isinstance(source, ExtractedKey):
        fields = f"(SELECT extractions.fields FROM {_EXTRACTION})"
        if field.type == "list":
            return sql.joined(fields, source.key)
        return sql.text_of(fields, source.key)
    if not isinstance(source, TableColumn):
        raise LookupError(f"v_articles has no rule for {field.name}")
    column = f"{source.table}.{source.column}"
    return sql.time(column) if field.type == "time" else column


def _modified_at(sql: Sql) -> str:
    """Cut from the text that is stored, in UTC; empty where only the day is known."""
    stored = sql.text_of(f"(SELECT extractions.fields FROM {_EXTRACTION})", "modified_at")
    chosen = "1" if sql.is_sqlite else "true"
    to_the_day = (
        "EXISTS (SELECT 1 FROM claims WHERE claims.extraction_id = articles.extraction_id AND "
        f"claims.field = 'modified' AND claims.chosen = {chosen} AND claims.precision = 'day')"
    )
    return f"CASE WHEN {to_the_day} THEN NULL ELSE substr({stored}, 1, 19) || 'Z' END"


def texts(sql: Sql) -> View:
    columns = (
        shown(ARTICLE["id"], sql.article_id("articles.id")),
        shown(ARTICLE["url"], "articles.url"),
        shown(ARTICLE["title"], "articles.title"),
        shown(ARTICLE["text"], "extractions.text"),
        shown(ARTICLE["description"], sql.text_of("extractions.fields", "description")),
    )
    source = "FROM articles JOIN extractions ON extractions.id = articles.extraction_id"
    return view("v_texts", "The text of every article", columns, source)


def timeline(sql: Sql) -> View:
    columns = (
        shown(ARTICLE["published_day"], "articles.published_day"),
        shown(ARTICLE["published_at"], sql.instant("articles")),
        shown(ARTICLE["outlet"], "outlets.name"),
        shown(ARTICLE["country"], "outlets.country"),
        shown(ARTICLE["language"], "articles.language"),
        shown(ARTICLE["title"], "articles.title"),
        shown(ARTICLE["role"], "story_members.role"),
        shown(ARTICLE["story_id"], sql.story_id("story_members.story_id")),
        shown(STORY_ARTICLES, "stories.size"),
        shown(ARTICLE_ID, sql.article_id("articles.id")),
        shown(ARTICLE["url"], "articles.url"),
    )
    source = (
        "FROM articles LEFT JOIN outlets ON outlets.host = articles.host "
        "LEFT JOIN story_members ON story_members.article_id = articles.id "
        "LEFT JOIN stories ON stories.id = story_members.story_id "
        "WHERE articles.published_from IS NOT NULL"
    )
    return view(
        "v_timeline",
        "Publications whose time is known; order by published_day, published_at",
        columns,
        source,
    )


def outlets(sql: Sql) -> View:
    of_story = "stories.size > 1 AND story_members.role"
    columns = (
        ViewColumn(
            "outlet", "Name in the profile, else the site", "coalesce(outlets.name, articles.site)"
        ),
        shown(ARTICLE["country"], "max(outlets.country)"),
        ViewColumn("articles", "Number of articles", "count(*)"),
        ViewColumn(
            "first_with_story",
            "Stories of two or more of which it has the origin",
            f"sum(CASE WHEN {of_story} = 'origin' THEN 1 ELSE 0 END)",
        ),
        ViewColumn(
            "copies",
            "Its articles that are not the origin of their story",
            f"sum(CASE WHEN {of_story} <> 'origin' THEN 1 ELSE 0 END)",
        ),
        ViewColumn(
            "first_published",
            "Earliest publication, UTC",
            sql.time("min(articles.published_from)"),
        ),
        ViewColumn(
            "last_published", "Latest publication, UTC", sql.time("max(articles.published_from)")
        ),
    )
    source = (
        "FROM articles LEFT JOIN outlets ON outlets.host = articles.host "
        "LEFT JOIN story_members ON story_members.article_id = articles.id "
        "LEFT JOIN stories ON stories.id = story_members.story_id "
        "GROUP BY coalesce(outlets.name, articles.site)"
    )
    return view("v_outlets", "Outlets with articles, and what they copied", columns, source)


def revisions(sql: Sql) -> View:
    columns = (
        shown(ARTICLE_ID, sql.article_id("revisions.article_id")),
        shown(ARTICLE["url"], "articles.url"),
        shown(ARTICLE["outlet"], "outlets.name"),
        ViewColumn("number", "Number of the revision, from 1", "revisions.number"),
        ViewColumn("seen_at", "First capture with this text, UTC", sql.time("revisions.seen_at")),
        ViewColumn("title", "Headline then", "revisions.title"),
        ViewColumn("text_sha256", "SHA-256 of the text then", "revisions.text_sha256"),
    )
    source = (
        "FROM revisions JOIN articles ON articles.id = revisions.article_id "
        "LEFT JOIN outlets ON outlets.host = articles.host"
    )
    return view("v_revisions", "Changes by the publishers", columns, source)

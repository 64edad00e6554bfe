"""Views of the copy graph: stories, who copied whom, compared pairs."""

from __future__ import annotations

from aidivide_archive.archive.sql.article_views import ARTICLE, MEMBER
from aidivide_archive.archive.sql.building import View, ViewColumn, shown, view
from aidivide_archive.archive.sql.expressions import Sql
from aidivide_archive.fields import MATCHES, by_name

_MATCH = by_name(MATCHES)
_COPY, _ORIGIN = "Of the copy", "Of the article copied from"


def stories(sql: Sql) -> View:
    members = (
        "FROM story_members JOIN articles ON articles.id = story_members.article_id "
        "LEFT JOIN outlets ON outlets.host = articles.host WHERE story_members.story_id = stories.id"
    )
    columns = (
        ViewColumn("id", "Id of the story", sql.story_id("stories.id")),
        ViewColumn("title", "Headline of the origin", "origin.title"),
        ViewColumn("articles", "Number of articles", "stories.size"),
        ViewColumn(
            "outlets",
            "Number of outlets (or sites)",
            f"(SELECT count(DISTINCT coalesce(outlets.name, articles.site)) {members})",
        ),
        ViewColumn(
            "countries",
            "Number of countries",
            f"(SELECT count(DISTINCT outlets.country) {members})",
        ),
        ViewColumn(
            "origin_id", "Article taken for the origin", sql.article_id("stories.origin_id")
        ),
        ViewColumn("origin_url", "Its address", "origin.url"),
        ViewColumn("origin_outlet", "Its outlet", "outlets.name"),
        ViewColumn(
            "published_at",
            "Its publication, UTC; empty when not known to the hour",
            sql.instant("origin"),
        ),
        ViewColumn("published_day", "Its day of publication", "origin.published_day"),
        ViewColumn(
            "last_published_day",
            "Day of the latest article with a time",
            f"(SELECT max(articles.published_day) {members})",
        ),
    )
    source = (
        "FROM stories JOIN articles AS origin ON origin.id = stories.origin_id "
        "LEFT JOIN outlets ON outlets.host = origin.host"
    )
    return view("v_stories", "Every story; of one article as well", columns, source)


def copies(sql: Sql) -> View:
    columns = (
        shown(MEMBER["story_id"], sql.story_id("stories.id")),
        shown(ARTICLE["id"].of("copy", _COPY), sql.article_id("mine.id")),
        shown(ARTICLE["url"].of("copy", _COPY), "mine.url"),
        shown(ARTICLE["title"].of("copy", _COPY), "mine.title"),
        shown(ARTICLE["outlet"].of("copy", _COPY), "mine_outlet.name"),
        shown(ARTICLE["country"].of("copy", _COPY), "mine_outlet.country"),
        shown(ARTICLE["published_at"].of("copy", _COPY), sql.instant("mine")),
        shown(ARTICLE["published_day"].of("copy", _COPY), "mine.published_day"),
        shown(MEMBER["role"], "story_members.role"),
        shown(MEMBER["share_copied"], sql.rounded("story_members.share_copied", 4)),
        shown(MEMBER["hours_after_origin"], sql.rounded("story_members.hours_after_origin", 2)),
        shown(ARTICLE["id"].of("origin", _ORIGIN), sql.article_id("origin.id")),
        shown(ARTICLE["url"].of("origin", _ORIGIN), "origin.url"),
        shown(ARTICLE["title"].of("origin", _ORIGIN), "origin.title"),
        shown(ARTICLE["outlet"].of("origin", _ORIGIN), "origin_outlet.name"),
        shown(ARTICLE["country"].of("origin", _ORIGIN), "origin_outlet.country"),
        shown(MEMBER["confidence"], sql.rounded("story_members.confidence", 4)),
        shown(MEMBER["reasons"], sql.worded("story_members.reasons")),
    )
    source = (
        "FROM story_members JOIN stories ON stories.id = story_members.story_id "
        "JOIN articles AS mine ON mine.id = story_members.article_id "
        "JOIN articles AS origin ON origin.id = stories.origin_id "
        "LEFT JOIN outlets AS mine_outlet ON mine_outlet.host = mine.host "
        "LEFT JOIN outlets AS origin_outlet ON origin_outlet.host = origin.host "
        "WHERE story_members.role <> 'origin'"
    )
    return view(
        "v_copies", "Who copied whom: every article of a story but its origin", columns, source
    )


def matches(sql: Sql) -> View:
    columns = (
        shown(_MATCH["a_id"], sql.article_id("matches.a_id")),
        shown(_MATCH["a_url"], "a.url"),
        shown(ARTICLE["outlet"].of("a", "Of the first article"), "a_outlet.name"),
        shown(_MATCH["b_id"], sql.article_id("matches.b_id")),
        shown(_MATCH["b_url"], "b.url"),
        shown(ARTICLE["outlet"].of("b", "Of the second article"), "b_outlet.name"),
        shown(_MATCH["relation"], "matches.relation"),
        shown(_MATCH["contains"], "matches.contains"),
        shown(_MATCH["jaccard"], sql.rounded("matches.jaccard", 4)),
        shown(_MATCH["containment_a"], sql.rounded("matches.containment_a", 4)),
        shown(_MATCH["containment_b"], sql.rounded("matches.containment_b", 4)),
        shown(_MATCH["longest_passage_words"], "matches.longest_passage_words"),
        shown(_MATCH["decided_by"], "matches.decided_by"),
        shown(_MATCH["reasons"], sql.worded("matches.reasons")),
    )
    source = (
        "FROM matches JOIN articles AS a ON a.id = matches.a_id JOIN articles AS b ON b.id = matches.b_id "
        "LEFT JOIN outlets AS a_outlet ON a_outlet.host = a.host "
        "LEFT JOIN outlets AS b_outlet ON b_outlet.host = b.host"
    )
    return view("v_matches", "Every compared pair that shares text", columns, source)

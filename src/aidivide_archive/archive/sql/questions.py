"""Twelve worked questions in SQL, the same statement on both engines; documents and Datasette show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    words: str
    sql: str


QUESTIONS = (
    Question(
        "who-copied-whom",
        "Who copied whom, and how much of the text?",
        """SELECT copy_outlet, origin_outlet, count(*) AS articles, round(avg(share_copied), 2) AS share
FROM v_copies GROUP BY copy_outlet, origin_outlet
ORDER BY articles DESC, copy_outlet NULLS LAST, origin_outlet NULLS LAST""",
    ),
    Question(
        "first-outlet-per-story",
        "Which outlet had each story first?",
        """SELECT published_at, origin_outlet, articles, title FROM v_stories
WHERE articles > 1 ORDER BY published_at NULLS LAST, id""",
    ),
    Question(
        "coverage-by-country-and-day",
        "How many articles came from each country on each day?",
        """SELECT published_day, country, count(*) AS articles FROM v_timeline
GROUP BY published_day, country ORDER BY published_day, country NULLS LAST""",
    ),
    Question(
        "hours-to-copy",
        "How long does a story take to reach the others?",
        """SELECT copy_outlet, min(hours_after_origin) AS fastest, max(hours_after_origin) AS slowest
FROM v_copies WHERE hours_after_origin IS NOT NULL GROUP BY copy_outlet
ORDER BY fastest, copy_outlet NULLS LAST""",
    ),
    Question(
        "own-reporting",
        "How much of each outlet's coverage is its own?",
        """SELECT outlet, articles, copies, 100 * (articles - copies) / articles AS own_percent
FROM v_outlets ORDER BY articles DESC, outlet""",
    ),
    Question(
        "languages",
        "In which languages was the event covered, and how long are the articles?",
        """SELECT language, count(*) AS articles, CAST(round(avg(word_count), 0) AS integer) AS words
FROM v_articles GROUP BY language ORDER BY articles DESC, language NULLS LAST""",
    ),
    Question(
        "widest-stories",
        "Which stories crossed borders?",
        """SELECT id, countries, outlets, articles, title FROM v_stories
WHERE countries > 1 ORDER BY countries DESC, outlets DESC, id""",
    ),
    Question(
        "to-review",
        "Which articles should a person decide on?",
        """SELECT relevance_score, outlet, title, url FROM v_articles
WHERE relevance_decision = 'review' ORDER BY relevance_score DESC, url""",
    ),
    Question(
        "nearly-kept",
        "Which rejected pages came closest?",
        """SELECT score, title, url FROM v_relevance
WHERE decision = 'reject' AND score > 0 ORDER BY score DESC, url LIMIT 10""",
    ),
    Question(
        "why-not",
        "What became of every URL?",
        """SELECT state, reason, kind, count(*) AS urls FROM v_ledger
GROUP BY state, reason, kind ORDER BY urls DESC, state, reason NULLS LAST, kind""",
    ),
    Question(
        "evidence",
        "Where do the bytes of each article lie?",
        """SELECT v_articles.title, v_captures.captured_at, v_captures.payload_sha256, warc_file, warc_offset
FROM v_articles JOIN v_captures ON v_captures.article_id = v_articles.id
ORDER BY v_captures.captured_at, v_articles.url LIMIT 10""",
    ),
    Question(
        "found-by",
        "Which way of discovering finds articles?",
        """SELECT channel, count(DISTINCT v_articles.id) AS articles
FROM v_discoveries JOIN v_articles ON v_articles.id = v_discoveries.article_id
GROUP BY channel ORDER BY articles DESC, channel""",
    ),
)

"""Relevance: the built-in event on texts of our own, and the rules of scoring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidivide_archive.config import Profile, load_profile
from aidivide_archive.config.phrases import MAX_VARIANTS, fold, parse_phrase, tokens_of
from aidivide_archive.model import Reason, Relevance, RelevanceDecision, TimeValue
from aidivide_archive.relevance import VERSION, judge
from tests.support.places import DATA

BUILT_IN = load_profile("ai-divide-forum-2025")
PAGES = DATA / "events" / "ai-divide-forum-2025.toml"


@dataclass(frozen=True)
class Page:
    id: str
    expect: str
    language: str
    title: str
    text: str
    published: date | None = None


def labelled_pages() -> list[Page]:
    return [Page(**page) for page in tomllib.loads(PAGES.read_text("utf-8"))["page"]]


def day(value: date) -> TimeValue:
    start = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return TimeValue(
        start=start,
        end=start + timedelta(days=1),
        raw=str(value),
        offset_minutes=None,
        precision="day",
    )


def profile(**tables: object) -> Profile:
    event = {"id": "x", "title": "X", "timezone": "Asia/Shanghai"}
    return Profile.from_json(json.dumps({"schema": 1, "event": event, **tables}))


def judged(which: Profile, text: str, title: str | None = None) -> Relevance:
    return judge(which, title=title, text=text, published=None, language=None)


def group(name: str, *phrases: str, weight: float = 1, **more: object) -> dict[str, object]:
    return {"name": name, "weight": weight, "any": {"*": list(phrases)}, **more}


# --- the built-in event --------------------------------------------------------------------------


@pytest.mark.parametrize("page", labelled_pages(), ids=lambda page: page.id)
def test_builtin_event_decides_a_labelled_page(page: Page) -> None:
    relevance = judge(
        BUILT_IN,
        title=page.title,
        text=page.text,
        published=day(page.published) if page.published else None,
        language=page.language,
    )
    allowed = {
        "keep": {RelevanceDecision.KEEP},
        "review": {RelevanceDecision.KEEP, RelevanceDecision.REVIEW},
        "not kept": {RelevanceDecision.REVIEW, RelevanceDecision.REJECT},
        "reject": {RelevanceDecision.REJECT},
    }[page.expect]
    assert relevance.decision in allowed, relevance


# --- points and decisions ------------------------------------------------------------------------


def test_every_page_is_kept_when_the_profile_has_no_groups() -> None:
    relevance = judged(profile(), "anything")
    assert (relevance.decision, relevance.reason, relevance.score) == (
        RelevanceDecision.KEEP,
        Reason.KEPT,
        0,
    )
    assert relevance.version == VERSION
    assert relevance.event_id == "x"


def test_group_counts_once_and_tells_all_its_words_sorted() -> None:
    which = profile(group=[group("g", "WAIC 2025", "WAIC", "Shanghai", "Geneva", weight=3)])
    relevance = judged(which, "filler " * 300 + "Shanghai: WAIC 2025, WAIC 2025, WAIC.")
    (match,) = relevance.groups
    assert match.words == ("Shanghai", "WAIC", "WAIC 2025")
    assert (match.place, match.points, relevance.score) == ("body", 3, 3)


@pytest.mark.parametrize(("words_before", "points"), [(199, 4), (200, 2)])
def test_points_double_in_the_first_200_words(words_before: int, points: float) -> None:
    relevance = judged(
        profile(group=[group("g", "forum", weight=2)]), "word " * words_before + "forum"
    )
    assert relevance.score == points


@pytest.mark.parametrize(("characters_before", "points"), [(399, 4), (400, 2)])
def test_points_double_in_the_first_400_cjk_characters(
    characters_before: int, points: float
) -> None:
    relevance = judged(
        profile(group=[group("g", "论坛", weight=2)]), "会" * characters_before + "论坛"
    )
    assert relevance.score == points


def test_points_double_in_the_title() -> None:
    which = profile(group=[group("g", "forum", weight=2)])
    relevance = judged(which, "word " * 300 + "forum", title="The Forum")
    assert (relevance.groups[0].place, relevance.score) == ("lead", 4)


@pytest.mark.parametrize(
    ("weight", "decision", "reason"),
    [
        (6, RelevanceDecision.KEEP, Reason.KEPT),
        (5.5, RelevanceDecision.REVIEW, Reason.REVIEW),
        (3, RelevanceDecision.REVIEW, Reason.REVIEW),
        (2.5, RelevanceDecision.REJECT, Reason.IRRELEVANT),
    ],
)
def test_thresholds_belong_to_the_better_decision(
    weight: float, decision: RelevanceDecision, reason: Reason
) -> None:
    relevance = judged(profile(group=[group("g", "forum", weight=weight)]), "x " * 300 + "forum")
    assert (relevance.decision, relevance.reason) == (decision, reason)


def test_negative_points_never_make_the_score_negative() -> None:
    which = profile(group=[group("other", "Vienna", weight=-4), group("g", "forum")])
    relevance = judged(which, "A forum in Vienna.")
    assert relevance.score == 0
    assert [match.points for match in relevance.groups] == [-8, 2]


def test_required_groups_hold_a_page_back_at_review() -> None:
    which = profile(
        relevance={"keep": 2, "review": 1, "required": [["name"], ["topic", "!other"]]},
        group=[group("name", "the forum"), group("topic", "divide"), group("other", "Vienna")],
    )
    assert judged(which, "The forum in Vienna").decision is RelevanceDecision.KEEP
    assert judged(which, "The divide").decision is RelevanceDecision.KEEP
    assert judged(which, "The divide in Vienna").decision is RelevanceDecision.REVIEW


def test_order_of_groups_in_the_evidence_is_the_order_of_the_profile() -> None:
    which = profile(group=[group("b", "two"), group("a", "one"), group("c", "three")])
    assert [m.group for m in judged(which, "one two three").groups] == ["b", "a", "c"]


def test_all_needs_every_phrase_of_one_language() -> None:
    which = profile(
        group=[{"name": "g", "all": {"en": ["forum", "divide"], "zh": ["论坛", "鸿沟"]}}]
    )
    assert judged(which, "a forum on the divide").groups[0].words == ("divide", "forum")
    assert judged(which, "论坛谈鸿沟").groups[0].words == ("论坛", "鸿沟")
    assert judged(which, "a forum 鸿沟").groups == ()


def test_none_takes_a_group_away() -> None:
    which = profile(group=[group("g", "forum", none={"en": ["webcast"]})])
    assert judged(which, "a forum").groups
    assert judged(which, "a forum and its webcast").groups == ()


def test_exclude_phrase_rejects_whatever_the_points() -> None:
    which = profile(
        exclude={"any": {"*": ["sponsored content"]}}, group=[group("g", "forum", weight=9)]
    )
    relevance = judged(which, "forum " * 3 + "SPONSORED CONTENT")
    assert (relevance.decision, relevance.reason) == (RelevanceDecision.REJECT, Reason.EXCLUDED)
    assert relevance.score == 18


# --- the window ----------------------------------------------------------------------------------


WINDOW = {"from": "2025-07-20", "to": "2025-07-31"}


@pytest.mark.parametrize(
    ("start", "hours", "inside"),
    [
        ("2025-07-19T15:59:59+00:00", 0, False),  # 23:59:59 on 19 July in Shanghai
        ("2025-07-19T16:00:00+00:00", 0, True),
        ("2025-07-19T00:00:00+00:00", 24, True),  # partly inside
        ("2025-07-18T16:00:00+00:00", 24, False),  # ends where the window begins
        ("2025-07-31T15:59:59+00:00", 0, True),
        ("2025-07-31T16:00:00+00:00", 0, False),
    ],
)
def test_only_times_wholly_outside_the_window_are_rejected(
    start: str, hours: int, inside: bool
) -> None:
    begin = datetime.fromisoformat(start)
    published = TimeValue(
        start=begin,
        end=begin + timedelta(hours=hours),
        raw=start,
        offset_minutes=0,
        precision="second",
    )
    relevance = judge(
        profile(window=WINDOW), title=None, text="x", published=published, language="en"
    )
    expected = Reason.KEPT if inside else Reason.OUT_OF_WINDOW
    assert relevance.reason is expected


def test_unknown_date_is_inside_the_window() -> None:
    assert judged(profile(window=WINDOW), "x").decision is RelevanceDecision.KEEP


# --- phrases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("AI divide", "The ‘AI‑divide’ grows", True),
        ("AI divide", "the ai  DIVIDE.", True),
        ("AI divide", "ＡＩ divide", True),  # full width
        ("AI divide", "AI\u00ad di\u00advide", True),  # soft hyphens
        ("AI divide", "AI divided", False),
        ("AI divide", "thai divide", False),
        ("AI divide", "They like AI. Divide it!", False),
        ("l'IA", "la fracture de l’IA", True),
        ("fórum", "FORUM", True),
        ("论坛", "国际论坛举行", True),
        ("AI鸿沟", "弥合AI鸿沟", True),
        ("智能时代 同球共济", "“智能时代，同球共济”", True),
        ("阿曼迪普·辛格·吉尔", "阿曼迪普•辛格•吉尔", True),
        ("(close|bridge) the gap", "to bridge the gap", True),
        ("(close|bridge) the gap", "to mind the gap", False),
        ("(the|) gap", "a gap", True),
        ("forum … divide", "A forum on how to close the divide", True),
        ("forum … divide", "forum divide", True),
        ("forum ... divide", "A forum about the divide", True),
        ("forum … divide", "A forum. The divide grows", False),
        ("forum … divide", "forum " + "w " * 15 + "divide", True),
        ("forum … divide", "forum " + "w " * 16 + "divide", False),
        ("forum … AI … divide", "forum " + "w " * 8 + "AI " + "w " * 8 + "divide", False),
        ("论坛…鸿沟", "论坛讨论了鸿沟", True),
        ("论坛…鸿沟", "论坛闭幕。鸿沟仍在", False),
        ("Yahoo! Inc", "Yahoo Inc", True),
    ],
)
def test_phrase_is_found_in_a_text(phrase: str, text: str, found: bool) -> None:
    assert bool(judged(profile(group=[group("g", phrase)]), text).groups) is found


def test_overlapping_phrases_are_all_found() -> None:
    which = profile(group=[group("g", "AI", "AI divide", "divide", "the AI … divide in")])
    assert judged(which, "the AI divide in trade").groups[0].words == (
        "AI",
        "AI divide",
        "divide",
        "the AI … divide in",
    )


def test_phrase_with_too_many_spellings_is_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        parse_phrase(" ".join(["(a|b)"] * 10))
    assert len(parse_phrase(" ".join(["(a|b)"] * 9))) == MAX_VARIANTS


@given(st.text())
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(title=st.none() | st.text(), text=st.text())
def test_judge_takes_any_text_and_is_deterministic(title: str | None, text: str) -> None:
    which = BUILT_IN
    first = judge(which, title=title, text=text, published=None, language=None)
    again = judge(
        Profile.from_json(which.to_json()), title=title, text=text, published=None, language=None
    )
    assert first == again


def test_judgement_does_not_depend_on_the_hash_seed() -> None:
    script = (
        "from aidivide_archive.config import load_profile\n"
        "from aidivide_archive.relevance import judge\n"
        "profile = load_profile('ai-divide-forum-2025')\n"
        "text = 'A forum on the AI divide in Shanghai, with AIM Global, WAIC 2025 and BRICS.'\n"
        "print(profile.sha256, judge(profile, title='WAIC', text=text, published=None, language=None))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(answers) == 1
    assert "WAIC 2025" in answers.pop()


@given(st.lists(st.sampled_from(["forum", "AI", "divide", "论", "坛", "鸿沟", ".", "on", "…"])))
def test_gap_phrases_agree_with_a_plain_search(words: list[str]) -> None:
    text = " ".join(words)
    tokens = tokens_of(text)
    expected = any(
        tokens[i] == "forum" and "divide" in tokens[i + 1 :] and _reaches(tokens[i + 1 :])
        for i in range(len(tokens))
    )
    which = profile(group=[group("g", "forum … divide")])
    assert bool(judged(which, text).groups) is expected


def _reaches(rest: list[str]) -> bool:
    """Whether "divide" follows in the same sentence after at most 15 words (30 CJK characters)."""
    between = rest[: rest.index("divide")]
    width = sum(2 if token.isascii() else 1 for token in between)
    return "." not in between and width <= 30

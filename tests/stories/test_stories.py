import json
import random
import time
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from aidivide_archive.evidence import Evidence, EvidenceKind, as_json_list
from aidivide_archive.model import (
    Comparison,
    Match,
    Relation,
    Role,
    Story,
    StoryArticle,
    StoryMember,
    Verdict,
)
from aidivide_archive.stories import build_stories

DAY = datetime(2025, 7, 27, tzinfo=UTC)


def article(
    number: int, site: str = "", *, hour: float | None = None, wires: tuple[str, ...] = ()
) -> StoryArticle:
    start = None if hour is None else DAY + timedelta(hours=hour)
    return StoryArticle(
        id=number,
        url=f"https://{site or f's{number}.example'}/{number}",
        site=site or f"s{number}.example",
        published_start=start,
        published_end=start,
        word_count=300,
        credits=wires,
    )


def match(
    a: int, b: int, share_a: float, share_b: float, relation: Relation = Relation.COPY
) -> Match:
    contains = None
    if relation is Relation.EXCERPT:
        contains = "a" if share_b > share_a else "b"
    comparison = Comparison(
        relation=relation,
        contains=contains,
        jaccard=min(share_a, share_b) / 2,
        containment_a=share_a,
        containment_b=share_b,
        containment_a_outside_quotes=share_a,
        containment_b_outside_quotes=share_b,
        longest_passage_words=50,
    )
    return Match(a_id=a, b_id=b, comparison=comparison, decided_by="machine", version="1")


def clique(*ids: int, share: float = 0.9) -> list[Match]:
    return [match(a, b, share, share) for a in ids for b in ids if a < b]


def groups(stories: tuple[Story, ...]) -> list[list[int]]:
    return [[member.article_id for member in story.members] for story in stories]


def built(count: int, matches: list[Match]) -> list[list[int]]:
    return groups(build_stories([article(n) for n in range(1, count + 1)], matches, {}))


def members(stories: tuple[Story, ...]) -> dict[int, StoryMember]:
    return {member.article_id: member for story in stories for member in story.members}


def test_every_article_is_in_one_story_named_after_its_smallest_member() -> None:
    stories = build_stories([article(n) for n in (4, 2, 9, 7)], clique(9, 4), {})
    assert groups(stories) == [[2], [4, 9], [7]]
    assert [story.id for story in stories] == [2, 4, 7]


def test_every_member_is_ranked_as_a_candidate_for_the_origin() -> None:
    articles = [article(1, hour=9), article(2, hour=1), article(3, hour=5), article(4, hour=0)]
    found = members(build_stories(articles, clique(1, 2, 3), {}))
    ranked = sorted((1, 2, 3), key=lambda number: found[number].origin_rank or 0)
    assert ranked == [2, 3, 1]
    assert [found[number].origin_rank for number in ranked] == [1, 2, 3]
    points = [found[number].origin_points or 0.0 for number in ranked]
    assert points == sorted(points, reverse=True)
    assert found[2].role is Role.ORIGIN
    earliest = Evidence(kind=EvidenceKind.NONE_EARLIER, count=2)
    assert found[2].origin_evidence == (earliest,)
    assert set(found[1].origin_evidence or ()) <= set(found[1].evidence)
    alone = found[4]
    assert (alone.origin_rank, alone.origin_points, alone.origin_evidence) == (None, None, None)


@pytest.mark.parametrize("relation", [one for one in Relation if not one.in_stories])
def test_other_relations_hold_no_story_together(relation: Relation) -> None:
    assert built(2, [match(1, 2, 0.8, 0.8, relation)]) == [[1], [2]]


def test_an_excerpt_joins_the_story_it_is_a_part_of() -> None:
    found = [*clique(1, 2), match(1, 3, 0.2, 0.95, Relation.EXCERPT)]
    stories = build_stories([article(n, hour=n) for n in (1, 2, 3)], found, {})
    assert groups(stories) == [[1, 2, 3]]
    assert members(stories)[3].role is Role.EXCERPT
    assert members(stories)[3].share_copied == 0.95


def test_an_excerpt_of_two_stories_joins_one_and_bridges_none() -> None:
    found = [*clique(1, 2, 3), *clique(4, 5, 6)]
    found += [match(1, 7, 0.2, 0.9, Relation.EXCERPT), match(4, 7, 0.2, 0.6, Relation.EXCERPT)]
    assert built(7, found) == [[1, 2, 3, 7], [4, 5, 6]]


def test_a_roundup_stays_alone_and_bridges_none() -> None:
    found = [*clique(1, 2), *clique(3, 4), *clique(5, 6)]
    found += [match(n, 7, 0.3, 0.3) for n in (1, 2, 3, 4, 5, 6)]
    stories = build_stories([article(n) for n in range(1, 8)], found, {})
    assert groups(stories) == [[1, 2], [3, 4], [5, 6], [7]]
    assert members(stories)[7].role is Role.ROUNDUP


def test_a_digest_that_holds_three_whole_stories_does_not_gather_them() -> None:
    found = [match(n, 9, 0.95, 0.3, Relation.EXCERPT) for n in (1, 2, 3)]
    stories = build_stories([article(n) for n in (1, 2, 3, 9)], found, {})
    assert groups(stories) == [[1], [2], [3], [9]]
    assert members(stories)[9].role is Role.ROUNDUP


def test_versions_that_share_nothing_directly_are_one_story_through_the_one_between() -> None:
    assert built(3, [match(1, 2, 0.6, 0.6), match(2, 3, 0.6, 0.6)]) == [[1, 2, 3]]


def test_a_person_s_verdict_beats_the_machine() -> None:
    articles = [article(n) for n in (1, 2, 3, 4)]
    verdicts = {(2, 1): Verdict.DIFFERENT, (3, 4): Verdict.SAME}
    stories = build_stories(articles, clique(1, 2), verdicts)
    assert groups(stories) == [[1], [2], [3, 4]]
    assert Evidence(kind=EvidenceKind.JUDGED_SAME) in members(stories)[4].evidence
    unsure = build_stories(articles, clique(1, 2), {(1, 2): Verdict.UNSURE})
    assert groups(unsure) == [[1, 2], [3], [4]]


def test_a_verdict_keeps_an_excerpt_out() -> None:
    found = [match(1, 2, 0.2, 0.9, Relation.EXCERPT)]
    articles = [article(1), article(2)]
    assert groups(build_stories(articles, found, {(1, 2): Verdict.DIFFERENT})) == [[1], [2]]


def test_a_common_credit_alone_merges_nothing() -> None:
    articles = [article(n, wires=("AP",)) for n in (1, 2)]
    assert groups(build_stories(articles, [], {})) == [[1], [2]]


def test_roles_tell_copies_edits_syndication_and_updates_apart() -> None:
    articles = [
        article(1, "wire.example", hour=0),
        article(2, hour=2),
        article(3, hour=3),
        article(4, hour=4, wires=("Wire",)),
        article(5, "wire.example", hour=5),
    ]
    found = [
        match(1, 2, 0.95, 0.97),
        match(1, 3, 0.5, 0.6),
        match(1, 4, 0.7, 0.9),
        match(1, 5, 0.7, 0.7),
        match(2, 5, 0.7, 0.7),
        match(2, 3, 0.5, 0.6),
    ]
    stories = build_stories(articles, found, {})
    assert {one: member.role for one, member in members(stories).items()} == {
        1: Role.ORIGIN,
        2: Role.COPY,
        3: Role.EDITED_COPY,
        4: Role.SYNDICATED,
        5: Role.UPDATE,
    }
    assert members(stories)[4].hours_after_origin == 4.0
    assert members(stories)[3].share_copied == 0.6
    assert members(stories)[1].share_copied is None
    assert 0.0 < members(stories)[1].confidence <= 1.0
    assert all(member.evidence for member in members(stories).values())


def credits_of(member: StoryMember) -> list[str | None]:
    return [part.name for part in member.evidence if part.kind is EvidenceKind.CREDITS]


def kinds_of(member: StoryMember) -> set[EvidenceKind]:
    return {part.kind for part in member.evidence}


def test_whom_an_article_credits_is_no_evidence_of_who_credits_it() -> None:
    articles = [
        article(1, "harbour-times.example", hour=0),
        article(2, "gulf-courier.example", hour=4),
        article(3, "nook.example", hour=6, wires=("The Harbour Times",)),
        article(4, "diario.example", hour=7, wires=("Gulf Courier",)),
    ]
    found = members(build_stories(articles, clique(1, 2, 3, 4), {}))
    assert {number: credits_of(member) for number, member in found.items()} == {
        1: [],
        2: [],
        3: ["The Harbour Times"],
        4: ["Gulf Courier"],
    }
    credited = {n for n in found if EvidenceKind.CREDITED_BY_OTHERS in kinds_of(found[n])}
    assert credited == {1, 2}


def test_an_article_that_is_credited_keeps_the_credit_it_gives() -> None:
    articles = [
        article(1, "harbour-times.example", hour=0),
        article(2, "gulf-courier.example", hour=4, wires=("The Harbour Times",)),
        article(3, "diario.example", hour=7, wires=("Gulf Courier",)),
    ]
    between = members(build_stories(articles, clique(1, 2, 3), {}))[2]
    assert credits_of(between) == ["The Harbour Times"]
    assert EvidenceKind.CREDITED_BY_OTHERS in kinds_of(between)


def test_evidence_of_stories_can_be_stored() -> None:
    draw = random.Random(20)
    names = ("Harbour Times", "Gulf Courier", "s3", "Reuters")
    for _ in range(30):
        articles = [
            article(n, hour=draw.choice((None, n)), wires=tuple(draw.sample(names, 2)))
            for n in range(1, 9)
        ]
        pairs = [match(a, b, draw.random(), draw.random()) for a, b in combinations(range(1, 9), 2)]
        for story in build_stories(articles, draw.sample(pairs, 12), {(1, 2): Verdict.SAME}):
            for member in story.members:
                stored = as_json_list((*member.evidence, *(member.origin_evidence or ())))
                assert json.loads(json.dumps(stored)) == stored


def test_unknown_times_leave_the_hours_unknown() -> None:
    stories = build_stories([article(1, hour=0), article(2)], clique(1, 2), {})
    assert members(stories)[2].hours_after_origin is None


def test_matches_and_verdicts_on_unknown_articles_are_ignored() -> None:
    found = [*clique(1, 2), match(1, 99, 0.9, 0.9), match(1, 1, 1.0, 1.0)]
    stories = build_stories([article(1), article(2)], found, {(2, 99): Verdict.SAME})
    assert groups(stories) == [[1, 2]]


def some_matches(chance: random.Random, count: int) -> list[Match]:
    found = {}
    for _ in range(count):
        a, b = sorted(chance.sample(range(1, 40), 2))
        relation = chance.choice([Relation.COPY, Relation.COPY, Relation.EXCERPT])
        shares = (chance.uniform(0.1, 1), chance.uniform(0.1, 1))
        found[a, b] = match(a, b, *shares, relation)
    return list(found.values())


@pytest.mark.parametrize("seed", range(12))
def test_the_stories_do_not_depend_on_any_order(seed: int) -> None:
    chance = random.Random(seed)
    articles = [article(n, hour=chance.choice([None, 1, 2, 3])) for n in range(1, 40)]
    found = some_matches(chance, 20 + 10 * seed)
    verdicts = {(1, 2): Verdict.SAME, (3, 4): Verdict.DIFFERENT, (2, 9): Verdict.SAME}
    expected = build_stories(articles, found, verdicts)
    assert sorted(one for group in groups(expected) for one in group) == list(range(1, 40))
    for _ in range(3):
        chance.shuffle(articles)
        chance.shuffle(found)
        turned = dict(reversed([((b, a), verdict) for (a, b), verdict in verdicts.items()]))
        assert build_stories(articles, found, turned) == expected


def test_a_hundred_thousand_articles_take_seconds() -> None:
    chance = random.Random(1)
    found = []
    for first in range(1, 100_000, 40):
        ids = range(first, first + chance.randint(1, 6))
        found += clique(*ids, share=chance.uniform(0.3, 1.0))
    articles = [article(n, "a.example") for n in range(1, 100_001)]
    begun = time.process_time()
    stories = build_stories(articles, found, {})
    assert time.process_time() - begun < 10
    assert sum(len(story.members) for story in stories) == 100_000


def test_a_story_in_five_hundred_outlets_takes_seconds() -> None:
    found = clique(*range(1, 501), share=0.9)[1:]
    begun = time.process_time()
    assert built(500, found) == [list(range(1, 501))]
    assert time.process_time() - begun < 10

from datetime import UTC, datetime, timedelta

import pytest

from aidivide_archive.model import StoryArticle
from aidivide_archive.stories.origin import is_own_site, origin_confidence, rank_origins

DAY = datetime(2025, 7, 27, tzinfo=UTC)


def article(
    number: int,
    site: str,
    *,
    hour: float | None = None,
    hours: float = 0.0,
    words: int = 300,
    wires: tuple[str, ...] = (),
    canonical: str | None = None,
) -> StoryArticle:
    start = None if hour is None else DAY + timedelta(hours=hour)
    return StoryArticle(
        id=number,
        url=f"https://www.{site}/{number}",
        site=site,
        published_start=start,
        published_end=None if start is None else start + timedelta(hours=hours),
        word_count=words,
        credits=wires,
        canonical_url=canonical,
    )


def first(*members: StoryArticle) -> int:
    ranked = rank_origins(members, {})
    assert rank_origins(members[::-1], {}) == ranked
    return ranked[0].article_id


def test_the_earliest_is_the_origin() -> None:
    assert first(article(1, "a.example", hour=5), article(2, "b.example", hour=2)) == 2


def test_a_canonical_link_outweighs_an_earlier_time() -> None:
    copied = article(1, "a.example", hour=1, canonical="http://b.example/2/")
    assert first(copied, article(2, "b.example", hour=3)) == 2


def test_a_link_to_itself_or_to_a_stranger_says_nothing() -> None:
    one = article(1, "a.example", canonical="https://a.example/1")
    other = article(2, "b.example", canonical="https://elsewhere.example/9")
    ranked = rank_origins([one, other], {})
    assert [candidate.evidence for candidate in ranked] == [(), ()]


def test_the_credited_outlet_is_the_origin_when_it_is_in_the_story() -> None:
    wire = article(9, "xinhuanet.com", hour=4)
    copies = [article(n, f"s{n}.example", hour=3.5, wires=("Xinhua",)) for n in (1, 2)]
    assert first(wire, *copies) == 9


def test_a_day_is_neither_before_nor_after_a_minute_in_it() -> None:
    day = article(1, "a.example", hour=0, hours=24)
    minute = article(2, "b.example", hour=6)
    ranked = rank_origins([day, minute], {})
    assert ranked[0].points == ranked[1].points
    assert origin_confidence(ranked) == 0.5


def test_impossible_and_missing_times_count_for_nothing() -> None:
    backwards = article(1, "a.example", hour=1, hours=-5)
    unknown = article(2, "b.example")
    assert {candidate.points for candidate in rank_origins([backwards, unknown], {})} == {0.25}


def test_more_agreeing_evidence_makes_more_confidence() -> None:
    times = [article(1, "a.example", hour=1), article(2, "b.example", hour=5)]
    linked = [times[0], article(2, "b.example", hour=5, canonical="https://www.a.example/1")]
    weak, strong = (origin_confidence(rank_origins(members, {})) for members in (times, linked))
    assert 0.5 < weak <= strong == 1.0


@pytest.mark.parametrize(
    ("credit", "site", "own"),
    [
        ("Xinhua", "xinhuanet.com", True),
        ("新华社", "news.cn", True),
        ("AP", "apnews.com", True),
        ("AP", "apple.example", False),
        ("Yicai", "yicaiglobal.com", True),
        ("China Daily", "chinadaily.com.cn", True),
        ("The Straits Times", "straitstimes.com", True),
        ("News", "newsbeep.example", False),
        ("", "a.example", False),
    ],
)
def test_credits_are_matched_to_the_sites_of_their_owners(
    credit: str, site: str, own: bool
) -> None:
    assert is_own_site(credit, site) is own

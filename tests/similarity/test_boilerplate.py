import numpy as np

from aidivide_archive.similarity import Hashes, shingles
from aidivide_archive.similarity.boilerplate import (
    SiteSentences,
    sentence_keys,
    shared_endings,
    site_boilerplate,
    site_sentences,
    stock_sentences,
    version_groups,
)


def long_text(count: int, name: str = "word") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


def pages(*texts: str) -> list[Hashes]:
    return [shingles(text) for text in texts]


FOOTER = long_text(30, "footer")


def test_what_three_pages_end_with_is_boilerplate() -> None:
    found = site_boilerplate(pages(*(f"{long_text(200, name)}. {FOOTER}" for name in "abc")))
    assert set(found.tolist()) == set(shingles(FOOTER).tolist())


def test_two_pages_are_not_enough() -> None:
    assert not len(site_boilerplate(pages(*(f"{long_text(200, name)} {FOOTER}" for name in "ab"))))
    assert not len(site_boilerplate([]))


def test_versions_of_one_text_count_as_one_page() -> None:
    story = long_text(200)
    versions = pages(story, f"{story} update one", f"breaking {story}", f"{story} in full")
    assert not len(site_boilerplate(versions))


def test_a_story_s_versions_and_the_footer_of_a_large_site_are_told_apart() -> None:
    story = long_text(200, "story")
    texts = [f"{long_text(150, f'page{n}x')} {FOOTER}" for n in range(20)]
    texts += [f"{story} {FOOTER}", f"{story} update {FOOTER}", f"again {story} {FOOTER}"]
    found = site_boilerplate(pages(*texts))
    assert np.isin(shingles(FOOTER), found).all()
    assert not np.isin(found, shingles(story)).any()


def test_the_order_of_the_pages_does_not_matter() -> None:
    texts = [f"{long_text(90 + n, f'page{n % 4}x')} {FOOTER}" for n in range(12)]
    forward, backward = site_boilerplate(pages(*texts)), site_boilerplate(pages(*texts[::-1]))
    assert forward.tolist() == backward.tolist()
    assert len(forward) > 0


def test_pages_without_words_have_no_boilerplate() -> None:
    assert not len(site_boilerplate(pages("", "", "")))


def test_short_articles_over_a_long_footer_are_no_versions() -> None:
    footer = long_text(90, "footer")
    texts = pages(*(f"{long_text(70, name)} {footer}" for name in "abcd"))
    assert version_groups(texts) == [0, 1, 2, 3]
    assert np.isin(shingles(footer), site_boilerplate(texts)).all()


def test_a_growing_story_is_one_page() -> None:
    parts = [long_text(60, name) for name in "abc"]
    texts = pages(parts[0], " ".join(parts[:2]), " ".join(parts), f"{parts[2]} {parts[1]}")
    assert len(set(version_groups(texts))) == 1


def test_two_pages_that_share_their_end_alone_share_a_disclaimer() -> None:
    end = f"{long_text(40, 'end')}\nAll the same here"
    first, second = f"{long_text(90, 'a')}\n{end}", f"{long_text(80, 'b')}\n\n{end}"
    assert shared_endings([first, long_text(60, "else"), second]) == [end]
    assert (
        shared_endings([first, second, f"{long_text(70, 'c')}\n{end}"]) == []
    )  # learnt from three


def test_two_pages_that_share_more_than_their_end_are_versions() -> None:
    end = long_text(60, "end")
    top = [f"{long_text(70, name)} {long_text(30, 'both')}" for name in "ab"]
    assert shared_endings([f"{one}\n{end}" for one in top]) == []
    update = [f"{long_text(30, name)}\n{end}" for name in "ab"]  # most of both is the end
    assert shared_endings(update) == []
    assert shared_endings([end, end]) == []
    assert shared_endings(["", " \n", "One", "Two"]) == []


# --- sentences that many sites print again and again ---------------------------------------------

NOTICE = "We keep a record of what you read here so that we can show you more of it"


def sentences_of(*texts: str) -> SiteSentences:
    groups = version_groups(pages(*texts))
    keys = {place: sentence_keys(text) for place, text in enumerate(texts)}
    return site_sentences(keys, dict(enumerate(groups)))


def printed(sites: int, times: int, sentence: str) -> list[SiteSentences]:
    return [
        sentences_of(*(f"{long_text(120, f's{site}p{n}x')}.\n{sentence}." for n in range(times)))
        for site in range(sites)
    ]


def test_what_several_sites_print_on_several_pages_is_stock() -> None:
    found = stock_sentences(printed(3, 2, NOTICE))
    assert set(found) == set(sentence_keys(NOTICE))
    assert set(found.values()) == {0}


def test_a_sentence_of_a_story_is_no_stock() -> None:
    assert stock_sentences(printed(40, 1, NOTICE)) == {}
    assert stock_sentences(printed(1, 9, NOTICE)) == {}  # boilerplate of that site alone
    twice = printed(3, 2, NOTICE)  # a copy and a roundup on three of forty sites
    assert stock_sentences([*twice, *printed(37, 1, NOTICE)]) == {}


def test_versions_on_one_site_do_not_make_a_sentence_stock() -> None:
    story = f"{long_text(120, 'story')}.\n{NOTICE}."
    site = sentences_of(story, f"{story}\nUpdated", f"Again {story}")
    assert stock_sentences([site, site, site]) == {}


def test_short_sentences_and_no_sites_are_no_stock() -> None:
    assert stock_sentences(printed(5, 3, "Read more here")) == {}
    assert stock_sentences([]) == {}
    assert stock_sentences([sentences_of("")]) == {}
    assert len(sentence_keys("未经书面授权不得转载本网所有文字和图片。更多")) == 1

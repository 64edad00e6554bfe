import numpy as np

from aidivide_archive.similarity import Hashes, shingles
from aidivide_archive.similarity.boilerplate import site_boilerplate


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

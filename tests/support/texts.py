"""Texts for tests: words that nobody else uses, so that two texts share nothing unless they are meant to."""

import random

SYLLABLES = ("ba", "ro", "min", "tel", "sa", "ko", "dra", "ven", "lu", "pir", "gon", "tha", "we", "shi")  # fmt: skip


def sentences(seed: int, count: int = 14) -> list[str]:
    """Invented words, so that two seeds share no run of them."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=3)) for _ in range(count * 14)]
    return [" ".join(words[n * 14 : n * 14 + 14]).capitalize() + "." for n in range(count)]

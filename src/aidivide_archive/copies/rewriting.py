"""Texts rewritten word by word: hardly a run of three words is left, but the sentences still are.

Back-translation and synonym spinning keep most words of most sentences. Independent reports of one
event do not: outside quotations their sentences have few counterparts.
"""

from __future__ import annotations

from collections import defaultdict

from aidivide_archive.copies.sentences import Outline, Sentence

MIN_LIKENESS = 0.55
"""Dice overlap of the words of two sentences that say the same in the same way."""
MIN_LIKENESS_CHARACTERS = 0.7
"""The same where most words are single characters, as in Chinese: strangers share more of them."""
MIN_WORDS = 8
"""Shorter sentences are alike by chance."""
_MAX_POSTINGS = 8


def rewritten_words(a: Outline, b: Outline) -> tuple[int, int, int]:
    """Return the distinct words in sentences with a counterpart, in all of a, in all of b.

    Words are counted by sentence. Quoting and short sentences have no counterpart, the others one
    at most.
    """
    own = [sentence for sentence in a.sentences if _counts(sentence)]
    others = [sentence for sentence in b.sentences if _counts(sentence)]
    postings: defaultdict[str, list[int]] = defaultdict(list)
    for place, sentence in enumerate(others):
        for piece in sentence.frame:
            postings[piece].append(place)
    scored = []
    for place, sentence in enumerate(own):
        near: set[int] = set()
        for piece in sentence.frame:
            found = postings.get(piece, ())
            if len(found) <= _MAX_POSTINGS:
                near.update(found)
        scored += [
            (-likeness, abs(place - other), place, other)
            for other in near
            if (likeness := _likeness(sentence, others[other])) >= _threshold(sentence)
        ]
    used_a: set[int] = set()
    used_b: set[int] = set()
    words = 0
    for _, _, place, other in sorted(scored):
        if place not in used_a and other not in used_b:
            used_a.add(place)
            used_b.add(other)
            words += min(len(own[place].words), len(others[other].words))
    return words, _word_count(a), _word_count(b)


def _word_count(text: Outline) -> int:
    return sum(len(sentence.words) for sentence in text.sentences)


def _counts(sentence: Sentence) -> bool:
    return len(sentence.words) >= MIN_WORDS and not sentence.is_quoting


def _likeness(a: Sentence, b: Sentence) -> float:
    return 2 * len(a.words & b.words) / (len(a.words) + len(b.words))


def _threshold(sentence: Sentence) -> float:
    single = sum(len(word) == 1 for word in sentence.words)
    return MIN_LIKENESS_CHARACTERS if 2 * single > len(sentence.words) else MIN_LIKENESS

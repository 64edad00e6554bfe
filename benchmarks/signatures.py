"""Signatures per CPU second: ours, datasketch's default, its bulk way, and rensa when installed.

    python benchmarks/signatures.py [--texts 400] [--rounds 7]

Texts of 482 invented words on average (the mean of real news texts, docs/copies.md), the same for
all. Each way turns text into a 128-permutation signature of word 3-grams, one thread; rounds
alternate between the ways; CPU time, medians. Ours also normalises, sorts and samples.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence

from datasketch import MinHash

from aidivide_archive.similarity import sign

_WORDS = re.compile(r"\w+")


def made_texts(count: int) -> list[str]:
    """Invent texts whose words are as unevenly frequent as those of a language (Zipf)."""
    chance = random.Random(7)
    letters = "etaoinshrdlucmfwypvbgk"
    vocabulary = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(20000)]
    weights = [1 / (rank + 3) for rank in range(len(vocabulary))]
    texts = []
    for _ in range(count):
        words = chance.choices(vocabulary, weights, k=chance.randint(282, 682))
        sentences = (" ".join(words[i : i + 17]).capitalize() for i in range(0, len(words), 17))
        texts.append(". ".join(sentences) + ".")
    return texts


def grams(text: str) -> list[str]:
    words = _WORDS.findall(text.lower())
    return [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]


def datasketch_default(text: str) -> object:
    made = MinHash(num_perm=128)
    for gram in grams(text):
        made.update(gram.encode())
    return made.hashvalues


def datasketch_batch(text: str) -> object:
    made = MinHash(num_perm=128)
    made.update_batch([gram.encode() for gram in grams(text)])
    return made.hashvalues


def rensa() -> Callable[[str], object]:
    made = importlib.import_module("rensa").RMinHash

    def signature(text: str) -> object:
        one = made(num_perm=128, seed=1)
        one.update(grams(text))
        return one.digest()

    return signature


def seconds(way: Callable[[str], object], texts: Sequence[str]) -> float:
    begun = time.process_time()
    for text in texts:
        way(text)
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    texts = made_texts(given.texts)
    ways: dict[str, Callable[[str], object]] = {
        "datasketch default": datasketch_default,
        "datasketch update_batch": datasketch_batch,
        "ours": sign,
    }
    if importlib.util.find_spec("rensa"):
        ways["rensa RMinHash"] = rensa()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.rounds):
        for name, way in ways.items():
            taken[name].append(seconds(way, texts))
    slowest = statistics.median(taken["datasketch default"])
    for name, rounds in taken.items():
        median = statistics.median(rounds)
        print(f"{name:24} {len(texts) / median:8.0f} texts/CPU s   x{slowest / median:.1f}")


if __name__ == "__main__":
    main()

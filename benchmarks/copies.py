"""How well copies and stories are found in simulated syndication, with plain MinHashLSH beside.

    python -m benchmarks.copies PAGES [--seed N] [--verbose]

PAGES: a folder of labelled pages (`<set>/labels.jsonl.gz` with a `text` in each record).
Seeds below 1000 are for tuning; quote a figure of a seed that was not looked at before.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from datasketch import MinHash, MinHashLSH

from aidivide_archive.copies import compare, prepare
from aidivide_archive.evidence import worded
from aidivide_archive.model import Comparison, Match, Relation, Signature, StoryArticle
from aidivide_archive.similarity import (
    Hashes,
    bands,
    hashvalues,
    shingles,
    sign_shingles,
    unique_hashes,
)
from aidivide_archive.similarity.boilerplate import (
    sentence_keys,
    shared_endings,
    site_boilerplate,
    site_sentences,
    stock_sentences,
    version_groups,
)
from aidivide_archive.similarity.candidates import candidate_pairs
from aidivide_archive.stories import build_stories
from benchmarks.syndication import Document, Simulation, real_texts, true_pairs

POSITIVE, POSITIVE_WORDS, NEGATIVE = 0.30, 50, 0.20
FOUND = {Relation.COPY, Relation.EXCERPT}
Pairs = set[tuple[int, int]]


def truth_of(documents: Sequence[Document]) -> tuple[Pairs, Pairs]:
    """Return the true pairs and those that are neither true nor false."""
    positive, unclear = set(), set()
    for a, b, shared, containment in true_pairs(documents):
        kinds = {documents[a].kind, documents[b].kind}
        if containment >= POSITIVE and (shared >= POSITIVE_WORDS or kinds == {"template"}):
            if "statement" in kinds:
                unclear.add((a, b))
            else:
                positive.add((a, b))
        elif containment >= NEGATIVE:
            unclear.add((a, b))
    return positive, unclear


def main_story(document: Document) -> str | None:
    """Return the story that at least half of a document comes from; None: not scored."""
    if document.kind in {"roundup", "statement"}:
        return None
    counts: Counter[str] = Counter()
    total = 0
    for (name, _), words in document.words().items():
        total += words
        if name not in {"fresh", "clutter", "more"}:
            counts[name] += words
    name, words = next(iter(counts.most_common(1)), ("", 0))
    if NEGATIVE * total < words < total / 2:
        return None
    return name if words >= total / 2 else f"own{id(document)}"


def scores(found: Pairs, positive: Pairs, unclear: Pairs) -> tuple[float, float, float]:
    """Return precision, recall and F1 over the pairs that are clear."""
    right = len(found & positive)
    precision = right / max(1, len(found - unclear))
    recall = right / max(1, len(positive))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def pairs_within(groups: Iterable[Sequence[int]]) -> Pairs:
    return {
        (min(a, b), max(a, b)) for group in groups for i, a in enumerate(group) for b in group[:i]
    }


def story_scores(
    documents: Sequence[Document], groups: Iterable[Sequence[int]]
) -> tuple[float, float, float]:
    labels = {i: label for i, one in enumerate(documents) if (label := main_story(one))}
    true_groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, label in labels.items():
        true_groups[label].append(place)
    scored = [[place for place in group if place in labels] for group in groups]
    return scores(pairs_within(scored), pairs_within(true_groups.values()), set())


def plain(signatures: Mapping[int, Signature], threshold: float) -> Pairs:
    """Return what datasketch's MinHashLSH reports at a threshold."""
    index = MinHashLSH(threshold=threshold, num_perm=128)
    found = set()
    for place, signature in signatures.items():
        made = MinHash(hashvalues=hashvalues(signature), scheme=signature.scheme, num_perm=128)
        found |= {(other, place) for other in index.query(made)}
        index.insert(place, made)
    return found


def learnt(
    documents: Sequence[Document], sets: Sequence[Hashes]
) -> tuple[dict[str, Hashes], Hashes]:
    """Return each site's boilerplate and the shingles of stock sentences, as settling learns them."""
    pages: defaultdict[str, list[int]] = defaultdict(list)
    for place, document in enumerate(documents):
        pages[document.site].append(place)
    found, sentences = {}, []
    for site, places in pages.items():
        groups = version_groups([sets[place] for place in places])
        endings = shared_endings([documents[place].text for place in places])
        common = site_boilerplate([sets[place] for place in places], groups)
        found[site] = unique_hashes(np.concatenate([common, *map(shingles, endings)]))
        keys = {place: sentence_keys(documents[place].text) for place in places}
        sentences.append(site_sentences(keys, dict(zip(places, groups, strict=True))))
    stock = [
        shingles(sentence_keys(documents[place].text)[key])
        for key, place in stock_sentences(sentences).items()
    ]
    return found, unique_hashes(np.concatenate([np.empty(0, dtype=np.uint64), *stock]))


def stories_of(
    documents: Sequence[Document], compared: Mapping[tuple[int, int], Comparison]
) -> list[list[int]]:
    articles = [
        StoryArticle(
            id=place,
            url=f"https://{document.site}/{place}",
            site=document.site,
            published_start=None,
            published_end=None,
            word_count=len(document.text.split()),
        )
        for place, document in enumerate(documents)
    ]
    matches = [
        Match(a_id=a, b_id=b, comparison=comparison, decided_by="machine", version="")
        for (a, b), comparison in compared.items()
        if comparison.relation is not None
    ]
    return [[m.article_id for m in s.members] for s in build_stories(articles, matches, {})]


def show_misses(
    documents: Sequence[Document], compared: Mapping[tuple[int, int], Comparison], missed: Pairs
) -> None:
    """Print kinds and figures of wrong pairs, never their texts."""
    for a, b in sorted(missed)[:40]:
        one = compared.get((a, b))
        figures = "no candidate"
        if one:
            figures = f"{one.relation} {one.containment_a:.2f} {one.containment_b:.2f} "
            figures += " | ".join(map(worded, one.evidence[:2]))[:110]
        print(f"  {documents[a].kind:16} {documents[b].kind:16} {figures}")


def run(folder: Path, seed: int, *, verbose: bool) -> None:
    documents = Simulation(real_texts(folder), seed).run()
    positive, unclear = truth_of(documents)
    template = {i for i, one in enumerate(documents) if one.kind == "template"}
    begun = time.process_time()
    sets = [shingles(document.text) for document in documents]
    signatures = {place: sign_shingles(one) for place, one in enumerate(sets)}
    signed = time.process_time()
    boilerplate, stock = learnt(documents, sets)
    sites = {place: document.site for place, document in enumerate(documents)}
    candidates = candidate_pairs(signatures, sites, boilerplate, stock)
    joined = time.process_time()
    prepared = [
        prepare(one.text, boilerplate=boilerplate[one.site], stock=stock) for one in documents
    ]
    compared = {(a, b): compare(prepared[a], prepared[b]) for a, b in sorted(candidates)}
    verified = time.process_time()
    found = {pair for pair, one in compared.items() if one.relation in FOUND}
    groups = stories_of(documents, compared)
    ended = time.process_time()
    rows = np.mean([len(one.sketch) + len(bands(one)) for one in signatures.values()])
    print(
        f"seed {seed}: {len(documents)} documents, {len(positive)} true pairs, "
        f"{len(unclear)} left out; {rows:.0f} rows and {len(candidates) / len(documents):.1f} "
        f"candidates a document"
    )
    print(
        f"CPU s: sign {signed - begun:.2f}, candidates {joined - signed:.2f}, "
        f"verify {verified - joined:.2f}, stories {ended - verified:.2f}"
    )
    print(f"candidate recall {len(candidates & positive) / len(positive):.4f}")
    print(
        "pairs    ours      P {:.4f} R {:.4f} F1 {:.4f}".format(*scores(found, positive, unclear))
    )
    for threshold in (0.5, 0.7, 0.8):
        figures = scores(plain(signatures, threshold), positive, unclear)
        print("pairs    LSH {}   P {:.4f} R {:.4f} F1 {:.4f}".format(threshold, *figures))
    print("stories  ours      P {:.4f} R {:.4f} F1 {:.4f}".format(*story_scores(documents, groups)))
    formula = {(a, b) for a in template for b in template if a < b} - positive
    called = {pair for pair in formula if pair in found}
    seen = {pair for pair in formula if pair in compared}
    print(
        f"template pairs called copies: {len(called)} of {len(formula)} "
        f"({len(called) / max(1, len(formula)):.2%}; candidates {len(seen)})"
    )
    recalls = defaultdict(list)
    for a, b in positive:
        for kind in {documents[a].kind, documents[b].kind}:
            recalls[kind].append((a, b) in found)
    print(
        "recall by kind: "
        + ", ".join(f"{kind} {np.mean(hits):.3f}" for kind, hits in sorted(recalls.items()))
    )
    if verbose:
        print("missed:")
        show_misses(documents, compared, positive - found)
        print("wrong:")
        show_misses(documents, compared, found - positive - unclear)
        print("stories joined that are not one:")
        labels = {i: main_story(one) for i, one in enumerate(documents)}
        for group in groups:
            kinds = Counter((labels[i], documents[i].kind) for i in group if labels[i])
            if len({label for label, _ in kinds}) > 1:
                print("  ", sorted((str(k[0])[:6], k[1]) for k in kinds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="list wrong pairs by kind")
    given = parser.parse_args()
    run(given.pages, given.seed, verbose=given.verbose)


if __name__ == "__main__":
    main()

"""How well copies and stories are found in simulated syndication, with plain MinHashLSH beside.

    python -m benchmarks.copies PAGES [--seed N] [--verbose]

The documents are imported into an archive of their own and settled, as `aidivide import` does; the figures are of what
settling computes. PAGES: a folder of labelled pages (`<set>/labels.jsonl.gz` with a `text` in each record).
Seeds below 1000 are for tuning; quote a figure of a seed that was not looked at before.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from datasketch import MinHash, MinHashLSH

from aidivide_archive.archive import Location
from aidivide_archive.archive.settling.settlement import Settlement, compute_settlement
from aidivide_archive.archive.storage.engine import read_engine
from aidivide_archive.evidence import worded
from aidivide_archive.ingest.imports import import_paths
from aidivide_archive.model import Match, Relation, Signature
from aidivide_archive.similarity import bands, hashvalues, sign
from aidivide_archive.urls import url_id
from benchmarks.syndication import Document, Simulation, real_texts, true_pairs

POSITIVE, POSITIVE_WORDS, NEGATIVE = 0.30, 50, 0.20
FOUND = {Relation.COPY, Relation.EXCERPT}
Pairs = set[tuple[int, int]]


def in_order(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)


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


def settled(documents: Sequence[Document], folder: Path) -> tuple[dict[int, int], Settlement]:
    """Import the documents into a new archive, and return their places by article id, and what settling computes."""
    source, location = folder / "documents.jsonl", Location(folder / "archive")
    places = {}
    with source.open("w", encoding="utf-8") as lines:
        for place, document in enumerate(documents):
            url = f"https://{document.site}/{place}"
            places[url_id(url)] = place
            row = {"url": url, "title": f"Document {place}", "text": document.text}
            lines.write(json.dumps(row) + "\n")
    import_paths(location, [source])
    engine = read_engine(location)
    with engine.connect() as connection:
        found = compute_settlement(connection)
    engine.dispose()
    return places, found


def show_misses(
    documents: Sequence[Document], compared: Mapping[tuple[int, int], Match], missed: Pairs
) -> None:
    """Print kinds and figures of wrong pairs, never their texts."""
    for a, b in sorted(missed)[:40]:
        figures = "no match"
        if (a, b) in compared:
            one = compared[a, b].comparison
            figures = f"{one.relation} {one.containment_a:.2f} {one.containment_b:.2f} "
            figures += " | ".join(map(worded, one.evidence[:2]))[:110]
        print(f"  {documents[a].kind:16} {documents[b].kind:16} {figures}")


def run(folder: Path, seed: int, *, verbose: bool) -> None:
    documents = Simulation(real_texts(folder), seed).run()
    positive, unclear = truth_of(documents)
    template = {i for i, one in enumerate(documents) if one.kind == "template"}
    with tempfile.TemporaryDirectory() as name:
        begun = time.monotonic()
        places, settlement = settled(documents, Path(name))
        ended = time.monotonic()
    candidates = {in_order(places[a], places[b]) for a, b in settlement.candidates}
    compared = {
        in_order(places[match.a_id], places[match.b_id]): match for match in settlement.matches
    }
    found = {pair for pair, match in compared.items() if match.comparison.relation in FOUND}
    groups = [[places[m.article_id] for m in story.members] for story in settlement.stories]
    signatures = {place: sign(one.text) for place, one in enumerate(documents)}
    rows = np.mean([len(one.sketch) + len(bands(one)) for one in signatures.values()])
    print(
        f"seed {seed}: {len(documents)} documents, {len(positive)} true pairs, "
        f"{len(unclear)} left out; {rows:.0f} rows and {len(candidates) / len(documents):.1f} "
        f"candidates a document"
    )
    print(f"imported, settled and computed again in {ended - begun:.1f} s")
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
    seen = formula & candidates
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

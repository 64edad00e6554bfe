"""Two texts → how one copies the other, exactly: the verification behind every match.

Pure: knows texts and shingles, nothing of articles, times or SQL. Signatures only find candidates;
what a match says is computed here, on the exact shingle sets without site boilerplate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aidivide_archive.copies.quotes import quoted_mask
from aidivide_archive.copies.rewriting import rewritten_words
from aidivide_archive.copies.sentences import Outline, outline
from aidivide_archive.copies.slots import SlotConflict, slot_conflict
from aidivide_archive.evidence import Evidence, EvidenceKind
from aidivide_archive.model import Comparison, Relation
from aidivide_archive.similarity import (
    Hashes,
    Tokens,
    is_among,
    run_lengths,
    token_shingles,
    tokens,
    unique_hashes,
)
from aidivide_archive.similarity.normalise import disguised_word_count

COPIES_VERSION = "4"
"""Raise it whenever `compare` gives another result for any pair: stored matches are stale."""

MIN_CONTAINMENT = 0.25
"""Share of one text that must stand in the other: the optimum of the development split, and inside
the empty band .14–.40 between unrelated and related whole pages (docs/copies.md)."""
REWRITTEN_CONTAINMENT = 0.1
REWRITTEN_SHARE = 0.25
REWRITTEN_WORDS = 50
"""A text with less verbatim overlap is a rewritten copy when this share of its words, and this many
of them, stand in sentences that have a close counterpart in the other (`rewriting`)."""
MIN_SHARED = 15
"""Shared shingles below which an overlap is chance, a stock phrase or a title."""
STATEMENT_RATIO = 0.4
"""Independent stories that print one statement share next to nothing outside it; an edited copy of
a story full of quotations shares less outside them, but not that little."""
COPY_CONTAINMENT = 0.4
"""Both sides at least this: the same text, edited or not. Below, one is a part of the other."""
EDITED_RATIO = 2.0
"""Two containments of at least `MIN_CONTAINMENT` closer than this factor: an edited copy."""
SHORT_TOKENS = 50
"""Texts below this are copies only when nearly all of both is the same: formulas are short."""
SHORT_CONTAINMENT = 0.6
MIN_SHARED_TINY = 8
"""Shingles of the tiniest text that may be a copy, if it is the same in full."""
MIN_CONFLICTS = 2
CONFLICT_SHARE = 0.5
"""Template news: at least this many, and this share, of the aligned sentences with slots differ."""
BOILERPLATE_LINE = 0.6
"""Share of a line's shingles that are boilerplate from which the whole line is."""
NUMBER_CONFLICTS = 3
NUMBER_SHARE = 0.6
"""When names agree: at least this many, and this share, of the sentences with numbers differ."""
OTHER_NUMBERS = 4
"""When names cannot be seen, as in Chinese: this many numbers differ, and `CONFLICT_SHARE` of all.
An update brings one or two figures and keeps most; what stays the same in a formula is small."""
NAME_CONFLICTS = 3
NAME_SHARE = 0.75
"""The same for names when numbers agree."""
DISGUISED_WORDS = 3
"""Mixed-script words from which a text counts as disguised; fewer are formulas and brands."""

_NOTHING = np.empty(0, dtype=np.uint64)
_OTHER_SIDE = {"a": "b", "b": "a"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """One text, ready to be compared many times. Hash arrays are uint64; about 12 KB a text."""

    text: str = field(repr=False)
    shingles: Hashes = field(repr=False)
    """Sorted, unique, without boilerplate."""
    quoted: Hashes = field(repr=False)
    """Those that stand wholly inside quotation marks; sorted, unique."""
    runs: Hashes = field(repr=False)
    """Shingle hashes in text order, repeats and boilerplate included."""
    token_count: int
    """Words; in scripts without spaces characters."""
    boilerplate_lines: frozenset[int] = field(repr=False)
    """Places of the lines that are mostly boilerplate."""
    boilerplate_count: int
    """Distinct shingles left out as boilerplate, of the site or of many sites."""

    @cached_property
    def outline(self) -> Outline:
        """The sentences of all lines but boilerplate, made when a comparison first needs them."""
        if not self.boilerplate_lines:
            return outline(self.text)
        lines = enumerate(self.text.split("\n"))
        kept = (line for place, line in lines if place not in self.boilerplate_lines)
        return outline("\n".join(kept))

    @cached_property
    def evidence(self) -> NDArray[np.bool_] | None:
        """Which of the runs are no boilerplate; None: all of them."""
        return is_among(self.runs, self.shingles) if self.boilerplate_count else None

    @cached_property
    def disguised_words(self) -> int:
        return disguised_word_count(self.text)

    @cached_property
    def order(self) -> tuple[int, int, str]:
        """A total order of texts, so that a comparison is computed one way round only."""
        return len(self.shingles), len(self.text), self.text


def prepare(text: str, *, boilerplate: Hashes = _NOTHING, stock: Hashes = _NOTHING) -> Prepared:
    """Compute what comparing a text needs.

    `boilerplate` is its site's, `stock` what many sites print again and again; both sorted
    (`similarity.boilerplate`) and left out.
    """
    text_tokens = tokens(text)
    runs = token_shingles(text_tokens)
    every = unique_hashes(runs)
    kept = every[~(is_among(every, boilerplate) | is_among(every, stock))]
    return Prepared(
        text=text,
        shingles=kept,
        quoted=_quoted(text_tokens.text, text_tokens.starts, run_lengths(text_tokens), runs),
        runs=runs,
        token_count=len(text_tokens.hashes),
        boilerplate_lines=_boilerplate_lines(
            text_tokens, is_among(runs, boilerplate) | is_among(runs, stock)
        ),
        boilerplate_count=len(every) - len(kept),
    )


def compare(a: Prepared, b: Prepared) -> Comparison:
    """Compare two texts exactly; `compare(b, a)` is the same comparison seen from the other side.

    `relation` is None when they share too little; the numbers are given all the same.
    """
    if a.order > b.order:
        return mirrored(_compare(b, a))
    return _compare(a, b)


def mirrored(comparison: Comparison) -> Comparison:
    """Return the comparison with a and b exchanged."""
    return replace(
        comparison,
        contains=_OTHER_SIDE.get(comparison.contains or ""),
        containment_a=comparison.containment_b,
        containment_b=comparison.containment_a,
        containment_a_outside_quotes=comparison.containment_b_outside_quotes,
        containment_b_outside_quotes=comparison.containment_a_outside_quotes,
        evidence=tuple(
            replace(part, side=_OTHER_SIDE[part.side]) if part.side else part
            for part in comparison.evidence
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlap:
    shared: int
    jaccard: float
    containment_a: float
    containment_b: float

    @property
    def largest(self) -> float:
        return max(self.containment_a, self.containment_b)

    @property
    def smallest(self) -> float:
        return min(self.containment_a, self.containment_b)


def _compare(a: Prepared, b: Prepared) -> Comparison:
    among = is_among(a.shingles, b.shingles)
    whole = _overlap(a.shingles, b.shingles, a.shingles[among])
    relation, evidence = None, [Evidence(kind=EvidenceKind.SHARED_SHINGLES, count=whole.shared)]
    outside, longest = whole, 0
    if whole.shared >= MIN_SHARED_TINY:
        outside = _outside_quotes(a, b, whole)
        longest = min(_longest_run(a, b), _longest_run(b, a))
        relation, decisive = _relation(a, b, whole, outside)
        evidence += decisive
    return Comparison(
        relation=relation,
        contains=_direction(whole) if relation is Relation.EXCERPT else None,
        jaccard=whole.jaccard,
        containment_a=whole.containment_a,
        containment_b=whole.containment_b,
        containment_a_outside_quotes=outside.containment_a,
        containment_b_outside_quotes=outside.containment_b,
        longest_passage_words=longest,
        evidence=(*evidence, *_reservations(a, b)),
    )


def _relation(
    a: Prepared, b: Prepared, whole: _Overlap, outside: _Overlap
) -> tuple[Relation | None, list[Evidence]]:
    """The relation, and what decided it."""
    if not _is_enough(a, b, whole):
        return _rewritten(a, b, whole)
    if outside.largest < min(MIN_CONTAINMENT, STATEMENT_RATIO * whole.largest):
        return Relation.SHARED_STATEMENT, [_share(EvidenceKind.ONLY_QUOTATIONS, outside.largest)]
    veto = _other_facts(a, b, whole)
    if veto:
        return Relation.TEMPLATE, [veto]
    if whole.smallest >= COPY_CONTAINMENT:
        return Relation.COPY, [_share(EvidenceKind.SHARE_OF_EACH, whole.smallest)]
    if whole.smallest >= MIN_CONTAINMENT and whole.largest < EDITED_RATIO * whole.smallest:
        return Relation.COPY, [_share(EvidenceKind.SHARE_OF_EACH_EDITED, whole.smallest)]
    contained = _OTHER_SIDE[_direction(whole)]
    return Relation.EXCERPT, [_share(EvidenceKind.SHARE_OF_ONE, whole.largest, contained)]


def _rewritten(a: Prepared, b: Prepared, whole: _Overlap) -> tuple[Relation | None, list[Evidence]]:
    """Look for a rewritten text below the threshold of verbatim overlap."""
    if whole.shared < MIN_SHARED or whole.largest < REWRITTEN_CONTAINMENT:
        return None, []
    words, all_a, all_b = rewritten_words(a.outline, b.outline)
    smallest, largest = sorted((words / max(1, all_a), words / max(1, all_b)))
    if words < REWRITTEN_WORDS or largest < REWRITTEN_SHARE:
        return None, []
    veto = _other_facts(a, b, whole)
    if veto:
        return Relation.TEMPLATE, [veto]
    relation = Relation.COPY if smallest >= REWRITTEN_SHARE else Relation.EXCERPT
    return relation, [_share(EvidenceKind.REWRITTEN_SENTENCES, largest)]


def _share(kind: EvidenceKind, share: float, side: str | None = None) -> Evidence:
    return Evidence(kind=kind, percent=round(share * 100), side=side)


def _is_enough(a: Prepared, b: Prepared, whole: _Overlap) -> bool:
    if whole.shared < MIN_SHARED:
        return whole.jaccard >= 1.0
    if min(a.token_count, b.token_count) < SHORT_TOKENS:
        return whole.largest >= SHORT_CONTAINMENT
    return whole.largest >= MIN_CONTAINMENT


def _other_facts(a: Prepared, b: Prepared, whole: _Overlap) -> Evidence | None:
    """The evidence that the two are formula news about different things; None when they are not."""
    if whole.jaccard >= 1.0:
        return None
    conflict = slot_conflict(a.outline, b.outline)
    short = min(a.token_count, b.token_count) < SHORT_TOKENS
    nameless = not (a.outline.shows_names and b.outline.shows_names)
    if not _is_template(conflict, short=short, nameless=nameless):
        return None
    name, other_name = conflict.example or ("", "")
    return Evidence(
        kind=EvidenceKind.OTHER_FACTS,
        count=conflict.conflicting,
        total=conflict.aligned,
        name=name,
        other_name=other_name,
    )


def _is_template(conflict: SlotConflict, *, short: bool, nameless: bool) -> bool:
    others = conflict.numbers_other if nameless else 0
    if conflict.conflicting < (
        1 if short or conflict.years or others >= OTHER_NUMBERS else MIN_CONFLICTS
    ):
        return False
    if conflict.conflicting < CONFLICT_SHARE * conflict.aligned:
        return False
    if conflict.years or (conflict.names and conflict.numbers):
        return True
    if conflict.names:  # places and people alone differ by spelling and translation, too
        return conflict.names >= NAME_CONFLICTS and conflict.names >= NAME_SHARE * conflict.aligned
    # Numbers alone also change from one version of a story to the next (a death toll).
    if conflict.numbers < NUMBER_SHARE * conflict.numbered:
        return False
    return conflict.numbers >= NUMBER_CONFLICTS or (
        others >= OTHER_NUMBERS and others >= CONFLICT_SHARE * (others + conflict.numbers_same)
    )


def _reservations(a: Prepared, b: Prepared) -> list[Evidence]:
    """What else has to be known of either text to read the numbers."""
    evidence = []
    for side, text in (("a", a), ("b", b)):
        if text.boilerplate_count:
            kind, count = EvidenceKind.BOILERPLATE_LEFT_OUT, text.boilerplate_count
            evidence.append(Evidence(kind=kind, count=count, side=side))
        if text.disguised_words >= DISGUISED_WORDS:
            kind, count = EvidenceKind.DISGUISED_WORDS, text.disguised_words
            evidence.append(Evidence(kind=kind, count=count, side=side))
    return evidence


def _direction(whole: _Overlap) -> str:
    """Return the side that contains the other's text: the one of which less is shared."""
    return "a" if whole.containment_b >= whole.containment_a else "b"


def _overlap(a: Hashes, b: Hashes, shared: Hashes) -> _Overlap:
    count = len(shared)
    union = len(a) + len(b) - count
    return _Overlap(
        shared=count,
        jaccard=count / union if union else 0.0,
        containment_a=count / len(a) if len(a) else 0.0,
        containment_b=count / len(b) if len(b) else 0.0,
    )


def _outside_quotes(a: Prepared, b: Prepared, whole: _Overlap) -> _Overlap:
    """Compare what neither text has in quotation marks: outlets mark the same words differently."""
    if not (len(a.quoted) or len(b.quoted)):
        return whole
    quoted = unique_hashes(np.concatenate((a.quoted, b.quoted)))
    own_a = a.shingles[~is_among(a.shingles, quoted)]
    own_b = b.shingles[~is_among(b.shingles, quoted)]
    return _overlap(own_a, own_b, own_a[is_among(own_a, own_b)])


def _longest_run(a: Prepared, b: Prepared) -> int:
    """Return the length in tokens of the longest stretch of `a` whose shingles all stand in `b`."""
    shared = is_among(a.runs, b.shingles)
    if a.evidence is not None:
        shared &= a.evidence
    edges = np.flatnonzero(np.diff(np.concatenate(([False], shared, [False])).astype(np.int8)))
    if not len(edges):
        return 0
    return min(int((edges[1::2] - edges[::2]).max()) + 2, a.token_count)


def _boilerplate_lines(found: Tokens, known: NDArray[np.bool_]) -> frozenset[int]:
    """Return the lines most of whose runs are known to be boilerplate."""
    if not known.any():
        return frozenset()
    breaks = [newline.start() for newline in re.finditer("\n", found.text)]
    # Normalising neither makes nor drops line breaks: the text as given has the same lines.
    lines = np.searchsorted(breaks, found.starts[: len(known)])
    counts, hits = np.bincount(lines), np.bincount(lines[known], minlength=int(lines.max()) + 1)
    return frozenset(np.flatnonzero((hits > 0) & (hits >= BOILERPLATE_LINE * counts)).tolist())


def _quoted(
    text: str,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    runs: Hashes,
) -> Hashes:
    """Return the shingles all of whose tokens stand inside quotation marks."""
    mask = quoted_mask(text)
    if not mask.any():
        return _NOTHING
    inside = np.concatenate(([0], np.cumsum(mask[starts])))
    begins = np.arange(len(runs))
    return unique_hashes(runs[inside[begins + lengths] - inside[begins] == lengths])

"""Text → shingles → MinHash signature and sketch: what makes copies findable.

The only importer of datasketch, which defines the permutations; the values are computed here by one
vectorised function and are bit-identical to datasketch's own `MinHash` (a test compares them).
Knows texts and numbers, nothing of articles, sites or SQL.

From one text come: shingles (sorted unique 64-bit hashes of token runs; exact sets, for verifying),
a signature (128 minima, for whole copies) and a sketch (the shingles of smallest hash, the same
part of the hash space in every text, so that any overlap shows in proportion).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from aidivide_archive.exceptions import ArchiveError
from aidivide_archive.model import CHARACTERS_PER_SHINGLE, WORDS_PER_SHINGLE, Signature
from aidivide_archive.similarity.normalise import NORMALISER_VERSION, normalise
from aidivide_archive.words import SHINGLE_LETTERS

SCHEME = "affine32"
"""datasketch's permutation scheme, its default since 2.0; 1.x values cannot be compared with it."""
SEED = 1
PERMUTATION_COUNT = 128
SHINGLE_VERSION = f"{NORMALISER_VERSION}.1"
"""Version of normaliser, tokens and shingle hashes together: `Signature.version`."""

SKETCH_RATE = 12
"""One shingle of this many is in the sketch."""
SKETCH_FLOOR = 48
"""A short text's sketch holds its smallest hashes up to this number, so that two short texts have
enough in common."""

BAND_COUNT = 12
BAND_ROWS = 5
"""12 × 5 finds a pair of Jaccard .9/.8/.7/.5 with probability 1.00/.99/.89/.32. Bands are there
for whole copies of very many articles, whose sketch hashes are over the cap; the sketch finds the
rest."""

_UINT64 = np.uint64
_MASK64 = (1 << 64) - 1
_BASE = 0x9E3779B97F4A7C15  # odd: 2^64 / golden ratio
_STEP = 0xD6E8FEB86659FD93  # odd, from Pelle Evensen's mixers; any odd constant would do
_POWER_COUNT = 1 << 15
_CATEGORISED = 0x20000  # above this are ideographs, and nothing else that makes words
_PERMUTATION_CHUNK = 512  # (128, 512) uint32 = 256 KiB stays in the second-level cache

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tokens:
    """The words of a normalised text; in scripts without spaces its characters. All (n,)."""

    text: str
    """The normalised text the positions point into."""
    hashes: Hashes
    starts: NDArray[np.int64]
    """Code point at which the token begins."""
    single: NDArray[np.bool_]
    """True: a character of a script without spaces."""


def sign(text: str) -> Signature:
    """Compute a text's signature and sketch.

    A text without words has `shingle_count` 0, no sketch, and no bands.
    """
    return sign_shingles(shingles(text))


def sign_shingles(hashes: Hashes) -> Signature:
    """Compute the signature of sorted unique shingle hashes."""
    return Signature(
        scheme=SCHEME,
        seed=SEED,
        version=SHINGLE_VERSION,
        hashvalues=minima(hashes.astype(np.uint32)).astype("<u4").tobytes(),
        shingle_count=len(hashes),
        sketch=_sketch(hashes),
    )


def shingles(text: str) -> Hashes:
    """Return the text's shingle hashes, (n,) uint64, sorted, without repeats."""
    return unique_hashes(token_shingles(tokens(text)))


def tokens(text: str) -> Tokens:
    """Split a text into hashed tokens after normalising it. Linear, no cache."""
    plain = normalise(text)
    points = _code_points(plain)
    kind = _kinds(points)
    word = kind > 0
    single = kind > 1
    begins = word.copy()
    if len(word):
        # A word begins where none was before, and every character of a spaceless script is one.
        begins[1:] &= ~word[:-1] | single[1:] | single[:-1]
    starts = np.flatnonzero(begins)
    if not len(starts):
        return Tokens(
            text=plain,
            hashes=np.empty(0, dtype=_UINT64),
            starts=starts,
            single=np.empty(0, dtype=np.bool_),
        )
    # A polynomial hash of each word: code points times powers of an odd number, summed from word
    # start to word start (what is no word adds nothing), then shifted back to power zero.
    powers, inverses = _powers(len(points))
    summed = np.add.reduceat(points * word * powers, starts)
    return Tokens(
        text=plain,
        hashes=_mix(summed * inverses[starts]),
        starts=starts,
        single=single[starts],
    )


def token_shingles(found: Tokens) -> Hashes:
    """Hash each run of tokens, in text order, repeats kept: entry i begins at token i.

    Runs of three words; of four tokens where one of the first three is a character of a script
    without spaces. A text shorter than that is one run.
    """
    lengths = run_lengths(found)
    if not len(lengths):
        return found.hashes
    first = int(lengths[0])
    if (lengths == first).all():
        return _mix(_run_sums(found.hashes, first)[: len(lengths)])
    runs = np.empty(len(lengths), dtype=_UINT64)
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        runs[chosen] = _run_sums(found.hashes, length)[chosen]
    return _mix(runs)


def run_lengths(found: Tokens) -> NDArray[np.int64]:
    """Return the number of tokens in each run of `token_shingles`, (n,) int64."""
    count = len(found.hashes)
    if count < WORDS_PER_SHINGLE:
        return np.full(min(count, 1), count, dtype=np.int64)
    lengths = np.full(count - WORDS_PER_SHINGLE + 1, WORDS_PER_SHINGLE, dtype=np.int64)
    single = found.single
    if single.any():
        lengths[single[:-2] | single[1:-1] | single[2:]] = min(CHARACTERS_PER_SHINGLE, count)
        lengths = lengths[np.arange(len(lengths)) + lengths <= count]
    return lengths


def unique_hashes(hashes: Hashes) -> Hashes:
    """Sort and drop repeats; np.unique does the same at twice the cost for short arrays."""
    ordered = np.sort(hashes)
    if len(ordered) < 2:
        return ordered
    keep = np.empty(len(ordered), dtype=np.bool_)
    keep[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=keep[1:])
    return ordered[keep]


def is_among(values: Hashes, ordered: Hashes) -> NDArray[np.bool_]:
    """Say of each value whether it is in the sorted array; (len(values),) bool."""
    if not len(ordered):
        return np.zeros(len(values), dtype=np.bool_)
    places = np.searchsorted(ordered, values)
    places[places == len(ordered)] = 0
    found: NDArray[np.bool_] = ordered[places] == values
    return found


def minima(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return datasketch's hash values of a set of 32-bit hashes, (128,) uint32."""
    multipliers, offsets = _permutations()
    lowest = np.full(PERMUTATION_COUNT, np.iinfo(np.uint32).max, dtype=np.uint32)
    mixed = _mix32(hashes)
    for begin in range(0, len(mixed), _PERMUTATION_CHUNK):
        permuted = multipliers * mixed[begin : begin + _PERMUTATION_CHUNK]
        permuted += offsets
        np.minimum(lowest, permuted.min(axis=1), out=lowest)
    return lowest


def bands(signature: Signature) -> tuple[int, ...]:
    """Return the keys of the signature's bands as signed 64-bit integers; the index is the band.

    Two texts that share a key in the same band are candidates. () for a text without words.
    """
    if not signature.shingle_count:
        return ()
    return tuple(band_keys(hashvalues(signature)[None, :])[0].tolist())


def band_keys(minima_of_each: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the band keys of many signatures: (n, 128) uint32 → (n, 12) int64; none may be empty."""
    rows = minima_of_each[:, : BAND_COUNT * BAND_ROWS].reshape(-1, BAND_COUNT, BAND_ROWS)
    key = np.repeat(np.arange(BAND_COUNT, dtype=_UINT64)[None, :], len(rows), axis=0)
    for column in range(BAND_ROWS):
        key = _mix(key * _UINT64(_STEP) + rows[:, :, column])
    return key.view(np.int64)


def hashvalues(signature: Signature) -> NDArray[np.uint32]:
    """Return the signature's minima, (128,) uint32, read-only."""
    return np.frombuffer(signature.hashvalues, dtype="<u4")


def check_compatible(signature: Signature) -> None:
    """Raise ArchiveError unless the signature was made in the way this version makes them."""
    made = (signature.scheme, signature.seed, signature.version, len(signature.hashvalues))
    expected = (SCHEME, SEED, SHINGLE_VERSION, PERMUTATION_COUNT * 4)
    if made != expected:
        raise ArchiveError(
            f"signature of scheme {made[0]!r}, seed {made[1]}, version {made[2]!r}, {made[3]} bytes"
            f" cannot be compared with {expected}: run `aidivide copies rebuild`"
        )


def _sketch(hashes: Hashes) -> tuple[int, ...]:
    below = int(np.searchsorted(hashes, _UINT64(_MASK64 // SKETCH_RATE)))
    chosen = hashes[: max(below, SKETCH_FLOOR)]
    return tuple(np.sort(chosen.view(np.int64)).tolist())


def _run_sums(hashes: Hashes, length: int) -> Hashes:
    """Combine each run of `length` neighbours into one number that depends on their order."""
    count = len(hashes) - length + 1
    runs = hashes[:count].copy()
    for offset in range(1, length):
        runs *= _UINT64(_STEP)
        runs += hashes[offset : offset + count]
    return runs


def _mix(values: Hashes) -> Hashes:
    """MurmurHash3's 64-bit finalizer: a bijection that spreads every bit."""
    values = values ^ (values >> _UINT64(33))
    values *= _UINT64(0xFF51AFD7ED558CCD)
    values ^= values >> _UINT64(33)
    values *= _UINT64(0xC4CEB9FE1A85EC53)
    values ^= values >> _UINT64(33)
    return values


def _mix32(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's 32-bit finalizer, the first step of datasketch's scheme "affine32"."""
    values = values ^ (values >> np.uint32(16))
    values *= np.uint32(0x85EBCA6B)
    values ^= values >> np.uint32(13)
    values *= np.uint32(0xC2B2AE35)
    values ^= values >> np.uint32(16)
    return values


@lru_cache(maxsize=1)
def _permutations() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return datasketch's own multipliers and offsets, each (128, 1) uint32."""
    from datasketch import (
        MinHash,  # brings scipy, a second of start-up: only where texts are signed
    )

    made = MinHash(num_perm=PERMUTATION_COUNT, seed=SEED, scheme=SCHEME).permutations
    return (
        np.ascontiguousarray(made[0], dtype=np.uint32)[:, None],
        np.ascontiguousarray(made[1], dtype=np.uint32)[:, None],
    )


def load_permutations() -> None:
    """Load what signing needs, scipy by way of datasketch: for a process that others are forked from."""
    _permutations()


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Return base^i and base^-i for i < count, modulo 2^64."""
    if count <= _POWER_COUNT:
        powers, inverses = _power_table()
        return powers[:count], inverses
    return _power_run(_BASE, count), _power_run(pow(_BASE, -1, 1 << 64), count)


@lru_cache(maxsize=1)
def _power_table() -> tuple[Hashes, Hashes]:
    return _power_run(_BASE, _POWER_COUNT), _power_run(pow(_BASE, -1, 1 << 64), _POWER_COUNT)


def _power_run(base: int, count: int) -> Hashes:
    factors = np.full(count, base, dtype=_UINT64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


def _code_points(text: str) -> NDArray[np.uint32] | NDArray[np.uint8]:
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _kinds(points: NDArray[np.uint32] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Say of each code point: 0 no word character, 1 part of a word, 2 a word by itself."""
    return _kind_table()[points]


@lru_cache(maxsize=1)
def _kind_table() -> NDArray[np.uint8]:
    """Build the table of `_kinds` for all of Unicode: 1.1 MB, about 0.1 s, once per process."""
    table = np.zeros(0x110000, dtype=np.uint8)
    # Letters, digits and combining marks (Indic vowel signs belong to their word).
    for point in range(_CATEGORISED):
        if unicodedata.category(chr(point))[0] in "LMN":
            table[point] = 1
    for first, last in SHINGLE_LETTERS:
        block = table[first : last + 1]
        # the planes of ideographs count whole, whatever this Python's Unicode data knows of them
        block[(block > 0) | (first >= _CATEGORISED)] = 2
    return table

"""Small sketches of large things, by which near duplicates are found: texts, pictures and the tensors of models.

MinHash: Broder, "On the resemblance and containment of documents", 1997. Bands: Leskovec, Rajaraman and Ullman, "Mining
of Massive Datasets", section 3.4.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import struct
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)

PERMUTATIONS = 128
# Pairs are candidates from a likeness of about (1/32) ** (1/4) = 0.42 on; what is asked for is then estimated.
BANDS = 32
SHINGLE_WORDS = 3
MOST_SHINGLES = 100_000
# Pictures whose hashes differ in no more bits are copies of each other, scaled or compressed again.
NEAR_BITS = 10
_SHINGLE_CHARS = 7
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_BATCH = 4096
_CROWD = 500


def shingles(text: str) -> Iterator[str]:
    """Yield the overlapping parts of a text: three words, or seven characters where words are not divided by spaces.

    Case, marks and spaces make no difference; a text of fewer words is one shingle.
    """
    folded = text.casefold()
    words = _WORD.findall(folded)
    letters = "".join(words)
    if len(_UNSPACED.findall(letters)) * 4 > len(letters):
        yield from (letters[at : at + _SHINGLE_CHARS] for at in range(max(1, len(letters) - _SHINGLE_CHARS + 1)))
    elif words:
        yield from (" ".join(words[at : at + SHINGLE_WORDS]) for at in range(max(1, len(words) - SHINGLE_WORDS + 1)))


def minhash(text: str) -> bytes:
    """Return the sketch of a text: 128 numbers of 4 bytes, little-endian; empty for a text without a word."""
    import numpy

    hashes = sorted({_hash(shingle) for shingle in itertools.islice(shingles(text), MOST_SHINGLES)})
    if not hashes:
        return b""
    factors, terms = _permutations()
    least = numpy.full(PERMUTATIONS, 0xFFFFFFFF, numpy.uint32)
    for at in range(0, len(hashes), _BATCH):
        part = numpy.array(hashes[at : at + _BATCH], numpy.uint64)[:, None]
        # Multiply-shift: the high half of a product modulo 2**64 is as good as random.
        mixed = (((part * factors + terms) >> numpy.uint64(32)) & numpy.uint64(0xFFFFFFFF)).astype(numpy.uint32)
        numpy.minimum(least, mixed.min(axis=0), out=least)
    return least.astype("<u4").tobytes()


def likeness(one: bytes, other: bytes) -> float:
    """Estimate which share of the shingles of two texts is common to both (Jaccard); 0 where either has none."""
    import numpy

    if not one or len(one) != len(other):
        return 0.0
    return float(numpy.mean(numpy.frombuffer(one, "<u4") == numpy.frombuffer(other, "<u4")))


def bands(sketch: bytes, count: int = BANDS) -> tuple[bytes, ...]:
    """Return what to look candidates up by: texts that share one band of eight bytes or more are alike, perhaps."""
    if not sketch:
        return ()
    width = len(sketch) // count
    return tuple(
        hashlib.blake2b(
            struct.pack("<H", number) + sketch[number * width : (number + 1) * width], digest_size=8
        ).digest()
        for number in range(count)
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two things that are alike, and how much, from 0 to 1."""

    one: Any
    other: Any
    likeness: float


def near_texts(sketches: Mapping[Key, bytes], least: float = 0.8) -> list[Pair]:
    """Return pairs of texts that are at least so much alike, the most alike first.

    Texts with the same sketch are each paired with the first of them, which stands for all of them in other pairs.
    """
    firsts, same = _firsts({key: sketch for key, sketch in sketches.items() if sketch})
    candidates = _sharing({key: bands(sketch) for key, sketch in firsts.items()})
    found = ((one, other, likeness(sketches[one], sketches[other])) for one, other in candidates)
    return _ranked([*same, *(Pair(*pair) for pair in found if pair[2] >= least)])


def distance(one: int, other: int) -> int:
    """Return in how many bits the perceptual hashes of two pictures differ."""
    return (one ^ other).bit_count()


def near_pictures(hashes: Mapping[Key, int], most_bits: int = NEAR_BITS) -> list[Pair]:
    """Return pairs of pictures whose 64-bit hashes differ in no more bits, the nearest first.

    Pictures with the same hash are each paired with the first of them, which stands for all of them in other pairs.
    Hashes that differ in `most_bits` bits agree in at least one of `most_bits` + 1 parts, by which they are looked up.
    """
    firsts, same = _firsts(hashes)
    parts = min(64, most_bits + 1)
    edges = [64 * number // parts for number in range(parts + 1)]
    keys = {
        key: tuple(
            (number, (value >> low) & ((1 << (high - low)) - 1))
            for number, (low, high) in enumerate(itertools.pairwise(edges))
        )
        for key, value in firsts.items()
    }
    found = ((one, other, distance(hashes[one], hashes[other])) for one, other in _sharing(keys))
    return _ranked([*same, *(Pair(one, other, 1 - bits / 64) for one, other, bits in found if bits <= most_bits)])


@dataclass(frozen=True, slots=True)
class Shared:
    """What two models have in common: tensors of the same bytes, and of the same name with other bytes."""

    tensors: int
    size_bytes: int
    likeness: float
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]


def shared_tensors(one: Mapping[str, tuple[str, int]], other: Mapping[str, tuple[str, int]]) -> Shared:
    """Compare two models by tensors, each given as name to (sha-256, size in bytes).

    The likeness is the share of bytes that both have, of all the bytes that either has; the bytes of a tensor that a
    model holds twice count once.
    """
    mine, theirs = (dict(tensors.values()) for tensors in (one, other))
    common = mine.keys() & theirs.keys()
    total = sum((mine | theirs).values())
    size_bytes = sum(mine[digest] for digest in common)
    changed = tuple(sorted(name for name in one.keys() & other.keys() if one[name][0] != other[name][0]))
    named = {digest: name for name, (digest, _) in sorted(other.items(), reverse=True)}
    moved = ((name, named[digest]) for name, (digest, _) in sorted(one.items()) if digest in common)
    renamed = tuple((name, there) for name, there in moved if other.get(name, ("",))[0] != one[name][0])
    return Shared(len(common), size_bytes, size_bytes / total if total else 0.0, changed, renamed)


def groups(pairs: Iterable[Pair]) -> list[tuple[Any, ...]]:
    """Join pairs into groups of all that are linked, the largest first, each in order."""
    leader: dict[Any, Any] = {}

    def first(key: Any) -> Any:
        while leader.setdefault(key, key) != key:
            leader[key] = key = leader[leader[key]]
        return key

    for pair in pairs:
        leader[first(pair.other)] = first(pair.one)
    found: dict[Any, list[Any]] = {}
    for key in leader:
        found.setdefault(first(key), []).append(key)
    return sorted((tuple(sorted(members)) for members in found.values()), key=lambda members: (-len(members), members))


def _firsts(values: Mapping[Key, Value]) -> tuple[dict[Key, Value], list[Pair]]:
    """Return the first holder of each value, and it in a pair with each other holder."""
    holders: dict[Value, Key] = {}
    same = [Pair(holders[value], key, 1.0) for key, value in values.items() if holders.setdefault(value, key) != key]
    return {key: value for value, key in holders.items()}, same


def _sharing(keys: Mapping[Key, Sequence[Hashable]]) -> list[tuple[Key, Key]]:
    """Return the pairs that share a key; of very many that share one, each with the first."""
    places: dict[Hashable, list[Key]] = {}
    for name, several in keys.items():
        for key in several:
            places.setdefault(key, []).append(name)
    pairs: dict[tuple[Key, Key], None] = {}
    for members in places.values():
        ones = members if len(members) <= _CROWD else members[:1]
        for number, one in enumerate(ones):
            for other in members[number + 1 :]:
                pairs.setdefault((one, other))
    return list(pairs)


def _ranked(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: (-pair.likeness, str(pair.one), str(pair.other)))


def _hash(shingle: str) -> int:
    return int.from_bytes(hashlib.blake2b(shingle.encode("utf-8", "replace"), digest_size=8).digest(), "little")


@cache
def _permutations() -> tuple[numpy.ndarray[Any, Any], numpy.ndarray[Any, Any]]:
    """Return odd factors and terms that are the same on every machine and in every version of numpy."""
    import numpy

    drawn = hashlib.shake_128(b"ipfs-accel minhash 1").digest(PERMUTATIONS * 16)
    numbers = numpy.frombuffer(drawn, "<u8").astype(numpy.uint64)
    return numbers[:PERMUTATIONS] | numpy.uint64(1), numbers[PERMUTATIONS:]

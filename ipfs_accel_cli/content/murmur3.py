"""murmur3-x64-64, by which HAMT-sharded directories spread their names."""

from __future__ import annotations

from .varint import Buffer

_MASK = (1 << 64) - 1
_FIRST, _SECOND = 0x87C37B91114253D5, 0x4CF5AD432745937F
_STRIPE_BYTES = 16


def hash64(data: Buffer) -> int:
    """Return the first 64 bits of MurmurHash3 x64-128 with seed 0.

    UnixFS takes a name's path from the highest bits down
    (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp, multicodec 0x22).
    """
    size = len(data)
    tail_start = size - size % _STRIPE_BYTES
    low = high = 0
    for start in range(0, tail_start, _STRIPE_BYTES):
        low ^= _scrambled_low(int.from_bytes(data[start : start + 8], "little"))
        low = ((_rotated(low, 27) + high) * 5 + 0x52DCE729) & _MASK
        high ^= _scrambled_high(int.from_bytes(data[start + 8 : start + 16], "little"))
        high = ((_rotated(high, 31) + low) * 5 + 0x38495AB5) & _MASK
    # A missing word of the tail is 0, which scrambles to 0 and changes nothing.
    low ^= _scrambled_low(int.from_bytes(data[tail_start : tail_start + 8], "little"))
    high ^= _scrambled_high(int.from_bytes(data[tail_start + 8 :], "little"))
    low, high = low ^ size, high ^ size
    low = (low + high) & _MASK
    high = (low + high) & _MASK
    return (_mixed(low) + _mixed(high)) & _MASK


def _scrambled_low(word: int) -> int:
    return _rotated(word * _FIRST & _MASK, 31) * _SECOND & _MASK


def _scrambled_high(word: int) -> int:
    return _rotated(word * _SECOND & _MASK, 33) * _FIRST & _MASK


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & _MASK


def _mixed(word: int) -> int:
    word = (word ^ word >> 33) * 0xFF51AFD7ED558CCD & _MASK
    word = (word ^ word >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return word ^ word >> 33

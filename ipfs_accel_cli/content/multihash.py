"""Digests that carry the name of their hash function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from . import varint
from .errors import Malformed, Mismatch, Unsupported
from .varint import Buffer

IDENTITY = 0x00
SHA2_256 = 0x12
SHA2_512 = 0x13
BLAKE3 = 0x1E
MAX_DIGEST_BYTES = 128
MIN_DIGEST_BYTES = 20  # Shorter digests can be forged; Kubo draws the line at the same length.

_BLAKE2B, _BLAKE2S = 0xB200, 0xB240  # The digest's length in bytes is added: blake2b-256 is 0xb220.

NAMES = {
    IDENTITY: "identity",
    0x11: "sha1",
    SHA2_256: "sha2-256",
    SHA2_512: "sha2-512",
    0x14: "sha3-512",
    0x15: "sha3-384",
    0x16: "sha3-256",
    0x17: "sha3-224",
    0x1B: "keccak-256",
    BLAKE3: "blake3",
    0x20: "sha2-384",
    0x56: "dbl-sha2-256",
    **{_BLAKE2B + size: f"blake2b-{8 * size}" for size in range(1, 65)},
    **{_BLAKE2S + size: f"blake2s-{8 * size}" for size in range(1, 33)},
    0x1011: "fr32-sha256-trunc254-padded-binary-tree",
    0x1012: "sha2-256-trunc254-padded",
}

HASHES = {"sha2-256": (SHA2_256, 32), "sha2-512": (SHA2_512, 64), "blake3": (BLAKE3, 32)}

_HASHLIB: dict[int, Callable[[Buffer], hashlib._Hash]] = {
    SHA2_256: hashlib.sha256,
    SHA2_512: hashlib.sha512,
    0x14: hashlib.sha3_512,
    0x15: hashlib.sha3_384,
    0x16: hashlib.sha3_256,
    0x17: hashlib.sha3_224,
    0x20: hashlib.sha384,
}


@dataclass(frozen=True, slots=True, order=True)
class Multihash:
    """A digest and the code of the function that made it."""

    code: int
    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) > MAX_DIGEST_BYTES:
            raise Malformed(f"a {self.name} digest of {len(self.digest)} bytes is over {MAX_DIGEST_BYTES} bytes")

    @property
    def name(self) -> str:
        """Name the hash function as the multicodec table does, or by its number when it is not known."""
        return NAMES.get(self.code, f"0x{self.code:x}")

    def encode(self) -> bytes:
        """Write the code, the length and the digest."""
        return varint.encode(self.code) + varint.encode(len(self.digest)) + self.digest

    def matches(self, data: Buffer) -> bool:
        """Say whether these bytes have this digest; raises Unsupported when that cannot be computed."""
        return _compute(self, data) == self.digest


def decode(data: Buffer, offset: int = 0) -> tuple[Multihash, int]:
    """Read a multihash and return it with the offset that follows it; raises Malformed."""
    code, position = varint.decode(data, offset)
    length, position = varint.decode(data, position)
    if length > MAX_DIGEST_BYTES:
        raise Malformed(f"a digest of {length} bytes is over {MAX_DIGEST_BYTES} bytes")
    end = position + length
    if end > len(data):
        raise Malformed("the data ends inside a digest")
    return Multihash(code, bytes(data[position:end])), end


def sha256(*parts: Buffer) -> Multihash:
    """Hash the parts as one sequence of bytes, without joining them."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return Multihash(SHA2_256, digest.digest())


def named(name: str, data: Buffer) -> Multihash:
    """Hash bytes with one of `HASHES`; raises Unsupported for another name, and for blake3 without its package."""
    if name not in HASHES:
        raise Unsupported(f"{name} is not one of the hashes that blocks are made with: {', '.join(HASHES)}")
    code, size = HASHES[name]
    return Multihash(code, _compute(Multihash(code, bytes(size)), data))


def verify(multihash: Multihash, data: Buffer) -> None:
    """Check that bytes have the stated digest.

    Computes identity, sha2, sha3, blake2b, blake2s and blake3 (with the package of that name). Raises Mismatch when
    they have another digest, Unsupported for any other function and for a digest that was shortened.
    """
    actual = _compute(multihash, data)
    if actual != multihash.digest:
        raise Mismatch(
            f"the bytes hash to {actual.hex()[:64]}, not to {multihash.digest.hex()[:64]} ({multihash.name})",
            expected=multihash.digest,
            actual=actual,
        )


def _compute(multihash: Multihash, data: Buffer) -> bytes:
    code, size = multihash.code, len(multihash.digest)
    if code == IDENTITY:
        # One byte past the limit is enough to tell the two apart, however long the data is.
        return bytes(data[: MAX_DIGEST_BYTES + 1])
    if code == BLAKE3:
        return _blake3(data, size)
    if _BLAKE2B + MIN_DIGEST_BYTES <= code <= _BLAKE2S:
        actual = hashlib.blake2b(data, digest_size=code - _BLAKE2B).digest()
    elif _BLAKE2S + MIN_DIGEST_BYTES <= code <= _BLAKE2S + 32:
        actual = hashlib.blake2s(data, digest_size=code - _BLAKE2S).digest()
    elif code in _HASHLIB:
        actual = _HASHLIB[code](data).digest()
    else:
        raise Unsupported(f"{multihash.name} digests cannot be computed here")
    if size != len(actual):
        raise Unsupported(f"a {multihash.name} digest of {size} bytes instead of {len(actual)}")
    return actual


def _blake3(data: Buffer, size: int) -> bytes:
    if size < MIN_DIGEST_BYTES:
        raise Unsupported(f"a blake3 digest of {size} bytes proves nothing; {MIN_DIGEST_BYTES} are the least")
    try:
        from blake3 import blake3
    except ImportError as error:
        raise Unsupported("blake3 digests need a package: pip install 'ipfs-accel[blake3]'") from error
    return blake3(data).digest(length=size)

"""Digests that carry the name of their hash function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from . import varint
from .errors import Malformed, Mismatch, Unsupported
from .varint import Buffer

IDENTITY = 0x00
SHA2_256 = 0x12
SHA2_512 = 0x13
MAX_DIGEST_BYTES = 128

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
    0x1E: "blake3",
    0x20: "sha2-384",
    0x56: "dbl-sha2-256",
    0xB220: "blake2b-256",
    0xB240: "blake2b-512",
    0xB260: "blake2s-256",
    0x1011: "fr32-sha256-trunc254-padded-binary-tree",
    0x1012: "sha2-256-trunc254-padded",
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


def verify(multihash: Multihash, data: Buffer) -> None:
    """Check that bytes have the stated digest.

    Raises Mismatch when they have another one, Unsupported when the function is not sha2-256, sha2-512 or identity
    or the digest was shortened.
    """
    actual = _compute(multihash, data)
    if actual != multihash.digest:
        raise Mismatch(
            f"the bytes hash to {actual.hex()[:64]}, not to {multihash.digest.hex()[:64]} ({multihash.name})",
            expected=multihash.digest,
            actual=actual,
        )


def _compute(multihash: Multihash, data: Buffer) -> bytes:
    if multihash.code == IDENTITY:
        # One byte past the limit is enough to tell the two apart, however long the data is.
        return bytes(data[: MAX_DIGEST_BYTES + 1])
    if multihash.code == SHA2_256:
        actual = hashlib.sha256(data).digest()
    elif multihash.code == SHA2_512:
        actual = hashlib.sha512(data).digest()
    else:
        raise Unsupported(f"{multihash.name} digests cannot be computed here")
    if len(multihash.digest) != len(actual):
        raise Unsupported(f"a {multihash.name} digest of {len(multihash.digest)} bytes instead of {len(actual)}")
    return actual

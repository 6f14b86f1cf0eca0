"""Content identifiers, versions 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from . import multibase, varint
from . import multihash as multihashes
from .errors import Malformed, Mismatch, Unsupported
from .multihash import SHA2_256, Multihash
from .varint import Buffer

RAW = 0x55
DAG_PB = 0x70
DAG_CBOR = 0x71
LIBP2P_KEY = 0x72
DAG_JSON = 0x0129

_CODEC_NAMES = {
    RAW: "raw",
    DAG_PB: "dag-pb",
    DAG_CBOR: "dag-cbor",
    LIBP2P_KEY: "libp2p-key",
    DAG_JSON: "dag-json",
    0x51: "cbor",
    0x78: "git-raw",
    0x85: "dag-jose",
    0x0200: "json",
    0x0202: "car",
    0xF101: "fil-commitment-unsealed",
    0xF102: "fil-commitment-sealed",
}


@dataclass(frozen=True, slots=True, order=True)
class CID:
    """What some bytes are called: how to read them (the codec) and what they hash to."""

    version: int
    codec: int
    multihash: Multihash

    def __post_init__(self) -> None:
        if self.version == 1:
            return
        if self.version != 0:
            raise Malformed(f"CID version {self.version} does not exist")
        if self.codec != DAG_PB or self.multihash.code != SHA2_256 or len(self.multihash.digest) != 32:
            raise Malformed("a CIDv0 is always dag-pb with a 32-byte sha2-256 digest")

    @classmethod
    def of(cls, data: Buffer, codec: int = RAW, version: int = 1) -> CID:
        """Hash bytes with sha2-256 and name them."""
        return cls(version, codec, multihashes.sha256(data))

    @classmethod
    def from_sha256(cls, digest: bytes, codec: int = RAW, version: int = 1) -> CID:
        """Name bytes whose 32-byte sha2-256 digest is known already."""
        if len(digest) != 32:
            raise Malformed(f"a sha2-256 digest has 32 bytes, not {len(digest)}")
        return cls(version, codec, Multihash(SHA2_256, digest))

    @classmethod
    def parse(cls, source: str | Buffer) -> CID:
        """Read a CID from text (bare, without `/ipfs/` or `ipfs://`) or from exactly its bytes; raises Malformed."""
        if not isinstance(source, str):
            return _parse_bytes(source)
        if len(source) == 46 and source.startswith("Qm"):
            return _parse_bytes(multibase.decode_base58(source))
        cid = _parse_bytes(multibase.decode(source))
        if cid.version == 0:
            raise Malformed("a CIDv0 is written without a multibase prefix")
        return cid

    @classmethod
    def decode_bytes(cls, data: Buffer, offset: int = 0) -> tuple[CID, int]:
        """Read a CID that is followed by other bytes; return it with the offset that follows it."""
        head = bytes(data[offset : offset + 36])
        if len(head) == 36 and (codec := _COMMON.get(head[:4])) is not None:
            return cls(1, codec, Multihash(SHA2_256, head[4:])), offset + 36
        if head[:2] == b"\x12\x20":
            multihash, end = multihashes.decode(data, offset)
            return cls(0, DAG_PB, multihash), end
        version, position = varint.decode(data, offset)
        if version != 1:
            raise Malformed(f"CID version {version} does not exist")
        number, position = varint.decode(data, position)
        multihash, end = multihashes.decode(data, position)
        return cls(1, number, multihash), end

    def encode(self, base: str | None = None) -> str:
        """Write the CID as text: base32 unless told otherwise, and base58btc without a prefix for a CIDv0."""
        if self.version == 0:
            if base not in (None, "base58btc"):
                raise Unsupported(f"a CIDv0 has no {base} form; convert it to version 1 first")
            return multibase.encode_base58(bytes(self))
        return multibase.encode(bytes(self), base or "base32")

    def to_v0(self) -> CID:
        """Return the version 0 form; raises Unsupported when this is not dag-pb with sha2-256."""
        try:
            return CID(0, self.codec, self.multihash)
        except Malformed as error:
            raise Unsupported(f"{self} has no version 0 form: {error}") from error

    def to_v1(self) -> CID:
        """Return the version 1 form, which every CID has."""
        return CID(1, self.codec, self.multihash)

    def verify(self, data: Buffer) -> None:
        """Check that bytes are the ones named; raises Mismatch, or Unsupported for a hash not computed here."""
        try:
            multihashes.verify(self.multihash, data)
        except Mismatch as error:
            raise Mismatch(f"{self}: {error}", expected=error.expected, actual=error.actual) from None

    def __bytes__(self) -> bytes:
        if self.version == 0:
            return self.multihash.encode()
        if self.multihash.code == SHA2_256 and len(self.multihash.digest) == 32 and self.codec in _PREFIXES:
            return _PREFIXES[self.codec] + self.multihash.digest
        return b"\x01" + varint.encode(self.codec) + self.multihash.encode()

    def __str__(self) -> str:
        return _text(self)

    def __repr__(self) -> str:
        return f"CID({self.encode()!r})"


def codec_name(code: int) -> str:
    """Name a codec as the multicodec table does, or by its number when it is not known."""
    return _CODEC_NAMES.get(code, f"0x{code:x}")


# What nearly every link of a DAG starts with: version 1, the codec, sha2-256, 32 bytes.
_COMMON = {bytes((1, codec, SHA2_256, 32)): codec for codec in (RAW, DAG_PB, DAG_CBOR)}
_PREFIXES = {codec: prefix for prefix, codec in _COMMON.items()}


@lru_cache(maxsize=4096)
def _text(cid: CID) -> str:
    return cid.encode()


def _parse_bytes(data: Buffer) -> CID:
    cid, end = CID.decode_bytes(data)
    if end != len(data):
        raise Malformed(f"{len(data) - end} bytes follow the CID")
    return cid

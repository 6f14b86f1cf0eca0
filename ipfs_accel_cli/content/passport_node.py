"""The passport of a model as a DAG, for places that keep DAGs and no files: a node that names the model, and its bytes.

It does not link the manifest, only writes its CID, so that it stays small: the model is a DAG of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import dagcbor
from .cid import CID, DAG_CBOR, RAW
from .errors import ContentError

_SCHEMA = "ipfs-accel/passport/1"
_MEMBERS = {"schema", "manifest", "car", "json"}
_PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PassportNode:
    """Which blocks hold the passport of a manifest: its CAR file, and the same for people to read."""

    manifest: CID
    car: tuple[CID, ...]
    json: tuple[CID, ...]

    def encode(self) -> bytes:
        """Return the block."""
        document = {
            "schema": _SCHEMA,
            "manifest": str(self.manifest.to_v1()),
            "car": list(self.car),
            "json": list(self.json),
        }
        return dagcbor.encode(document)

    @property
    def cid(self) -> CID:
        """Return its address."""
        return CID.of(self.encode(), DAG_CBOR)

    @classmethod
    def decode(cls, block: bytes) -> PassportNode | None:
        """Read such a block; None for any other."""
        try:
            document = dagcbor.decode(block)
            if not isinstance(document, dict) or document.get("schema") != _SCHEMA or set(document) != _MEMBERS:
                return None
            manifest = CID.parse(str(document["manifest"]))
        except ContentError:
            return None
        parts = [document["car"], document["json"]]
        if not all(isinstance(one, list) and all(isinstance(cid, CID) for cid in one) for one in parts):
            return None
        return cls(manifest, tuple(parts[0]), tuple(parts[1]))


def blocks_of(manifest: CID, car: bytes, json: bytes) -> tuple[PassportNode, list[tuple[CID, bytes]]]:
    """Return the node of a passport, and all its blocks, the node first."""
    parts = [_parts(car), _parts(json)]
    node = PassportNode(manifest, *(tuple(cid for cid, _ in one) for one in parts))
    return node, [(node.cid, node.encode()), *parts[0], *parts[1]]


def _parts(data: bytes) -> list[tuple[CID, bytes]]:
    pieces = (data[at : at + _PART_BYTES] for at in range(0, len(data), _PART_BYTES))
    return [(CID.of(piece, RAW), piece) for piece in pieces]

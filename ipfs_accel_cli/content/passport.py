"""The passport of a model: its manifest and what is said of it, as one small CAR file that travels beside its files."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sized
from dataclasses import dataclass

from . import dagcbor, dagjson
from .car import open_reader, write
from .cid import CID, DAG_CBOR
from .errors import Malformed, OverLimit
from .manifest import Manifest, Statement
from .varint import Buffer

FOLDER = ".ipfs-accel"
CAR = f"{FOLDER}/model.car"
JSON = f"{FOLDER}/model.json"  # The same for people to read; nothing ever reads it back.
MAX_BYTES = 64 << 20
MAX_STATEMENTS = 1000  # All are read again whenever the model is looked at.


@dataclass(frozen=True, slots=True)
class Passport:
    """A manifest and statements about it, or about one of these statements; kept sorted by their CIDs."""

    manifest: Manifest
    statements: tuple[Statement, ...] = ()

    def __post_init__(self) -> None:
        once = {statement.cid: statement for statement in self.statements}
        check_count(once)
        known = {self.manifest.cid, *once}
        for cid, statement in once.items():
            if statement.subject not in known:
                raise Malformed(
                    f"the statement {cid} ({statement.kind[:80]!r}) is about {statement.subject}, not this model"
                )
        object.__setattr__(self, "statements", tuple(once[cid] for cid in sorted(once, key=bytes)))

    def with_statements(self, others: Iterable[Statement]) -> Passport:
        """Return this passport with further statements."""
        return Passport(self.manifest, (*self.statements, *others))

    def encode(self) -> bytes:
        """Write the CAR file: the manifest is its first root, the statements are the others."""
        blocks = [(self.manifest.cid, self.manifest.encode())]
        blocks += [(statement.cid, statement.encode()) for statement in self.statements]
        out = io.BytesIO()
        write(out, [cid for cid, _ in blocks], blocks)
        return out.getvalue()

    def readable(self) -> bytes:
        """Write the same as JSON for people: what a statement links to, and its bytes, look as DAG-JSON has them."""
        files = [
            {"path": one.path, "size": one.size_bytes, "sha256": one.sha256.hex(), "cid": str(one.cid)}
            for one in self.manifest.files
        ]
        said = [
            {"cid": str(one.cid), "kind": one.kind, "subject": str(one.subject), "body": _plain(one.body)}
            for one in self.statements
        ]
        head = {"manifest": str(self.manifest.cid), "root": str(self.manifest.root), "profile": self.manifest.profile}
        return json.dumps({**head, "files": files, "statements": said}, indent=2, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def decode(cls, data: Buffer) -> Passport:
        """Read what `encode` wrote; every block is hashed. What is neither manifest nor statement is left out.

        Raises Malformed, also for a statement about something else and for blocks that are not those that the roots
        name, Mismatch, and OverLimit.
        """
        manifests: list[Manifest] = []
        statements: list[Statement] = []
        reader, read = open_reader(io.BytesIO(data)), set[CID]()
        for block in reader.blocks:
            read.add(block.cid)
            schema = _schema(block.cid, block.data)
            if schema.startswith("ipfs-accel/manifest/"):
                manifests.append(Manifest.decode(block.data))
            elif schema.startswith("ipfs-accel/statement/"):
                statements.append(Statement.decode(block.data))
                check_count(statements)
        if read != set(reader.roots):
            raise Malformed("a passport holds the blocks that its roots name, no other and none less")
        if len(manifests) != 1:
            raise Malformed(f"a passport holds one manifest, not {len(manifests)}")
        return cls(manifests[0], tuple(statements))


def check_count(statements: Sized) -> None:
    """Raise OverLimit for more statements than travel with a model."""
    if len(statements) > MAX_STATEMENTS:
        raise OverLimit(f"more than {MAX_STATEMENTS} statements about one model")


def is_of_passport(path: str) -> bool:
    """Say whether a path belongs to a passport and so never to the model itself."""
    return path == FOLDER or path.startswith(f"{FOLDER}/")


def _plain(value: object) -> object:
    return json.loads(dagjson.encode(value))


def _schema(cid: CID, data: bytes) -> str:
    value = dagcbor.decode(data) if cid.codec == DAG_CBOR else None
    return str(value.get("schema")) if isinstance(value, dict) else ""

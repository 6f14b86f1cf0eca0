"""in-toto statements about models: which bytes they are about, and what they say.

Source: https://github.com/in-toto/attestation/tree/main/spec/v1
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from ipfs_accel_cli.content import dsse, strictjson
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.core.errors import LimitReached

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MODEL_SIGNING = "https://model_signing/signature/v1.0"  # Sigstore's model signing: its files are in the predicate.
MANIFEST_NAME = "manifest.dag-cbor"
TYPE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,500}")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_PAYLOAD = dsse.MAX_BYTES * 3 // 4 - 4096  # What base64 makes of it, and the signatures, fit into an envelope.


@dataclass(frozen=True, slots=True)
class InToto:
    """A statement: the sha-256 digests in hex and names of its subjects, and what is said of them."""

    subjects: tuple[tuple[str, str], ...]
    predicate_type: str
    predicate: Mapping[str, Any]


def payload(manifest: Manifest, predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """Write a statement about the manifest and every file; raises LimitReached when an envelope cannot hold it."""
    # The CID of a manifest holds the sha-256 of its bytes, so that tools that know no CID can compare it as well.
    subject = [{"name": MANIFEST_NAME, "digest": {"sha256": digest_of(manifest), "cid": str(manifest.cid)}}]
    subject += [
        {"name": entry.path, "digest": {"sha256": entry.sha256.hex(), "cid": str(entry.cid)}}
        for entry in manifest.files
    ]
    return _bounded(
        {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": predicate_type, "predicate": dict(predicate)}
    )


def model_signing_payload(manifest: Manifest, name: str) -> bytes:
    """Write a statement as Sigstore's model signing does: one digest over those of the files; raises LimitReached."""
    resources = [
        {"name": entry.path, "algorithm": "sha256", "digest": entry.sha256.hex()}
        for entry in sorted(manifest.files, key=lambda entry: entry.path)
    ]
    whole = hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}
    return _bounded(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": whole}}],
            "predicateType": MODEL_SIGNING,
            "predicate": {"serialization": serialization, "resources": resources},
        }
    )


def read(envelope: dsse.Envelope) -> InToto:
    """Read the statement in an envelope; raises Malformed for what is none."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise Malformed(f"the payload is of the type {envelope.payload_type[:80]!r}, not {PAYLOAD_TYPE}")
    body = strictjson.decode(envelope.payload, dsse.MAX_BYTES)
    if not isinstance(body, dict) or body.get("_type") != STATEMENT_TYPE:
        raise Malformed(f"the payload is no statement of the type {STATEMENT_TYPE}")
    kind, predicate, subject = body.get("predicateType"), body.get("predicate", {}), body.get("subject")
    if not isinstance(kind, str) or not isinstance(predicate, dict) or not isinstance(subject, list) or not subject:
        raise Malformed("the statement lacks its subject, predicateType or predicate")
    if not TYPE_URI.fullmatch(kind):
        raise Malformed("the predicateType of the statement is no URI")
    subjects = tuple(_subject(one) for one in subject)
    return InToto(_resources(subjects, predicate) if kind == MODEL_SIGNING else subjects, kind, predicate)


def digest_of(manifest: Manifest) -> str:
    """Return the sha-256 of a manifest's bytes in hex."""
    return manifest.cid.multihash.digest.hex()


def _subject(body: object) -> tuple[str, str]:
    digests = body.get("digest") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(digests, dict):
        raise Malformed("a subject of the statement has no digest")
    name, sha256 = body.get("name", "_"), digests.get("sha256")
    if not isinstance(name, str) or not _is_sha256(sha256):
        raise Malformed(f"the subject {str(name)[:80]!r} has no sha-256 in hex, the only digest that is compared")
    return name, sha256


def _resources(subjects: tuple[tuple[str, str], ...], predicate: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the files that a statement of Sigstore's model signing lists, once their common digest is right."""
    listed = predicate.get("resources")
    if not isinstance(listed, list) or len(subjects) != 1:
        raise Malformed("a statement of model signing has one subject and a list of resources")
    found: list[tuple[str, str]] = []
    whole = hashlib.sha256()
    for one in listed:
        name, digest = (one.get("name"), one.get("digest")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not _is_sha256(digest) or one.get("algorithm") != "sha256":
            raise Malformed("a resource of model signing has a name and a sha-256 in hex")
        whole.update(bytes.fromhex(digest))
        found.append((name, digest))
    if whole.hexdigest() != subjects[0][1]:
        raise Malformed("the digest of the subject is not that of the resources")
    return tuple(found)


def _is_sha256(digest: object) -> TypeGuard[str]:
    return isinstance(digest, str) and _SHA256.fullmatch(digest) is not None


def _bounded(statement: dict[str, Any]) -> bytes:
    data = strictjson.encode(statement)
    if len(data) > _MAX_PAYLOAD:
        raise LimitReached(f"the statement has {len(data)} bytes, more than the {_MAX_PAYLOAD} that can be signed")
    return data

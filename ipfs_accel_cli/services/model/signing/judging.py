"""Judging signatures: made by which key, over which bytes, about this model or another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ipfs_accel_cli.content import didkey, dsse
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.services.model.signing import intoto
from ipfs_accel_cli.services.model.signing.results import Covers, Judged, Verdict

SIGNATURE: Literal["signature"] = "signature"
ATTESTATION: Literal["attestation"] = "attestation"
KINDS = (SIGNATURE, ATTESTATION)


class _About(NamedTuple):
    predicate_type: str
    covers: Covers
    detail: str
    wrong: bool


def judge(
    envelope: dsse.Envelope, manifest: Manifest, trusted: Mapping[bytes, str], statement_cid: str | None = None
) -> list[Judged]:
    """Return a judgement on every signature of an envelope; `trusted` are the names of keys by their raw bytes.

    A key that only the envelope names is never trusted: whoever forges a payload can name a key as well.
    """
    about = _about(envelope, manifest)
    found: list[Judged] = []
    for one in envelope.signatures:
        key, verdict, detail = _signed_by(envelope, one, trusted)
        if about.wrong and verdict != "invalid":
            verdict, detail = "invalid", about.detail
        elif verdict != "invalid":
            detail = f"{detail}; {about.detail}"
        found.append(
            Judged(
                verdict=verdict,
                signer=didkey.encode(key) if key is not None else None,
                signer_name=trusted.get(key) if key is not None else None,
                predicate_type=about.predicate_type,
                covers=about.covers if verdict in ("trusted", "unknown-key") else "nothing",
                detail=detail,
                statement_cid=statement_cid,
            )
        )
    return found


def claims(kind: str, body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the key and the predicate type that a kept statement names, unproven; None for one that is not signed."""
    if kind not in KINDS:
        return None, None
    try:
        envelope = dsse.of_body(body)
        keyid = envelope.signatures[0].keyid
        # A model may bring anything along, so only what cannot steer a terminal is shown.
        return keyid if _named_key(keyid) is not None else None, intoto.read(envelope).predicate_type
    except ContentError:
        return None, None


def unreadable(error: Exception, statement_cid: str | None) -> Judged:
    """Return the judgement on something that is no envelope."""
    return Judged(
        verdict="invalid",
        signer=None,
        signer_name=None,
        predicate_type="",
        covers="nothing",
        detail=str(error),
        statement_cid=statement_cid,
    )


def _signed_by(
    envelope: dsse.Envelope, signature: dsse.Signature, trusted: Mapping[bytes, str]
) -> tuple[bytes | None, Verdict, str]:
    named = _named_key(signature.keyid)
    # The hint only says which key to try first; every trusted one is tried, as the hint may be wrong.
    for key in dict.fromkeys([*([named] if named is not None else []), *trusted]):
        if _holds(key, signature.sig, envelope.signed()):
            if key in trusted:
                return key, "trusted", f"signed by {trusted[key]}"
            return key, "unknown-key", "the signature is valid, by an unknown key"
    if named is None:
        return None, "unchecked", f"no key at hand made it; it names the key {signature.keyid[:80]!r}"
    return None, "invalid", f"the signature is not one of {signature.keyid} over this payload and type"


def _named_key(keyid: str) -> bytes | None:
    try:
        return didkey.decode(keyid)
    except ContentError:
        return None


def _holds(key: bytes, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _about(envelope: dsse.Envelope, manifest: Manifest) -> _About:
    """Say what of a model a statement is about; a subject that is not of the model makes it one about another.

    Others may name a file as they like, but the same bytes under other names are another model.
    """
    try:
        said = intoto.read(envelope)
    except ContentError as error:
        return _About("", "nothing", str(error), wrong=True)
    whole = intoto.digest_of(manifest)
    files = {entry.path: entry.sha256.hex() for entry in manifest.files}
    digests = {*files.values(), whole}
    for name, digest in said.subjects:
        if digest not in digests or files.get(name, digest) != digest:
            detail = f"it is about other content: {name[:200]!r} with the sha-256 {digest} is not in this model"
            return _About(said.predicate_type, "nothing", detail, wrong=True)
    covered = {digest for _, digest in said.subjects}
    if whole in covered or (files and set(said.subjects).issuperset(files.items())):
        return _About(said.predicate_type, "model", "it is about this model", wrong=False)
    count = sum(digest in covered for digest in files.values())
    renamed = "" if files.keys() >= {name for name, _ in said.subjects} else ", under other names"
    return _About(said.predicate_type, "files", f"it is about {count} of {len(files)} files{renamed}", wrong=False)

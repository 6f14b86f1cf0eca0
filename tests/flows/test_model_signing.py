"""Signatures about models: made, kept, carried, and judged against what an attacker may change."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import didkey, dsse
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import (
    Conflict,
    NotFound,
    VerificationFailed,
)
from ipfs_accel_cli.services.model.signing import intoto
from ipfs_accel_cli.services.model.signing.results import Judged
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def tiny(node: Node, tmp_path: Path) -> Node:
    """A node with the model `tiny` and another that shares all files but its weights."""
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    node.models.add(lay_out(tmp_path / "other", tiny_model(seed=1)))
    return node


def pem(path: Path, mode: int = 0o600) -> tuple[Path, Ed25519PrivateKey]:
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(mode)
    return path, key


def did(key: Ed25519PrivateKey) -> str:
    return didkey.encode(key.public_key().public_bytes_raw())


def signed_by(key: Ed25519PrivateKey, payload: bytes, payload_type: str = intoto.PAYLOAD_TYPE) -> dict[str, Any]:
    signature = dsse.Signature(did(key), key.sign(dsse.pae(payload_type, payload)))
    return dsse.Envelope(payload_type, payload, (signature,)).body()


def judged(node: Node, tmp_path: Path, *bodies: dict[str, Any], name: str = "tiny") -> list[Judged]:
    """Judge envelopes from a file; a failure's evidence is read like a success."""
    path = tmp_path / "given.jsonl"
    path.write_text("\n".join(json.dumps(body) for body in bodies))
    return node.models.signatures.verify(name, file=path).signatures


def envelope_of(node: Node, name: str = "tiny") -> dict[str, Any]:
    return next(one.body for one in node.models.show(name).statements if one.kind == "signature")


def statement(subjects: list[tuple[str, str]], **more: Any) -> bytes:
    body = {
        "_type": intoto.STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects],
        "predicateType": "https://example.org/p/v1",
        "predicate": {},
    }
    return json.dumps(body | more).encode()


def test_a_signature_is_checked_with_nothing_but_a_crypto_library_and_json(tiny: Node, tmp_path: Path) -> None:
    output = tmp_path / "tiny.intoto.jsonl"
    signed = tiny.models.signatures.sign("tiny", output=output)

    envelope = json.loads(output.read_text())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    over = b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(payload)).encode() + b" " + payload
    key = Ed25519PublicKey.from_public_bytes(didkey.decode(signed.signer))
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), over)
    statement, shown = json.loads(payload), tiny.models.show("tiny")
    assert (statement["_type"], kind) == ("https://in-toto.io/Statement/v1", b"application/vnd.in-toto+json")
    assert statement["predicate"]["manifest"] == shown.manifest_cid
    subjects = {one["name"]: one["digest"] for one in statement["subject"]}
    assert subjects.pop("manifest.dag-cbor")["cid"] == shown.manifest_cid
    assert subjects == {file.path: {"sha256": file.sha256, "cid": file.cid} for file in shown.files}
    assert signed.signer.removeprefix("did:key:") == tiny.peers.identity().public_key


def test_signing_again_gives_the_same_statement(tiny: Node, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    one = tiny.models.signatures.sign("tiny", output=output)
    again = tiny.models.signatures.sign("tiny", output=output)

    assert (again.statement_cid, one.unchanged, again.unchanged) == (one.statement_cid, False, True)
    assert len(output.read_text().splitlines()) == 1
    tiny.models.signatures.attest("tiny", "provenance", output=output)
    assert len(output.read_text().splitlines()) == 2
    found = tiny.models.signatures.verify("tiny", file=output)
    assert ([one.verdict for one in found.signatures], found.trusted) == (["trusted", "trusted"], 1)
    output.write_text("notes of mine\n")
    with pytest.raises(Conflict):
        tiny.models.signatures.sign("tiny", output=output)
    assert output.read_text() == "notes of mine\n"


def test_a_signature_outlives_gc_and_a_second_pull_and_goes_with_its_model(tiny: Node, tmp_path: Path) -> None:
    signed = tiny.models.signatures.sign("tiny")
    tiny.models.gc()
    tiny.models.add(tmp_path / "tiny")
    assert tiny.models.signatures.verify("tiny", require=True).trusted == 1
    assert tiny.store.check() == []

    tiny.models.remove(["tiny"])
    tiny.models.gc()
    with pytest.raises(NotFound):
        tiny.store.block(CID.parse(signed.statement_cid))


def test_a_signature_travels_in_a_car_and_is_not_trusted_there_before_its_key_is(tiny: Node, tmp_path: Path) -> None:
    signed = tiny.models.signatures.sign("tiny")
    tiny.models.export("tiny", tmp_path / "tiny.car")
    with Node(tmp_path / "elsewhere") as there:
        there.models.add(tmp_path / "tiny.car")

        found = there.models.signatures.verify("tiny")
        assert [(one.verdict, one.signer, one.covers) for one in found.signatures] == [
            ("unknown-key", signed.signer, "model")
        ]
        with pytest.raises(VerificationFailed, match="no signature"):
            there.models.signatures.verify("tiny", require=True)
        there.models.trust.add(signed.signer, "publisher")
        trusted = there.models.signatures.verify("tiny", require=True)
        assert (trusted.trusted, trusted.signatures[0].signer_name) == (1, "publisher")
        assert there.models.signatures.verify("tiny", ["publisher"]).trusted == 1
        there.models.trust.remove("publisher")
        assert there.models.signatures.verify("tiny").unknown == 1
        assert not list((tmp_path / "elsewhere").glob("keys/*.pem"))


def test_a_changed_payload_type_or_signature_is_invalid(tiny: Node, tmp_path: Path) -> None:
    tiny.models.signatures.sign("tiny")
    good = envelope_of(tiny)
    payload = base64.b64decode(good["payload"])
    changed = base64.b64encode(payload.replace(b"config.json", b"konfig.json", 1)).decode()
    sig = base64.b64decode(good["signatures"][0]["sig"])
    broken = base64.b64encode(bytes([sig[0] ^ 1]) + sig[1:]).decode()
    bad = [
        good | {"payload": changed},
        good | {"payloadType": "application/json"},
        good | {"signatures": [good["signatures"][0] | {"sig": broken}]},
        good
        | {"signatures": [good["signatures"][0] | {"keyid": did(Ed25519PrivateKey.generate())}], "payload": changed},
        good | {"payload": "?"},
    ]
    for body in bad:
        with pytest.raises(VerificationFailed) as error:
            judged(tiny, tmp_path, good, body)
        assert [one["detail"].partition(":")[0] for one in error.value.errors] == ["trusted", "invalid"]
    assert judged(tiny, tmp_path, good)[0].verdict == "trusted"


def test_a_wrong_hint_changes_nothing_because_every_trusted_key_is_tried(tiny: Node, tmp_path: Path) -> None:
    tiny.models.signatures.sign("tiny")
    good = envelope_of(tiny)
    for keyid in ("", "some key", did(Ed25519PrivateKey.generate())):
        body = good | {"signatures": [{"keyid": keyid, "sig": good["signatures"][0]["sig"]}]}
        assert [one.verdict for one in judged(tiny, tmp_path, body)] == ["trusted"]
    forged = good | {"signatures": [{"keyid": "some key", "sig": "AAAA"}]}
    assert [one.verdict for one in judged(tiny, tmp_path, forged)] == ["unchecked"]


def test_another_key_is_never_trusted_whatever_it_signs(tiny: Node, tmp_path: Path) -> None:
    tiny.models.signatures.sign("tiny")
    stranger = Ed25519PrivateKey.generate()
    body = signed_by(stranger, base64.b64decode(envelope_of(tiny)["payload"]))

    assert [(one.verdict, one.signer) for one in judged(tiny, tmp_path, body)] == [("unknown-key", did(stranger))]
    path = tmp_path / "given.jsonl"
    with pytest.raises(VerificationFailed, match="no signature"):
        tiny.models.signatures.verify("tiny", file=path, require=True)
    # A key that is given counts instead of the trusted ones.
    assert tiny.models.signatures.verify("tiny", [did(stranger)], file=path).trusted == 1
    with pytest.raises(VerificationFailed, match="no signature"):
        tiny.models.signatures.verify("tiny", [did(stranger)])


def test_a_signature_about_another_model_is_invalid_here(tiny: Node, tmp_path: Path) -> None:
    tiny.models.signatures.sign("tiny")
    with pytest.raises(VerificationFailed, match="about other content: 'manifest"):
        judged(tiny, tmp_path, envelope_of(tiny), name="other")

    key = Ed25519PrivateKey.generate()
    tiny.models.trust.add(did(key), "publisher")
    files = {one.path: one.sha256 for one in tiny.models.show("other").files}
    for subject, match in (
        ([("weights", "00" * 32)], "about other content"),
        ([("model.safetensors", files["config.json"])], "about other content"),
    ):
        with pytest.raises(VerificationFailed, match=match):
            judged(tiny, tmp_path, signed_by(key, statement(subject)), name="other")


def test_bytes_under_other_names_are_not_the_model(tiny: Node, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    tiny.models.trust.add(did(key), "publisher")
    shown = tiny.models.show("other")
    moved = [(f"elsewhere/{one.path}", one.sha256) for one in shown.files]
    (apart,) = judged(tiny, tmp_path, signed_by(key, statement(moved)), name="other")
    assert (apart.verdict, apart.covers) == ("trusted", "files")
    with pytest.raises(VerificationFailed, match="no signature"):
        tiny.models.signatures.verify("other", file=tmp_path / "given.jsonl", require=True)

    first, second, *rest = [(one.path, one.sha256) for one in shown.files]
    swapped = [(first[0], second[1]), (second[0], first[1]), *rest]
    with pytest.raises(VerificationFailed, match="about other content"):
        judged(tiny, tmp_path, signed_by(key, statement(swapped)), name="other")

    by_manifest = [("anything", CID.parse(shown.manifest_cid).multihash.digest.hex())]
    (named,) = judged(tiny, tmp_path, signed_by(key, statement(by_manifest)), name="other")
    assert (named.verdict, named.covers) == ("trusted", "model")


def test_only_what_signs_a_model_is_enough_unless_a_type_is_asked_for(tiny: Node, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    tiny.models.trust.add(did(key), "publisher")
    files = [(one.path, one.sha256) for one in tiny.models.show("tiny").files]
    review = statement(files, predicateType="https://example.org/review/v1", predicate={"verdict": "REJECT"})
    (one,) = judged(tiny, tmp_path, signed_by(key, review))
    assert (one.verdict, one.covers) == ("trusted", "model")

    given = tmp_path / "given.jsonl"
    for keys, require in (([], True), (["publisher"], False)):
        with pytest.raises(
            VerificationFailed, match=r"no signature over all of tiny .*; attestations count with --type"
        ):
            tiny.models.signatures.verify("tiny", keys, file=given, require=require)
    assert tiny.models.signatures.verify("tiny", file=given).trusted == 0
    asked = tiny.models.signatures.verify("tiny", kind="https://example.org/review/v1", file=given, require=True)
    assert asked.trusted == 1
    with pytest.raises(VerificationFailed, match="no statement of the type scan"):
        tiny.models.signatures.verify("tiny", kind="scan", file=given, require=True)


def test_a_statement_about_some_files_does_not_vouch_for_the_model(tiny: Node, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    tiny.models.trust.add(did(key), "publisher")
    files = [(one.path, one.sha256) for one in tiny.models.show("other").files]
    shared = [one for one in files if one[0] != "model.safetensors"]

    (part,) = judged(tiny, tmp_path, signed_by(key, statement(shared)), name="other")
    assert (part.verdict, part.covers) == ("trusted", "files")
    with pytest.raises(VerificationFailed, match="no signature"):
        tiny.models.signatures.verify("other", file=tmp_path / "given.jsonl", require=True)
    (whole,) = judged(tiny, tmp_path, signed_by(key, statement(files)), name="other")
    assert (whole.verdict, whole.covers) == ("trusted", "model")

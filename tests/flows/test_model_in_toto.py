"""What is read of the statements in envelopes that others made."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import VerificationFailed
from tests.flows.test_model_signing import did, envelope_of, judged, signed_by, statement
from tests.servers.tiny_model import lay_out, tiny_model

ZEROS = "00" * 32


@pytest.fixture
def tiny(node: Node, tmp_path: Path) -> Node:
    """A node with the model `tiny`."""
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    return node


@pytest.mark.parametrize(
    "payload",
    [
        b"not json",
        b'{"_type": "https://in-toto.io/Statement/v1", "_type": "https://in-toto.io/Statement/v1"}',
        statement([("a", ZEROS)], _type="https://in-toto.io/Statement/v0.1"),
        statement([]),
        statement([("a", ZEROS)], subject=[{"name": "a", "digest": {"md5": "00"}}]),
        statement([("a", ZEROS)], subject=[{"name": 7, "digest": {"sha256": ZEROS}}]),
        statement([("a", ZEROS)], predicate=[]),
        statement([], subject=7),
        statement([], subject=[None]),
        statement([], subject=[{"digest": "sha256"}]),
        statement([("a", ZEROS)], predicateType="https://model_signing/signature/v1.0"),
        statement([("a", "\x1b]0;owned\x07")]),
        statement([("a", "AB" * 32)]),
        b"9" * 5000,
        statement([("a", ZEROS)], predicateType="https://example.org/\x1b[31m"),
    ],
)
def test_a_payload_that_is_no_statement_is_invalid_though_a_trusted_key_signed_it(
    tiny: Node, tmp_path: Path, payload: bytes
) -> None:
    key = Ed25519PrivateKey.generate()
    tiny.models.trust.add(did(key), "publisher")
    with pytest.raises(VerificationFailed, match="1 of 1 signatures") as error:
        judged(tiny, tmp_path, signed_by(key, payload))
    assert "not in this model" not in error.value.detail
    assert all(text.isprintable() for text in [error.value.detail, *(one["detail"] for one in error.value.errors)])


def test_the_format_of_sigstores_model_signing_is_written_and_read(tiny: Node, tmp_path: Path) -> None:
    import hashlib

    tiny.models.signatures.sign("tiny", layout="model-signing")
    found = json.loads(base64.b64decode(envelope_of(tiny)["payload"]))
    resources = found["predicate"]["resources"]
    whole = hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
    assert found["predicateType"] == "https://model_signing/signature/v1.0"
    assert found["subject"] == [{"name": "tiny", "digest": {"sha256": whole}}]
    assert [one["name"] for one in resources] == sorted(one.path for one in tiny.models.show("tiny").files)
    assert tiny.models.signatures.verify("tiny", require=True).trusted == 1

    key = Ed25519PrivateKey.generate()
    found["predicate"]["resources"] = resources[1:]
    with pytest.raises(VerificationFailed, match="not that of the resources"):
        judged(tiny, tmp_path, signed_by(key, json.dumps(found).encode()))

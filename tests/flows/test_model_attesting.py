"""What is attested of models, the keys for it, and what never leaves the home."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import didkey
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    HomeUnusable,
    Invalid,
    LimitReached,
    NotAuthorised,
    NotFound,
    VerificationFailed,
)
from ipfs_accel_cli.services.model.signing import trust
from tests.flows.test_model_signing import did, pem
from tests.running import Ran
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def tiny(node: Node, tmp_path: Path) -> Node:
    """A node with the model `tiny`."""
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    return node


def predicate(node: Node, statement_cid: str, name: str = "tiny") -> dict[str, Any]:
    body = next(one.body for one in node.models.show(name).statements if one.cid == statement_cid)
    found: dict[str, Any] = json.loads(base64.b64decode(body["payload"]))["predicate"]
    return found


def test_provenance_names_source_and_parents_but_no_folder_of_this_machine(tiny: Node, tmp_path: Path) -> None:
    card = b"---\nbase_model: org/base\n---\n"
    tiny.models.add(lay_out(tmp_path / "secret-project" / "tuned", tiny_model(seed=2) | {"README.md": card}))

    made = tiny.models.signatures.attest("tuned", "provenance")
    said = predicate(tiny, made.statement_cid, "tuned")

    source, parent = said["buildDefinition"]["resolvedDependencies"]
    assert source == {"uri": "file:tuned"}
    assert parent == {"name": "org/base", "annotations": {"relation": "base-model", "statedIn": "README.md"}}
    assert said["runDetails"]["builder"]["id"] == made.signer
    assert str(tmp_path) not in json.dumps(said)
    assert tiny.models.signatures.attest("tuned", "provenance").unchanged


def test_a_verification_is_attested_only_after_one_that_passed(tiny: Node) -> None:
    with pytest.raises(NotFound, match="not verified"):
        tiny.models.signatures.attest("tiny", "verification")
    tiny.models.verify("tiny", full=True)
    said = predicate(tiny, tiny.models.signatures.attest("tiny", "verification").statement_cid)
    assert (said["outcome"], said["level"], said["files"]) == ("passed", "full", len(tiny_model()))

    weights = next(one for one in tiny.models.show("tiny").files if one.path == "model.safetensors")
    path = next(tiny.home.objects.rglob(weights.sha256))
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(VerificationFailed):
        tiny.models.verify("tiny")
    with pytest.raises(VerificationFailed, match="nothing is said"):
        tiny.models.signatures.attest("tiny", "verification")
    assert tiny.models.signatures.verify("tiny").bytes_state == "damaged"


def test_a_scan_is_made_when_it_is_attested(tiny: Node) -> None:
    said = predicate(tiny, tiny.models.signatures.attest("tiny", "scan").statement_cid)

    assert [one["path"] for one in said["files"]] == sorted(tiny_model())
    assert tiny.models.signatures.verify("tiny", kind="scan").trusted == 1
    assert tiny.models.signatures.verify("tiny", kind="provenance").signatures == []


def test_ones_own_json_is_signed_under_its_type(tiny: Node, tmp_path: Path) -> None:
    path = tmp_path / "review.json"
    path.write_text('{"reviewer": "Ada", "good": true}')
    uri = "https://example.org/review/v1"
    made = tiny.models.signatures.attest("tiny", str(path), uri)
    assert predicate(tiny, made.statement_cid) == {"reviewer": "Ada", "good": True}
    assert tiny.models.signatures.verify("tiny", kind=uri, require=True).trusted == 1
    shown = next(one for one in tiny.models.show("tiny").statements if one.kind == "attestation")
    assert (shown.signer, shown.predicate_type) == (made.signer, uri)

    for text, kind, error in (
        ('{"a": 1, "a": 2}', uri, Malformed),
        ("[]", uri, Invalid),
        ("{}", None, Invalid),
        ("{}", "no uri", Invalid),
        (json.dumps({"a": "x" * 900_000}), uri, LimitReached),
    ):
        path.write_text(text)
        with pytest.raises(error):
            tiny.models.signatures.attest("tiny", str(path), kind)
    with pytest.raises(NotFound, match="none of provenance"):
        tiny.models.signatures.attest("tiny", "provenence", uri)
    with pytest.raises(Invalid, match="own type"):
        tiny.models.signatures.attest("tiny", "scan", uri)
    with pytest.raises(NotFound, match="no evaluation"):
        tiny.models.signatures.attest("tiny", "evaluation")


def test_a_key_that_others_may_read_is_refused(tiny: Node, tmp_path: Path) -> None:
    path, key = pem(tmp_path / "publisher.pem", mode=0o640)
    with pytest.raises(NotAuthorised, match="other users"):
        tiny.models.signatures.sign("tiny", path)
    path.chmod(0o600)
    assert tiny.models.signatures.sign("tiny", path).signer == did(key)
    with pytest.raises(NotFound):
        tiny.models.signatures.sign("tiny", tmp_path / "none.pem")
    path.write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n")
    with pytest.raises(Invalid, match="not an unencrypted Ed25519"):
        tiny.models.signatures.sign("tiny", path)

    tiny.models.signatures.sign("tiny")
    own = tiny.home.keys / "node.pem"
    assert own.stat().st_mode & 0o777 == 0o600
    own.chmod(0o644)
    with pytest.raises(HomeUnusable, match="other users"):
        tiny.models.signatures.sign("tiny")


def test_a_public_key_is_trusted_from_text_or_file_and_a_private_one_never(tiny: Node, tmp_path: Path) -> None:
    private, key = pem(tmp_path / "publisher.pem")
    public = tmp_path / "publisher.pub"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    text = tmp_path / "publisher.did"
    text.write_text(did(key) + "\n")

    for given in (str(public), str(text), did(key), did(key).removeprefix("did:key:")):
        (one,) = tiny.models.trust.add(given, "publisher").keys
        assert (one.key, one.label, one.own) == (did(key), "publisher", False)
    with pytest.raises(Invalid, match="private key"):
        tiny.models.trust.add(str(private), None)
    with pytest.raises(Conflict, match="called 'publisher'"):
        tiny.models.trust.add(did(Ed25519PrivateKey.generate()), "publisher")
    text.write_text("password: hunter2")
    with pytest.raises(Invalid, match="holds neither") as error:
        tiny.models.trust.add(str(text), None)
    assert "hunter2" not in error.value.detail
    with pytest.raises(Invalid, match="cannot be the name"):
        tiny.models.trust.add(did(key), "a\x1b[31m")
    with pytest.raises(NotFound):
        tiny.models.trust.remove(did(Ed25519PrivateKey.generate()))
    assert tiny.models.trust.change(str(public), None, remove=True) == tiny.models.trust.change(
        None, None, remove=False
    )
    assert tiny.models.trust.listed().keys == []
    for label, remove in ((None, True), ("publisher", False)):
        with pytest.raises(Invalid, match="need a key"):
            tiny.models.trust.change(None, label, remove=remove)


def test_keys_for_which_everybody_can_sign_are_refused(tiny: Node) -> None:
    for point in sorted(trust._SMALL_ORDER):
        for sign in (0, 0x80):
            with pytest.raises(Invalid, match="small order"):
                tiny.models.trust.add(didkey.encode(point[:31] + bytes([point[31] | sign])), None)


def test_private_keys_are_in_no_output_and_no_log(
    tiny: Node, tmp_path: Path, cli: Callable[..., Ran], caplog: pytest.LogCaptureFixture
) -> None:
    path, key = pem(tmp_path / "publisher.pem")
    secrets = {
        key.private_bytes_raw().hex(),
        base64.b64encode(key.private_bytes_raw()).decode(),
        path.read_text()[30:60],
    }
    tiny.close()
    with caplog.at_level(logging.DEBUG):
        repr(tiny.peers.signer(path))
    runs = [
        cli("model", "sign", "tiny", "--key-file", path, "--json"),
        cli("model", "show", "tiny", "--json"),
        cli("model", "trust", path, "--json"),
        cli("model", "verify-attest", "tiny", "--key", path, "--traceback"),
    ]
    assert [run.status for run in runs] == [0, 0, 2, 2]
    written = caplog.text + repr(tiny.peers.signer(path)) + "".join(run.stdout + run.stderr for run in runs)
    assert not [secret for secret in secrets if secret in written]


def test_an_assistant_judges_signatures_but_reads_no_file_outside_its_folders(tiny: Node, tmp_path: Path) -> None:
    tiny.models.signatures.sign("tiny", output=tmp_path / "out.jsonl")
    from ipfs_accel_cli.commands.model.signing import verify_attest
    from ipfs_accel_cli.node import using_node

    with using_node(tiny), using(Call(folders=())):
        assert verify_attest("tiny", require=True).trusted == 1
        with pytest.raises(NotAuthorised):
            verify_attest("tiny", file=tmp_path / "out.jsonl")
        with pytest.raises(NotAuthorised):
            verify_attest("tiny", keys=[str(tmp_path / "out.jsonl")])


def test_the_command_line_ends_with_status_4_for_what_is_not_vouched_for(
    tiny: Node, tmp_path: Path, cli: Callable[..., Ran]
) -> None:
    tiny.models.signatures.sign("tiny", output=tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text()
    (tmp_path / "bad.jsonl").write_text(lines.replace('"payload":"ey', '"payload":"eX'))
    stranger = did(Ed25519PrivateKey.generate())
    tiny.close()

    assert cli("model", "verify-attest", "tiny", "--require", "--offline").status == 0
    bad = cli("model", "verify-attest", "tiny", "--file", tmp_path / "bad.jsonl", "--json")
    assert (bad.status, bad.json["error"]["code"]) == (4, "verification-failed")
    assert cli("model", "verify-attest", "tiny", "--key", stranger).status == 4
    assert cli("model", "verify-attest", "tiny", "--key", "nobody").status == 3
    assert cli("model", "verify-attest", "tiny", "--file", tmp_path / "none").status == 3
    (tmp_path / "empty").touch()
    assert cli("model", "verify-attest", "tiny", "--file", tmp_path / "empty").status == 2

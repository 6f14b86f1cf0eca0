"""What a model brings along is judged before it is kept: it steers nothing here, and breaks nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.content.passport import CAR, MAX_STATEMENTS, Passport
from ipfs_accel_cli.core.errors import MalformedContent, NotFound
from ipfs_accel_cli.services.model.evaluating.kept import Run, add_figures
from ipfs_accel_cli.services.model.signing.results import Signed
from tests.conformance.target_suite import say
from tests.running import Ran
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def shared(node: Node, tmp_path: Path) -> Path:
    """A folder with the model `tiny` and its passport, as somebody else may hand it on."""
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    node.models.export("tiny", tmp_path / "shared", "plain")
    return tmp_path / "shared"


def telling(folder: Path, kind: str, body: dict[str, Any], subject: CID | None = None) -> Statement:
    """Let the passport in a folder say one thing more."""
    passport = Passport.decode((folder / CAR).read_bytes())
    statement = Statement(subject or passport.manifest.cid, kind, body)
    (folder / CAR).write_bytes(passport.with_statements([statement]).encode())
    return statement


def test_what_runs_a_genuine_model_is_never_what_somebody_sent(shared: Path, tmp_path: Path) -> None:
    weights = Passport.decode((shared / CAR).read_bytes()).manifest.files[0].cid
    telling(shared, "derived", {"kind": "onnx-embed", "cid": weights, "size_bytes": 4})
    with Node(tmp_path / "there") as there:
        manifest = there.models.add(shared, "tiny").manifest_cid

        assert there.models.derived.find(manifest, "onnx-embed") is None
        assert "derived" not in {one.kind for one in there.models.show("tiny").statements}


def test_a_car_brings_no_more_than_a_passport(shared: Path, node: Node, tmp_path: Path) -> None:
    manifest = Passport.decode((shared / CAR).read_bytes()).manifest
    node.models.export("tiny", tmp_path / "tiny.car")
    add_to_car(
        tmp_path / "tiny.car", Statement(manifest.cid, "derived", {"kind": "onnx-embed", "cid": manifest.files[0].cid})
    )
    with Node(tmp_path / "there") as there:
        there.models.add(tmp_path / "tiny.car")

        assert there.models.derived.find(str(manifest.cid), "onnx-embed") is None


def test_a_car_of_more_statements_than_anybody_reads_is_refused(shared: Path, node: Node, tmp_path: Path) -> None:
    manifest = Passport.decode((shared / CAR).read_bytes()).manifest.cid
    node.models.export("tiny", tmp_path / "tiny.car")
    add_to_car(tmp_path / "tiny.car", *(Statement(manifest, "evaluation", {"n": n}) for n in range(MAX_STATEMENTS)))
    with Node(tmp_path / "there") as there, pytest.raises(MalformedContent, match="1000 statements"):
        there.models.add(tmp_path / "tiny.car")


def test_what_nobody_takes_is_not_handed_on_either(shared: Path, node: Node) -> None:
    weights = Passport.decode((shared / CAR).read_bytes()).manifest.files[0].cid
    telling(shared, "derived", {"kind": "onnx-embed", "cid": weights, "size_bytes": 4})
    node.models.pushes.push("tiny", str(shared))

    assert "derived" not in {one.kind for one in Passport.decode((shared / CAR).read_bytes()).statements}


def test_a_link_to_what_did_not_come_along_leaves_the_model_whole(shared: Path, tmp_path: Path) -> None:
    loose = telling(shared, "evaluation", {"deep": [{"set": CID.of(b"nowhere")}]})
    about = telling(shared, "attestation", {"of": "what is left out"}, loose.cid)
    whole = telling(shared, "evaluation", {"of": loose.subject, "accuracy": 1})
    kept = telling(shared, "attestation", {"of": "what is kept"}, whole.cid)
    with Node(tmp_path / "there") as there:
        there.models.add(shared, "tiny")
        there.models.export("tiny", tmp_path / "tiny.car")

        said = {one.cid for one in there.models.show("tiny").statements}
        assert {str(whole.cid), str(kept.cid)} <= said
        assert not {str(loose.cid), str(about.cid)} & said


def test_a_link_into_this_home_takes_nothing_out_of_it(shared: Path, tmp_path: Path) -> None:
    with Node(tmp_path / "there") as there:
        there.models.add(lay_out(tmp_path / "private", tiny_model(seed=1)))
        private = CID.parse(there.models.show("private").root_cid)
        telling(shared, "evaluation", {"set": private})
        there.models.add(shared, "tiny")
        there.models.export("tiny", tmp_path / "tiny.car")

        with (tmp_path / "tiny.car").open("rb") as stream:
            assert private not in {one.cid for one in car.open_reader(stream).blocks}


def test_a_claim_in_a_form_that_nobody_expects_is_shown_and_breaks_no_list(
    shared: Path, tmp_path: Path, cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {"licence": 7, "stated_in": b"\xff", "deep": [{"manifest": telling(shared, "licence", {}).subject}]}
    telling(shared, "licence", odd)
    telling(shared, "quantization", {"parents": 7})
    with Node(tmp_path / "there") as there:
        there.models.add(shared, "tiny")
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(tmp_path / "there"))

    for command in (["ls"], ["show", "tiny"], ["card", "tiny"], ["lineage", "tiny"], ["perf"], ["prune"]):
        assert cli("model", *command, "--json").status == 0, command


def test_what_was_made_of_a_model_in_a_form_that_nobody_knows_is_passed_over(node: Node, tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "tiny", tiny_model())
    manifest = node.models.add(folder).manifest_cid
    for body in ({"kind": "graph"}, {"kind": "graph", "cid": "text", "size_bytes": "many"}):
        say(node, "derived", body)
    (folder / "README.md").write_text("changed")
    node.models.add(folder)

    assert node.models.derived.find(manifest, "graph") is None
    assert [one.version for one in node.models.pruner.prune().versions] == [1]


def test_this_node_signs_no_source_that_somebody_else_stated(shared: Path, tmp_path: Path) -> None:
    commit = "0123456789abcdef" * 2 + "01234567"
    telling(shared, "source", {"reference": "hf://famous/model", "revision": commit})
    with Node(tmp_path / "there") as there:
        there.models.add(shared, "tiny")
        said = signed(there, there.models.signatures.attest("tiny", "provenance"))

        assert said["buildDefinition"]["externalParameters"] == {"reference": "file:shared"}
        assert said["buildDefinition"]["resolvedDependencies"] == [{"uri": "file:shared"}]
        assert "famous" not in str(said)
        (one,) = there.models.history.lineage("tiny").descents
        assert (one.parent, one.stated_in) == ("hf://famous/model", "a statement that came with it")


def test_this_node_signs_only_evaluations_that_it_made(shared: Path, tmp_path: Path) -> None:
    theirs = telling(shared, "evaluation", {"metrics": {"accuracy": 1.0}})
    with Node(tmp_path / "there") as there:
        manifest = there.models.add(shared, "tiny").manifest_cid
        assert str(theirs.cid) in {one.cid for one in there.models.show("tiny").statements}
        with pytest.raises(NotFound, match="no evaluation of tiny was made here"):
            there.models.signatures.attest("tiny", "evaluation")

        ours = say(there, "evaluation", {"metrics": {"accuracy": 0.5}})
        evaluated(there, manifest, ours)
        (one,) = signed(there, there.models.signatures.attest("tiny", "evaluation"))["evaluations"]
        assert (one["statement"], one["body"]["metrics"]) == (ours, {"accuracy": 0.5})


def add_to_car(path: Path, *more: Statement) -> None:
    """Let a CAR file say more."""
    with path.open("rb") as stream:
        reader = car.open_reader(stream)
        blocks = [(one.cid, bytes(one.data)) for one in reader.blocks]
    added = [(one.cid, one.encode()) for one in more]
    with path.open("wb") as stream:
        car.write(stream, [*reader.roots, *(cid for cid, _ in added)], [*blocks, *added])


def signed(node: Node, made: Signed) -> dict[str, Any]:
    body = next(one.body for one in node.models.show(made.name).statements if one.cid == made.statement_cid)
    found: dict[str, Any] = json.loads(base64.b64decode(body["payload"]))["predicate"]
    return found


def evaluated(node: Node, manifest: str, statement: str) -> None:
    """Enter a figure into the home's own table, as `model eval` does."""
    run = Run(manifest, "machine", "onnx", "cpu", "float32", "set", "embed", "{}", "{}")
    number = node.models.evaluations.kept.begin(run, again=False)
    with node.database.write() as connection:
        add_figures(connection, number, {"accuracy": 0.5}, 2, "2026-01-01T00:00:00.000Z", statement)

"""Handing models on: what a user meets beside the conformance suite of targets."""

from __future__ import annotations

import base64
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.content.passport import CAR, JSON, Passport
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Conflict, Invalid, MalformedContent, NotAuthorised, NotFound, VerificationFailed
from tests.running import Run
from tests.servers.hub import Hub, hub
from tests.servers.oci import docker_registry
from tests.servers.oci_uploads import OpenRegistry, open_registry
from tests.servers.tiny_model import lay_out, tiny_model

WEIGHTS = len(tiny_model()["model.safetensors"])


@pytest.fixture
def tiny(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    return node


@pytest.fixture
def registry() -> Iterator[OpenRegistry]:
    with open_registry() as site:
        yield site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub")
    (tmp_path / "hub").mkdir()
    with hub(tmp_path / "hub") as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("HF_TOKEN", "hf_mine")
        yield served


def killed(started: Callable[[], bool], *arguments: str) -> None:
    """Run a push in a process of its own and kill it once it has started to send."""
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "push", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    while not started():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_folder_tells_the_next_home_what_was_said(tiny: Node, tmp_path: Path) -> None:
    tiny.models.export("tiny", tmp_path / "out", "plain")
    shown = json.loads((tmp_path / "out" / JSON).read_bytes())

    assert shown["manifest"] == tiny.models.show("tiny").manifest_cid
    assert {one["kind"] for one in shown["statements"]} == {"facts", "licence"}
    with Node(tmp_path / "elsewhere") as other:
        back = other.models.show(other.models.add(tmp_path / "out", "back").name)
        assert (back.manifest_cid, back.licence) == (shown["manifest"], "apache-2.0")
        assert ".ipfs-accel" not in str([file.path for file in back.files])


def test_a_folder_that_changed_since_is_refused_and_says_how_to_take_it_as_it_is(
    tiny: Node, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    tiny.models.export("tiny", tmp_path / "out", "plain")
    (tmp_path / "out" / "added.json").write_text("{}")
    refused = cli("model", "add", tmp_path / "out", "--json")
    (tmp_path / "out" / "added.json").unlink()
    (tmp_path / "out" / "tokenizer.json").write_text("[]")
    with pytest.raises(VerificationFailed, match=r"tokenizer\.json"):
        tiny.models.add(tmp_path / "out", "changed")

    assert (refused.status, refused.json["error"]["code"]) == (4, "verification-failed")
    assert "has besides added.json" in refused.json["error"]["detail"]
    assert refused.json["error"]["suggestion"].endswith("--exclude '.ipfs-accel/*'")
    taken = tiny.models.pull(str(tmp_path / "out"), "changed", exclude=[".ipfs-accel/*"])
    assert taken.files == len(tiny_model())
    assert taken.manifest_cid != tiny.models.show("tiny").manifest_cid


def test_an_edited_copy_of_an_export_is_refused_and_says_how_to_take_it_as_it_is(
    tiny: Node, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    tiny.models.export("tiny", tmp_path / "copy", "plain")
    config = tmp_path / "copy" / "config.json"
    config.write_bytes(config.read_bytes().replace(b"64", b"32"))

    refused = cli("model", "add", tmp_path / "copy", "--json")

    assert (refused.status, refused.json["error"]["code"]) == (4, "verification-failed")
    command = refused.json["error"]["suggestion"]
    taken = cli(*shlex.split(command)[1:], "--name", "mine", "--json")
    assert taken.status == 0, taken.stderr
    assert taken.json["manifest_cid"] != tiny.models.show("tiny").manifest_cid


def test_a_passport_of_another_model_is_refused(tiny: Node, tmp_path: Path) -> None:
    tiny.models.export("tiny", tmp_path / "out", "plain")
    ours = Passport.decode((tmp_path / "out" / CAR).read_bytes())
    wrong = Statement(ours.manifest.root, "licence", {"licence": "mine"})
    data = io.BytesIO()
    blocks = [(ours.manifest.cid, ours.manifest.encode()), (wrong.cid, wrong.encode())]
    car.write(data, [cid for cid, _ in blocks], blocks)
    (tmp_path / "out" / CAR).write_bytes(data.getvalue())

    with pytest.raises(MalformedContent, match="not this model"):
        tiny.models.add(tmp_path / "out", "back")


@pytest.mark.parametrize("place", ["somewhere", "pypi://tiny", "ipfs://bafkqaaa", "hf://acme/tiny#folder", "hf://tiny"])
def test_what_is_no_place_is_refused(tiny: Node, place: str) -> None:
    with pytest.raises(Invalid):
        tiny.models.pushes.push("tiny", place)
    with pytest.raises(Invalid, match="--create"):
        tiny.models.pushes.push("tiny", "hf://acme/tiny", private=True)


def test_an_assistant_pushes_into_its_folders_only(tiny: Node, tmp_path: Path) -> None:
    with using(Call(folders=(tmp_path / "shared",))):
        assert tiny.models.pushes.push("tiny", str(tmp_path / "shared" / "tiny")).verified
        for place in (str(tmp_path / "else"), "hf://acme/tiny", "oci://ghcr.io/acme/tiny:v1"):
            with pytest.raises(NotAuthorised):
                tiny.models.pushes.push("tiny", place)
    assert not (tmp_path / "else").exists()


def test_a_push_to_a_folder_that_was_killed_leaves_no_half_a_model(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "large", tiny_model(weights=1 << 24)), "large")
    part = tmp_path / "out" / ".ipfs-accel" / "incoming.part"
    killed(lambda: part.exists() and part.stat().st_size > 100_000, "large", str(tmp_path / "out"))

    with pytest.raises(VerificationFailed, match="lacks"):
        node.models.add(tmp_path / "out", "half")
    pushed = node.models.pushes.push("large", str(tmp_path / "out"))
    assert pushed.verified
    assert not part.exists()
    assert node.models.add(tmp_path / "out", "half").manifest_cid == pushed.manifest_cid


@pytest.mark.parametrize("kind", ["oci", "hf"])
def test_a_push_over_the_network_that_was_killed_goes_on(
    tiny: Node, registry: OpenRegistry, site: Hub, kind: str
) -> None:
    served, place = (registry, f"oci://{registry.host}/acme/tiny") if kind == "oci" else (site, "hf://acme/tiny")
    create = ["--create"] if kind == "hf" else []
    served.faults.cut_after_bytes, served.faults.upload_hold = 10_000, threading.Event()
    killed(served.held.is_set, "tiny", place, *create)
    served.faults.upload_hold.set()
    served.faults.upload_hold = None

    assert not registry.manifests
    assert set(site.root.rglob("acme/tiny/*")) <= {site.root / "acme" / "tiny" / ".gitattributes"}
    pushed = tiny.models.pushes.push("tiny", place, create=kind == "hf")
    assert pushed.verified
    assert tiny.models.pull(pushed.reference, "back").manifest_cid == pushed.manifest_cid


def test_a_repository_is_made_when_asked_for(tiny: Node, site: Hub, cli: Callable[..., Any]) -> None:
    missing = cli("model", "push", "tiny", "hf://acme/tiny", "--json")
    made = cli("model", "push", "tiny", "hf://acme/tiny", "--create", "--private", "-q")

    assert (missing.status, missing.json["error"]["code"]) == (3, "not-found")
    assert missing.json["error"]["suggestion"] == "ipfs-accel model push tiny@1 hf://acme/tiny --create"
    assert site.uploads.private == {"acme/tiny": True}
    assert made.stdout == f"hf://acme/tiny@{site.commit('acme/tiny')}\n"
    assert made.stderr == ""


def test_a_hub_without_xet_is_told_with_the_command_that_does_without(tiny: Node, site: Hub, process: Run) -> None:
    refused = process("model", "push", "tiny", "hf://acme/tiny", "--create", "--json", HF_HUB_DISABLE_XET="0")

    assert (refused.status, refused.json["error"]["code"]) == (6, "unavailable")
    assert "does not know Xet" in refused.json["error"]["detail"]
    assert refused.json["error"]["suggestion"].startswith("HF_HUB_DISABLE_XET=1 ipfs-accel model push ")


def test_files_of_somebody_else_in_a_repository_are_left_alone(tiny: Node, site: Hub) -> None:
    lay_out(site.root / "acme" / "tiny", {"thesis.pdf": b"mine", ".gitattributes": b""})

    with pytest.raises(Conflict, match=r"no part of tiny@1: thesis\.pdf"):
        tiny.models.pushes.push("tiny", "hf://acme/tiny")
    assert (site.root / "acme" / "tiny" / "thesis.pdf").read_bytes() == b"mine"


def test_a_commit_that_came_in_between_is_not_overwritten(tiny: Node, site: Hub) -> None:
    folder = lay_out(site.root / "acme" / "tiny", {".gitattributes": b""})
    site.uploads.meanwhile = lambda: (folder / "tokenizer.json").write_text("mine")

    with pytest.raises(Conflict, match="changed by somebody else"):
        tiny.models.pushes.push("tiny", "hf://acme/tiny")
    assert (folder / "tokenizer.json").read_text() == "mine"


def test_a_branch_is_made_when_asked_for_and_main_stays(tiny: Node, site: Hub, tmp_path: Path) -> None:
    first = tiny.models.pushes.push("tiny", "hf://acme/tiny", create=True)
    tiny.models.add(lay_out(tmp_path / "next", tiny_model(1)), "tiny")
    with pytest.raises(NotFound, match="no revision 'v2'") as raised:
        tiny.models.pushes.push("tiny", "hf://acme/tiny@v2")
    assert raised.value.suggestion == "ipfs-accel model push tiny@2 hf://acme/tiny@v2 --create"
    second = tiny.models.pushes.push("tiny", "hf://acme/tiny@v2", create=True)

    assert second.sent_bytes < second.size_bytes
    with Node(tmp_path / "elsewhere") as other:
        assert other.models.pull("hf://acme/tiny@v2", "two").manifest_cid == second.manifest_cid
        assert other.models.pull("hf://acme/tiny", "one").manifest_cid == first.manifest_cid


def test_what_is_to_be_private_is_never_sent_where_everybody_reads(tiny: Node, site: Hub) -> None:
    lay_out(site.root / "acme" / "tiny", {".gitattributes": b""})

    for dry_run in (True, False):
        with pytest.raises(Conflict, match="everybody can read"):
            tiny.models.pushes.push("tiny", "hf://acme/tiny", create=True, private=True, dry_run=dry_run)
    assert not site.uploads.stored
    with pytest.raises(Conflict, match="everybody can read"):
        tiny.models.pushes.push("tiny", "hf://acme/tiny@v2", create=True, private=True)
    assert not site.uploads.stored


def test_what_everybody_can_read_already_is_not_told_to_be_private(tiny: Node, site: Hub) -> None:
    tiny.models.pushes.push("tiny", "hf://acme/tiny", create=True)

    for dry_run in (True, False):
        with pytest.raises(Conflict, match="everybody can read"):
            tiny.models.pushes.push("tiny", "hf://acme/tiny", create=True, private=True, dry_run=dry_run)
    site.uploads.private["acme/tiny"] = True
    assert tiny.models.pushes.push("tiny", "hf://acme/tiny", create=True, private=True).unchanged


def test_a_model_with_weights_twice_comes_back_with_both(node: Node, site: Hub, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "both", tiny_model() | {"onnx/model.bin": b"the same again"}), "both")
    pushed = node.models.pushes.push("both", "hf://acme/both", create=True)

    with Node(tmp_path / "elsewhere") as other:
        assert other.models.pull("hf://acme/both", dry_run=True).files == len(tiny_model()) + 1
        assert other.models.pull("hf://acme/both").manifest_cid == pushed.manifest_cid


def test_the_login_that_docker_keeps_pushes_and_is_never_shown(
    tiny: Node, registry: OpenRegistry, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    secret = base64.b64encode(b"me:hush").decode()
    registry.token, registry.login = "given", f"Basic {secret}"
    (tmp_path / "docker").mkdir()
    config = {"auths": {registry.host: {"auth": secret}}}
    (tmp_path / "docker" / "config.json").write_text(json.dumps(config))
    pushed = cli("model", "push", "tiny", f"oci://{registry.host}/acme/tiny:v1", "--json")

    assert pushed.status == 0
    assert "hush" not in pushed.stdout + pushed.stderr
    assert pushed.json["verified"]


@pytest.mark.slow
def test_the_registry_that_everybody_runs_takes_a_model(
    tiny: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipfs_accel_cli.targets import oci_uploads

    monkeypatch.setattr(oci_uploads, "CHUNK_BYTES", 4096)
    with docker_registry(tmp_path) as served:
        pushed = tiny.models.pushes.push("tiny", f"oci://{served.host}/acme/tiny:v1")
        again = tiny.models.pushes.push("tiny", f"oci://{served.host}/acme/tiny:v1")
        assert (again.unchanged, again.sent_bytes) == (True, 0)
        tiny.models.pull(pushed.reference, "pulled")
        copied = tiny.models.pushes.push("pulled", f"oci://{served.host}/acme/copy:v1")
        assert copied.sent_bytes < WEIGHTS
        with Node(tmp_path / "elsewhere") as other:
            for reference in (pushed.reference, copied.reference):
                assert other.models.pull(reference, "back").manifest_cid == pushed.manifest_cid

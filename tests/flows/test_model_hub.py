"""Pulling models from a hub: pinned to a commit, every digest checked, no token where it does not belong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    NotAuthorised,
    NotFound,
    Offline,
    TryAgain,
    Unavailable,
    UnsafeContent,
    VerificationFailed,
)
from tests.servers.hub import Hub, hub
from tests.servers.tiny_model import lay_out, tiny_model

pytest.importorskip("huggingface_hub")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    lay_out(tmp_path / "hub" / "acme" / "tiny", tiny_model())
    with hub(tmp_path / "hub") as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        yield served


def fetched(site: Hub) -> list[str]:
    return [line for line in site.log if "/resolve/" in line]


def test_a_repository_is_pulled_at_its_commit(node: Node, site: Hub) -> None:
    pulled = node.models.pull("hf://acme/tiny")

    commit = site.commit("acme/tiny")
    assert (pulled.name, pulled.revision, pulled.reference) == ("tiny", commit, f"hf://acme/tiny@{commit}")
    assert {file.path for file in node.models.show("tiny").files} == set(tiny_model())
    assert all(f"/resolve/{commit}/" in line for line in fetched(site))


def test_a_pull_that_died_after_registering_the_model_leaves_nothing_for_good(
    node: Node, site: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(shutil, "rmtree", lambda *_, **__: None)
        node.models.pull("hf://acme/tiny")
    assert list(node.home.partial.glob("*/fetched/*"))

    assert not node.models.pull("hf://acme/tiny").new

    assert not list(node.home.partial.iterdir())


def test_an_empty_file_is_a_file(node: Node, site: Hub, tmp_path: Path) -> None:
    (tmp_path / "hub" / "acme" / "tiny" / "added_tokens.json").write_bytes(b"")

    node.models.pull("hf://acme/tiny")

    assert (node.models.find("tiny", "embed").folder / "added_tokens.json").read_bytes() == b""


def test_a_folder_of_a_repository_is_a_model(node: Node, site: Hub, tmp_path: Path) -> None:
    lay_out(tmp_path / "hub" / "acme" / "many" / "sub", tiny_model())

    pulled = node.models.pull("hf://acme/many#sub")

    assert pulled.reference.endswith("#sub")
    assert {file.path for file in node.models.show("many").files} == set(tiny_model())


def test_a_hub_and_a_folder_give_one_manifest(node: Node, site: Hub, tmp_path: Path) -> None:
    pulled = node.models.pull("hf://acme/tiny@main")

    assert node.models.add(tmp_path / "hub" / "acme" / "tiny", "copy").manifest_cid == pulled.manifest_cid


def test_pulling_a_commit_again_asks_nobody(node: Node, site: Hub) -> None:
    first = node.models.pull("hf://acme/tiny")
    site.log.clear()

    assert node.models.pull(first.reference).manifest_cid == first.manifest_cid
    assert site.log == []


def test_pulling_a_branch_again_asks_for_its_commit_only(node: Node, site: Hub) -> None:
    first = node.models.pull("hf://acme/tiny@main")
    site.log.clear()

    assert node.models.pull("hf://acme/tiny@main").manifest_cid == first.manifest_cid
    assert site.log
    assert not fetched(site)


def test_a_moved_branch_becomes_a_new_version(node: Node, site: Hub, tmp_path: Path) -> None:
    first = node.models.pull("hf://acme/tiny")
    lay_out(tmp_path / "hub" / "acme" / "tiny", tiny_model(seed=2))

    second = node.models.pull("hf://acme/tiny")

    assert (first.version, second.version) == (1, 2)
    assert first.manifest_cid != second.manifest_cid


def test_offline_a_branch_means_what_it_meant(node: Node, site: Hub) -> None:
    first = node.models.pull("hf://acme/tiny@main")

    with using(Call(offline=True)):
        assert node.models.pull("hf://acme/tiny@main").manifest_cid == first.manifest_cid
        with pytest.raises(Offline):
            node.models.pull("hf://acme/other")


def test_weights_in_other_forms_are_left_out_unless_asked_for(node: Node, site: Hub, tmp_path: Path) -> None:
    more = {"onnx/model.onnx": b"onnx", "model.onnx": b"onnx", "tf_model.h5": b"h5"}
    lay_out(tmp_path / "hub" / "acme" / "tiny", more)

    lean = node.models.pull("hf://acme/tiny")
    onnx = node.models.pull("hf://acme/tiny", name="onnx", include=["*.onnx", "*.json"])

    assert lean.files == len(tiny_model())
    assert {"onnx/model.onnx", "model.onnx"} < {file.path for file in node.models.show("onnx").files}
    assert not any(".safetensors" in file.path for file in node.models.show("onnx").files)
    assert onnx.manifest_cid != lean.manifest_cid


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"], ids=["lfs-sha-256", "git-blob-id"])
def test_a_file_that_is_not_what_the_hub_states_is_refused(node: Node, site: Hub, name: str) -> None:
    site.faults.spoiled.add(name)

    with pytest.raises(VerificationFailed, match=rf"{name}: its (sha-256|git blob id) is"):
        node.models.pull("hf://acme/tiny")

    assert not node.models.ls().models


def test_a_broken_connection_to_a_hub_is_resumed(node: Node, site: Hub) -> None:
    site.faults.cuts, site.faults.cut_after_bytes = 3, 4000

    pulled = node.models.pull("hf://acme/tiny")

    assert pulled.fetched_bytes == pulled.size_bytes
    assert any("bytes=4000-" in line for line in fetched(site))


def test_a_second_pull_goes_on_where_the_first_was_stopped(node: Node, site: Hub) -> None:
    site.faults.cuts, site.faults.cut_after_bytes, site.faults.then = 1, 4000, 503
    with pytest.raises(TryAgain, match="503"):
        node.models.pull("hf://acme/tiny", include=["model.safetensors"])
    (partial,) = node.home.partial.rglob("model.safetensors")
    kept_bytes = partial.stat().st_size
    site.faults.status = None

    pulled = node.models.pull("hf://acme/tiny", include=["model.safetensors"])

    assert pulled.fetched_bytes == pulled.size_bytes - kept_bytes
    assert kept_bytes == 4000


def test_a_token_is_sent_to_the_hub(node: Node, site: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    site.token = "hf_secret"
    with pytest.raises(NotAuthorised):
        node.models.pull("hf://acme/tiny")

    monkeypatch.setenv("HF_TOKEN", "hf_secret")

    pulled = node.models.pull("hf://acme/tiny")
    assert "hf_secret" not in node.models.show(pulled.name).model_dump_json()


def test_a_wrong_token_is_not_told(node: Node, site: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    site.token = "hf_right"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")

    with pytest.raises(NotAuthorised) as raised:
        node.models.pull("hf://acme/tiny")

    assert "hf_wrong" not in str(raised.value.problem())


def test_a_gated_repository_says_so(node: Node, site: Hub) -> None:
    site.gated.add("acme/tiny")

    with pytest.raises(NotAuthorised, match="grants no access"):
        node.models.pull("hf://acme/tiny")


@pytest.mark.parametrize("reference", ["hf://acme/nothing", "hf://acme/tiny@no-such-branch"])
def test_what_the_hub_does_not_have_is_not_found(node: Node, site: Hub, reference: str) -> None:
    with pytest.raises(NotFound):
        node.models.pull(reference)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_hub_is_worth_another_try(node: Node, site: Hub, status: int) -> None:
    site.faults.status = status

    with pytest.raises(TryAgain, match=str(status)):
        node.models.pull("hf://acme/tiny")


def test_a_hub_that_is_down_is_unavailable(node: Node, site: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(Unavailable, match="cannot be reached"):
        node.models.pull("hf://acme/tiny")


def test_a_hub_that_lists_a_path_outside_the_folder_is_refused(node: Node, site: Hub) -> None:
    site.tree_names["config.json"] = "../../config.json"

    with pytest.raises(UnsafeContent, match="leave its folder"):
        node.models.pull("hf://acme/tiny")

"""Models that other tools of the machine keep: listed, imported, proven."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import NotAuthorised, NotFound, VerificationFailed
from tests.servers.hub import hub
from tests.servers.ollama import ollama
from tests.servers.shelves import COMMIT, hf_cache, ollama_store
from tests.servers.tiny_model import lay_out, tiny_model

GGUF = b"GGUF" + (3).to_bytes(4, "little") + bytes(16) + os.urandom(50_000)
LAYERS = [("model", GGUF), ("template", b"{{ .Prompt }}"), ("license", b"MIT License")]
OLLAMA = "registry.ollama.ai/library/tiny/0.5b"


def ran(node: Node, source: str | Path, *names: str, **options: Any) -> Any:
    return node.models.imports.run(str(source), names, **options)


def test_what_ollama_keeps_is_listed_and_imported_by_its_name_there(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Any]
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(ollama_store(tmp_path / "ollama", OLLAMA, LAYERS)))
    ollama_store(tmp_path / "ollama", "hf.co/acme/tiny-GGUF/Q4_K_M", LAYERS[:1])

    listed = cli("model", "import", "--from", "ollama", "--json").json
    assert [(one["name"], one["state"]) for one in listed["models"]] == [
        ("hf.co/acme/tiny-GGUF:Q4_K_M", "found"),
        ("tiny:0.5b", "found"),
    ]
    imported = cli("model", "import", "--from", "ollama", "tiny:0.5b", "--json").json["models"][0]
    again = cli("model", "import", "--from", "ollama", "--json").json["models"][1]

    assert (imported["state"], imported["registered"]) == ("imported", "tiny-0.5b")
    assert (again["state"], again["manifest_cid"]) == ("here", imported["manifest_cid"])
    assert [file.path for file in node.models.show("tiny-0.5b").files] == ["license", "model.gguf", "template"]


def test_an_import_and_a_pull_of_the_same_model_are_one_manifest(node: Node, tmp_path: Path) -> None:
    ollama_store(tmp_path / "ollama", OLLAMA, LAYERS)
    (tmp_path / "hub" / "acme").mkdir(parents=True)
    lay_out(tmp_path / "hub" / "acme" / "tiny", tiny_model() | {"pytorch_model.bin": b"again" * 2000})
    hf_cache(tmp_path / "hf", "acme/tiny", tiny_model() | {"pytorch_model.bin": b"again" * 2000})
    from_ollama = ran(node, tmp_path / "ollama", "tiny:0.5b").models[0].manifest_cid
    from_cache = ran(node, tmp_path / "hf", "acme/tiny").models[0].manifest_cid

    with ollama() as site, hub(tmp_path / "hub") as repository, pytest.MonkeyPatch.context() as patch:
        site.push("acme/tiny:latest", [(kind, data, {}) for kind, data in LAYERS])
        patch.setenv("HF_ENDPOINT", repository.url)
        assert node.models.pull(f"ollama://{site.host}/acme/tiny").manifest_cid == from_ollama
        assert node.models.pull("hf://acme/tiny").manifest_cid == from_cache


def test_snapshots_of_a_cache_are_named_by_their_branch_or_commit(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "f" * 40
    hf_cache(tmp_path / "hf" / "hub", "acme/tiny", tiny_model())
    hf_cache(tmp_path / "hf" / "hub", "acme/tiny", tiny_model(1), other, "dev")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))

    assert [one.name for one in ran(node, "hf-cache").models] == ["acme/tiny", f"acme/tiny@{other[:12]}"]
    assert ran(node, "hf-cache", "acme/tiny@dev").models[0].reference == f"hf://acme/tiny@{other}"
    (imported,) = ran(node, "hf-cache", "acme/tiny", name="mine").models
    assert (imported.registered, imported.reference) == ("mine", f"hf://acme/tiny@{COMMIT}")
    assert node.models.show("mine").tasks == ["embed"]


@pytest.mark.parametrize("large", [True, False])
def test_a_damaged_blob_is_refused_and_named_with_the_command_that_helps(
    tmp_path: Path, cli: Callable[..., Any], large: bool
) -> None:
    folder = hf_cache(tmp_path / "hf", "acme/tiny", tiny_model())
    blob = next(path for path in (folder / "blobs").iterdir() if (len(path.name) == 64) is large)
    data = bytearray(blob.read_bytes())
    data[-2] ^= 1
    blob.write_bytes(data)

    ended = cli("model", "import", "--from", str(tmp_path / "hf"), "acme/tiny", "--json")

    assert (ended.status, ended.json["error"]["code"]) == (4, "verification-failed")
    assert str(blob) in ended.json["error"]["detail"]
    assert ended.json["error"]["suggestion"] == f"ipfs-accel model pull hf://acme/tiny@{COMMIT}"
    assert cli("model", "ls", "--json").json["models"] == []
    assert blob.read_bytes() == data


def test_a_download_that_did_not_end_is_listed_as_broken_and_not_taken(node: Node, tmp_path: Path) -> None:
    root = ollama_store(tmp_path / "ollama", OLLAMA, LAYERS)
    (root / "blobs" / f"sha256-{hashlib.sha256(GGUF).hexdigest()}").unlink()

    (listed,) = ran(node, root).models
    assert (listed.state, "model.gguf is not there" in listed.detail) == ("broken", True)
    with pytest.raises(VerificationFailed, match="is not there") as raised:
        ran(node, root, "tiny:0.5b")
    assert str(raised.value.suggestion).startswith("ipfs-accel model pull ollama://tiny:0.5b@sha256:")


def test_a_link_that_leaves_the_cache_is_not_followed(node: Node, tmp_path: Path) -> None:
    folder = hf_cache(tmp_path / "hf", "acme/tiny", tiny_model())
    (tmp_path / "secret").write_text("hush")
    (folder / "snapshots" / COMMIT / "notes.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(VerificationFailed, match="a link that leaves"):
        ran(node, tmp_path / "hf", "acme/tiny")


def test_a_linked_import_takes_no_space_and_a_change_of_the_file_is_noticed(node: Node, tmp_path: Path) -> None:
    root = ollama_store(tmp_path / "ollama", OLLAMA, LAYERS)
    blob = root / "blobs" / f"sha256-{hashlib.sha256(GGUF).hexdigest()}"

    imported = ran(node, root, "tiny:0.5b", link=True)

    assert imported.linked
    assert blob.stat().st_nlink == 2
    assert node.models.verify("tiny-0.5b").files == 3
    assert ran(node, root).models[0].state == "here"
    with blob.open("r+b") as file:
        file.seek(100)
        file.write(b"changed")
    with pytest.raises(VerificationFailed):
        node.models.verify("tiny-0.5b")


def test_what_lm_studio_keeps_is_a_model_for_each_gguf_with_its_projector(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    models = tmp_path / ".lmstudio" / "models"
    lay_out(models / "acme" / "one-GGUF", {"one-Q4.gguf": GGUF, "mmproj-one.gguf": GGUF[:9000]})
    parts = {f"big-0000{number}-of-00002.gguf": GGUF + bytes(number) for number in (1, 2)}
    lay_out(models / "acme" / "two-GGUF", {"two-Q4.gguf": GGUF, **parts})
    lay_out(models / "acme" / "mlx", tiny_model())

    listed = ran(node, "lmstudio").models
    assert [(one.name, one.files) for one in listed] == [
        ("acme/mlx", 7),
        ("acme/one-GGUF", 2),
        ("acme/two-GGUF/big", 2),
        ("acme/two-GGUF/two-Q4", 1),
    ]
    (imported,) = ran(node, models, "acme/two-GGUF/two-Q4", link=True).models
    assert imported.registered == "two-Q4"
    assert [one.state for one in ran(node, "lmstudio").models] == ["found", "found", "found", "here"]


def test_what_is_not_there_is_said_with_the_next_command(node: Node, tmp_path: Path, cli: Callable[..., Any]) -> None:
    root = ollama_store(tmp_path / "ollama", OLLAMA, LAYERS)
    with pytest.raises(NotFound, match=r"near names: tiny:0.5b"):
        ran(node, root, "tiny:05b")
    (tmp_path / "empty").mkdir()
    ended = cli("model", "import", "--from", str(tmp_path / "empty"), "--json")
    assert (ended.status, ended.json["error"]["suggestion"]) == (3, f"ipfs-accel model add {tmp_path / 'empty'}")
    assert cli("model", "import", "--from", str(tmp_path / "nowhere"), "--json").status == 3


def test_an_assistant_reads_no_folder_that_it_may_not(node: Node, tmp_path: Path) -> None:
    root = ollama_store(tmp_path / "ollama", OLLAMA, LAYERS)
    with using(Call(folders=(tmp_path / "allowed",))), pytest.raises(NotAuthorised, match="outside the folders"):
        ran(node, root)
    with using(Call(folders=(root,))):
        assert ran(node, root, "tiny:0.5b").models[0].state == "imported"

"""A model handed on in the layouts that other programs read, and taken back as the same model."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, UnsupportedContent, VerificationFailed
from tests.servers.tiny_model import lay_out, tiny_model
from tests.unit.formats.builders import gguf


@pytest.fixture
def tiny(node: Node, tmp_path: Path) -> Node:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    return node


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def model_in(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in files_of(folder).items() if not path.startswith(".ipfs-accel/")}


@pytest.mark.parametrize("layout", ["plain", "car"])
def test_what_was_exported_is_the_same_model_elsewhere(tiny: Node, tmp_path: Path, layout: str) -> None:
    output = tmp_path / ("out.car" if layout == "car" else "out")

    exported = tiny.models.export("tiny", output, layout)

    assert (exported.layout, exported.files, exported.unchanged) == (layout, len(tiny_model()), False)
    assert tiny.models.export("tiny", output, layout).unchanged
    with Node(tmp_path / "elsewhere") as other:
        assert other.models.add(output).manifest_cid == tiny.models.show("tiny").manifest_cid


def test_a_folder_that_is_there_takes_plain_files_and_anything_else_a_car(tiny: Node, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()

    assert tiny.models.export("tiny", tmp_path / "there").layout == "plain"
    assert model_in(tmp_path / "there") == tiny_model()
    assert tiny.models.export("tiny", tmp_path / "new").layout == "car"


def test_the_hubs_own_library_finds_the_model_in_the_cache(tiny: Node, tmp_path: Path) -> None:
    from huggingface_hub import snapshot_download

    exported = tiny.models.export("tiny", tmp_path / "cache", "hf")

    found = Path(snapshot_download("local/tiny", cache_dir=tmp_path / "cache", local_files_only=True))
    assert files_of(found) == tiny_model()
    assert Path(exported.path) == tmp_path / "cache" / "models--local--tiny"
    assert tiny.models.export("tiny", tmp_path / "cache", "hf").unchanged


def test_an_import_of_our_own_export_claims_no_repository_of_a_hub(tiny: Node, tmp_path: Path) -> None:
    tiny.models.export("tiny", tmp_path / "cache", "hf")

    with Node(tmp_path / "elsewhere") as other:
        (imported,) = other.models.imports.run(str(tmp_path / "cache"), ["local/tiny"]).models
        shown = other.models.show(imported.registered)

    assert shown.manifest_cid == tiny.models.show("tiny").manifest_cid
    assert shown.reference.startswith("file:")


def test_ollamas_store_holds_the_weights_under_their_digest(node: Node, tmp_path: Path) -> None:
    weights = gguf({"a": ((8, 4), 0, 128)}, {"general.architecture": "llama"})
    node.models.add(lay_out(tmp_path / "Small", {"model.gguf": weights, "LICENSE": b"MIT"}))

    node.models.export("Small", tmp_path / "out", "ollama")

    manifest = json.loads((tmp_path / "out/manifests/registry.ollama.ai/library/small/latest").read_bytes())
    blobs = {f"sha256:{hashlib.sha256(data).hexdigest()}": data for data in files_of(tmp_path / "out/blobs").values()}
    model, licence = manifest["layers"]
    assert (blobs[model["digest"]], model["size"]) == (weights, len(weights))
    assert model["mediaType"] == "application/vnd.ollama.image.model"
    assert blobs[licence["digest"]] == b"MIT"
    assert json.loads(blobs[manifest["config"]["digest"]])["model_family"] == "llama"
    names = {path.name for path in (tmp_path / "out/blobs").iterdir()}
    assert names == {digest.replace(":", "-") for digest in blobs}


def test_a_model_that_ollama_does_not_run_is_refused(tiny: Node, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedContent, match="one GGUF file"):
        tiny.models.export("tiny", tmp_path / "out", "ollama")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("layout", ["plain", "hf"])
def test_what_is_there_and_differs_is_left_alone(tiny: Node, tmp_path: Path, layout: str) -> None:
    tiny.models.export("tiny", tmp_path / "out", layout)
    there = [path for path in sorted((tmp_path / "out").rglob("*")) if ".ipfs-accel" not in path.parts]
    other = next(path for path in there if path.is_file() and not path.is_symlink())
    other.write_bytes(b"mine")

    with pytest.raises(Conflict, match="is there already and differs"):
        tiny.models.export("tiny", tmp_path / "out", layout)

    assert other.read_bytes() == b"mine"


def test_a_damaged_file_is_not_handed_on(tiny: Node, tmp_path: Path) -> None:
    digest = next(file.sha256 for file in tiny.models.show("tiny").files if file.path == "model.safetensors")
    stored = next(iter(tiny.home.objects.rglob(digest)))
    os.chmod(stored, 0o644)
    stored.write_bytes(bytes(stored.stat().st_size))

    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("another version")
    tiny.models.add(tmp_path / "other", "tiny")
    layouts = {"plain": tmp_path / "out", "hf": tmp_path / "hub", "car": tmp_path / "tiny.car"}
    for layout, place in layouts.items():
        with pytest.raises(VerificationFailed, match=r"model\.safetensors is damaged") as caught:
            tiny.models.export("tiny@1", place, layout)
        assert caught.value.suggestion == "ipfs-accel model repair tiny@1"
        detail = caught.value.detail
        assert all(detail.count(one["cid"]) <= 1 for one in caught.value.errors), detail

    assert not (tmp_path / "out/model.safetensors").exists()
    assert not (tmp_path / "tiny.car").exists()

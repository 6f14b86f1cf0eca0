"""What the headers of a model's files say, tensor by tensor."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import NotAuthorised, NotFound
from tests.servers.tiny_model import lay_out, safetensors, tiny_model
from tests.unit.formats.builders import gguf, onnx


def test_a_registered_model_is_inspected_tensor_by_tensor(node: Node, tmp_path: Path) -> None:
    added = node.models.add(lay_out(tmp_path / "tiny", tiny_model()))

    seen = node.models.contents.inspect("tiny", tensors=True)

    assert seen.manifest_cid == added.manifest_cid
    assert [(one.name, one.shape, one.dtype, one.size_bytes, one.file) for one in seen.tensors] == [
        ("embeddings.weight", [512, 8], "float32", 16384, "model.safetensors"),
        ("norm.bias", [8], "float32", 32, "model.safetensors"),
    ]
    assert (seen.parameters, seen.tensor_count) == (4104, 2)
    assert [(one.dtype, one.tensors, one.parameters) for one in seen.dtypes] == [("float32", 2, 4104)]
    assert {file.path: file.format for file in seen.files}["1_Pooling/config.json"] == "json"


def test_without_tensors_only_totals_are_told(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))

    seen = node.models.contents.inspect("tiny")

    assert seen.tensors == []
    assert seen.tensor_count == 2


@pytest.mark.parametrize("name", ["model.safetensors", "model.gguf", "model.onnx"])
def test_the_digest_of_a_tensor_is_that_of_its_own_bytes(node: Node, tmp_path: Path, name: str) -> None:
    shape, numbers = (4, 8), bytes(range(128))
    if name.endswith("safetensors"):
        header = json.dumps({"a": {"dtype": "F32", "shape": list(shape), "data_offsets": [0, 128]}}).encode()
        data = len(header).to_bytes(8, "little") + header + numbers
    elif name.endswith("gguf"):
        data = gguf({"a": (shape[::-1], 0, 128)})[:-128] + numbers
    else:
        data = onnx({"a": (shape, 1)}, raw_bytes=128).replace(bytes(128), numbers)
    (tmp_path / name).write_bytes(data)

    (tensor,) = node.models.contents.inspect(str(tmp_path / name), digest=True).tensors

    assert (tensor.name, tensor.shape) == ("a", [4, 8])
    assert tensor.offset == data.index(numbers)
    assert tensor.sha256 == hashlib.sha256(numbers).hexdigest()


def test_a_tensor_whose_numbers_lie_in_another_file_has_no_digest(node: Node, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx({"a": ((4, 8), 1)}))

    (tensor,) = node.models.contents.inspect(str(tmp_path / "model.onnx"), digest=True).tensors

    assert (tensor.offset, tensor.sha256, tensor.size_bytes) == (None, None, 128)


def test_a_header_that_cannot_be_read_is_told_beside_the_others(node: Node, tmp_path: Path) -> None:
    files = {"bad.gguf": b"GGUF" + bytes(4), "good.safetensors": safetensors({"a": (2, 2)}), "old.bin": b"?"}

    seen = node.models.contents.inspect(str(lay_out(tmp_path / "mixed", files)))

    told = {file.path: (file.tensors, file.problem) for file in seen.files}
    assert told["good.safetensors"] == (1, None)
    assert told["old.bin"] == (None, None)
    assert told["bad.gguf"][0] is None
    assert "bad.gguf" in str(told["bad.gguf"][1])


def test_a_file_that_the_store_lost_is_told(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    file = next(one for one in node.models.show("tiny").files if one.path == "model.safetensors")
    next(node.home.objects.rglob(file.sha256)).unlink()

    told = {one.path: one for one in node.models.contents.inspect("tiny").files}["model.safetensors"]

    assert (told.size_bytes, told.tensors) == (file.size_bytes, None)
    assert "missing" in str(told.problem)


def test_a_model_without_readable_headers_has_no_count_of_parameters(node: Node, tmp_path: Path) -> None:
    seen = node.models.contents.inspect(str(lay_out(tmp_path / "plain", {"notes.txt": b"hello"})))

    assert (seen.parameters, seen.tensor_count) == (None, 0)


def test_what_is_not_there_or_not_allowed_is_not_inspected(node: Node, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        node.models.contents.inspect("nothing")
    with using(Call(folders=(tmp_path / "allowed",))), pytest.raises(NotAuthorised):
        node.models.contents.inspect(str(tmp_path / "other"))

"""Nothing that hands a model to a folder writes through a link that lies in it, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Conflict, Unavailable
from tests.servers.tiny_model import lay_out
from tests.unit.formats.builders import gguf

WEIGHTS = gguf({"a": ((8, 4), 0, 128)}, {"general.architecture": "llama"})


@pytest.fixture
def small(node: Node, tmp_path: Path) -> Node:
    node.models.add(lay_out(tmp_path / "small", {"onnx/model.gguf": WEIGHTS, "onnx/deep/config.json": b"{}"}))
    return node


@pytest.fixture(params=["an assistant", "the owner"])
def allowed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give the folder that the caller may write to."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    with using(Call(folders=(folder,) if request.param == "an assistant" else None)):
        yield folder


def push(node: Node, folder: Path) -> object:
    return node.models.pushes.push("small", str(folder))


def export(layout: str) -> Callable[[Node, Path], object]:
    return lambda node, folder: node.models.export("small", folder, layout)


WAYS = [
    (push, "onnx"),
    (push, "onnx/deep"),
    (push, ".ipfs-accel"),
    (export("plain"), "onnx"),
    (export("plain"), "onnx/deep"),
    (export("plain"), ".ipfs-accel"),
    (export("hf"), "models--local--small"),
    (export("hf"), "models--local--small/blobs"),
    (export("hf"), "models--local--small/snapshots"),
    (export("hf"), "models--local--small/refs"),
    (export("ollama"), "blobs"),
    (export("ollama"), "manifests/registry.ollama.ai"),
]


@pytest.mark.parametrize(("hand_on", "link"), WAYS)
def test_a_linked_folder_on_the_way_is_a_conflict_that_names_it(
    small: Node, allowed: Path, tmp_path: Path, hand_on: Callable[[Node, Path], object], link: str
) -> None:
    secret = tmp_path / "secret"
    lay_out(secret, {"model.gguf": b"mine", "model.car": b"mine", "config.json": b"mine"})
    place = allowed / "m" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(secret)

    with pytest.raises(Conflict, match=link.rpartition("/")[2]) as raised:
        hand_on(small, allowed / "m")

    assert raised.value.exit_code == 10
    assert {path.name: path.read_bytes() for path in secret.iterdir()} == {
        "model.gguf": b"mine",
        "model.car": b"mine",
        "config.json": b"mine",
    }


@pytest.mark.parametrize("layout", ["plain", "hf", "ollama"])
def test_a_link_to_the_folder_itself_is_the_owners_way_of_naming_it(small: Node, tmp_path: Path, layout: str) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "models").symlink_to(tmp_path / "disk")

    small.models.export("small", tmp_path / "models", layout)

    assert WEIGHTS in [path.read_bytes() for path in (tmp_path / "disk").rglob("*") if path.is_file()]


@pytest.mark.parametrize("layout", ["plain", "hf", "ollama"])
def test_a_place_that_cannot_be_written_is_told(small: Node, layout: str) -> None:
    with pytest.raises(Unavailable, match="cannot write into /proc/nope"):
        small.models.export("small", "/proc/nope", layout)

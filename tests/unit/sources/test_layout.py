"""Finding the model among the paths of an archive."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.sources.layout import model_files, model_folders


@pytest.mark.parametrize(
    ("paths", "folders"),
    [
        (["p/m/modules.json", "p/m/config.json", "p/m/model.safetensors", "p/m/2_Dense/config.json"], ["p/m"]),
        (["p/config.json", "p/model.gguf"], ["p"]),
        (["p/config.json", "p/weights/model.safetensors"], []),
        (["config.json", "pytorch_model.bin"], [""]),
        (["modules.json", "0_Transformer/config.json", "0_Transformer/model.safetensors"], [""]),
        (["p/a/modules.json", "p/b/config.json", "p/b/model.onnx"], ["p/a", "p/b"]),
        (["p/m/config.json", "p/m/model.safetensors", "p/m/onnx/config.json", "p/m/onnx/model.onnx"], ["p/m"]),
        (["p/data.json", "p/__init__.py"], []),
    ],
)
def test_model_folders_are_the_outermost_ones(paths: list[str], folders: list[str]) -> None:
    assert model_folders(paths) == folders


def test_code_and_package_data_are_left_out() -> None:
    paths = [
        *(
            "modules.json",
            "config.json",
            "model.safetensors",
            "__init__.py",
            "cli.pyc",
            "__pycache__/x.txt",
            "evil.pth",
        ),
        *("pack-1.dist-info/METADATA", "pack-1.data/scripts/run"),
    ]

    assert set(model_files(paths, None, "it", "ref")) == {"modules.json", "config.json", "model.safetensors"}


def test_a_chosen_folder_may_lie_inside_another_model() -> None:
    paths = ["m/modules.json", "m/config.json", "m/onnx/config.json", "m/onnx/model.onnx"]

    assert model_files(paths, "m/onnx", "it", "ref") == {
        "config.json": "m/onnx/config.json",
        "model.onnx": "m/onnx/model.onnx",
    }


def test_the_root_is_chosen_by_a_dot() -> None:
    paths = ["modules.json", "config.json"]

    assert model_files(paths, ".", "it", "ref") == {"modules.json": "modules.json", "config.json": "config.json"}


def test_several_models_want_a_choice_and_none_is_not_found() -> None:
    with pytest.raises(Invalid, match=r"2 models; name one: ref#a, ref#b"):
        model_files(["a/modules.json", "b/modules.json"], None, "it", "ref")
    with pytest.raises(NotFound, match="holds no model"):
        model_files(["a/b.txt"], None, "it", "ref")
    with pytest.raises(NotFound, match="no model in a folder 'c'; there are: ref#a"):
        model_files(["a/modules.json"], "c", "it", "ref")

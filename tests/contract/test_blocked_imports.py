"""Everything but inference and MCP works where the libraries of those cannot be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BLOCKED = (
    "torch",
    "transformers",
    "accelerate",
    "mcp",
    "safetensors",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "tokenizers",
    "wgpu",
    "openvino",
)
RUN = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
from ipfs_accel_cli.surfaces.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def blocked(*arguments: str | Path) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, arguments), "--json"], capture_output=True, env=os.environ
    )
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def model_folder(path: Path) -> Path:
    import struct

    path.mkdir()
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    (path / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))
    (path / "modules.json").write_text("[]")
    return path


def test_content_models_hardware_and_settings_need_none_of_them(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    for arguments in (
        ("hw", "info"),
        ("peer", "id"),
        ("config", "show"),
        ("store", "put", folder),
        ("store", "verify"),
        ("model", "add", folder, "--name", "m"),
        ("model", "ls"),
        ("model", "show", "m"),
        ("model", "verify", "m"),
        ("model", "export", "m", "-o", tmp_path / "m.car"),
        ("model", "gc", "--dry-run"),
    ):
        status, shown = blocked(*arguments)
        assert status == 0, (arguments, shown)


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", "--full"),
        ("engines",),
        ("engines", "--full"),
        ("report",),
        ("top", "--interval", "0.1", "--count", "1"),
        ("fit", "{folder}", "--budget", "1GiB"),
        ("recommend", "--task", "embed"),
        ("plan", "{folder}"),
        ("require", "--cores", "0.1"),
        ("bench", "ls"),
        ("machine", "ls"),
        ("machine", "show", "8xh100"),
        ("machine", "save", "this"),
        ("fit", "{folder}", "--machine", "laptop-16gb"),
    ],
    ids=" ".join,
)
def test_knowing_the_machine_needs_none_of_them(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    folder = str(model_folder(tmp_path / "model"))
    status, shown = blocked("hw", *(word.format(folder=folder) for word in arguments))
    assert status == 0, shown


def test_an_engine_whose_library_is_missing_is_listed_with_the_line_that_installs_it() -> None:
    _, shown = blocked("hw", "engines")
    torch, onnx = shown["engines"][:2]
    assert (torch["state"], torch["reason"]) == (
        "absent",
        "needs torch, transformers, accelerate, which are not installed",
    )
    assert (onnx["state"], onnx["install"]) == ("absent", "pip install 'ipfs-accel[onnx]'")


@pytest.mark.parametrize(
    ("arguments", "library"),
    [
        (("infer", "embed", "a cat", "-m", "m"), "torch"),
        (("infer", "embed", "a cat", "-m", "m", "--engine", "onnx"), "onnxruntime"),
        (("infer", "calibrate", "m"), "torch"),
        (("mcp", "ls"), "mcp"),
        (("serve-mcp",), "mcp"),
    ],
)
def test_what_needs_them_names_the_line_that_installs_them(
    tmp_path: Path, arguments: tuple[str, ...], library: str
) -> None:
    blocked("model", "add", model_folder(tmp_path / "model"), "--name", "m")
    status, shown = blocked(*arguments)
    assert status == 6
    assert shown["error"]["code"] == "missing-extra"
    assert library in shown["error"]["detail"]
    assert shown["error"]["suggestion"].startswith("pip install")


def test_the_doctor_says_what_is_missing() -> None:
    status, shown = blocked("doctor")
    assert status == 0
    assert shown["diagnosis"]["checks"]

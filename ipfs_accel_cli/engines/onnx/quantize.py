"""From an exported graph to one with weights of 8 bits, which ONNX Runtime computes with as they are."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts
from ipfs_accel_cli.engines.instructions import sums_bytes_exactly
from ipfs_accel_cli.engines.sentence import read_sentence

FILE = "model.onnx"
METHOD = "ipfs-accel-onnx-int8"
# Matrix products and tables of vectors are nearly all of an encoder; of other operations integer forms are rarer.
_REFUSALS = (ValueError, RuntimeError, onnx.shape_inference.InferenceError, onnx.checker.ValidationError)
OPERATIONS = ("MatMul", "Gemm", "Gather")


def quantize(model: ModelFacts, files: Path, graph: Path, task: str, target: Path) -> dict[str, Any]:
    """Write the graph and the model's config.json below `target`; return what was done.

    One scale a channel: with one a matrix, vectors turn four times as far. Where the processor adds products in 16
    bits, weights keep one bit less, so that no sum saturates.
    """
    narrow = not sums_bytes_exactly()
    target.mkdir(parents=True, exist_ok=True)
    try:
        with _silent():
            whole = onnx.load(graph)
            # The exporter also notes the shapes of weights, which no longer hold once a matrix is turned over.
            del whole.graph.value_info[:]
            quantize_dynamic(
                whole,
                target / FILE,
                op_types_to_quantize=list(OPERATIONS),
                per_channel=True,
                reduce_range=narrow,
                weight_type=QuantType.QInt8,
            )
    except _REFUSALS as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UnsupportedContent(f"the graph of {model.name} cannot be quantised: {first}") from error
    _config(files, task, target)
    versions = f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"
    return {"versions": versions, "per_channel": True, "weight_bits": 7 if narrow else 8}


def _config(files: Path, task: str, target: Path) -> None:
    inside = read_sentence(files).encoder if task == "embed" else ""
    config = json.loads((files / inside / "config.json").read_text("utf-8"))
    config["quantization_config"] = {"quant_method": METHOD, "bits": 8}
    written = target / inside / "config.json"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep the advice to simplify the graph first off the terminal: the exporter has done so."""
    before = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(before)

"""The ONNX engine in 8 bits: the exported graph with its matrices rounded in blocks, quicker and not as exact."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MissingExtra, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.engines.base import Fit, Machine, ModelFacts, Plan
from ipfs_accel_cli.engines.onnx.agreement import answers, largest_difference, least_cosine, same_labels
from ipfs_accel_cli.engines.onnx.engine import OnnxEngine, brings_graphs
from ipfs_accel_cli.engines.onnx.sessions import EXPORTS, SCORING, SEEING, loader

LEAST_COSINE = LEAST_SAME_LABELS = 0.99
# One scale for so many weights of a column, and for so many values of a token: vectors turn a fifth as far as with one
# scale a column and one for the values of a whole batch, and do not depend on what else is in the batch.
BLOCK = 128
_BITS = 8
# The level at which ONNX Runtime also rounds the values that it multiplies the weights with, to 8 bits.
_ROUNDED_VALUES = 4
_ROUNDED = "MatMulNBits"
# Raised whenever graphs are made another way, so that older ones are not taken for them.
_RECIPE = 1


class Int8Engine(OnnxEngine):
    """Runs the graph of the ONNX engine, quantised here and refused where it answers otherwise."""

    name = "onnx-int8"

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 0.6 in memory, else 0. Only a measurement puts it before another."""
        if brings_graphs(model):
            return Fit(0, 0, "it brings a graph of its own, which the onnx engine runs as it is", supported=False)
        # While it is made the whole graph is held, too.
        fit = super().fit(model, machine)
        return replace(fit, score=min(fit.score, 0.6), dtype="int8")

    def kind(self, task: str) -> str:
        """Name the quantised graph of a task, and the graph that it is made from."""
        return f"{super().kind(task)}-int8-{_RECIPE}"

    def own(self, model: ModelFacts) -> str:
        """Return nothing: what a model brings is not quantised."""
        return ""

    def begins_with(self) -> str:
        """Name the engine whose graph is quantised."""
        return OnnxEngine.name

    def derive(self, model: ModelFacts, files: Path, task: str, target: Path) -> Mapping[str, str | int | float]:
        """Export the model and quantise the graph; raises as the contract says."""
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / "whole"
            said = super().derive(model, files, task, made)
            return {**said, **self.refine(model, files, task, made, target)}

    def refine(
        self, model: ModelFacts, files: Path, task: str, made: Path, target: Path
    ) -> Mapping[str, str | int | float]:
        """Quantise an exported graph and compare the two; raises VerificationFailed below 0.99 of agreement."""
        if task not in EXPORTS:
            raise UnsupportedContent(f"the {self.name} engine knows no task {task!r}")
        current().progress(0, None, f"quantising {model.name}, once")
        versions = _quantize(model, made, target)
        current().check()
        plain, short = (
            answers(loader(task)(model, files, Plan(task, threads=1, derived=path)), task) for path in (made, target)
        )
        found: dict[str, str | int | float] = {"versions": versions, "block": BLOCK, "bits": _BITS, "task": task}
        if task in SCORING:
            same, asked = same_labels(plain, short), "pictures" if task in SEEING else "texts"
            _check(model, same, LEAST_SAME_LABELS, f"{same:.0%} of the {asked} get the same label")
            return {**found, "same_labels": same, "largest_difference": largest_difference(plain, short)}
        cosine = least_cosine(plain, short)
        _check(model, cosine, LEAST_COSINE, f"a vector turns to a cosine of {cosine:.4f}")
        return {**found, "least_cosine": cosine}


def _check(model: ModelFacts, found: float, least: float, said: str) -> None:
    if not found >= least:
        raise VerificationFailed(
            f"{model.name} in 8 bits: {said}, and {least} is the least that is taken",
            suggestion=f"ipfs-accel infer calibrate {model.name}",
        )


def _quantize(model: ModelFacts, made: Path, target: Path) -> str:
    """Write the graph with its matrices in 8 bits; return the versions of the libraries that did."""
    try:
        import onnx
        import onnxruntime

        with _silent():
            from onnxruntime.quantization import matmul_nbits_quantizer as nbits
    except ImportError as error:
        raise MissingExtra(
            f"quantising needs {error.name or error}, which is not installed",
            suggestion="pip install 'ipfs-accel[onnx]'",
        ) from error
    try:
        with _silent():
            whole = onnx.load(made)
            # The exporter also notes the shapes of weights, which no longer hold once a matrix is packed.
            del whole.graph.value_info[:]
            how = nbits.DefaultWeightOnlyQuantConfig(
                block_size=BLOCK,
                is_symmetric=True,
                accuracy_level=_ROUNDED_VALUES,
                op_types_to_quantize=("MatMul",),
                bits=_BITS,
            )
            quantizer = nbits.MatMulNBitsQuantizer(whole, algo_config=how)
            quantizer.process()
            rounded = any(node.op_type == _ROUNDED for node in quantizer.model.model.graph.node)
            quantizer.model.save_model_to_file(str(target), use_external_data_format=False)
    except (ValueError, RuntimeError, AttributeError, TypeError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UnsupportedContent(f"the graph of {model.name} cannot be quantised: {first}") from error
    if not rounded:
        raise UnsupportedContent(f"{model.name} multiplies by no matrices that 8 bits are for; convolutions stay whole")
    return f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what the quantizer says of every node off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)

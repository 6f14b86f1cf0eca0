"""Running an ONNX graph of ours: token ids and mask in, one row a text out."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnxruntime
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.engines.encoder import Compute, Ids
from ipfs_accel_cli.engines.labels import Labels

OUTPUT = "rows"
_ERRORS_ONLY = 3


def open_graph(path: Path, threads: int, labels: Labels | None = None) -> Compute:
    """Load a graph for the processor; raises MalformedContent for a file that is no such graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # A thread that spins while it waits takes the core from whoever else wants it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each of its status codes.
        raise MalformedContent(f"{path.name} is no ONNX graph that can be run: {error}") from error
    wanted = {given.name for given in session.get_inputs()}

    def compute(inputs: dict[str, Ids], mask: Ids) -> NDArray[numpy.float32]:
        feed = {name: rows for name, rows in {**inputs, "attention_mask": mask}.items() if name in wanted}
        rows: NDArray[numpy.float32] = session.run([OUTPUT], feed)[0]
        return rows if labels is None else labels.scores(rows)

    return compute

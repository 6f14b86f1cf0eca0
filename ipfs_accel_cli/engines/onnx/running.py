"""ONNX Runtime on the processor, for any graph: opening one, and its errors said in our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnxruntime

from ipfs_accel_cli.core.errors import DoesNotFit, MalformedContent, Unavailable

_ERRORS_ONLY = 3
_NO_MEMORY = ("bad_alloc", "failed to allocate", "out of memory")


def open_session(path: Path, threads: int, name: str) -> Any:
    """Load a graph of the model `name`; raises MalformedContent for a file that is no graph, and DoesNotFit."""
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # A thread that spins while it waits takes the core from whoever else wants it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each of its status codes.
        if _is_memory(error):
            raise _does_not_fit(name, error) from error
        raise MalformedContent(f"{path.name} is no ONNX graph that can be run: {error}") from error


@contextmanager
def running(name: str) -> Iterator[None]:
    """Say in our own errors what ONNX Runtime raises while it runs a model."""
    try:
        yield
    except Exception as error:
        if _is_memory(error):
            raise _does_not_fit(name, error) from error
        if "out of data bounds" in str(error):
            raise MalformedContent(f"{name}: a token lies outside of the vocabulary of the weights") from error
        raise Unavailable(f"ONNX Runtime failed while it ran {name}: {error}") from error


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY)


def _does_not_fit(name: str, error: Exception) -> DoesNotFit:
    return DoesNotFit(
        f"{name}: memory ran out: {str(error)[:300]}",
        suggestion="ask for less at a time (--batch), or choose a smaller model",
    )

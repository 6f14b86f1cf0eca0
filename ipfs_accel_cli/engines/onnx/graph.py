"""Running an ONNX graph of ours: token ids and mask in, one row a text out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import DoesNotFit, MalformedContent, Unavailable
from ipfs_accel_cli.engines.encoder import Ids
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.onnx.note import Note

OUTPUT = "rows"
_ERRORS_ONLY = 3
_NO_MEMORY = ("bad_alloc", "failed to allocate", "out of memory")


@dataclass(frozen=True, slots=True)
class Graph:
    """A loaded graph of the model `name`, with the note that it carries."""

    name: str
    session: Any
    note: Note
    labels: Labels | None
    takes: frozenset[str]

    def __call__(self, inputs: dict[str, Ids], mask: Ids) -> NDArray[numpy.float32]:
        """Return rows of float32: vectors, or the scores of the labels."""
        # An input that makes no difference is left out of a graph.
        feed = {name: ids for name, ids in {**inputs, "attention_mask": mask}.items() if name in self.takes}
        with _running(self.name):
            rows: NDArray[numpy.float32] = self.session.run([OUTPUT], feed)[0]
        return rows if self.labels is None else self.labels.scores(rows)


def open_graph(path: Path, threads: int, name: str) -> Graph:
    """Load a graph for the processor; raises MalformedContent for a file that is no such graph, and DoesNotFit."""
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # A thread that spins while it waits takes the core from whoever else wants it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each of its status codes.
        if _is_memory(error):
            raise _does_not_fit(name, error) from error
        raise MalformedContent(f"{path.name} is no ONNX graph that can be run: {error}") from error
    note = Note.decode(session.get_modelmeta().custom_metadata_map)
    labels = Labels(note.labels, note.independent) if note.labels else None
    return Graph(name, session, note, labels, frozenset(given.name for given in session.get_inputs()))


@contextmanager
def _running(name: str) -> Iterator[None]:
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

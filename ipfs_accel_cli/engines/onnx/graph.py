"""Running an ONNX graph of ours: token ids and mask in, one row a text out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.engines.encoder import Ids
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.onnx.note import Note
from ipfs_accel_cli.engines.onnx.running import open_session, running

OUTPUT = "rows"


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
        with running(self.name):
            rows: NDArray[numpy.float32] = self.session.run([OUTPUT], feed)[0]
        return rows if self.labels is None else self.labels.scores(rows)


def open_graph(path: Path, threads: int, name: str) -> Graph:
    """Load a graph for the processor; raises MalformedContent for a file that is no such graph, and DoesNotFit."""
    session = open_session(path, threads, name)
    note = Note.decode(session.get_modelmeta().custom_metadata_map)
    labels = Labels(note.labels, note.independent) if note.labels else None
    return Graph(name, session, note, labels, frozenset(given.name for given in session.get_inputs()))

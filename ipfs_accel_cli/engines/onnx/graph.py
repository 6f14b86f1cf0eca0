"""Running an ONNX graph of ours: token ids and mask, or pictures in, one row of each out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.engines.encoder import Ids
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.onnx.note import Note
from ipfs_accel_cli.engines.onnx.running import open_session, running

OUTPUT = "rows"
# The input of networks of pictures.
PICTURES = "pixel_values"


class Runs(Protocol):
    """A graph of ours, whatever computes with it."""

    @property
    def note(self) -> Note: ...
    @property
    def labels(self) -> Labels | None: ...
    def rows(self, feed: Mapping[str, NDArray[Any]], /) -> NDArray[numpy.float32]: ...
    def __call__(self, inputs: dict[str, Ids], mask: Ids, /) -> NDArray[numpy.float32]: ...


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
        rows = self.rows({**inputs, "attention_mask": mask})
        return rows if self.labels is None else self.labels.scores(rows)

    def rows(self, feed: Mapping[str, NDArray[Any]]) -> NDArray[numpy.float32]:
        """Return rows of float32: vectors, or logits."""
        # An input that makes no difference is left out of a graph.
        taken = {name: values for name, values in feed.items() if name in self.takes}
        with running(self.name):
            rows: NDArray[numpy.float32] = self.session.run([OUTPUT], taken)[0]
        return rows


def open_graph(path: Path, threads: int, name: str) -> Graph:
    """Load a graph for the processor; raises MalformedContent for a file that is no such graph, and DoesNotFit."""
    session = open_session(path, threads, name)
    note = Note.decode(session.get_modelmeta().custom_metadata_map)
    labels = Labels(note.labels, note.independent) if note.labels else None
    return Graph(name, session, note, labels, frozenset(given.name for given in session.get_inputs()))

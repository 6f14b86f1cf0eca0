"""Words and meaning together find more than each alone, on the retrieval set with the vectors that were kept of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy
import pytest

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search.service import Search
from ipfs_accel_cli.services.search.supply import Beside
from tests.unit.services.search.library import NothingKept

SCRIPTS = Path(__file__).parents[4] / "scripts"


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[ModuleType, ModuleType]]:
    """The scripts that judge, and that kept the vectors."""
    places = [str(SCRIPTS), str(SCRIPTS / "retrieval")]
    sys.path[:0] = places
    try:
        import search_quality
        import vectors

        yield search_quality, vectors
    finally:
        for place in places:
            sys.path.remove(place)


class Kept:
    """An encoder that knows the texts of the set."""

    model = model_cid = "kept"

    def __init__(self, vectors: ModuleType) -> None:
        self._key = vectors.key
        with numpy.load(vectors.FILE) as file:
            self._rows = dict(zip(file["keys"].tolist(), file["rows"].astype(numpy.float32), strict=True))

    def embed(self, texts: Sequence[str], role: str) -> numpy.ndarray:
        try:
            return numpy.stack([self._rows[self._key(text)] for text in texts])
        except KeyError:
            pytest.fail("texts are cut or read otherwise than before: run python scripts/retrieval/vectors.py")


def test_words_and_meaning_together_find_more_than_each_alone(
    kept: tuple[ModuleType, ModuleType], tmp_path: Path
) -> None:
    quality, vectors = kept
    encoder = Kept(vectors)

    @contextmanager
    def known(_model: str | None) -> Iterator[Kept]:
        yield encoder

    home = Home(tmp_path)
    search = Search(home, Database(home), Beside(NothingKept(), encoder=known))  # type: ignore[arg-type]
    search.keeping.fresh(1)
    names = quality.fill(search)
    search.vectors.make()
    found = {mode: quality.run(search, names, mode, quality.queries()) for mode in quality.MODES}
    for held_out in (False, True):
        part = {
            mode: quality.mean([one for one in scores if one.query.held_out == held_out])
            for mode, scores in found.items()
        }
        assert part["hybrid"] >= max(part["text"], part["vector"]), part
    search.close()

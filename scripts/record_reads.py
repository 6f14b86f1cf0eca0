"""Record which pages real readers ask our cache for, as a small file that policies are replayed over.

    python scripts/record_reads.py [--seed 7] > tests/vectors/reads.txt

A dozen models in safetensors lie at a place behind the cache. Loaders read their headers and tensors by ranges, popular
models more often; some read a header alone or one layer; now and then all of the place is read back to be verified, or
a model is fetched whole into another home. What is asked for is recorded; who asks next is drawn from the seed. A line
is a run of pages of a mebibyte, numbered as they were first seen.
"""

from __future__ import annotations

import argparse
import json
import random
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.base import Files
from ipfs_accel_cli.backends.wrap.shelf import Shelf

MIB = 1 << 20
MODELS, READS = 12, 250
ZIPF = 0.9


class Recorder:
    """Notes each page that is asked for once, in order: found on the shelf, or put there because it was not."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self._numbers: dict[str, int] = {}

    def note(self, name: str) -> None:
        """Note one."""
        self.asked.append(self._numbers.setdefault(name, len(self._numbers)))

    def listen(self) -> None:
        """Stand between all shelves and those who ask them."""
        get, put = Shelf.get, Shelf.put

        def asked(shelf: Shelf, name: str, check: Callable[[bytes], bytes | None]) -> bytes | None:
            data = get(shelf, name, check)
            if data is not None:
                self.note(name)
            return data

        def kept(shelf: Shelf, name: str, data: bytes) -> None:
            self.note(name)
            put(shelf, name, data)

        Shelf.get, Shelf.put = asked, kept  # type: ignore[method-assign]

    def runs(self) -> Iterator[str]:
        """Yield what was asked for as runs of numbers that rise by one."""
        first = last = self.asked[0]
        for page in [*self.asked[1:], -1]:
            if page == last + 1:
                last = page
                continue
            yield f"{first}-{last}" if last > first else f"{first}"
            first = last = page


def model(folder: Path, number: int, chance: random.Random) -> None:
    """Write a model of some layers in safetensors."""
    import numpy as np
    from safetensors.numpy import save_file

    generator, folder = np.random.default_rng(number), folder / f"model{number}"
    folder.mkdir(parents=True)
    tensors: dict[str, Any] = {"embed": generator.standard_normal((1 << 18) * chance.randint(1, 6), dtype=np.float32)}
    for layer in range(chance.randint(2, 12)):
        tensors[f"layer{layer}"] = generator.standard_normal(1 << 18, dtype=np.float32)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"number": number}))


def load(place: Files, key: str, wanted: Callable[[str], bool]) -> None:
    """Read a header, and the tensors whose names are wanted, by ranges, as loaders of safetensors do."""
    (length,) = struct.unpack("<Q", b"".join(place.open(key, 0, 8)))
    header = json.loads(b"".join(place.open(key, 8, length)))
    for name, tensor in header.items():
        if name != "__metadata__" and wanted(name):
            begin, end = tensor["data_offsets"]
            assert sum(map(len, place.open(key, 8 + length + begin, end - begin))) == end - begin


def record(seed: int, folder: Path) -> list[str]:
    """Let the readers read, and return the runs of pages."""
    chance, recorder = random.Random(seed), Recorder()
    (folder / "place").mkdir()
    with Node(folder / "home") as node:
        node.store.backends.add("far", "local", {"path": str(folder / "place"), "cache": "40MiB"})
        for number in range(MODELS):
            model(folder / "models", number, chance)
        paths = [folder / "models" / f"model{number}" for number in range(MODELS)]
        cids = [stored.cid for stored in node.store.put(paths, to=["far:"])]
        place = node.store.backends.open("far")
        assert isinstance(place, Files)
        keys = sorted(one.key for one in place.scan() if one.key.endswith(".safetensors"))
        weights = [1 / (rank + 1) ** ZIPF for rank in range(MODELS)]
        recorder.listen()
        for read in range(READS):
            which, what = chance.choices(range(MODELS), weights)[0], chance.random()
            if what < 0.6:
                load(place, keys[which], lambda _: True)
            elif what < 0.8:
                load(place, keys[which], lambda _: False)
            elif what < 0.94:
                load(place, keys[which], lambda name: name == "layer1")
            elif what < 0.97:
                node.store.exchange.verify(cids, "far")
            else:
                with Node(folder / f"other{read}") as other:
                    other.store.backends.add("far", "local", {"path": str(folder / "place"), "cache": "40MiB"})
                    other.store.exchange.fetch(cids[which], "far")
    return list(recorder.runs())


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seed", type=int, default=7)
    seed = asked.parse_args().seed
    with tempfile.TemporaryDirectory() as folder:
        runs = record(seed, Path(folder))
    print(f"# pages of 1 MiB that readers asked the cache for; scripts/record_reads.py --seed {seed}")
    print("\n".join(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())

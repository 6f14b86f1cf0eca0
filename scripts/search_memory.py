"""How much memory indexing takes, above what the process had before, while it reads a folder of texts."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path

import search_quality
from bench_limits import MIB, Memory

from ipfs_accel_cli import Node

MOST_MIB = 256
_FILE_BYTES = 4 * MIB


def run(chosen: argparse.Namespace) -> bool:
    """Write files of real text that is repeated, each with a line of its own, and index them."""
    text = "\n".join(text for _, _, text in search_quality.documents()).encode()
    whole = b"".join(itertools.repeat(text, _FILE_BYTES // len(text) + 1))[:_FILE_BYTES]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, Node(Path(folder) / "home") as node:
        texts, first = Path(folder) / "texts", Path(folder) / "first.txt"
        texts.mkdir()
        first.write_bytes(text)
        node.search.keeping.add([str(first)])
        count = chosen.mib * MIB // _FILE_BYTES
        taken = 0
        with Memory() as memory:
            for number in range(count):
                path = texts / f"{number}.txt"
                path.write_bytes(f"file {number}\n".encode() + whole)
                taken += node.search.keeping.add([str(path)]).documents
                path.unlink()
    held = memory.growth_mib <= MOST_MIB and taken == count
    print(
        f"{'held' if held else 'MISSED':7}memory of indexing {chosen.mib} MiB: {memory.growth_mib:.0f} MiB more "
        f"(at most {MOST_MIB}; {taken} of {count} files)"
    )
    return held

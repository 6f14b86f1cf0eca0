"""Hit rates of S3-FIFO beside LRU: on reads that were recorded, and on a made-up day of serving.

There popular models are asked for again and again, large ones once. `scripts/record_reads.py` recorded the others.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate, zip_longest
from pathlib import Path

from ipfs_accel_cli.backends.wrap.s3fifo import S3Fifo

RECORDED = Path(__file__).parent.parent / "tests" / "vectors" / "reads.txt"
MODELS, LOADS = 60, 1500
ZIPF = 0.9
SCANS = (0.0, 0.01, 0.03)  # Of the loads, so many are of a large model that is read once, as for an export.
HEADERS = 0.3  # So many want no more than the first pages: what a model is, not the model.
ROOM_PARTS = (0.05, 0.1, 0.2, 0.4)

Page = tuple[str, int]


def trace(chance: random.Random, scans: float) -> list[Page]:
    """Return the pages of a mebibyte that are asked for, two loads at a time, page by page in turn."""
    sizes = [max(4, round(chance.lognormvariate(4.0, 1.0))) for _ in range(MODELS)]
    weights = list(accumulate(1 / (rank + 1) ** ZIPF for rank in range(MODELS)))
    loads = [list(_load(number, sizes, weights, scans, chance)) for number in range(LOADS)]
    pages: list[Page] = []
    for one, other in zip(loads[::2], loads[1::2], strict=True):
        pages += [page for both in zip_longest(one, other) for page in both if page is not None]
    return pages


def _load(number: int, sizes: list[int], weights: list[float], scans: float, chance: random.Random) -> Iterator[Page]:
    if chance.random() < scans:
        yield from ((f"scan {number}", page) for page in range(chance.randint(500, 2500)))
        return
    model = chance.choices(range(MODELS), cum_weights=weights)[0]
    pages = 2 if chance.random() < HEADERS else sizes[model]
    yield from ((f"model {model}", page) for page in range(pages))


def with_s3fifo(pages: list[Page], room: int) -> float:
    """Return the share of pages that were there."""
    policy: S3Fifo[Page] = S3Fifo(room)
    for page in pages:
        if not policy.ask(page):
            policy.add(page, 1)
    return policy.hits / len(pages)


def with_lru(pages: list[Page], room: int) -> float:
    """Return the share of pages that were there."""
    held: OrderedDict[Page, None] = OrderedDict()
    hits = 0
    for page in pages:
        if page in held:
            hits += 1
            held.move_to_end(page)
        else:
            held[page] = None
            if len(held) > room:
                held.popitem(last=False)
    return hits / len(pages)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    seed = parser.parse_args().seed
    missed = compared(recorded(), None) + sum(compared(trace(random.Random(seed), scans), scans) for scans in SCANS)
    return 1 if missed else 0


def recorded() -> list[Page]:
    """Return the pages that real readers asked for."""
    pages: list[Page] = []
    for line in RECORDED.read_text().splitlines()[1:]:
        first, _, last = line.partition("-")
        pages += [("model", page) for page in range(int(first), int(last or first) + 1)]
    return pages


def compared(pages: list[Page], scans: float | None) -> int:
    """Print the hit rates on one trace, a recorded one where `scans` is None; return how many bounds were missed."""
    again = {page for page in pages if page[0].startswith("model")}
    if scans is None:
        print(f"recorded: {len(pages)} pages asked for, {len(again)} of them different")
    else:
        print(
            f"{scans:.0%} of the loads are scans: {len(pages)} pages asked for, {len(again)} of models that come again"
        )
    missed = 0
    for part in ROOM_PARTS:
        room = round(part * len(again))
        began = time.perf_counter()
        ours, lru = with_s3fifo(pages, room), with_lru(pages, room)
        took = (time.perf_counter() - began) / len(pages) * 1e6
        held = ours > lru
        missed += not held
        print(
            f"{'held' if held else 'MISSED':7} room for {part:4.0%} ({room} pages): "
            f"S3-FIFO {ours:6.1%}, LRU {lru:6.1%}, {took:.1f} µs a page for both"
        )
    return missed


if __name__ == "__main__":
    sys.exit(main())

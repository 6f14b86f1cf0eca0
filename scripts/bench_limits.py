"""What this machine can do at most, and how runs are compared with it."""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import shutil
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One comparison: `ratio` is to be at least, or at most, the `limit`."""

    name: str
    ratio: float
    spread: float
    limit: float
    at_least: bool
    detail: str

    @property
    def held(self) -> bool:
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit


class Memory:
    """The highest RssAnon of this process while a block runs, above what it held before, in MiB."""

    def __init__(self) -> None:
        self.growth_mib = 0.0
        self._ended = threading.Event()

    def __enter__(self) -> Memory:
        self._before = anonymous_mib()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self.growth_mib = max(self.growth_mib, anonymous_mib() - self._before)


def anonymous_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(works: list[Work], rounds: int, between: Work = lambda: None) -> list[list[float]]:
    """Return the seconds of each work in each round, the order reversed every other round."""
    times: list[list[float]] = [[] for _ in works]
    for round_number in range(rounds):
        order = range(len(works)) if round_number % 2 == 0 else reversed(range(len(works)))
        for place in order:
            between()
            times[place].append(seconds(works[place]))
    return times


def ratios(limit: list[float], ours: list[float]) -> tuple[float, float]:
    """Return the median of limit / ours over the rounds, and half of what lies between the quartiles."""
    found = sorted(one / other for one, other in zip(limit, ours, strict=True))
    quarters = statistics.quantiles(found, n=4) if len(found) > 1 else [found[0]] * 3
    return statistics.median(found), (quarters[2] - quarters[0]) / 2


def write(path: Path, size_bytes: int) -> None:
    """Write bytes that do not compress and do not repeat."""
    chance = random.Random(1)
    with path.open("wb") as file:
        for _ in range(size_bytes // MIB):
            file.write(chance.randbytes(MIB))


def hash_leaves(path: Path, threads: int) -> None:
    """The limit: sha-256 of each MiB of a memory map, by so many threads."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = memoryview(mapped)

        def part(first: int) -> None:
            for start in range(first * MIB, len(view), threads * MIB):
                hashlib.sha256(view[start : start + MIB]).digest()

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, range(threads)))
        view.release()


def hash_whole(path: Path) -> None:
    """The limit of a digest of the whole, which cannot be shared between threads."""
    digest = hashlib.sha256()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = memoryview(mapped)
        for start in range(0, len(view), MIB):
            digest.update(view[start : start + MIB])
        view.release()


def write_and_sync(source: Path, target: Path) -> None:
    """The limit of the disk: the same bytes copied to a file and synced."""
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, 8 * MIB)
        writer.flush()
        os.fsync(writer.fileno())
    target.unlink()

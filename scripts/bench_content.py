"""What content addressing costs: hashing, putting, importing and reading beside the limits of this machine.

    scripts/bench content [--mib 1024] [--rounds 5] [--folder DIR]

Every figure is a ratio of runs that took turns in this process, so that a busy machine slows both sides. The limits are
hashlib over a memory map in leaves of 1 MiB, by one thread and by two; a file written and synced; a loop of `pread`.
Memory is what this process holds beside the page cache (RssAnon), its highest value while the work runs.
"""

from __future__ import annotations

import argparse
import hashlib
import mmap
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import hashing
from ipfs_accel_cli.content.profiles import PROFILES

MIB = 1 << 20
RSS_LIMIT_MIB = 64
READS, READ_BYTES = 2000, 4096
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
        self._before = _anonymous_mib()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self.growth_mib = max(self.growth_mib, _anonymous_mib() - self._before)


def _anonymous_mib() -> float:
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


@contextmanager
def nodes(folder: Path) -> Iterator[Callable[[], Node]]:
    """Give nodes on homes that are empty, one after the other; what the last one held is removed."""
    made: list[Node] = []

    def fresh() -> Node:
        forget()
        made.append(Node(folder / "home"))
        return made[0]

    def forget() -> None:
        while made:
            made.pop().close()
        shutil.rmtree(folder / "home", ignore_errors=True)

    try:
        yield fresh
    finally:
        forget()


def bench_hashing(source: Path, rounds: int) -> Row:
    profile = PROFILES["unixfs-v1-2025"]
    limit, ours = in_turn([lambda: hash_leaves(source, 2), lambda: hashing.file_cid(source, profile)], rounds)
    ratio, spread = ratios(limit, ours)
    return Row("store cid of / hashlib, 2 threads", ratio, spread, 0.80, True, rate(source, ours))


def bench_put(source: Path, folder: Path, rounds: int) -> list[Row]:
    with nodes(folder) as fresh, Memory() as memory:

        def put() -> None:
            list(node.store.put([source]))

        times: dict[str, list[float]] = {"pair": [], "whole": [], "disk": [], "put": []}
        for _ in range(rounds):
            node = fresh()
            os.sync()
            times["pair"].append(2 * seconds(lambda: hash_leaves(source, 2)))
            times["whole"].append(seconds(lambda: hash_whole(source)))
            os.sync()
            times["disk"].append(seconds(lambda: write_and_sync(source, folder / "plain")))
            os.sync()
            times["put"].append(seconds(put))
    return [
        against_the_slowest("store put", times, "put", source),
        Row("memory of put, MiB above before", memory.growth_mib, 0, RSS_LIMIT_MIB, False, "RssAnon"),
    ]


def against_the_slowest(name: str, times: dict[str, list[float]], ours: str, source: Path) -> Row:
    """Compare with what must at least be done: no command can be quicker than its slowest part."""
    slowest = max((limit for limit in times if limit != ours), key=lambda limit: statistics.median(times[limit]))
    said = {"pair": "half of 2-thread hashlib", "whole": "1-thread sha-256", "disk": "write + fsync"}[slowest]
    ratio, spread = ratios(times[slowest], times[ours])
    return Row(f"{name} / {said}", ratio, spread, 0.80, True, rate(source, times[ours]))


def bench_import(source: Path, folder: Path, rounds: int) -> Row:
    car = folder / "source.car"
    with nodes(folder) as fresh:
        node = fresh()
        (stored,) = node.store.put([source])
        node.store.export_car(stored.cid, car)
        times: dict[str, list[float]] = {"whole": [], "disk": [], "import": []}
        for _ in range(rounds):
            node = fresh()
            times["whole"].append(seconds(lambda: hash_whole(source)))
            os.sync()
            times["disk"].append(seconds(lambda: write_and_sync(source, folder / "plain")))
            os.sync()
            times["import"].append(seconds(partial(node.store.import_car, car)))
    car.unlink()
    return against_the_slowest("store import, verified", times, "import", source)


def bench_reads(source: Path, folder: Path, rounds: int) -> Row:
    chance = random.Random(2)
    offsets = [chance.randrange(source.stat().st_size - READ_BYTES) for _ in range(READS)]
    with nodes(folder) as fresh:
        node = fresh()
        (stored,) = node.store.put([source])
        descriptor = os.open(source, os.O_RDONLY)

        def bare() -> None:
            for offset in offsets:
                os.pread(descriptor, READ_BYTES, offset)

        def ours() -> None:
            content = node.store.content(stored.cid)
            for offset in offsets:
                content.read(offset, READ_BYTES)

        bare(), ours()
        times = in_turn([bare, ours], max(rounds, 9))
        os.close(descriptor)
    ratio, spread = ratios(times[1], times[0])
    each = statistics.median(times[1]) / READS * 1e6
    return Row("random 4 KiB reads / pread", ratio, spread, 2.0, False, f"{each:.1f} us each")


def bench_kubo(source: Path, folder: Path, rounds: int) -> Row | str:
    """Compare with Kubo's only-hash, in its only profile; the time to start its node is taken out."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import pytest

    from tests.servers import kubo

    try:
        kubo.library()
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        return f"the Kubo library is not here: {error}"
    profile, empty = PROFILES["unixfs-v0-2015"], folder / "empty"
    empty.touch()
    works: list[Work] = [
        lambda: kubo.hashes(folder, [empty]),
        lambda: kubo.hashes(folder, [source]),
        lambda: hashing.file_cid(source, profile),
    ]
    started, hashed, ours = in_turn(works, max(3, rounds // 2))
    theirs = [whole - statistics.median(started) for whole in hashed]
    ratio, spread = ratios(theirs, ours)
    return Row("cid of, unixfs-v0-2015 / Kubo 0.22 only-hash", ratio, spread, 3.0, True, rate(source, ours))


def rate(source: Path, times: list[float]) -> str:
    return f"{source.stat().st_size / MIB / statistics.median(times):.0f} MiB/s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file, in MiB (default 1024)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs (default 5)")
    parser.add_argument("--folder", type=Path, help="where to write; needs four times the size")
    asked = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as made:
        folder = Path(made)
        source = folder / "source"
        write(source, asked.mib * MIB)
        benches: list[Callable[[], Row | str | list[Row]]] = [
            lambda: bench_hashing(source, asked.rounds),
            lambda: bench_put(source, folder, asked.rounds),
            lambda: bench_import(source, folder, asked.rounds),
            lambda: bench_reads(source, folder, asked.rounds),
            lambda: bench_kubo(source, folder, asked.rounds),
        ]
        print(f"{asked.mib} MiB, {asked.rounds} rounds; the ratio is the median of paired runs")
        for bench in benches:
            found = bench()
            for row in found if isinstance(found, list) else [found]:
                if isinstance(row, str):
                    print(f"skipped   {row}")
                    continue
                missed += not row.held
                wanted = f"{'>=' if row.at_least else '<='} {row.limit:g}"
                print(
                    f"{'held' if row.held else 'MISSED':7} {row.name:45} {row.ratio:7.2f} ± {row.spread:.2f}"
                    f"   wanted {wanted:8} {row.detail}",
                    flush=True,
                )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

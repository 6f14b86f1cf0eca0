"""What content addressing costs: hashing, putting, importing and reading beside the limits of this machine.

    scripts/bench content [--size 1GiB] [--rounds 5] [--folder DIR]

Every figure is a ratio of runs that took turns in this process, so that a busy machine slows both sides. The limits are
hashlib over a memory map in leaves of 1 MiB, by one thread and by two; a file written and synced; a loop of `pread`.
Memory is measured in a process of its own, which computes the CID and then puts the file: RssAnon of /proc/self/status,
sampled every 5 ms, its highest value above that before. Mapped pages of the page cache count as RssFile and are the
system's to take back, so they are left out.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bench_limits import (
    MIB,
    Memory,
    Row,
    Work,
    anonymous_mib,
    hash_leaves,
    hash_whole,
    in_turn,
    ratios,
    seconds,
    write,
    write_and_sync,
)

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import hashing
from ipfs_accel_cli.content.profiles import PROFILES

RSS_LIMIT_MIB = 64
READS, READ_BYTES = 300, 4096  # So few that most runs get to their end undisturbed on a busy machine.
# What finding content by its CID costs cannot all be saved without keeping files open, and then gc would free nothing.
OPENED_ANEW_LIMIT = 50.0


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


def bench_put(source: Path, folder: Path, rounds: int) -> Row:
    with nodes(folder) as fresh:

        def put() -> None:
            list(node.store.put([source]))

        times: dict[str, list[float]] = {"pair": [], "whole": [], "disk": [], "put": []}
        for _ in range(rounds):
            node = fresh()
            os.sync()
            times["pair"].append(2 * seconds(lambda: hash_leaves(source, 2)))
            times["whole"].append(seconds(lambda: hash_whole(source)))
            disk, ours = around(put, source, folder)
            times["disk"].append(disk)
            times["put"].append(ours)
    return against_the_slowest("store put", times, "put", source)


def bench_memory(source: Path, folder: Path) -> Row:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        before, growth = child.submit(hold, source, folder).result()
    detail = f"RssAnon, {before:.0f} MiB before"
    return Row("memory of cid of and put, MiB more", growth, 0, RSS_LIMIT_MIB, False, detail)


def hold(source: Path, folder: Path) -> tuple[float, float]:
    """Compute the CID of a file and put it; return the MiB that the process held before, and held more meanwhile."""
    with nodes(folder) as fresh:
        node = fresh()
        assert not node.store.ls().entries  # So that what is imported or opened once is there.
        before = anonymous_mib()
        with Memory() as memory:
            (computed,) = node.store.cid_of([source])
            (stored,) = node.store.put([source])
            assert stored.cid == computed.cid
    return before, memory.growth_mib


def around(work: Work, source: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds of a plain write before and after some work, on average, and those of the work."""

    def plain() -> float:
        os.sync()
        return seconds(lambda: write_and_sync(source, folder / "plain"))

    before = plain()
    os.sync()
    ours = seconds(work)
    return (before + plain()) / 2, ours


def against_the_slowest(name: str, times: dict[str, list[float]], ours: str, source: Path) -> Row:
    """Compare with what must at least be done: no command can be quicker than its slowest part."""
    slowest = max((limit for limit in times if limit != ours), key=lambda limit: statistics.median(times[limit]))
    said = {"pair": "half of 2-thread hashlib", "whole": "1-thread sha-256", "disk": "write + fsync"}
    ratio, spread = ratios(times[slowest], times[ours])
    others = [f"{ratios(times[one], times[ours])[0]:.2f} of {said[one]}" for one in times if one not in (ours, slowest)]
    detail = ", ".join([rate(source, times[ours]), *others])
    return Row(f"{name} / {said[slowest]}", ratio, spread, 0.80, True, detail)


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
            disk, ours = around(partial(node.store.import_car, car), source, folder)
            times["disk"].append(disk)
            times["import"].append(ours)
    car.unlink()
    return against_the_slowest("store import, verified", times, "import", source)


def bench_reads(source: Path, folder: Path, rounds: int) -> list[Row]:
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
            with node.store.content(stored.cid) as content:
                for offset in offsets:
                    content.read(offset, READ_BYTES)

        def opened_anew() -> None:
            for offset in offsets:
                b"".join(node.store.open(stored.cid, offset, READ_BYTES))

        bare(), ours(), opened_anew()
        times = in_turn([bare, ours, opened_anew], 20 * rounds)
        os.close(descriptor)
    rows = []
    for name, place, limit in (("held open", 1, 2.0), ("found by CID each time", 2, OPENED_ANEW_LIMIT)):
        ratio, spread = ratios(times[place], times[0])
        each = statistics.median(times[place]) / READS * 1e6
        rows.append(Row(f"4 KiB reads, {name} / pread", ratio, spread, limit, False, f"{each:.1f} us each"))
    return rows


def bench_kubo(source: Path, folder: Path, rounds: int) -> Row | str:
    """Compare with Kubo's only-hash, in its only profile; the time to start its node does not count."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import pytest

    from tests.servers import kubo

    try:
        kubo.library()
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        return f"the Kubo library is not here: {error}"
    theirs, ours, cores = [], [], []

    def hash_it() -> object:
        return hashing.file_cid(source, PROFILES["unixfs-v0-2015"])

    for _ in range(rounds):
        # Ours runs before and after theirs, so that other work which comes or goes counts on both sides.
        used, before = time.process_time(), seconds(hash_it)
        used = time.process_time() - used
        took, all_cores = kubo.timed_hashes(folder, [source])[1]
        theirs.append(took)
        ours.append((before + seconds(hash_it)) / 2)
        cores.append(all_cores / used)
    ratio, spread = ratios(theirs, ours)
    detail = f"{rate(source, ours)}; of CPU time {statistics.median(cores):.2f}"
    return Row("cid of, unixfs-v0-2015 / Kubo 0.22 only-hash", ratio, spread, 3.0, True, detail)


def rate(source: Path, times: list[float]) -> str:
    return f"{source.stat().st_size / MIB / statistics.median(times):.0f} MiB/s"


def size_bytes(text: str) -> int:
    number, unit = text[:-3], text[-3:]
    if unit not in ("MiB", "GiB") or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 256MiB or 1GiB")
    return int(number) << {"MiB": 20, "GiB": 30}[unit]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=size_bytes, default=1 << 30, help="of the file: 256MiB, 1GiB (default 1GiB)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs (default 5)")
    parser.add_argument("--folder", type=Path, help="where to write; needs four times the size")
    asked = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as made:
        folder = Path(made)
        source = folder / "source"
        write(source, asked.size)
        benches: list[Callable[[], Row | str | list[Row]]] = [
            lambda: bench_hashing(source, asked.rounds),
            lambda: bench_put(source, folder, asked.rounds),
            lambda: bench_memory(source, folder),
            lambda: bench_import(source, folder, asked.rounds),
            lambda: bench_reads(source, folder, asked.rounds),
            lambda: bench_kubo(source, folder, asked.rounds),
        ]
        print(f"{asked.size // MIB} MiB, {asked.rounds} rounds; the ratio is the median of paired runs")
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

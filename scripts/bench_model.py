"""What the registry of models costs: pulling, verifying, listing, sharing.

    scripts/bench model [--size 512MiB] [--rounds 5] [--folder DIR] [--models 10000]

Every figure is a ratio of runs that took turns, so that a busy machine slows both sides. The source is a web server in
a process of its own on loopback, held to 200 MiB/s; the limit is a plain download of the same bytes to a file that is
synced at its end. A home is made before each pull, and what that takes is told beside it. The limit of verifying is
hashlib over leaves of 1 MiB by two threads, of weights that are sound numbers; the bare query of SQLite is that of all
names with what is known of each.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_limits import MIB, Row, hash_leaves, in_turn, ratios, seconds, write

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.units import parse_bytes

RATE_BYTES_S = 200 * MIB
_REGISTERED = 20
SERVER = """
import http.server, sys, time
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def copyfile(self, source, target):
        start, sent = time.perf_counter(), 0
        while chunk := source.read(1 << 18):
            target.write(chunk)
            sent += len(chunk)
            ahead = sent / {rate} - (time.perf_counter() - start)
            if ahead > 0:
                time.sleep(ahead)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder at the limited rate; give its address."""
    command = [sys.executable, "-c", SERVER.format(rate=RATE_BYTES_S)]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def bench_pull(source: Path, folder: Path, rounds: int) -> Row:
    import httpx

    counter = itertools.count()
    homes: list[Path] = []
    making: list[float] = []

    def plain() -> None:
        target = folder / "plain"
        with client.stream("GET", f"{url}/{source.name}") as answer, target.open("wb") as file:
            for chunk in answer.iter_bytes(MIB):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        target.unlink()

    def ours() -> None:
        with Node(homes[-1]) as node:
            node.models.pull(f"{url}/{source.name}", "bench")

    def between() -> None:
        for home in folder.glob("home*"):
            shutil.rmtree(home)
        homes.append(folder / f"home{next(counter)}")
        making.append(seconds(lambda: _make(homes[-1])))

    with serving(source.parent) as url, httpx.Client() as client:
        limit, found = in_turn([plain, ours], rounds, between)
    shutil.rmtree(homes[-1])
    ratio, spread = ratios(limit, found)
    detail = f"{statistics.median(found):.2f} s; a new home {statistics.median(making) * 1000:.0f} ms"
    return Row("pull / plain download, 200 MiB/s", ratio, spread, 0.95, True, detail)


def _make(home: Path) -> None:
    with Node(home) as node:
        node.models.ls()
        node.store.ls()


def bench_verify(folder: Path, size_bytes: int, rounds: int, *, full: bool) -> Row:
    weights = _weights(folder / "weights" / "model.safetensors", size_bytes)
    with Node(folder / f"verified-{full}") as node:
        node.models.add(weights.parent, "bench")
        limit, found = in_turn(
            [lambda: hash_leaves(weights, 2), lambda: node.models.verify("bench", full=full)], rounds
        )
    ratio, spread = ratios(limit, found)
    name = f"verify{' --full' if full else ''} / hashlib, 2 threads"
    return Row(name, ratio, spread, 0.40 if full else 0.80, True, f"{statistics.median(found):.2f} s")


def _weights(path: Path, size_bytes: int) -> Path:
    """Write weights as training leaves them: no NaN, no infinity."""
    import numpy

    chance = numpy.random.default_rng(1)
    rows = size_bytes // (4 * MIB)
    header = json.dumps({"w": {"dtype": "F32", "shape": [rows, MIB], "data_offsets": [0, rows * 4 * MIB]}}).encode()
    header += b" " * (-len(header) % 8)
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for _ in range(rows):
            file.write(chance.standard_normal(MIB, "f4").tobytes())
    return path


def bench_listing(folder: Path, count: int, rounds: int) -> Row:
    with Node(folder / "listed") as node:
        _register_many(node, folder, count)

        def bare() -> None:
            query = "SELECT * FROM names LEFT JOIN listed USING (manifest) ORDER BY name, version DESC"
            node.database.read().execute(query).fetchall()

        limit, found = in_turn([bare, node.models.ls], rounds)
    ratio, spread = ratios(found, limit)
    return Row(f"ls of {count} models / bare query", ratio, spread, 10.0, False, f"{statistics.median(found):.2f} s")


def _register_many(node: Node, folder: Path, count: int) -> None:
    """Register some models, and fill the tables up with rows like theirs: each costs several syncs of the disk."""
    model = folder / "small"
    model.mkdir()
    for number in range(_REGISTERED):
        (model / "config.json").write_text(f'{{"model_type": "bert", "number": {number}}}')
        node.models.add(model, f"model-{number}")
    node.models.ls()
    with node.database.write() as connection:
        rows = connection.execute(
            "SELECT * FROM names JOIN models USING (manifest) JOIN listed USING (manifest)"
        ).fetchall()
        for number, row in zip(range(_REGISTERED, count), itertools.cycle(rows)):
            manifest = f"{row['manifest'][:-8]}{number:08}"
            connection.execute(
                "INSERT INTO models VALUES (?, ?, ?, ?, ?)",
                (manifest, row["root"], row["files"], row["size_bytes"], row["added_at"]),
            )
            connection.execute(
                "INSERT INTO names VALUES (?, 1, ?, ?, ?)",
                (f"model-{number}", manifest, row["reference"], row["created_at"]),
            )
            connection.execute("INSERT INTO listed VALUES (?, ?)", (manifest, row["body"]))


def bench_sharing(source: Path, folder: Path) -> Row:
    """A second model of which nine files of ten are those of the first."""
    first, second = folder / "first", folder / "second"
    part = source.stat().st_size // 10
    for place in (first, second):
        place.mkdir()
    with source.open("rb") as file:
        for number in range(10):
            data = file.read(part)
            (first / f"{number}.bin.txt").write_bytes(data)
            (second / f"{number}.bin.txt").write_bytes(data if number else data[::-1])
    with Node(folder / "shared") as node:
        node.models.add(first, "first")
        before = _held(folder / "shared")
        node.models.add(second, "second")
        grown = _held(folder / "shared") - before
    return Row("growth by a model that shares 90 %", grown / (part * 10), 0.0, 0.11, False, f"{grown / MIB:.0f} MiB")


def _held(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def main() -> int:
    """Print the table; 1 when a ratio does not hold."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--size", type=parse_bytes, default=512 * MIB)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--models", type=int, default=10_000)
    asked.add_argument("--folder", type=Path, default=None)
    options = asked.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(made)
        source = folder / "served" / "model.safetensors.txt"
        source.parent.mkdir()
        write(source, options.size)
        for bench in (
            lambda: bench_pull(source, folder, options.rounds),
            lambda: bench_verify(folder, options.size, options.rounds, full=False),
            lambda: bench_verify(folder, options.size, options.rounds, full=True),
            lambda: bench_sharing(source, folder),
            lambda: bench_listing(folder, options.models, options.rounds),
        ):
            started = time.perf_counter()
            row = bench()
            rows.append(row)
            mark = "ok  " if row.held else "MISS"
            sign = ">=" if row.at_least else "<="
            print(
                f"{mark} {row.name:36} {row.ratio:6.2f} {sign} {row.limit:5.2f}  spread {row.spread:.2f}"
                f"  {row.detail}  ({time.perf_counter() - started:.0f} s)",
                flush=True,
            )
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())

"""What a bucket costs as a backend, beside the clients that others use: boto3 and, where it is installed, obstore.

    scripts/bench store [--size 128MiB] [--rounds 5] [--memory 256MiB] [--folder DIR]

Every figure is a ratio of runs that took turns on one SeaweedFS on loopback, so that a busy machine slows both. All
have the server check a SHA-256 of what it is sent, and each gets what was put by the same client. Reading back and
hashing what was put, which needs to be done where a server checks nothing, is told apart, and so is what we do once a
short way was measured. Memory is that of a stream which lies nowhere, put and fetched; `--memory 10GiB` is the promise
and needs as much room on the disk. A tensor is read through a map of the file and of what the store keeps.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench_limits import MIB, Memory, Row, in_turn, ratios, write

sys.path.insert(0, str(Path(__file__).parent.parent))

from ipfs_accel_cli.backends.base import Body, Config
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.parts import Pace
from ipfs_accel_cli.core.units import human_bytes, parse_bytes
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Seaweed, seaweedfs

WANTED = 0.95
UNMEASURED, NEAR = Pace(), Pace(0.001, 500 * MIB, 500 * MIB)
Client = tuple[Callable[[str], object], Callable[[str], object]]


def bucket(server: Seaweed, folder: Path, prefix: str = "ours", pace: Pace = UNMEASURED) -> S3Backend:
    """Return our backend."""
    options = {"bucket": BUCKET, "endpoint": server.url, "prefix": prefix}
    made = backend_for("s3", Config("far", options, folder, lambda: f"{ACCESS_KEY}:{SECRET_KEY}", lambda: pace))
    assert isinstance(made, S3Backend)
    return made


def ours(backend: S3Backend, source: Path) -> Client:
    """Return how we put and get."""
    size_bytes = source.stat().st_size
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()

    def read(offset: int, length: int | None) -> Iterator[bytes]:
        end = size_bytes if length is None else offset + length
        with source.open("rb", buffering=0) as file:
            file.seek(offset)
            while offset < end:
                piece = file.read(min(MIB, end - offset))
                offset += len(piece)
                yield piece

    def put(key: str) -> None:
        receipt = backend.put(Body(size_bytes, digest, read, local=source), key)
        assert receipt.proof == "checksum"

    def get(key: str) -> None:
        assert sum(len(piece) for piece in backend.open(key)) == size_bytes

    return put, get


def boto(server: Seaweed, source: Path) -> Client:
    """Return how boto3 does, with its own defaults for parts and threads."""
    from boto3.s3.transfer import TransferConfig

    client, config = server.client(), TransferConfig()

    def put(key: str) -> None:
        with source.open("rb") as file:
            extra = {"ChecksumAlgorithm": "SHA256"}
            client.upload_fileobj(file, BUCKET, f"boto/{key}", ExtraArgs=extra, Config=config)

    def get(key: str) -> None:
        with Path(os.devnull).open("wb") as file:
            sink = Sink(file)
            client.download_fileobj(BUCKET, f"boto/{key}", sink, Config=config)

    return put, get


class Sink:
    """A file that is written in order and keeps nothing."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return int(self._file.write(data))


def obstore(server: Seaweed, source: Path) -> Client | None:
    """Return how obstore does; None where it is not installed."""
    try:
        import obstore
        from obstore.store import S3Store
    except ImportError:
        return None
    store = S3Store(
        BUCKET,
        endpoint=server.url,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        region="us-east-1",
        client_options={"allow_http": True},
        checksum_algorithm="SHA256",
    )

    def put(key: str) -> None:
        obstore.put(store, f"obstore/{key}", source, chunk_size=8 * MIB, max_concurrency=4)

    def get(key: str) -> None:
        for _ in obstore.get(store, f"obstore/{key}").stream(min_chunk_size=MIB):
            pass

    return put, get


def reread(backend: S3Backend, put: Callable[[str], object], rounds: int) -> Row:
    """Say how much longer a put takes that reads all of it back, as where a server checks nothing."""
    counter = itertools.count()

    def key(kind: str) -> str:
        return f"{kind}-{next(counter)}.bin"

    def both() -> None:
        name = key("whole")
        put(name)
        hashed = hashlib.sha256()
        for piece in backend.open(name):
            hashed.update(piece)

    alone, whole = in_turn([lambda: put(key("alone")), both], rounds)
    ratio, spread = ratios(whole, alone)
    detail = f"alone {statistics.median(alone):.2f} s, with the re-read {statistics.median(whole):.2f} s"
    return Row("s3 put with a full re-read, beside put alone", ratio, spread, 0.0, True, detail)


def streamed(backend: S3Backend, size_bytes: int) -> list[Row]:
    """Put and fetch a stream that lies nowhere, and say how much memory that takes."""
    pool = random.Random(2).randbytes(8 * MIB + 4096)

    def read(offset: int, length: int | None) -> Iterator[memoryview]:
        end = size_bytes if length is None else min(size_bytes, offset + length)
        while offset < end:
            start = offset // MIB % 4096 + offset % MIB  # Each mebibyte begins elsewhere in the pool.
            piece = min(MIB - offset % MIB, end - offset)
            yield memoryview(pool)[start : start + piece]
            offset += piece

    digest = hashlib.sha256()
    for piece in read(0, None):
        digest.update(piece)
    with Memory() as sending:
        receipt = backend.put(Body(size_bytes, digest.digest(), read), "stream.bin")
    assert receipt.proof == "checksum"
    back = hashlib.sha256()
    with Memory() as fetching:
        for piece in backend.open("stream.bin"):
            back.update(piece)
    assert back.digest() == digest.digest()
    backend.delete("stream.bin")
    said = f"MiB of RssAnon more than before, for {human_bytes(size_bytes)}"
    both = (("put", sending.growth_mib), ("get", fetching.growth_mib))
    return [Row(f"s3 {verb}, memory", mib, 0.0, 64.0, False, said) for verb, mib in both]


def mapped(source: Path, folder: Path, rounds: int) -> Row:
    """Read a tensor through a map of what the store keeps, beside one of the file itself."""
    import numpy as np

    from ipfs_accel_cli import Node

    with Node(folder) as node:
        (stored,) = node.store.put([source])
        kept = node.store.object_path(CID.parse(stored.cid))

        def summed(path: Path) -> int:
            return int(np.memmap(path, dtype=np.uint64, mode="r").sum())

        for path in (
            kept,
            source,
        ):  # How a file was written decides how large its pages are in memory until it is read.
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        assert summed(kept) == summed(source)
        direct, through = in_turn(
            [lambda: summed(source), lambda: summed(node.store.object_path(CID.parse(stored.cid)))], max(rounds, 9)
        )
    ratio, spread = ratios(direct, through)
    detail = f"file {1000 * statistics.median(direct):.1f} ms, store {1000 * statistics.median(through):.1f} ms"
    return Row("a tensor mapped from the store, beside the file", ratio, spread, 0.95, True, detail)


def compared(clients: dict[str, Client], rounds: int) -> list[Row]:
    """Let the clients put and get in turn; the better of the others is the limit."""
    rows = []
    for place, verb in enumerate(("put", "get")):
        counters = {name: itertools.count() for name in clients}

        processor: dict[str, list[float]] = {name: [] for name in clients}

        def work(name: str, place: int, counter: Iterator[int], spent: dict[str, list[float]]) -> Callable[[], object]:
            def run() -> None:
                began = time.process_time()
                clients[name][place](f"{next(counter)}.bin")
                spent[name].append(time.process_time() - began)

            return run

        times = dict(
            zip(
                clients,
                in_turn([work(name, place, counters[name], processor) for name in clients], rounds),
                strict=True,
            )
        )
        others = [name for name in clients if not name.startswith("ours")]
        best = min(others, key=lambda name: statistics.median(times[name]))
        for name in others:
            ratio, spread = ratios(times[name], times["ours"])
            detail = ", ".join(
                f"{one} {statistics.median(times[one]):.2f} s, {statistics.median(processor[one]):.2f} of processor"
                for one in clients
            )
            if name == best:
                rows.append(Row(f"s3 {verb}, beside {name}, the better", ratio, spread, WANTED, True, detail))
            else:
                rows.append(Row(f"s3 {verb}, beside {name}", ratio, spread, 0.0, True, detail))
        near, spread = ratios(times[best], times["ours near"])
        rows.append(Row(f"s3 {verb} as a short way was measured, beside {best}", near, spread, 0.0, True, ""))
    return rows


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--size", default="128MiB", type=parse_bytes)
    asked.add_argument("--rounds", default=5, type=int)
    asked.add_argument("--memory", default="256MiB", type=parse_bytes)
    asked.add_argument("--folder", default=None)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        source = folder / "source.bin"
        write(source, options.size)
        with seaweedfs(folder / "seaweed", volumes=200) as server:
            backend, near = bucket(server, folder / "notes"), bucket(server, folder / "notes", "near", NEAR)
            clients = {"ours": ours(backend, source), "boto3": boto(server, source), "ours near": ours(near, source)}
            third = obstore(server, source)
            if third is None:
                print("obstore is not installed, so it is left out: pip install obstore")
            else:
                clients["obstore"] = third
            for put, get in clients.values():  # What is made once is not measured.
                put("0-first.bin")
                get("0-first.bin")
            rows = compared(clients, options.rounds)
            rows.append(reread(backend, clients["ours"][0], options.rounds))
            rows += streamed(backend, options.memory)
        rows.append(mapped(source, folder / "home", options.rounds))
    for row in rows:
        verdict = "held" if row.held else "MISSED"
        wanted = f"wanted {'>=' if row.at_least else '<='} {row.limit:g}" if row.limit else "told only"
        print(f"{verdict:7} {row.name}: {row.ratio:.2f} ± {row.spread:.2f}, {wanted} ({row.detail})")
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

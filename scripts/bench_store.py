"""What a bucket costs as a backend, beside the clients that others use: boto3 and, where it is installed, obstore.

    scripts/bench store [--size 128MiB] [--rounds 5] [--folder DIR]

Every figure is a ratio of runs that took turns on one SeaweedFS on loopback, so that a busy machine slows both. All
have the server check a SHA-256 of what it is sent, and each gets what was put by the same client. Reading back and
hashing what was put, which needs to be done where a server checks nothing, is told apart.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench_limits import MIB, Memory, Row, in_turn, ratios, write

sys.path.insert(0, str(Path(__file__).parent.parent))

from ipfs_accel_cli.backends.base import Body, Config
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.core.units import parse_bytes
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Seaweed, seaweedfs

WANTED = 0.95
Client = tuple[Callable[[str], object], Callable[[str], object]]


def ours(server: Seaweed, source: Path, folder: Path) -> Client:
    """Return how we put and get."""
    options = {"bucket": BUCKET, "endpoint": server.url, "prefix": "ours"}
    backend = backend_for("s3", Config("far", options, folder, lambda: f"{ACCESS_KEY}:{SECRET_KEY}"))
    assert isinstance(backend, S3Backend)
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


def compared(clients: dict[str, Client], rounds: int) -> list[Row]:
    """Let the clients put and get in turn; the better of the others is the limit."""
    rows = []
    for place, verb in enumerate(("put", "get")):
        counters = {name: itertools.count() for name in clients}

        def work(name: str, place: int, counter: Iterator[int]) -> Callable[[], object]:
            return lambda: clients[name][place](f"{next(counter)}.bin")

        times = dict(
            zip(
                clients,
                in_turn([work(name, place, counters[name]) for name in clients], rounds),
                strict=True,
            )
        )
        others = [name for name in clients if name != "ours"]
        best = min(others, key=lambda name: statistics.median(times[name]))
        for name in others:
            ratio, spread = ratios(times[name], times["ours"])
            detail = ", ".join(f"{one} {statistics.median(times[one]):.2f} s" for one in clients)
            if name == best:
                rows.append(Row(f"s3 {verb}, beside {name}, the better", ratio, spread, WANTED, True, detail))
            else:
                rows.append(Row(f"s3 {verb}, beside {name}", ratio, spread, 0.0, True, detail))
    return rows


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--size", default="128MiB", type=parse_bytes)
    asked.add_argument("--rounds", default=5, type=int)
    asked.add_argument("--folder", default=None)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        source = folder / "source.bin"
        write(source, options.size)
        with seaweedfs(folder / "seaweed", volumes=200) as server:
            clients = {"ours": ours(server, source, folder / "notes"), "boto3": boto(server, source)}
            third = obstore(server, source)
            if third is None:
                print("obstore is not installed, so it is left out: pip install obstore")
            else:
                clients["obstore"] = third
            for put, get in clients.values():  # What is made once is not measured.
                put("0-first.bin")
                get("0-first.bin")
            rows = compared(clients, options.rounds)
            with Memory() as memory:
                clients["ours"][0]("memory.bin")
            rows.append(Row("s3 put, memory", memory.growth_mib, 0.0, 64.0, False, "MiB of RssAnon more than before"))
    for row in rows:
        verdict = "held" if row.held else "MISSED"
        wanted = f"wanted {'>=' if row.at_least else '<='} {row.limit:g}" if row.limit else "told only"
        print(f"{verdict:7} {row.name}: {row.ratio:.2f} ± {row.spread:.2f}, {wanted} ({row.detail})")
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

